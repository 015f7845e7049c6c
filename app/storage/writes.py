"""Writes: every change with its activity, in the transaction that the caller has opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.storage.acts import Act, Change, Note, changed, new_id, now
from app.storage.keys import email_key, text_key
from app.storage.kinds import KINDS
from app.storage.records import Record
from app.storage.session import Session, insert, update
from app.storage.tables import Instance, Membership, Organization, Tombstone
from app.storage.telling import inserted, updated

__all__ = [
    "Act",
    "Owner",
    "add_instance",
    "change",
    "create_instance",
    "create_organization",
    "delete",
    "new_id",
    "now",
]


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
    await insert_membership(session, act, identifier, owner, "owner")
    note(session, act, "Create", "Organization", identifier, [identifier], changed({}, {"name": name}))
    return identifier


async def insert_membership(session: Session, act: Act, organization_id: str, who: Owner, role: str) -> str:
    """Its id. Raises `UniqueViolation` for who is a member already."""
    identifier = new_id()
    row = {
        "id": identifier,
        "organization_id": organization_id,
        "partner_id": who.partner_id,
        "email": who.email,
        "email_key": email_key(who.email) if who.email else None,
        "role": role,
        "joined_at": act.at,
        "version": 1,
    }
    await insert(session, Membership, row)
    return identifier


async def remove_member(session: Session, act: Act, record: Record) -> bool:
    """Whether the record still had its version."""
    partner_id = record.values["partner_id"]
    if not await bury(session, act, record, partner_id=partner_id):
        return False
    values = {"email": record.values["email"], "role": record.values["role"]}
    named = {"partner": partner_id}
    before = {key: str(value) for key, value in (values | named).items() if value is not None}
    note_of(session, act, "Remove", record, changed(before, {}))
    return True


async def create_instance(session: Session, act: Act, organization_id: str, name: str, handle: str) -> str:
    """Its id. Raises `UniqueViolation` if any instance has, or once had, the handle."""
    row, noted = _new_instance(act, organization_id, name, handle)
    await insert(session, Instance, row)
    session.notes.append(noted)
    return str(row["id"])


async def add_instance(
    session: Session, act: Act, organization_id: str, name: str, handle: str
) -> Record | None:
    """As `create_instance`, with the instance as who acts sees it."""
    row, noted = _new_instance(act, organization_id, name, handle)
    return await inserted(session, noted, row)


def _new_instance(act: Act, organization_id: str, name: str, handle: str) -> tuple[dict[str, object], Note]:
    identifier = new_id()
    changes = changed({}, {"name": name, "handle": handle, "organization_id": organization_id})
    noted = Note(act, "Create", "Instance", identifier, frozenset((organization_id,)), changes)
    owners = {"organization_id": organization_id, "created_by_organization_id": organization_id}
    row = {"id": identifier, "name": name, "name_key": text_key(name), "handle": handle, **owners}
    return row | _first_version(act), noted


async def change(
    session: Session, act: Act, record: Record, values: Mapping[str, str], type_: str = "Update"
) -> Record | None:
    """The record as it is then, to who acts; None if it had not its version any more. Nothing is written if
    no value differs."""
    differing = {column: value for column, value in values.items() if record.values[column] != value}
    if not differing:
        return record
    written: dict[str, object] = {**differing}
    if "updated_at" in record.values:
        written["updated_at"] = at(act, record)
    if "name" in differing:
        written["name_key"] = text_key(differing["name"])
    before = {column: str(record.values[column]) for column in differing}
    noted = _note_of(act, type_, record, changed(before, differing))
    return await updated(session, noted, *_next_version(record, written))


async def delete(session: Session, act: Act, record: Record, also_concerned: Iterable[str] = ()) -> bool:
    """Whether the record still had its version; it stays as its own tombstone."""
    if not await write_version(session, record, {"deleted_at": at(act, record)}):
        return False
    note_of(session, act, "Delete", record, (), also_concerned)
    return True


def at(act: Act, record: Record) -> datetime:
    """When it happens; never before the last change, even if the clock has stepped back."""
    return max(act.at, datetime.fromisoformat(str(record.values["updated_at"])))


async def write_version(session: Session, record: Record, written: Mapping[str, object]) -> bool:
    """Whether the record still had its version."""
    values, where = _next_version(record, written)
    return bool(await update(session, KINDS[record.class_name].model, values, where=where))


def _next_version(
    record: Record, written: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Compare and set in one statement: the version is compared where it is set."""
    where: dict[str, object] = {"id": record.id, "version": record.version}
    columns = KINDS[record.class_name].model._meta.fields_map  # noqa: SLF001 - Tortoise's public place for it
    if "deleted_at" in columns:
        where["deleted_at"] = None
    return {**written, "version": record.version + 1}, where


async def bury(session: Session, act: Act, record: Record, **who_else: object) -> bool:
    """Whether the record still had its version; a tombstone that says nothing of it takes its place.

    `who_else` could see it beside the organization's members: columns of the tombstone.
    """
    table = KINDS[record.class_name].model._meta.db_table  # noqa: SLF001 - Tortoise's public place for it
    sql = f'DELETE FROM "{table}" WHERE id = $1 AND version = $2 RETURNING id'
    if not await session.rows(sql, [record.id, record.version]):
        return False
    row = {
        "id": record.id,
        "class_name": record.class_name,
        "parent_id": record.parent_id,
        "organization_id": record.concerned[0],
        "deleted_at": act.at,
        **who_else,
    }
    await insert(session, Tombstone, row)
    return True


def note_of(
    session: Session,
    act: Act,
    type_: str,
    record: Record,
    changes: tuple[Change, ...],
    also_concerned: Iterable[str] = (),
) -> None:
    session.notes.append(_note_of(act, type_, record, changes, also_concerned))


def _note_of(
    act: Act, type_: str, record: Record, changes: tuple[Change, ...], also_concerned: Iterable[str] = ()
) -> Note:
    concerned = frozenset((*record.concerned, *also_concerned))
    return Note(act, type_, record.class_name, record.id, concerned, changes, record.parent_id)


def note(
    session: Session,
    act: Act,
    type_: str,
    class_name: str,
    identifier: str,
    organizations: Iterable[str],
    changes: tuple[Change, ...],
    parent_id: str | None = None,
) -> None:
    session.notes.append(
        Note(act, type_, class_name, identifier, frozenset(organizations), changes, parent_id)
    )


def _first_version(act: Act) -> dict[str, object]:
    return {"created_at": act.at, "updated_at": act.at, "version": 1}
