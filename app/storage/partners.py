"""Partners: known by the issuer and subject of their tokens, with the name and e-mail that those tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
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
    """What a token tells of a partner; `email` only if it is verified. `issued` is its `iat`, in seconds;
    `stand_in` is what people see where no name is told, if that is not the subject."""

    issuer: str
    subject: str
    name: str | None
    email: str | None
    issued: int | None = None
    stand_in: str | None = None

    @property
    def unnamed(self) -> str:
        """What stands for the name of a machine, whose token may tell none."""
        return self.stand_in or self.subject


async def partner_of(database: Database, identity: Identity, request_id: str) -> str:
    """The id of the partner, written first where it is new or tells another name or e-mail than before.

    Where somebody writes the same at the same moment, what was written is found the next time.
    """
    for number in range(TRIES):
        with suppress(UniqueViolation):
            partner_id = await _told_partner(database, identity, request_id, again=number > 0)
            if partner_id is not None:
                return partner_id
    raise unavailable("The partner is being changed at the moment; send the request again.")


async def _told_partner(
    database: Database, identity: Identity, request_id: str, *, again: bool
) -> str | None:
    """None where somebody else has changed the partner meanwhile: a newer token may have told of it."""
    known = await _find(database.reading(), identity)
    if known is None:
        return await _add(database, identity, request_id)
    told = _newly_told(known, identity, again=again)
    if told:
        written = {**told, "updated_at": now(), "version": known["version"] + 1}
        where = {"id": known["id"], "version": known["version"]}
        proved = known["email_key"] != told.get("email_key", known["email_key"])
        async with database.transaction() as session:
            imported = await _lock_waiting(session, str(told["email_key"])) if proved else []
            if not await update(session, Partner, written, where=where):
                return None
            if proved:
                await _bind(session, known["id"], identity, imported, request_id)
    return str(known["id"])


def _newly_told(known: Mapping[str, Any], identity: Identity, *, again: bool) -> dict[str, Any]:
    """What is to be written of a partner who is known: nothing of who was forgotten. A token that was issued
    before the one that told last tells only what that left open; `again`, for that one was faster, also one
    of the same second."""
    told = {key: value for key, value in _told(identity).items() if value is not None}
    since, issued = known["token_iat"], identity.issued
    is_older = since is not None and issued is not None and issued < since + again
    if is_older:
        open_name = known["name"] == identity.unnamed
        told = {k: it for k, it in told.items() if known[k] is None or (k == "name" and open_name)}
    if known["forgotten"] or all(known[key] == value for key, value in told.items()):
        return {}
    return told if is_older else told | {"token_iat": issued}


async def partner_by_email(session: Session, email: str) -> str | None:
    """The id of the partner that has this e-mail; of several, the one of whom a token told last, for an
    address may be given to somebody else."""
    rows = await session.rows(
        """SELECT id FROM partner WHERE email_key = $1
            ORDER BY COALESCE(token_iat, 0) DESC, updated_at DESC, id DESC LIMIT 1""",
        [email_key(email)],
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


async def imported_twice(session: Session) -> list[list[str]]:
    """The ids of partners from exports that nobody has come as, in groups that share one e-mail address."""
    rows = await session.rows(
        """SELECT id, email_key FROM partner WHERE issuer = $1 AND EXISTS (SELECT 1 FROM partner other
                WHERE other.email_key = partner.email_key AND other.issuer = $1 AND other.id <> partner.id)
            ORDER BY email_key, id""",
        [IMPORTED],
    )
    found = groupby(rows, key=itemgetter("email_key"))
    return [[row["id"] for row in alike] for _, alike in found]


async def _bind(
    session: Session, partner_id: str, identity: Identity, imported: Sequence[str], request_id: str
) -> None:
    """Memberships that wait for the partner's e-mail become the partner's, and so do those of partners from
    exports that have it, who are then gone, as nobody else could be them. `_lock_waiting` comes first.

    Whoever reads the activity may have known nothing of the partner before, and so is not told what its
    e-mail was.
    """
    if identity.email is None:
        return
    act = Act(Caller(partner_id, frozenset()), request_id, now())
    organizations = await _take_over(session, act, "email_key", email_key(identity.email))
    for other in imported:
        organizations += await _take_over(session, act, "partner_id", other)
        await session.rows("UPDATE tombstone SET partner_id = $1 WHERE partner_id = $2", [partner_id, other])
        await session.rows("DELETE FROM partner WHERE id = $1", [other])
    if organizations:
        changes = changed({}, {"email": identity.email})
        note(session, act, "Update", "Partner", partner_id, organizations, changes)


async def _take_over(session: Session, act: Act, column: str, value: str) -> list[str]:
    """What is held by the value of a column becomes the partner's; in which organizations."""
    rows = await session.rows(
        f"""UPDATE membership SET partner_id = $1, email = NULL, email_key = NULL, version = version + 1
            WHERE {column} = $2 AND NOT EXISTS (SELECT 1 FROM membership other
                WHERE other.organization_id = membership.organization_id AND other.partner_id = $1)
            RETURNING organization_id""",
        [act.caller.partner_id, value],
    )
    return [row["organization_id"] for row in rows] + await _merge(session, act, column, value)


