"""Records: what the tables hold, found within what a caller may see.

Who may see a row is one condition of the query that reads it, never a filter afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pypika_tortoise.enums import JoinType
from pypika_tortoise.queries import QueryBuilder, Table
from pypika_tortoise.terms import Criterion
from tortoise.models import Model

from app.caller import READ_ALL, Caller
from app.storage.session import Session
from app.storage.tables import Instance, Membership, Organization, Partner, table


@dataclass(frozen=True)
class Record:
    """A row, by the local name of its class.

    `values` are its columns that are JSON keys; `organization_id` is the organization whose members may see
    it, `role` the caller's role there; `occupied` is whether an organization still owns an instance.
    """

    class_name: str
    id: str
    version: int
    values: Mapping[str, str | None]
    organization_id: str | None
    role: str | None
    deleted_at: str | None
    occupied: bool = False


@dataclass(frozen=True)
class Kind:
    """How a class lies in its table; `organization` is the column of the organization concerned."""

    class_name: str
    model: type[Model]
    columns: tuple[str, ...]
    organization: str | None


KINDS = {
    kind.class_name: kind
    for kind in (
        Kind("Organization", Organization, ("id", "name", "created_at", "updated_at"), "id"),
        Kind(
            "Instance",
            Instance,
            (
                "id",
                "name",
                "handle",
                "created_at",
                "updated_at",
                "organization_id",
                "created_by_organization_id",
            ),
            "organization_id",
        ),
        Kind("Partner", Partner, ("id", "name", "email"), None),
    )
}


async def find(session: Session, class_name: str, caller: Caller, column: str, value: str) -> Record | None:
    """The record with this value in a unique column, deleted or not; None where the caller sees none."""
    kind = KINDS[class_name]
    target = table(kind.model)
    query = visible(session, kind, caller).where(target[column] == value)
    rows = await session.rows(query)
    return read_row(kind, rows[0]) if rows else None


async def find_locked(
    session: Session, class_name: str, caller: Caller, column: str, value: str
) -> Record | None:
    """As `find`, with the organization concerned locked first; it may change until that is done."""
    found = await find(session, class_name, caller, column, value)
    # The transaction of SQLite has made all other writers wait already.
    while session.dialect != "sqlite" and found is not None and found.organization_id is not None:
        await session.lock_organization(found.organization_id)
        again = await find(session, class_name, caller, column, value)
        if again is None or again.organization_id == found.organization_id:
            return again
        found = again
    return found


async def owns_any(session: Session, caller: Caller) -> bool:
    """Whether the caller is an owner of any organization that is there."""
    membership, organization = table(Membership), table(Organization)
    query = (
        session.query.from_(membership)
        .join(organization)
        .on(organization.id == membership.organization_id)
        .where((membership.partner_id == caller.partner_id) & (membership.role == "owner"))
        .where(organization.deleted_at.isnull())
        .select(membership.id)
        .limit(1)
    )
    return bool(await session.rows(query))


async def taken_handles(session: Session, handles: list[str]) -> set[str]:
    """Which of these an instance has, or once had."""
    instance = table(Instance)
    query = session.query.from_(instance).select(instance.handle).where(instance.handle.isin(handles))
    return {row["handle"] for row in await session.rows(query)}


def visible(session: Session, kind: Kind, caller: Caller) -> QueryBuilder:
    """The rows of a class that the caller may see, with the caller's role in the organization concerned."""
    target = table(kind.model)
    query = session.query.from_(target).select(*(target[column] for column in kind.columns), target.version)
    if kind.organization is None:
        return _visible_partners(session, query, target, caller)
    membership = table(Membership)
    join = JoinType.left if READ_ALL in caller.scopes else JoinType.inner
    concerned = (membership.organization_id == target[kind.organization]) & (
        membership.partner_id == caller.partner_id
    )
    query = query.select(target.deleted_at, membership.role).join(membership, join).on(concerned)
    if kind.model is Organization:
        query = query.select(_first_instance(session, target).as_("first_instance"))
    return query


def _visible_partners(session: Session, query: QueryBuilder, target: Table, caller: Caller) -> QueryBuilder:
    """Partners see themselves and their fellow members."""
    if READ_ALL in caller.scopes:
        return query
    mine, theirs = table(Membership).as_("mine"), table(Membership).as_("theirs")
    fellows = (
        session.query.from_(theirs)
        .join(mine)
        .on(mine.organization_id == theirs.organization_id)
        .where((mine.partner_id == caller.partner_id) & theirs.partner_id.notnull())
        .select(theirs.partner_id)
    )
    return query.where(Criterion.any([target.id == caller.partner_id, target.id.isin(fellows)]))


def _first_instance(session: Session, organization: Table) -> QueryBuilder:
    instance = table(Instance).as_("owned")
    return (
        session.query.from_(instance)
        .where((instance.organization_id == organization.id) & instance.deleted_at.isnull())
        .select(instance.id)
        .limit(1)
    )


def read_row(kind: Kind, row: Mapping[str, Any]) -> Record:
    return Record(
        class_name=kind.class_name,
        id=row["id"],
        version=row["version"],
        values={column: row[column] for column in kind.columns},
        organization_id=row[kind.organization] if kind.organization else None,
        role=row.get("role"),
        deleted_at=row.get("deleted_at"),
        occupied=row.get("first_instance") is not None,
    )
