"""Connections: what is read as a request, in which order it is answered, and how they end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sqlite3
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from app.connection import MOST_WAITING, Config, OwnFields, Protocol
from app.protocol import lingering
from app.security.local_issuer import local_issuer
from app.server import Server
from app.settings import Settings
from tests.commands import served
from tests.conformance.wire import CHUNKED, JSON_CONTENT, Connection, head
from tests.service import BASE
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

SETTINGS = {"REGISTRY_HEAD_SECONDS": "1", "REGISTRY_CONTENT_SECONDS": "1", "REGISTRY_PUBLIC_URL": BASE}


class Local:
    """A server in this process, so that a test may reach into it."""

    def __init__(self, server: Server, running: asyncio.Task[None], port: int, settings: Settings) -> None:
        self.server = server
        self.running = running
        self.port = port
        self._settings = settings

    @property
    def authorization(self) -> bytes:
        token = local_issuer(self._settings.data_dir).token(
            audience=self._settings.audience,
            subject="owner",
            email="owner@acme.example",
            name=None,
            scopes=["registry:write"],
            lifetime=60,
        )
        return f"Authorization: Bearer {token}\r\n".encode()

    async def run(self, talk: Callable[[Connection], Any]) -> Any:
        """What a client says and hears, which is made to wait for it."""

        def connected() -> Any:
            with Connection(self.port) as connection:
                return talk(connection)

        return await asyncio.to_thread(connected)

    @property
    def protocol(self) -> Protocol:
        """Of the only connection."""
        [protocol] = self.server.server_state.connections
        return cast("Protocol", protocol)

    async def has_connections(self) -> None:
        async with asyncio.timeout(5):
            while not self.server.server_state.connections:  # noqa: ASYNC110 - Uvicorn sets no event for it
                await asyncio.sleep(0.01)

    async def forgets_connections(self) -> None:
        async with asyncio.timeout(5):
            while self.server.server_state.connections:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)

    async def has_done_all(self) -> None:
        async with asyncio.timeout(5):
            while self.server.server_state.tasks:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)


@pytest.fixture
async def local(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Local]:
    environment = {**SETTINGS, "REGISTRY_DATABASE_URL": sqlite_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = Settings(
        public_url=BASE,
        database_url=sqlite_url,
        data_dir=tmp_path,
        head_seconds=1,
        content_seconds=1,
        drain_seconds=1,
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(Config(settings, "127.0.0.1", 1, 1, None))
    running = asyncio.create_task(server.serve([listener]))
    while not server.started:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)
    yield Local(server, running, listener.getsockname()[1], settings)
    server.handle_exit(signal.SIGINT, None)
    await running


@pytest.fixture
def lock(sqlite_url: str) -> Iterator[sqlite3.Connection]:
    """Of another process, so to say: while it has begun, nobody else writes."""
    file = sqlite_url.removeprefix("sqlite://")
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as connection:
        yield connection


def created(authorization: bytes, *fields: bytes, name: str = "Acme") -> bytes:
    content = f'{{"name":"{name}"}}'.encode()
    length = b"Content-Length: %d\r\n" % len(content)
    return head("POST /api/organizations", authorization, JSON_CONTENT, length, *fields) + content


def test_what_the_server_itself_tells_in_each_answer_is_told_as_it_is_now() -> None:
    """The date above all, of which it makes a new one each second."""
    own, lists = OwnFields(), [[(b"date", b"first")], [(b"date", b"second")]]
    for fields in (*lists, *lists, lists[1]):
        assert own.lines(fields) == b"date: %s\r\n" % fields[0][1]


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0, HTTP/1.1"])
async def test_a_request_to_go_on_in_another_protocol_is_answered_as_it_stands(
    local: Local, protocol: str
) -> None:
    """As some clients begin every connection, also with content."""
    upgrade = (b"Connection: Upgrade, HTTP2-Settings\r\n", f"Upgrade: {protocol}\r\n".encode())
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        whole = created(authorization, *upgrade, name="One") + head("GET /livez", *upgrade) * 40
        for piece in (whole, created(authorization, *upgrade, name="Two")):
            connection.send(piece[:-5], piece[-5:])
        answer = connection.answer("POST")
        assert (answer.status_code, answer.json()["name"]) == (201, "One")
        for _ in range(40):
            assert connection.answer().json() == {"status": "pass"}
        assert connection.answer("POST").json()["name"] == "Two"

    await local.run(talk)


async def test_of_many_who_ask_at_once_each_is_answered_all_it_asked_and_told_the_end(local: Local) -> None:
    """What is sent together, by some of them several requests at once."""
    authorization, together = local.authorization, threading.Barrier(20)

    def talk(connection: Connection) -> list[int]:
        together.wait()
        listed = head("GET /api/organizations", authorization)
        connection.send(created(authorization) + listed + head("GET /livez"))
        told = [connection.answer(it).status_code for it in ("POST", "GET", "GET")]
        connection.send(listed + head("GET /api/absent", authorization, b"Connection: close\r\n"))
        told += [connection.answer().status_code for _ in range(2)]
        assert connection.has_ended()
        return told

    # The service has some use for threads as well.
    with ThreadPoolExecutor(40) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        told = await asyncio.gather(*(local.run(talk) for _ in range(20)))
    assert told == [[201, 200, 200, 200, 404]] * 20


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.1", (b"Connection: Upgrade, close\r\n",)),
        ("1.1", (b"Connection: close\r\n", b"Connection: upgrade\r\n")),
        ("1.0", (b"Connection: Upgrade\r\n",)),
        ("1.0", (b"Connection: keep-alive, Upgrade\r\n",)),
    ],
)
async def test_so_is_the_last_one_of_a_connection(
    local: Local, version: str, fields: tuple[bytes, ...]
) -> None:
    last = created(local.authorization, *fields, b"Upgrade: h2c\r\n")
    last = last.replace(b"HTTP/1.1", f"HTTP/{version}".encode(), 1)

    def talk(connection: Connection) -> None:
        connection.send(last[:-5], last[-5:])
        assert connection.answer("POST").status_code == 201
        if b"keep-alive" not in fields[0]:
            assert connection.has_ended()

    await local.run(talk)


async def test_what_cannot_be_read_is_answered_after_what_was_asked_before(
    local: Local, lock: sqlite3.Connection
) -> None:
    """The first takes longer than a head may take, and the head that begins meanwhile is waited for."""
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        connection.send(created(authorization) + head("GET /livez") + b"GET /li")
        assert not connection.is_answered(1.5)
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201
        assert connection.answer().status_code == 200
        connection.send(b"vez HTTP/1.1\r\nrubbish\r\n\r\n")
        check_problem(connection.answer(), "invalid-parameter")
        assert connection.has_ended()

    await local.run(talk)


async def test_content_that_becomes_unreadable_on_its_way_is_refused(local: Local) -> None:
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        begun = head("POST /api/organizations", authorization, JSON_CONTENT, CHUNKED)
        connection.send(begun, b"1\r\n{\r\n", b"zz\r\n")
        check_problem(connection.answer("POST"), "invalid-parameter")
        assert connection.has_ended()

    await local.run(talk)


async def test_a_client_that_leaves_in_the_middle_of_its_content_leaves_nothing(
    local: Local, caplog: pytest.LogCaptureFixture
) -> None:
    authorization = local.authorization
    for leave in (Connection.reset, lambda _connection: None):

        def talk(connection: Connection, leave: Callable[[Connection], None] = leave) -> None:
            connection.send(created(authorization)[:-3], b"x")
            leave(connection)

        await local.run(talk)
    await local.forgets_connections()
    # Sooner than the time that content may take is over.
    async with asyncio.timeout(0.5):
        while local.server.server_state.tasks:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
    assert "Exception" not in caplog.text


async def test_nothing_looks_any_more_after_a_client_that_has_left(local: Local) -> None:
    """Neither for the rest of a head, nor for another request, nor at how much of an answer is taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(head("GET /livez"))
    await reader.readuntil(b"}")
    protocol = local.protocol
    protocol.data_received(b"GET /li")
    protocol.pause_writing()
    timers = (protocol._head_timer, protocol._idle_timer, protocol._connection._timer)
    writer.transport.abort()
    await local.forgets_connections()
    assert [timer is not None and timer.cancelled() for timer in timers] == [True] * 3


