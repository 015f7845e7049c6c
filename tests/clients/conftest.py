"""A service with sample data in a process of its own, and the scripts that ask it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.clients.node import install, run

COMMAND = str(Path(sys.executable).with_name("instance-registry"))
START_SECONDS = 30


class Service(NamedTuple):
    """`token` is that of the owner of the Acme organizations in the sample data."""

    base: str
    token: str

    def get(self, path: str) -> Any:
        """In plain JSON."""
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}"}
        answer = httpx.get(self.base + path, headers=headers, trust_env=False)
        return answer.raise_for_status().json()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    port = _free_port()
    base = f"http://127.0.0.1:{port}"
    serve = [COMMAND, "serve", "--sample", "--port", str(port)]
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(serve, cwd=folder, env=environment, stdout=output, stderr=output) as server,
    ):
        try:
            _wait(server, base, log)
            token = [COMMAND, "token", "--sub", "owner", "--email", "owner@acme.example"]
            printed = subprocess.run(
                token, cwd=folder, env=environment, capture_output=True, text=True, check=True
            )
            yield Service(base, printed.stdout.strip())
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], base: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{base}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail(f"The service did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def client() -> Callable[..., Any]:
    """Runs a script of this folder and gives what it found."""
    install()
    return run
