"""Two servers on one database, both written to at once: nothing is lost, and no client learns of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests import commands
from tests.commands import served
from tests.service import PATCH

pytestmark = pytest.mark.anyio

CLIENTS, ROUNDS = 6, 12


def handle(number: int) -> str:
    return "at-" + str(number).translate(str.maketrans("0123456789", "abcdefghij"))


async def test_rl_09_two_servers_on_one_database_lose_nothing(database_url: str, tmp_path: Path) -> None:
    """One SQLite file, or one PostgreSQL: every handle once, every version once, no 5xx."""
    settings = {
        "REGISTRY_DATABASE_URL": database_url,
        "REGISTRY_PUBLIC_URL": "http://registry.example",
        "REGISTRY_ALLOWED_HOSTS": "127.0.0.1",
    }
    with served(tmp_path, **settings) as first, served(tmp_path, **settings) as second:
        token = commands.run(tmp_path, "token", "--sub", "owner", "--email", "o@acme.example").stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx.AsyncClient(base_url=first.base, headers=headers, timeout=60, trust_env=False) as one,
            httpx.AsyncClient(base_url=second.base, headers=headers, timeout=60, trust_env=False) as two,
        ):
            created = await one.post("/api/organizations", json={"name": "Acme"})
            path = httpx.URL(created.headers["Location"]).path
            answers = await asyncio.gather(*(write(client, path) for client in [one, two] * (CLIENTS // 2)))
            statuses = sum(answers, Counter())
            whole = (await two.get(f"{path}/instances?itemsPerPage=100")).json()
            after = await one.get(path)
        expected = {("POST", 201), ("POST", 409), ("PATCH", 200), ("PATCH", 412)}
        assert set(statuses) <= expected
        # Each handle was asked for by every client and given to one.
        assert statuses["POST", 201] == ROUNDS == whole["totalItems"]
        assert {member["handle"] for member in whole["member"]} == {handle(n) for n in range(ROUNDS)}
        # Each rename that succeeded made one version.
        assert after.headers["ETag"].startswith(f'"{1 + statuses["PATCH", 200]}.')
        assert '"level":"error"' not in first.said() + second.said()


async def write(client: httpx.AsyncClient, path: str) -> Counter[tuple[str, int]]:
    """Ask for every handle, and rename in between, always upon the version read last."""
    statuses: Counter[tuple[str, int]] = Counter()
    for number in range(ROUNDS):
        answer = await client.post(f"{path}/instances", json={"name": "Shop", "handle": handle(number)})
        statuses["POST", answer.status_code] += 1
        tag = (await client.get(path)).headers["ETag"]
        headers = {"Content-Type": PATCH, "If-Match": tag}
        name = f"Acme {id(statuses)} {number}"
        answer = await client.patch(path, json={"name": name}, headers=headers)
        statuses["PATCH", answer.status_code] += 1
    return statuses
