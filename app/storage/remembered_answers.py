"""Remembered answers: what a POST with an Idempotency-Key was answered, within its own transaction.

Who sends the same request again within a day is told the same again, and nothing is done twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from app.storage.session import Session, lock_number

LIFETIME = timedelta(hours=24)
# How many that have expired one transaction deletes beside its own work.
SWEPT = 100
# Any number that nobody else locks by. Who erases a person takes it alone, so that no answer that tells of
# the person is on its way into the table meanwhile; who remembers answers takes it together.
ERASURE_LOCK = int.from_bytes(b"erasure")


@dataclass(frozen=True)
class Place:
    """What an answer is found by: the partner who asks, the path asked, and the key."""

    partner_id: str
    path: str
    key: str


@dataclass(frozen=True)
class RememberedAnswer:
    """`fingerprint` is that of the request, `fields` are the answer's own; without `content`, it had none."""

    fingerprint: str
    status: int
    fields: tuple[tuple[str, str], ...]
    content: bytes | None


async def claim(session: Session, place: Place) -> bool:
    """False while another process is answering a request with the same key: nobody waits for it.

    It has to be the first thing in the transaction. On SQLite the transaction has made the others wait.
    """
    if session.dialect == "sqlite":
        return True
    name = f"answer {place.partner_id} {place.path} {place.key}"
    await session.rows("SELECT pg_advisory_xact_lock_shared($1)", [ERASURE_LOCK])
    sql = "SELECT pg_try_advisory_xact_lock($1) AS claimed"
    [row] = await session.rows(sql, [lock_number(name)])
    return bool(row["claimed"])


async def recall(session: Session, place: Place, at: datetime) -> RememberedAnswer | None:
    rows = await session.rows(
        """SELECT fingerprint, status, header_fields, content FROM remembered_answer
            WHERE partner_id = $1 AND path = $2 AND idempotency_key = $3 AND created_at > $4""",
        [place.partner_id, place.path, place.key, at - LIFETIME],
    )
    if not rows:
        return None
    [row] = rows
    fields = tuple((name, value) for name, value in orjson.loads(row["header_fields"]))
    content = None if row["content"] is None else row["content"].encode()
    return RememberedAnswer(row["fingerprint"], row["status"], fields, content)


async def remember(session: Session, place: Place, answer: RememberedAnswer, at: datetime) -> None:
    """In the place of one that has expired. Some others that have are deleted.

    These come second: who deleted the row of somebody else first, and then waited for somebody who deleted
    the own one, would meet a deadlock.
    """
    await session.rows(
        """INSERT INTO remembered_answer
            (partner_id, path, idempotency_key, fingerprint, status, header_fields, content, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (partner_id, path, idempotency_key) DO UPDATE SET
                fingerprint = excluded.fingerprint, status = excluded.status, content = excluded.content,
                header_fields = excluded.header_fields, created_at = excluded.created_at""",
        [
            *(place.partner_id, place.path, place.key),
            *(answer.fingerprint, answer.status, orjson.dumps(answer.fields).decode()),
            *(None if answer.content is None else answer.content.decode(), at),
        ],
    )
    unlocked = " FOR UPDATE SKIP LOCKED" if session.dialect == "postgres" else ""
    await session.rows(
        f"""DELETE FROM remembered_answer WHERE id IN (SELECT id FROM remembered_answer
            WHERE created_at <= $1 ORDER BY created_at LIMIT {SWEPT}{unlocked})""",
        [at - LIFETIME],
    )
