"""`doctor`: what is wrong is told with how to mend it, and nothing is changed."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from app.checks import clocks, every, machine
from app.checks.check import Check, State
from app.checks.clocks import compared
from app.checks.database import database
from app.checks.issuers import issuer, local
from app.security import fetched_keys
from app.security.local_issuer import local_issuer
from app.settings import IssuerSetting, Settings
from app.storage import loans, postgres
from app.storage.database import Database
from tests.commands import free_port, run, served
from tests.postgres_server import PostgresServer
from tests.redis_server import redis_server
from tests.security.issuing import Signer, ed_key, jwk_of
from tests.silence import way_to


def told(folder: Path, *arguments: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the checks by name."""
    done = run(folder, "doctor", "--port", str(free_port()), *arguments, "--json", **settings)
    body = json.loads(done.stdout)
    assert body["ok"] == (done.returncode == 0)
    assert all(bool(it["mend"]) == (it["state"] in ("warning", "failed")) for it in body["checks"])
    return done.returncode, {it["name"]: it for it in body["checks"]}


def test_all_is_well_after_a_migration_and_nothing_was_made(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    (tmp_path / "data").chmod(0o700)
    before = sorted(tmp_path.rglob("*"))
    code, checks = told(tmp_path)
    assert code == 0
    assert {it["state"] for it in checks.values()} == {"ok", "skipped"}
    for name in ("settings", "public address", "contract", "database", "migrations", "local issuer"):
        assert checks[name]["state"] == "ok", name
    assert "SQLite" in checks["database"]["found"]
    assert {it.name for it in before} >= {it.name for it in tmp_path.rglob("*") if "-" not in it.name}
    assert not (tmp_path / "data/local-issuer.pem").exists()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    code, checks = told(tmp_path, REGISTRY_MAX_CONTENT_LENGTH="much")
    assert code == 1
    assert list(checks) == ["settings"]
    assert "REGISTRY_MAX_CONTENT_LENGTH" in checks["settings"]["found"]


def test_what_a_client_sets_is_no_setting_of_the_service(tmp_path: Path) -> None:
    _, checks = told(tmp_path, REGISTRY_TOKEN="abc", REGISTRY_AUDIENCE="registry")
    assert checks["settings"]["found"].startswith("1 set,")


def test_a_database_that_is_missing_behind_or_away_is_told_with_what_helps(tmp_path: Path) -> None:
    code, checks = told(tmp_path)
    assert (code, checks["database"]["state"], checks["migrations"]["state"]) == (1, "failed", "skipped")
    assert "instance-registry migrate" in checks["database"]["mend"]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "data").mkdir()
    (tmp_path / "data/registry.sqlite3").touch()
    code, checks = told(tmp_path)
    assert (code, checks["database"]["state"], checks["migrations"]["state"]) == (1, "ok", "failed")
    assert "0001_tables" in checks["migrations"]["found"]
    (tmp_path / "data/registry.sqlite3").write_text("no database at all")
    assert told(tmp_path)[1]["database"]["state"] == "failed"
    away = f"postgres://127.0.0.1:{free_port()}/nothing"
    code, checks = told(tmp_path, REGISTRY_DATABASE_URL=away)
    assert (code, checks["database"]["state"]) == (1, "failed")
    assert "REGISTRY_DATABASE_URL" in checks["database"]["mend"]


def test_a_postgresql_tells_its_clock(tmp_path: Path, postgres_server: PostgresServer) -> None:
    _, checks = told(tmp_path, REGISTRY_DATABASE_URL=postgres_server.url())
    assert "PostgreSQL" in checks["database"]["found"]
    assert checks["clock of the database"]["state"] == "ok"


def test_redis_is_asked_whether_it_answers(tmp_path: Path) -> None:
    limit = {"REGISTRY_RATE_LIMIT": "5/minute"}
    assert "Redis" not in told(tmp_path, **limit)[1]
    with redis_server(tmp_path) as url:
        check = told(tmp_path, **limit, REGISTRY_RATE_LIMIT_STORAGE=url)[1]["Redis"]
        assert check["state"] == "ok"
    secret = url.replace("redis://", "redis://:hidden@")
    check = told(tmp_path, **limit, REGISTRY_RATE_LIMIT_STORAGE=secret)[1]["Redis"]
    assert (check["state"], "connecting" in check["found"]) == ("warning", True)
    assert "hidden" not in str(check)


