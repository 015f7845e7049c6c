"""Answers to POSTs with an Idempotency-Key."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_people")]

    operations = [
        ops.CreateModel(
            name="RememberedAnswer",
            fields=[
                ("id", fields.BigIntField(primary_key=True, generated=True)),
                (
                    "partner",
                    fields.ForeignKeyField(
                        "registry.Partner",
                        source_field="partner_id",
                        related_name=False,
                        on_delete=fields.RESTRICT,
                    ),
                ),
                ("path", fields.CharField(max_length=255)),
                ("idempotency_key", fields.CharField(max_length=255)),
                ("fingerprint", fields.CharField(max_length=64)),
                ("status", fields.IntField()),
                ("header_fields", fields.TextField()),
                ("content", fields.TextField(null=True)),
                ("created_at", fields.DatetimeField()),
            ],
            options={"table": "remembered_answer", "app": "registry"},
        ),
        ops.AddConstraint(
            "RememberedAnswer",
            UniqueConstraint(
                fields=("partner_id", "path", "idempotency_key"),
                name="remembered_answer_partner_id_path_idempotency_key_key",
            ),
        ),
        ops.AddIndex(
            "RememberedAnswer", Index(fields=("created_at",), name="remembered_answer_created_at_idx")
        ),
    ]
