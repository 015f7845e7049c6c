"""A replica of the tests' PostgreSQL, which streams from it as replicas do."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.postgres_server import PostgresServer, administer, quick_folder


class PostgresReplica:
    """It has what another server, its primary, commits, so many milliseconds later."""

    def __init__(self, primary: PostgresServer, folder: Path, behind: int) -> None:
        self._primary = primary
        self._settings = f'-h "" -k {folder} -c recovery_min_apply_delay={behind}'
        self._folder = folder
        self._data = folder / "data"
        from_there = ["--dbname", primary.url(), "--pgdata", str(self._data)]
        self._primary.execute(
            "pg_basebackup", *from_there, "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"
        )

    def url(self, name: str = "postgres") -> str:
        return f"postgres://postgres@/{name}?{urlencode({'host': str(self._folder)})}"

    def start(self) -> None:
        """It listens at a socket of its own."""
        options = ["--pgdata", str(self._data), "--log", str(self._folder / "log")]
        self._primary.execute("pg_ctl", "start", "--wait", *options, "-o", self._settings)

    def halt(self) -> None:
        self._primary.execute("pg_ctl", "stop", "--wait", "--mode=fast", "--pgdata", str(self._data))

    def pause(self) -> None:
        """From here on it has nothing new."""
        administer(self.url(), "SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        administer(self.url(), "SELECT pg_wal_replay_resume()")


@contextmanager
def postgres_replica(primary: PostgresServer, behind: int = 0) -> Iterator[PostgresReplica]:
    folder = Path(tempfile.mkdtemp(prefix="registry-replica-", dir=quick_folder()))
    primary.give(folder)
    try:
        replica = PostgresReplica(primary, folder, behind)
        replica.start()
        try:
            yield replica
        finally:
            replica.halt()
    finally:
        shutil.rmtree(folder)
