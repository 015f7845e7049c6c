"""One round of one case at one server: by wrk where it is installed, else, and for changes, by `client`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
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

    wrk sends again what it has sent, and so nothing that may be sent `once`. In the end it waits for no
    answer: the processors are looked at when they are at rest, and all that was sent has been done.
    """
    before = server.busy()
    if WRK is None or once:
        told = _by_client(server.port, requests, status, seconds, connections, once)
    else:
        told = _by_wrk(server.port, requests, status, seconds, connections)
    server.rest()
    milliseconds = server.busy() - before
    if told["unexpected"]:
        raise RuntimeError(f"{told['unexpected']} of {told['sent']} answers were not {status}")
    return Load(told["sent"], milliseconds, told["seconds"], told["p50"], told["p99"])


def _by_client(port: int, requests: Path, status: int, seconds: float, connections: int, once: bool) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.client"]
    command += [*map(str, (port, requests, status, seconds, connections)), *(["--once"] if once else [])]
    with _running(command, ROOT, {}) as client:
        return _told(client)


def _by_wrk(port: int, requests: Path, status: int, seconds: float, connections: int) -> Any:
    """It knows whole seconds only: it is interrupted before, and then tells what it has done until then."""
    script = Path(__file__).with_name("wrk.lua")
    command = [str(WRK), "-t1", f"-c{connections}", "-d1h", "-s", str(script), f"http://127.0.0.1:{port}"]
    variables = {"BENCHMARK_REQUESTS": str(requests), "BENCHMARK_STATUS": str(status)}
    with _running(command, ROOT, variables) as client:
        time.sleep(seconds)
        client.send_signal(signal.SIGINT)
        return _told(client)


def _running(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = {**os.environ, **variables}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def _told(client: subprocess.Popen[str]) -> Any:
    """Its last line; before it wrk tells of itself."""
    output, errors = client.communicate(timeout=60)
    if client.returncode:
        raise RuntimeError(f"The client failed:\n{output}{errors}")
    return json.loads(output.strip().splitlines()[-1])
