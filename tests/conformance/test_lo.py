"""Section 25 of the conformance list, logs: what a process as it runs tells of its requests, and what not."""

from __future__ import annotations

import base64
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx
import pytest
from structlog.stdlib import ProcessorFormatter

from app import logs
from app.request import METHODS
from app.routes import ROUTES
from tests import commands
from tests.commands import Server, free_port, served
from tests.conformance.fresh import MERGE
from tests.conformance.wire import Connection
from tests.load import placed

MARK = "zqmarkerzq"
NAME = "Nobody's business"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
# Forging a line, moving the cursor of a terminal, ends of lines to some readers only.
HOSTILE = "\r\n{}\x1b[2J\u2028\u2029\x85\x9b31m\x00"
ALWAYS: dict[str, Any] = {
    "event": "request",
    "level": "info",
    "time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"),
    "request_id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "method": re.compile("|".join([*METHODS, "other"])),
    "status": int,
    "ms": float,
    "bytes": int,
}
SOMETIMES: dict[str, Any] = {
    "route": re.compile("|".join(re.escape(route.path) for route in ROUTES)),
    "trace_id": re.compile("[0-9a-f]{32}"),
    "caller": re.compile("[0-9a-f]{16}"),
    "organization": ALWAYS["request_id"],
    "problem": re.compile("[a-z-]+"),
}


class Observed(NamedTuple):
    """A process, its folder, a client with a token of `owner`, the token, and the port of its metrics."""

    server: Server
    folder: Path
    client: httpx.Client
    token: str
    metrics: int

    def lines(self) -> list[dict[str, Any]]:
        """Whatever ends a line to anybody ends one here."""
        return [json.loads(line) for line in self.server.said().splitlines() if line]

    def line_of(self, answer: httpx.Response) -> dict[str, Any]:
        """It is written once the answer has been sent, which a client may have read by then."""
        number, deadline = answer.headers["X-Request-Id"], time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [it for it in self.lines() if it.get("request_id") == number and it["event"] == "request"]
            if found:
                [line] = found
                return line
            time.sleep(0.01)
        raise AssertionError(f"No line tells of {number}:\n{self.server.said()}")


@pytest.fixture(scope="module")
def observed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    folder, metrics = placed(sqlite_template, tmp_path_factory.mktemp("observed")), free_port()
    with served(folder, REGISTRY_METRICS_PORT=str(metrics)) as server:
        command = ("token", "--sub", "owner", "--email", "owner@acme.example")
        token = commands.run(folder, *command).stdout.strip()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=server.base, headers=headers, trust_env=False) as client:
            yield Observed(server, folder, client, token, metrics)


