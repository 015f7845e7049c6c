"""On PostgreSQL, in place of what YugabyteDB or CockroachDB does not have, the same in what they have (docs/scaling.md).

The migrations before make it like this for a new database; here one is brought to it where they made it otherwise.
"""

from importlib import import_module
from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops

PEOPLE, GROWTH, TALLIES = (
    import_module(f"app.storage.migrations.{name}") for name in ("0003_people", "0006_growth", "0007_tallies")
)
IS_OTHERWISE = """SELECT 1 FROM pg_trigger
    WHERE tgname = 'activity_changes_update' AND tgrelid = to_regclass('activity')"""
TRIGGERS = (
    ("activity", "activity_update"),
    ("activity", "activity_changes_update"),
    ("activity", "activity_delete"),
    ("activity", "activity_truncate"),
    ("activity_organization", "activity_organization_change"),
    ("activity_organization", "activity_organization_truncate"),
    ("instance", "instance_tally"),
    ("instance", "instance_tally_change"),
)
FUNCTIONS = ("refuse_change_of_activity", "tally_instances")


async def replace(apps: Any, editor: Any) -> None:
    run = editor.client.execute_query
    if editor.DIALECT != "postgres" or not (await run(IS_OTHERWISE))[1]:
        return
    for table, name in TRIGGERS:
        await run(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
    for name in FUNCTIONS:
        await run(f'DROP FUNCTION "{name}"()')
    for statement in (*PEOPLE.POSTGRES_RULES, *TALLIES.POSTGRES):
        await run(statement)
    await run('DROP INDEX IF EXISTS "instance_text_idx"')
    await GROWTH.index_trigrams(run)


class Migration(migrations.Migration):
    dependencies = [("registry", "0009_whose_was_buried")]

    operations = [ops.RunPython(replace)]
