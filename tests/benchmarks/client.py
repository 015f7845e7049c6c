"""A client that sends the requests of a file, as fast as they are answered, and tells what came of it.

    python -m tests.benchmarks.client PORT FILE STATUS SECONDS CONNECTIONS [--once]

Each request in the file stands after a line with its length. With `--once` none is sent again. When the time
is over, nothing more is sent and every answer awaited, so that what was sent is what the server has done.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

from tests.benchmarks.figures import percentile

LATE_SECONDS = 10


class Run:
    """What all connections have in common."""

    def __init__(self, requests: Iterator[bytes], seconds: float) -> None:
        self.requests = requests
        self.end = time.perf_counter() + seconds
        self.waited: list[float] = []
        self.statuses: Counter[bytes] = Counter()

    def next(self) -> bytes | None:
        return next(self.requests, None) if time.perf_counter() < self.end else None


class Connection(asyncio.Protocol):
    """Reads of an answer its status and where it ends: the server gives a length to all content."""

    def __init__(self, run: Run, finished: asyncio.Future[None]) -> None:
        self._run = run
        self._finished = finished
        self._read = bytearray()
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass of it
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._finished.done():
            self._finished.set_exception(exc or ConnectionError("The server has closed a connection."))

    def data_received(self, data: bytes) -> None:
        self._read += data
        head = self._read.find(b"\r\n\r\n")
        if head >= 0 and len(self._read) >= head + 4 + content_length(self._read[:head]):
            self._run.waited.append(time.perf_counter() - self._sent)
            self._run.statuses[bytes(self._read[9:12])] += 1
            self._read.clear()
            self._send()

    def _send(self) -> None:
        request = self._run.next()
        if request is None:
            self._finished.set_result(None)
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(request)


def content_length(head: bytes | bytearray) -> int:
    """An answer without content has none of this field, or is a 304, which tells another answer's."""
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found and head[9:12] != b"304" else 0


def read_requests(octets: bytes) -> list[bytes]:
    requests, place = [], 0
    while place < len(octets):
        line = octets.index(b"\n", place)
        place = line + 1 + int(octets[place:line])
        requests.append(octets[line + 1 : place])
    return requests


async def load(port: int, run: Run, connections: int) -> None:
    loop = asyncio.get_running_loop()
    finished = [loop.create_future() for _ in range(connections)]
    for future in finished:
        await loop.create_connection(lambda future=future: Connection(run, future), "127.0.0.1", port)  # type: ignore[misc]
    async with asyncio.timeout_at(loop.time() + (run.end - time.perf_counter()) + LATE_SECONDS):
        await asyncio.gather(*finished)


def main() -> None:
    parser = argparse.ArgumentParser(prog="client")
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("status", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("connections", type=int)
    parser.add_argument("--once", action="store_true")
    chosen = parser.parse_args()
    requests = read_requests(chosen.file.read_bytes())
    begun = time.perf_counter()
    run = Run(iter(requests) if chosen.once else cycle(requests), chosen.seconds)
    uvloop.run(load(chosen.port, run, chosen.connections))
    seconds, sent = time.perf_counter() - begun, len(run.waited)
    told = {
        "sent": sent,
        "unexpected": sent - run.statuses[str(chosen.status).encode()],
        "seconds": seconds,
        "p50": percentile(run.waited, 0.5) * 1_000,
        "p99": percentile(run.waited, 0.99) * 1_000,
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
