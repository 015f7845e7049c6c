"""A server in a process of its own, and clients that send what they are told; h11 reads the answers."""

from __future__ import annotations

import select
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import h11
import httpx

from app.caller import WRITE
from app.security.local_issuer import local_issuer
from app.settings import Settings
from tests.commands import served
from tests.service import BASE, SECURITY_CONTACT, World

HOST = b"Host: 127.0.0.1:8000\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
JSON_CONTENT = b"Content-Type: application/json\r\n"


class Connection:
    """Of a client that reads when it is told to, and waits `seconds` at most."""

    def __init__(self, port: int, seconds: float = 10) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=seconds)
        self._left = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *pieces: bytes) -> Self:
        """Each piece in a segment of its own, or nearly so."""
        for number, piece in enumerate(pieces):
            time.sleep(0.02 if number else 0)
            self._socket.sendall(piece)
        return self

    def push(self, octets: bytes) -> int:
        """As many of them as can be sent without waiting."""
        if not select.select([], [self._socket], [], 0)[1]:
            return 0
        self._socket.sendall(octets)
        return len(octets)

    def answer(self, method: str = "GET") -> httpx.Response:
        """The next answer, whose framing h11 has checked; 100 (Continue) is passed over."""
        reader = h11.Connection(h11.CLIENT)
        reader.send(h11.Request(method=method, target="/", headers=[("Host", "registry.example")]))
        reader.send(h11.EndOfMessage())
        if self._left:  # nothing would mean the end
            reader.receive_data(self._left)
        status, fields, content = 0, list[tuple[bytes, bytes]](), b""
        while True:
            event = reader.next_event()
            if event is h11.NEED_DATA:
                octets = self._socket.recv(65_536)
                if not octets and not status:
                    raise ConnectionError("The connection ended without an answer.")
                reader.receive_data(octets)
            elif isinstance(event, h11.Response):
                status, fields = event.status_code, list(event.headers.raw_items())
            elif isinstance(event, h11.Data):
                content += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._left = reader.trailing_data[0]
                return httpx.Response(status, headers=fields, content=content)

    def has_ended(self) -> bool:
        """Whether the server says that it sends nothing more; raises `TimeoutError` where it does not."""
        return self._left == b"" and self._socket.recv(65_536) == b""

    def is_answered(self, seconds: float = 0) -> bool:
        return bool(self._left or select.select([self._socket], [], [], seconds)[0])

    def raw(self, octets: int = 65_536) -> bytes:
        return self._left or self._socket.recv(octets)

    def finish(self) -> Self:
        """Says that it sends nothing more; it still reads."""
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self) -> None:
        """Goes away as a process does that is killed: without a word, or with a reset."""
        linger_zero = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        self._socket.close()


@dataclass(frozen=True)
class Wire:
    """A server with the small world of the tests, whose addresses begin with `BASE`."""

    port: int
    world: World
    database: Path
    data_dir: Path

    def connect(self, seconds: float = 10) -> Connection:
        return Connection(self.port, seconds)

    def authorization(self, subject: str = "owner", *scopes: str) -> bytes:
        """The line of a header."""
        token = local_issuer(self.data_dir).token(
            audience=Settings.audience,
            subject=subject,
            email=f"{subject}@acme.example",
            name=subject.capitalize(),
            scopes=scopes or (WRITE,),
            lifetime=3_600,
        )
        return f"Authorization: Bearer {token}\r\n".encode()

    def ask(self, *pieces: bytes, method: str = "GET") -> httpx.Response:
        """What is answered on a connection of its own."""
        with self.connect() as connection:
            return connection.send(*pieces).answer(method)


def head(line: str, *fields: bytes) -> bytes:
    """Of a request, with the service's Host."""
    return line.encode() + b" HTTP/1.1\r\n" + HOST + b"".join(fields) + b"\r\n"


@contextmanager
def wired(sqlite_world: tuple[Path, World], folder: Path, **settings: str) -> Iterator[Wire]:
    template, world = sqlite_world
    database = folder / "registry.sqlite3"
    shutil.copy(template, database)
    where = {
        "REGISTRY_PUBLIC_URL": BASE,
        "REGISTRY_DATABASE_URL": f"sqlite://{database}",
        "REGISTRY_DATA_DIR": str(template.parent),
        "REGISTRY_SECURITY_CONTACT": SECURITY_CONTACT,
    }
    with served(folder, **where, **settings) as server:
        yield Wire(int(server.base.rpartition(":")[2]), world, database, template.parent)
