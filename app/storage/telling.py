"""What was just written, as the caller sees it: told by the statement that writes it, where that can be.

On PostgreSQL it can for a row that no other of its table decides about: that saves a way to the server. Where
nothing else is done in a transaction, its activity is written by the same statement, which saves another; and
so there need not be a transaction, where that statement takes the locks as well, which saves three. What it
tells of others than the row is then as it was before it waited for those.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.storage.activities import writing
from app.storage.acts import Note
from app.storage.attempts import Attempt
from app.storage.kinds import KINDS, Kind
from app.storage.records import WITH_PARTS, Record, find, read_row, reads_all, selected
from app.storage.session import Session, insert, insertion, modification, update
from app.storage.statements import Rows

# What an attempt was allowed by, in a statement that has such a part (`_allowed`).
STILL_ALLOWED = "EXISTS (SELECT 1 FROM allowed)"


async def inserted(session: Session, note: Note, values: Mapping[str, Any]) -> Record | None:
    """The row, by column, as a record; None where who acts does not see it."""
    kind = KINDS[note.object_class]
    if session.dialect == "postgres" and kind.alone:
        statement = insertion(kind.model, tuple(values), first=2, where=_condition(session))
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
        statement, given = modification(kind.model, values, where, first=2, also=_condition(session))
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
    values += told
    if isinstance(session, Attempt):
        if not last:
            session.overtaken()
        sql = _telling(kind, everything, statement, parts, len(values) + 1)
        rows = await _attempted(session, sql, values)
    else:
        rows = await session.brief(_telling(kind, everything, statement, parts), values)
    if last:
        session.end()
    elif rows:
        session.notes.append(note)
    return read_row(kind, rows[0], everything) if rows else None


async def _attempted(session: Attempt, sql: str, values: list[Any]) -> Rows:
    """Raises `Overtaken` where it is not allowed as it was, or the row has not its version any more."""
    grounds = session.grounds
    if grounds is None:
        session.overtaken()
    rows = await session.write(sql, [*values, grounds.organization_id, grounds.role])
    if not rows:
        session.overtaken()
    return rows


def _condition(session: Session) -> str:
    return STILL_ALLOWED if isinstance(session, Attempt) else ""


@cache
def _telling(kind: Kind, everything: bool, statement: str, parts: str, allowed_by: int | None = None) -> str:
    """The row stands for its table; what is looked up beside it is as it was before, and unchanged by it.
    `parts` write the activity too; `allowed_by` is the number of the first value of an attempt's grounds."""
    written = statement.rpartition(" RETURNING ")[0] or statement
    columns = selected(kind, everything, "postgres")
    allowed = "" if allowed_by is None else _allowed(allowed_by)
    ctes = ", ".join(filter(None, [allowed, f"{kind.row} AS ({written} RETURNING *)", parts]))
    return f"WITH {ctes} SELECT {columns} FROM {kind.row}"


def _allowed(first: int) -> str:
    """The organization and the membership as they are when both are locked, in the order in which all lock
    them: who changes either has the organization."""
    return (
        "allowed AS MATERIALIZED (SELECT concerned.id FROM organization concerned"
        " JOIN membership mine ON mine.organization_id = concerned.id"
        f" WHERE concerned.id = ${first} AND concerned.deleted_at IS NULL"
        f" AND mine.partner_id = $1 AND mine.role = ${first + 1} FOR NO KEY UPDATE)"
    )
