"""Counts of whole tables, which are for commands alone: they take as long as there is much."""

from __future__ import annotations

from app.storage.kinds import KINDS
from app.storage.session import Session


async def count_live(session: Session, class_name: str) -> int:
    """How many there are of a class that were not deleted."""
    kind = KINDS[class_name]
    live = "" if kind.deleted_at == "NULL" else f" WHERE {kind.deleted_at} IS NULL"
    [row] = await session.rows(f"SELECT count(*) AS found FROM {kind.source}{live}")
    return int(row["found"])
