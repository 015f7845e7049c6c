"""One round of one case at one server: by wrk where it is installed, else, and for changes, by `client`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Load
from tests.benchmarks.processes import ROOT, Server

CONNECTIONS = 8  # for each worker
WRK = shutil.which("wrk")


def write_requests(path: Path, requests: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(b"%d\n%s" % (len(request), request) for request in requests))


def load(
    server: Server, requests: Path, status: int, seconds: float, connections: int, *, once: bool
) -> Load:
    """Raises `RuntimeError` where anything else than the expected status was answered.

    wrk sends again what it has sent, and knows whole seconds only.
    """
    send = _by_client if WRK is None or once or seconds % 1 else _by_wrk
    before = server.busy()
    told = send(server.port, requests, status, seconds, connections, once)
    milliseconds = server.busy() - before
    if told["unexpected"]:
        raise RuntimeError(f"{told['unexpected']} of {told['sent']} answers were not {status}")
    return Load(told["sent"], milliseconds, told["seconds"], told["p50"], told["p99"])


def _by_client(port: int, requests: Path, status: int, seconds: float, connections: int, once: bool) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.client"]
    command += [*map(str, (port, requests, status, seconds, connections)), *(["--once"] if once else [])]
    return _told(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False))


def _by_wrk(port: int, requests: Path, status: int, seconds: float, connections: int, _once: bool) -> Any:
    script = Path(__file__).with_name("wrk.lua")
    command = [str(WRK), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    variables = {"BENCHMARK_REQUESTS": str(requests), "BENCHMARK_STATUS": str(status)}
    environment = os.environ | variables
    return _told(subprocess.run(command, env=environment, capture_output=True, text=True, check=False))


def _told(done: subprocess.CompletedProcess[str]) -> Any:
    """Its last line; before it wrk tells of itself."""
    if done.returncode:
        raise RuntimeError(f"The client failed:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])
