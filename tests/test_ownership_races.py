"""Acts at once, by two servers on one database: what comes of them is what comes of one after the other.

Never is an answer a 5xx, not even one that asks to try again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from app.storage.attempts import Attempt
from app.storage.database import Database
from app.storage.session import Session
from app.storage.statements import Rows
from app.storage.tables import TABLES
from tests.races import PAIRS, RACES, Act, Place
from tests.service import Service, running
from tests.storage.opening import opened

pytestmark = pytest.mark.anyio

ROUNDS = 5
# A transaction takes fewer locks than that.
MOST_LOCKS = 6

# On either database, and beside whatever is written with it.
WRITES_ACTIVITY = re.compile(r'INSERT INTO "?activity"? \(')

# What must never be found: a sentence, and the rows that it does not hold for.
FAULTS = {
    "an instance belongs to an organization that is there": """SELECT i.id FROM instance i
        JOIN organization o ON o.id = i.organization_id
        WHERE i.deleted_at IS NULL AND o.deleted_at IS NOT NULL""",
    "an organization has an owner who has come": """SELECT o.id FROM organization o
        WHERE o.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM membership m
            WHERE m.organization_id = o.id AND m.role = 'owner' AND m.partner_id IS NOT NULL)""",
    "whoever offered an instance owns it": """SELECT a.id FROM instance_authorization a
        JOIN instance i ON i.id = a.instance_id WHERE a.owner_organization_id <> i.organization_id""",
    "whoever is authorized for an instance is there": """SELECT a.id FROM instance_authorization a
        JOIN instance i ON i.id = a.instance_id JOIN organization o ON o.id = a.organization_id
        WHERE i.deleted_at IS NULL AND o.deleted_at IS NOT NULL""",
    "what is buried is gone": """SELECT t.id FROM tombstone t WHERE t.id IN (SELECT id FROM membership)
        OR t.id IN (SELECT id FROM instance_authorization)""",
    "nobody waits for who has come": """SELECT m.id FROM membership m
        JOIN partner p ON p.email_key = m.email_key""",
    "an activity concerns an organization": """SELECT act.id FROM activity act
        WHERE act.sequence NOT IN (SELECT about.activity_id FROM activity_organization about)""",
}


async def check_sound(database: Database) -> None:
    for sentence, sql in FAULTS.items():
        assert await database.reading().rows(sql) == [], sentence


class Stop:
    """A point at which a task waits until it may go on: the first, or that after `passed` others."""

    def __init__(self, passed: int = 0) -> None:
        self.task: asyncio.Task[int] | None = None
        self.passed = passed
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    async def pass_by(self) -> None:
        if asyncio.current_task() is self.task and not self.reached.is_set():
            if self.passed == 0:
                self.reached.set()
                await self.released.wait()
            self.passed -= 1


@contextmanager
def before_commit(*stops: Stop) -> Iterator[None]:
    """All is written but the activity, and what is written with it; all locks are held but that of the
    activities' sequence."""
    brief = Session.brief

    async def stopped(session: Session, sql: str, values: Sequence[Any] = ()) -> Rows:
        for stop in stops if WRITES_ACTIVITY.search(sql) else ():
            await stop.pass_by()
        return await brief(session, sql, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "brief", stopped)
        yield


@contextmanager
def before_a_lock(*stops: Stop) -> Iterator[None]:
    """What the act is about was found, but may be changed by others as yet."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((Session, "lock_organizations"), (Session, "lock_email"), (Attempt, "write")):
            lock = getattr(owner, name)

            async def locked(session: Session, *values: Any, lock: Callable[..., Any] = lock) -> Any:
                for stop in stops:
                    await stop.pass_by()
                return await lock(session, *values)

            patch.setattr(owner, name, locked)
        yield


@contextmanager
def in_transactions(*stops: Stop) -> Iterator[None]:
    """What could be done without one, too, as behind a pooler; with stops, what these stop."""
    attempt = Database.attempt

    def begun(database: Database) -> Attempt | None:
        stopped = not stops or asyncio.current_task() in [stop.task for stop in stops]
        return None if stopped else attempt(database)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "attempt", begun)
        yield


@contextmanager
def noted_transactions() -> Iterator[set[asyncio.Task[Any] | None]]:
    """The tasks that have asked for a transaction."""
    asked: set[asyncio.Task[Any] | None] = set()
    transaction = Database.transaction

    def noted(database: Database, *, single: bool = False) -> Any:
        asked.add(asyncio.current_task())
        return transaction(database, single=single)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "transaction", noted)
        yield asked


@pytest.fixture(scope="module")
async def servers(
    standing_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, Service]]:
    keys = tmp_path_factory.mktemp("keys")
    async with running(standing_url, keys) as first, running(standing_url, keys) as second:
        yield first, second


@pytest.fixture(scope="module")
async def witness(standing_url: str) -> AsyncIterator[Database]:
    async with opened(standing_url) as database:
        yield database


async def populated(servers: tuple[Service, Service], witness: Database) -> Place:
    place = Place(servers, witness)
    await place.populate()
    return place


async def done_or_waiting(
    task: asyncio.Task[int], asked: set[asyncio.Task[Any] | None], witness: Database
) -> None:
    """Until the task is done or waits for what another holds: on SQLite, as all do who ask to write."""
    while not task.done():
        if witness.dialect == "sqlite" and task in asked:
            return
        if witness.dialect == "postgres" and await witness.reading().rows(
            """SELECT pid FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        ):
            return
        await asyncio.sleep(0)


