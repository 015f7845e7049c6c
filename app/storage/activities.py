"""Activities: what was done. They are noted during a transaction and written as the last thing in it.

On PostgreSQL a lock is held from their first sequence number until the commit, so that numbers become
visible in their order: whoever has read up to one has missed none before it. It is the last lock that a
transaction takes, and so nobody who holds it waits for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import orjson

from app.storage.acts import Note, new_id
from app.storage.session import Session, insert
from app.storage.tables import Activity, ActivityOrganization

# Any number that nobody else locks by; this one spells "activity".
SEQUENCE_LOCK = int.from_bytes(b"activity")


async def lock_sequence(session: Session) -> None:
    if session.dialect == "postgres":
        await session.rows("SELECT pg_advisory_xact_lock($1)", [SEQUENCE_LOCK])


async def write_activities(session: Session, notes: Sequence[Note]) -> None:
    for note in notes:
        if session.dialect == "postgres":
            parts, values = writing(note, 1)
            await session.brief(f"WITH {parts} SELECT sequence FROM noted", values)
        else:
            await _list(session, await insert(session, Activity, _row(note)), sorted(note.organizations))


def writing(note: Note, first: int, source: str = "") -> tuple[str, list[object]]:
    """Lock, activity and list in one way to PostgreSQL, as parts of a statement, and their values, of which
    `first` is the number of the first; the activity's own number is drawn when the lock is held. If a
    `source` has no row, nothing is written; if it has one, that is there before the lock is waited for."""
    row = _row(note)
    values = [SEQUENCE_LOCK, *row.values(), ",".join(sorted(note.organizations))]
    return _writing(tuple(row), first, source), values


@cache
def _writing(columns: tuple[str, ...], first: int, source: str) -> str:
    """One text for any number of organizations, which are one value: a statement has a bound of values."""
    names = ", ".join(columns)
    places = ", ".join(f"${number}" for number in range(first + 1, first + 1 + len(columns)))
    organizations = f"unnest(string_to_array(${first + 1 + len(columns)}, ',')) AS organization"
    found = f" FROM {source}" if source else ""
    return (
        f"locked AS MATERIALIZED (SELECT pg_advisory_xact_lock(${first}){found}),"
        f" noted AS (INSERT INTO activity ({names}) SELECT {places} FROM locked RETURNING sequence),"
        " listed AS (INSERT INTO activity_organization (activity_id, organization_id)"
        f" SELECT noted.sequence, CAST(organization AS uuid) FROM noted CROSS JOIN {organizations})"
    )


async def _list(session: Session, sequence: int | None, organizations: Iterable[str]) -> None:
    for organization_id in organizations:
        row = {"activity_id": sequence, "organization_id": organization_id}
        await insert(session, ActivityOrganization, row)


def _row(note: Note) -> dict[str, object]:
    return {
        "id": new_id(),
        "type": note.type,
        "object_class": note.object_class,
        "object_id": note.object_id,
        "object_parent_id": note.object_parent_id,
        "actor_id": note.act.caller.partner_id,
        "published": note.act.at,
        "changes": orjson.dumps(list(note.changes)).decode(),
        "request_id": note.act.request_id,
    }
