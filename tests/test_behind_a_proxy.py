"""The service behind nginx and behind Caddy, with the configurations of docs/deploying/, over TLS."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.commands import Server, free_port, served
from tests.load import token
from tests.proxies import DEPLOYING, HOST, Proxy, proxy
from tests.service import JSON, PROBLEM

BASE = f"https://{HOST}"
# What a client may say of where it comes from, which is not to be believed.
FORGED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil.example",
    "Forwarded": "host=evil.example;proto=http",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    settings = {"REGISTRY_PUBLIC_URL": BASE, "REGISTRY_METRICS_PORT": str(free_port())}
    with served(folder, "--sample", REGISTRY_CONTENT_SECONDS="2", **settings) as server:
        yield server


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp(request.param)
    with proxy(request.param, folder, port(server.base)) as front:
        yield front


@pytest.fixture(scope="module")
def authorization(folder: Path, server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(folder)}"}


@pytest.fixture
def client(front: Proxy) -> Iterator[httpx.Client]:
    with client_of(front) as client:
        yield client


def client_of(front: Proxy) -> httpx.Client:
    """Who looks the name up and finds this machine."""

    def name_it(request: httpx.Request) -> None:
        request.extensions["sni_hostname"] = HOST

    return httpx.Client(
        base_url=f"https://127.0.0.1:{front.port}",
        headers={"Host": HOST},
        verify=front.trust,
        event_hooks={"request": [name_it]},
        trust_env=False,
    )


def port(base: str) -> int:
    return int(base.rpartition(":")[2])


def is_of_the_service(answer: httpx.Response, status: int) -> bool:
    """A problem, and not one that the proxy made."""
    return (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM) and bool(
        answer.headers.get("X-Request-Id")
    )


def test_every_address_is_the_public_one_whatever_the_request_says(client: httpx.Client) -> None:
    answer = client.get("/api", headers=FORGED)
    said = f"{answer.text}{answer.headers}"
    assert answer.status_code == 200
    assert answer.json()["@id"] == f"{BASE}/api"
    assert "evil" not in said
    foreign = ("http://www.w3.org/", "https://www.w3.org/")
    iris = set(re.findall(r"https?://[^\s\"<>]+", said))
    assert {iri for iri in iris if not iri.startswith((f"{BASE}/", *foreign))} == set()


def test_another_host_is_misdirected(client: httpx.Client) -> None:
    assert is_of_the_service(client.get("/api", headers={"Host": "evil.example"}), 421)


def test_what_is_sent_in_chunks_is_made_and_found_and_not_sent_again(
    client: httpx.Client, front: Proxy, server: Server, authorization: dict[str, str]
) -> None:
    content = iter([b'{"name": ', f'"Made behind {front.name}"}}'.encode()])
    headers = {**authorization, "Content-Type": JSON}
    made = client.post("/api/organizations", headers=headers, content=content)
    assert made.status_code == 201
    assert made.headers["Location"].startswith(f"{BASE}/api/organizations/")
    path = httpx.URL(made.headers["Location"]).path
    found = client.get(path, headers=authorization)
    assert found.json()["name"] == f"Made behind {front.name}"
    again = client.get(path, headers={**authorization, "If-None-Match": found.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == found.headers["ETag"]
    assert client.get(path).status_code == 401
    time.sleep(0.2)  # lines of requests are written some time later
    for secret in (authorization["Authorization"].split()[1], path):
        assert secret not in front.written
        assert secret not in server.said()
    assert re.search(r"\b304\b", front.written)


def test_browsers_are_told_once_to_come_by_tls_only(client: httpx.Client) -> None:
    assert client.get("/api").headers.get_list("Strict-Transport-Security") == ["max-age=31536000"]


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity"])
def test_compressing_is_done_once_by_the_service(client: httpx.Client, server: Server, coding: str) -> None:
    headers = {"Accept-Encoding": coding}
    for path in ("/api/docs", "/robots.txt"):  # a long one and a short one
        direct = httpx.get(f"{server.base}{path}", headers=headers | {"Host": HOST}, trust_env=False)
        answer = client.get(path, headers=headers)
        assert answer.content == direct.content
        for name in ("Content-Encoding", "ETag", "Vary", "Content-Type"):
            assert answer.headers.get(name) == direct.headers.get(name)
    assert client.get("/api/docs", headers=headers).headers.get("Content-Encoding", "identity") == coding


def test_who_accepts_no_coding_gets_the_entity_tag_of_none(client: httpx.Client, server: Server) -> None:
    asked = client.build_request("GET", "/api/docs")
    del asked.headers["Accept-Encoding"]
    answer = client.send(asked)
    identity = {"Host": HOST, "Accept-Encoding": "identity"}
    direct = httpx.get(f"{server.base}/api/docs", headers=identity, trust_env=False)
    assert "Content-Encoding" not in answer.headers
    assert (answer.content, answer.headers["ETag"]) == (direct.content, direct.headers["ETag"])


def test_the_service_is_the_judge_of_long_addresses(
    client: httpx.Client, authorization: dict[str, str]
) -> None:
    path = "/api/organizations?unknown="
    assert client.get(path + "n" * (8_000 - len(path)), headers=authorization).status_code == 200
    assert client.get("/" + "n" * 7_999).status_code == 404
    assert is_of_the_service(client.get("/" + "n" * 8_000), 414)
    assert client.get("/" + "n" * 20_000).status_code == 414


def test_a_head_that_is_long_because_links_are_comes_through(
    client: httpx.Client, authorization: dict[str, str]
) -> None:
    query = {"name": "\U0001f600" * 200, "itemsPerPage": "1"}
    answer = client.get("/api/organizations", params=query, headers=authorization)
    assert answer.status_code == 200
    assert len(answer.headers["Link"]) > 4_096  # what nginx takes of a head if it is not told otherwise


def test_the_service_is_the_judge_of_large_fields(client: httpx.Client) -> None:
    assert client.get("/api", headers={"A": "a" * 14_000, "B": "b" * 14_000}).status_code == 200
    three = {"A": "a" * 14_000, "B": "b" * 14_000, "C": "c" * 14_000}
    assert is_of_the_service(client.get("/api", headers=three), 431)
    assert client.get("/api", headers={"A": "a" * 90_000}).status_code == 431


@pytest.mark.parametrize("octets", [1_100_000, 3_000_000])
def test_content_that_is_too_large_is_refused_with_a_problem(
    client: httpx.Client, authorization: dict[str, str], octets: int
) -> None:
    headers = {**authorization, "Content-Type": JSON}
    answer = client.post("/api/organizations", headers=headers, content=b" " * octets)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, PROBLEM)


POST = (
    f"POST /api/organizations HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: {JSON}\r\n"
    "Authorization: {authorization}\r\nContent-Length: 9\r\n\r\n{{"
)


@pytest.mark.parametrize("begun", ["GET /api HTTP/1.1\r\nHo", POST], ids=["head", "content"])
def test_a_client_that_stops_in_the_middle_is_let_go(
    front: Proxy, authorization: dict[str, str], begun: str
) -> None:
    with connection(front) as slow:
        slow.sendall(begun.format(authorization=authorization["Authorization"]).encode())
        answer = slow.recv(65_536)  # nothing at the end; raises `TimeoutError` where neither comes
    assert re.match(rb"HTTP/1\.1 40[08] |$", answer)  # and never that it was done


def connection(front: Proxy) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=12)
    return front.trust.wrap_socket(plain, server_hostname=HOST)


def test_metrics_are_not_reached(client: httpx.Client) -> None:
    assert is_of_the_service(client.get("/metrics"), 404)


def test_connections_to_the_service_are_kept(client: httpx.Client, server: Server, front: Proxy) -> None:
    assert client.get("/api").status_code == 200
    kept = connected_to(port(server.base))
    for _ in range(20):
        assert client.get("/api").status_code == 200
    assert kept
    assert connected_to(port(server.base)) <= kept


def connected_to(port: int) -> set[str]:
    """The other ends of the connections that are open (proc(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {line[2] for line in lines if line[1].endswith(f":{port:04X}") and line[3] == "01"}


def test_http_2_is_spoken(front: Proxy) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [
            *("curl", "--silent", "--http2", "--cacert", front.folder / "fullchain.pem"),
            *("--connect-to", f"{HOST}:443:127.0.0.1:{front.port}"),
            *("--write-out", "\n%{http_version} %{http_code}\n", f"{BASE}/api", f"{BASE}/vocab"),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert re.findall(r"^(\S+) (\d+)$", done.stdout, re.MULTILINE) == [("2", "200"), ("2", "200")]


def test_without_tls_there_is_a_redirect_and_nothing_for_who_sends_a_token(
    front: Proxy, authorization: dict[str, str]
) -> None:
    address = f"http://127.0.0.1:{front.plain_port}/api/handles/a?b=c"
    with httpx.Client(headers={"Host": HOST}, trust_env=False) as plain:
        led = plain.get(address)
        assert (led.status_code, led.headers["Location"]) == (308, f"{BASE}/api/handles/a?b=c")
        assert plain.get(address, headers=authorization).status_code == 403


def test_nginx_limits_who_sends_no_token(
    client: httpx.Client, front: Proxy, authorization: dict[str, str]
) -> None:
    if front.name != "nginx":
        pytest.skip("Debian's Caddy can limit nobody")
    answers = [client.get("/livez") for _ in range(400)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert answers[0].status_code == 200
    assert next(it for it in answers if it.status_code == 429).json() == {
        "type": "about:blank",
        "status": 429,
    }
    assert client.get("/api/organizations", headers=authorization).status_code == 200


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_while_the_service_is_away_there_is_a_problem(tmp_path: Path, name: str) -> None:
    with proxy(name, tmp_path, free_port()) as front, client_of(front) as client:
        answer = client.get("/api")
    assert (answer.status_code, answer.headers["Content-Type"]) == (502, PROBLEM)
    assert answer.json() == {"type": "about:blank", "status": 502}


def test_caddy_has_no_certificate_made_where_it_is_given_one() -> None:
    """It would ask for one at authorities, in the name of whoever runs it."""
    caddy = shutil.which("caddy")
    if caddy is None and "CI" not in os.environ:
        pytest.skip("caddy is not installed")
    configuration = str(DEPLOYING / "Caddyfile")
    command = [str(caddy), "adapt", "--config", configuration, "--adapter", "caddyfile"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    certificates = json.loads(done.stdout)["apps"]["tls"]["certificates"]
    assert certificates.keys() == {"load_files"}
