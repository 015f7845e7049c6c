"""Acts: who does something, and what is noted of it until it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from uuid_utils import uuid7

from app.caller import Caller

Change = Mapping[str, str | None]


@dataclass(frozen=True)
class Act:
    """Who does something, in which request, and when."""

    caller: Caller
    request_id: str
    at: datetime


@dataclass(frozen=True)
class Note:
    """What will be an activity. `organizations` are those that it concerns; a `changes` item has the members
    `property`, `before`, `after`."""

    act: Act
    type: str
    object_class: str
    object_id: str
    organizations: frozenset[str]
    changes: tuple[Change, ...] = ()
    object_parent_id: str | None = None


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid7())


def changed(before: Mapping[str, str | None], after: Mapping[str, str | None]) -> tuple[Change, ...]:
    """The keys whose values differ; what has no value stays away."""
    keys = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    return tuple(
        {
            "property": key,
            **{
                side: values[key]
                for side, values in (("before", before), ("after", after))
                if values.get(key) is not None
            },
        }
        for key in keys
    )


def note_of_properties(
    act: Act, type_: str, class_name: str, identifier: str, organizations: Iterable[str], keys: Iterable[str]
) -> Note:
    """Which values are others now, but not which ones they were or are."""
    changes = tuple({"property": key} for key in keys)
    return Note(act, type_, class_name, identifier, frozenset(organizations), changes)
