"""What was just written, as the caller sees it: told by the statement that writes it, where that can be.

On PostgreSQL it can for a row that no other of its table decides about: that saves a way to the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from app.caller import Caller
from app.storage.kinds import KINDS, Kind
from app.storage.records import Record, find, read_row, reads_all, selected
from app.storage.session import Session, insert, insertion, modification, update


async def inserted(
    session: Session, class_name: str, caller: Caller, values: Mapping[str, Any]
) -> Record | None:
    """The row, by column, as a record; None where the caller does not see it."""
    kind = KINDS[class_name]
    if session.dialect == "postgres" and kind.alone:
        statement = insertion(kind.model, tuple(values), first=2)
        return await _told(session, kind, caller, statement, list(values.values()))
    await insert(session, kind.model, values)
    return await find(session, class_name, caller, "id", values["id"])


async def updated(
    session: Session,
    class_name: str,
    caller: Caller,
    values: Mapping[str, Any],
    where: Mapping[str, Any],
) -> Record | None:
    """The row in which every column of `where`, the id among them, has its value, as it is now; None where
    there is none. Who changes something sees it before and after."""
    kind = KINDS[class_name]
    if session.dialect == "postgres" and kind.alone:
        statement, given = modification(kind.model, values, where, first=2)
        return await _told(session, kind, caller, statement, given)
    if not await update(session, kind.model, values, where=where):
        return None
    return await find(session, class_name, caller, "id", where["id"])


async def _told(
    session: Session, kind: Kind, caller: Caller, statement: str, values: list[Any]
) -> Record | None:
    everything = reads_all(caller)
    rows = await session.brief(_telling(kind, everything, statement), [caller.partner_id, *values])
    return read_row(kind, rows[0], everything) if rows else None


@cache
def _telling(kind: Kind, everything: bool, statement: str) -> str:
    """The row stands for its table; what is looked up beside it is as it was before, and unchanged by it."""
    written = statement.rpartition(" RETURNING ")[0] or statement
    columns = selected(kind, everything, "postgres")
    return f"WITH {kind.row} AS ({written} RETURNING *) SELECT {columns} FROM {kind.row}"
