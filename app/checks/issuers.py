"""Issuers: whether their keys are to be had, and whether their clocks agree with this machine's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from app.checks.check import OWNER, Check, failed, ok, skipped, warning
from app.checks.clocks import compared
from app.security.fetched_keys import fetch, key_client
from app.security.keys import read_keys
from app.security.local_issuer import FILE, local_issuer
from app.settings import IssuerSetting, Settings

SILENT = "it does not tell the time"


def local(settings: Settings) -> Iterator[Check]:
    if not settings.issuers:
        yield _local(settings.data_dir)


async def issuer(setting: IssuerSetting) -> AsyncIterator[Check]:
    if isinstance(setting.jwks, Path):
        yield _keys(setting, _read(setting.jwks))
        return
    async for check in _fetched(setting, setting.jwks):
        yield check


def _local(folder: Path) -> Check:
    """Its key is looked at, not made."""
    name, path = "local issuer", folder / FILE
    try:
        if not path.exists():
            return ok(name, f"its key will be made at {path}")
        _check_file(path)
        local_issuer(folder)
        others = path.stat().st_mode & 0o077
    except (OSError, ValueError) as error:
        return failed(name, f"{path} cannot be used: {error}", _mend(error))
    if others:
        mend = f"Run `chmod 600 {path}`; who can read it can be anyone."
        return warning(name, f"others may read {path}", mend)
    return ok(name, f"its key is at {path}")


def _mend(error: OSError | ValueError) -> str:
    """A good key that cannot be read is not to be removed: all tokens would end with it."""
    match error:
        case PermissionError():
            return OWNER
        case OSError():
            return "See to it that the file can be read, or put that of a backup in its place."
        case _:
            return "Remove the file, and a new key is made; tokens of the old one end."


def _check_file(path: Path) -> None:
    """Raises `ValueError` for what may never come to an end, such as a pipe that nobody writes to."""
    if not path.is_file():
        raise ValueError("it is not a file")


def _read(path: Path) -> bytes | str:
    """The content, or why it cannot be read."""
    try:
        if path.exists():
            _check_file(path)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        return str(error)


async def _fetched(setting: IssuerSetting, address: str) -> AsyncIterator[Check]:
    """As the service fetches them, and no longer or more of them than it does."""
    clock: Check = skipped(f"clock of {setting.issuer}", SILENT)
    content: bytes | str

    def hear(fields: httpx.Headers) -> None:
        """Before the content, which may take its time."""
        nonlocal clock
        clock = _compared(clock.name, fields.get("date"), setting.issuer)

    try:
        async with key_client() as client:
            content = await fetch(client, address, hear)
    except (TimeoutError, httpx.TimeoutException):
        content = "it does not come in time"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        content = f"it cannot be fetched: {error!r}"
    except ValueError as error:
        content = str(error)
    yield _keys(setting, content)
    yield clock


def _keys(setting: IssuerSetting, content: bytes | str) -> Check:
    """`content`, where it is text, is why there is none."""
    name = f"keys of {setting.issuer}"
    mend = f"Mend {setting.jwks}, or `jwks` in REGISTRY_ISSUERS."
    if isinstance(content, str):
        return failed(name, f"{setting.jwks}: {content}", mend)
    try:
        keys = read_keys(content, setting.algorithms)
    except ValueError as error:
        return failed(name, f"{setting.jwks} is no JWK set: {error}", mend)
    wanted = ", ".join(setting.algorithms)
    if not keys:
        return failed(name, f"{setting.jwks} holds no public key for {wanted}", mend)
    return ok(name, f"{len(keys)} for {', '.join(sorted({key.algorithm for key in keys}))}")


def _compared(name: str, date: str | None, whose: str) -> Check:
    try:
        theirs = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):  # the latter for a year that no number of the machine's holds
        return skipped(name, SILENT)
    return compared(name, theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC), datetime.now(UTC), whose)