async def overtaken(place: Place, first: Act, second: Act, stop: Stop) -> tuple[int, int, bool]:
    """The statuses of an act that is stopped and of one that comes then; whether that was done before."""
    with noted_transactions() as asked:
        stop.task = asyncio.create_task(place.ask(first, 0))
        try:
            async with asyncio.timeout(30):
                reached = asyncio.create_task(stop.reached.wait())
                await asyncio.wait([stop.task, reached], return_when=asyncio.FIRST_COMPLETED)
                reached.cancel()
                other = asyncio.create_task(place.ask(second, 1))
                await done_or_waiting(other, asked, place.database)
                overtook = other.done() and not stop.task.done()
                stop.released.set()
                return await stop.task, await other, overtook
        finally:
            stop.released.set()


@pytest.mark.parametrize("race", PAIRS)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned round"])
async def test_what_waits_for_another_act_finds_what_that_has_done(
    servers: tuple[Service, Service], witness: Database, race: str, turned: bool
) -> None:
    stop = Stop()
    with in_transactions(stop):
        await check_one_after_the_other(await populated(servers, witness), race, stop, turned=turned)


@pytest.mark.parametrize("standing_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("race", PAIRS)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned round"])
async def test_who_waits_in_a_transaction_finds_it_too(
    servers: tuple[Service, Service], witness: Database, race: str, turned: bool
) -> None:
    with in_transactions():
        await check_one_after_the_other(await populated(servers, witness), race, Stop(), turned=turned)


async def check_one_after_the_other(place: Place, race: str, stop: Stop, *, turned: bool) -> None:
    acts = PAIRS[race](place)
    first, second = reversed(acts) if turned else acts
    with before_commit(stop):
        *statuses, overtook = await overtaken(place, first, second, stop)
    order = [second, first] if overtook else [first, second]
    found = await place.outcome(statuses)
    assert found == place.expected([first, second], order)
    await check_sound(place.database)


