"""How many instances each organization has, so that nobody has to count them.

The databases keep it themselves: whatever writes an instance, an earlier release beside this one among them, keeps
it right (docs/decisions/0037-instances-are-tallied.md).
"""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

OF_EACH = (
    'INSERT INTO "instance_tally" ("organization_id", "instances")'
    ' SELECT "organization_id", count(*) FROM "instance" WHERE "deleted_at" IS NULL GROUP BY "organization_id"'
)
ONE_LESS = 'UPDATE "instance_tally" SET "instances" = "instances" - 1 WHERE "organization_id" = {}."organization_id"'
ONE_MORE = (
    'INSERT INTO "instance_tally" ("organization_id", "instances") VALUES ({}."organization_id", 1)'
    ' ON CONFLICT ("organization_id") DO UPDATE SET "instances" = "instance_tally"."instances" + 1'
)
LESS, MORE = ONE_LESS.format("OLD"), ONE_MORE.format("NEW")
# What may change whose it is, and whether it is there.
DECIDING = '"organization_id", "deleted_at"'
SQLITE = (
    'CREATE TRIGGER "instance_tally_insert" AFTER INSERT ON "instance"'
    f' WHEN NEW."deleted_at" IS NULL BEGIN {MORE}; END',
    'CREATE TRIGGER "instance_tally_delete" AFTER DELETE ON "instance"'
    f' WHEN OLD."deleted_at" IS NULL BEGIN {LESS}; END',
    f'CREATE TRIGGER "instance_tally_leave" AFTER UPDATE OF {DECIDING} ON "instance"'
    f' WHEN OLD."deleted_at" IS NULL BEGIN {LESS}; END',
    f'CREATE TRIGGER "instance_tally_come" AFTER UPDATE OF {DECIDING} ON "instance"'
    f' WHEN NEW."deleted_at" IS NULL BEGIN {MORE}; END',
)
# Brackets around NEW and OLD, and comparing instead of naming columns: CockroachDB takes it only so.
DIFFERS = " OR ".join(f"(OLD).{column} IS DISTINCT FROM (NEW).{column}" for column in DECIDING.split(", "))
POSTGRES = (
    f"""CREATE FUNCTION "tally_instances"() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' AND (OLD)."deleted_at" IS NULL THEN
            {ONE_LESS.format("(OLD)")};
        END IF;
        IF TG_OP <> 'DELETE' AND (NEW)."deleted_at" IS NULL THEN
            {ONE_MORE.format("(NEW)")};
        END IF;
        RETURN NULL;
    END $$""",
    'CREATE TRIGGER "instance_tally" AFTER INSERT OR DELETE ON "instance"'
    " FOR EACH ROW EXECUTE FUNCTION tally_instances()",
    'CREATE TRIGGER "instance_tally_change" AFTER UPDATE ON "instance"'
    f" FOR EACH ROW WHEN ({DIFFERS}) EXECUTE FUNCTION tally_instances()",
)


async def tally(apps: Any, editor: Any) -> None:
    """The triggers come first: on PostgreSQL that keeps writers away until the migration is over."""
    for statement in (*(SQLITE if editor.DIALECT == "sqlite" else POSTGRES), OF_EACH):
        await editor.client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("registry", "0006_growth")]

    operations = [
        ops.CreateModel(
            name="InstanceTally",
            fields=[
                (
                    "organization",
                    fields.OneToOneField(
                        "registry.Organization",
                        source_field="organization_id",
                        related_name=False,
                        on_delete=fields.RESTRICT,
                        primary_key=True,
                    ),
                ),
                ("instances", fields.BigIntField()),
            ],
            options={"table": "instance_tally", "app": "registry"},
        ),
        ops.RunPython(tally),
    ]
