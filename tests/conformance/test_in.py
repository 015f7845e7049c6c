"""Section 13 of the conformance list: limits, framing, and rubbish in addresses, over a real socket."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.connection import MAX_UNTOLD
from app.protocol.front_door import MAX_FIELD_OCTETS, MAX_FIELDS, MAX_TARGET
from app.settings import Settings
from tests.conformance.wire import CHUNKED, HOST, JSON_CONTENT, Connection, Wire, head, wired
from tests.service import ACCEPT_POST, BASE, PATCH, World, running
from tests.statements import overhear
from tests.test_sweep import check_problem

# What a slow client is given, in seconds; by default it is more.
PATIENCE = 2
TOLERANCE = 2.5
KEPT_ALIVE = 5


@pytest.fixture(scope="module")
def wire(sqlite_world: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    patience = {"REGISTRY_HEAD_SECONDS": str(PATIENCE), "REGISTRY_CONTENT_SECONDS": str(PATIENCE)}
    with wired(sqlite_world, tmp_path_factory.mktemp("limits"), **patience) as wire:
        yield wire


def check_refused(connection: Connection, type_: str, method: str = "GET") -> httpx.Response:
    """With a problem, after which the connection ends: what may come after it, nobody can know."""
    answer = connection.answer(method)
    check_problem(answer, type_)
    assert answer.headers["Connection"] == "close"
    assert connection.has_ended()
    return answer


def post(owner: bytes, *fields: bytes, content: bytes = b"") -> bytes:
    return head("POST /api/organizations", owner, JSON_CONTENT, *fields) + content


def length(octets: int) -> bytes:
    return b"Content-Length: %d\r\n" % octets


@pytest.mark.parametrize("query", ["", "?name="])
def test_in_01_a_target_of_8000_octets_is_read(wire: Wire, query: str) -> None:
    target = f"/api{query}".ljust(MAX_TARGET, "x")
    assert MAX_TARGET == 8_000
    assert wire.ask(head(f"GET {target}")).status_code == (200 if query else 404)


@pytest.mark.parametrize("query", ["", "?name="])
@pytest.mark.parametrize("octets", [MAX_TARGET + 1, 70_000, 300_000])
def test_in_01_a_longer_one_is_refused(connection: Connection, query: str, octets: int) -> None:
    connection.send(head(f"GET {f'/api{query}'.ljust(octets, 'x')}"))
    check_refused(connection, "uri-too-long")


def test_in_01_a_longer_one_is_refused_before_its_end(connection: Connection) -> None:
    connection.send(b"GET /" + b"x" * 4_000, b"x" * 4_001)
    check_refused(connection, "uri-too-long")


def test_in_02_100_fields_of_32_kib_are_read(wire: Wire) -> None:
    others = b"".join(b"X-%02d: y\r\n" % number for number in range(MAX_FIELDS - 2))
    assert wire.ask(head("GET /livez", b"X-Last: y\r\n", others)).status_code == 200
    rest = MAX_FIELD_OCTETS - len("hostX") - len("127.0.0.1:8000")
    assert wire.ask(head("GET /livez", b"X: " + b"y" * rest + b"\r\n")).status_code == 200
    assert wire.ask(head("GET /livez", b"X: y" + b"y" * rest + b"\r\n")).status_code == 431


@pytest.mark.parametrize("octets", [MAX_FIELD_OCTETS, 60_000, 100_000, 400_000])
def test_in_02_a_field_that_is_too_long_is_named(connection: Connection, octets: int) -> None:
    """Unless it is so long that nobody waits for its end."""
    connection.send(head("GET /livez", b"X-Long: " + b"y" * octets + b"\r\n"))
    detail = check_refused(connection, "header-fields-too-large").json()["detail"]
    assert str(MAX_FIELD_OCTETS) in detail
    assert "x-long" in detail or octets > MAX_UNTOLD


@pytest.mark.parametrize("fields", [MAX_FIELDS, 5_000, 50_000])
def test_in_02_too_many_fields_are_refused(connection: Connection, fields: int) -> None:
    connection.send(head("GET /livez", b"X: y\r\n" * fields))
    answer = check_refused(connection, "header-fields-too-large")
    assert str(MAX_FIELDS) in answer.json()["detail"]


def test_in_02_fields_without_end_are_refused(wire: Wire) -> None:
    for piece in (b"y" * 8_192, b"X: y\r\n" * 1_000):
        with wire.connect() as connection:
            connection.send(b"GET /livez HTTP/1.1\r\n" + HOST + b"X-Long: ")
            endlessly(connection, piece, most=2**20)
            check_refused(connection, "header-fields-too-large")


def test_in_02_empty_lines_and_trailers_without_end_are_refused(wire: Wire, owner: bytes) -> None:
    for beginning, piece in (
        (b"", b"\r\n" * 4_096),
        (post(owner, CHUNKED, content=b"0\r\n"), b"X: y\r\n" * 1_000),
        (post(owner, CHUNKED, content=b"0\r\nX-Long: "), b"y" * 8_192),
        (post(owner, CHUNKED, content=b"1;"), b"y" * 8_192),
    ):
        with wire.connect() as connection:
            connection.send(beginning)
            endlessly(connection, piece, most=2**24)
            check_refused(connection, "header-fields-too-large")


def endlessly(connection: Connection, piece: bytes, most: int) -> int:
    """Sends until there is an answer; how many octets that took."""
    sent = 0
    while not connection.is_answered():
        connection.send(piece)
        sent += len(piece)
        assert sent <= most
    return sent


@pytest.mark.parametrize("octets", [Settings.max_content_length + 1, 10 * 2**30, 2**64 - 1])
def test_in_03_too_much_content_is_refused_as_soon_as_it_is_announced(
    connection: Connection, owner: bytes, octets: int
) -> None:
    connection.send(post(owner, length(octets)))
    check_refused(connection, "content-too-large", "POST")


def test_in_03_too_much_content_that_is_not_announced_is_refused_on_the_way(
    connection: Connection, owner: bytes
) -> None:
    """The rest fits into what the two ends of the connection keep for each other."""
    connection.send(post(owner, CHUNKED))
    sent = endlessly(connection, b"2000\r\n" + b" " * 8_192 + b"\r\n", most=32 * 2**20)
    check_refused(connection, "content-too-large", "POST")
    assert sent > Settings.max_content_length


def test_in_03_content_of_the_limit_is_read(connection: Connection, owner: bytes) -> None:
    content = b'{"name":""}'.ljust(Settings.max_content_length)
    answer = connection.send(post(owner, length(len(content)), content=content)).answer("POST")
    check_problem(answer, "invalid-content")
    chunks = b"100000\r\n" + content + b"\r\n0\r\n\r\n"
    check_problem(connection.send(post(owner, CHUNKED, content=chunks)).answer("POST"), "invalid-content")


@pytest.mark.parametrize(
    "hosts",
    [
        b"",
        HOST * 2,
        HOST + b"Host: other.example\r\n",
        b"Host:\r\n",
        b"Host: 127.0.0.1/../x?\r\n",
        b"Host: 127.0.0.1, 127.0.0.1\r\n",
        b"Host: me@127.0.0.1\r\n",
        b"Host: 127.0.0.1:port\r\n",
        b"Host: \xe9\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/api", "/livez"])
def test_in_04_a_request_names_one_host(connection: Connection, hosts: bytes, path: str) -> None:
    connection.send(f"GET {path} HTTP/1.1\r\n".encode() + hosts + b"\r\n", head("GET /livez"))
    check_refused(connection, "invalid-parameter")


def test_in_04_http_1_0_may_name_none(connection: Connection) -> None:
    answer = connection.send(b"GET /api HTTP/1.0\r\n\r\n").answer()
    assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
    assert connection.has_ended()


@pytest.mark.parametrize("host", ["other.test", "127.0.0.1.other.test", "acme-shop.registry.example"])
def test_in_05_other_hosts_are_not_answered_for(wire: Wire, host: str) -> None:
    answer = wire.ask(f"GET /api HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    check_problem(answer, "misdirected-request")
    assert host not in answer.text


def test_in_06_the_host_of_an_address_wins(wire: Wire) -> None:
    for address in (f"{BASE}/api?x=y", f"{BASE.upper()}/api", "https://localhost/api"):
        answer = wire.ask(f"GET {address} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())
        assert (answer.status_code, answer.json()["@id"]) == (200, f"{BASE}/api")
    assert wire.ask(head(f"GET {BASE}")).status_code == 303
    check_problem(wire.ask(head("GET http://evil.example/api")), "misdirected-request")


@pytest.mark.parametrize(
    "octets",
    [
        f"GET {BASE}/api HTTP/1.1\r\n\r\n".encode(),
        f"GET {BASE}/api HTTP/1.1\r\n".encode() + HOST * 2 + b"\r\n",
        head("GET http://me@127.0.0.1:8000/api"),
        head("GET ftp://127.0.0.1:8000/api"),
        head("GET http:///api"),
        head("GET api"),
        head("GET *"),
        head("GET /api#fragment"),
        head(f"GET {BASE}/api#fragment"),
    ],
)
def test_in_06_what_is_no_address_of_a_resource_is_refused(connection: Connection, octets: bytes) -> None:
    check_refused(connection.send(octets), "invalid-parameter")


RUBBISH = ["%00", "a%00b", "%01", "%1f", "%7f", "%FF", "%C0%AF", "%ED%A0%80", "%zz", "%", "%2"]


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_in_07_rubbish_in_a_path_is_not_there(wire: Wire, owner: bytes, rubbish: str) -> None:
    for path in (
        f"/api/instances/{rubbish}",
        f"/api/handles/{rubbish}",
        f"/{rubbish}",
        f"/api/docs{rubbish}",
    ):
        check_problem(wire.ask(head(f"GET {path}", owner)), "not-found")


@pytest.mark.parametrize("rubbish", [text for text in RUBBISH if text not in ("%01", "%1f", "%7f")])
def test_in_07_rubbish_in_a_query_is_refused(wire: Wire, owner: bytes, rubbish: str) -> None:
    for query in (f"name={rubbish}", f"handle=x&page={rubbish}", f"after={rubbish}"):
        check_problem(wire.ask(head(f"GET /api/instances?{query}", owner)), "invalid-parameter")


@pytest.mark.parametrize("octets", [b"\x00", b"\x01", b"\x7f", b"\xff", b"\xc3\xa9"])
def test_in_07_octets_that_no_address_has_are_refused(connection: Connection, octets: bytes) -> None:
    connection.send(b"GET /api/instances/a" + octets + b"b HTTP/1.1\r\n" + HOST + b"\r\n")
    check_refused(connection, "invalid-parameter")


@pytest.mark.anyio
async def test_in_07_no_rubbish_reaches_the_database(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(target: str) -> httpx.URL:
        return httpx.URL(BASE).copy_with(raw_path=target.encode())

    async with running(sqlite_url, tmp_path) as service:
        owner = service.as_("owner")
        assert (await owner.get("/api/instances")).status_code == 200  # from now on it is known who this is
        statements = overhear(monkeypatch)
        for rubbish in RUBBISH:
            check_problem(await owner.get(asked(f"/api/handles/{rubbish}")), "not-found")
            check_problem(await owner.get(asked(f"/api/instances/{rubbish}")), "not-found")
        for rubbish in ("%00", "%FF", "%C0%AF", "%zz"):
            for path in ("/api/instances?name=x", "/api/organizations?", "/api/me?x="):
                check_problem(await owner.get(asked(f"{path}{rubbish}")), "invalid-parameter")
        assert statements == []
        assert (await owner.get("/api/instances?name=x")).status_code == 200
        assert statements != []


def test_in_08_no_detour_leads_to_a_resource(wire: Wire, owner: bytes) -> None:
    shop, acme = wire.world.shop, wire.world.acme
    for path in (
        "/api%2Finstances",
        "/api%5Cinstances",
        f"/api/instances%2F{shop.rpartition('/')[2]}",
        f"{shop}%2Ftransfer",
        "/api/../api/instances",
        "/api/%2e%2e/api/instances",
        "/api/./instances",
        f"{acme}/../../instances",
        "//api/instances",
        "/api//instances",
        "/api/instances;x=y",
        f"{shop};x=y",
        f"{shop}/.",
        f"{shop}/..",
        "/contexts/v1/../../api",
        "/contexts/v1/..%2f..%2fpyproject.toml",
    ):
        check_problem(wire.ask(head(f"GET {path}", owner)), "not-found")


@pytest.mark.parametrize(
    "query", ["page=1&page=2", "itemsPerPage=1&itemsPerPage=1", "name=a&name=b", "after=&after="]
)
def test_in_09_a_parameter_that_has_one_value_is_given_once(wire: Wire, owner: bytes, query: str) -> None:
    check_problem(wire.ask(head(f"GET /api/instances?{query}", owner)), "invalid-parameter")


def test_in_10_an_unknown_parameter_is_passed_over_unless_the_client_wants_to_know(
    wire: Wire, owner: bytes
) -> None:
    """Decided otherwise: API Platform's admin sends parameters of its own (CLIENTS H8)."""
    known, unknown = (
        wire.ask(head(f"GET /api/instances?{query}", owner))
        for query in ("itemsPerPage=5", "itemsPerPage=5&lmit=5")
    )
    assert (unknown.status_code, unknown.json()["member"]) == (200, known.json()["member"])
    strict = wire.ask(head("GET /api/instances?lmit=5", owner, b"Prefer: handling=strict\r\n"))
    assert "lmit" in str(check_problem(strict, "invalid-parameter")["detail"])


