"""Partners: known by the issuer and subject of their tokens, with the name and e-mail that those tell."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.caller import Caller
from app.storage.acts import Act, changed, new_id, now
from app.storage.database import Database
from app.storage.failures import UniqueViolation, unavailable
from app.storage.keys import email_key
from app.storage.ownership import EVERYTHING
from app.storage.records import find
from app.storage.session import Session, insert, update
from app.storage.tables import Partner
from app.storage.writes import change, note, remove_member

# The issuer of partners that came from an export, until a token comes with their e-mail; it issues none.
IMPORTED = "urn:instance-registry:imported"
# Each violation means that another request has written; this many in a row are no coincidence.
TRIES = 8


@dataclass(frozen=True)
class Identity:
    """What a token tells of a partner; `email` only if it is verified."""

    issuer: str
    subject: str
    name: str | None
    email: str | None


async def partner_of(database: Database, identity: Identity, request_id: str) -> str:
    """The id of the partner, written first where it is new or tells another name or e-mail than before.

    Where somebody writes the same at the same moment, what was written is found the next time.
    """
    for _ in range(TRIES):
        with suppress(UniqueViolation):
            return await _told_partner(database, identity, request_id)
    raise unavailable("The partner is being changed at the moment; send the request again.")


async def _told_partner(database: Database, identity: Identity, request_id: str) -> str:
    known = await _find(database.reading(), identity)
    if known is None:
        return await _add(database, identity, request_id)
    told = {key: value for key, value in _told(identity).items() if value is not None}
    # Of who was forgotten nothing is kept again.
    if not known["forgotten"] and any(known[key] != value for key, value in told.items()):
        written = {**told, "updated_at": now(), "version": known["version"] + 1}
        where = {"id": known["id"], "version": known["version"]}
        async with database.transaction() as session:
            await update(session, Partner, written, where=where)
            if known["email_key"] != told.get("email_key", known["email_key"]):
                await _bind(session, known["id"], identity, request_id, known["email"])
    return str(known["id"])


async def partner_by_email(session: Session, email: str) -> str | None:
    """The id of the partner that has this e-mail; of several, the one that came first."""
    rows = await session.rows(
        "SELECT id FROM partner WHERE email_key = $1 ORDER BY created_at, id LIMIT 1", [email_key(email)]
    )
    return rows[0]["id"] if rows else None


async def known_subjects(session: Session, issuer: str, emails: Mapping[str, str]) -> set[str]:
    """Of an issuer's subjects, with their e-mail addresses, those that are partners who have that address."""
    places = ", ".join(f"${number}" for number in range(2, len(emails) + 2))
    rows = await session.rows(
        f"SELECT subject, email_key FROM partner WHERE issuer = $1 AND subject IN ({places})",
        [issuer, *emails],
    )
    return {row["subject"] for row in rows if row["email_key"] == email_key(emails[row["subject"]])}


async def _bind(
    session: Session, partner_id: str, identity: Identity, request_id: str, before: str | None = None
) -> None:
    """Memberships that wait for the partner's e-mail become the partner's."""
    if identity.email is None:
        return
    key = email_key(identity.email)
    await _lock_waiting(session, key)
    bound = await session.rows(
        """UPDATE membership SET partner_id = $1, email = NULL, email_key = NULL, version = version + 1
            WHERE email_key = $2 AND NOT EXISTS (SELECT 1 FROM membership other
                WHERE other.organization_id = membership.organization_id AND other.partner_id = $1)
            RETURNING organization_id""",
        [partner_id, key],
    )
    act = Act(Caller(partner_id, frozenset()), request_id, now())
    if bound:
        organizations = [row["organization_id"] for row in bound]
        changes = changed({"email": before}, {"email": identity.email})
        note(session, act, "Update", "Partner", partner_id, organizations, changes)
    await _merge(session, act, key)


