"""A request with the fields of the one before on its connection is answered as on one of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from app import connection as connections
from app.protocol.front_door import MAX_TARGET
from app.protocol.same_fields import CONDITION, SameFields
from tests.conformance.wire import HOST, Connection
from tests.test_connection import Local, local

__all__ = ["local"]

pytestmark = pytest.mark.anyio

FIELDS = HOST + b"Accept: application/json\r\nX-Note: GET /livez HTTP/1.1\r\n\r\n"
LAST = b"GET /livez HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
PLAIN = b"GET /livez HTTP/1.1\r\n" + FIELDS
# Where there is something that may be as it was.
ASKING = b"GET /vocab HTTP/1.1\r\nif-none-Match:  %s\r\n" + FIELDS
TAGS = [
    *(b'"a"', b'"b"', b'W/"a"', b'w/"a"', b'""', b'"%s"' % (b"a" * 256), b'"%s"' % (b"a" * 257), b'"a\xe9"'),
    *(
        b"a",
        b"*",
        b'"',
        b'"a" ',
        b' "a"',
        b'"a", "b"',
        b'"a""b"',
        b'"a b"',
        b'"a\tb"',
        b'"a\x00b"',
        b"",
        b'"a"\r',
    ),
    *(b'"a"\r\n "b"', b'"a"\nX: "b"', b'"a"\r\nIf-None-Match: "b"', b'"a"\r\nConnection: close', b'"a"\r\n'),
]
NEXT = [
    PLAIN,
    *(b"%s HTTP/1.1\r\n%s" % (line, FIELDS) for line in (
        *(b"HEAD /livez", b"GET /api", b"GET /api/instances?a=b?c&d=%20", b"GET /%6civez", b"GET /a%zz"),
        *(b"GET //livez", b"GET /../livez", b"GET /livez#x", b'GET /live"z', b"GET /liv\xc3\xa9z"),
        *(b"GET livez", b"GET *", b"OPTIONS *", b"GET http://127.0.0.1:8000/livez", b"GET http://other.example/livez"),
        *(b"get /livez", b"BREW /livez", b"POST /livez", b"DELETE /livez", b"GET  /livez", b" GET /livez"),
        *(b"GET /livez ", b"GET /livez\t", b"CONNECT /livez", b"GET /" + b"x" * MAX_TARGET, b"PRI *"),
    )),
    *(b"GET /livez %s\r\n%s" % (it, FIELDS) for it in (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.1 ", b"")),
    b"GET /livez HTTP/1.1\n" + FIELDS,
    b"GET /livez HTTP/1.1\r\nX: y\r\n" + FIELDS,
    *(b"GET /livez HTTP/1.1\r\n%s: close\r\n" % it + FIELDS for it in (b"Connection", b"Proxy-Connection")),
    b"GET /livez HTTP/1.1\r\nContent-Length: 5\r\n" + FIELDS + b"GET /",
    b"GET /livez HTTP/1.1\r\n" + FIELDS.replace(b"json", b"json\x00"),
    b"GET /livez HTTP/1.1\r\n" + FIELDS[: len(HOST) + 5],
    b"GET /livez HTTP/1.1\r\n" + FIELDS[len(HOST) :],
    b"\r\n" + PLAIN,
    b"\r" + PLAIN,
    PLAIN + b"\r\n",
    PLAIN + b"\r",
    PLAIN + b"x",
    PLAIN * 3,
    PLAIN + b"GET /api HTTP/1.1\r\n" + FIELDS,
    PLAIN[:30],
    FIELDS,
    b"rubbish\r\n" + FIELDS,
]  # fmt: skip


def heard(connection: Connection) -> bytes:
    """All that comes until the end, but for what is another one each time."""
    octets = b""
    while piece := connection.raw():
        octets += piece
        connection._left = b""
    return re.sub(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9:]{8} GMT", b"", octets)


async def test_what_follows_a_request_is_read_as_what_follows_none(local: Local) -> None:
    """ME-01 and all that holds of heads: whatever comes, also when requests with these fields came before."""

    def after(octets: bytes, times: int) -> Callable[[Connection], bytes]:
        def talk(connection: Connection) -> bytes:
            for _ in range(times):
                assert connection.send(PLAIN).answer().status_code == 200
            return heard(connection.send(octets, LAST))

        return talk

    for octets in NEXT:
        alone = await local.run(after(octets, 0))
        assert [await local.run(after(octets, times)) for times in (1, 3)] == [alone] * 2, octets


async def test_a_condition_is_read_as_where_none_came_before(local: Local) -> None:
    """Its tag is the only thing that may be another one."""
    known = await local.run(lambda it: it.send(PLAIN.replace(b"livez", b"vocab")).answer().headers["ETag"])
    tags, answers = [*TAGS, known.encode()], set[int]()

    def after(octets: bytes, *before: bytes) -> Callable[[Connection], bytes]:
        def talk(connection: Connection) -> bytes:
            for tag in before:
                answers.add(connection.send(ASKING % tag).answer().status_code)
            return heard(connection.send(octets, LAST))

        return talk

    for tag in tags:
        for octets in (ASKING % tag, PLAIN, (ASKING % tag) * 2):
            alone = await local.run(after(octets))
            for before in ([b'"a"'], [b'"a"', b'"b"', known.encode()]):
                assert await local.run(after(octets, *before)) == alone, octets
    assert answers == {200, 304}


@pytest.mark.parametrize("first", [b"", b"POST", b"Proxy-Connection: close"])
async def test_what_comes_in_pieces_is_read_as_what_comes_at_once(local: Local, first: bytes) -> None:
    """Also while the answer before is being made."""
    others = [PLAIN, PLAIN]
    if b":" in first:
        others = [PLAIN.replace(FIELDS, first + b"\r\n" + FIELDS)] * 2
    elif first:
        others = [PLAIN, first + b" /livez HTTP/1.1\r\nContent-Length: 0\r\n" + FIELDS, PLAIN]

    def sent(*pieces: bytes) -> Callable[[Connection], bytes]:
        return lambda connection: heard(connection.send(*pieces))

    for octets in NEXT:
        pieces = [*others, octets, PLAIN, LAST]
        at_once = await local.run(sent(b"".join(pieces)))
        assert await local.run(sent(*pieces)) == at_once, octets


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the parser was given."""
    given: list[bytes] = []
    feed: Callable[..., None] = connections.Protocol._feed

    def noted(self: connections.Protocol, data: memoryview) -> None:
        given.append(bytes(data))
        feed(self, data)

    monkeypatch.setattr(connections.Protocol, "_feed", noted)
    return given


