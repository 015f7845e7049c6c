"""A PgBouncer of a test's own, in transaction mode, where the machine has one; CI has."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.commands import free_port, wait_for
from tests.postgres_server import PostgresServer

CONFIGURATION = """[databases]
* = host={socket} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
"""


@contextmanager
def pgbouncer(server: PostgresServer, url: str, connections: int) -> Iterator[str]:
    """The address of a database, of the server or its replica, by way of it. All clients share so many
    connections to it."""
    program = shutil.which("pgbouncer")
    if program is None and "CI" not in os.environ:
        pytest.skip("pgbouncer is not installed")
    port = free_port()
    parts = urlsplit(url)
    [server_socket] = parse_qs(parts.query)["host"]
    # It refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="registry-pgbouncer-"))
    server.give(folder)
    configuration = folder / "pgbouncer.ini"
    configuration.write_text(CONFIGURATION.format(socket=server_socket, port=port, connections=connections))
    configuration.chmod(0o644)
    command = [str(program), "--quiet", str(configuration)]
    with subprocess.Popen(command, user=server.system_user, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"postgres://postgres@127.0.0.1:{port}{parts.path}?sslmode=disable&statement_cache_size=0"
        finally:
            process.kill()
            shutil.rmtree(folder)