async def test_no_more_requests_are_read_than_may_wait(local: Local, lock: sqlite3.Connection) -> None:
    """TH-39: those are answered, in their order; the last answer tells that the connection ends."""
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        connection.send(created(authorization) + (head("GET /livez") + head("GET /nothing")) * MOST_WAITING)
        assert not connection.is_answered(0.3)
        assert len(local.protocol.pipeline) == MOST_WAITING
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201
        answers = [connection.answer() for _ in range(MOST_WAITING)]
        assert [answer.status_code for answer in answers] == [200, 404] * (MOST_WAITING // 2)
        ends = [answer.headers.get("Connection") == "close" for answer in answers]
        assert ends == [*[False] * (MOST_WAITING - 1), True]
        assert connection.has_ended()

    await local.run(talk)


async def test_while_requests_wait_nothing_more_is_read(local: Local, lock: sqlite3.Connection) -> None:
    """TH-39: also where the one that is answered has content, which has come."""
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        # Who is known waits for nothing until the content has been read.
        assert connection.send(head("GET /api/organizations", authorization)).answer().status_code == 200
        lock.execute("BEGIN IMMEDIATE")
        connection.send(created(authorization) + head("GET /livez") * 2)
        for _ in range(2):
            assert not connection.is_answered(0.1)
            assert len(local.protocol.pipeline) == 2
            connection.send(head("GET /livez") * 2)
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201
        assert [connection.answer().status_code for _ in range(6)] == [200] * 6

    await local.run(talk)


async def test_nor_once_the_first_of_many_is_answered(local: Local, lock: sqlite3.Connection) -> None:
    """TH-39: as long as more than one of them waits."""
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        assert connection.send(head("GET /api/organizations", authorization)).answer().status_code == 200
        lock.execute("BEGIN IMMEDIATE")
        connection.send(head("GET /livez") + created(authorization) + head("GET /livez") * 2)
        assert connection.answer().status_code == 200
        connection.send(head("GET /livez") * 2)
        assert not connection.is_answered(0.2)
        assert len(local.protocol.pipeline) == 2
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201
        assert [connection.answer().status_code for _ in range(4)] == [200] * 4

    await local.run(talk)


async def test_what_waits_on_a_connection_is_forgotten_with_it(
    local: Local, lock: sqlite3.Connection
) -> None:
    """TH-39: at once, and not when somebody looks for garbage."""
    authorization, forgotten = local.authorization, list[weakref.ref[Any]]()

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        connection.send(created(authorization) + head("GET /livez") * 20)
        assert not connection.is_answered(0.2)
        protocol = local.protocol
        forgotten.extend(weakref.ref(cycle) for cycle, _ in protocol.pipeline)
        forgotten.append(weakref.ref(protocol))
        connection.reset()
        lock.execute("ROLLBACK")

    gc.disable()
    try:
        await local.run(talk)
        await local.forgets_connections()
        await local.has_done_all()
        assert [it() for it in forgotten] == [None] * 21
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("behind", "statuses"), [(b"", [201]), (head("GET /livez") * 2 + b"GET /li", [201, 200, 200])]
)
async def test_a_client_that_sends_nothing_more_is_answered_what_has_come_whole(
    local: Local,
    lock: sqlite3.Connection,
    monkeypatch: pytest.MonkeyPatch,
    behind: bytes,
    statuses: list[int],
) -> None:
    """RFC 9112 section 9.6; then the connection ends, and no time is left for what cannot come any more."""
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 60)
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        connection.send(created(authorization) + behind).finish()
        assert not connection.is_answered(0.2)
        lock.execute("ROLLBACK")
        answers = [connection.answer("POST" if status == 201 else "GET") for status in statuses]
        assert [answer.status_code for answer in answers] == statuses
        if not behind:
            assert answers[0].headers["Connection"] == "close"
        assert connection.has_ended()
        asyncio.run(local.forgets_connections())

    await local.run(talk)


