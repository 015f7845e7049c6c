"""What was just written, as the caller sees it: told by the statement that writes it, where that can be.

On PostgreSQL it can for a row that no other of its table decides about: that saves a way to the server. Where
nothing else is done in a transaction, its activity is written by the same statement, which saves another.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.storage.activities import writing
from app.storage.acts import Note
from app.storage.kinds import KINDS, Kind
from app.storage.records import WITH_PARTS, Record, find, read_row, reads_all, selected
from app.storage.session import Session, insert, insertion, modification, update


async def inserted(session: Session, note: Note, values: Mapping[str, Any]) -> Record | None:
    """The row, by column, as a record; None where who acts does not see it."""
    kind = KINDS[note.object_class]
    if session.dialect == "postgres" and kind.alone:
        statement = insertion(kind.model, tuple(values), first=2)
        return await _told(session, note, kind, statement, list(values.values()))
    await insert(session, kind.model, values)
    session.notes.append(note)
    return await find(session, kind.class_name, note.act.caller, "id", values["id"])


async def updated(
    session: Session, note: Note, values: Mapping[str, Any], where: Mapping[str, Any]
) -> Record | None:
    """The row in which every column of `where`, the id among them, has its value, as it is now; None where
    there is none, and nothing is to be noted. Who changes something sees it before and after."""
    kind = KINDS[note.object_class]
    if session.dialect == "postgres" and kind.alone:
        statement, given = modification(kind.model, values, where, first=2)
        return await _told(session, note, kind, statement, given)
    if not await update(session, kind.model, values, where=where):
        return None
    session.notes.append(note)
    return await find(session, kind.class_name, note.act.caller, "id", where["id"])


async def _told(session: Session, note: Note, kind: Kind, statement: str, given: list[Any]) -> Record | None:
    everything = reads_all(note.act.caller)
    values = [note.act.caller.partner_id, *given]
    # Parts are read afterwards, and all others who write would wait for that.
    last = session.single and not session.notes and kind.class_name not in WITH_PARTS
    parts, told = writing(note, len(values) + 1, kind.row) if last else ("", [])
    rows = await session.brief(_telling(kind, everything, statement, parts), [*values, *told])
    if last:
        session.end()
    elif rows:
        session.notes.append(note)
    return read_row(kind, rows[0], everything) if rows else None


@cache
def _telling(kind: Kind, everything: bool, statement: str, parts: str) -> str:
    """The row stands for its table; what is looked up beside it is as it was before, and unchanged by it.
    `parts` write the activity too."""
    written = statement.rpartition(" RETURNING ")[0] or statement
    columns = selected(kind, everything, "postgres")
    ctes = ", ".join(filter(None, [f"{kind.row} AS ({written} RETURNING *)", parts]))
    return f"WITH {ctes} SELECT {columns} FROM {kind.row}"
