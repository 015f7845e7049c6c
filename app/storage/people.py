"""Members: added by e-mail, to be bound to the partner who proves to have it."""

from __future__ import annotations

from app.storage.acts import Act, changed
from app.storage.keys import email_key
from app.storage.partners import partner_by_email
from app.storage.session import Session
from app.storage.writes import Owner, insert_membership, note


async def add_member(session: Session, act: Act, organization_id: str, email: str, role: str) -> str:
    """Its id. Raises `UniqueViolation` for who is a member already."""
    who = await who_has(session, email)
    identifier = await insert_membership(session, act, organization_id, who, role)
    changes = changed({}, {"email": email, "role": role, "partner": who.partner_id})
    note(session, act, "Add", "Member", identifier, [organization_id], changes, organization_id)
    return identifier


async def who_has(session: Session, email: str) -> Owner:
    """The partner or, where none has come with the e-mail yet, whoever will: who proves it waits from here
    on, and finds what was written. Organizations that are there already are locked before."""
    await session.lock_email(email_key(email))
    partner_id = await partner_by_email(session, email)
    return Owner(partner_id, None if partner_id else email)


async def count_members(session: Session, organization_id: str) -> int:
    sql = "SELECT count(*) AS found FROM membership WHERE organization_id = $1"
    [row] = await session.rows(sql, [organization_id])
    return int(row["found"])