def test_in_11_a_path_is_told_by_case(wire: Wire, owner: bytes) -> None:
    shop = wire.world.shop
    for path in (
        "/API/organizations",
        "/api/ORGANIZATIONS",
        f"/api/instances/{shop.rpartition('/')[2].upper()}",
    ):
        check_problem(wire.ask(head(f"GET {path}", owner)), "not-found")
    assert wire.ask(head(f"GET {shop}", owner)).status_code == 200


@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Content-Type: text/plain\r\n",
        b"Content-Type: application/x-www-form-urlencoded\r\n",
        b"Content-Type: multipart/form-data; boundary=x\r\n",
        b"Content-Type: application/json\r\nContent-Type: application/json\r\n",
        b"Content-Type: application/json, application/json\r\n",
    ],
)
def test_in_12_content_says_what_it_is(wire: Wire, owner: bytes, lines: bytes) -> None:
    created = wire.ask(head("POST /api/organizations", owner, lines, length(2)) + b"{}", method="POST")
    check_problem(created, "unsupported-media-type")
    assert created.headers["Accept-Post"] == ACCEPT_POST
    changed = wire.ask(head(f"PATCH {wire.world.shop}", owner, lines, length(2)) + b"{}", method="PATCH")
    check_problem(changed, "unsupported-media-type")
    assert changed.headers["Accept-Patch"] == PATCH
    replaced = wire.ask(head(f"PUT {wire.world.shop}", owner, lines, length(2)) + b"{}", method="PUT")
    check_problem(replaced, "unsupported-media-type")
    assert replaced.headers["Accept"] == ACCEPT_POST