def test_keys_of_issuers_are_looked_at(tmp_path: Path) -> None:
    signer = Signer("https://idp.example", ed_key(), "EdDSA", None)
    file, name = tmp_path / "keys.json", "keys of https://idp.example"
    setting = json.dumps([{"issuer": signer.iss, "jwks": "keys.json"}])
    for content, state in (
        (json.dumps({"keys": [signer.jwk]}), "ok"),
        ('{"keys": []}', "failed"),
        ("{", "failed"),
    ):
        file.write_text(content)
        assert told(tmp_path, REGISTRY_ISSUERS=setting)[1][name]["state"] == state
    file.unlink()
    assert told(tmp_path, REGISTRY_ISSUERS=setting)[1][name]["state"] == "failed"
    os.mkfifo(file)
    assert told(tmp_path, REGISTRY_ISSUERS=setting)[1][name]["state"] == "failed"
    away = json.dumps([{"issuer": signer.iss, "jwks": f"http://127.0.0.1:{free_port()}/keys"}])
    checks = told(tmp_path, REGISTRY_ISSUERS=away)[1]
    assert checks[name]["state"] == "failed"
    assert "local issuer" not in checks


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (-4, State.OK), (20, State.WARNING), (-20, State.WARNING), (90, State.FAILED)],
)
def test_clocks_are_compared_with_what_tokens_allow(seconds: int, state: State) -> None:
    ours = datetime(2026, 1, 1, tzinfo=UTC)
    check = compared("clock", ours - timedelta(seconds=seconds), ours, "the issuer")
    assert check.state is state
    if state is not State.OK:
        assert f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the issuer" in check.found


def test_an_issuer_whose_clock_differs_is_told(tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    signer = Signer("https://idp.example", ed_key(), "EdDSA", None)
    body = json.dumps({"keys": [signer.jwk]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def date_time_string(self, timestamp: float | None = None) -> str:
            return format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        jwks = f"http://127.0.0.1:{server.server_port}/keys"
        _, checks = told(tmp_path, REGISTRY_ISSUERS=json.dumps([{"issuer": signer.iss, "jwks": jwks}]))
        server.shutdown()
    assert checks["keys of https://idp.example"]["state"] == "ok"
    assert checks["clock of https://idp.example"]["state"] == "failed"
    assert "NTP" in checks["clock of https://idp.example"]["mend"]


def local_of(folder: Path) -> Check:
    [check] = local(Settings(data_dir=folder))
    return check


@pytest.mark.parametrize("method", ["exists", "read_bytes"])
@pytest.mark.parametrize(
    ("error", "mend"),
    [
        (PermissionError(13, "Permission denied"), "Let its owner run this"),
        (OSError(5, "Input/output error"), "backup"),
    ],
)
def test_the_key_of_the_local_issuer_is_not_to_be_removed_where_it_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, error: OSError, mend: str
) -> None:
    local_issuer(tmp_path)

    # Whoever may do everything, as in a container, may read every file.
    def refuse(_path: Path) -> object:
        raise error

    monkeypatch.setattr(Path, method, refuse)
    check = local_of(tmp_path)
    assert check.state is State.FAILED
    assert str(error) in check.found
    assert mend in check.mend
    assert "Remove" not in check.mend


def test_what_is_no_key_of_the_local_issuer_is_to_be_removed(tmp_path: Path) -> None:
    file = tmp_path / "local-issuer.pem"
    file.write_text("not a key")
    checks = [local_of(tmp_path)]
    file.unlink()
    os.mkfifo(file)
    checks.append(local_of(tmp_path))
    for check in checks:
        assert (check.state, "Remove the file" in check.mend) == (State.FAILED, True)


MEBIBYTE = 1_024**2


HEAD = "HTTP/1.1 200 -\r\n"


class Listener:
    """Answers once, with the beginning of a head, and then piece by piece until nobody reads any longer."""

    def __init__(self, head: str, pieces: Iterable[bytes], pause: float = 0) -> None:
        self._head, self._pieces, self._pause = head, pieces, pause
        self.asked, self.sent = b"", 0

    async def found_by(self, look: Callable[[int], AsyncIterator[Check]]) -> list[Check]:
        """What is found on its port, which has to be found soon."""
        ended = asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                self.asked = await reader.readuntil(b"\r\n\r\n")
                with suppress(ConnectionError):
                    await self._send(writer)
            finally:
                writer.close()
                ended.set()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, asyncio.timeout(30):
            checks = await gathered(look(server.sockets[0].getsockname()[1]))
            await ended.wait()
        return checks

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self._head.encode())
        for piece in self._pieces:
            writer.write(piece)
            await writer.drain()
            self.sent += len(piece)
            await asyncio.sleep(self._pause)


async def gathered(checks: AsyncIterator[Check]) -> list[Check]:
    return [it async for it in checks]


def keys_at(port: int) -> AsyncIterator[Check]:
    return issuer(IssuerSetting("https://idp.example", f"http://127.0.0.1:{port}/keys"))


def test_keys_that_come_octet_by_octet_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 0.2)
    idp = Listener(f"{HEAD}Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n", repeat(b" "), pause=0.02)
    keys, clock = asyncio.run(idp.found_by(keys_at))
    assert (keys.state, "in time" in keys.found) == (State.FAILED, True)
    assert clock.state is State.FAILED