def encoded(part: dict[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def unreadable(secret: str) -> list[bytes]:
    """Heads that no server takes for HTTP."""
    field = f"Authorization: Bearer {secret}\r\n"
    return [
        f"GET /api HTTP/1.1\r\nHost: a\r\n{field}Not a field {secret}\r\n\r\n".encode(),
        f"GET /api?access_token={secret} {secret} HTTP/1.1\r\nHost: a\r\n{field}\r\n".encode(),
        f"GET /api HTTP/1.1\r\n{field}Host: {secret}\r\n\r\n".encode(),
    ]


def refused(observed: Observed, head: bytes) -> httpx.Response:
    with Connection(int(observed.server.base.rpartition(":")[2])) as connection:
        answer = connection.send(head).answer()
    assert answer.status_code in (400, 421)
    return answer


def test_lo_01_a_token_is_nowhere_but_in_its_request(observed: Observed) -> None:
    """In no line, answer, metric or file, wherever it was sent and whatever became of it."""
    client, token = observed.client, observed.token
    head, payload, signature = token.split(".")
    told = {"iss": MARK, "sub": MARK, "aud": MARK}
    bad = [
        MARK,
        f"{MARK}.{MARK}.{MARK}",
        f"{head}.{payload}.{MARK}{signature}",
        f"{encoded({'alg': 'ES256', 'typ': 'at+jwt', 'kid': MARK})}.{payload}.{signature}",
        f"{encoded({'alg': MARK, 'typ': MARK})}.{payload}.{signature}",
        f"{head}.{encoded(told)}.{signature}",
        MARK * 4_000,
    ]
    answers = [client.get("/api/me", headers={"Authorization": f"Bearer {it}"}) for it in bad]
    assert {answer.status_code for answer in answers} == {401, 431}
    organization = client.post("/api/organizations", json={"name": "Acme"})
    path = organization.headers["Location"]
    for secret in (MARK, token):
        answers += [
            client.get("/api/me", headers={"Authorization": f"Basic {secret}"}),
            client.get("/api/me", headers={"Authorization": f"Bearer {secret} {secret}"}),
            client.get("/api/organizations", params={"access_token": secret}),
            client.get("/api/organizations", params={"access_token": secret, "page": "0"}),
            client.get("/api/organizations", headers={"Cookie": f"access_token={secret}"}),
            client.get(f"/api/handles/{secret}"),
            client.get(f"/{secret}"),
            client.post("/api/organizations", json={"name": "Other", "access_token": secret}),
            client.post("/api/organizations", content=f'{{"access_token": "{secret}"'.encode()),
            client.post(path, data={"access_token": secret}),
            client.patch(path, json={"name": secret + "\0"}, headers=MERGE),
            client.get(path, headers={"X-Access-Token": secret, "traceparent": secret, "Prefer": secret}),
            client.request(secret[:40], path),
        ]
        answers += [refused(observed, head) for head in unreadable(secret)]
    answers += [client.get(f"{path}/activities"), client.get("/api/activities")]
    assert answers[-1].json()["totalItems"] == 1
    observed.line_of(answers[-1])
    # A page of a list is at the address that its reader asked for.
    texts = [re.sub(r'"view":\{"@id":"[^"]*"', "", it.text) for it in answers]
    told_by = {
        f"answer {number}: {it}": text + str(it.headers)
        for number, (it, text) in enumerate(zip(answers, texts, strict=True))
    }
    told_by["metrics"] = httpx.get(f"http://127.0.0.1:{observed.metrics}/metrics", trust_env=False).text
    files = {str(it): it.read_bytes().decode("latin-1") for it in observed.folder.rglob("*") if it.is_file()}
    assert str(observed.server.log) in files
    for where, text in (told_by | files).items():
        for secret in (MARK, payload, signature):
            assert secret not in text, where


def check_schema(line: dict[str, Any]) -> None:
    assert ALWAYS.keys() <= line.keys() <= ALWAYS.keys() | SOMETIMES.keys(), line
    for key, value in line.items():
        wanted = (ALWAYS | SOMETIMES)[key]
        if isinstance(wanted, re.Pattern):
            assert wanted.fullmatch(value), line
        elif isinstance(wanted, type):
            assert type(value) is wanted, line
        else:
            assert value == wanted, line


def test_lo_02_a_request_is_one_line_of_known_members_and_names_nobody(observed: Observed) -> None:
    client = observed.client
    created = client.post("/api/organizations", json={"name": NAME})
    path = created.headers["Location"]
    members = f"{path}/members"
    email = "nobody.at.all@acme.example"
    organization = "/api/organizations/{id}"
    below = "/api/organizations/{organization_id}/members"
    asked = [
        (created, "POST", "/api/organizations", 201),
        (client.get(path), "GET", organization, 200),
        (client.head(path), "HEAD", organization, 200),
        (client.options(path), "OPTIONS", organization, 204),
        (client.get(path, headers={"If-None-Match": "*"}), "GET", organization, 304),
        (client.post(members, json={"email": email, "role": "member"}), "POST", below, 201),
        (client.get(f"/api/organizations?name={NAME}"), "GET", "/api/organizations", 200),
        (client.get(f"/api/handles/{MARK}"), "GET", "/api/handles/{handle}", 404),
        (client.get(f"/{MARK}"), "GET", None, 404),
        (client.request("TRACE", path), "other", organization, 501),
        (client.delete(path), "DELETE", organization, 204),
        (client.get(path), "GET", organization, 410),
        (client.get(path, headers={"Authorization": "Bearer x"}), "GET", organization, 401),
        (client.get("/livez"), "GET", "/livez", 200),
    ]
    callers = set()
    for answer, method, route, status in asked:
        line = observed.line_of(answer)
        check_schema(line)
        assert answer.status_code == status
        assert (line["method"], line.get("route"), line["status"]) == (method, route, status)
        assert line["bytes"] == answer.num_bytes_downloaded
        named = route in (organization, below)
        assert line.get("organization") == (path.rpartition("/")[2] if named else None)
        problem = answer.json()["type"].rpartition("/")[2] if status >= 400 else None
        assert line.get("problem") == problem
        callers.add(line.get("caller"))
    # One caller, who is not known where nobody asks or the token is bad.
    assert len(callers - {None}) == 1
    requests = json.dumps([line for line in observed.lines() if line["event"] == "request"])
    for word in (NAME, email, MARK, "owner@", '"owner"', "127.0.0.1:"):
        assert word not in requests


def test_lo_03_nothing_that_is_sent_makes_a_line_of_its_own(observed: Observed) -> None:
    client = observed.client
    name = client.post("/api/organizations", json={"name": f"A{HOSTILE}B"})
    assert name.status_code == 422
    path = "/%0d%0a%7B%7D%1b%5b2J%e2%80%a8%c2%85%00"
    latin = {b"X-Request-Id": b"\x85{}\x9b31m", b"traceparent": b"\x85{}", b"User-Agent": b"\x85{}"}
    bad = json.dumps({"alg": HOSTILE, "typ": HOSTILE}).encode()
    forged = base64.urlsafe_b64encode(bad).decode().rstrip("=")
    answers = [
        name,
        client.get(path),
        client.get(f"/api/organizations?name={path[1:]}"),
        client.get(f"/api/handles{path}"),
        client.get("/api", headers=latin),
        client.get("/api/me", headers={"Authorization": f"Bearer {forged}.e30.AA"}),
        client.get("/api/me", headers={b"Authorization": b"Bearer \x85\x9b31m"}),
    ]
    for answer in answers:
        check_schema(observed.line_of(answer))
    said = observed.server.said()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", said)
    assert all(isinstance(line, dict) and line for line in observed.lines())


def test_lo_03_what_a_fault_says_is_part_of_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_watched", lambda: False)
    chosen = dict(logs.log_config()["formatters"]["lines"])
    assert chosen.pop("()") is ProcessorFormatter
    fault = RuntimeError(HOSTILE)
    cause = (RuntimeError, fault, None)
    record = logging.LogRecord("app.pipeline", logging.ERROR, __file__, 1, "%s failed", ("1",), cause)
    text = ProcessorFormatter(**chosen).format(record)
    assert text.isprintable()
    assert text.isascii()
    line = json.loads(text)
    assert (line["event"], line["level"]) == ("1 failed", "error")
    assert HOSTILE in line["exception"]


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", id="LO-04 a trace"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-what-comes-later", id="LO-04 of a later version"),
    ],
)
def test_a_trace_is_taken_up_and_answered(observed: Observed, sent: str) -> None:
    answer = observed.client.get("/livez", headers={"traceparent": sent})
    line = observed.line_of(answer)
    assert line["trace_id"] == TRACE
    own = UUID(line["request_id"]).hex[-16:]
    assert answer.headers["Traceresponse"] == f"00-{TRACE}-{own}-00"


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param({}, id="LO-04 none"),
        pytest.param({"traceparent": ""}, id="LO-04 empty"),
        pytest.param({"traceparent": "x" * 10_000}, id="LO-04 ten thousand letters"),
        pytest.param({"traceparent": f"00-{TRACE}-{SPAN}-01" + "0" * 10_000}, id="LO-04 too long"),
        pytest.param({"traceparent": f"00-{TRACE.upper()}-{SPAN}-01"}, id="LO-04 in capitals"),
        pytest.param({"traceparent": f"00-{'0' * 32}-{SPAN}-01"}, id="LO-04 of no trace"),
        pytest.param({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, id="LO-04 of no span"),
        pytest.param({"traceparent": f"ff-{TRACE}-{SPAN}-01"}, id="LO-04 of no version"),
        pytest.param({"X-Request-Id": "x" * 10_000}, id="LO-04 a number of ten thousand letters"),
        pytest.param({"X-Request-Id": "01930000-0000-7000-8000-000000000000"}, id="LO-04 a good number"),
    ],
)
def test_a_request_has_a_number_of_the_service_s_own(observed: Observed, sent: dict[str, str]) -> None:
    """So that no two have the same; a trace that is not well-formed is none."""
    answers = [observed.client.get("/livez", headers=sent) for _ in range(2)]
    numbers = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(numbers) == 2
    assert not numbers & {*sent.values()}
    assert {UUID(number).version for number in numbers} == {7}
    for answer in answers:
        assert "trace_id" not in observed.line_of(answer)
        assert "Traceresponse" not in answer.headers
