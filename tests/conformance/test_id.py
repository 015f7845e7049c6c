"""Section 17 of the conformance list: a POST that is sent again with its Idempotency-Key is done once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.commands import run, served
from tests.service import JSON, PATCH, Service, World, id_of, made, offered, running
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

KEYS = (f'"key {number}"' for number in count(1))
HANDLES = (f"once-{'ab'[number % 2] * (number // 2 + 1)}" for number in count())
# What is said of one exchange alone.
OF_THE_EXCHANGE = {"x-request-id", "idempotency-replayed"}


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def sent(
    client: httpx.AsyncClient, path: str, key: str, content: object, **fields: str
) -> httpx.Response:
    return await client.post(path, json=content, headers={"Idempotency-Key": key} | fields)


async def total(client: httpx.AsyncClient, path: str) -> int:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["totalItems"])


def replayed(answer: httpx.Response) -> bool:
    return bool(answer.headers.get("Idempotency-Replayed") == "true")


def fields(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(name, value) for name, value in answer.headers.multi_items() if name not in OF_THE_EXCHANGE]


# What can be posted: the path, the content, and the list of activities that tells of it.
Post = tuple[str, dict[str, str], str]
Making = Callable[[Service, World], Awaitable[Post]]


async def an_organization(_service: Service, _world: World) -> Post:
    return "/api/organizations", {"name": "Once"}, "/api/activities"


async def a_nested_instance(_service: Service, world: World) -> Post:
    content = {"name": "Once", "handle": next(HANDLES)}
    return f"{world.acme}/instances", content, f"{world.acme}/activities"


async def an_instance(service: Service, world: World) -> Post:
    _, content, activities = await a_nested_instance(service, world)
    return "/api/instances", content | {"organization_id": world.acme_id}, activities


async def a_member(_service: Service, world: World) -> Post:
    content = {"email": f"{next(HANDLES)}@acme.example", "role": "member"}
    return f"{world.acme}/members", content, f"{world.acme}/activities"


async def an_authorization(service: Service, world: World) -> Post:
    path, content, activities = await a_nested_instance(service, world)
    instance = await made(service.as_("owner"), path, **content)
    return f"{instance}/authorizations", {"organization_id": id_of(world.initech)}, activities


async def a_transfer(service: Service, world: World) -> Post:
    """After which the instance is no longer the caller's to see."""
    path, content, activities = await a_nested_instance(service, world)
    instance = await made(service.as_("owner"), path, **content)
    await offered(service, instance, world.initech, accept=True)
    return f"{instance}/transfer", {"organization_id": id_of(world.initech)}, activities


@pytest.mark.parametrize(
    ("making", "wish"),
    [
        pytest.param(an_organization, {}, id="ID-01 an organization"),
        pytest.param(an_organization, {"Prefer": "return=minimal"}, id="ID-01 without content"),
        pytest.param(a_nested_instance, {}, id="ID-01 an instance of an organization"),
        pytest.param(an_instance, {"Accept": JSON}, id="ID-01 an instance, in plain JSON"),
        pytest.param(a_member, {}, id="ID-01 a member"),
        pytest.param(an_authorization, {}, id="ID-01 an authorization"),
        pytest.param(a_transfer, {}, id="ID-01 a transfer"),
        pytest.param(a_transfer, {"Prefer": "return=minimal"}, id="ID-01 a transfer without content"),
    ],
)
async def test_a_post_that_is_sent_again_is_answered_to_the_letter_and_done_once(
    service: Service, world: World, making: Making, wish: dict[str, str]
) -> None:
    owner, auditor, key = service.as_("owner"), service.as_("auditor", "registry:read-all"), next(KEYS)
    path, content, activities = await making(service, world)
    before = await total(auditor, activities)
    first = await sent(owner, path, key, content, **wish)
    assert first.status_code in (200, 201, 204)
    again = [await sent(owner, path, key, content, **wish) for _ in range(2)]
    for answer in again:
        assert (answer.status_code, fields(answer), answer.content) == (
            first.status_code,
            fields(first),
            first.content,
        )
        assert replayed(answer)
    assert not replayed(first)
    assert len({answer.headers["X-Request-Id"] for answer in (first, *again)}) == 3
    assert await total(auditor, activities) == before + 1


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"json": {"name": "Twice"}}, id="ID-02 other content"),
        pytest.param({"content": b'{"name": "Once" }'}, id="ID-02 other octets"),
        pytest.param({"headers": {"Accept": JSON}}, id="ID-02 another media type"),
        pytest.param({"headers": {"Prefer": "return=minimal"}}, id="ID-02 without content"),
        pytest.param({"params": {"a": "b"}}, id="ID-02 another query"),
    ],
)
async def test_the_key_of_another_request_is_refused(service: Service, change: dict[str, Any]) -> None:
    client, key = service.as_("refused"), next(KEYS)
    usual: dict[str, Any] = {"content": b'{"name":"Once"}', "headers": {}}
    same = {"Idempotency-Key": key, "Content-Type": JSON}
    first = await client.post("/api/organizations", content=usual["content"], headers=same)
    assert first.status_code == 201
    before = await total(client, "/api/organizations")
    asked = ({} if "json" in change else usual) | change
    asked["headers"] = same | asked.get("headers", {})
    problem = check_problem(await client.post("/api/organizations", **asked), "invalid-content")
    assert "Idempotency-Key" in str(problem["detail"])
    assert await total(client, "/api/organizations") == before


