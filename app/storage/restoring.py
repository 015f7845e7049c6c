"""Restoring: rows as they were in another database, with their ids and times, each with an activity of now.

What is there already stays as it is, so that the same may be restored again. Partners alone get what they
lack: a file that was cut may have told of one without the e-mail that somebody could come with.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.storage.acts import Act, changed
from app.storage.erasure import EMAIL
from app.storage.keys import email_key, text_key
from app.storage.partners import IMPORTED, partner_by_email
from app.storage.records import taken_handles
from app.storage.session import Session, insert, update
from app.storage.statements import Rows
from app.storage.tables import Authorization, Instance, Membership, Organization, Partner
from app.storage.writes import note

# Of an organization that is known by its id alone, because it created an instance.
UNKNOWN_NAME = "Unknown organization"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be restored, by the JSON key that is at fault."""

    key: str
    message: str


# True: it was written. False: it is there already.
Result = bool | Fault


@dataclass
class Known:
    """What is there of all that a batch of rows names. `placeholders` are organizations known by id alone,
    `nobodys` the partners, by id, whom nobody can come as, `live` the organizations that are locked and
    there, `owners` the organizations by the instances that they own."""

    ids: set[str]
    live: set[str] = field(default_factory=set)
    organizations: set[str] = field(default_factory=set)
    placeholders: set[str] = field(default_factory=set)
    partners: set[str] = field(default_factory=set)
    nobodys: dict[str, Row] = field(default_factory=dict)
    emails: set[str] = field(default_factory=set)
    handles: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)


async def restore(session: Session, act: Act, class_name: str, rows: Sequence[Row]) -> list[Result]:
    """`rows` are by column, and in the order of their ids: two that restore never wait for each other.

    Raises `UniqueViolation` where somebody else writes the same at the same moment.
    """
    know, step = _STEPS[class_name]
    known = await know(session, rows)
    results: list[Result] = []
    for row in rows:
        if row["id"] in known.ids:
            results.append(False)
            continue
        result = await step(session, act, row, known)
        if result is True:
            known.ids.add(row["id"])
        results.append(result)
    return results


async def _know_partners(session: Session, rows: Sequence[Row]) -> Known:
    """`emails` are those of partners who have come."""
    keys = sorted({email_key(row["email"]) for row in rows if row["email"]})
    for key in keys:
        await session.lock_email(key)
    found: Rows = []
    if keys:
        sql = f"SELECT email_key FROM partner WHERE issuer <> $1 AND email_key IN ({_places(keys, 2)})"
        found = await session.rows(sql, [IMPORTED, *keys])
    ids = await _present(session, "partner", _all(rows, "id"))
    nobodys = await _nobodys(session, _all(rows, "id"))
    return Known(ids - nobodys.keys(), nobodys=nobodys, emails={row["email_key"] for row in found})


async def _nobodys(session: Session, ids: Sequence[str]) -> dict[str, Row]:
    """Those of an export that told no e-mail: machines, and people where it was cut before it. Who came
    with a token is none of them, nor is who was forgotten."""
    if not ids:
        return {}
    condition = f"issuer = $1 AND email IS NULL AND id IN ({_places(ids, 2)})"
    found = await session.rows(f"SELECT id, name, version FROM partner WHERE {condition}", [IMPORTED, *ids])
    return {row["id"]: row for row in found}


async def _partner(session: Session, act: Act, row: Row, known: Known) -> Result:
    """Known by no token until one comes with its e-mail. Whoever has come is the partner already."""
    key = email_key(row["email"]) if row["email"] and row["email"] != EMAIL else None
    if row["id"] in known.nobodys:
        return await _complete(session, act, row, None if key in known.emails else key, known)
    if key in known.emails:
        return False
    at = {"created_at": act.at, "updated_at": act.at, "version": 1}
    values = {"id": row["id"], "name": row["name"], "email": row["email"], "email_key": key}
    await insert(session, Partner, values | {"issuer": IMPORTED, "subject": row["id"], **at})
    return True


