"""What takes longer than a test may: the claims about endurance and time, measured. `make soak` runs it.

    python -m tests.soak [SECTION ...] [--seed N] [--cycles N] [--minutes N]

Each section prints its figures on a line; the exit code is 1 where one of its claims does not hold. Kills are
of processes: what a disk does when the power fails is not tried here.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.storage.database import Database
from tests.commands import Server, started
from tests.conformance.wire import CHUNKED, JSON_CONTENT, Connection, head
from tests.load import DATABASE, Writer, memory, open_files, stored, token, until
from tests.measures import crawls, fields, graphs, neighbours, revalidation, starts, strangers
from tests.service import JSON, PATCH

HEAD_SECONDS = 3
PATIENCE = {"REGISTRY_HEAD_SECONDS": str(HEAD_SECONDS), "REGISTRY_CONTENT_SECONDS": "5"}
QUIET = {"REGISTRY_DRAIN_SECONDS": "1", **PATIENCE}


@dataclass
class Run:
    """`folder` has the database and the key; `broken` are the claims that did not hold."""

    folder: Path
    dice: random.Random
    cycles: int
    minutes: float
    broken: list[str] = field(default_factory=list)

    def tell(self, section: str, figures: str, **claims: bool) -> None:
        broken = [claim.replace("_", " ") for claim, holds in claims.items() if not holds]
        self.broken += broken
        sys.stdout.write(f"{section:11}{figures}{'; NOT SO: ' + ', '.join(broken) if broken else ''}\n")
        sys.stdout.flush()

    @contextmanager
    def serving(self) -> Iterator[tuple[Server, int, Callable[[signal.Signals], int]]]:
        """A server, its process, and what sends that a signal and waits for its exit code."""
        with started(self.folder, **QUIET) as (server, process):

            def end(sig: signal.Signals) -> int:
                process.send_signal(sig)
                return process.wait(40)

            yield server, process.pid, end


def port(server: Server) -> int:
    return int(server.base.rpartition(":")[2])


async def kills(run: Run) -> None:
    """Killed in the middle of writes; what was acknowledged is looked for at the end."""
    made, unheard = list[str](), set[str]()
    for cycle in range(run.cycles):
        with run.serving() as (server, _, end):
            writers = [Writer(server.base, token(run.folder), f"kill {cycle} {n}") for n in range(8)]
            writing = asyncio.gather(*(writer.write(asyncio.Event()) for writer in writers))
            await asyncio.sleep(run.dice.uniform(0.2, 1.5))
            await asyncio.to_thread(end, signal.SIGKILL)
            await asyncio.wait_for(writing, 20)
            made += [name for writer in writers for name in writer.made]
            unheard |= {name for writer in writers for name in writer.cut}
    found = Counter(name for name in stored(run.folder) if name.startswith("kill "))
    lost, doubled = set(made) - found.keys(), [name for name, times in found.items() if times > 1]
    run.tell(
        "kills",
        f"{run.cycles} kill -9 under 8 writers: {len(made)} writes acknowledged, {len(lost)} lost, "
        f"{len(doubled)} doubled; of {len(unheard)} unanswered {len(unheard & found.keys())} were done",
        nothing_is_lost=not lost,
        nothing_is_doubled=not doubled,
        nothing_is_made_up=found.keys() <= {*made, *unheard},
    )


async def stops(run: Run) -> None:
    """Stopped under clients that, like a load balancer, ask elsewhere when `/readyz` says so."""
    answered, cut, codes, seconds = 0, 0, set[int](), list[float]()
    for cycle in range(run.cycles):
        with run.serving() as (server, _, end):
            writers = [Writer(server.base, token(run.folder), f"stop {cycle} {n}") for n in range(8)]
            elsewhere = asyncio.Event()
            writing = asyncio.gather(*(writer.write(elsewhere) for writer in writers))
            await asyncio.sleep(run.dice.uniform(0.2, 1))
            begun = time.monotonic()
            ended = asyncio.create_task(asyncio.to_thread(end, signal.SIGTERM))
            async with httpx.AsyncClient(base_url=server.base, trust_env=False) as client:
                ready = 200
                while ready == 200:
                    ready = (await client.get("/readyz")).status_code
            elsewhere.set()
            await asyncio.wait_for(writing, 20)
            codes.add(await ended)
            seconds.append(time.monotonic() - begun)
            answered += sum(len(writer.made) for writer in writers)
            cut += sum(len(writer.cut) + len(writer.refused) for writer in writers)
    run.tell(
        "stops",
        f"{run.cycles} SIGTERM under 8 writers: {answered} requests answered, {cut} cut; "
        f"at most {max(seconds):.1f} s to the end; exit codes {sorted(codes)}",
        nothing_is_cut=cut == 0,
        the_exit_code_is_0=codes == {0},
    )


async def rubbish(run: Run) -> None:
    """Random octets, on a connection each."""
    connections, statuses = 10_000, Counter[int]()
    with run.serving() as (server, pid, _):
        files, size = open_files(pid), memory(pid)
        for _ in range(connections):
            with Connection(port(server)) as connection:
                connection.send(run.dice.randbytes(run.dice.randint(1, 4_096)))
                if connection.is_answered(0.02):
                    statuses[connection.answer().status_code] += 1
        with Connection(port(server)) as connection:
            alive = connection.send(head("GET /livez")).answer().status_code == 200
        await until(lambda: open_files(pid) <= files, 30)
        grown = memory(pid) - size
        told = ", ".join(f"{times} × {status}" for status, times in sorted(statuses.items()))
        run.tell(
            "rubbish",
            f"{connections} connections of random octets: {told}, the rest cut off; RSS {grown:+.1f} MiB",
            the_server_lives=alive and '"level":"error"' not in server.said(),
            nothing_fails=set(statuses) <= {400, 414, 431, 501},
            memory_stays=grown < 16,
        )


async def endless(run: Run) -> None:
    """Content without end, from twenty clients at once, again and again."""
    with run.serving() as (server, pid, _):
        authorization = f"Authorization: Bearer {token(run.folder)}\r\n".encode()
        begun = head("POST /api/organizations", authorization, JSON_CONTENT, CHUNKED)
        chunk, sent, statuses = b"4000\r\n" + b" " * 2**14 + b"\r\n", 0, Counter[int]()
        size = memory(pid, "VmHWM")
        for _ in range(20):
            with ExitStack() as stack:
                clients = [stack.enter_context(Connection(port(server))).send(begun) for _ in range(20)]
                while clients:
                    for client in [client for client in clients if client.is_answered()]:
                        statuses[client.answer("POST").status_code] += 1
                        clients.remove(client)
                    for client in clients:
                        sent += client.push(chunk)
        grown = memory(pid, "VmHWM") - size
    run.tell(
        "endless",
        f"{sent / 2**20:.0f} MiB of content without end on 400 connections, 20 at a time: {dict(statuses)}; "
        f"RSS at most {grown:+.1f} MiB",
        all_is_refused=statuses == {413: 400},
        memory_stays=grown < 64,
    )


def files_at_work(run: Run, server: Server, pid: int) -> int:
    """SQLite opens its log for a connection when that first needs it."""
    headers = {"Authorization": f"Bearer {token(run.folder)}"}
    made = httpx.post(f"{server.base}/api/organizations", json={"name": "First"}, headers=headers)
    assert made.status_code == 201
    return open_files(pid)


async def leavers(run: Run) -> None:
    """Clients that go away with a reset, somewhere in their request or before the answer."""
    with run.serving() as (server, pid, _):
        authorization = f"Authorization: Bearer {token(run.folder)}\r\n".encode()
        files, before = files_at_work(run, server, pid), len(stored(run.folder))
        for number in range(1_000):
            content = f'{{"name":"leaver {number}"}}'.encode()
            length = b"Content-Length: %d\r\n" % len(content)
            octets = head("POST /api/organizations", authorization, JSON_CONTENT, length) + content
            keep = run.dice.choice([len(octets), run.dice.randrange(1, len(octets))])
            client = Connection(port(server)).send(octets[:keep])
            await asyncio.sleep(run.dice.choice([0, 0.001, 0.002, 0.004]))
            client.reset()
        await until(lambda: open_files(pid) <= files, 30)
        done = len(stored(run.folder)) - before
        run.tell(
            "leavers",
            f"1000 aborted POSTs: {done} done, the others not at all; files open {files} before, "
            f"{open_files(pid)} after",
            nothing_fails='"level":"error"' not in server.said(),
        )


async def held(run: Run) -> None:
    """Connections that do nothing, that stop in the middle, and that take nothing of what they asked for."""
    kinds = {b"": 2_000, b"GET /livez HTTP/1.1\r\nHo": 2_000, head("GET /api/docs") * 50: 100}
    with run.serving() as (server, pid, _), ExitStack() as stack:
        files, size = open_files(pid), memory(pid)
        begun = time.monotonic()
        for octets, number in kinds.items():
            for _ in range(number):
                stack.enter_context(Connection(port(server))).send(octets)
        total = sum(kinds.values())
        grown, open_then = memory(pid) - size, open_files(pid) - files
        times = []
        with Connection(port(server)) as other:
            for _ in range(500):
                asked = time.perf_counter()
                assert other.send(head("GET /api")).answer().status_code == 200
                times.append(time.perf_counter() - asked)
        worst = statistics.quantiles(times, n=100)[98] * 1_000
        await until(lambda: open_files(pid) <= files, 120)
        run.tell(
            "held",
            f"{total} held connections ({open_then} open when all were made, {grown / total * 1_024:.0f} KiB "
            f"each): p99 of others {worst:.1f} ms; all let go after {time.monotonic() - begun:.0f} s",
            others_do_not_wait=worst < 50,
        )


async def mixed(run: Run) -> None:
    """Everyday work: lists, reads that are there already, renames, failures."""
    headers = {"Authorization": f"Bearer {token(run.folder)}"}
    statuses, times, sizes = Counter[int](), list[float](), list[tuple[float, float]]()
    with run.serving() as (server, pid, _):
        files = files_at_work(run, server, pid)
        begun = time.monotonic()
        until_then = begun + run.minutes * 60

        async def work(client: httpx.AsyncClient, number: int) -> None:
            made = await client.post("/api/organizations", json={"name": f"mixed {number}"})
            path = httpx.URL(made.headers["Location"]).path
            asked: list[Callable[[], Awaitable[httpx.Response]]] = [
                lambda: client.get("/api/organizations?itemsPerPage=30"),
                lambda: client.get(path),
                lambda: client.get(path, headers={"If-None-Match": "*"}),
                lambda: client.get("/api/docs", headers={"Accept-Encoding": "gzip"}),
                lambda: client.patch(
                    path, json={"name": f"mixed {run.dice.random()}"}, headers={"Content-Type": PATCH}
                ),
                lambda: client.patch(path, json={"name": ""}, headers={"Content-Type": PATCH}),
                lambda: client.get("/api/handles/nobody"),
                lambda: client.post("/api/instances", content=b"{", headers={"Content-Type": JSON}),
            ]
            while time.monotonic() < until_then:
                started = time.perf_counter()
                answer = await run.dice.choice(asked)()
                times.append(time.perf_counter() - started)
                statuses[answer.status_code] += 1
                await asyncio.sleep(run.dice.expovariate(100))

        async def watch() -> None:
            while time.monotonic() < until_then:
                sizes.append(((time.monotonic() - begun) / 60, memory(pid)))
                await asyncio.sleep(0.5)

        async with httpx.AsyncClient(base_url=server.base, headers=headers, trust_env=False) as client:
            await asyncio.gather(watch(), *(work(client, number) for number in range(8)))
        await until(lambda: open_files(pid) <= files, 30)
        warm = sizes[len(sizes) // 3 :]
        slope = statistics.linear_regression(*zip(*warm, strict=True)).slope
        failed = sum(times for status, times in statuses.items() if status >= 500)
        quantiles = [value * 1_000 for value in statistics.quantiles(times, n=100)]
        run.tell(
            "mixed",
            f"{len(times)} requests in {run.minutes:g} min ({dict(sorted(statuses.items()))}): p50 "
            f"{quantiles[49]:.1f} ms, p99 {quantiles[98]:.1f} ms; RSS {warm[-1][1]:.0f} MiB, {slope:+.2f} "
            f"MiB a minute after the first third; files open as before",
            nothing_fails=failed == 0 and '"level":"error"' not in server.said(),
            memory_stays=slope < max(1.0, 8 / run.minutes),
        )


SECTIONS: dict[str, Callable[[Run], Coroutine[Any, Any, None]]] = {
    section.__name__: section
    for section in (
        *(kills, stops, rubbish, endless, leavers, held),
        *(starts, fields, graphs, strangers, revalidation, crawls, neighbours, mixed),
    )
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all without"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cycles", type=int, default=10, help="how often a process is killed, and stopped")
    parser.add_argument("--minutes", type=float, default=3, help="of mixed work")
    chosen = parser.parse_args()
    unknown = [name for name in chosen.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"there is no section {unknown[0]}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    folder = Path(tempfile.mkdtemp(prefix="registry-soak-"))
    (folder / "data").mkdir()
    try:
        asyncio.run(Database(f"sqlite://{folder / DATABASE}").migrate())
        run = Run(folder, random.Random(chosen.seed), chosen.cycles, chosen.minutes)
        for name in chosen.sections or SECTIONS:
            asyncio.run(SECTIONS[name](run))
    finally:
        shutil.rmtree(folder)
    return 1 if run.broken else 0


if __name__ == "__main__":
    sys.exit(main())
