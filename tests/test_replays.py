"""A request that is sent again is carried out once, across processes too."""

from __future__ import annotations

import asyncio

import pytest

from app.answers import Answer
from app.problems import Problem
from app.replays import REPLAYED, Replays, fingerprint
from app.storage.database import Database, Session
from app.storage.remembered_answers import Place
from tests.storage.opening import opened
from tests.storage.rows import add_organization, add_partner

pytestmark = pytest.mark.anyio


@pytest.fixture
async def place(database: Database) -> Place:
    async with database.transaction() as session:
        return Place(await add_partner(session), "/api/organizations", "k1")


async def made(session: Session) -> Answer:
    return Answer(201, [("Location", await add_organization(session))], b"{}")


async def slowly_made(session: Session) -> Answer:
    answer = await made(session)
    await asyncio.sleep(0.3)
    return answer


async def count(database: Database) -> int:
    return len(await database.reading().rows("SELECT id FROM organization"))


async def test_the_second_is_told_what_the_first_was_and_nothing_is_done_again(
    database: Database, place: Place
) -> None:
    replays = Replays(database)
    first = await replays.answered(place, "f", made)
    second = await replays.answered(place, "f", made)
    assert second == Answer(201, (*first.fields, REPLAYED), b"{}")
    assert await count(database) == 1


async def test_a_key_that_was_used_for_another_request_is_refused(database: Database, place: Place) -> None:
    replays = Replays(database)
    await replays.answered(place, "f", made)
    with pytest.raises(Problem, match="invalid-content: This Idempotency-Key was used"):
        await replays.answered(place, "g", made)
    assert await count(database) == 1


async def test_what_fails_leaves_neither_the_change_nor_the_key(database: Database, place: Place) -> None:
    async def failing(session: Session) -> Answer:
        await made(session)
        raise Problem("handle-taken", "Choose another handle.")

    replays = Replays(database)
    with pytest.raises(Problem, match="handle-taken"):
        await replays.answered(place, "f", failing)
    assert await count(database) == 0
    assert REPLAYED not in (await replays.answered(place, "g", made)).fields


async def test_the_change_is_not_kept_without_its_answer(
    database: Database, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("app.replays.remember", fail)
        with pytest.raises(ConnectionResetError):
            await Replays(database).answered(place, "f", made)
    assert await count(database) == 0


async def test_while_the_first_is_being_answered_others_are_told_to_come_again(
    database: Database, place: Place
) -> None:
    replays = Replays(database)
    first = asyncio.create_task(replays.answered(place, "f", slowly_made))
    await asyncio.sleep(0.05)
    with pytest.raises(Problem, match="conflict: A request with this Idempotency-Key") as caught:
        await replays.answered(place, "f", made)
    assert caught.value.headers == (("Retry-After", "1"),)
    await first
    assert REPLAYED in (await replays.answered(place, "f", made)).fields


async def test_another_process_is_told_so_on_postgres(postgres_url: str) -> None:
    async with opened(postgres_url) as database, opened(postgres_url) as other:
        async with database.transaction() as session:
            place = Place(await add_partner(session), "/api/organizations", "k1")
        first = asyncio.create_task(Replays(database).answered(place, "f", slowly_made))
        await asyncio.sleep(0.1)
        with pytest.raises(Problem, match="conflict"):
            await Replays(other).answered(place, "f", made)
        await first
        assert await count(database) == 1


async def test_the_key_is_kept_where_locks_of_organizations_are_given_back(postgres_url: str) -> None:
    """The organization that an act concerns may be another one by the time it is locked."""
    async with opened(postgres_url) as first, opened(postgres_url) as other:
        async with first.transaction() as session:
            place = Place(await add_partner(session), "/api/organizations", "k1")

        async def made_at_second_try(session: Session) -> Answer:
            await session.give_back_locks()
            with pytest.raises(Problem, match="conflict"):
                await Replays(other).answered(place, "f", made)
            return await made(session)

        assert (await Replays(first).answered(place, "f", made_at_second_try)).status == 201
        assert REPLAYED in (await Replays(other).answered(place, "f", made)).fields


async def test_another_process_waits_for_the_first_on_sqlite_where_writers_queue(sqlite_url: str) -> None:
    async with opened(sqlite_url) as database, opened(sqlite_url) as other:
        async with database.transaction() as session:
            place = Place(await add_partner(session), "/api/organizations", "k1")
        first = asyncio.create_task(Replays(database).answered(place, "f", slowly_made))
        await asyncio.sleep(0.1)
        second = await Replays(other).answered(place, "f", made)
        assert second.fields == (*(await first).fields, REPLAYED)
        assert await count(database) == 1


def test_a_fingerprint_tells_requests_apart_wherever_they_differ() -> None:
    parts = [(b"a", b"b"), (b"ab", b""), (b"", b"ab"), (b"a", b"b", b""), (b"a", b"B"), ()]
    assert len({fingerprint(*it) for it in parts}) == len(parts)
    assert fingerprint(b"a", b"b") == fingerprint(b"a", b"b")