async def test_id_03_while_the_first_is_being_answered_others_are_told_to_come_again(
    service: Service, world: World
) -> None:
    owner, key = service.as_("owner"), next(KEYS)
    path, content, _ = await a_nested_instance(service, world)
    database = Database(service.settings.database_url)
    await database.open()
    try:
        async with database.transaction() as session:
            await session.lock_organizations("id = $1", [world.acme_id])
            first = asyncio.create_task(sent(owner, path, key, content))
            await asyncio.sleep(0.2)
            second = await sent(owner, path, key, content)
            problem = check_problem(second, "conflict")
            assert "being answered" in str(problem["detail"])
            assert second.headers["Retry-After"] == "1"
    finally:
        await database.close()
    assert (await first).status_code == 201
    assert replayed(await sent(owner, path, key, content))


async def test_id_04_no_post_needs_a_key(service: Service) -> None:
    """So that none can be missing."""
    client = service.as_("keyless")
    for _ in range(2):
        answer = await client.post("/api/organizations", json={"name": "Once"})
        assert answer.status_code == 201
        assert not replayed(answer)
    assert await total(client, "/api/organizations") == 2


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        pytest.param([b'"k1"'], 201, id="ID-05 a String"),
        pytest.param([b"k1"], 201, id="ID-05 bare, as Stripe's clients send it"),
        pytest.param([b'"' + b"k" * 255 + b'"'], 201, id="ID-05 255 characters"),
        pytest.param([b'""'], 400, id="ID-05 empty"),
        pytest.param([b'"' + b"k" * 256 + b'"'], 400, id="ID-05 256 characters"),
        pytest.param(['"é"'.encode()], 400, id="ID-05 not ASCII"),
        pytest.param(['"é"'.encode("latin-1")], 400, id="ID-05 ISO 8859-1"),
        pytest.param([b'"k1"', b'"k2"'], 400, id="ID-05 two lines"),
    ],
)
async def test_a_key_is_one_string(service: Service, lines: list[bytes], status: int) -> None:
    head = [(b"Content-Type", b"application/json"), *((b"Idempotency-Key", line) for line in lines)]
    client = service.as_("exact")
    answer = await client.post("/api/organizations", content=b'{"name":"Once"}', headers=head)
    assert answer.status_code == status
    if status == 400:
        assert "Idempotency-Key" in str(check_problem(answer, "invalid-parameter")["detail"])


async def test_id_05_the_same_characters_are_the_same_key_with_and_without_quotes(service: Service) -> None:
    client, content = service.as_("quoting"), {"name": "Once"}
    assert not replayed(await sent(client, "/api/organizations", "k1", content))
    assert replayed(await sent(client, "/api/organizations", '"k1"', content))


async def test_id_06_after_a_day_which_is_published_a_key_is_new(service: Service) -> None:
    client, key = service.as_("patient"), next(KEYS)
    documentation = (await client.get("/api/docs")).json()
    assert "Idempotency-Key" in documentation["description"]
    assert "24 hours" in documentation["description"]
    first = await sent(client, "/api/organizations", key, {"name": "Once"})
    database = Database(service.settings.database_url)
    await database.open()
    shift = {
        "sqlite": "strftime('%Y-%m-%d %H:%M:%f', created_at, '-24 hours') || '000+00:00'",
        "postgres": "created_at - interval '24 hours'",
    }
    try:
        async with database.transaction() as session:
            await session.rows(
                f"""UPDATE remembered_answer SET created_at = {shift[session.dialect]}
                    WHERE idempotency_key = $1""",
                [key.strip('"')],
            )
    finally:
        await database.close()
    later = await sent(client, "/api/organizations", key, {"name": "Another"})
    assert (later.status_code, replayed(later)) == (201, False)
    assert later.headers["Location"] != first.headers["Location"]
    assert replayed(await sent(client, "/api/organizations", key, {"name": "Another"}))


