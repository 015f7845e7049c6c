"""Every check, in the order in which one needs what another looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from app.checks.beside import redis, replica
from app.checks.check import Check, failed, ok
from app.checks.contract import contract, public_address
from app.checks.database import database
from app.checks.issuers import issuer, local
from app.checks.machine import folders, ports
from app.settings import KNOWN, WrongSetting, read_settings


async def every(environment: Mapping[str, str], host: str, port: int) -> AsyncIterator[Check]:
    """Nothing is made or changed. Where a setting is wrong there is nothing else to look at."""
    try:
        settings = read_settings(environment)
    except WrongSetting as error:
        yield failed("settings", str(error), "Correct that variable; README lists them all.")
        return
    count = sum(name in KNOWN for name in environment)
    yield ok("settings", f"{count} set, the others as they are by default")
    yield public_address(settings)
    yield contract(settings)
    async for check in database(settings):
        yield check
    async for check in replica(settings):
        yield check
    async for check in redis(settings):
        yield check
    for check in local(settings):
        yield check
    for setting in settings.issuers:
        async for check in issuer(setting):
            yield check
    for check in folders(settings):
        yield check
    async for check in ports(settings, host, port):
        yield check
