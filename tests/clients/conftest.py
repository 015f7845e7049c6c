"""A service with sample data in a process of its own, and the scripts that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from tests import commands
from tests.clients.node import install, run
from tests.commands import served


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
    with served(folder, "--sample") as server:
        token = commands.run(folder, "token", "--sub", "owner", "--email", "owner@acme.example")
        yield Service(server.base, token.stdout.strip())


@pytest.fixture(scope="session")
def client() -> Callable[..., Any]:
    """Runs a script of this folder and gives what it found."""
    install()
    return run
