"""What is imported is that of whoever has the e-mail, though nobody knows that one yet when it begins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import app.importing
from app.contract.contract import load_contract
from app.importing import Report, import_lines
from app.protocol.lines import LONGEST, TOO_LONG
from app.storage.database import Database, Session
from app.storage.partners import Identity, partner_of
from tests.service import BASE
from tests.storage.opening import opened
from tests.storage.test_imported_partners import until_somebody_waits

pytestmark = pytest.mark.anyio

CONTRACT = load_contract(BASE)
EMAIL = "ann@acme.example"
ANN = Identity("urn:i", "ann", "Ann", EMAIL)
BATCH, BATCHES = 3, 6
LINES = [
    json.dumps(
        {"organization": {"name": letter}, "instance": {"name": "I", "handle": f"of-{letter}"}}
    ).encode()
    for letter in "abcdefghijklmnopqrstuvwxyz"[: BATCH * BATCHES]
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.importing, "LINES_IN_A_TRANSACTION", BATCH)


def once(monkeypatch: pytest.MonkeyPatch, name: str, after: Callable[[], Awaitable[Any]]) -> None:
    """Something is done after the first call of a function that an import makes use of."""
    original, calls = getattr(app.importing, name), [after]

    async def called(*values: Any) -> Any:
        result = await original(*values)
        if calls:
            await calls.pop()()
        return result

    monkeypatch.setattr(app.importing, name, called)


async def imported(database: Database) -> tuple[int, int]:
    """How many lines were, and how many were there."""
    report = Report()
    await import_lines(database, CONTRACT, "Ann@acme.example", LINES, report)
    return report.imported, report.present


async def members(session: Session) -> list[tuple[Any, ...]]:
    """By partner and version, how many there are: who was bound later has the second version."""
    columns = "partner_id, version"
    sql = f"SELECT {columns}, count(*) AS n FROM membership GROUP BY {columns} ORDER BY version"
    rows = await session.rows(sql)
    return [tuple(row.values()) for row in rows]


async def test_an_owner_who_comes_between_two_batches_gets_what_was_imported_and_what_follows(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    once(monkeypatch, "_import_batch", lambda: partner_of(database, ANN, "r"))
    assert await imported(database) == (len(LINES), 0)
    ann = await partner_of(database, ANN, "r")
    assert await members(database.reading()) == [(ann, 1, len(LINES) - BATCH), (ann, 2, BATCH)]
    assert await imported(database) == (0, len(LINES))


async def test_an_owner_who_comes_while_a_batch_is_written_waits_for_that_one_alone(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets that batch; the next one waits for it, and is its own from the start."""
    coming: list[asyncio.Task[str]] = []
    async with opened(postgres_url) as database, opened(postgres_url) as other:

        async def come() -> None:
            coming.append(asyncio.create_task(partner_of(other, ANN, "r")))
            await until_somebody_waits(database)

        once(monkeypatch, "create_instance", come)
        assert await imported(database) == (len(LINES), 0)
        ann = await coming[0]
        assert await members(database.reading()) == [(ann, 1, len(LINES) - BATCH), (ann, 2, BATCH)]


async def test_the_handle_of_an_instance_that_is_gone_is_there_and_is_not_tried_for_ever(
    database: Database,
) -> None:
    assert await imported(database) == (len(LINES), 0)
    async with database.transaction() as session:
        await session.rows("UPDATE instance SET deleted_at = updated_at WHERE handle = $1", ["of-a"])
    async with asyncio.timeout(30):
        assert await imported(database) == (0, len(LINES))


async def test_two_imports_of_the_same_in_another_order_never_wait_for_each_other(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one waits, and finds all that it has there already."""
    coming: list[asyncio.Task[None]] = []
    first, second = Report(), Report()
    async with opened(postgres_url) as database, opened(postgres_url) as other:

        async def come() -> None:
            turned = LINES[BATCH - 1 :: -1]
            coming.append(
                asyncio.create_task(import_lines(other, CONTRACT, "bob@acme.example", turned, second))
            )
            await until_somebody_waits(database)

        once(monkeypatch, "create_instance", come)
        await import_lines(database, CONTRACT, EMAIL, LINES[:BATCH], first)
        await coming[0]
    assert [(it.imported, it.present) for it in (first, second)] == [(BATCH, 0), (0, BATCH)]


async def test_of_what_is_unknown_the_first_line_is_told_and_the_longest_line_is_read(
    sqlite_url: str,
) -> None:
    unknown = json.loads(LINES[0]) | {"country": "PL"}
    longest = LINES[1][:-1] + b" " * (LONGEST - len(LINES[1])) + b"}"
    lines = [LINES[2], *[json.dumps(unknown).encode()] * 2, longest, longest.replace(b" }", b"  }")]
    report = Report()
    async with opened(sqlite_url) as database:
        await import_lines(database, CONTRACT, EMAIL, lines, report)
    assert (report.imported, report.present, report.bad) == (3, 1, [(5, TOO_LONG)])
    assert report.unknown == {"country": 2}


async def test_a_batch_without_a_good_line_stops_nothing(database: Database) -> None:
    report = Report()
    await import_lines(database, CONTRACT, EMAIL, [b"[]"] * BATCH + LINES[:1] + [b"[]"] * BATCH, report)
    assert (report.imported, len(report.bad)) == (1, 2 * BATCH)
