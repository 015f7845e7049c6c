"""What all processes of the service know and nobody else: the key that cursors are sealed with."""

import secrets
from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


async def make_cursor_key(apps: Any, editor: Any) -> None:
    """Of AES-SIV with 256 bits. It is a row, so that it need not be configured on any machine."""
    await editor.client.execute_query(
        f"INSERT INTO \"secret\" (\"name\", \"value\") VALUES ('cursors', '{secrets.token_hex(64)}')"
    )


class Migration(migrations.Migration):
    dependencies = [("registry", "0004_remembered_answers")]

    operations = [
        ops.CreateModel(
            name="Secret",
            fields=[
                ("name", fields.CharField(max_length=40, primary_key=True)),
                ("value", fields.CharField(max_length=128)),
            ],
            options={"table": "secret", "app": "registry"},
        ),
        ops.RunPython(make_cursor_key),
    ]
