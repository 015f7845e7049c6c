"""A Redis of a test's own, where the machine has one; CI has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.commands import free_port, wait_for


@contextmanager
def redis_server(folder: Path, port: int | None = None) -> Iterator[str]:
    """Its address, once it answers."""
    program = shutil.which("redis-server")
    if program is None and "CI" not in os.environ:
        pytest.skip("redis-server is not installed")
    port = port or free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.kill()
