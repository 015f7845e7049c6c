from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.security.issuing import Clock
from tests.security.scene import Scene, stopped_clock, two_issuers


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stopped_clock(monkeypatch)


@pytest.fixture
async def scene(sqlite_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Scene]:
    async with two_issuers(sqlite_url, tmp_path / "data", clock) as scene:
        yield scene
