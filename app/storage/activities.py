"""Activities: what was done. They are noted during a transaction and written as the last thing in it.

On PostgreSQL a lock is held from their first sequence number until the commit, so that numbers become
visible in their order: whoever has read up to one has missed none before it. It is the last lock that a
transaction takes, and so nobody who holds it waits for another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
    if notes:
        await lock_sequence(session)
    for note in notes:
        sequence = await insert(session, Activity, _row(note))
        await _list(session, sequence, note.organizations)


async def _list(session: Session, sequence: int | None, organizations: Iterable[str]) -> None:
    for organization_id in sorted(organizations):
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
