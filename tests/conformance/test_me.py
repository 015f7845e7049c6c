"""Section 9 of the conformance list: methods, over a real socket."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import httpx
import orjson
import pytest

from app.receiving import ACCEPTED
from app.request import METHODS
from app.routes import ROUTES
from tests.conformance.wire import CHUNKED, JSON_CONTENT, Connection, Wire, head, wired
from tests.service import BASE, World
from tests.test_sweep import check_common, check_problem, concrete

IMF_FIXDATE = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d GMT"
)
VOLATILE = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def wire(sqlite_world: tuple[Path, World], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    with wired(sqlite_world, tmp_path_factory.mktemp("methods")) as wire:
        yield wire


def paths(wire: Wire) -> list[str]:
    return [concrete(route, wire.world) for route in ROUTES]


def fields(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in VOLATILE}


def created(connection: Connection, owner: bytes, name: str) -> str:
    """The path of a new organization."""
    content = orjson.dumps({"name": name})
    length = b"Content-Length: %d\r\n" % len(content)
    connection.send(head("POST /api/organizations", owner, JSON_CONTENT, length) + content)
    answer = connection.answer("POST")
    assert answer.status_code == 201
    return answer.headers["Location"].removeprefix(BASE)


def test_me_01_everything_can_be_read_by_get_and_head(
    wire: Wire, connection: Connection, owner: bytes
) -> None:
    for path, method in product(paths(wire), ("GET", "HEAD")):
        answer = connection.send(head(f"{method} {path}", owner)).answer(method)
        assert answer.status_code in (200, 303), (method, path)


def test_me_02_head_is_get_without_its_content(wire: Wire, connection: Connection, owner: bytes) -> None:
    """One octet of content would stand before the next answer, where h11 expects a status line."""
    for path in paths(wire):
        connection.send(head(f"GET {path}", owner), head(f"HEAD {path}", owner), head("GET /livez"))
        whole, without, after = (connection.answer(method) for method in ("GET", "HEAD", "GET"))
        assert without.content == b""
        assert (without.status_code, fields(without)) == (whole.status_code, fields(whole)), path
        assert int(without.headers["Content-Length"]) == len(whole.content)
        assert after.json() == {"status": "pass"}


def test_me_02_a_problem_has_no_content_either(connection: Connection) -> None:
    connection.send(head("HEAD /nothing"), b"HEAD /" + b"a" * 9_000)
    first, second = connection.answer("HEAD"), connection.answer("HEAD")
    assert (first.status_code, second.status_code) == (404, 414)
    assert int(first.headers["Content-Length"]) > 0
    assert connection.has_ended()


def test_me_03_options_tell_methods_and_media_types(wire: Wire, connection: Connection) -> None:
    for route in ROUTES:
        answer = connection.send(head(f"OPTIONS {concrete(route, wire.world)}")).answer("OPTIONS")
        assert answer.status_code == 204
        check_common(answer)
        assert set(answer.headers["Allow"].split(", ")) == {*route.operations, "HEAD", "OPTIONS"}
        for method, field in (("POST", "Accept-Post"), ("PATCH", "Accept-Patch")):
            told = answer.headers.get(field)
            assert told == (", ".join(ACCEPTED[method]) if method in route.operations else None)


def test_me_04_a_method_is_refused_where_it_is_not_allowed_and_only_there(
    wire: Wire, connection: Connection
) -> None:
    """Without a token, so that nothing is changed: 405 comes before 401."""
    for path in paths(wire):
        allow = connection.send(head(f"OPTIONS {path}")).answer("OPTIONS").headers["Allow"]
        for method in METHODS:
            answer = connection.send(head(f"{method} {path}")).answer(method)
            assert (answer.status_code == 405) == (method not in allow.split(", ")), (method, path)
            if answer.status_code == 405:
                assert answer.headers["Allow"] == allow
                check_problem(answer, "method-not-allowed")


@pytest.mark.parametrize(
    "method", ["FROB", "get", "GETS", "M-SEARCH", "PROPFIND", "X" * 40, "!#$%&'*+.^_`|~-9"]
)
def test_me_05_an_unknown_method_is_not_implemented(wire: Wire, method: str) -> None:
    """Those that the parser knows and those that it does not."""
    check_problem(wire.ask(head(f"{method} /api/organizations")), "not-implemented")


def test_me_06_trace_shows_nothing_of_the_request(wire: Wire, connection: Connection) -> None:
    secret = b"X-Secret: marker-of-a-secret\r\n"
    answer = connection.send(head("TRACE /api", secret, b"Cookie: marker-of-a-secret\r\n")).answer()
    check_problem(answer, "not-implemented")
    assert "marker-of-a-secret" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("target", ["registry.example:443", "127.0.0.1:1", "/api"])
def test_me_06_connect_makes_no_tunnel(connection: Connection, target: str) -> None:
    connection.send(head(f"CONNECT {target}") + b"GET /livez HTTP/1.1\r\n\r\n")
    answer = connection.answer()
    assert answer.status_code in (400, 501)
    check_problem(answer, "not-implemented" if answer.status_code == 501 else "invalid-parameter")
    assert connection.has_ended()


def test_me_07_the_whole_server_tells_its_methods(connection: Connection) -> None:
    connection.send(head("OPTIONS *"), head("GET /livez"))
    answer = connection.answer("OPTIONS")
    assert (answer.status_code, answer.headers["Allow"]) == (204, ", ".join(METHODS))
    assert connection.answer().status_code == 200


def test_me_08_what_is_safe_changes_nothing(wire: Wire) -> None:
    """All tables before and after everybody has asked for everything, strangers included."""
    before = dump(wire.database)
    authorizations = [wire.authorization(name) for name in ("owner", "member", "stranger", "neighbour")]
    authorizations += [wire.authorization("owner", "registry:read-all"), b""]
    with wire.connect() as connection:
        for line, method in product(authorizations, ("GET", "HEAD", "OPTIONS")):
            for path in paths(wire):
                answer = connection.send(head(f"{method} {path}", line)).answer(method)
                assert answer.status_code < 500
    assert dump(wire.database) == before


def dump(database: Path) -> list[tuple[object, ...]]:
    """Every row of every table; those of a virtual one stand in tables of their own."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        ).fetchall()
        rows = [(name, *row) for name, _ in tables for row in connection.execute(f'SELECT * FROM "{name}"')]
    return [*tables, *rows]


