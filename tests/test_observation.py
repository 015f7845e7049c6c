"""What operators see of the service: its log and its metrics, from processes as they run."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
from contextlib import closing
from errno import ECONNREFUSED
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import httpx
import pytest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from app.metrics import FOLDER, Collector
from app.observation import Observation
from app.problems import Problem
from app.request import Request
from app.storage.database import Database
from app.storage.failures import unavailable
from tests import commands
from tests.commands import Server, free_port, served

ROOT = Path(__file__).parents[1]
SECRET = "markerthatisnobodysbusiness"
# What cannot be read, and what is told of it: the method, where that could be.
UNREAD = {
    "DELETE /api HTTP/1.1\r\nHost: x\r\nContent-Length: a\r\n\r\n": ("DELETE", 400),
    f"POST /{'a' * 9_000} HTTP/1.1\r\nHost: x\r\n\r\n": ("POST", 414),
    "BREW /api HTTP/1.1\r\nHost: x\r\n\r\n": ("other", 501),
}


def lines(server: Server) -> list[dict[str, object]]:
    """Every line is an object, but for what is said to whoever starts the service by hand."""
    said = server.said().splitlines()
    assert [line for line in said if not line.startswith("{")] == []
    return [json.loads(line) for line in said]


def counted(port: int) -> dict[tuple[str, ...], float]:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def refused(server: Server, octets: str) -> None:
    address = urlsplit(server.base)
    with socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10) as connection:
        connection.sendall(octets.encode())
        while connection.recv(65_536):  # until the service closes it
            pass


def test_what_a_process_is_about_to_count_keeps_nobody_from_reading_the_metrics(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is there before it holds anything."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    begun = tmp_path / "counter_1.db"
    begun.touch()
    with pytest.raises(struct.error):
        MultiProcessCollector(None).collect()  # type: ignore[no-untyped-call]  # the library has no types for it
    going_on = threading.Timer(0.05, os.truncate, (begun, 1_048_576))
    going_on.start()
    assert [*Collector(None).collect()] == []  # type: ignore[no-untyped-call]  # as above
    going_on.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_request_is_a_line_of_json_and_is_counted_whichever_process_answered(
    folder: Path, workers: int
) -> None:
    """LO-01, LO-02: and neither tells a token, a name, a path or a query."""
    port, settings = free_port(), {}
    settings["REGISTRY_METRICS_PORT"] = str(port)
    with served(folder, "--workers", str(workers), **settings) as server:
        token = commands.run(folder, "token", "--sub", SECRET, "--email", f"{SECRET}@acme.example").stdout
        headers = {"Authorization": f"Bearer {token.strip()}"}
        for _ in range(20):
            # A connection each, so that both workers have something to do.
            with httpx.Client(base_url=server.base, headers=headers, trust_env=False) as client:
                created = client.post("/api/organizations", json={"name": SECRET})
                assert created.status_code == 201
                client.get(f"/api/organizations?name={SECRET}")
                client.get(f"/{SECRET}")
        for unread in UNREAD:
            refused(server, unread)
        totals = counted(port)
    requests = [line for line in lines(server) if line["event"] == "request"]
    by_route = {
        (route, status): sum(line.get("route") == route and line["status"] == status for line in requests)
        for route, status in (("/api/organizations", 201), ("/api/organizations", 200), (None, 404))
    }
    assert set(by_route.values()) == {20}
    created_line = next(line for line in requests if line["status"] == 201)
    assert {"time", "level", "request_id", "method", "ms", "bytes", "caller"} <= created_line.keys()
    assert SECRET not in server.said()
    assert token.strip() not in server.said()
    assert totals["registry_requests_total", "POST", "/api/organizations", "201"] == 20
    assert totals["registry_requests_total", "GET", "none", "404"] == 20
    for method, status in UNREAD.values():
        assert totals["registry_requests_total", method, "none", str(status)] == 1
        assert sum((line["method"], line["status"]) == (method, status) for line in requests) == 1
    assert totals["registry_request_duration_seconds_count", "POST", "/api/organizations"] == 20
    assert totals["registry_requests_in_progress",] == 0
    assert totals["registry_database_connections", "idle"] >= 1
    assert SECRET not in str(totals)


def test_metrics_are_where_the_service_is_not(tmp_path: Path) -> None:
    """TH-48: off unless asked for, and never at the service's own address."""
    with served(tmp_path, "--sample") as server:
        assert httpx.get(f"{server.base}/metrics", trust_env=False).status_code == 404


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_port_is_for_the_service_or_for_its_metrics(folder: Path, workers: str) -> None:
    port = str(free_port())
    refused = commands.run(folder, "serve", "--port", port, "--workers", workers, REGISTRY_METRICS_PORT=port)
    expected = f"REGISTRY_METRICS_PORT is {port}, the service's own; choose another one.\n"
    assert (refused.returncode, refused.stderr) == (2, expected)


def test_a_port_that_is_taken_is_one_clear_line(folder: Path) -> None:
    with served(folder) as server:
        port = server.base.rpartition(":")[2]
        other = commands.run(folder, "serve", "--port", str(free_port()), REGISTRY_METRICS_PORT=port)
    assert other.returncode == 1
    assert other.stderr.startswith(f"127.0.0.1, port {port}, cannot be listened on: ")


def test_what_a_library_says_is_a_line_of_json_too(tmp_path: Path) -> None:
    program = """
import logging.config
from app.logs import log_config

logging.config.dictConfig(log_config())
try:
    raise OSError("two\\nlines")
except OSError:
    logging.getLogger("asyncpg.pool").exception("It is away")
"""
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    [line] = map(json.loads, said.stderr.splitlines())
    assert (line["event"], line["logger"]) == ("It is away", "asyncpg.pool")
    assert "OSError" in line["exception"]


def full() -> sqlite3.Error:
    """What SQLite says where there is no room."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as raised:
            connection.execute("CREATE TABLE secrets (value)")
    return raised.value


def test_why_a_request_was_answered_by_503_stands_in_the_log_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What kind of failure it was, and nothing of what the database says, where values may stand."""
    now = 1_000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    observation = Observation(cast("Database", None), None)

    def told(error: Exception | None) -> list[str]:
        caplog.clear()
        problem = unavailable()
        problem.__cause__ = error
        observation.refused(cast("Request", SimpleNamespace(id="the-id")), problem)
        return [f"{record.levelname}: {record.getMessage()}" for record in caplog.records]

    locked = asyncpg.LockNotAvailableError("canceling statement: Secret")
    for error, said in (
        (full(), "OperationalError (SQLITE_FULL)"),
        (locked, "LockNotAvailableError (55P03)"),
        (ConnectionRefusedError(ECONNREFUSED, "to Secret"), "ConnectionRefusedError (ECONNREFUSED)"),
        (TimeoutError(), "TimeoutError"),
        (None, "The database cannot be reached at the moment; try again."),
    ):
        assert told(error) == [f"WARNING: the-id could not be answered: {said}"]
        assert told(error) == []
    now += 59
    assert told(locked) == []
    now += 1
    assert len(told(locked)) == 1
    caplog.clear()
    observation.refused(cast("Request", SimpleNamespace(id="the-id")), Problem("forbidden", "No."))
    assert not caplog.records
