"""An answer is remembered for a day, for one partner, one path and one key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.caller import ANONYMOUS
from app.storage.acts import Act
from app.storage.database import Database, Session
from app.storage.erasure import forget
from app.storage.remembered_answers import (
    LIFETIME,
    SWEPT,
    Place,
    RememberedAnswer,
    claim,
    recall,
    remember,
)
from app.storage.statements import Rows
from tests.storage.opening import opened
from tests.storage.rows import NOW, add_partner, add_remembered_answer

pytestmark = pytest.mark.anyio

FIELDS = (("Content-Type", "application/json"), ("Link", "<a>"), ("Link", "<b>"))
ANSWER = RememberedAnswer("f" * 64, 201, FIELDS, '{"name":"Zoë \\u0000"}'.encode())
DAY = timedelta(days=1)


@pytest.fixture
async def place(database: Database) -> Place:
    async with database.transaction() as session:
        return Place(await add_partner(session), "/api/organizations", "k1")


async def keys(session: Session) -> list[str]:
    return [row["idempotency_key"] for row in await session.rows("SELECT * FROM remembered_answer")]


@pytest.mark.parametrize("answer", [ANSWER, replace(ANSWER, content=None), replace(ANSWER, content=b"")])
async def test_what_is_remembered_is_recalled_to_the_letter(
    database: Database, place: Place, answer: RememberedAnswer
) -> None:
    async with database.transaction() as session:
        assert await recall(session, place, NOW) is None
        await remember(session, place, answer, NOW)
    assert await recall(database.reading(), place, NOW + LIFETIME / 2) == answer


async def test_another_partner_path_or_key_is_another_answer(database: Database, place: Place) -> None:
    async with database.transaction() as session:
        await remember(session, place, ANSWER, NOW)
        other = await add_partner(session, subject="other")
        for change in ({"partner_id": other}, {"path": "/api/instances"}, {"key": "K1"}, {"key": "k1 "}):
            assert await recall(session, replace(place, **change), NOW) is None


async def test_after_a_day_it_is_forgotten_and_another_takes_its_place(
    database: Database, place: Place
) -> None:
    async with database.transaction() as session:
        await remember(session, place, ANSWER, NOW)
        assert await recall(session, place, NOW + DAY - timedelta(microseconds=1)) == ANSWER
        assert await recall(session, place, NOW + DAY) is None
        other = RememberedAnswer("g", 200, FIELDS[:1], None)
        await remember(session, place, other, NOW + DAY)
        assert await recall(session, place, NOW + DAY) == other


async def test_what_has_expired_is_swept_a_part_at_a_time(database: Database, place: Place) -> None:
    async with database.transaction() as session:
        for number in range(SWEPT + 3):
            await add_remembered_answer(session, place.partner_id, idempotency_key=f"old {number}")
        await remember(session, place, ANSWER, NOW + DAY)
        assert len(await keys(session)) == 3 + 1
        await remember(session, place, ANSWER, NOW + DAY)
        assert await keys(session) == ["k1"]


async def test_those_who_sweep_what_the_other_replaces_do_not_meet_a_deadlock(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has replaced its own row, the oldest or the newest, when both sweep them all."""
    rows, both = Session.rows, asyncio.Barrier(2)

    async def in_step(session: Session, sql: str, values: Sequence[Any] = ()) -> Rows:
        found = await rows(session, sql, values)
        if "INSERT INTO remembered_answer" in sql:
            await both.wait()
        return found

    monkeypatch.setattr(Session, "rows", in_step)
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            partner_id = await add_partner(session)
            for number in range(SWEPT):
                at = NOW + timedelta(seconds=number)
                await add_remembered_answer(session, partner_id, idempotency_key=f"{number}", created_at=at)

        async def again(key: str) -> None:
            async with database.transaction() as session:
                await remember(session, Place(partner_id, "/a", key), ANSWER, NOW + 2 * DAY)

        await asyncio.gather(again(f"{SWEPT - 1}"), again("0"))
        assert set(await keys(database.reading())) == {"0", f"{SWEPT - 1}"}


async def test_of_two_who_answer_the_same_key_on_postgres_only_one_may(postgres_url: str) -> None:
    async with opened(postgres_url) as database:
        place = Place("01930000-0000-7000-8000-000000000000", "/api/organizations", "k1")
        async with database.transaction() as first, database.transaction() as second:
            assert await claim(first, place)
            assert not await claim(second, place)
            others = {"key": "k2", "path": "/api/instances", "partner_id": place.partner_id[::-1]}
            for name, value in others.items():
                assert await claim(second, replace(place, **{name: value}))
        async with database.transaction() as third:
            assert await claim(third, place)


async def test_who_is_being_forgotten_is_told_of_by_no_answer_that_is_on_its_way(postgres_url: str) -> None:
    """The answer was made before the erasure and is written after it has begun: the erasure waits for it."""
    async with opened(postgres_url) as database:
        async with database.transaction() as session:
            partner_id = await add_partner(session, name="Zelda")
        place = Place(partner_id, "/api/organizations", "k1")

        async with database.transaction() as session:
            assert await claim(session, place)
            erasure = asyncio.create_task(forget(database, Act(ANONYMOUS, "1", NOW), partner_id))
            await asyncio.sleep(0.3)
            assert not erasure.done()
            await remember(session, place, ANSWER, NOW)
        assert await erasure is not None
        assert await keys(database.reading()) == []
