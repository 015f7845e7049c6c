"""Writes: every change with its activity, in the transaction that the caller has opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson
from uuid_utils import uuid7

from app.caller import Caller
from app.storage.keys import email_key, text_key
from app.storage.records import KINDS, Record
from app.storage.session import Session, insert, update
from app.storage.tables import Activity, ActivityOrganization, Instance, Membership, Organization


@dataclass(frozen=True)
class Act:
    """Who does something, in which request, and when."""

    caller: Caller
    request_id: str
    at: datetime


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid7())


@dataclass(frozen=True)
class Owner:
    """Who an organization gets as its owner: a partner or, by e-mail, one who has not come yet."""

    partner_id: str | None
    email: str | None = None


async def create_organization(session: Session, act: Act, name: str, owner: Owner) -> str:
    """Its id. It has one owner and no other members."""
    identifier = new_id()
    row = {"id": identifier, "name": name, "name_key": text_key(name), **_first_version(act)}
    await insert(session, Organization, row)
    membership = {
        "id": new_id(),
        "organization_id": identifier,
        "partner_id": owner.partner_id,
        "email": owner.email,
        "email_key": email_key(owner.email) if owner.email else None,
        "role": "owner",
        "joined_at": act.at,
        "version": 1,
    }
    await insert(session, Membership, membership)
    await _record(session, act, "Create", "Organization", identifier, [identifier], created(name=name))
    return identifier


async def create_instance(session: Session, act: Act, organization_id: str, name: str, handle: str) -> str:
    """Its id. Raises `UniqueViolation` if any instance has, or once had, the handle."""
    identifier = new_id()
    owners = {"organization_id": organization_id, "created_by_organization_id": organization_id}
    row = {"id": identifier, "name": name, "name_key": text_key(name), "handle": handle, **owners}
    await insert(session, Instance, row | _first_version(act))
    changes = created(name=name, handle=handle, organization_id=organization_id)
    await _record(session, act, "Create", "Instance", identifier, [organization_id], changes)
    return identifier


async def change(session: Session, act: Act, record: Record, values: Mapping[str, str]) -> bool:
    """Whether the record still had its version; nothing is written if no value differs."""
    differing = {column: value for column, value in values.items() if record.values[column] != value}
    if not differing:
        return True
    written: dict[str, object] = {**differing, "updated_at": _at(act, record), "version": record.version + 1}
    if "name" in differing:
        written["name_key"] = text_key(differing["name"])
    changes = [
        {"property": column, "before": record.values[column], "after": value}
        for column, value in differing.items()
    ]
    return await _write(session, act, "Update", record, written, changes)


async def delete(session: Session, act: Act, record: Record) -> bool:
    """Whether the record still had its version; it stays as its tombstone."""
    written = {"deleted_at": _at(act, record), "version": record.version + 1}
    return await _write(session, act, "Delete", record, written, [])


def _at(act: Act, record: Record) -> datetime:
    """When it happens; never before the last change, even if the clock has stepped back."""
    return max(act.at, datetime.fromisoformat(record.values["updated_at"] or ""))


async def _write(
    session: Session,
    act: Act,
    type_: str,
    record: Record,
    written: Mapping[str, object],
    changes: Sequence[Mapping[str, str | None]],
) -> bool:
    """Compare and set in one statement: the version is compared where it is set."""
    where = {"id": record.id, "version": record.version, "deleted_at": None}
    if not await update(session, KINDS[record.class_name].model, written, where=where):
        return False
    concerned = [record.organization_id] if record.organization_id else []
    await _record(session, act, type_, record.class_name, record.id, concerned, changes)
    return True


def created(**values: str) -> list[dict[str, str | None]]:
    return [{"property": key, "before": None, "after": value} for key, value in values.items()]


async def _record(
    session: Session,
    act: Act,
    type_: str,
    class_name: str,
    identifier: str,
    organizations: Sequence[str],
    changes: Sequence[Mapping[str, str | None]],
) -> None:
    sequence = await insert(
        session,
        Activity,
        {
            "id": new_id(),
            "type": type_,
            "object_class": class_name,
            "object_id": identifier,
            "actor_id": act.caller.partner_id,
            "published": act.at,
            "changes": orjson.dumps(list(changes)).decode(),
            "request_id": act.request_id,
        },
    )
    for organization_id in organizations:
        await insert(
            session, ActivityOrganization, {"activity_id": sequence, "organization_id": organization_id}
        )


def _first_version(act: Act) -> dict[str, object]:
    return {"created_at": act.at, "updated_at": act.at, "version": 1}
