"""Erasure: a person's name and e-mail are replaced wherever they stand; what the person did stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from app.storage.acts import Act, note_of_properties
from app.storage.session import Session, insert, update
from app.storage.tables import Erasure, Membership, Partner

NAME, EMAIL = "Forgotten partner", "forgotten@partner.invalid"
PERSONAL = {"name": NAME, "email": EMAIL}


@dataclass(frozen=True)
class Erased:
    """How many memberships and activities said something of the person."""

    memberships: int
    activities: int


async def forget(session: Session, act: Act, partner_id: str) -> Erased | None:
    """None where there is no such partner, or it was forgotten before.

    While the erasure is open, which only this transaction sees, the database lets `changes` be replaced.
    """
    partner = await _known(session, partner_id)
    if partner is None:
        return None
    await insert(session, Erasure, {"partner_id": partner_id, "erased_at": act.at, "open": True})
    members = await _memberships(session, partner)
    activities = await _activities(session, partner_id, [row["id"] for row in members])
    for activity in activities:
        sql = "UPDATE activity SET changes = $1 WHERE sequence = $2"
        await session.rows_sql(sql, [_redacted(activity["changes"]), activity["sequence"]])
    await _replace(session, act, partner, members)
    await update(session, Erasure, {"open": False}, where={"partner_id": partner_id})
    organizations = {row["organization_id"] for row in (*members, *await _concerned(session, activities))}
    session.notes.append(note_of_properties(act, "Update", "Partner", partner_id, organizations, PERSONAL))
    return Erased(len(members), len(activities))


async def _known(session: Session, partner_id: str) -> dict[str, Any] | None:
    rows = await session.rows_sql(
        """SELECT id, email_key, version FROM partner
            WHERE id = $1 AND id NOT IN (SELECT partner_id FROM erasure)""",
        [partner_id],
    )
    return rows[0] if rows else None


async def _memberships(session: Session, partner: dict[str, Any]) -> list[dict[str, Any]]:
    """The partner's, and those that wait for its e-mail."""
    return await session.rows_sql(
        "SELECT id, organization_id, email_key FROM membership WHERE partner_id = $1 OR email_key = $2",
        [partner["id"], partner["email_key"]],
    )


async def _activities(session: Session, partner_id: str, members: Iterable[str]) -> list[dict[str, Any]]:
    """About the partner and its memberships, those that are over among them: their end names the partner."""
    ended = await session.rows_sql(
        "SELECT object_id FROM activity WHERE object_class = 'Member' AND changes LIKE $1",
        [f"%{partner_id}%"],
    )
    found = []
    for object_id in sorted({partner_id, *members, *(row["object_id"] for row in ended)}):
        sql = "SELECT sequence, changes FROM activity WHERE object_id = $1"
        found += await session.rows_sql(sql, [object_id])
    return [row for row in found if _redacted(row["changes"]) != row["changes"]]


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
    written = PERSONAL | {"email_key": None, "updated_at": act.at, "version": partner["version"] + 1}
    await update(session, Partner, written, where={"id": partner["id"]})
    for row in members:
        if row["email_key"] is not None:
            placeholder = {"email": EMAIL, "email_key": f"forgotten {row['id']}"}
            await update(session, Membership, placeholder, where={"id": row["id"]})


async def _concerned(session: Session, activities: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for activity in activities:
        sql = "SELECT organization_id FROM activity_organization WHERE activity_id = $1"
        found += await session.rows_sql(sql, [activity["sequence"]])
    return found
