"""Hostile requests as octets, which no longer have to be HTTP, and what a server says to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

import h11
import httpx

from tests.hostile.estate import Estate
from tests.hostile.requests import Request, hostile_request

# Longer than the server of the test waits for what is missing.
HANG_SECONDS = 10
# More than the longest content that is taken.
MOST = 1_500_000
# After an answer, nothing else for so long is the end of it.
QUIET_SECONDS = 0.1
LINES = (
    *(b"Content-Length: 5", b"Content-Length: +5", b"Content-Length: 5, 5", b"Content-Length: -1", b" x: y"),
    *(
        b"Content-Length: 0x5",
        b"Content-Length: 99999999999999999999",
        b"Content-Length:",
        b"Host: evil.example",
    ),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding : chunked"),
    *(
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer_Encoding: chunked",
        b"Connection: upgrade\r\nUpgrade: h2c",
    ),
    *(
        b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x",
        b"Expect: 100-continue",
        b"no colon",
    ),
    *(
        b": no name",
        b"a b: c",
        b"x:\0",
        b"x: \xff\xfe",
        b"x\xe9: y",
        b"x: a\r b",
        b"x: a\n b",
        b"x" * 70_000 + b": y",
    ),
    *(b"x: " + b"y" * 70_000, b"\r\n".join([b"x: y"] * 150), b"Connection: close", b"Connection: keep-alive"),
)
WORDS = (
    *(
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b"\xff",
        b"\x80",
        b" ",
        b"\t",
        b"%",
        b"0\r\n\r\n",
        b":",
        b"\x1b[2J",
    ),
    *(
        b"HTTP/1.1",
        b"HTTP/1.0",
        b"HTTP/2.0",
        b"HTTP/0.9",
        b"http/1.1",
        b"HTTP/1.1.1",
        b"HTTP/11",
        b"GET",
        b"\x16\x03\x01",
    ),
)
NONE_AT_ALL = (
    *(
        b"\r\n" * 5,
        b"\0" * 20,
        b"GET /\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc",
    ),
    *(
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /api HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET",
    ),
    *(
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
        b"A" * 100_000,
        b"GET " + b"/" * 70_000,
    ),
)
CHUNKS = (
    *(
        b"0\r\n\r\n",
        b"5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"FFFFFFFFFFFFFFFFF\r\n",
        b"-1\r\n",
        b"5\r\nhell",
    ),
    *(
        b"5\nhello\n0\n\n",
        b"5\r\nhello0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\nHost: evil\r\n\r\n",
    ),
    *(
        b" 2\r\n{}\r\n0\r\n\r\n",
        b"2 \r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}\r\n0\r\n",
        b"g\r\n",
        b"\r\n",
        b"2\r\n{}\r\n00\r\n\r\n",
    ),
)
Change = Callable[[Random, bytes], bytes]


def _spliced(random: Random, octets: bytes, new: bytes, longest: int = 0) -> bytes:
    at = random.randrange(len(octets) + 1)
    return octets[:at] + new + octets[at + random.randint(0, longest) :]


def _another_line(random: Random, octets: bytes) -> bytes:
    first, *rest = octets.split(b"\r\n")
    at = random.randrange(len(rest) + 1) if random.random() < 0.3 else 0
    return b"\r\n".join([first, *rest[:at], random.choice(LINES), *rest[at:]])


def _lines_changed(random: Random, octets: bytes) -> bytes:
    lines = octets.split(b"\r\n")
    at = random.randrange(len(lines))
    changed = (b" " + lines[at], lines[at] + b" ", lines[at].replace(b":", b" :", 1), lines[at].upper(), b"")
    lines[at] = random.choice(changed)
    return b"\r\n".join(lines)


def _first_line_changed(random: Random, octets: bytes) -> bytes:
    first, end, rest = octets.partition(b"\r\n")
    at = random.choice((b" ", b"/", b"HTTP", b"1.1"))
    return first.replace(at, at + random.choice(WORDS), 1) + end + rest


CHANGES: Sequence[Change] = (
    lambda random, octets: octets[: random.randrange(len(octets))],
    lambda random, octets: octets[random.randrange(len(octets)) :],
    lambda random, octets: octets * random.choice((2, 2, 20)),
    lambda random, octets: _spliced(random, octets, random.randbytes(random.randint(1, 4)), 4),
    lambda random, octets: _spliced(random, octets, random.choice(WORDS), 2),
    lambda random, octets: _spliced(random, octets, b"", 20),
    lambda random, octets: octets.replace(b"\r\n", random.choice((b"\n", b"\r", b"\r\r\n", b"\n\r"))),
    lambda random, octets: octets.replace(b": ", random.choice((b":", b":\r\n ", b" : ", b":\0", b":\t")), 1),
    lambda random, octets: b"\r\n" * random.choice((1, 3, 40_000)) + octets,
    lambda random, octets: octets + random.choice(NONE_AT_ALL),
    lambda random, octets: random.choice(NONE_AT_ALL),
    _another_line,
    _another_line,
    _lines_changed,
    _first_line_changed,
)


@dataclass(frozen=True)
class Sent:
    """What became of a request; some stay as they were."""

    request: Request
    octets: bytes

    def __str__(self) -> str:
        return f"octets number {self.request.number}, as {self.request.caller}\n{self.octets[:4_000]!r}"


def hostile_octets(seed: int, number: int, estate: Estate) -> Sent:
    random = Random(f"{seed} octets {number}")
    request = hostile_request(seed, number, estate)
    # The answer to a HEAD looks like the beginning of another one to who does not know of the HEAD.
    request = replace(request, method="GET") if request.method == "HEAD" else request
    if request.content and random.random() < 0.4:
        return Sent(request, _chunked(random, request))
    octets = request.head + request.content
    if random.random() < 0.1:
        return Sent(request, octets)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        octets = random.choice(CHANGES)(random, octets or b"GET")[:MOST]
    return Sent(request, octets)


def _chunked(random: Random, request: Request) -> bytes:
    kept = [field for field in request.fields if field[0] not in (b"content-length", b"transfer-encoding")]
    head = replace(request, fields=(*kept, (b"transfer-encoding", b"chunked"))).head
    if random.random() < 0.5:
        return head + random.choice(CHUNKS)
    content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(request.content), request.content)
    return head + (content if random.random() < 0.5 else random.choice(CHANGES)(random, content))


async def exchanged(port: int, octets: bytes) -> list[httpx.Response]:
    """All answers, whose framing h11 has checked. Raises TimeoutError where a connection neither has one nor
    ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    try:
        writer.write(octets)
        while True:
            patience = QUIET_SECONDS if received and _are_whole(received) else HANG_SECONDS
            async with asyncio.timeout(patience):
                new = await reader.read(65_536)
            if not new:
                break
            received += new
    except ConnectionResetError:
        pass
    except TimeoutError:
        if patience == HANG_SECONDS:
            raise
    finally:
        writer.transport.abort()
    return answers(received)


def _are_whole(received: bytes) -> bool:
    try:
        return bool(answers(received))
    except EOFError:
        return False


def answers(received: bytes) -> list[httpx.Response]:
    """Raises EOFError where the last one is cut off, and what h11 raises for what is none."""
    found: list[httpx.Response] = []
    while received:
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method="GET", target="/", headers=[("Host", "registry.example")]))
        client.send(h11.EndOfMessage())
        client.receive_data(received)
        status, fields, content = 0, list[tuple[bytes, bytes]](), b""
        while not isinstance(event := client.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status, fields = event.status_code, list(event.headers.raw_items())
            elif isinstance(event, h11.Data):
                content += event.data
            elif event is h11.NEED_DATA:
                raise EOFError(f"cut off: {received[-200:]!r}")
        found.append(httpx.Response(status, headers=fields, content=content))
        received = client.trailing_data[0]
    return found
