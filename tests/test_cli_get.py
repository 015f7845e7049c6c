"""`get`: what is at an address of a running service, and where its token goes."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.commands import COMMAND, Server, environment, free_port, run, served

ANY_COLOUR = re.compile(r"\x1b\[[\d;]*m")
COLOURED = re.compile(r"\x1b\[(?:\d+;)*[39]\d")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("get")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with served(folder, "--sample") as server:
        yield server


@pytest.fixture(scope="module")
def settings(folder: Path, server: Server) -> dict[str, str]:
    token = run(folder, "token", "--sub", "owner", "--email", "owner@acme.example").stdout.strip()
    return {"REGISTRY_PUBLIC_URL": server.base, "REGISTRY_TOKEN": token}


def test_a_handle_a_path_and_an_address_lead_to_the_same(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    by_handle = run(folder, "get", "acme-eu", **settings)
    assert by_handle.returncode == 0, by_handle.stderr
    node = json.loads(by_handle.stdout)
    assert (node["@type"], node["handle"]) == ("Instance", "acme-eu")
    path = node["@id"].removeprefix(server.base)
    assert run(folder, "get", path, **settings).stdout == by_handle.stdout
    assert run(folder, "get", node["@id"], **settings).stdout == by_handle.stdout


def test_a_representation_comes_as_it_was_asked_for(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    asked = {
        ("--format", "turtle"): "@prefix",
        ("--format", "n-quads"): "<http",
        ("--format", "rdf-xml"): "<?xml",
        ("--format", "json"): '{"id"',
        ("--accept", "text/turtle"): "@prefix",
        (): '{"@context"',
    }
    for options, head in asked.items():
        done = run(folder, "get", "acme-eu", *options, **settings)
        assert done.stdout.startswith(head), options


def test_what_a_program_asks_comes_with_its_links_by_their_names(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    told = json.loads(run(folder, "get", "acme-eu", "--json", **settings).stdout)
    assert (told["status"], told["mediaType"]) == (200, "application/ld+json")
    assert told["address"] == told["content"]["@id"]
    assert told["entityTag"].startswith('"')
    links = {it["rel"]: it["address"] for it in told["links"]}
    assert links["organization"] == told["content"]["organization"]
    assert links["describedby"] == f"{server.base}/shapes"
    assert "name" not in links


def test_in_a_pipe_the_links_come_alone_and_one_a_line_with_nothing_cut(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    narrow = {**settings, "COLUMNS": "20"}
    lines = run(folder, "get", "/api/instances", "--links", **narrow).stdout.splitlines()
    links = [line.split("  ") for line in lines]
    assert all(len(link) == 2 and link[1].startswith(f"{server.base}/") for link in links), lines
    assert {"view.first", "member"} <= {relation for relation, _ in links}
    assert f"http://www.w3.org/ns/hydra/core#apiDocumentation  {server.base}/api/docs" in lines


def test_what_is_no_linked_data_is_shown_as_it_is(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    contract = run(folder, "get", "/api/openapi.json", **settings)
    assert (contract.returncode, json.loads(contract.stdout)["openapi"][:3]) == (0, "3.1")
    assert run(folder, "get", "/livez", **settings).stdout == '{"status":"pass"}\n'
    robots = run(folder, "get", "/robots.txt", **settings)
    assert robots.stdout.startswith("User-agent:")
    shown = on_terminal("get", "/robots.txt", "--no-links", settings=settings)
    assert ANY_COLOUR.sub("", shown).replace("\r", "") == robots.stdout


def test_a_problem_is_told_and_ends_with_3(folder: Path, server: Server, settings: dict[str, str]) -> None:
    done = run(folder, "get", "nobody", **settings)
    assert done.returncode == 3
    assert done.stderr.startswith("404 Not found. ")
    assert json.loads(done.stdout)["status"] == 404
    without = run(folder, "get", "/api/organizations", REGISTRY_PUBLIC_URL=server.base)
    assert (without.returncode, without.stderr[:3]) == (3, "401")
    away = f"http://127.0.0.1:{free_port()}"
    gone = run(folder, "get", "/api", REGISTRY_PUBLIC_URL=away)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1)
    assert f"{away}/api cannot be asked" in gone.stderr
    assert "instance-registry serve" in gone.stderr


def test_another_address_is_refused_before_anything_is_sent(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    with listening() as (other, heard):
        for wrong in (other, f"{other}/api", f"{server.base}@{other.removeprefix('http://')}/", "No Handle"):
            done = run(folder, "get", wrong, **settings)
            assert done.returncode == 2
            assert "REGISTRY_PUBLIC_URL" in done.stderr
        assert heard == []


def test_a_redirect_that_leads_elsewhere_is_not_followed(folder: Path) -> None:
    with listening() as (other, heard), listening(f"{other}/api") as (base, asked):
        done = run(folder, "get", "/api", REGISTRY_PUBLIC_URL=base, REGISTRY_TOKEN="secret")
    assert done.returncode == 1
    assert "not followed" in done.stderr
    assert asked == ["Bearer secret"]
    assert heard == []


def test_a_redirect_to_what_only_begins_like_the_service_is_not_followed_either(folder: Path) -> None:
    """With the address of the service for a user's name."""
    with (
        listening() as (other, heard),
        listening(f"{{own}}@{other.removeprefix('http://')}/api") as (base, asked),
    ):
        done = run(folder, "get", "/api", REGISTRY_PUBLIC_URL=base, REGISTRY_TOKEN="secret")
    assert done.returncode == 1
    assert "not followed" in done.stderr
    assert asked == ["Bearer secret"]
    assert heard == []