def test_me_09_put_and_delete_have_their_effect_once(connection: Connection, owner: bytes) -> None:
    path, content = created(connection, owner, "Umbrella"), b'{"name":"Umbrella Ltd"}'
    put = head(f"PUT {path}", owner, JSON_CONTENT, b"Content-Length: %d\r\n" % len(content)) + content
    first = connection.send(put).answer("PUT")
    assert connection.send(put).answer("PUT").content == first.content
    read = connection.send(head(f"GET {path}", owner)).answer()
    assert read.json()["updated_at"] == first.json()["updated_at"]
    statuses = [connection.send(head(f"DELETE {path}", owner)).answer("DELETE").status_code for _ in "ab"]
    assert statuses == [204, 410]
    assert connection.send(head(f"GET {path}", owner)).answer().status_code == 410


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_me_10_no_field_makes_another_method_of_it(connection: Connection, owner: bytes, name: str) -> None:
    path = created(connection, owner, "Tyrell")
    override = f"{name}: DELETE\r\n".encode()
    content = b'{"name":"Tyrell","_method":"DELETE"}'
    length = b"Content-Length: %d\r\n" % len(content)
    sent = head(f"POST {path}?_method=DELETE", owner, override, JSON_CONTENT, length) + content
    check_problem(connection.send(sent).answer("POST"), "method-not-allowed")
    sent = head("POST /api/organizations?_method=DELETE", owner, override, JSON_CONTENT, length) + content
    check_problem(connection.send(sent).answer("POST"), "invalid-content")
    assert connection.send(head(f"GET {path}", owner, override)).answer().status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n", CHUNKED])
def test_me_11_content_that_means_nothing_is_passed_over(
    wire: Wire, connection: Connection, owner: bytes, method: str, framing: bytes
) -> None:
    content = b"a\r\n0123456789\r\n0\r\n\r\n" if framing == CHUNKED else b"0123456789"
    connection.send(head(f"{method} {wire.world.absent}", owner, framing) + content + head("GET /livez"))
    assert connection.answer(method).status_code == 404
    assert connection.answer().json() == {"status": "pass"}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_me_11_content_that_does_not_come_ends_the_connection(
    wire: Wire, connection: Connection, owner: bytes, method: str
) -> None:
    """What of it would come later is not taken for a request."""
    connection.send(head(f"{method} {wire.world.absent}", owner, b"Content-Length: 40\r\n"))
    answer = connection.answer(method)
    assert (answer.status_code, answer.headers["Connection"]) == (404, "close")
    connection.send(head("GET /livez"))
    assert connection.has_ended()