def test_keys_that_do_not_end_are_neither_read_to_the_end_nor_unpacked() -> None:
    idp = Listener(f"{HEAD}\r\n", repeat(b" " * 65_536, 64 * MEBIBYTE // 65_536))
    keys, _ = asyncio.run(idp.found_by(keys_at))
    assert (keys.state, "262144 octets" in keys.found) == (State.FAILED, True)
    # What the system keeps for both ends of the connection.
    assert idp.sent < 32 * MEBIBYTE
    assert b"Accept-Encoding: identity" in idp.asked


def test_the_clock_of_an_issuer_whose_keys_come_slowly_is_compared_when_it_tells_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 2)
    # The time that it tells is up to a second ago.
    monkeypatch.setattr(clocks, "UNNOTICED_SECONDS", 1.9)
    now = format_datetime(datetime.now(UTC), usegmt=True)
    idp = Listener(f"{HEAD}Date: {now}\r\n\r\n", repeat(b" "), pause=0.1)
    keys, clock = asyncio.run(idp.found_by(keys_at))
    assert (keys.state, clock.state) == (State.FAILED, State.OK)


@pytest.mark.parametrize("date", ["", "Date: now\r\n", "Date: Mon, 01 Jan 99999999999999 00:00:00 GMT\r\n"])
def test_an_issuer_that_does_not_tell_the_time_has_no_clock_to_compare(date: str) -> None:
    body = json.dumps({"keys": [jwk_of(ed_key())]}).encode()
    idp = Listener(f"{HEAD}{date}Content-Length: {len(body)}\r\n\r\n", [body])
    keys, clock = asyncio.run(idp.found_by(keys_at))
    assert (keys.state, clock.state) == (State.OK, State.SKIPPED)


def test_a_port_is_free_or_the_services_or_anothers(tmp_path: Path) -> None:
    with served(tmp_path, "--sample") as server:
        port = server.base.rpartition(":")[2]
        _, checks = told(tmp_path, "--port", port)
        assert "the service answers" in checks[f"port {port}"]["found"]
        (tmp_path / "data/local-issuer.pem").chmod(0o644)
        assert "chmod 600" in told(tmp_path)[1]["local issuer"]["mend"]
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = str(taken.getsockname()[1])
        code, checks = told(tmp_path, "--port", number)
    assert (code, checks[f"port {number}"]["state"]) == (1, "failed")


def test_an_address_that_tokens_would_go_to_in_clear_text_is_a_warning(tmp_path: Path) -> None:
    run(tmp_path, "migrate")
    code, checks = told(tmp_path, REGISTRY_PUBLIC_URL="http://registry.example")
    assert (code, checks["public address"]["state"]) == (0, "warning")


def test_for_people_each_check_is_a_line_and_what_helps_stands_below(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--port", str(free_port()))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("ok      settings: ")
    [index] = [number for number, line in enumerate(lines) if line.startswith("failed  database: ")]
    assert "instance-registry migrate" in lines[index + 1]


def test_a_database_that_cannot_be_written_to_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    file = tmp_path / "data" / "registry.sqlite3"
    # To whoever may do everything, as in a container, every file can be written to.
    monkeypatch.setattr("app.checks.database.os.access", lambda place, _mode: place != file)

    async def checks() -> list[Check]:
        return [it async for it in database(Settings(database_url=f"sqlite://{file}"))]

    found = {it.name: it for it in asyncio.run(checks())}
    assert found["database"].state is State.FAILED
    assert "cannot be written to" in found["database"].found


def test_a_folder_of_somebody_else_is_told_where_something_in_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if folder in path.parents:
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    environment = {
        "REGISTRY_DATA_DIR": str(folder),
        "REGISTRY_DATABASE_URL": f"sqlite://{folder}/registry.sqlite3",
    }
    port = free_port()
    checks = {it.name: it for it in asyncio.run(gathered(every.every(environment, "127.0.0.1", port)))}
    for name in ("database", "local issuer"):
        assert (checks[name].state, "owner" in checks[name].mend) == (State.FAILED, True), name
    for name in ("settings", "contract", f"port {port}"):
        assert checks[name].state is State.OK, name
    environment["REGISTRY_DATA_DIR"] = str(folder / "deeper")
    checks = {it.name: it for it in asyncio.run(gathered(every.every(environment, "127.0.0.1", port)))}
    assert checks["local issuer"].state is State.FAILED
    assert f"room in {folder}/deeper" in checks


def test_a_postgresql_that_falls_silent_is_not_waited_for_without_end(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(loans, "ENDING_SECONDS", 0.1)

    async def checks() -> list[Check]:
        async with way_to(postgres_server.url()) as (way, url):
            asked = Database.pending_migrations

            async def silenced(there: Database) -> list[str]:
                way.fall_silent()
                return await asked(there)

            monkeypatch.setattr(Database, "pending_migrations", silenced)
            async with asyncio.timeout(30):
                return await gathered(database(Settings(database_url=url)))

    assert [it.state for it in asyncio.run(checks())] == [State.FAILED, State.SKIPPED, State.SKIPPED]


@pytest.mark.parametrize("head", [HEAD, f"{HEAD}\r\n"])
def test_who_listens_on_a_port_is_not_heard_to_the_end(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither fields nor content that come octet by octet."""
    monkeypatch.setattr(machine, "TIMEOUT_SECONDS", 0.2)
    other = Listener(head, repeat(b"x"), pause=0.02)
    [check] = asyncio.run(other.found_by(lambda port: machine.ports(Settings(), "127.0.0.1", port)))
    assert (check.state, "cannot be listened on" in check.found) == (State.FAILED, True)


@pytest.mark.parametrize("host", ["no..name", "no name", "256.0.0.1"])
def test_what_is_no_host_is_told(host: str) -> None:
    [check] = asyncio.run(gathered(machine.ports(Settings(), host, free_port())))
    assert check.state is State.FAILED


def test_a_check_that_fails_as_nobody_foresaw_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_setting: object) -> None:
        raise KeyError("password")

    async def wait(_url: object) -> Check:
        await asyncio.sleep(600)
        raise AssertionError

    monkeypatch.setattr(every, "contract", fail)
    monkeypatch.setattr(every, "issuer", fail_slowly)
    monkeypatch.setattr("app.checks.beside._replica", wait)
    monkeypatch.setattr(every, "LIMIT_SECONDS", 2)
    idp = {"issuer": "https://idp.example", "jwks": "keys.json"}
    environment = {
        "REGISTRY_DATA_DIR": str(tmp_path),
        "REGISTRY_DATABASE_URL": f"postgres://127.0.0.1:{free_port()}/nothing",
        "REGISTRY_REPLICA_URL": f"postgres://127.0.0.1:{free_port()}/nothing",
        "REGISTRY_ISSUERS": json.dumps([idp, idp | {"issuer": "https://other.example"}]),
    }
    port = free_port()
    checks = {it.name: it for it in asyncio.run(gathered(every.every(environment, "127.0.0.1", port)))}
    for name, error in (
        ("contract", "KeyError"),
        ("replica", "TimeoutError"),
        ("keys of https://idp.example", "RuntimeError"),
        ("keys of https://other.example", "RuntimeError"),
    ):
        assert (checks[name].state, error in checks[name].found) == (State.FAILED, True), name
        assert checks[name].mend
        assert "password" not in checks[name].found
    assert checks["clock of https://idp.example"].state is State.OK
    for name in ("settings", "public address", f"room in {tmp_path}", f"port {port}"):
        assert checks[name].state is State.OK, name
    assert "PostgreSQL" in checks["database"].found


async def fail_slowly(setting: IssuerSetting) -> AsyncIterator[Check]:
    """Once it has told something."""
    yield Check(f"clock of {setting.issuer}", State.OK, "right")
    raise RuntimeError("password")


def test_settings_that_cannot_be_read_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_environment: object) -> None:
        raise KeyError("password")

    monkeypatch.setattr(every, "read_settings", fail)
    [check] = asyncio.run(gathered(every.every({}, "127.0.0.1", free_port())))
    assert (check.name, check.state, "KeyError" in check.found) == ("settings", State.FAILED, True)
