"""Indexes of what is there alone, in each order that a whole table is read in, and of parts of names.

On PostgreSQL writers to a table wait while an index of it is made. Whoever does not want that makes them before,
CONCURRENTLY and under the same names; what is there already is passed over (docs/operating.md).
"""

from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
from tortoise import migrations
from tortoise.exceptions import OperationalError
from tortoise.migrations import operations as ops

LIVE = 'WHERE "deleted_at" IS NULL'
INDEXES = (
    f'"organization_live_created_at_idx" ON "organization" ("created_at", "id") {LIVE}',
    f'"organization_live_updated_at_idx" ON "organization" ("updated_at", "id") {LIVE}',
    f'"organization_live_name_idx" ON "organization" (substr("name_key", 1, 64)) {LIVE}',
    f'"instance_live_created_at_idx" ON "instance" ("created_at", "id") {LIVE}',
    f'"instance_live_updated_at_idx" ON "instance" ("updated_at", "id") {LIVE}',
    f'"instance_live_name_idx" ON "instance" (substr("name_key", 1, 64)) {LIVE}',
    '"instance_authorization_organization_idx" ON "instance_authorization"'
    ' ("organization_id", "created_at", "id")',
)
# Of one organization's instances thousands may be counted, which SQLite does by the index alone where that tells
# what is asked of the row, though it could only say that it is NULL.
OF_ORGANIZATION = (
    f'"instance_live_organization_idx" ON "instance" ("organization_id", "created_at", "id"{{covered}}) {LIVE}'
)
REPLACED = (
    ("Organization", "organization_created_at_id_idx"),
    ("Instance", "instance_organization_id_created_at_id_idx"),
    ("Instance", "instance_created_at_id_idx"),
    ("Authorization", "instance_authorization_organization_id_idx"),
)
# One column each: no engine but PostgreSQL itself has such an index of several.
TRIGRAMS = (
    f'"organization_text_idx" ON "organization" USING gin ("name_key" gin_trgm_ops) {LIVE}',
    f'"instance_name_text_idx" ON "instance" USING gin ("name_key" gin_trgm_ops) {LIVE}',
    f'"instance_handle_text_idx" ON "instance" USING gin ("handle" gin_trgm_ops) {LIVE}',
)
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
IS_TO_BE_HAD = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
# A type of it, where the role sees it: it may be in a schema that is out of sight.
IS_THERE = "SELECT 1 WHERE to_regtype('gtrgm') IS NOT NULL"

# A row for each text that there ever was, in the order in which the index learns of them, 64 at a time: that is a tenth
# of the work. Nothing is ever taken out: whoever searches looks at the row itself.
TEXTS = {"organization": '"name_key"', "instance": '"name_key" || char(10) || "handle"'}


def text_statements(table: str, text: str) -> tuple[str, ...]:
    return (
        f'CREATE TABLE "{table}_text" ("number" INTEGER PRIMARY KEY, "id" CHAR(36) NOT NULL)',
        f'CREATE VIRTUAL TABLE "{table}_text_index" USING fts5'
        "(\"text\", content='', columnsize=0, detail=none, tokenize='trigram case_sensitive 1')",
        f'CREATE TRIGGER "{table}_text_batch" AFTER INSERT ON "{table}_text" WHEN NEW."number" % 64 = 0 BEGIN'
        f' INSERT INTO "{table}_text_index" (rowid, "text") SELECT "number", {text}'
        f' FROM "{table}_text" JOIN "{table}" USING ("id") WHERE "number" > NEW."number" - 64; END',
        f'CREATE TRIGGER "{table}_text_insert" AFTER INSERT ON "{table}"'
        f' BEGIN INSERT INTO "{table}_text" ("id") VALUES (NEW."id"); END',
        f'CREATE TRIGGER "{table}_text_update" AFTER UPDATE OF "name_key" ON "{table}"'
        ' WHEN NEW."name_key" <> OLD."name_key"'
        f' BEGIN INSERT INTO "{table}_text" ("id") VALUES (NEW."id"); END',
        f'INSERT INTO "{table}_text" ("id") SELECT "id" FROM "{table}" {LIVE}',
    )


async def make_indexes(apps: Any, editor: Any) -> None:
    run = editor.client.execute_query
    covered = ', "deleted_at"' if editor.DIALECT == "sqlite" else ""
    for index in (*INDEXES, OF_ORGANIZATION.format(covered=covered)):
        await run(f"CREATE INDEX IF NOT EXISTS {index}")
    if editor.DIALECT == "sqlite":
        for table, text in TEXTS.items():
            for statement in text_statements(table, text):
                await run(statement)
        return
    if (await run(IS_TO_BE_HAD))[1]:
        await add_extension(run)
    await index_trigrams(run)


async def add_extension(run: Any) -> None:
    """Without the right to add it, the search goes on without an index."""
    await run("SAVEPOINT extension")
    try:
        await run(EXTENSION)
    except OperationalError as failure:
        if not isinstance(failure.__cause__, asyncpg.InsufficientPrivilegeError):
            raise
        await run("ROLLBACK TO SAVEPOINT extension")


async def index_trigrams(run: Any) -> None:
    if (await run(IS_THERE))[1]:
        for index in TRIGRAMS:
            await run(f"CREATE INDEX IF NOT EXISTS {index}")


class Migration(migrations.Migration):
    dependencies = [("registry", "0005_secrets")]

    operations = [
        ops.RunPython(make_indexes),
        *(ops.RemoveIndex(model, name) for model, name in REPLACED),
    ]
