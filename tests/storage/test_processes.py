"""Two processes on one database lose nothing and fail at nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from app.storage.database import Database
from app.storage.session import lock_number
from tests.storage.rows import add_organization

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
TIMES = 150


async def test_what_two_processes_read_and_then_write_is_neither_lost_nor_refused(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
    command = (sys.executable, "-m", "tests.storage.increments", database_url, organization_id, str(TIMES))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    processes = [
        await asyncio.create_subprocess_exec(
            *command, stdin=-1, stdout=-1, stderr=-1, cwd=ROOT, env=environment
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    finished = asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    while not finished.done():
        assert len(await database.reading().rows("SELECT version FROM organization")) == 1
        await asyncio.sleep(0.005)
    assert [errors for _, errors in await finished] == [b"", b""]
    assert [process.returncode for process in processes] == [0, 0]
    rows = await database.reading().rows("SELECT version FROM organization")
    assert rows == [{"version": 1 + 2 * TIMES}]


def test_every_process_locks_by_the_same_number_of_a_text() -> None:
    """On PostgreSQL, whatever the process and the release: another number would be another lock."""
    assert lock_number("email ann@acme.example") == -4117542813601112056
    assert -(2**63) <= lock_number("answer") < 2**63
