"""Hostile requests in great number: `python -m tests.fuzz`, and a part of it in the tests.

Each request depends on the seed and on its number. Every CHAPTER of them begins with the same world, which
the requests before in the chapter have changed: what `--only` does not repeat, `--until` does.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType
from typing import Protocol
from urllib.parse import unquote
from uuid import uuid4

import httpx
import structlog
from starlette.routing import Router
from starlette.types import Message, Scope

from tests.commands import served
from tests.hostile.estate import made_estate
from tests.hostile.octets import Sent, exchanged, hostile_octets
from tests.hostile.requests import Request, hostile_request
from tests.hostile.verdict import Judge
from tests.postgres_server import PostgresServer, postgres_server
from tests.service import BASE, running

CHAPTER = 100
HANG_SECONDS = 5
# Of the server that gets octets: it soon gives up what does not come.
IMPATIENT = {"HEAD_SECONDS": "1", "CONTENT_SECONDS": "1"}
AT_ONCE = 32
# How many requests there are for one that is sent as octets.
SHARE = 20
# Of many faults, which mostly are the same one.
SHOWN, LENGTH = 10, 500


class Fault(AssertionError):  # noqa: N818 - it is of the service, and no error here
    """An answer that should not have been, with all that is needed to have it again."""


@dataclass
class Summary:
    """`slowest` is the longest time in seconds, and whose number it was."""

    seed: int
    what: str = "requests"
    count: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: tuple[float, int] = (0.0, -1)

    def note(self, number: int, status: int, seconds: float) -> None:
        self.count += 1
        self.statuses[status] += 1
        self.slowest = max(self.slowest, (seconds, number))

    def __str__(self) -> str:
        statuses = ", ".join(
            f"{status or 'none'}: {count}" for status, count in sorted(self.statuses.items())
        )
        seconds, number = self.slowest
        return f"seed {self.seed}: {self.count} {self.what} ({statuses}); slowest {seconds:.3f} s, number {number}"


class Errors(logging.Handler):
    """What the service wrote to its log as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@contextmanager
def without_errors() -> Iterator[None]:
    """Raises what the service has written to its log as an error meanwhile."""
    errors, logger = Errors(), logging.getLogger("app")
    logger.addHandler(errors)
    try:
        yield
    finally:
        logger.removeHandler(errors)
    for record in errors.found:
        raise Fault(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)


