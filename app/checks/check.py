"""Check: one thing that the service needs, how it was found, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# What helps where this user may not read or write what others may.
OWNER = "Let its owner run this, or make it theirs."


class State(Enum):
    """`WARNING`: it works, but not as it should. `SKIPPED`: it cannot be told."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """`mend` is what to do about it, empty where there is nothing to do."""

    name: str
    state: State
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Check:
    return Check(name, State.OK, found)


def warning(name: str, found: str, mend: str) -> Check:
    return Check(name, State.WARNING, found, mend)


def failed(name: str, found: str, mend: str) -> Check:
    return Check(name, State.FAILED, found, mend)


def skipped(name: str, found: str) -> Check:
    return Check(name, State.SKIPPED, found)
