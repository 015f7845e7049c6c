"""Search for parts of text, in whole tables: an index of all three characters that follow each other.

On PostgreSQL that is `pg_trgm`, and the planner's business. On SQLite it is a full-text index, which a
trigger fills with each `BATCH` of new texts; what has come since is looked at one by one, as are the
candidates that the index tells: they may be renamed or deleted by now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.storage.keys import text_key
from app.storage.list_counts import COUNTED
from app.storage.session import Session
from app.storage.shapes import Shape

GRAM, BATCH = 3, 64
# More do not make it faster.
MOST_GRAMS = 16


async def with_candidates(
    session: Session, shape: Shape, contains: Mapping[str, str]
) -> tuple[Shape, list[str]]:
    """The shape as it is best read, and what candidates are found by.

    What stands in more texts than are counted is soon met in the order that is asked for: looking at one
    after the other is cheaper then, as it has to be for what is shorter than three characters.
    """
    grams = _grams(contains)
    if not grams:
        return shape, []
    if session.dialect == "postgres":
        return replace(shape, indexed=True), []
    table = f"{shape.kind.model._meta.db_table}_text"  # noqa: SLF001 - Tortoise's public place for it
    probe = f"SELECT count(*) AS found FROM (SELECT 1 FROM ({_candidates(table, '$1')}) LIMIT {COUNTED + 1})"
    [row] = await session.rows(probe, [grams])
    if row["found"] > COUNTED:
        return replace(shape, counted=False), []
    shape = replace(shape, indexed=True, candidates="-")
    return replace(shape, candidates=_candidates(table, shape.place("candidates"))), [grams]


def _candidates(table: str, place: str) -> str:
    return f"""SELECT text.id FROM {table}_index found CROSS JOIN {table} text
        WHERE {table}_index MATCH {place} AND text.number = found.rowid
        UNION ALL SELECT id FROM {table}
        WHERE number > (SELECT max(number) - max(number) % {BATCH} FROM {table})"""


def _grams(contains: Mapping[str, str]) -> str:
    """All of them, in the words of FTS5; empty where all texts are too short."""
    keys = [text_key(text) for text in contains.values()]
    grams = {key[start : start + GRAM] for key in keys for start in range(len(key) - GRAM + 1)}
    quoted = ('"' + gram.replace('"', '""') + '"' for gram in sorted(grams)[:MOST_GRAMS])
    return " ".join(quoted)