@contextmanager
def _awake() -> Iterator[None]:
    """What never gives the loop back would keep its own time limit from being noticed."""

    def hung(_signal: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"nothing else has run for {2 * HANG_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, 2 * HANG_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Databases(Protocol):
    """A template, in which the world is made, and copies of it."""

    template: str

    def copy(self) -> AbstractAsyncContextManager[str]:
        """The address of one."""
        ...


class Files:
    """On SQLite."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "template.sqlite3"
        self.template = f"sqlite://{self._file}"

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        with tempfile.TemporaryDirectory(dir=self._file.parent) as folder:
            yield f"sqlite://{shutil.copy(self._file, folder)}"


class OnServer:
    """On PostgreSQL."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._name = f"fuzz_{uuid4().hex}"
        server.administer(f"CREATE DATABASE {self._name}")
        self.template = server.url(self._name)

    @asynccontextmanager
    async def copy(self) -> AsyncIterator[str]:
        name, administer = f"{self._name}_copy", self._server.administer
        await asyncio.to_thread(administer, f"CREATE DATABASE {name} TEMPLATE {self._name}")
        yield self._server.url(name)
        await asyncio.to_thread(administer, f"DROP DATABASE {name} WITH (FORCE)")


async def fuzz(
    databases: Databases,
    folder: Path,
    seed: int,
    numbers: Sequence[int],
    found: list[Fault] | None = None,
) -> Summary:
    """Raises `Fault` for the first answer that is none, unless there is where to put what is `found`."""
    summary = Summary(seed)
    estate = await made_estate(databases.template, folder)
    for chapter in sorted({number // CHAPTER for number in numbers}):
        async with (
            databases.copy() as url,
            running(url, folder, require_if_match=chapter % 5 == 4) as service,
        ):
            judge = Judge(estate)
            for number in (it for it in numbers if it // CHAPTER == chapter):
                try:
                    await _one(service.app, judge, hostile_request(seed, number, estate), summary)
                except Fault as fault:
                    if found is None:
                        raise
                    found.append(fault)
    return summary


async def fuzz_octets(
    databases: Databases,
    folder: Path,
    seed: int,
    numbers: Sequence[int],
    found: list[Fault] | None = None,
) -> Summary:
    """As `fuzz`, over sockets, many at once, of one server in a process of its own."""
    summary, faults = Summary(seed, "octets"), found if found is not None else []
    estate = await made_estate(databases.template, folder)
    async with databases.copy() as url:
        settings = {"PUBLIC_URL": BASE, "DATABASE_URL": url, "DATA_DIR": str(folder), **IMPATIENT}
        with served(folder, **{f"REGISTRY_{name}": value for name, value in settings.items()}) as server:
            port, judge, waiting = int(server.base.rpartition(":")[2]), Judge(estate), iter(numbers)

            async def send() -> None:
                for number in waiting:
                    try:
                        await _octets(port, judge, hostile_octets(seed, number, estate), summary)
                    except Fault as fault:
                        faults.append(fault)

            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(send())
            assert httpx.get(f"{server.base}/livez", trust_env=False).status_code == 200
            faults += [Fault(line) for line in server.said().splitlines() if '"level":"error"' in line]
    if faults and found is None:
        raise faults[0]
    return summary


async def _octets(port: int, judge: Judge, sent: Sent, summary: Summary) -> None:
    started = time.perf_counter()
    answers = None
    try:
        judge.let(sent.octets)
        answers = await exchanged(port, sent.octets)
        for answer in answers:
            judge.judge_octets(sent.request, sent.octets, answer)
        assert answers or not sent.octets.strip(b"\r\n"), "no answer"
    except Exception as error:
        told = [f"answer {answer.status_code} {answer.text[-LENGTH:]}" for answer in answers or ()]
        again = f'make fuzz ARGS="--seed {summary.seed} --octets --only {sent.request.number}"'
        raise Fault("\n".join([f"{error!r:.{LENGTH}}", str(sent), *told, again])) from error
    for answer in answers or [httpx.Response(0)]:
        summary.note(sent.request.number, answer.status_code, time.perf_counter() - started)


async def _one(app: Router, judge: Judge, request: Request, summary: Summary) -> None:
    started = time.perf_counter()
    answer = None
    try:
        with _awake(), without_errors():
            async with asyncio.timeout(HANG_SECONDS):
                answer = await ask(app, request)
        if answer is not None:
            judge.judge(request, answer)
        assert answer is not None or request.leaves, "no answer"
    except Exception as error:
        told = f"answer {answer.status_code} {answer.text[-LENGTH:]}" if answer is not None else "no answer"
        again = _again(summary.seed, request)
        raise Fault(
            f"{error!r:.{LENGTH}} {error.__cause__ or ''}\nseed {summary.seed}, {request}\n{told}\n{again}"
        ) from error
    summary.note(request.number, answer.status_code if answer else 0, time.perf_counter() - started)


def _again(seed: int, request: Request) -> str:
    only, until = (f'make fuzz ARGS="--seed {seed} --{name} {request.number}"' for name in ("only", "until"))
    return f"Again: {only}; with what came before it: {until}"


async def ask(app: Router, request: Request) -> httpx.Response | None:
    """The answer of the application itself; None for who went away, if that was before there was one."""
    messages: list[Message] = []
    parts = _parts(request)

    async def receive() -> Message:
        return parts.pop(0) if parts else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(_scope(request), receive, send)
    if not messages:
        return None
    start, *bodies = messages
    assert not any(body.get("more_body") for body in bodies[-1:])
    return httpx.Response(
        start["status"], headers=start["headers"], content=b"".join(body["body"] for body in bodies)
    )


def _scope(request: Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.target.decode("ascii")),
        "raw_path": request.target,
        "query_string": request.query,
        "root_path": "",
        "headers": list(request.fields),
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8_000),
        "state": {},
    }


def _parts(request: Request) -> list[Message]:
    """The content in one piece or several; not all of it from who goes away."""
    random, content = Random(request.number), request.content
    cut = random.randrange(len(content)) if content and random.random() < 0.3 else 0
    pieces = [content[:cut], content[cut:]] if cut else [content]
    parts: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if not request.leaves:
        parts[-1] = {**parts[-1], "more_body": False}
    return parts


def _chosen(arguments: argparse.Namespace) -> Sequence[int]:
    if arguments.only is not None:
        return [arguments.only]
    if arguments.until is not None:
        return range(arguments.until - arguments.until % CHAPTER, arguments.until + 1)
    return range(arguments.first, arguments.first + arguments.count)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first request")
    parser.add_argument("--only", type=int, help="the number of the one request to send")
    parser.add_argument("--until", type=int, help="the number of the last request of a chapter to send")
    parser.add_argument("--octets", action="store_true", help="as octets alone, over sockets")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL rather than SQLite")
    arguments = parser.parse_args()
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    sys.stdout.write(f"seed {arguments.seed}\n")
    sys.stdout.flush()
    found: list[Fault] = []
    with (
        tempfile.TemporaryDirectory(prefix="registry-fuzz-") as name,
        _databases(arguments, Path(name)) as databases,
    ):
        run = fuzz_octets if arguments.octets else fuzz
        summary = asyncio.run(run(databases, Path(name), arguments.seed, _chosen(arguments), found))
    for fault in found[:SHOWN]:
        sys.stdout.write(f"{fault}\n\n")
    sys.stdout.write(f"{summary}; {len(found)} faults\n")
    return 1 if found else 0


@contextmanager
def _databases(arguments: argparse.Namespace, folder: Path) -> Iterator[Databases]:
    if not arguments.postgres:
        yield Files(folder)
        return
    with postgres_server() as server:
        yield OnServer(server)


if __name__ == "__main__":
    sys.exit(main())
