"""What the databases themselves hold true, and what the reads need.

The order matters: on SQLite every CHECK rebuilds its table, and a rebuilt table keeps only its columns with
their UNIQUE and REFERENCES, and its CHECKs. So the CHECKs come first; unique constraints over several
columns and indexes after them. **A later migration that adds a CHECK to a table or alters a field of it
must add these again**, on SQLite; `tests/storage` reads them all back.
"""

from typing import Any

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint

BYTE_WISE = (
    ("organization", "name_key", "TEXT"),
    ("instance", "name_key", "TEXT"),
    ("instance", "handle", "VARCHAR(30)"),
)


async def collate_byte_wise(apps: Any, editor: Any) -> None:
    if editor.DIALECT != "postgres":
        return  # SQLite compares bytes unless told otherwise
    _, [about] = await editor.client.execute_query("SELECT version() AS version")
    if about["version"].startswith("CockroachDB"):
        return  # so does this one, and a column cannot be told to
    for table, column, type_ in BYTE_WISE:
        await editor.client.execute_script(
            f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {type_} COLLATE "C"'
        )


def check(model: str, name: str, expression: str) -> ops.AddConstraint:
    return ops.AddConstraint(model, CheckConstraint(check=expression, name=name))


def unique(model: str, name: str, *columns: str) -> ops.AddConstraint:
    return ops.AddConstraint(model, UniqueConstraint(fields=columns, name=name))


def index(model: str, name: str, *columns: str) -> ops.AddIndex:
    return ops.AddIndex(model, Index(fields=columns, name=name))


class Migration(migrations.Migration):
    dependencies = [("registry", "0001_tables")]

    operations = [
        check("Organization", "organization_name_check", "\"name\" <> ''"),
        check("Organization", "organization_version_check", '"version" >= 1'),
        check(
            "Organization",
            "organization_deleted_at_check",
            '"deleted_at" IS NULL OR "deleted_at" >= "created_at"',
        ),
        check("Instance", "instance_name_check", "\"name\" <> ''"),
        check("Instance", "instance_handle_check", 'length("handle") BETWEEN 1 AND 30'),
        check("Instance", "instance_version_check", '"version" >= 1'),
        check(
            "Instance", "instance_deleted_at_check", '"deleted_at" IS NULL OR "deleted_at" >= "created_at"'
        ),
        check("Partner", "partner_version_check", '"version" >= 1'),
        check("Membership", "membership_role_check", "\"role\" IN ('owner', 'member')"),
        check("Membership", "membership_version_check", '"version" >= 1'),
        check(
            "Activity",
            "activity_type_check",
            "\"type\" IN ('Create', 'Update', 'Delete', 'Move', 'Add', 'Remove')",
        ),
        unique("Partner", "partner_issuer_subject_key", "issuer", "subject"),
        unique("Membership", "membership_organization_id_partner_id_key", "organization_id", "partner_id"),
        unique(
            "ActivityOrganization",
            "activity_organization_organization_id_activity_id_key",
            "organization_id",
            "activity_id",
        ),
        index("Organization", "organization_created_at_id_idx", "created_at", "id"),
        index(
            "Instance", "instance_organization_id_created_at_id_idx", "organization_id", "created_at", "id"
        ),
        index("Instance", "instance_created_at_id_idx", "created_at", "id"),
        index("Partner", "partner_email_key_idx", "email_key"),
        index("Membership", "membership_partner_id_organization_id_idx", "partner_id", "organization_id"),
        index("Membership", "membership_email_key_idx", "email_key"),
        index("Activity", "activity_object_id_idx", "object_id"),
        ops.RunPython(collate_byte_wise),
    ]