async def test_id_07_a_key_is_the_callers_and_the_paths_own(service: Service, world: World) -> None:
    owner, other, key = service.as_("owner"), service.as_("other"), next(KEYS)
    content = {"name": "Once"}
    mine, theirs = [await sent(it, "/api/organizations", key, content) for it in (owner, other)]
    assert (theirs.status_code, replayed(theirs)) == (201, False)
    assert theirs.headers["Location"] != mine.headers["Location"]
    elsewhere = await sent(owner, f"{world.acme}/instances", key, content | {"handle": next(HANDLES)})
    assert (elsewhere.status_code, replayed(elsewhere)) == (201, False)
    # Another token of the same partner is the same caller.
    service.clients.clear()
    assert replayed(await sent(service.as_("owner"), "/api/organizations", key, content))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param({"name": ""}, 422, id="ID-08 invalid content"),
        pytest.param({"name": "Once", "handle": "acme-shop"}, 409, id="ID-08 a handle that is taken"),
    ],
)
async def test_what_was_refused_leaves_the_key_to_the_corrected_request(
    service: Service, world: World, content: dict[str, str], status: int
) -> None:
    owner, key, path = service.as_("owner"), next(KEYS), f"{world.acme}/instances"
    assert (await sent(owner, path, key, content)).status_code == status
    corrected = await sent(owner, path, key, {"name": "Once", "handle": next(HANDLES)})
    assert (corrected.status_code, replayed(corrected)) == (201, False)


def test_id_09_a_process_that_is_killed_leaves_both_the_key_and_the_resource_or_neither(
    folder: Path,
) -> None:
    token = run(folder, "token", "--sub", "owner", "--email", "owner@acme.example").stdout.strip()
    keys = [f"{number}" for number in range(40)]

    async def send(base: str, when: Callable[[int], None]) -> Counter[int]:
        statuses: Counter[int] = Counter()
        headers = {"Authorization": f"Bearer {token}"}
        # Most are not sent before some are answered: a process that is killed then has not answered all.
        few = httpx.Limits(max_connections=8)
        async with httpx.AsyncClient(
            base_url=base, headers=headers, trust_env=False, timeout=30, limits=few
        ) as client:

            async def one(key: str) -> None:
                try:
                    answer = await sent(client, "/api/organizations", key, {"name": key})
                except httpx.TransportError:
                    statuses[0] += 1
                else:
                    statuses[answer.status_code] += 1
                    when(statuses[201])

            await asyncio.gather(*map(one, keys))
            if not statuses[0]:
                names = (await client.get("/api/organizations?itemsPerPage=100")).json()["member"]
                assert sorted(it["name"] for it in names) == sorted(keys)
        return statuses

    def kill(answered: int) -> None:
        if answered == len(keys) // 4:
            os.kill(server.process_id, signal.SIGKILL)

    with served(folder) as server:
        statuses = asyncio.run(send(server.base, kill))
    assert statuses[0] > 0
    with served(folder) as server:
        assert asyncio.run(send(server.base, lambda _: None)) == {201: len(keys)}


@pytest.fixture
async def two(database_url: str, tmp_path: Path) -> Any:
    """Two services on one database, as two processes are."""
    async with running(database_url, tmp_path) as first, running(database_url, tmp_path) as second:
        yield first, second


async def test_id_10_of_64_at_once_one_makes_something_and_the_others_are_told_of_it(
    two: tuple[Service, Service],
) -> None:
    clients = [service.as_("owner") for service in two]
    for client in clients:
        assert (await client.get("/api/me")).status_code == 303
    sending = [sent(clients[n % 2], "/api/organizations", "k1", {"name": "Once"}) for n in range(64)]
    answers = await asyncio.gather(*sending)
    statuses = Counter((answer.status_code, replayed(answer)) for answer in answers)
    assert statuses[201, False] == 1
    assert set(statuses) <= {(201, False), (201, True), (409, False)}
    assert len({answer.headers["Location"] for answer in answers if answer.status_code == 201}) == 1
    assert await total(clients[0], "/api/organizations") == 1


@pytest.mark.parametrize(
    ("method", "content"),
    [
        pytest.param("GET", None, id="ID-11 GET"),
        pytest.param("HEAD", None, id="ID-11 HEAD"),
        pytest.param("OPTIONS", None, id="ID-11 OPTIONS"),
        pytest.param("PATCH", {"name": "Renamed"}, id="ID-11 PATCH"),
        pytest.param("PUT", {"name": "Renamed"}, id="ID-11 PUT"),
        pytest.param("DELETE", None, id="ID-11 DELETE"),
    ],
)
async def test_on_other_methods_the_key_says_nothing(service: Service, method: str, content: object) -> None:
    owner = service.as_("owner")
    path = await made(owner, "/api/organizations", name="Once")
    head = {"Idempotency-Key": "", "Content-Type": PATCH if method == "PATCH" else JSON}
    statuses = []
    for _ in range(2):
        answer = await owner.request(method, path, json=content, headers=head)
        assert "Idempotency-Replayed" not in answer.headers
        statuses.append(answer.status_code)
    assert statuses == (
        [204, 410] if method == "DELETE" else [204, 204] if method == "OPTIONS" else [200, 200]
    )