async def test_fields_that_come_again_are_not_read_again(local: Local, read: list[bytes]) -> None:
    def talk(connection: Connection) -> None:
        for target in (b"/livez", b"/readyz", b"/livez?x=y"):
            connection.send(b"GET %s HTTP/1.1\r\n%s" % (target, FIELDS))
            assert connection.answer().json()["status"] == "pass"

    await local.run(talk)
    assert len(read) == 1


async def test_nor_are_they_where_the_tag_of_a_condition_is_another_one(
    local: Local, read: list[bytes]
) -> None:
    def talk(connection: Connection) -> None:
        told = connection.send(PLAIN.replace(b"livez", b"vocab")).answer().headers["ETag"].encode()
        for tag, status in ((b'"a"', 200), (told, 304), (b'"b"', 200), (told, 304)):
            assert connection.send(ASKING % tag).answer().status_code == status

    await local.run(talk)
    # The first of each kind; nobody looks at once whether what came after others comes again.
    assert len(read) == 3


@pytest.mark.parametrize("tag", [it for it in TAGS if b"\r" not in it])
def test_what_is_known_of_fields_makes_them_again(tag: bytes) -> None:
    lines = [(b"host", b"127.0.0.1"), (CONDITION, tag), (b"accept", b"*/*")]
    data = b"GET /?a HTTP/1.1\r\n" + b"".join(b"%b: %b\r\n" % line for line in lines) + b"\r\n"
    same = SameFields.of(data, lines)
    assert same is not None
    known = same.request(data)
    assert known is not None
    assert (known.path, known.query, known.lines) == (b"/", b"a", lines)
    other = same.request(data.replace(tag, b'"other"')) if tag else None
    assert (other is not None) == (same.place is not None or tag == b'"other"')
    assert other is None or other.lines == [*lines[:1], (CONDITION, b'"other"'), *lines[2:]]


async def test_who_sends_other_fields_each_time_is_not_looked_at_each_time(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []
    look = SameFields.of

    def noted(data: bytes, lines: list[tuple[bytes, bytes]]) -> SameFields | None:
        looked.append(data)
        return look(data, lines)

    monkeypatch.setattr(SameFields, "of", noted)

    def talk(connection: Connection) -> None:
        for number in range(100):
            connection.send(b"GET /livez HTTP/1.1\r\nX-Number: %d\r\n%s" % (number, FIELDS))
            assert connection.answer().status_code == 200

    await local.run(talk)
    assert len(looked) < 8
