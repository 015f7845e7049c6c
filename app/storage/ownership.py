"""Ownership: authorizations of organizations for an instance, and its transfer to one of them."""

from __future__ import annotations

from app.caller import READ_ALL, Caller
from app.storage.acts import Act, changed, new_id
from app.storage.kinds import KINDS
from app.storage.records import Record, read_rows, selected
from app.storage.session import Session, insert
from app.storage.tables import Authorization
from app.storage.writes import at, bury, delete, note, note_of, write_version

# What a transfer or a deletion ends is found whoever asks for it.
EVERYTHING = Caller(None, frozenset({READ_ALL}))


async def offer(session: Session, act: Act, instance: Record, organization_id: str, *, accepted: bool) -> str:
    """Its id. Raises `UniqueViolation` for an organization that has one already."""
    identifier, [owner] = new_id(), instance.concerned
    status = "accepted" if accepted else "pending"
    row = {
        "id": identifier,
        "instance_id": instance.id,
        "organization_id": organization_id,
        "owner_organization_id": owner,
        "status": status,
        "created_at": act.at,
        "accepted_at": act.at if accepted else None,
        "version": 1,
    }
    await insert(session, Authorization, row)
    after = {"instance_id": instance.id, "organization_id": organization_id, "status": status}
    concerned = [owner, organization_id]
    note(session, act, "Add", "Authorization", identifier, concerned, changed({}, after), instance.id)
    return identifier


async def accept(session: Session, act: Act, record: Record) -> bool:
    """Whether the record still had its version."""
    if not await write_version(session, record, {"status": "accepted", "accepted_at": act.at}):
        return False
    note_of(session, act, "Update", record, changed({"status": "pending"}, {"status": "accepted"}))
    return True


async def revoke(session: Session, act: Act, record: Record) -> bool:
    """Whether the record still had its version."""
    if not await _end(session, act, record):
        return False
    before = {key: str(record.values[key]) for key in ("instance_id", "organization_id", "status")}
    note_of(session, act, "Remove", record, changed(before, {}))
    return True


async def transfer(session: Session, act: Act, instance: Record, organization_id: str) -> bool:
    """Whether the instance still had its version. All of its authorizations end."""
    ended = await _authorizations(session, "instance_id", instance.id)
    for authorization in ended:
        await _end(session, act, authorization)
    written = {"organization_id": organization_id, "updated_at": at(act, instance)}
    if not await write_version(session, instance, written):
        return False
    [owner] = instance.concerned
    changes = changed({"organization_id": owner}, {"organization_id": organization_id})
    note_of(session, act, "Move", instance, changes, _concerned(ended) | {organization_id})
    return True


async def is_authorized(session: Session, instance_id: str, organization_id: str) -> bool:
    sql = """SELECT id FROM instance_authorization
        WHERE instance_id = $1 AND organization_id = $2 AND status = 'accepted'"""
    return bool(await session.rows(sql, [instance_id, organization_id]))


async def delete_instance(session: Session, act: Act, instance: Record) -> bool:
    """Whether the instance still had its version. Its authorizations tell who could see it, and stay."""
    ended = await _authorizations(session, "instance_id", instance.id)
    return await delete(session, act, instance, _concerned(ended))


async def delete_organization(session: Session, act: Act, organization: Record) -> bool:
    """Whether the organization still had its version. What it was offered ends."""
    ended = await _authorizations(session, "organization_id", organization.id)
    for authorization in ended:
        await _end(session, act, authorization)
    return await delete(session, act, organization, _concerned(ended))


async def _authorizations(session: Session, column: str, identifier: str) -> list[Record]:
    kind = KINDS["Authorization"]
    condition = f"a.{column} = $2 AND {kind.deleted_at} IS NULL"
    sql = f"SELECT {selected(kind, True, session.dialect)} FROM {kind.source} WHERE {condition}"
    rows = await session.rows(sql, [EVERYTHING.partner_id, identifier])
    return read_rows(kind, rows, True)


async def _end(session: Session, act: Act, record: Record) -> bool:
    """A tombstone is for those who could see it: what was pending, for owners of the other side alone."""
    role = "member" if record.values["status"] == "accepted" else "owner"
    return await bury(session, act, record, counterpart_id=record.concerned[1], counterpart_role=role)


def _concerned(records: list[Record]) -> set[str]:
    return {organization_id for record in records for organization_id in record.concerned}
