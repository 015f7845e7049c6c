from __future__ import annotations

import pytest

from app.security import fetched_keys
from tests.security.issuing import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the fetched keys, which wait as long as a slow machine takes."""
    clock = Clock()
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 600)
    monkeypatch.setattr(fetched_keys, "monotonic", clock)
    return clock
