"""Authorizations, tombstones and erasures; members by e-mail; activities that no statement changes."""

from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


def references(name: str, model: str, **options: Any) -> tuple[str, Any]:
    return name, fields.ForeignKeyField(
        f"registry.{model}",
        source_field=f"{name}_id",
        related_name=False,
        on_delete=fields.RESTRICT,
        **options,
    )


def check(model: str, name: str, expression: str) -> ops.AddConstraint:
    return ops.AddConstraint(model, CheckConstraint(check=expression, name=name))


def unique(model: str, name: str, *columns: str) -> ops.AddConstraint:
    return ops.AddConstraint(model, UniqueConstraint(fields=columns, name=name))


def index(model: str, name: str, *columns: str) -> ops.AddIndex:
    return ops.AddIndex(model, Index(fields=columns, name=name))


async def keep_one_holder(apps: Any, editor: Any) -> None:
    """A membership is a partner's or waits for an e-mail address, never both."""
    await editor.client.execute_query(
        'UPDATE "membership" SET "email" = NULL, "email_key" = NULL WHERE "partner_id" IS NOT NULL'
    )


# What SQLite loses of a table when the CHECK rebuilds it.
LOST = (
    'CREATE UNIQUE INDEX "membership_organization_id_partner_id_key"'
    ' ON "membership" ("organization_id", "partner_id")',
    'CREATE INDEX "membership_partner_id_organization_id_idx" ON "membership" ("partner_id", "organization_id")',
    'CREATE INDEX "membership_email_key_idx" ON "membership" ("email_key")',
)


async def restore_what_sqlite_lost(apps: Any, editor: Any) -> None:
    if editor.DIALECT == "sqlite":
        for statement in LOST:
            await editor.client.execute_query(statement)


ALL_BUT_CHANGES = (
    '"sequence", "id", "type", "object_class", "object_id", "object_parent_id", "actor_id", "published",'
    ' "request_id"'
)
SQLITE_REFUSES = "BEGIN SELECT RAISE(ABORT, 'activities are append-only'); END"
SQLITE_RULES = (
    f'CREATE TRIGGER "activity_update" BEFORE UPDATE OF {ALL_BUT_CHANGES} ON "activity" {SQLITE_REFUSES}',
    'CREATE TRIGGER "activity_changes_update" BEFORE UPDATE OF "changes" ON "activity"'
    f' WHEN NOT EXISTS (SELECT 1 FROM "erasure" WHERE "open") {SQLITE_REFUSES}',
    f'CREATE TRIGGER "activity_delete" BEFORE DELETE ON "activity" {SQLITE_REFUSES}',
    f'CREATE TRIGGER "activity_organization_update" BEFORE UPDATE ON "activity_organization" {SQLITE_REFUSES}',
    f'CREATE TRIGGER "activity_organization_delete" BEFORE DELETE ON "activity_organization" {SQLITE_REFUSES}',
)
# Brackets around NEW and OLD, and comparing instead of naming columns: CockroachDB takes it only so.
SAME_BUT_CHANGES, SAME_CHANGES = (
    " AND ".join(f"(NEW).{column} IS NOT DISTINCT FROM (OLD).{column}" for column in columns.split(", "))
    for columns in (ALL_BUT_CHANGES, '"changes"')
)
POSTGRES_REFUSES = "RAISE EXCEPTION 'activities are append-only' USING ERRCODE = 'restrict_violation';"
POSTGRES_RULES = (
    f"""CREATE FUNCTION "refuse_change_of_activity"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        {POSTGRES_REFUSES}
    END $$""",
    f"""CREATE FUNCTION "keep_activity"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {SAME_BUT_CHANGES} AND ({SAME_CHANGES} OR EXISTS (SELECT 1 FROM "erasure" WHERE "open")) THEN
            RETURN NEW;
        END IF;
        {POSTGRES_REFUSES}
    END $$""",
    'CREATE TRIGGER "activity_update" BEFORE UPDATE ON "activity"'
    " FOR EACH ROW EXECUTE FUNCTION keep_activity()",
    'CREATE TRIGGER "activity_delete" BEFORE DELETE ON "activity"'
    " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_activity()",
    'CREATE TRIGGER "activity_organization_change" BEFORE UPDATE OR DELETE ON "activity_organization"'
    " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_activity()",
)


async def refuse_changes_of_activities(apps: Any, editor: Any) -> None:
    for statement in SQLITE_RULES if editor.DIALECT == "sqlite" else POSTGRES_RULES:
        await editor.client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_constraints")]

    operations = [
        ops.CreateModel(
            name="Authorization",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                references("instance", "Instance"),
                references("organization", "Organization"),
                references("owner_organization", "Organization"),
                ("status", fields.CharField(max_length=10)),
                ("created_at", fields.DatetimeField()),
                ("accepted_at", fields.DatetimeField(null=True)),
                ("version", fields.IntField()),
            ],
            options={"table": "instance_authorization", "app": "registry"},
        ),
        ops.CreateModel(
            name="Tombstone",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("class_name", fields.CharField(max_length=40)),
                ("parent_id", fields.UUIDField()),
                references("organization", "Organization"),
                references("counterpart", "Organization", null=True),
                ("counterpart_role", fields.CharField(max_length=10, null=True)),
                ("deleted_at", fields.DatetimeField()),
            ],
            options={"table": "tombstone", "app": "registry"},
        ),
        ops.CreateModel(
            name="Erasure",
            fields=[
                (
                    "partner",
                    fields.OneToOneField(
                        "registry.Partner",
                        source_field="partner_id",
                        related_name=False,
                        on_delete=fields.RESTRICT,
                        primary_key=True,
                    ),
                ),
                ("erased_at", fields.DatetimeField()),
                ("open", fields.BooleanField()),
            ],
            options={"table": "erasure", "app": "registry"},
        ),
        ops.AddField("Activity", "object_parent_id", fields.UUIDField(null=True)),
        ops.RunPython(keep_one_holder),
        check("Membership", "membership_holder_check", '("partner_id" IS NULL) <> ("email_key" IS NULL)'),
        check(
            "Authorization",
            "instance_authorization_status_check",
            "\"status\" = 'accepted' AND \"accepted_at\" IS NOT NULL"
            " OR \"status\" = 'pending' AND \"accepted_at\" IS NULL",
        ),
        check(
            "Authorization",
            "instance_authorization_organization_check",
            '"organization_id" <> "owner_organization_id"',
        ),
        check("Authorization", "instance_authorization_version_check", '"version" >= 1'),
        ops.RunPython(restore_what_sqlite_lost),
        unique("Membership", "membership_organization_id_email_key_key", "organization_id", "email_key"),
        unique(
            "Authorization",
            "instance_authorization_instance_id_organization_id_key",
            "instance_id",
            "organization_id",
        ),
        index("Authorization", "instance_authorization_organization_id_idx", "organization_id"),
        index("Authorization", "instance_authorization_owner_organization_id_idx", "owner_organization_id"),
        index("Instance", "instance_created_by_organization_id_idx", "created_by_organization_id"),
        index("Activity", "activity_actor_id_idx", "actor_id"),
        index("ActivityOrganization", "activity_organization_activity_id_idx", "activity_id"),
        ops.RunPython(refuse_changes_of_activities),
    ]
