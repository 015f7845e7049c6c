"""What the databases hold true by themselves: read back from both, and each broken by an attempt."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

from app.storage.database import Database, Session, UniqueViolation, insert
from app.storage.tables import TABLES, Activity, Erasure
from tests.storage.catalogue import read_constraints, read_indexes
from tests.storage.opening import opened
from tests.storage.rows import (
    NOW,
    add_activity,
    add_authorization,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
    add_remembered_answer,
    list_activity,
)

pytestmark = pytest.mark.anyio

CHECKS = {
    "organization_name_check",
    "organization_version_check",
    "organization_deleted_at_check",
    "instance_name_check",
    "instance_handle_check",
    "instance_version_check",
    "instance_deleted_at_check",
    "partner_version_check",
    "membership_role_check",
    "membership_version_check",
    "membership_holder_check",
    "instance_authorization_status_check",
    "instance_authorization_organization_check",
    "instance_authorization_version_check",
    "activity_type_check",
}
UNIQUES = {
    ("instance", "handle"),
    ("partner", "issuer,subject"),
    ("membership", "organization_id,partner_id"),
    ("membership", "organization_id,email_key"),
    ("instance_authorization", "instance_id,organization_id"),
    ("activity", "id"),
    ("activity_organization", "organization_id,activity_id"),
    ("remembered_answer", "partner_id,path,idempotency_key"),
}
REFERENCES = {
    ("instance", "organization_id", "organization", "RESTRICT"),
    ("instance", "created_by_organization_id", "organization", "RESTRICT"),
    ("membership", "organization_id", "organization", "CASCADE"),
    ("membership", "partner_id", "partner", "RESTRICT"),
    ("instance_tally", "organization_id", "organization", "RESTRICT"),
    ("instance_authorization", "instance_id", "instance", "RESTRICT"),
    ("instance_authorization", "organization_id", "organization", "RESTRICT"),
    ("instance_authorization", "owner_organization_id", "organization", "RESTRICT"),
    ("tombstone", "organization_id", "organization", "RESTRICT"),
    ("tombstone", "counterpart_id", "organization", "RESTRICT"),
    ("tombstone", "partner_id", "partner", "SET NULL"),
    ("erasure", "partner_id", "partner", "RESTRICT"),
    ("remembered_answer", "partner_id", "partner", "RESTRICT"),
    ("activity", "actor_id", "partner", "RESTRICT"),
    ("activity_organization", "activity_id", "activity", "CASCADE"),
    ("activity_organization", "organization_id", "organization", "CASCADE"),
}
INDEXES = {
    ("partner_email_key_idx", "email_key"),
    ("membership_partner_id_organization_id_idx", "partner_id,organization_id"),
    ("membership_email_key_idx", "email_key"),
    ("tombstone_partner_id_idx", "partner_id"),
    ("activity_object_id_idx", "object_id"),
    ("activity_actor_id_idx", "actor_id"),
    ("activity_organization_activity_id_idx", "activity_id"),
    ("instance_created_by_organization_id_idx", "created_by_organization_id"),
    ("instance_authorization_owner_organization_id_idx", "owner_organization_id"),
    ("remembered_answer_created_at_idx", "created_at"),
}
# What Tortoise does not declare: of rows that are there, or of an expression.
LIVE_INDEXES = {
    ("organization_live_created_at_idx", "created_at,id WHERE deleted_at IS NULL"),
    ("organization_live_updated_at_idx", "updated_at,id WHERE deleted_at IS NULL"),
    ("organization_live_name_idx", "substr name_key,1,64 WHERE deleted_at IS NULL"),
    ("instance_live_created_at_idx", "created_at,id WHERE deleted_at IS NULL"),
    ("instance_live_updated_at_idx", "updated_at,id WHERE deleted_at IS NULL"),
    ("instance_live_name_idx", "substr name_key,1,64 WHERE deleted_at IS NULL"),
    ("instance_authorization_organization_idx", "organization_id,created_at,id"),
}
OF_ORGANIZATION = {
    "sqlite": "organization_id,created_at,id,deleted_at WHERE deleted_at IS NULL",
    "postgres": "organization_id,created_at,id WHERE deleted_at IS NULL",
}
TRIGRAM_INDEXES = {
    ("organization_text_idx", "name_key gin_trgm_ops WHERE deleted_at IS NULL"),
    ("instance_name_text_idx", "name_key gin_trgm_ops WHERE deleted_at IS NULL"),
    ("instance_handle_text_idx", "handle gin_trgm_ops WHERE deleted_at IS NULL"),
}
# What a migration that rebuilds one of these tables has to make again on SQLite.
TRIGGERS = {
    "activity": {"activity_update", "activity_changes_update", "activity_delete"},
    "activity_organization": {"activity_organization_update", "activity_organization_delete"},
    "instance": {
        *("instance_text_insert", "instance_text_update"),
        *(f"instance_tally_{event}" for event in ("insert", "delete", "leave", "come")),
    },
    "instance_text": {"instance_text_batch"},
    "organization": {"organization_text_insert", "organization_text_update"},
    "organization_text": {"organization_text_batch"},
}


async def test_every_constraint_stands_in_the_database(database: Database) -> None:
    checks, uniques, references = await read_constraints(database.reading())
    assert checks == CHECKS
    assert uniques == UNIQUES
    assert references == REFERENCES


async def test_every_index_stands_in_the_database(database: Database) -> None:
    found = await read_indexes(database.reading())
    trigrams = {(name, definition) for name, definition in found if "gin_trgm_ops" in definition}
    of_organization = ("instance_live_organization_idx", OF_ORGANIZATION[database.reading().dialect])
    assert found - trigrams == INDEXES | LIVE_INDEXES | {of_organization}
    assert trigrams in (set(), TRIGRAM_INDEXES)


async def test_every_trigger_stands_in_a_sqlite_database(database: Database) -> None:
    if database.dialect == "sqlite":
        sql = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'"
        rows = await database.reading().rows(sql)
        found = {(row["tbl_name"], row["name"]) for row in rows}
        assert found == {(table, name) for table, names in TRIGGERS.items() for name in names}


def test_the_tables_declare_what_the_databases_hold() -> None:
    declared = [constraint for model in TABLES for constraint in model._meta.constraints]
    assert {rule.name for rule in declared if isinstance(rule, CheckConstraint)} == CHECKS
    together = {(rule.name, ",".join(rule.fields)) for rule in declared if isinstance(rule, UniqueConstraint)}
    assert together == {
        ("_".join((table, *columns.split(","), "key")), columns)
        for table, columns in UNIQUES
        if "," in columns
    }
    indexes = [index for model in TABLES for index in model._meta.indexes if isinstance(index, Index)]
    assert {(index.name, ",".join(index.fields)) for index in indexes} == INDEXES


Attempt = Callable[[Session], Awaitable[object]]


async def same_handle(session: Session) -> None:
    organization_id = await add_organization(session)
    await add_instance(session, organization_id, handle="taken", deleted_at=NOW)
    await add_instance(session, organization_id, handle="taken")


async def same_subject(session: Session) -> None:
    await add_partner(session, subject="1")
    await add_partner(session, subject="1", issuer="https://other.example")
    await add_partner(session, subject="1")


async def same_member(session: Session) -> None:
    organization_id, partner_id = await add_organization(session), await add_partner(session)
    await add_membership(session, organization_id)
    await add_membership(session, organization_id)  # two that wait for a partner are no conflict
    await add_membership(session, organization_id, partner_id=partner_id)
    await add_membership(session, organization_id, partner_id=partner_id)


async def same_address(session: Session) -> None:
    organization_id = await add_organization(session)
    await add_membership(session, organization_id, email_key="a@id.example")
    await add_membership(session, await add_organization(session), email_key="a@id.example")
    await add_membership(session, organization_id, email_key="a@id.example")


async def same_authorization(session: Session) -> None:
    owner, organization_id = await add_organization(session), await add_organization(session)
    instance_id = await add_instance(session, owner)
    named = {"instance_id": instance_id, "organization_id": organization_id, "owner_organization_id": owner}
    await add_authorization(session, **named)
    await add_authorization(session, **named)


async def same_activity(session: Session) -> None:
    activity_id = str(uuid4())
    await add_activity(session, id=activity_id)
    await add_activity(session, id=activity_id)


async def same_listing(session: Session) -> None:
    activity_id, organization_id = await add_activity(session), await add_organization(session)
    await list_activity(session, activity_id, organization_id)
    await list_activity(session, activity_id, organization_id)


async def same_key(session: Session) -> None:
    partner_id = await add_partner(session)
    for path, key in (("/a", "1"), ("/a", "2"), ("/b", "1"), ("/a", "1")):
        await add_remembered_answer(session, partner_id, path=path, idempotency_key=key)


async def same_id(session: Session) -> None:
    await add_organization(session, id=await add_organization(session))


@pytest.mark.parametrize(
    ("attempt", "table", "column"),
    [
        (same_handle, "instance", "handle"),
        (same_subject, "partner", "issuer,subject"),
        (same_member, "membership", "organization_id,partner_id"),
        (same_address, "membership", "organization_id,email_key"),
        (same_authorization, "instance_authorization", "instance_id,organization_id"),
        (same_activity, "activity", "id"),
        (same_listing, "activity_organization", "organization_id,activity_id"),
        (same_key, "remembered_answer", "partner_id,path,idempotency_key"),
        (same_id, "organization", "id"),
    ],
)
async def test_what_is_taken_is_refused_with_the_same_words_by_both(
    database: Database, attempt: Attempt, table: str, column: str
) -> None:
    with pytest.raises(UniqueViolation) as caught:
        async with database.transaction() as session:
            await attempt(session)
    assert (caught.value.table, caught.value.column) == (table, column)


async def authorization_of_the_owner(session: Session) -> None:
    owner = await add_organization(session)
    await add_authorization(session, owner_organization_id=owner, organization_id=owner)


YESTERDAY = NOW.replace(year=2025)
CHECK_BREAKERS: list[tuple[str, Attempt]] = [
    ("organization_name_check", lambda session: add_organization(session, name="")),
    ("organization_version_check", lambda session: add_organization(session, version=0)),
    ("organization_deleted_at_check", lambda session: add_organization(session, deleted_at=YESTERDAY)),
    ("instance_name_check", lambda session: instance_with(session, name="")),
    ("instance_handle_check", lambda session: instance_with(session, handle="")),
    ("instance_version_check", lambda session: instance_with(session, version=0)),
    ("instance_deleted_at_check", lambda session: instance_with(session, deleted_at=YESTERDAY)),
    ("partner_version_check", lambda session: add_partner(session, version=0)),
    ("membership_role_check", lambda session: membership_with(session, role="guest")),
    ("membership_version_check", lambda session: membership_with(session, version=0)),
    ("membership_holder_check", lambda session: membership_with(session, email_key=None)),
    ("instance_authorization_status_check", lambda session: add_authorization(session, status="accepted")),
    ("instance_authorization_status_check", lambda session: add_authorization(session, accepted_at=NOW)),
    ("instance_authorization_organization_check", authorization_of_the_owner),
    ("instance_authorization_version_check", lambda session: add_authorization(session, version=0)),
    ("activity_type_check", lambda session: add_activity(session, type="Like")),
]


async def instance_with(session: Session, **changes: Any) -> None:
    await add_instance(session, await add_organization(session), **changes)


async def membership_with(session: Session, **changes: Any) -> None:
    await add_membership(session, await add_organization(session), **changes)


def test_every_check_is_broken_by_an_attempt() -> None:
    assert {name for name, _ in CHECK_BREAKERS} == CHECKS


@pytest.mark.parametrize(("name", "attempt"), CHECK_BREAKERS)
async def test_a_check_refuses_what_breaks_it(database: Database, name: str, attempt: Attempt) -> None:
    with pytest.raises((sqlite3.IntegrityError, asyncpg.CheckViolationError), match=name):
        async with database.transaction() as session:
            await attempt(session)


async def test_a_handle_longer_than_a_host_label_of_ours_is_refused(database: Database) -> None:
    refusals = (sqlite3.IntegrityError, asyncpg.CheckViolationError, asyncpg.StringDataRightTruncationError)
    with pytest.raises(refusals):
        async with database.transaction() as session:
            await instance_with(session, handle="a" * 31)


NOBODY = str(uuid4())


async def listing_of_nothing(session: Session) -> None:
    await list_activity(session, 404, await add_organization(session))


async def listing_under_nobody(session: Session) -> None:
    await list_activity(session, await add_activity(session), NOBODY)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda session: add_instance(session, NOBODY),
        lambda session: instance_with(session, created_by_organization_id=NOBODY),
        lambda session: add_membership(session, NOBODY),
        lambda session: membership_with(session, partner_id=NOBODY),
        lambda session: add_activity(session, actor_id=NOBODY),
        lambda session: add_remembered_answer(session, NOBODY),
        listing_of_nothing,
        listing_under_nobody,
    ],
)
async def test_a_reference_to_nothing_is_refused(database: Database, attempt: Attempt) -> None:
    with pytest.raises((sqlite3.IntegrityError, asyncpg.ForeignKeyViolationError)):
        async with database.transaction() as session:
            await attempt(session)


async def test_an_organization_that_an_instance_names_cannot_be_removed(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
        await add_instance(session, organization_id)
    # PostgreSQL 18 tells RESTRICT from an ordinary reference.
    refusals = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)
    with pytest.raises(refusals):
        await database.reading().rows("DELETE FROM organization WHERE id = $1", [organization_id])


async def test_what_an_organization_alone_holds_goes_with_it(database: Database) -> None:
    async with database.transaction() as session:
        organization_id = await add_organization(session)
        await add_membership(session, organization_id, partner_id=await add_partner(session))
        await session.rows("DELETE FROM organization WHERE id = $1", [organization_id])
        assert await session.rows("SELECT id FROM membership") == []


REFUSED = (sqlite3.IntegrityError, asyncpg.RestrictViolationError)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE activity SET type = 'Move'",
        "UPDATE activity SET changes = '[1]'",
        "UPDATE activity SET actor_id = NULL",
        "DELETE FROM activity",
        "UPDATE activity_organization SET activity_id = activity_id",
        "DELETE FROM activity_organization",
        "DELETE FROM organization",
    ],
)
async def test_no_statement_changes_or_removes_an_activity(database: Database, statement: str) -> None:
    async with database.transaction() as session:
        activity = await add_activity(session, actor_id=await add_partner(session))
        await list_activity(session, activity, await add_organization(session))
    with pytest.raises(REFUSED, match="append-only"):
        await database.reading().rows(statement)


async def test_postgres_does_not_empty_the_activities_alone(postgres_url: str) -> None:
    """Nor all that refers to them (CASCADE), to who does not own the tables (`test_postgres`)."""
    async with opened(postgres_url) as database:
        with pytest.raises(asyncpg.FeatureNotSupportedError, match="referenced in a foreign key"):
            await database.reading().rows("TRUNCATE activity")


async def test_a_column_that_a_later_release_adds_to_activities_may_be_filled(database: Database) -> None:
    async with database.transaction() as session:
        await add_activity(session)
        await session.rows("ALTER TABLE activity ADD COLUMN later TEXT")
        await session.rows("UPDATE activity SET later = 'filled'")
        assert await session.rows("SELECT later FROM activity") == [{"later": "filled"}]


# Of an activity, by its columns, but for its changes.
OTHER_VALUES = {
    "sequence": "sequence + 1",
    "type": "'Update'",
    "object_class": "'Instance'",
    "published": "'2027-01-01T00:00:00Z'",
    "request_id": "'2'",
    **dict.fromkeys(("id", "object_id", "object_parent_id", "actor_id"), f"'{uuid4()}'"),
}


async def test_an_open_erasure_lets_the_changes_of_an_activity_be_replaced_and_nothing_else(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await add_activity(session)
        row = {"partner_id": await add_partner(session), "erased_at": NOW, "open": True}
        await insert(session, Erasure, row)
        await session.rows("UPDATE activity SET changes = '[2]'")
    assert await database.reading().rows("SELECT changes FROM activity") == [{"changes": "[2]"}]
    assert {*OTHER_VALUES, "changes"} == set(Activity._meta.fields_db_projection.values())
    for column, value in OTHER_VALUES.items():
        with pytest.raises(REFUSED, match="append-only"):
            await database.reading().rows(f"UPDATE activity SET {column} = {value}, changes = '[3]'")
    async with database.transaction() as session:
        await session.rows("UPDATE erasure SET open = FALSE")
    with pytest.raises(REFUSED, match="append-only"):
        await database.reading().rows("UPDATE activity SET changes = '[3]'")
