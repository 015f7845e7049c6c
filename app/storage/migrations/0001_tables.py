"""The tables, with their keys and references. What SQLite loses when it rebuilds a table comes in 0002."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


def references(name: str, model: str, on_delete: fields.OnDelete, **options: Any) -> tuple[str, Any]:
    return name, fields.ForeignKeyField(
        f"registry.{model}", source_field=f"{name}_id", related_name=False, on_delete=on_delete, **options
    )


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Organization",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("name", fields.CharField(max_length=255)),
                ("name_key", fields.TextField()),
                ("created_at", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
                ("deleted_at", fields.DatetimeField(null=True)),
                ("version", fields.IntField()),
            ],
            options={"table": "organization", "app": "registry"},
        ),
        ops.CreateModel(
            name="Instance",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                references("organization", "Organization", fields.RESTRICT),
                references("created_by_organization", "Organization", fields.RESTRICT),
                ("name", fields.CharField(max_length=255)),
                ("name_key", fields.TextField()),
                ("handle", fields.CharField(max_length=30, unique=True)),
                ("created_at", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
                ("deleted_at", fields.DatetimeField(null=True)),
                ("version", fields.IntField()),
            ],
            options={"table": "instance", "app": "registry"},
        ),
        ops.CreateModel(
            name="Partner",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                ("issuer", fields.CharField(max_length=255)),
                ("subject", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=255, null=True)),
                ("email", fields.CharField(max_length=320, null=True)),
                ("email_key", fields.CharField(max_length=320, null=True)),
                ("created_at", fields.DatetimeField()),
                ("updated_at", fields.DatetimeField()),
                ("version", fields.IntField()),
            ],
            options={"table": "partner", "app": "registry"},
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.UUIDField(primary_key=True)),
                references("organization", "Organization", fields.CASCADE),
                references("partner", "Partner", fields.RESTRICT, null=True),
                ("email", fields.CharField(max_length=320, null=True)),
                ("email_key", fields.CharField(max_length=320, null=True)),
                ("role", fields.CharField(max_length=10)),
                ("joined_at", fields.DatetimeField()),
                ("version", fields.IntField()),
            ],
            options={"table": "membership", "app": "registry"},
        ),
        ops.CreateModel(
            name="Activity",
            fields=[
                ("sequence", fields.BigIntField(primary_key=True, generated=True)),
                ("id", fields.UUIDField(unique=True)),
                ("type", fields.CharField(max_length=10)),
                ("object_class", fields.CharField(max_length=40)),
                ("object_id", fields.UUIDField()),
                references("actor", "Partner", fields.RESTRICT, null=True),
                ("published", fields.DatetimeField()),
                ("changes", fields.TextField()),
                ("request_id", fields.CharField(max_length=64)),
            ],
            options={"table": "activity", "app": "registry"},
        ),
        ops.CreateModel(
            name="ActivityOrganization",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=True)),
                references("activity", "Activity", fields.CASCADE),
                references("organization", "Organization", fields.CASCADE),
            ],
            options={"table": "activity_organization", "app": "registry"},
        ),
    ]
