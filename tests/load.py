"""A server with an empty SQLite database, clients that write to it, and both as they look from outside."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx

from app.caller import WRITE
from app.security.local_issuer import local_issuer
from app.security.tokens import MAX_LIFETIME_SECONDS
from app.settings import Settings

DATABASE = "data/registry.sqlite3"  # in the folder where the server runs


def placed(template: Path, folder: Path) -> Path:
    """The folder with a copy where `migrate` makes a database, which takes longer than most tests."""
    (folder / DATABASE).parent.mkdir(parents=True)
    shutil.copy(template, folder / DATABASE)
    return folder


def token(folder: Path, subject: str = "owner") -> str:
    return local_issuer(folder / "data").token(
        audience=Settings.audience,
        subject=subject,
        email=f"{subject}@acme.example",
        name=subject.capitalize(),
        scopes=[WRITE],
        lifetime=MAX_LIFETIME_SECONDS,
    )


class Writer:
    """Makes one organization after the other until it is stopped.

    `made` are the names of those that it was told of, `cut` is the one that it never heard of.
    """

    def __init__(self, base: str, token: str, name: str) -> None:
        self.made: list[str] = []
        self.cut: list[str] = []
        self.refused: list[int] = []
        self._base = base
        self._token = token
        self._name = name

    async def write(self, stopped: asyncio.Event) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx.AsyncClient(base_url=self._base, headers=headers, trust_env=False) as client:
            while not stopped.is_set():
                name = f"{self._name} {len(self.made)}"
                try:
                    answer = await client.post("/api/organizations", json={"name": name})
                except httpx.TransportError:
                    self.cut.append(name)
                    return
                if answer.status_code == 201:
                    self.made.append(name)
                else:
                    self.refused.append(answer.status_code)


async def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.02)


def stored(folder: Path, file: str = DATABASE) -> list[str]:
    """The names of all organizations; raises where the file is damaged or one of them is not whole."""
    with closing(sqlite3.connect(folder / file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.execute("BEGIN")  # so that all three are of one moment, whoever is writing
        names = [name for (name,) in database.execute("SELECT name FROM organization")]
        for table in ("membership", "activity"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(names),)
        return names


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - only their number counts


def memory(pid: int, kind: str = "VmRSS") -> float:
    """In MiB; `VmHWM` is the most that there ever was."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1_024 for line in lines if line.startswith(f"{kind}:"))


def forget_peak(pid: int) -> None:
    """`VmHWM` is what there is now, from now on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def busy(pid: int) -> float:
    """How many milliseconds of processor time it has had, by its own clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2) * 1_000