async def _complete(session: Session, act: Act, row: Row, key: str | None, known: Known) -> Result:
    """It gets the e-mail, and the name with it; a name alone only where it has none. As with a new partner
    nothing else changes: whoever comes with the e-mail is this one, and gets what waits for the e-mail."""
    there = known.nobodys[row["id"]]
    told = {"email": row["email"], "email_key": key} if key else {}
    if row["name"] and row["name"] != there["name"] and (key or there["name"] is None):
        told["name"] = row["name"]
    if not told:
        return False
    written = {**told, "updated_at": act.at, "version": there["version"] + 1}
    where = {"id": row["id"], "version": there["version"]}
    return await update(session, Partner, written, where=where) > 0


async def _know_organizations(session: Session, rows: Sequence[Row]) -> Known:
    ids = _all(rows, "id")
    sql = f"SELECT id, version, deleted_at FROM organization WHERE id IN ({_places(ids)})"
    found = await session.rows(sql, ids)
    # A deletion would have made another version.
    placeholders = {row["id"] for row in found if row["version"] == 1 and row["deleted_at"] is not None}
    return Known({row["id"] for row in found} - placeholders, placeholders=placeholders)


async def _organization(session: Session, act: Act, row: Row, known: Known) -> Result:
    values = {**row, "name_key": text_key(row["name"]), "deleted_at": None, "version": 1}
    if row["id"] in known.placeholders:
        await update(session, Organization, values, where={"id": row["id"]})
    else:
        await insert(session, Organization, values)
    note(session, act, "Create", "Organization", row["id"], [row["id"]], changed({}, {"name": row["name"]}))
    return True


async def _know_members(session: Session, rows: Sequence[Row]) -> Known:
    live = await _lock(session, _all(rows, "organization_id"))
    for key in sorted({email_key(row["email"]) for row in rows if row["email"]}):
        await session.lock_email(key)
    ids = await _present(session, "membership", _all(rows, "id"))
    named = _all(rows, "partner_id")
    partners, nobodys = await _present(session, "partner", named), await _nobodys(session, named)
    return Known(ids, live=live, partners=partners, nobodys=nobodys)


async def _member(session: Session, act: Act, row: Row, known: Known) -> Result:
    """Of its partner or, where that is not there, of who has its e-mail or proves later to have it: also
    in the place of a partner whom nobody can come as, because the e-mail was somebody's already."""
    organization_id, email = row["organization_id"], row["email"]
    if organization_id not in known.live:
        return Fault("organization", "There is no such organization.")
    partner_id = row["partner_id"] if row["partner_id"] in known.partners else None
    if (partner_id is None or partner_id in known.nobodys) and email and email != EMAIL:
        partner_id = await partner_by_email(session, email) or partner_id
    if partner_id is None and not email:
        return Fault("partner", "There is no such partner, and no e-mail address that one could come with.")
    key = None if partner_id else f"forgotten {row['id']}" if email == EMAIL else email_key(email)
    sql = "SELECT id FROM membership WHERE organization_id = $1 AND (partner_id = $2 OR email_key = $3)"
    if await session.rows(sql, [organization_id, partner_id, key]):
        return False
    kept = {name: row[name] for name in ("id", "organization_id", "role", "joined_at")}
    holder = {"partner_id": partner_id, "email": None if partner_id else email, "email_key": key}
    await insert(session, Membership, kept | holder | {"version": 1})
    changes = changed({}, {"email": email, "role": row["role"], "partner": partner_id})
    note(session, act, "Add", "Member", row["id"], [organization_id], changes, organization_id)
    return True


async def _know_instances(session: Session, rows: Sequence[Row]) -> Known:
    live = await _lock(session, _all(rows, "organization_id"))
    organizations = await _present(session, "organization", _all(rows, "created_by_organization_id"))
    ids = await _present(session, "instance", _all(rows, "id"))
    handles = await taken_handles(session, _all(rows, "handle"))
    return Known(ids, live=live, organizations=organizations, handles=handles)


