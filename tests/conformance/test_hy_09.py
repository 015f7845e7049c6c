"""HY-09 of the conformance list: every status that is declared for an operation comes, and no other.

Here each is provoked; that no other comes is looked at in every answer of every test (tests/promises.py).
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.conformance.fresh import organization_of
from tests.conformance.operations import Request, membership, request_of
from tests.promises import CONTRACT, DECLARED, OPERATIONS, status_name
from tests.service import BASE, Service, World, id_of, running
from tests.storage.rows import add_membership

pytestmark = pytest.mark.anyio

MINIMAL = {"Prefer": "return=minimal"}
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
Recipe = Callable[[Request, "Scene"], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Scene:
    """What a recipe may use beside the request that would succeed."""

    operation: str
    service: Service
    world: World

    async def ask(self, request: Request, **changes: Any) -> httpx.Response:
        return await replace(request, **changes).of(self.service)


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_hy_09_every_status_that_is_declared_comes(
    service: Service, world: World, operation: str
) -> None:
    scene, met = Scene(operation, service, world), {}
    for name in DECLARED[operation]:
        answer = await RECIPES[name](await request_of(operation, service, world), scene)
        met[name] = (status_name(operation, answer), answer.status_code)
    assert met == {name: (name, code) for name, code in DECLARED[operation].items()}


def with_fields(**fields: str) -> Recipe:
    named = {name.replace("_", "-"): value for name, value in fields.items()}

    async def sent(request: Request, scene: Scene) -> httpx.Response:
        return await scene.ask(request, headers=named)

    return sent


def with_octets(octets: bytes) -> Recipe:
    async def sent(request: Request, scene: Scene) -> httpx.Response:
        return await scene.ask(request, content=None, octets=octets)

    return sent


async def as_it_is(request: Request, scene: Scene) -> httpx.Response:
    return await scene.ask(request)


async def without_scope(request: Request, scene: Scene) -> httpx.Response:
    return await scene.ask(request, caller="token without scope")


# Who may see what the request is for but not do it, where that is not just any member of the organization.
FORBIDDEN: Mapping[str, str] = {
    "MemberCollection-list": "neighbour",
    "received_authorizations-list": "neighbour",
    "Authorization-accept": "owner",
}


async def without_role(request: Request, scene: Scene) -> httpx.Response:
    path = scene.world.acme if scene.operation == "Organization-delete" else request.path
    return await scene.ask(request, path=path, caller=FORBIDDEN.get(scene.operation, "member"))


async def of_what_never_was(request: Request, scene: Scene) -> httpx.Response:
    *_, last = ID.findall(request.path) or [request.path.rpartition("/")[2]]
    absent = id_of(scene.world.absent) if ID.fullmatch(last) else "nobodys"
    return await scene.ask(request, path=request.path.replace(last, absent))


async def of_what_was_deleted(request: Request, scene: Scene) -> httpx.Response:
    """The item, or what the list is of."""
    world = scene.world
    for living, deleted in (
        (r".*/members/[^/]+", world.removed_member),
        (r".*/authorizations/[^/]+", world.revoked),
        (r".*/instances/[^/]+", world.deleted_shop),
        (r".*/organizations/[^/]+", world.deleted_organization),
        (r".*/handles/[^/]+", "/api/handles/acme-old"),
    ):
        found = re.match(living, request.path)
        if found:
            return await scene.ask(request, path=deleted + request.path[found.end() :], caller="owner")
    return await scene.ask(request)


async def with_an_unknown_parameter(request: Request, scene: Scene) -> httpx.Response:
    return await scene.ask(request, path=f"{request.path}?zzz=1", headers={"Prefer": "handling=strict"})


async def with_too_much(request: Request, scene: Scene) -> httpx.Response:
    most = scene.service.settings.max_content_length
    return await scene.ask(request, content=None, octets=b" " * (most + 1))


async def without_a_condition(request: Request, scene: Scene) -> httpx.Response:
    settings = scene.service.settings
    async with running(settings.database_url, settings.data_dir, require_if_match=True) as strict:
        return await request.of(strict)


async def without_a_database(request: Request, scene: Scene) -> httpx.Response:
    settings = scene.service.settings
    async with running(settings.database_url, settings.data_dir) as broken:
        await broken.app.default.pipeline._database.close()  # type: ignore[attr-defined]  # it is an Endpoint
        return await request.of(broken)


async def twice_at_once(request: Request, scene: Scene) -> httpx.Response:
    """While somebody else keeps the database, so that the first is not done when the second comes."""
    keyed = replace(request, headers={"Idempotency-Key": f'"{scene.operation}"'})
    file = scene.service.settings.database_url.removeprefix("sqlite://")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        both = [asyncio.create_task(keyed.of(scene.service)) for _ in range(2)]
        done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        other.execute("ROLLBACK")
    [second], [first] = done, waiting
    assert (await first).is_success
    return await second


async def with_the_handle_of_another(request: Request, scene: Scene) -> httpx.Response:
    return await scene.ask(request, content={"name": "New", "handle": "globex"})


async def of_what_is_not_empty(request: Request, scene: Scene) -> httpx.Response:
    return await scene.ask(request, path=scene.world.acme)


async def of_the_last_owner(request: Request, scene: Scene) -> httpx.Response:
    organization = await organization_of(scene.service)
    [owner] = (await scene.service.as_("owner").get(organization)).json()["owners"]
    content = {"role": "member"} if request.content else None
    return await scene.ask(request, path=owner["@id"].removeprefix(BASE), content=content)


async def for_a_member(request: Request, scene: Scene) -> httpx.Response:
    member = await membership(scene.service, scene.world.acme)
    email = (await scene.service.as_("owner").get(member)).json()["email"]
    return await scene.ask(request, content={"email": email, "role": "member"})


async def where_there_is_no_room(request: Request, scene: Scene) -> httpx.Response:
    organization = await organization_of(scene.service)
    most = CONTRACT.classes["MemberCollection"].most or 0
    database = Database(scene.service.settings.database_url)
    await database.open()
    async with database.transaction() as session:
        for number in range(most - 1):
            waiting = {"email": f"{number}@x", "email_key": f"{number}@x"}
            await add_membership(session, id_of(organization), **waiting)
    await database.close()
    return await scene.ask(request, path=f"{organization}/members")


async def for_the_second_time(request: Request, scene: Scene) -> httpx.Response:
    assert (await scene.ask(request)).is_success
    return await scene.ask(request)


RECIPES: Mapping[str, Recipe] = {
    "ok": as_it_is,
    "created": as_it_is,
    "no-content": with_fields(**MINIMAL),
    "see-other": as_it_is,
    "not-modified": with_fields(If_None_Match="*"),
    "not-authenticated": with_fields(Authorization="Bearer rubbish"),
    "forbidden": without_role,
    "insufficient-scope": without_scope,
    "not-found": of_what_never_was,
    "gone": of_what_was_deleted,
    "not-acceptable": with_fields(Accept="image/png"),
    "precondition-failed": with_fields(If_Match='"0.0"'),
    "precondition-required": without_a_condition,
    "unsupported-media-type": with_fields(Content_Type="text/plain"),
    "content-too-large": with_too_much,
    "malformed-content": with_octets(b"{"),
    "invalid-content": with_octets(b"[]"),
    "invalid-parameter": with_an_unknown_parameter,
    "unavailable": without_a_database,
    "conflict": twice_at_once,
    "handle-taken": with_the_handle_of_another,
    "organization-not-empty": of_what_is_not_empty,
    "last-owner": of_the_last_owner,
    "already-member": for_a_member,
    "too-many-members": where_there_is_no_room,
    "already-authorized": for_the_second_time,
}