@pytest.mark.parametrize("standing_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("race", PAIRS)
@pytest.mark.parametrize("turned", [False, True], ids=["", "turned round"])
async def test_what_an_act_is_about_may_change_until_it_is_locked(
    servers: tuple[Service, Service], witness: Database, race: str, turned: bool
) -> None:
    """Stopped before its first lock, its second, and so on; SQLite has one, before anything is found."""
    for passed in range(MOST_LOCKS):
        place, stop = await populated(servers, witness), Stop(passed)
        acts = PAIRS[race](place)
        first, second = reversed(acts) if turned else acts
        with before_a_lock(stop):
            *statuses, overtook = await overtaken(place, first, second, stop)
        orders = [[second, first]] if overtook else [[first, second], [second, first]]
        found = await place.outcome(statuses)
        assert found in [place.expected([first, second], order) for order in orders], passed
        await check_sound(witness)
        if not stop.reached.is_set():
            break


@pytest.mark.parametrize("race", RACES)
async def test_acts_at_once_come_to_what_they_come_to_one_after_the_other(
    servers: tuple[Service, Service], witness: Database, race: str
) -> None:
    for turn in range(ROUNDS):
        place = await populated(servers, witness)
        acts = RACES[race](place)
        orders = list(permutations(acts))
        started = orders[turn % len(orders)]
        statuses = await asyncio.gather(
            *(place.ask(act, (number + turn) % 2) for number, act in enumerate(started))
        )
        found = await place.outcome(statuses)
        assert found in [place.expected(started, order) for order in orders], turn
    await check_sound(witness)


@pytest.mark.parametrize("standing_url", ["postgres"], indirect=True)
async def test_who_waits_for_an_organization_keeps_none_that_others_wait_for(
    servers: tuple[Service, Service], witness: Database
) -> None:
    """A rename that has waited for the old owner has to lock the new one, whom a transfer back has locked."""
    place = await populated(servers, witness)
    assert await place.ask(place.add("cat", "globex", "ann", "owner"), 0) == 201
    away, again = Stop(), Stop(passed=1)
    with noted_transactions() as asked, in_transactions(), before_commit(away), before_a_lock(again):
        transfer = away.task = asyncio.create_task(place.ask(place.transfer("cat", "site", "acme"), 1))
        try:
            async with asyncio.timeout(30):
                await away.reached.wait()
                rename = again.task = asyncio.create_task(place.ask(place.rename("ann", "site"), 0))
                await done_or_waiting(rename, asked, witness)
                assert not rename.done()
                away.released.set()
                assert await transfer == 200
                await again.reached.wait()
                # Were the old owner still locked, this would wait for it, and the rename for this.
                back = asyncio.create_task(place.ask(place.transfer("ada", "shop", "globex"), 1))
                await done_or_waiting(back, asked, witness)
                assert back.done()
                again.released.set()
                assert (await rename, await back) == (200, 200)
        finally:
            away.released.set()
            again.released.set()


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned round"])
async def test_a_partner_whose_address_changes_is_added_by_the_old_one(
    servers: tuple[Service, Service], witness: Database, turned: bool
) -> None:
    """It waits in the organization by the new address: it becomes a member there once, by either."""
    place, stop = await populated(servers, witness), Stop()
    assert await place.ask(place.arrive("zoe"), 0) == 303
    come = replace(place.arrive("zoe"), email=place.email("yan"))
    acts = [come, place.add("ann", "acme", "zoe", "member")]
    first, second = reversed(acts) if turned else acts
    with before_commit(stop):
        *statuses, _ = await overtaken(place, first, second, stop)
    assert statuses == [first.status, second.status]
    rows = await witness.reading().rows(
        "SELECT m.id FROM membership m JOIN partner p ON p.id = m.partner_id WHERE p.subject = $1",
        [place.partner("zoe")],
    )
    assert len(rows) == 1


async def test_one_who_comes_while_being_added_is_removed_after_that(
    servers: tuple[Service, Service], witness: Database
) -> None:
    place = await populated(servers, witness)
    adding, coming = Stop(), Stop()
    with noted_transactions() as asked, before_commit(adding, coming):
        add = adding.task = asyncio.create_task(place.ask(place.add("ann", "acme", "zoe", "member"), 0))
        try:
            async with asyncio.timeout(30):
                await adding.reached.wait()
                come = coming.task = asyncio.create_task(place.ask(place.arrive("zoe"), 1))
                await done_or_waiting(come, asked, witness)
                adding.released.set()
                await coming.reached.wait()
                rows = await witness.reading().rows(
                    "SELECT id FROM membership WHERE email_key = $1", [place.email("zoe")]
                )
                place.ids["zoe in acme"] = rows[0]["id"]
                remove = asyncio.create_task(place.ask(place.remove("ada", "zoe in acme"), 0))
                await done_or_waiting(remove, asked, witness)
                coming.released.set()
                assert (await add, await come, await remove) == (201, 303, 204)
        finally:
            adding.released.set()
            coming.released.set()


async def refuse(*_values: Any, **_named: Any) -> bool:
    """As if the record had another version by now."""
    return False


async def fail(*_values: Any) -> None:
    raise RuntimeError("the power is gone")


@pytest.mark.parametrize(
    ("function", "broken", "act"),
    [
        ("ownership.write_version", refuse, lambda it: it.transfer("ann", "shop", "globex")),
        ("ownership.write_version", refuse, lambda it: it.accept("cat", "lab for globex")),
        ("ownership.bury", refuse, lambda it: it.revoke("cat", "shop for globex")),
        ("writes.write_version", refuse, lambda it: it.delete("ivo", "initech")),
        ("writes.write_version", refuse, lambda it: it.delete("ann", "shop")),
        ("writes.updated", refuse, lambda it: it.set_role("ann", "ada in acme", "member")),
        ("writes.bury", refuse, lambda it: it.remove("ann", "ada in acme")),
        ("database.write_activities", fail, lambda it: it.transfer("ann", "shop", "globex")),
        ("database.write_activities", fail, lambda it: it.delete("ivo", "initech")),
        ("database.write_activities", fail, lambda it: it.remove("ann", "ada in acme")),
        ("database.write_activities", fail, lambda it: it.arrive("yan")),
    ],
)
async def test_what_fails_leaves_nothing_half_done(
    servers: tuple[Service, Service],
    witness: Database,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    broken: Callable[..., Any],
    act: Callable[[Place], Act],
) -> None:
    place = await populated(servers, witness)
    before = await everything(witness)
    monkeypatch.setattr(f"app.storage.{function}", broken)
    assert await place.ask(act(place), 0) == (503 if broken is refuse else 500)
    assert await everything(witness) == before
    monkeypatch.undo()
    assert await place.ask(act(place), 0) == act(place).status


async def everything(database: Database) -> dict[str, Rows]:
    keys = {model._meta.db_table: model._meta.db_pk_column for model in TABLES}
    session = database.reading()
    return {name: await session.rows(f"SELECT * FROM {name} ORDER BY {key}") for name, key in keys.items()}