async def _instance(session: Session, act: Act, row: Row, known: Known) -> Result:
    owner, creator = row["organization_id"], row["created_by_organization_id"]
    if row["handle"] in known.handles:
        return Fault("handle", "Another instance has, or once had, this handle.")
    if owner not in known.live:
        return Fault("organization_id", "There is no such organization.")
    if creator not in known.organizations:
        await _placeholder(session, act, creator)
        known.organizations.add(creator)
    await insert(session, Instance, {**row, "name_key": text_key(row["name"]), "version": 1})
    known.handles.add(row["handle"])
    told = {"name": row["name"], "handle": row["handle"], "organization_id": owner}
    note(session, act, "Create", "Instance", row["id"], [owner], changed({}, told))
    return True


async def _placeholder(session: Session, act: Act, identifier: str) -> None:
    """Of an organization that is gone, or that has not been restored yet: nobody sees it."""
    names = {"name": UNKNOWN_NAME, "name_key": text_key(UNKNOWN_NAME)}
    times = dict.fromkeys(("created_at", "updated_at", "deleted_at"), act.at)
    await insert(session, Organization, {"id": identifier, **names, **times, "version": 1})


async def _know_authorizations(session: Session, rows: Sequence[Row]) -> Known:
    instances = _all(rows, "instance_id")
    sql = (
        f"SELECT id, organization_id FROM instance WHERE deleted_at IS NULL AND id IN ({_places(instances)})"
    )
    owners = {row["id"]: row["organization_id"] for row in await session.rows(sql, instances)}
    live = await _lock(session, sorted({*owners.values(), *_all(rows, "organization_id")}))
    # They may have been transferred until the lock was there.
    owners = {row["id"]: row["organization_id"] for row in await session.rows(sql, instances)}
    ids = await _present(session, "instance_authorization", _all(rows, "id"))
    return Known(ids, live=live, owners=owners)


async def _authorization(session: Session, act: Act, row: Row, known: Known) -> Result:
    owner, taker = known.owners.get(row["instance_id"]), row["organization_id"]
    if owner not in known.live:
        return Fault("instance_id", "There is no such instance.")
    if taker not in known.live:
        return Fault("organization_id", "There is no such organization.")
    if taker == owner:
        return Fault("organization_id", "This organization owns the instance.")
    sql = "SELECT id FROM instance_authorization WHERE instance_id = $1 AND organization_id = $2"
    if await session.rows(sql, [row["instance_id"], taker]):
        return False
    await insert(session, Authorization, {**row, "owner_organization_id": owner, "version": 1})
    after = {"instance_id": row["instance_id"], "organization_id": taker, "status": row["status"]}
    concerned = [str(owner), taker]
    note(session, act, "Add", "Authorization", row["id"], concerned, changed({}, after), row["instance_id"])
    return True


async def _lock(session: Session, organizations: Collection[str]) -> set[str]:
    """Those that are there, which nobody deletes meanwhile."""
    condition = f"deleted_at IS NULL AND id IN ({_places(organizations)})"
    return await session.lock_organizations(condition, list(organizations))


async def _present(session: Session, table: str, ids: Collection[str]) -> set[str]:
    if not ids:
        return set()
    rows = await session.rows(f"SELECT id FROM {table} WHERE id IN ({_places(ids)})", list(ids))
    return {row["id"] for row in rows}


def _all(rows: Sequence[Row], column: str) -> list[str]:
    return sorted({row[column] for row in rows if row[column] is not None})


def _places(values: Collection[str], first: int = 1) -> str:
    return ", ".join(f"${number}" for number in range(first, first + len(values)))


_Know = Callable[[Session, Sequence[Row]], Awaitable[Known]]
_Step = Callable[[Session, Act, Row, Known], Awaitable[Result]]
_STEPS: dict[str, tuple[_Know, _Step]] = {
    "Partner": (_know_partners, _partner),
    "Organization": (_know_organizations, _organization),
    "Member": (_know_members, _member),
    "Instance": (_know_instances, _instance),
    "Authorization": (_know_authorizations, _authorization),
}
