"""Debian's PostgreSQL, where it is installed: it has `pg_trgm`, which the one of the wheel has not."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
EXTENSION = sorted(Path("/usr/share/postgresql").glob("*/extension/pg_trgm.control"))


def missing() -> str | None:
    """Why there is none here, if so."""
    if not PROGRAMS or not EXTENSION:
        return "there is no PostgreSQL of Debian's here: apt-get install postgresql"
    if os.geteuid() == 0 and "postgres" not in {it.pw_name for it in pwd.getpwall()}:
        return "root needs a user named postgres, as Debian's package makes it"
    return None


class DebianPostgres:
    """Reached through a socket in its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._programs = folder, PROGRAMS[-1]
        # PostgreSQL does not run as root; Debian has a user for it.
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run(
            "initdb",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "-o", options)
        self.pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, user=self._user, cwd="/", stdout=subprocess.DEVNULL)

    def url(self, name: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{name}?host={self._folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate")


@contextmanager
def debian_postgres(parent: str | None) -> Iterator[DebianPostgres]:
    """In a new folder below another one; nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="registry-debian-", dir=parent))
    server = DebianPostgres(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)
