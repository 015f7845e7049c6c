"""Many rows in one statement, made of what the service itself would insert one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.storage.activities import _row as activity_row
from app.storage.session import Session, insertion
from app.storage.statements import Rows
from app.storage.tables import Activity, ActivityOrganization


class Bulk(Session):
    """Keeps every INSERT until `write`. They refer to each other, so that they are written in their order."""

    def __init__(self, session: Session) -> None:
        self.dialect, self.notes = session.dialect, []
        self._session = session
        self._kept: dict[str, list[Sequence[Any]]] = {}

    async def brief(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        self._kept.setdefault(sql, []).append(values)
        return []

    async def write(self) -> None:
        for sql, rows in self._kept.items():
            await self._insert(sql, rows)
        self._kept.clear()
        await self._write_activities()

    async def _insert(self, sql: str, rows: Sequence[Sequence[Any]]) -> Rows:
        """All rows by the statement of one."""
        return await self._session.rows(multiplied(sql, len(rows)), [value for row in rows for value in row])

    async def _write_activities(self) -> None:
        written = [activity_row(note) for note in self.notes]
        sql = insertion(Activity, tuple(written[0]))
        rows = await self._insert(f"{sql}, id", [list(row.values()) for row in written])
        sequences = {str(row["id"]): row["sequence"] for row in rows}
        listed = [
            [sequences[str(row["id"])], organization_id]
            for row, note in zip(written, self.notes, strict=True)
            for organization_id in note.organizations
        ]
        await self._insert(insertion(ActivityOrganization, ("activity_id", "organization_id")), listed)
        self.notes.clear()


def multiplied(sql: str, times: int) -> str:
    """`INSERT … VALUES ($1, $2) RETURNING …` for so many rows."""
    head, _, rest = sql.partition(" VALUES (")
    places, _, tail = rest.partition(")")
    width = places.count("$")
    rows = (
        "(" + ", ".join(f"${row * width + place}" for place in range(1, width + 1)) + ")"
        for row in range(times)
    )
    return f"{head} VALUES {', '.join(rows)}{tail}"
