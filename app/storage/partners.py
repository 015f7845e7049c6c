"""Partners: known by the issuer and subject of their tokens, with the name and e-mail that those tell."""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.database import Database
from app.storage.failures import UniqueViolation
from app.storage.keys import text_key
from app.storage.session import Session, insert, update
from app.storage.tables import Partner, table
from app.storage.writes import new_id, now


@dataclass(frozen=True)
class Identity:
    """What a token tells of a partner; `email` only if it is verified."""

    issuer: str
    subject: str
    name: str | None
    email: str | None


async def partner_of(database: Database, identity: Identity) -> str:
    """The id of the partner, written first where it is new or tells another name or e-mail than before."""
    known = await _find(database.reading(), identity)
    if known is None:
        return await _add(database, identity)
    told = {key: value for key, value in _told(identity).items() if value is not None}
    if any(known[key] != value for key, value in told.items()):
        written = {**told, "updated_at": now(), "version": int(known["version"] or 0) + 1}
        where = {"id": known["id"], "version": known["version"]}
        async with database.transaction() as session:
            await update(session, Partner, written, where=where)
    return str(known["id"])


async def _find(session: Session, identity: Identity) -> dict[str, str | int | None] | None:
    partner = table(Partner)
    query = session.query.from_(partner).select("id", "name", "email", "email_key", "version")
    where = (partner.issuer == identity.issuer) & (partner.subject == identity.subject)
    rows = await session.rows(query.where(where))
    return rows[0] if rows else None


async def _add(database: Database, identity: Identity) -> str:
    """Two first requests of one partner may come at once: the second finds what the first has written."""
    at = now()
    row = {"id": new_id(), "issuer": identity.issuer, "subject": identity.subject, **_told(identity)}
    try:
        async with database.transaction() as session:
            await insert(session, Partner, row | {"created_at": at, "updated_at": at, "version": 1})
    except UniqueViolation:
        known = await _find(database.reading(), identity)
        if known is None:
            raise
        return str(known["id"])
    return str(row["id"])


def _told(identity: Identity) -> dict[str, str | None]:
    key = text_key(identity.email)[:320] if identity.email else None
    return {"name": identity.name, "email": identity.email, "email_key": key}
