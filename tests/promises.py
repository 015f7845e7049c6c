"""What the documentation promises of the answers of each operation, and which of it a run of the tests saw.

A status of an operation is known by the name of its node: `ok`, `created`, or the type of a problem.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator
from functools import cache
from urllib.parse import unquote

import httpx
from rdflib.term import Node, URIRef

from app.contract.contract import load_contract, stated, statuses, subjects, text
from app.contract.definitions import Operation
from app.contract.namespaces import HYDRA
from app.contract.sources import local_name
from app.explorer.files import PAGE_POLICY
from app.routes import ROUTES

BASE = "http://127.0.0.1:8000"
CONTRACT = load_contract(BASE)
PATTERNS = [(re.compile(re.sub("{[a-z_]+}", "[0-9a-z-]+", route.path)), route) for route in ROUTES]
OPERATIONS = {it.name: it for operations in CONTRACT.promises.values() for it in operations.values()}


def _named(node: Node) -> dict[str, int]:
    found = statuses(CONTRACT.sources, node)
    return {local_name(it): int(text(CONTRACT.sources, it, HYDRA.statusCode) or 0) for it in found}


# By the name of the operation, the numbers of its possible statuses by their names.
DECLARED = {name: _named(URIRef(operation.iri)) for name, operation in OPERATIONS.items()}
# What the documentation names for all operations together: answers from before one was reached, and failures.
UNREACHED = {408, 414, 421, 429, 431, 500, 501, 503}
[_DOCUMENTATION] = subjects(CONTRACT.sources, HYDRA.ApiDocumentation)
ANYWHERE = {name: code for name, code in _named(_DOCUMENTATION).items() if code in UNREACHED}
assert set(ANYWHERE.values()) == UNREACHED

# Of this process: the names of operations, each with the name of a status.
SEEN: set[tuple[str, str]] = set()
_PROBLEM = re.compile(f"{BASE}/problems/([a-z-]+)")


def operation_at(method: str, path: str) -> Operation | None:
    """What the contract has for it; None for what it does not speak of."""
    found = next((route for pattern, route in PATTERNS if pattern.fullmatch(path)), None)
    return CONTRACT.promises[found.promise].get(method) if found and found.promise else None


async def check_promised(answer: httpx.Response) -> None:
    """Of whatever a test asks by a client. Others have their turn meanwhile, as where a network lies
    between: an answer that waits for nothing would leave them none."""
    await asyncio.sleep(0)
    # The explorer's page is the same at every address, and no answer of an operation where there is one.
    if not answer.is_error and answer.headers.get("Content-Security-Policy") == PAGE_POLICY:
        return
    if answer.is_error:
        await answer.aread()
    check_kept(answer.request.method, unquote(answer.request.url.path), answer)


def check_kept(method: str, path: str, answer: httpx.Response) -> None:
    """The contract names the status among those that the operation may answer with, and the type of a problem
    too; a success has the fields that it names."""
    operation = operation_at("GET" if method == "HEAD" else method, path)
    if operation is None:
        return
    possible = DECLARED[operation.name] | ANYWHERE
    assert answer.status_code in possible.values(), (operation.name, answer.status_code)
    name = status_name(operation.name, answer)
    if name is not None:
        assert possible.get(name) == answer.status_code, (operation.name, name)
        SEEN.add((operation.name, name))
    if not answer.is_error:
        missing = [name for name in given_fields(operation.iri) if name not in answer.headers]
        assert missing == [], (operation.name, answer.status_code)


def status_name(operation: str, answer: httpx.Response) -> str | None:
    """None for a problem that is not told, as to HEAD."""
    if answer.is_error:
        problem = _PROBLEM.search(answer.text)
        return problem[1] if problem else None
    [name] = [name for name, code in DECLARED[operation].items() if code == answer.status_code]
    return name


@cache
def given_fields(operation: str) -> list[str]:
    named = stated(CONTRACT.sources, URIRef(operation), HYDRA.returnsHeader)
    return [str(name) for name in named]


def unseen(seen: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What is declared for an operation and was not met, in words."""
    met = set(seen)
    for operation, names in DECLARED.items():
        for name, code in names.items():
            if (operation, name) not in met:
                yield f"{operation} never answered with {code} {name}"
