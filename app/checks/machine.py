"""The machine: the folder of the data, room on the disk, and ports."""

from __future__ import annotations

import os
import shutil
import socket
from asyncio import timeout
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

from app.answer_fields import API_DOCUMENTATION
from app.checks.check import Check, failed, ok, warning
from app.settings import Settings
from app.storage.database import Database

FULL, SCARCE = 64 * 1_024**2, 1_024**3  # in octets
TIMEOUT_SECONDS = 2


def folders(settings: Settings) -> Iterator[Check]:
    """That of the data, and that of a SQLite database, where it is another one."""
    file = Database(settings.database_url).file
    wanted = {settings.data_dir.absolute(): None, **({file.absolute().parent: None} if file else {})}
    for folder in wanted:
        yield _writable(folder)
        yield _room(folder)


def _writable(folder: Path) -> Check:
    """Or one that can be made."""
    name, there = f"folder {folder}", _nearest(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        mend = f"Let the user of the service write to {there}, or choose another folder in the settings."
        return failed(name, f"{there} cannot be written to", mend)
    if there != folder:
        return ok(name, "it will be made")
    if folder.stat().st_mode & 0o007:
        mend = f"Run `chmod o-rwx {folder}`: it holds a key and what is known of people."
        return warning(name, "everybody on this machine may look into it", mend)
    return ok(name, "it can be written to")


def _room(folder: Path) -> Check:
    free = shutil.disk_usage(_nearest(folder)).free
    name, found = f"room in {folder}", f"{free / 1_024**3:.1f} GiB free"
    mend = "Make room on the disk, or move the data to another one."
    if free < FULL:
        return failed(name, found, mend)
    return ok(name, found) if free >= SCARCE else warning(name, found, mend)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that is there, as far as this user can see."""
    return next(it for it in (folder, *folder.parents) if os.access(it, os.F_OK))


async def ports(settings: Settings, host: str, port: int) -> AsyncIterator[Check]:
    yield await _port(host, port, f"http://{_authority(host, port)}/livez", API_DOCUMENTATION)
    if settings.metrics_port is not None:
        address = f"http://{_authority(host, settings.metrics_port)}/metrics"
        yield await _port(host, settings.metrics_port, address, "")


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _port(host: str, port: int, ours: str, linked: str) -> Check:
    """Free, or in use by the service itself, which answers at the address `ours` with a Link field in which
    `linked` stands."""
    name = f"port {port}"
    try:
        _listen(host, port)
    except (OSError, UnicodeError) as error:  # the latter for what is no name of a host
        if await _answers(ours, linked):
            return ok(name, f"the service answers on {host}")
        mend = "End what listens there, or serve on another one: `instance-registry serve --port …`."
        reason = error.strerror if isinstance(error, OSError) else error
        return failed(name, f"{host} cannot be listened on: {reason}", mend)
    return ok(name, f"free on {host}")


def _listen(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))


async def _answers(address: str, linked: str) -> bool:
    """Who listens there may be anyone: neither waited for octet by octet, nor read."""
    try:
        async with (
            timeout(TIMEOUT_SECONDS),
            httpx.AsyncClient(trust_env=False) as client,
            client.stream("GET", address) as answer,
        ):
            return answer.is_success and linked in answer.headers.get("Link", "")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return False
