"""The command line as people run it: in a process of its own, in a folder of its own.

It is forked from a process that has imported everything, as importing takes longer than most of what is
tested; `started` and `COMMAND` start it as people do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple

START_SECONDS = 30
RUN_SECONDS = 120
STOP_SECONDS = 20
COMMAND = str(Path(sys.executable).with_name("instance-registry"))

READY = multiprocessing.get_context("forkserver")
READY.set_forkserver_preload(["tests.preloaded"])


class Server(NamedTuple):
    """Its address, the file that it writes to, and its process."""

    base: str
    log: Path
    process_id: int = 0

    def said(self) -> str:
        return self.log.read_text()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """That of the tests without any setting of the registry but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    return {**kept, "COLUMNS": "200", **settings}


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    with TemporaryFile() as output, TemporaryFile() as errors:
        process = _forked(folder, arguments, settings, output, errors)
        process.join(RUN_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"{arguments} did not end within {RUN_SECONDS} s")
        output.seek(0)
        errors.seek(0)
        return subprocess.CompletedProcess(
            [COMMAND, *arguments], process.exitcode, output.read().decode(), errors.read().decode()
        )


def _forked(
    folder: Path, arguments: Sequence[str], settings: Mapping[str, str], output: IO[bytes], errors: IO[bytes]
) -> BaseProcess:
    written = (DupFd(output.fileno()), DupFd(errors.fileno()))
    process = READY.Process(
        target=_command, args=(str(folder), arguments, environment(settings), *written), daemon=False
    )
    process.start()
    return process


def _command(
    folder: str, arguments: Sequence[str], settings: Mapping[str, str], output: Any, errors: Any
) -> None:
    """In the new process: what a shell and the script `instance-registry` do."""
    # Uvicorn hands the standard input on to its workers, which multiprocessing has closed.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0)
    for descriptor, file in ((1, output), (2, errors)):
        os.dup2(file.detach(), descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(settings)
    sys.argv = [COMMAND, *arguments]
    from app.cli import main

    main()


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"nobody listens on port {port}")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def served(folder: Path, *arguments: str, **settings: str) -> Iterator[Server]:
    """A server on a free port, once it is ready. It ends as with Ctrl+C."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / f"{port}.log")
    with server.log.open("wb") as output:
        process = _forked(folder, ("serve", "--port", str(port), *arguments), settings, output, output)
    try:
        _wait_until_ready(server, process.is_alive)
        yield server._replace(process_id=process.pid or 0)
    finally:
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGINT)
        process.join(STOP_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"The server did not stop:\n{server.said()}")


@contextmanager
def started(
    folder: Path, *arguments: str, **settings: str
) -> Iterator[tuple[Server, subprocess.Popen[bytes]]]:
    """As people start it, with its process, which may end before."""
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", folder / f"{port}.log")
    with (
        server.log.open("wb") as output,
        subprocess.Popen(
            [COMMAND, "serve", "--port", str(port), *arguments],
            cwd=folder,
            env=environment(settings),
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            _wait_until_ready(server, lambda: process.poll() is None)
            yield server._replace(process_id=process.pid), process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_until_ready(server: Server, is_alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and is_alive():
        connection = HTTPConnection(server.base.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise AssertionError(f"The server did not start:\n{server.said()}")
