"""What an OpenAPI document has no words for: which organizations there are, that a cursor comes from a page,
that an order excludes another one, and that JSON-LD and RDF can say the same in other ways.

Loaded by Schemathesis in a process of its own.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, HookContext

JSON_LD = "application/ld+json"
SYNTAXES = {"text/turtle", "application/n-triples", "application/n-quads", "application/trig"}
PAGING = ("after", "before", "page")
NUMBERS = count(1)
BASE, TOKEN = os.environ["BASE"], os.environ["TOKEN"]
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
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f'"{next(NUMBERS)}"'
    if case.query:
        _make_one_query(case.query)
    if isinstance(case.body, dict) and case.body.keys() & {"organization", "organization_id"}:
        case.body.pop("organization", None)
        case.body["organization_id"] = _organization(case.path, dict(case.path_parameters or {}))


def _make_one_query(query: dict[str, Any]) -> None:
    """With one order, and paged in one way, from the beginning."""
    for name in [name for name in query if name.startswith("order[")][1:]:
        del query[name]
    for name in [name for name in PAGING if name in query][1:]:
        del query[name]
    query.pop("before", None)
    if "after" in query:
        query["after"] = ""


def _organization(path: str, identifiers: dict[str, str]) -> str:
    """One that can be named: the one in the path or, for what is given to another one, the other one."""
    instance = identifiers.get("instance_id")
    if instance is None:
        return str(identifiers.get("organization_id", ORGANIZATIONS[0]))
    with httpx.Client(base_url=BASE, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        found = client.get(f"/api/instances/{instance}", headers={"Accept": "application/json"}).json()
        other = ORGANIZATIONS[found.get("organization_id") == ORGANIZATIONS[0]]
        if path.endswith("/transfer"):
            client.post(f"/api/instances/{instance}/authorizations", json={"organization_id": other})
    return str(other)


def _is_positive(case: Case[Any]) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive
