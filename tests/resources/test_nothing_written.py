"""On SQLite a question is answered as before where nothing was written since; what was, counts at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.caller import ANONYMOUS, READ, READ_ALL, WRITE
from app.storage.acts import Act, new_id, now
from app.storage.erasure import forget
from app.storage.sqlite import Client
from tests.conformance.fresh import patched
from tests.service import JSON, JSON_LD, TURTLE, Service, World, id_of, made, running
from tests.statements import traced
from tests.storage.opening import opened

DATABASES = ["sqlite"]
pytestmark = pytest.mark.anyio

MOMENT = "PRAGMA data_version"
# So often until it is kept, and once more until it is known that it is as it was.
OFTEN = 4
ASKING = [
    ("owner", WRITE),
    ("owner", READ),
    ("member", WRITE),
    ("neighbour", WRITE),
    ("auditor", READ_ALL),
]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return traced(monkeypatch)


Shown = tuple[int, Mapping[str, str], bytes]


def addresses(world: World) -> list[str]:
    items = [world.acme, world.initech, world.shop, world.nested_shop, world.lab, world.member, world.pending]
    lists = ["/api/organizations", "/api/instances", f"{world.acme}/instances", f"{world.acme}/members"]
    lists += [f"{world.acme}/activities", f"{world.shop}/authorizations", f"{world.partner}/memberships"]
    lists += [f"{world.acme}/authorizations", f"{world.lab}/transfer", "/api/activities"]
    pages = [
        "/api/instances?itemsPerPage=1",
        "/api/instances?name=o&order[name]=asc",
        "/api/instances?page=1",
    ]
    return [*items, world.activity, world.partner, *lists, *pages]


def shown(answer: httpx.Response) -> Shown:
    """All but what tells of the request alone."""
    fields = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, fields, answer.content


Seen = Mapping[tuple[str, str, str], Shown]


async def read(service: Service, world: World, known: Seen | None = None) -> Seen:
    """By who asks, with which scope, and the address; of what is refused that it is. Who has `known` some of
    it asks whether it is as it was."""
    found = {}
    for subject, scope in ASKING:
        for path in addresses(world):
            tag = known[subject, scope, path][1].get("etag") if known else None
            fields = {"If-None-Match": tag} if tag else {}
            answer = await service.as_(subject, scope).get(path, headers=fields)
            refused: Shown = (answer.status_code, {}, b"")
            found[subject, scope, path] = shown(answer) if answer.status_code < 400 else refused
    return found


async def test_what_is_asked_again_while_nothing_is_written_asks_for_no_row(
    database_url: str, world: World, tmp_path: Path, statements: list[str]
) -> None:
    """An item, with its members too, a page by cursor, a search: whole and not modified, in each form."""
    async with running(database_url, tmp_path) as service:
        owner = service.as_("owner")
        cursor = (await owner.get("/api/instances?itemsPerPage=1")).json()["view"]["next"]
        for path in (*addresses(world), "/api/instances?handle=acme", cursor):
            for form in (JSON_LD, JSON, TURTLE):
                fields = {"Accept": form}
                first, *_ = [await owner.get(path, headers=fields) for _ in range(OFTEN)]
                known = fields | {"If-None-Match": first.headers["ETag"]}
                unmodified, *_ = [await owner.get(path, headers=known) for _ in range(OFTEN)]
                statements.clear()
                assert shown(await owner.get(path, headers=fields)) == shown(first)
                assert shown(await owner.head(path, headers=fields)) == (200, shown(first)[1], b"")
                assert shown(await owner.get(path, headers=known)) == shown(unmodified)
                assert unmodified.status_code == 304
                assert statements == [MOMENT] * 3, path


async def test_whatever_is_written_by_whomever_counts_at_once(
    database_url: str, world: World, tmp_path: Path
) -> None:
    """Who has asked all the time is told what a process tells that has just begun: after changes by the same
    process, by another one, and by a statement of somebody else."""

    async def by_hand(sql: str, *values: str) -> None:
        with closing(sqlite3.connect(database_url.removeprefix("sqlite://"))) as connection:
            connection.execute(sql, values)
            connection.commit()

    async with running(database_url, tmp_path) as service, running(database_url, tmp_path) as other:
        owner, elsewhere = service.as_("owner"), other.as_("owner")
        neighbour = other.as_("neighbour")

        async def made_and_given_away() -> None:
            lab = {"organization_id": id_of(world.initech)}
            answer = await elsewhere.post(f"{world.lab}/transfer", json=lab)
            assert answer.status_code < 300, answer.text

        async def forgotten() -> None:
            me = (await owner.get("/api/me")).headers["Location"]
            async with opened(database_url) as database:
                assert await forget(database, Act(ANONYMOUS, new_id(), now()), id_of(me))

        async def come_for_the_first_time() -> None:
            assert (await other.as_("helper").get("/api/me")).status_code == 303

        writes: list[Callable[[], Awaitable[object]]] = [
            lambda: patched(owner, world.shop, {"name": "By the same"}),
            lambda: patched(elsewhere, world.acme, {"name": "By another"}),
            lambda: by_hand("UPDATE instance SET name = 'By hand' WHERE id = ?", id_of(world.shop)),
            lambda: made(elsewhere, f"{world.acme}/instances", name="New", handle="quite-new"),
            lambda: made(owner, f"{world.acme}/members", email="helper@acme.example", role="owner"),
            lambda: patched(elsewhere, world.member, {"role": "owner"}),
            come_for_the_first_time,
            lambda: patched(neighbour, world.pending, {"status": "accepted"}),
            lambda: elsewhere.delete(world.accepted),
            made_and_given_away,
            lambda: by_hand("UPDATE membership SET role = 'member' WHERE id = ?", id_of(world.member)),
            lambda: elsewhere.delete(world.shop),
            forgotten,
            lambda: elsewhere.delete(world.member),
            lambda: neighbour.delete(world.lab),
            lambda: neighbour.delete(world.initech),
        ]
        told = []
        for write in writes:
            for _ in range(OFTEN // 2):
                before = await read(service, world)
                assert before == await read(service, world)
                await read(service, world, before)
            answer = await write()
            assert not isinstance(answer, httpx.Response) or answer.status_code < 300, answer.text
            after, asked = await read(service, world), await read(service, world, before)
            async with running(database_url, tmp_path) as fresh:
                assert after == await read(fresh, world)
                assert asked == await read(fresh, world, before)
            told.append(after != before)
        assert all(told)


async def test_while_no_moment_is_told_everything_is_looked_at(
    database_url: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "moment", lambda _client: None)
    async with running(database_url, tmp_path) as service:
        owner = service.as_("owner")
        for name in ("One", "Two"):
            assert (await patched(owner, world.shop, {"name": name})).status_code == 200
            assert {(await owner.get(world.shop)).json()["name"] for _ in range(2 * OFTEN)} == {name}


async def test_what_one_is_answered_is_no_answer_to_anybody_else(
    database_url: str, world: World, tmp_path: Path
) -> None:
    """Nor to who asks with a token for less, or for another form, coding or preference."""
    async with running(database_url, tmp_path) as service, running(database_url, tmp_path) as fresh:
        asked = [
            (subject, scope, {"Accept": form, "Accept-Encoding": coding, "Prefer": preference})
            for subject, scope in (*ASKING, ("stranger", WRITE))
            for form in (JSON_LD, TURTLE)
            for coding in ("identity", "gzip")
            for preference in ("handling=lenient", "handling=strict")
        ]
        for path in (world.shop, f"{world.acme}/instances?x=1", world.acme):
            for _ in range(OFTEN):
                answers = [await service.as_(*it[:2]).get(path, headers=it[2]) for it in asked]
            for (subject, scope, fields), answer in zip(asked, answers, strict=True):
                first = await fresh.as_(subject, scope).get(path, headers=fields)
                assert answer.status_code == first.status_code
                if first.status_code < 400:
                    assert shown(answer) == shown(first)


@pytest.mark.parametrize("path", ["item", "members", "list", "search"])
async def test_what_is_committed_while_an_answer_is_looked_for_counts_for_the_next_one(
    database_url: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Behind the rows, and before it is found that they are as they were: when they were is asked before."""
    addresses = {
        "item": world.shop,
        "members": world.acme,
        "list": f"{world.acme}/instances",
        "search": "/api/instances?name=shop",
    }
    number, waiting = count(), list[str]()

    def commit(sql: str) -> None:
        with closing(sqlite3.connect(database_url.removeprefix("sqlite://"), isolation_level=None)) as other:
            other.execute(sql)

    def committing(read: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def committed(*arguments: Any) -> Any:
            rows = await read(*arguments)
            while waiting:
                commit(waiting.pop())
            return rows

        return committed

    for name in ("read", "point", "soon"):
        monkeypatch.setattr(Client, name, committing(getattr(Client, name)))
    async with running(database_url, tmp_path) as service:
        owner = service.as_("owner")

        async def told() -> str:
            answer = await owner.get(addresses[path])
            assert answer.status_code == 200
            return answer.text

        for _ in range(5):
            for _ in range(OFTEN):
                await told()
            # What it shows stays as it is, but not the moment: it is compared.
            commit(f"INSERT INTO secret (name, value) VALUES ('{next(number)}', '')")
            new = f"Name {next(number)}"
            waiting += [f"UPDATE {table} SET name = '{new}'" for table in ("instance", "organization")]
            await told()
            assert not waiting
            assert new in await told()