@pytest.mark.parametrize("more", [False, True])
async def test_who_sends_nothing_more_is_answered_also_while_others_are(local: Local, more: bool) -> None:
    """Where the answer waits for theirs, as for one whose content comes slowly; and what it has begun
    besides, and not sent, is dropped."""
    authorization = local.authorization
    begun = head("POST /api/organizations", authorization, JSON_CONTENT, CHUNKED)

    def talk(connection: Connection) -> None:
        connection.send(begun)
        time.sleep(0.1)
        for _ in range(5):
            with Connection(local.port) as other:
                other.send(head("GET /livez") + (begun if more else b"")).finish()
                assert other.answer().status_code == 200
                assert other.has_ended()

    await local.run(talk)


async def test_what_cannot_be_read_is_told_also_to_who_sends_nothing_more(local: Local) -> None:
    """What is not whole is dropped, and so is a connection on which nothing is asked."""
    begun = head("POST /api/organizations", local.authorization, JSON_CONTENT, CHUNKED)
    app = local.server.config.loaded_app

    async def late(*arguments: Any) -> None:
        await asyncio.sleep(0.1)
        await app(*arguments)

    def unreadable(connection: Connection) -> None:
        check_problem(connection.send(begun + b"zz\r\n").finish().answer("POST"), "invalid-parameter")
        assert connection.has_ended()

    local.server.config.loaded_app = late
    await local.run(unreadable)
    local.server.config.loaded_app = app
    for octets in (b"", b"GET /li", begun, begun + b"2\r\n{"):

        def dropped(connection: Connection, octets: bytes = octets) -> None:
            assert connection.send(head("GET /livez")).answer().status_code == 200
            assert connection.send(octets).finish().has_ended()

        await local.run(dropped)
        await local.forgets_connections()