async def _merge(session: Session, act: Act, column: str, value: str) -> list[str]:
    """Where the partner is a member already, what was held ends; the greater role of both stays."""
    rows = await session.rows(
        f"""SELECT held.id AS held, own.id AS own, own.organization_id
            FROM membership held JOIN membership own
            ON own.organization_id = held.organization_id AND own.partner_id = $1
            WHERE held.{column} = $2""",
        [act.caller.partner_id, value],
    )
    for row in rows:
        held = await find(session, "Member", EVERYTHING, "id", row["held"])
        own = await find(session, "Member", EVERYTHING, "id", row["own"])
        if held is not None and own is not None:
            await remove_member(session, act, held)
            if held.values["role"] == "owner":
                await change(session, act, own, {"role": "owner"})
    return [row["organization_id"] for row in rows]


async def _lock_waiting(session: Session, key: str) -> list[str]:
    """The organizations where somebody waits for the e-mail, or has it from an export, who is not changed or
    removed meanwhile; then the e-mail: in this order, as everybody locks. The ids of those from exports.

    Which ones they are may change until that is done.
    """
    await session.lock_coming(key)
    imported: list[str] = []
    while True:
        places = ", ".join(f"${number}" for number in range(2, len(imported) + 2))
        theirs = f" OR partner_id IN ({places})" if imported else ""
        waiting = f"SELECT organization_id FROM membership WHERE email_key = $1{theirs}"
        await session.begin_locking()
        locked = await session.lock_organizations(f"id IN ({waiting})", [key, *imported])
        await session.lock_email(key)
        rows = await session.rows(waiting, [key, *imported])
        known, imported = imported, await _imported(session, key)
        if imported == known and {row["organization_id"] for row in rows} <= locked:
            return imported
        await session.give_back_locks()


async def _imported(session: Session, key: str) -> list[str]:
    """The partners from exports that have an e-mail and were nobody's yet."""
    sql = "SELECT id FROM partner WHERE email_key = $1 AND issuer = $2 ORDER BY id"
    return [row["id"] for row in await session.rows(sql, [key, IMPORTED])]


async def _find(session: Session, identity: Identity) -> dict[str, Any] | None:
    rows = await session.point(
        """SELECT p.id, p.name, p.email, p.email_key, p.token_iat, p.version,
                e.partner_id IS NOT NULL AS forgotten
            FROM partner p LEFT JOIN erasure e ON e.partner_id = p.id
            WHERE p.issuer = $1 AND p.subject = $2""",
        [identity.issuer, identity.subject],
    )
    return rows[0] if rows else None


async def _add(database: Database, identity: Identity, request_id: str) -> str:
    """Raises `UniqueViolation` for the second of two first requests that come at once."""
    at = now()
    row: dict[str, Any] = {
        "id": new_id(),
        "issuer": identity.issuer,
        "subject": identity.subject,
        **_told(identity),
        "name": identity.name or identity.unnamed,
        "token_iat": identity.issued if identity.name or identity.email else None,
    }
    async with database.transaction() as session:
        imported: list[str] = []
        if identity.email is not None:
            imported = await _lock_waiting(session, email_key(identity.email))
        if imported:
            row["id"] = imported.pop(0)
            await _claim(session, row["id"], identity, request_id)
        else:
            await insert(session, Partner, row | {"created_at": at, "updated_at": at, "version": 1})
        await _bind(session, row["id"], identity, imported, request_id)
    return str(row["id"])


async def _claim(session: Session, partner_id: str, identity: Identity, request_id: str) -> None:
    """A partner from an export that has the verified e-mail, and was nobody's yet, is this one's from now on,
    as memberships are that wait for the e-mail. `_lock_waiting` comes first."""
    [found] = await session.rows("SELECT version FROM partner WHERE id = $1", [partner_id])
    told = {name: value for name, value in _told(identity).items() if value is not None}
    of_token = {"issuer": identity.issuer, "subject": identity.subject}
    act = Act(Caller(partner_id, frozenset()), request_id, now())
    written = {
        **told,
        **of_token,
        "token_iat": identity.issued,
        "updated_at": act.at,
        "version": found["version"] + 1,
    }
    await update(session, Partner, written, where={"id": partner_id, "version": found["version"]})
    sql = "SELECT organization_id FROM membership WHERE partner_id = $1"
    organizations = [row["organization_id"] for row in await session.rows(sql, [partner_id])]
    changes = changed({}, {"email": identity.email})
    note(session, act, "Update", "Partner", partner_id, organizations, changes)


def _told(identity: Identity) -> dict[str, str | None]:
    key = email_key(identity.email) if identity.email else None
    return {"name": identity.name, "email": identity.email, "email_key": key}
