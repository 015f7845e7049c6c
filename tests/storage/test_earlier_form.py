"""A PostgreSQL database with triggers as earlier migrations made them comes to have the present ones."""

from __future__ import annotations

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest
from tortoise.migrations.executor import MigrationTarget

import app.storage.database
from app.storage.database import Database
from app.storage.tables import APP_LABEL
from tests.postgres_server import execute
from tests.storage.opening import opened
from tests.storage.rows import add_activity, add_instance, add_organization
from tests.storage.test_migrations import ALL

pytestmark = pytest.mark.anyio

NAME = "0010_sql_that_others_have"
ALL_BUT_CHANGES = (
    "sequence, id, type, object_class, object_id, object_parent_id, actor_id, published, request_id"
)
REFUSING = "EXECUTE FUNCTION refuse_change_of_activity"
REFUSING_ROWS = f"FOR EACH ROW {REFUSING}"
# From the present form to what 0003 and 0007 made until 0010 was there.
PEOPLE = (
    "DROP TRIGGER activity_update ON activity",
    "DROP TRIGGER activity_delete ON activity",
    "DROP TRIGGER activity_organization_change ON activity_organization",
    *(f"DROP FUNCTION {it}()" for it in ("keep_activity", "refuse_change_of_activity")),
    """CREATE FUNCTION refuse_change_of_activity() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_ARGV[0] = 'erasure' AND EXISTS (SELECT 1 FROM erasure WHERE open) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'activities are append-only' USING ERRCODE = 'restrict_violation';
    END $$""",
    f"CREATE TRIGGER activity_update BEFORE UPDATE OF {ALL_BUT_CHANGES} ON activity {REFUSING_ROWS}()",
    f"CREATE TRIGGER activity_changes_update BEFORE UPDATE OF changes ON activity {REFUSING_ROWS}('erasure')",
    f"CREATE TRIGGER activity_delete BEFORE DELETE ON activity {REFUSING_ROWS}()",
    f"CREATE TRIGGER activity_truncate BEFORE TRUNCATE ON activity {REFUSING}()",
    f"""CREATE TRIGGER activity_organization_change BEFORE UPDATE OR DELETE
    ON activity_organization {REFUSING_ROWS}()""",
    f"CREATE TRIGGER activity_organization_truncate BEFORE TRUNCATE ON activity_organization {REFUSING}()",
)
TALLIES = (
    "DROP TRIGGER instance_tally ON instance",
    "DROP TRIGGER instance_tally_change ON instance",
    "DROP FUNCTION tally_instances()",
    """CREATE FUNCTION tally_instances() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
            UPDATE instance_tally SET instances = instances - 1 WHERE organization_id = OLD.organization_id;
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
            INSERT INTO instance_tally (organization_id, instances) VALUES (NEW.organization_id, 1)
            ON CONFLICT (organization_id) DO UPDATE SET instances = instance_tally.instances + 1;
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER instance_tally AFTER INSERT OR DELETE OR UPDATE OF organization_id, deleted_at
    ON instance FOR EACH ROW EXECUTE FUNCTION tally_instances()""",
)
RULES = """SELECT pg_get_triggerdef(oid) AS rule FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT pg_get_functiondef(p.oid) FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public' AND p.prorettype = 'trigger'::regtype
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"""


async def make_earlier(url: str, *others: str, last: str = "0009_whose_was_buried") -> None:
    """A new database, as the migrations up to `last` left one."""
    with pytest.MonkeyPatch.context() as patch:
        target = MigrationTarget(APP_LABEL, last)
        patch.setattr(app.storage.database, "MigrationTarget", lambda *_: target)
        await Database(url).migrate()
    await execute(url, *PEOPLE, *(TALLIES if last >= "0007" else ()), *others)


async def rules(url: str) -> list[str]:
    """The triggers, their functions, and the indexes."""
    async with opened(url) as database:
        return sorted(row["rule"] for row in await database.reading().rows(RULES))


@pytest.mark.parametrize("last", ALL[ALL.index("0003_people") : ALL.index(NAME)])
async def test_a_database_of_an_earlier_form_becomes_as_a_new_one(
    new_postgres_url: str, postgres_url: str, last: str
) -> None:
    await make_earlier(new_postgres_url, last=last)
    assert await rules(new_postgres_url) != await rules(postgres_url)
    assert NAME in await Database(new_postgres_url).migrate()
    assert await rules(new_postgres_url) == await rules(postgres_url)


async def test_what_was_there_is_counted_on_and_kept(new_postgres_url: str) -> None:
    await make_earlier(new_postgres_url)
    async with opened(new_postgres_url) as database:
        async with database.transaction() as session:
            organization = await add_organization(session)
            await add_instance(session, organization, handle="before")
            await add_activity(session)
        await Database(new_postgres_url).migrate()
        async with database.transaction() as session:
            await add_instance(session, organization, handle="after")
            await session.rows("UPDATE instance SET name = 'New', deleted_at = now() WHERE handle = 'before'")
            await add_instance(session, organization, handle="and-then")
        [row] = await database.reading().rows("SELECT instances FROM instance_tally")
        assert row["instances"] == 2
        for statement in ("UPDATE activity SET changes = '[1]'", "DELETE FROM activity"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await database.reading().rows(statement)
