"""Whose a membership was, so that who left an organization is told that its own is gone.

What ended before is known to the organization alone, as is what an earlier release beside this one ends. That may
also delete a partner from an export, of whom it knows no tombstone: there it is nobody's then.
"""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("registry", "0008_token_iat")]

    operations = [
        ops.AddField(
            "Tombstone",
            "partner",
            fields.ForeignKeyField(
                "registry.Partner",
                source_field="partner_id",
                related_name=False,
                on_delete=fields.SET_NULL,
                null=True,
            ),
        ),
        ops.AddIndex("Tombstone", Index(fields=("partner_id",), name="tombstone_partner_id_idx")),
    ]
