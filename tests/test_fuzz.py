"""A bounded run of hostile requests: none makes the service fail, hang or tell of another tenant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fuzz import Summary, fuzz, fuzz_octets
from tests.hostile.databases import Files, OnServer
from tests.hostile.estate import made_estate
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.anyio
LONG = True

# The statuses that a run must have met, or it would not have come far.
FAR = {
    200,
    201,
    204,
    303,
    400,
    401,
    403,
    404,
    405,
    406,
    409,
    410,
    412,
    413,
    414,
    415,
    421,
    422,
    428,
    431,
    501,
}


@pytest.fixture
def on_server(postgres_server: PostgresServer) -> OnServer:
    return OnServer(postgres_server)


def told(summary: Summary) -> None:
    sys.stdout.write(f"{summary}\n")


@pytest.mark.parametrize("seed", [1, 2])
async def test_thousands_of_hostile_requests_get_what_http_has_for_them(tmp_path: Path, seed: int) -> None:
    files = Files(tmp_path)
    summary = await fuzz(await made_estate(files.template, tmp_path), files, seed, range(2_000))
    told(summary)
    assert summary.count == 2_000
    assert summary.statuses.keys() >= FAR


async def test_hostile_requests_get_the_same_on_postgresql(on_server: OnServer, tmp_path: Path) -> None:
    estate = await made_estate(on_server.template, tmp_path)
    summary = await fuzz(estate, on_server, 4, range(800))
    told(summary)
    assert summary.count == 800
    assert summary.statuses.keys() >= FAR


async def test_octets_that_are_no_http_are_answered_in_http(tmp_path: Path) -> None:
    files = Files(tmp_path)
    summary = await fuzz_octets(await made_estate(files.template, tmp_path), files, 5, range(600))
    told(summary)
    assert summary.count >= 600
    assert summary.statuses.keys() >= {200, 400, 408, 414, 431, 501}