@pytest.mark.parametrize("coding", [b"gzip", b"GZIP", b"br", b"zstd", b"identity, gzip"])
def test_in_13_content_is_not_decompressed(connection: Connection, owner: bytes, coding: bytes) -> None:
    """However little it would become much of: nothing of it is looked at."""
    bomb = gzip.compress(bytes(2**24))
    coded = b"Content-Encoding: " + coding + b"\r\n"
    answer = connection.send(post(owner, coded, length(len(bomb)), content=bomb)).answer("POST")
    check_problem(answer, "unsupported-media-type")
    assert answer.headers["Accept-Encoding"] == "identity"


def framed(*lines: bytes, content: bytes = b"") -> bytes:
    return head("POST /api/organizations", JSON_CONTENT, *(line + b"\r\n" for line in lines)) + content


TE, EMPTY_CHUNKS = b"Transfer-Encoding: chunked", b"0\r\n\r\n"
# What others may have read another way: as more, as less, or as two requests.
AMBIGUOUS = {
    "Content-Length and Transfer-Encoding": framed(b"Content-Length: 5", TE, content=EMPTY_CHUNKS),
    "Transfer-Encoding and Content-Length": framed(TE, b"Content-Length: 5", content=EMPTY_CHUNKS),
    "chunked is not the last coding": framed(b"Transfer-Encoding: chunked, identity", content=EMPTY_CHUNKS),
    "a coding that only looks like chunked": framed(b"Transfer-Encoding: xchunked", content=EMPTY_CHUNKS),
    "identity": framed(b"Transfer-Encoding: identity", content=EMPTY_CHUNKS),
    "chunked twice": framed(TE, TE, content=EMPTY_CHUNKS),
    "a tab for a space": framed(b"Transfer-Encoding:\x0bchunked", content=EMPTY_CHUNKS),
    "Transfer-Encoding in HTTP/1.0": framed(TE, content=EMPTY_CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a negative length": framed(b"Content-Length: -2", content=b"{}"),
    "a length with a sign": framed(b"Content-Length: +2", content=b"{}"),
    "a length in hexadecimal": framed(b"Content-Length: 0x2", content=b"{}"),
    "a length with a space in it": framed(b"Content-Length: 2 2", content=b"{}"),
    "no length": framed(b"Content-Length:", content=b"{}"),
    "the same length twice": framed(b"Content-Length: 2", b"Content-Length: 2", content=b"{}"),
    "two lengths": framed(b"Content-Length: 2", b"Content-Length: 3", content=b"{}"),
    "a list of lengths": framed(b"Content-Length: 2, 2", content=b"{}"),
    "a length that nobody can count to": framed(b"Content-Length: 99999999999999999999999", content=b"{}"),
    "a bare CR in a value": framed(b"X: a\rb"),
    "a bare CR at the end of a line": framed(b"X: a\rY: b"),
    "bare LF at the end of lines": b"GET /livez HTTP/1.1\nHost: 127.0.0.1:8000\n\n",
    "a value in two lines": framed(b"X: a\r\n b"),
    "a space before the first field": b"GET /livez HTTP/1.1\r\n Host: 127.0.0.1:8000\r\n\r\n",
    "a space before the colon": framed(b"X : a"),
    "a space before the colon of a length": framed(b"Content-Length : 2", content=b"{}"),
    "a field without a colon": framed(b"X"),
    "a field without a name": framed(b": a"),
    "NUL in a value": framed(b"X: a\x00b"),
    "a name that is no token": framed(b"X\xe9: a"),
    "a chunk size that is no number": framed(TE, content=b"zz\r\n{}\r\n0\r\n\r\n"),
    "a chunk size with a prefix": framed(TE, content=b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a negative chunk size": framed(TE, content=b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk size that nobody can count to": framed(TE, content=b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a chunk size before a bare LF": framed(TE, content=b"2\n{}\n0\n\n"),
    "a chunk longer than its size": framed(TE, content=b"1\r\n{}\r\n0\r\n\r\n"),
    "a bare LF in a chunk's extension": framed(TE, content=b"2;a\nb\r\n{}\r\n0\r\n\r\n"),
    "a version that there is not": head("GET /livez").replace(b"HTTP/1.1", b"HTTP/1.2"),
    "a version that is spoken otherwise": head("GET /livez").replace(b"HTTP/1.1", b"HTTP/2.0"),
    "a version before there were fields": head("GET /livez").replace(b"HTTP/1.1", b"HTTP/0.9"),
    "a version in lower case": head("GET /livez").replace(b"HTTP/1.1", b"http/1.1"),
}


@pytest.mark.parametrize("octets", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_in_14_what_can_be_read_in_two_ways_is_not_read(connection: Connection, octets: bytes) -> None:
    connection.send(octets + head("GET /livez"))
    check_refused(connection, "invalid-parameter")


@pytest.mark.parametrize(
    "codings", [b"gzip, chunked", b"chunked;x=y, chunked", b"deflate\r\nTransfer-Encoding: chunked"]
)
def test_in_14_a_coding_that_nobody_decodes_is_not_implemented(
    connection: Connection, codings: bytes
) -> None:
    connection.send(framed(b"Transfer-Encoding: " + codings, content=EMPTY_CHUNKS) + head("GET /livez"))
    answer = connection.answer("POST")
    assert answer.status_code in (400, 501)
    assert answer.headers["Connection"] == "close"
    assert connection.has_ended()


def test_in_14_a_trailer_is_no_header(connection: Connection, owner: bytes) -> None:
    """All of it arrives at once, before the request is looked at."""
    chunks = b"2\r\n{}\r\n0\r\n" + owner + b"\r\n"
    connection.send(head("POST /api/organizations", JSON_CONTENT, CHUNKED) + chunks + head("GET /livez"))
    check_problem(connection.answer("POST"), "not-authenticated")
    assert connection.answer().json() == {"status": "pass"}


def test_in_15_after_an_early_answer_the_connection_is_in_order_or_ends(wire: Wire, owner: bytes) -> None:
    content, after = b'{"name":"x"}', head("GET /livez")
    for line in (b"", b"Authorization: Bearer rubbish\r\n"):
        with wire.connect() as connection:
            connection.send(post(line, length(len(content)), content=content), after)
            check_problem(connection.answer("POST"), "not-authenticated")
            assert connection.answer().json() == {"status": "pass"}
        with wire.connect() as connection:
            # Answered before the rest has come, so the rest cannot be told from another request.
            connection.send(post(line, length(len(content) + len(after)), content=content))
            check_refused(connection, "not-authenticated", "POST")
    with wire.connect() as connection:
        connection.send(post(owner, length(2**24), content=content), after)
        check_refused(connection, "content-too-large", "POST")


def test_in_15_who_still_sends_can_read_the_answer(connection: Connection) -> None:
    """A megabyte on its way, of which nothing is read: a reset would have destroyed the answer."""
    connection.send(head("POST /api/organizations", JSON_CONTENT, length(2**20)))
    for _ in range(64):
        connection.send(bytes(2**14))
    check_refused(connection, "not-authenticated", "POST")


def test_in_16_random_octets_do_no_harm(wire: Wire) -> None:
    """A few; `make soak` has ten thousand."""
    dice = random.Random(16)
    for _ in range(300):
        with wire.connect() as connection:
            connection.send(dice.randbytes(dice.randint(1, 4_096)))
    assert wire.ask(head("GET /livez")).status_code == 200


def cut(connection: Connection, drip: bytes = b"") -> tuple[int | None, float]:
    """The status of what is answered before the connection ends, if anything is, and after how long."""
    started, answered = time.monotonic(), False
    while drip and not answered:
        connection.send(drip)
        answered = connection.is_answered(0.3)
    try:
        status = connection.answer().status_code
        answered_after = time.monotonic() - started
    except ConnectionError:
        return None, time.monotonic() - started
    assert connection.has_ended()
    return status, answered_after


def test_in_17_slow_clients_are_cut(wire: Wire, owner: bytes) -> None:
    """All at once, for each takes its time: what they send before they are slow, and what they do then."""
    unread = head("POST /api/organizations", JSON_CONTENT, length(1_000))
    slow: dict[str, tuple[bytes, bytes, int | None]] = {
        "nothing": (b"", b"", None),
        "half a head": (b"GET /livez HTTP/1.1\r\nHo", b"", 408),
        "a head in drops": (b"GET /livez HTTP/1.1\r\n", b"X: y\r\n", 408),
        "half a second head": (head("GET /livez") + b"GET /li", b"", 408),
        "an empty line for a second head": (head("GET /livez"), b"", None),
        "half of the content": (post(owner, length(1_000), content=b"{"), b"", 408),
        "content in drops": (post(owner, CHUNKED), b"1\r\n \r\n", 408),
    }
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(len(slow)))
        connections = {name: stack.enter_context(wire.connect()) for name in slow}
        for name, connection in connections.items():
            connection.send(slow[name][0])
        for name in ("half a second head", "an empty line for a second head"):
            assert connections[name].answer().status_code == 200
        connections["an empty line for a second head"].send(b"\r\n")
        outcomes = {name: threads.submit(cut, connections[name], slow[name][1]) for name in slow}
        for name, outcome in outcomes.items():
            status, seconds = outcome.result()
            assert status == slow[name][2], name
            assert PATIENCE - 0.5 < seconds < PATIENCE + TOLERANCE, name
    with wire.connect().send(unread) as connection:
        started = time.monotonic()
        check_refused(connection, "not-authenticated", "POST")
        assert time.monotonic() - started < PATIENCE


def test_in_17_who_asks_nothing_more_is_let_go(wire: Wire) -> None:
    started = time.monotonic()
    with wire.connect().send(head("GET /livez")) as connection:
        assert connection.answer().status_code == 200
        assert connection.has_ended()
    assert KEPT_ALIVE - 0.5 < time.monotonic() - started < KEPT_ALIVE + TOLERANCE