@pytest.mark.parametrize(
    "path", ["/api/", "/api/organizations/", "/api/docs/", "/vocab/", "//api", "/livez/"]
)
def test_me_12_a_slash_too_many_leads_nowhere(wire: Wire, path: str) -> None:
    answer = wire.ask(head(f"GET {path}"))
    check_problem(answer, "not-found")
    assert "Location" not in answer.headers
    foreign = wire.ask(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())
    assert foreign.status_code == 421
    assert "evil.example" not in foreign.text + str(foreign.headers)


def test_me_13_every_answer_has_the_time_of_it(wire: Wire, connection: Connection, owner: bytes) -> None:
    tag = connection.send(head("GET /api")).answer().headers["ETag"].encode()
    asked = [
        (head("GET /api"), 200),
        (head("GET /"), 303),
        (head("GET /api", b"If-None-Match: " + tag + b"\r\n"), 304),
        (head("OPTIONS /api"), 204),
        (head("GET /nothing"), 404),
        (head(f"GET {wire.world.acme}", owner, b'If-Match: "0.0"\r\n'), 412),
        (head("FROB /api"), 501),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /" + b"a" * 8_001, 414),
        (head("GET /", b"X: y\r\n" * 101), 431),
    ]
    for octets, status in asked:
        answer = wire.ask(octets)
        assert answer.status_code == status
        assert IMF_FIXDATE.fullmatch(answer.headers["Date"])


@pytest.mark.parametrize("octets", [head("GET /livez"), head("GET /nothing"), b"nonsense\r\n\r\n"])
def test_me_14_no_answer_tells_what_made_it(wire: Wire, octets: bytes) -> None:
    names = {name.lower() for name in wire.ask(octets).headers}
    assert names.isdisjoint({"server", "x-powered-by", "via"})


def test_me_15_what_has_no_content_has_no_length(connection: Connection, owner: bytes) -> None:
    tag = connection.send(head("GET /api")).answer().headers["ETag"].encode()
    path = created(connection, owner, "Cyberdyne")
    asked = [
        ("OPTIONS", head("OPTIONS /api"), 204),
        ("DELETE", head(f"DELETE {path}", owner), 204),
        ("GET", head("GET /api", b"If-None-Match: " + tag + b"\r\n"), 304),
    ]
    for method, octets, status in asked:
        connection.send(octets, head("GET /livez"))
        answer = connection.answer(method)
        assert (answer.status_code, answer.content) == (status, b"")
        assert "Transfer-Encoding" not in answer.headers
        assert status == 304 or "Content-Length" not in answer.headers
        assert connection.answer().json() == {"status": "pass"}


def test_me_15_100_is_a_line_alone(connection: Connection, owner: bytes) -> None:
    fields = (owner, JSON_CONTENT, b"Content-Length: 2\r\n", b"Expect: 100-continue\r\n")
    connection.send(head("POST /api/organizations", *fields))
    assert connection.raw() == b"HTTP/1.1 100 Continue\r\n\r\n"
    check_problem(connection.send(b"{}").answer("POST"), "invalid-content")


def test_me_15_http_1_0_does_not_know_100(connection: Connection, owner: bytes) -> None:
    fields = (owner, JSON_CONTENT, b"Content-Length: 2\r\n", b"Expect: 100-continue\r\n")
    connection.send(head("POST /api/organizations", *fields).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert not connection.is_answered(0.2)
    check_problem(connection.send(b"{}").answer("POST"), "invalid-content")


def test_me_16_an_unknown_expectation_is_passed_over(connection: Connection) -> None:
    for line in (b"Expect: foo\r\n", b"Expect: 200-ok\r\n", b"Expect: \r\n"):
        assert connection.send(head("GET /livez", line)).answer().status_code == 200


def test_me_16_content_that_would_be_refused_is_not_asked_for(connection: Connection, owner: bytes) -> None:
    fields = (JSON_CONTENT, b"Content-Length: 2000000\r\n", b"Expect: 100-continue\r\n")
    connection.send(head("POST /api/organizations", owner, *fields))
    assert connection.raw(12) == b"HTTP/1.1 413"
