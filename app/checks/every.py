"""Every check, in the order in which one needs what another looks at."""

from __future__ import annotations

from asyncio import timeout
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from traceback import extract_tb

from app.checks.beside import redis, replica
from app.checks.check import Check, failed, ok
from app.checks.contract import contract, public_address
from app.checks.database import database
from app.checks.issuers import issuer, local
from app.checks.machine import folders, ports
from app.settings import KNOWN, Settings, WrongSetting, read_settings

Checks = AsyncIterator[Check] | Iterator[Check]

# What a check waits for has limits of its own; this is for the wait that nobody thought of.
LIMIT_SECONDS = 60


async def every(environment: Mapping[str, str], host: str, port: int) -> AsyncIterator[Check]:
    """Nothing is made or changed. Where a setting is wrong there is nothing else to look at."""
    try:
        settings = read_settings(environment)
    except WrongSetting as error:
        yield failed("settings", str(error), "Correct that variable; README lists them all.")
        return
    except Exception as error:  # noqa: BLE001 - as in `_told`
        yield _unforeseen("settings", error)
        return
    count = sum(name in KNOWN for name in environment)
    yield ok("settings", f"{count} set, the others as they are by default")
    for name, checks in _all(settings, host, port):
        async for check in _told(name, checks):
            yield check


def _all(settings: Settings, host: str, port: int) -> Iterator[tuple[str, Checks]]:
    """With what each is called where it does not come to say so itself."""
    yield "public address", map(public_address, [settings])
    yield "contract", map(contract, [settings])
    yield "database", database(settings)
    yield "replica", replica(settings)
    yield "Redis", redis(settings)
    yield "local issuer", local(settings)
    for setting in settings.issuers:
        yield f"keys of {setting.issuer}", issuer(setting)
    yield "folders", folders(settings)
    yield "ports", ports(settings, host, port)


async def _told(name: str, checks: Checks) -> AsyncIterator[Check]:
    """What they tell, up to where one fails as nobody foresaw: that hides nothing of what others tell."""
    try:
        while True:
            async with timeout(LIMIT_SECONDS):
                check = await anext(checks) if isinstance(checks, AsyncIterator) else next(checks)
            yield check
    except (StopIteration, StopAsyncIteration):
        return
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        yield _unforeseen(name, error)


def _unforeseen(name: str, error: Exception) -> Check:
    """By its type and where it came up: in its own words there may be a password."""
    last = extract_tb(error.__traceback__)[-1]
    return failed(
        name,
        f"the check ended with {type(error).__name__} ({Path(last.filename).name}, line {last.lineno})",
        "Let the user of the service run this; if it ends so too, report this line.",
    )