def test_on_a_terminal_it_is_coloured_and_its_links_are_listed_unless_colours_are_unwanted(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    shown = on_terminal("get", "acme-eu", settings=settings)
    assert COLOURED.search(shown)
    assert "Links" in shown
    assert f"{server.base}/shapes" in shown
    plain = on_terminal("get", "acme-eu", settings={**settings, "NO_COLOR": "1"})
    assert not COLOURED.search(plain)
    assert "Links" in plain


def test_on_a_terminal_no_line_is_cut_or_filled_up(
    folder: Path, server: Server, settings: dict[str, str]
) -> None:
    for syntax in ("json-ld", "turtle", "n-quads", "rdf-xml"):
        shown = on_terminal("get", "acme-eu", "--format", syntax, settings=settings, columns=40)
        lines = ANY_COLOUR.sub("", shown).replace("\r", "").splitlines()
        content, _, links = "\n".join(lines).partition("\n\nLinks\n")
        came = run(folder, "get", "acme-eu", "--format", syntax, **settings).stdout
        if syntax == "json-ld":
            assert json.loads(content) == json.loads(came)
        else:
            assert content.strip() == came.expandtabs(4).strip(), syntax
        assert f"http://www.w3.org/ns/hydra/core#apiDocumentation  {server.base}/api/docs" in links
        assert all(line == line.rstrip() for line in lines)


def test_on_a_terminal_a_problem_begins_with_what_it_says_and_leaves_its_context_out(
    folder: Path, settings: dict[str, str]
) -> None:
    shown = ANY_COLOUR.sub("", on_terminal("get", "nobody", settings=settings))
    assert shown.startswith("404 Not found. ")
    assert '"@context"' not in shown
    assert '"detail"' in shown
    assert "@context" in json.loads(run(folder, "get", "nobody", **settings).stdout)


def on_terminal(*arguments: str, settings: dict[str, str], columns: int = 200) -> str:
    mine, its = pty.openpty()
    env = environment({**settings, "TERM": "xterm-256color", "COLUMNS": str(columns)})
    with subprocess.Popen([COMMAND, *arguments], env=env, stdout=its, stderr=its):
        os.close(its)
        shown = b""
        while piece := _read(mine):
            shown += piece
    os.close(mine)
    return shown.decode()


def _read(terminal: int) -> bytes:
    """Nothing when the other side has gone away, which is an error to the system."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


@contextmanager
def listening(redirect: str | None = None) -> Iterator[tuple[str, list[str | None]]]:
    """Somebody else's address, who notes the tokens that come, and may lead elsewhere, where `{own}` stands
    for it."""
    heard: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers["Authorization"])
            self.send_response(302 if redirect else 200)
            if redirect:
                self.send_header("Location", redirect.format(own=f"http://{self.headers['Host']}"))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", heard
        finally:
            server.shutdown()
            thread.join()


def test_a_token_is_taken_without_white_space_around_it_and_never_shown(
    folder: Path, settings: dict[str, str]
) -> None:
    token = settings["REGISTRY_TOKEN"]
    padded = run(folder, "get", "acme-eu", **{**settings, "REGISTRY_TOKEN": f" {token}\r\n"})
    assert padded.returncode == 0, padded.stderr
    torn = f"{token[:20]}\n{token[20:]}"
    refused = run(folder, "get", "acme-eu", **{**settings, "REGISTRY_TOKEN": torn})
    assert refused.returncode == 2
    assert "REGISTRY_TOKEN" in refused.stderr
    assert token[:20] not in refused.stdout + refused.stderr


def test_who_reads_from_the_pipe_may_go_away(folder: Path, settings: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} get /api/docs | head -c 10; exit ${{PIPESTATUS[0]}}"],
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr, len(done.stdout)) == (141, "", 10)
