"""Erasure: a person's name and e-mail are replaced wherever they stand; what the person did stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from tortoise.filters import escape_like

from app.storage.activities import lock_sequence
from app.storage.acts import Act, note_of_properties
from app.storage.keys import email_key
from app.storage.remembered_answers import ERASURE_LOCK
from app.storage.session import Session, insert, update
from app.storage.statements import Rows
from app.storage.tables import Erasure, Membership, Partner

NAME, EMAIL = "Forgotten partner", "forgotten@partner.invalid"
PERSONAL = {"name": NAME, "email": EMAIL}


@dataclass(frozen=True)
class Erased:
    """How many memberships and activities said something of the person."""

    memberships: int
    activities: int


async def forget(session: Session, act: Act, partner_id: str) -> Erased | None:
    """None where there is no such partner. It may be done again, and finds what has come since.

    While the erasure is open, which only this transaction sees, the database lets `changes` be replaced.
    """
    await _keep_answers_back(session)
    sql = "SELECT id, name, email_key, version FROM partner WHERE id = $1"
    rows = await session.rows(sql, [partner_id])
    if not rows:
        return None
    [partner] = rows
    await _lock(session, partner)
    await _open(session, act, partner_id)
    activities, addresses = await _about(session, partner)
    members = await _memberships(session, partner_id, addresses)
    for activity in activities:
        sql = "UPDATE activity SET changes = $1 WHERE sequence = $2"
        await session.rows(sql, [_redacted(activity["changes"]), activity["sequence"]])
    subjects = {partner_id, *(row["id"] for row in members), *(row["object_id"] for row in activities)}
    await _forget_answers(session, partner, subjects | addresses)
    await _replace(session, act, partner, members)
    await update(session, Erasure, {"open": False}, where={"partner_id": partner_id})
    organizations = {row["organization_id"] for row in (*members, *await _concerned(session, activities))}
    session.notes.append(note_of_properties(act, "Update", "Partner", partner_id, organizations, PERSONAL))
    return Erased(len(members), len(activities))


async def _keep_answers_back(session: Session) -> None:
    """Until nothing is known of the person that a new one could tell."""
    if session.dialect == "postgres":
        await session.rows("SELECT pg_advisory_xact_lock($1)", [ERASURE_LOCK])


async def _lock(session: Session, partner: dict[str, Any]) -> None:
    """Nobody removes a member or writes an activity meanwhile, which would tell of the person again."""
    condition = "id IN (SELECT organization_id FROM membership WHERE partner_id = $1 OR email_key = $2)"
    await session.lock_organizations(condition, [partner["id"], partner["email_key"]])
    await session.lock_email(str(partner["email_key"]))
    await lock_sequence(session)


async def _open(session: Session, act: Act, partner_id: str) -> None:
    if not await update(session, Erasure, {"open": True}, where={"partner_id": partner_id}):
        await insert(session, Erasure, {"partner_id": partner_id, "erased_at": act.at, "open": True})


async def _about(session: Session, partner: dict[str, Any]) -> tuple[list[dict[str, Any]], set[str]]:
    """The activities that tell of the person, and the keys of all e-mail addresses that they tell.

    Those about the partner and its memberships, the past ones among them, whose end names the partner; then
    all others that tell one of these addresses.
    """
    sql = "SELECT id FROM membership WHERE partner_id = $1"
    members = await session.rows(sql, [partner["id"]])
    named = await _telling(session, str(partner["id"]))
    found: dict[int, dict[str, Any]] = {}
    for object_id in {partner["id"], *(row["id"] for row in members), *(row["object_id"] for row in named)}:
        sql = "SELECT sequence, object_id, changes FROM activity WHERE object_id = $1"
        found |= {row["sequence"]: row for row in await session.rows(sql, [object_id])}
    addresses = {partner["email_key"]} | {key for row in found.values() for key in _addresses(row["changes"])}
    addresses -= {None, email_key(EMAIL)}
    for address in addresses:
        telling = await _telling(session, address)
        found |= {row["sequence"]: row for row in telling if address in _addresses(row["changes"])}
    return [row for row in found.values() if _redacted(row["changes"]) != row["changes"]], addresses


async def _telling(session: Session, text: str) -> Rows:
    """Activities about members that hold a text, in any case of A to Z."""
    by_bytes = ' COLLATE "C"' if session.dialect == "postgres" else ""
    return await session.rows(
        f"""SELECT sequence, object_id, changes FROM activity
            WHERE object_class IN ('Member', 'Partner') AND lower(changes{by_bytes}) LIKE $1 ESCAPE '\\'""",
        [f"%{escape_like(text)}%"],
    )


def _addresses(changes: str) -> set[str]:
    """The keys of the e-mail addresses in changes."""
    told = [change for change in orjson.loads(changes) if change["property"] == "email"]
    return {email_key(change[side]) for change in told for side in ("before", "after") if side in change}


async def _memberships(session: Session, partner_id: str, addresses: Iterable[str]) -> Rows:
    """The partner's, and those that wait for one of the addresses."""
    columns = "SELECT id, organization_id, email_key, version FROM membership"
    found = [*await session.rows(f"{columns} WHERE partner_id = $1", [partner_id])]
    for address in addresses:
        found += await session.rows(f"{columns} WHERE email_key = $1", [address])
    return found


async def _forget_answers(session: Session, partner: dict[str, Any], told: Iterable[str]) -> None:
    """Those to the partner, and those to others that tell of it: its name, or one of `told`."""
    await session.rows("DELETE FROM remembered_answer WHERE partner_id = $1", [partner["id"]])
    by_bytes = ' COLLATE "C"' if session.dialect == "postgres" else ""
    name = orjson.dumps({"name": partner["name"]}).decode()[1:-1]
    for text in (name, *told):
        await session.rows(
            f"""DELETE FROM remembered_answer
                WHERE lower((header_fields || coalesce(content, '')){by_bytes}) LIKE $1 ESCAPE '\\'""",
            [f"%{escape_like(text.encode().lower().decode())}%"],  # of A to Z alone, as the databases do
        )


def _redacted(changes: str) -> str:
    """The same changes, without what they tell of a person."""
    redacted = [
        {
            key: PERSONAL[change["property"]]
            if key != "property" and change["property"] in PERSONAL
            else value
            for key, value in change.items()
        }
        for change in orjson.loads(changes)
    ]
    return orjson.dumps(redacted).decode()


async def _replace(
    session: Session, act: Act, partner: dict[str, Any], members: Iterable[dict[str, Any]]
) -> None:
    """No token brings a membership again that waited for the e-mail."""
    nothing = {"email_key": None, "token_iat": None}
    written = PERSONAL | nothing | {"updated_at": act.at, "version": partner["version"] + 1}
    await update(session, Partner, written, where={"id": partner["id"]})
    for row in members:
        if row["email_key"] is not None:
            placeholder = {
                "email": EMAIL,
                "email_key": f"forgotten {row['id']}",
                "version": row["version"] + 1,
            }
            await update(session, Membership, placeholder, where={"id": row["id"]})


async def _concerned(session: Session, activities: Iterable[dict[str, Any]]) -> Rows:
    found: list[dict[str, Any]] = []
    for activity in activities:
        sql = "SELECT organization_id FROM activity_organization WHERE activity_id = $1"
        found += await session.rows(sql, [activity["sequence"]])
    return found