async def test_a_client_that_goes_after_it_has_sent_all_leaves_nothing_but_what_it_asked(
    local: Local, lock: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        assert not connection.send(created(authorization)).finish().is_answered(0.2)
        # As long as the answer is owed.
        assert not local.protocol.transport.is_closing()
        connection.reset()
        lock.execute("ROLLBACK")

    def listed(connection: Connection) -> Any:
        return connection.send(head("GET /api/organizations", authorization)).answer().json()["totalItems"]

    await local.run(talk)
    await local.forgets_connections()
    await local.has_done_all()
    assert await local.run(listed) == 1
    assert "Exception" not in caplog.text


@pytest.mark.parametrize("octets_before", [0, -4])
async def test_content_that_has_come_whole_is_carried_out_although_its_client_has_gone(
    local: Local, monkeypatch: pytest.MonkeyPatch, octets_before: int
) -> None:
    """And stands in the log, whether or not some of it had been read before the rest came."""
    logged = list[int]()
    monkeypatch.setattr("app.observation.REQUESTS.info", lambda _, **line: logged.append(line["status"]))
    whole = created(local.authorization)
    before = whole[:octets_before]
    _, writer = await asyncio.open_connection("127.0.0.1", local.port)
    writer.write(before)
    await local.has_connections()
    # Until the rest is waited for.
    await asyncio.sleep(0.1)
    protocol = local.protocol
    protocol.data_received(whole[len(before) :])
    protocol.connection_lost(ConnectionResetError())
    await local.has_done_all()
    assert logged == [201]
    writer.close()


async def test_a_client_that_goes_while_much_of_its_content_is_not_wanted_is_let_go(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So much had come that no more was read; what still comes would reset the connection else."""
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 60)
    reader, writer = await asyncio.open_connection("127.0.0.1", local.port)
    await local.has_connections()
    length = b"Content-Length: 1000000\r\n"
    protocol = local.protocol
    protocol.data_received(head("POST /api/organizations", JSON_CONTENT, length) + b" " * 100_000)
    assert protocol.flow.read_paused
    assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
    writer.write(b" " * 100_000)
    writer.close()
    await local.forgets_connections()


def test_a_client_that_leaves_while_several_requests_are_answered_is_no_error(
    sqlite_url: str, tmp_path: Path
) -> None:
    """In a process of its own, for the loop that a server chooses minds what is written to nobody."""
    where = {"REGISTRY_DATABASE_URL": sqlite_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    with served(tmp_path, **where) as server:
        port = int(server.base.rpartition(":")[2])
        for _ in range(60):
            connection = Connection(port).send(head("GET /readyz") * 20)
            assert connection.raw(100)
            connection.reset()
        with Connection(port) as connection:
            assert connection.send(head("GET /readyz")).answer().status_code == 200
        assert '"level":"error"' not in server.said()


def test_in_a_process_of_its_own_who_sends_nothing_more_is_answered_as_well(
    sqlite_url: str, tmp_path: Path
) -> None:
    """And may go without an answer, which is no error; with the loop that a server chooses."""
    where = {"REGISTRY_DATABASE_URL": sqlite_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    with served(tmp_path, **where) as server:
        port = int(server.base.rpartition(":")[2])
        for _ in range(20):
            with Connection(port).send(head("GET /readyz") * 3).finish() as connection:
                assert [connection.answer().status_code for _ in range(3)] == [200] * 3
                assert connection.has_ended()
            Connection(port).send(head("GET /readyz") * 3).finish().reset()
            with Connection(port).send(head("GET /readyz")).finish():
                pass
        with Connection(port) as connection:
            assert connection.send(head("GET /readyz")).answer().status_code == 200
        assert '"level":"error"' not in server.said()
        assert '"level":"warning"' not in server.said()


@pytest.mark.parametrize("again", [False, True])
async def test_what_fails_outside_of_the_pipeline_is_a_problem_too(
    local: Local, caplog: pytest.LogCaptureFixture, again: bool
) -> None:
    """Where even that fails, at least the connection ends."""
    app, failures = local.server.config.loaded_app, [*([2] if again else []), 1]

    async def failing(*arguments: Any) -> None:
        if failures:
            raise RuntimeError(failures.pop())
        await app(*arguments)

    def talk(connection: Connection) -> None:
        connection.send(head("GET /livez"))
        if again:
            assert connection.has_ended()
        else:
            check_problem(connection.answer(), "internal-error")

    local.server.config.loaded_app = failing
    await local.run(talk)
    assert "RuntimeError: 1" in caplog.text


async def test_a_client_that_does_not_notice_the_end_is_let_go(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "LINGER_SECONDS", 0.3)

    async def forgotten() -> None:
        await local.forgets_connections()

    def talk(connection: Connection) -> None:
        check_problem(connection.send(b"rubbish\r\n\r\n").answer(), "invalid-parameter")
        asyncio.run(forgotten())

    await local.run(talk)


async def test_a_client_that_takes_nothing_of_its_answers_is_let_go(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that takes a little from time to time gets them all."""
    monkeypatch.setattr(lingering, "STALLED_SECONDS", 0.5)
    asked = 60

    def patient(connection: Connection) -> int:
        connection.send(head("GET /api/docs") * asked)
        answers = 0
        while answers < asked:
            time.sleep(0.03)
            assert connection.answer().status_code == 200
            answers += 1
        return answers

    def stubborn(connection: Connection) -> None:
        connection.send(head("GET /api/docs") * asked)
        asyncio.run(local.forgets_connections())

    assert await local.run(patient) == asked
    await local.forgets_connections()
    await local.run(stubborn)


async def test_who_takes_its_answers_again_is_watched_no_more_until_the_connection_ends(
    local: Local,
) -> None:
    """From then on nothing that it takes keeps the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", local.port)
    await local.has_connections()
    protocol = local.protocol
    watched = []
    for ends in (False, True):
        protocol.pause_writing()
        if ends:
            protocol.transport.close()
        protocol.resume_writing()
        watched.append(protocol._connection._timer is not None)
    assert watched == [False, True]
    writer.close()


async def test_a_stop_is_told_before_it_comes_and_cuts_nobody_off(
    local: Local, lock: sqlite3.Connection
) -> None:
    """What has begun is finished; what is asked meanwhile is answered, and told not to ask here again."""
    authorization = local.authorization

    def talk(begun: Connection) -> None:
        with Connection(local.port) as kept, Connection(local.port) as idle:
            for connection in (kept, idle):
                assert connection.send(head("GET /readyz")).answer().status_code == 200
            lock.execute("BEGIN IMMEDIATE")
            assert not begun.send(created(authorization)).is_answered(0.2)
            started = time.monotonic()
            local.server.handle_exit(signal.SIGTERM, None)
            time.sleep(0.3)
            refused = kept.send(head("GET /readyz")).answer()
            check_problem(refused, "unavailable")
            assert (refused.headers["Connection"], refused.headers["Retry-After"]) == ("close", "1")
            with Connection(local.port) as late:
                answer = late.send(head("GET /livez")).answer()
                assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
            assert idle.has_ended()
            assert time.monotonic() - started > 0.8
            with pytest.raises(ConnectionError):
                Connection(local.port)
            lock.execute("ROLLBACK")
            answer = begun.answer("POST")
            assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
            assert begun.has_ended()

    await local.run(talk)
    await asyncio.wait_for(local.running, 5)


async def test_what_began_before_the_stop_is_told_of_it_as_well(
    local: Local, lock: sqlite3.Connection
) -> None:
    """While there is still time, so that nothing more is asked on its connection."""
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        assert not connection.send(created(authorization)).is_answered(0.2)
        local.server.handle_exit(signal.SIGTERM, None)
        time.sleep(0.2)
        lock.execute("ROLLBACK")
        answer = connection.answer("POST")
        assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
        assert not local.running.done()

    await local.run(talk)


async def test_a_stop_does_not_wait_for_connections_on_which_nothing_is_asked(local: Local) -> None:
    with Connection(local.port) as unused, Connection(local.port) as used:

        def talk(idle: Connection) -> None:
            for connection in (idle, used):
                assert connection.send(head("GET /livez")).answer().status_code == 200
            local.server.handle_exit(signal.SIGINT, None)
            for connection in (idle, used, unused):
                assert connection.has_ended()

        started = time.monotonic()
        await local.run(talk)
        await local.running
        assert time.monotonic() - started < lingering.LINGER_SECONDS


async def test_a_head_that_began_before_the_answer_is_waited_for_as_long_as_any(local: Local) -> None:
    local.server.config.timeout_keep_alive = 0

    def talk(connection: Connection) -> None:
        connection.send(head("GET /livez") + b"GET /li")
        assert connection.answer().status_code == 200
        assert not connection.is_answered(0.5)
        check_problem(connection.answer(), "request-timeout")

    await local.run(talk)


async def test_so_is_one_for_which_an_answer_has_taken_longer(local: Local, lock: sqlite3.Connection) -> None:
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        lock.execute("BEGIN IMMEDIATE")
        assert not connection.send(created(authorization) + b"GET /li").is_answered(1.2)
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201
        check_problem(connection.answer(), "request-timeout")

    await local.run(talk)


async def test_a_connection_ends_when_nothing_has_been_asked_on_it_for_long(local: Local) -> None:
    """From the last answer on, and not from the first."""
    local.server.config.timeout_keep_alive = 1

    def talk(connection: Connection) -> float:
        for _ in range(4):
            assert connection.send(head("GET /livez")).answer().status_code == 200
            time.sleep(0.4)
        # Both answered at once, of which the second is the last.
        connection.send(head("GET /livez") + head("GET /livez"))
        assert [connection.answer().status_code for _ in range(2)] == [200, 200]
        answered = time.monotonic()
        assert connection.has_ended()
        return time.monotonic() - answered

    assert 0.9 < await local.run(talk) < 5


async def test_a_connection_does_not_end_while_what_is_asked_on_it_takes_long(
    local: Local, lock: sqlite3.Connection
) -> None:
    local.server.config.timeout_keep_alive = 1
    authorization = local.authorization

    def talk(connection: Connection) -> None:
        assert connection.send(head("GET /livez")).answer().status_code == 200
        lock.execute("BEGIN IMMEDIATE")
        assert not connection.send(created(authorization)).is_answered(1.2)
        lock.execute("ROLLBACK")
        assert connection.answer("POST").status_code == 201

    await local.run(talk)


async def test_a_connection_on_which_less_than_a_request_begins_ends_without_an_answer(local: Local) -> None:
    """As where a client sends empty lines, which may stand before a request."""

    def talk(connection: Connection) -> None:
        for _ in range(3):
            assert connection.send(head("GET /livez")).answer().status_code == 200
        assert connection.send(b"\r\n").has_ended()

    await local.run(talk)


async def test_nothing_of_a_head_that_came_in_pieces_is_taken_for_the_next_one(local: Local) -> None:
    """Although its last piece looks like a whole request without the fields before."""
    asking = head("GET /api/organizations")
    begun = b"GET /api/organizations HTTP/1.1\r\n" + local.authorization + b"X-Note: "

    def talk(connection: Connection) -> None:
        assert connection.send(begun, asking).answer().status_code == 200
        for _ in range(3):
            assert connection.send(asking).answer().status_code == 401

    await local.run(talk)


async def test_what_takes_too_long_to_stop_is_cut_with_a_problem(local: Local) -> None:
    app, asleep = local.server.config.loaded_app, asyncio.Event()
    local.server.config.timeout_graceful_shutdown = 1

    async def sleeping(*arguments: Any) -> None:
        if not asleep.is_set():
            asleep.set()
            await asyncio.sleep(60)
        await app(*arguments)

    def talk(connection: Connection) -> None:
        check_problem(connection.send(head("GET /livez")).answer(), "internal-error")
        assert connection.has_ended()

    local.server.config.loaded_app = sleeping
    client = asyncio.create_task(local.run(talk))
    await asleep.wait()
    local.server.handle_exit(signal.SIGINT, None)
    await asyncio.wait_for(asyncio.gather(client, local.running), 5)


async def test_content_that_comes_with_its_head_is_read_without_a_timer(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes later has to come in time, and is as good then."""
    timed: list[float] = []
    timeout = asyncio.timeout

    def noted(seconds: float) -> asyncio.Timeout:
        timed.append(seconds)
        return timeout(seconds)

    monkeypatch.setattr("app.request.asyncio.timeout", noted)
    whole = created(local.authorization)
    for parts, timers in (((whole,), 0), ((whole[:-4], whole[-4:]), 1), ((whole,), 1)):

        def talk(connection: Connection, parts: tuple[bytes, ...] = parts) -> int:
            for part in parts:
                connection.send(part)
                time.sleep(0.1)
            return connection.answer("POST").status_code

        assert await local.run(talk) == 201
        assert timed.count(1) == timers
