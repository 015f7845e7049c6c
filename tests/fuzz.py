"""Hostile requests in great number: `make fuzz`, and a part of it in the tests.

Each request depends on the seed and on its number alone, but for ids. Every CHAPTER of them begins with the
same world, which the requests before it in the chapter have changed: what `--only` does not repeat, `--until`
does. Octets are sent many at once, so that what depends on their order cannot be repeated.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import structlog
from starlette.routing import Router

from tests.commands import served
from tests.hostile.application import asked
from tests.hostile.databases import Databases, Files, OnServer
from tests.hostile.estate import Estate, made_estate
from tests.hostile.octets import Sent, exchanged, hostile_octets
from tests.hostile.requests import Request, hostile_request
from tests.hostile.verdict import Judge
from tests.postgres_server import postgres_server
from tests.service import BASE, running

CHAPTER = 100
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
# Of the server that gets octets: it soon gives up what does not come.
IMPATIENT = {"REGISTRY_HEAD_SECONDS": "2", "REGISTRY_CONTENT_SECONDS": "2"}
AT_ONCE = 64
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
        slowest = f"the slowest {seconds:.3f} s, number {number}"
        return f"seed {self.seed}: {self.count} answers to {self.what}: {statuses}; {slowest}"


Run = Callable[[Estate, Databases, int, Sequence[int], list[Fault] | None], Coroutine[None, None, Summary]]


async def fuzz(
    estate: Estate,
    databases: Databases,
    seed: int,
    numbers: Sequence[int],
    found: list[Fault] | None = None,
) -> Summary:
    """Raises `Fault` for the first answer that is none, unless there is where to put what is `found`."""
    summary = Summary(seed)
    for chapter in sorted({number // CHAPTER for number in numbers}):
        async with (
            databases.copy() as url,
            running(url, estate.folder, require_if_match=chapter % 5 == 4) as service,
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
    estate: Estate,
    databases: Databases,
    seed: int,
    numbers: Sequence[int],
    found: list[Fault] | None = None,
) -> Summary:
    """As `fuzz`, over sockets, many at once, of one server in a process of its own."""
    summary, faults = Summary(seed, "octets"), found if found is not None else []
    async with databases.copy() as url:
        where = {"REGISTRY_DATABASE_URL": url, "REGISTRY_DATA_DIR": str(estate.folder)}
        with served(estate.folder, REGISTRY_PUBLIC_URL=BASE, **where, **IMPATIENT) as server:
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
            assert [answer.status_code for answer in await exchanged(port, LIVE)] == [200]
            faults += [Fault(line) for line in server.said().splitlines() if '"level":"error"' in line]
    if faults and found is None:
        raise faults[0]
    return summary


async def _octets(port: int, judge: Judge, sent: Sent, summary: Summary) -> None:
    started = time.perf_counter()
    answers = None
    try:
        marks = judge.marks(sent.octets)
        judge.let(marks)
        answers = await exchanged(port, sent.octets)
        for answer in answers:
            judge.judge_octets(sent.request, marks, answer)
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
        answer = await asked(app, request)
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9))
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--only", type=int, help="the number of the one request to send")
    parser.add_argument("--until", type=int, help="the number of the last request of a chapter to send")
    parser.add_argument("--octets", action="store_true", help="octets alone")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL rather than SQLite")
    arguments = parser.parse_args()
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
    _say(f"seed {arguments.seed}")
    found: list[Fault] = []
    with tempfile.TemporaryDirectory(prefix="registry-fuzz-") as name:
        folder = Path(name)
        with _databases(folder, on_postgres=arguments.postgres) as databases:
            estate = asyncio.run(made_estate(databases.template, folder))
            for run, numbers in _chosen(arguments):
                _say(str(asyncio.run(run(estate, databases, arguments.seed, numbers, found))))
    for fault in found[:SHOWN]:
        _say(f"\n{fault}")
    _say(f"{len(found)} faults")
    return 1 if found else 0


def _chosen(arguments: argparse.Namespace) -> Iterator[tuple[Run, Sequence[int]]]:
    """What is to be run, with the numbers of its requests."""
    run: Run = fuzz_octets if arguments.octets else fuzz
    if arguments.only is not None:
        yield run, [arguments.only]
    elif arguments.until is not None:
        yield run, range(arguments.until - arguments.until % CHAPTER, arguments.until + 1)
    elif arguments.octets:
        yield fuzz_octets, range(arguments.count)
    else:
        octets = arguments.count // SHARE
        yield fuzz, range(arguments.count - octets)
        yield fuzz_octets, range(octets)


@contextmanager
def _databases(folder: Path, *, on_postgres: bool) -> Iterator[Databases]:
    if not on_postgres:
        yield Files(folder)
        return
    with postgres_server() as server:
        yield OnServer(server)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
