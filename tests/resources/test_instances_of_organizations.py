"""The instances of an organization, which one statement tells to members: it answers as two would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from app.caller import READ, READ_ALL
from app.resources import lists
from tests.service import JSON, JSON_LD, Service, World, made
from tests.statements import overhear

pytestmark = pytest.mark.anyio

CALLERS: dict[str, Sequence[str]] = {
    "owner": (),
    "member": (),
    "neighbour": (),
    "stranger": (),
    "newcomer": (),
    "auditor": (READ_ALL,),
    "reader": (READ,),
}
QUERIES = [
    "",
    "?itemsPerPage=1",
    "?itemsPerPage=1&after=",
    "?order[name]=desc",
    "?name=shop",
    "?name=nothing",
    "?page=2&itemsPerPage=1",
    "?page=900",
    "?after=forged",
    "?order[strange]=asc",
    "?itemsPerPage=many",
    "?strange=1",
]


async def answers(client: httpx.AsyncClient, path: str) -> list[tuple[Any, ...]]:
    found = []
    for media_type in (JSON_LD, JSON):
        fields = {"Accept": media_type, "Prefer": "handling=strict"}
        for headers in ({"Accept": media_type}, fields):
            answer = await client.get(path, headers=headers)
            told = {name: it for name, it in answer.headers.items() if name not in ("x-request-id", "date")}
            # A problem has the number of its request.
            own = ("@id", "instance") if answer.is_error else ()
            body = {key: value for key, value in answer.json().items() if key not in own}
            found.append((answer.status_code, told, body))
    return found


@pytest.mark.parametrize("query", QUERIES)
async def test_everybody_is_answered_as_by_two_statements(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    empty = await made(service.as_("owner"), "/api/organizations", name="Empty")
    absent = world.absent.replace("instances", "organizations")
    for organization in (world.acme, world.initech, world.deleted_organization, empty, absent):
        path = f"{organization}/instances{query}"
        for subject, scopes in CALLERS.items():
            client = service.as_(subject, *scopes)
            told = await answers(client, path)
            with monkeypatch.context() as patch:
                patch.setattr(lists, "PROVING", frozenset())
                expected = await answers(client, path)
            assert told == expected, (organization, subject)


async def test_a_member_is_told_by_one_statement(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for subject in ("owner", "member"):
        client = service.as_(subject)
        assert (await client.get("/api")).status_code == 200
        await client.get("/api/me")
        for query in ("", "?itemsPerPage=1&after=", "?name=shop"):
            with monkeypatch.context() as patch:
                asked = overhear(patch)
                answer = await client.get(f"{world.acme}/instances{query}")
            assert (answer.status_code, len(answer.json()["member"]) > 0) == (200, True)
            assert len(asked) == 1
