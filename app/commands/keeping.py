"""`migrate`, `sample` and `forget`: what is done to the database as it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.commands.running import AsJson, database_of, fail, opened, run, say
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.storage.erasure import Erased


def migrate(*, as_json: AsJson = False) -> None:
    """Make the database, or bring it up to date."""
    names = run(database_of(read_settings(os.environ)).migrate())
    line = f"Applied {', '.join(names)}." if names else "There was nothing to apply."
    say({"applied": names}, line, as_json=as_json)


def sample(*, as_json: AsJson = False) -> None:
    """Add a small data set; what is there already stays as it is."""
    added = run(_add_sample(read_settings(os.environ)))
    say({"organizations": added}, f"Added {added} organizations with their instances.", as_json=as_json)


async def _add_sample(settings: Settings) -> int:
    from app.sample import add_sample

    async with opened(settings) as database:
        return await add_sample(database)


def forget(
    partner: Annotated[str, typer.Option(metavar="ID", help="The partner's id, or its address.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Replace the name and e-mail of a partner wherever they stand; what it did stays."""
    from app.storage.erasure import EMAIL, NAME

    given = partner.rpartition("/")[2]
    try:
        identifier = str(UUID(given))
    except ValueError as error:
        raise typer.BadParameter(f"{given!r} is not a partner's id.", param_hint="--partner") from error
    erased = run(_forget(read_settings(os.environ), identifier))
    if erased is None:
        fail(f"There is no partner {identifier}.")
    say(
        {"partner": identifier, "memberships": erased.memberships, "activities": erased.activities},
        f"Forgot partner {identifier}, now {NAME} <{EMAIL}>, in {erased.memberships:,} memberships"
        f" and {erased.activities:,} activities.",
        as_json=as_json,
    )


async def _forget(settings: Settings, identifier: str) -> Erased | None:
    from app.caller import ANONYMOUS
    from app.storage.acts import Act, new_id, now
    from app.storage.erasure import forget

    async with opened(settings) as database:
        erased = await forget(database, Act(ANONYMOUS, new_id(), now()), identifier)
        await database.leave_nothing_beside()
        return erased