async def _merge(session: Session, act: Act, key: str) -> None:
    """Where the partner is a member already, what waited ends; the greater role of both stays."""
    rows = await session.rows(
        """SELECT waiting.id AS waiting, own.id AS own FROM membership waiting JOIN membership own
            ON own.organization_id = waiting.organization_id AND own.partner_id = $1
            WHERE waiting.email_key = $2""",
        [act.caller.partner_id, key],
    )
    for row in rows:
        waiting = await find(session, "Member", EVERYTHING, "id", row["waiting"])
        own = await find(session, "Member", EVERYTHING, "id", row["own"])
        if waiting is not None and own is not None:
            await remove_member(session, act, waiting)
            if waiting.values["role"] == "owner":
                await change(session, act, own, {"role": "owner"})


async def _lock_waiting(session: Session, key: str) -> None:
    """The e-mail, and the organizations where somebody waits for it, who is not changed or removed meanwhile.

    Which ones they are may change until that is done.
    """
    waiting = "SELECT organization_id FROM membership WHERE email_key = $1"
    while True:
        await session.begin_locking()
        locked = await session.lock_organizations(f"id IN ({waiting})", [key])
        await session.lock_email(key)
        rows = await session.rows(waiting, [key])
        if {row["organization_id"] for row in rows} <= locked:
            return
        await session.give_back_locks()


async def _find(session: Session, identity: Identity) -> dict[str, Any] | None:
    rows = await session.point(
        """SELECT p.id, p.name, p.email, p.email_key, p.version, e.partner_id IS NOT NULL AS forgotten
            FROM partner p LEFT JOIN erasure e ON e.partner_id = p.id
            WHERE p.issuer = $1 AND p.subject = $2""",
        [identity.issuer, identity.subject],
    )
    return rows[0] if rows else None


async def _add(database: Database, identity: Identity, request_id: str) -> str:
    """Raises `UniqueViolation` for the second of two first requests that come at once."""
    at, identifier = now(), new_id()
    row: dict[str, Any] = {
        "id": identifier,
        "issuer": identity.issuer,
        "subject": identity.subject,
        **_told(identity),
        # The token of a machine may tell no name.
        "name": identity.name or identity.subject,
    }
    async with database.transaction() as session:
        row["id"] = await _claim(session, identity, request_id) or row["id"]
        if row["id"] == identifier:
            await insert(session, Partner, row | {"created_at": at, "updated_at": at, "version": 1})
        await _bind(session, row["id"], identity, request_id)
    return str(row["id"])


async def _claim(session: Session, identity: Identity, request_id: str) -> str | None:
    """The id of a partner from an export that has the verified e-mail and was nobody's yet: it is this one's
    from now on, as memberships are that wait for the e-mail."""
    if identity.email is None:
        return None
    key, at = email_key(identity.email), now()
    await session.lock_email(key)
    rows = await session.rows(
        "SELECT id, version FROM partner WHERE issuer = $1 AND email_key = $2 ORDER BY id LIMIT 1",
        [IMPORTED, key],
    )
    if not rows:
        return None
    [found] = rows
    told = {name: value for name, value in _told(identity).items() if value is not None}
    of_token = {"issuer": identity.issuer, "subject": identity.subject}
    written = {**told, **of_token, "updated_at": at, "version": found["version"] + 1}
    await update(session, Partner, written, where={"id": found["id"], "version": found["version"]})
    sql = "SELECT organization_id FROM membership WHERE partner_id = $1"
    organizations = [row["organization_id"] for row in await session.rows(sql, [found["id"]])]
    act = Act(Caller(found["id"], frozenset()), request_id, at)
    changes = changed({}, {"email": identity.email})
    note(session, act, "Update", "Partner", found["id"], organizations, changes)
    return str(found["id"])


def _told(identity: Identity) -> dict[str, str | None]:
    key = email_key(identity.email) if identity.email else None
    return {"name": identity.name, "email": identity.email, "email_key": key}
