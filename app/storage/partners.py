"""Partners: known by the issuer and subject of their tokens, with the name and e-mail that those tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.storage.database import Database
from app.storage.failures import UniqueViolation
from app.storage.keys import email_key
from app.storage.session import Session, insert, update
from app.storage.tables import Membership, Partner, table
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
            await _bind(session, str(known["id"]), identity)
    return str(known["id"])


async def partner_by_email(session: Session, email: str) -> str | None:
    """The id of the partner that has this e-mail; of several, the one that came first."""
    partner = table(Partner)
    query = session.query.from_(partner).select("id").where(partner.email_key == email_key(email))
    rows = await session.rows(query.orderby(partner.created_at).orderby(partner.id).limit(1))
    return rows[0]["id"] if rows else None


async def _bind(session: Session, partner_id: str, identity: Identity) -> None:
    """Memberships that wait for the partner's e-mail become the partner's."""
    if identity.email:
        where = {"email_key": email_key(identity.email), "partner_id": None}
        await update(session, Membership, {"partner_id": partner_id}, where=where)


async def _find(session: Session, identity: Identity) -> dict[str, str | int | None] | None:
    partner = table(Partner)
    query = session.query.from_(partner).select("id", "name", "email", "email_key", "version")
    where = (partner.issuer == identity.issuer) & (partner.subject == identity.subject)
    rows = await session.rows(query.where(where))
    return rows[0] if rows else None


async def _add(database: Database, identity: Identity) -> str:
    """Two first requests of one partner may come at once: the second finds what the first has written."""
    at = now()
    row: dict[str, Any] = {
        "id": new_id(),
        "issuer": identity.issuer,
        "subject": identity.subject,
        **_told(identity),
        # The token of a machine may tell no name.
        "name": identity.name or identity.subject,
    }
    try:
        async with database.transaction() as session:
            await insert(session, Partner, row | {"created_at": at, "updated_at": at, "version": 1})
            await _bind(session, row["id"], identity)
    except UniqueViolation:
        known = await _find(database.reading(), identity)
        if known is None:
            raise
        return str(known["id"])
    return str(row["id"])


def _told(identity: Identity) -> dict[str, str | None]:
    key = email_key(identity.email) if identity.email else None
    return {"name": identity.name, "email": identity.email, "email_key": key}
