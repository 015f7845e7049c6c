"""What an OpenAPI document has no words for: which organizations and handles there are, that an entity tag is
that of what is changed, that a cursor comes from a page, that an order excludes another one, and that JSON-LD
and RDF can say the same in other ways.

Loaded by Schemathesis in a process of its own.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, HookContext
from schemathesis.generation.meta import TestPhase

JSON_LD = "application/ld+json"
SYNTAXES = {"text/turtle", "application/n-triples", "application/n-quads", "application/trig"}
PAGING = ("after", "before", "page")
NUMBERS, LETTERS = count(1), str.maketrans("01", "ab")
BASE, TOKEN = os.environ["BASE"], os.environ["TOKEN"]
# One for all, as a connection takes longer to prepare than to be asked by.
CLIENT = httpx.Client(
    base_url=BASE,
    headers={"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"},
    trust_env=False,
    follow_redirects=True,
)
# Two organizations of the caller, so that what one offers the other has accepted.
ORGANIZATIONS = os.environ["ORGANIZATIONS"].split()


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Content in the syntaxes of RDF is a string, of which a schema says nothing."""
    for item in raw_schema["paths"].values():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}) if method != "parameters" else {}
            for media_type in SYNTAXES & content.keys():
                del content[media_type]


@schemathesis.hook
def filter_case(context: HookContext, case: Case[Any]) -> bool:
    """What violates a schema in JSON-LD may be another way to say what is right: a list of one, a node."""
    return case.media_type != JSON_LD or _is_positive(case)


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    if not _is_positive(case):
        return
    number = next(NUMBERS)
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f'"{number}"'
    if number % 2:
        for condition in ("If-Match", "If-None-Match"):
            case.headers.pop(condition, None)
        # Else most would be asked of what there is not; in a stateful run the document's links lead on.
        if case.meta is not None and case.meta.phase.name is not TestPhase.STATEFUL:
            case.path_parameters.update(_existing(case.operation.path, number))
    if isinstance(case.body, dict) and "handle" in case.body:
        case.body["handle"] = f"made-{number:b}".translate(LETTERS)
    if case.query:
        _make_one_query(case.query)
    if isinstance(case.body, dict) and case.body.keys() & {"organization", "organization_id"}:
        case.body.pop("organization", None)
        case.body["organization_id"] = _organization(case.path, dict(case.path_parameters or {}))


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Any) -> None:
    """Kept for the test, which wants each operation to have been carried out."""
    with Path(os.environ["ANSWERED"]).open("a") as answered:
        answered.write(f"{response.status_code} {response.request.method} {case.operation.path}\n")


def _make_one_query(query: dict[str, Any]) -> None:
    """With one order, and paged in one way, from the beginning."""
    for name in [name for name in query if name.startswith("order[")][1:]:
        del query[name]
    for name in [name for name in PAGING if name in query][1:]:
        del query[name]
    query.pop("before", None)
    if "after" in query:
        query["after"] = ""


def _existing(path: str, number: int) -> dict[str, str]:
    """Of a path's variables the values that lead to something: one of the list before each, or the caller."""
    found: dict[str, str] = {}
    address = ""
    for piece in path.split("/")[1:]:
        value = _one(address, number) if piece.startswith("{") else piece
        if not value:
            return {}
        if value != piece:
            found[piece[1:-1]] = value
        address += f"/{value}"
    return found


def _one(path: str, number: int) -> str:
    if path == "/api/partners":
        return str(CLIENT.get("/api/me").json()["id"])
    members = CLIENT.get(path).json().get("member", [])
    return str(members[number % len(members)].get("id", "")) if members else ""


def _organization(path: str, identifiers: dict[str, str]) -> str:
    """One that can be named: the one in the path or, for what is given to another one, the other one."""
    instance = identifiers.get("instance_id")
    if instance is None:
        return str(identifiers.get("organization_id", ORGANIZATIONS[0]))
    found = CLIENT.get(f"/api/instances/{instance}").json()
    other = ORGANIZATIONS[found.get("organization_id") == ORGANIZATIONS[0]]
    if path.endswith("/transfer"):
        CLIENT.post(f"/api/instances/{instance}/authorizations", json={"organization_id": other})
    return str(other)


def _is_positive(case: Case[Any]) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive
