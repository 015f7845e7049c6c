"""One connection, as octets come: HTTP read as strictly as RFC 9112 allows, where Uvicorn is lenient."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Literal, cast
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn._types import ASGI3Application, ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.problems import Problem
from app.protocol.front_door import MAX_FIELD_OCTETS, MAX_FIELDS, MAX_TARGET, check_size
from app.protocol.lingering import Lingering
from app.protocol.outbox import Outbox
from app.protocol.outgoing import Outgoing, Pairs, outgoing
from app.protocol.same_fields import Plain, SameFields
from app.protocol.targets import parse_target, with_host
from app.request import METHODS, REFUSAL, WHOLE, not_implemented
from app.settings import Settings

# Octets of a request of which the parser does not tell anything: of a head, a trailer, a chunk's extension.
MAX_UNTOLD = 65_536
# How long what was begun before the end may take.
STOP_SECONDS = 30
# How long a worker may take to say that it is alive: with others, on few processors, for its imports alone.
ALIVE_SECONDS = 30
# For how many requests at most nobody looks whether the fields of one come again.
MOST_MISSES = 63
# How many requests of a connection may wait until those before them have been answered.
MOST_WAITING = 64
# What a method that the parser does not know looks like (RFC 9110 section 9.1), rather than rubbish.
METHOD = re.compile(rb"(?:\A|\n)([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: [/*h]|\Z)")


class Config(uvicorn.Config):
    """Uvicorn's configuration, with the service's settings, which every worker gets as well."""

    def __init__(
        self, settings: Settings, host: str, port: int, workers: int, log_config: dict[str, Any] | None
    ) -> None:
        super().__init__(
            "app.main:application",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=Protocol,
            ws="none",
            lifespan="on",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            log_config=log_config,
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_worker_healthcheck=ALIVE_SECONDS,
        )
        self.settings = settings
        # Of all connections of the process, which has one loop.
        self.outbox = Outbox()


class OwnFields:
    """Uvicorn's own, of which it makes new ones each second: written once for all answers of that."""

    def __init__(self) -> None:
        self._fields: Pairs = ()
        self._lines = b""

    def lines(self, fields: Pairs) -> bytes:
        if fields is not self._fields:
            self._fields, self._lines = fields, outgoing(fields).lines
        return self._lines


OWN_FIELDS = OwnFields()


class CrowdedError(Exception):
    """As many requests wait as may."""


class Cycle(RequestResponseCycle):
    """One request and its answer."""

    app: ASGI3Application
    tasks: set[asyncio.Task[None]]
    _head = b""

    async def run_asgi(self, app: ASGI3Application) -> None:
        self.app = app
        # Most content is short, and has come with the head when this runs.
        cast("dict[str, Any]", self.scope)[WHOLE] = not self.more_body
        try:
            await super().run_asgi(app)
        finally:
            self.tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def receive(self) -> ASGIReceiveEvent:
        """Content that has come whole is told of also where its client has gone by then: what was asked is
        carried out, or is not, whenever that is noticed."""
        if self.more_body:
            message = await super().receive()
            if message["type"] == "http.request":
                return message
        if self.more_body:
            return {"type": "http.disconnect"}
        content, self.body = bytes(self.body), bytearray()
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(self, message: ASGISendEvent) -> None:
        """The two messages of the application, head and content, leave in one piece: it takes the system as
        long to send little as to send much. The head tells the content's length, where there is any."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if message["type"] == "http.response.start":
            fields = message["headers"]
            self._begin(message["status"], fields if type(fields) is Outgoing else outgoing(fields))
        elif message["type"] == "http.response.body":
            self._end(message["body"])

    def _begin(self, status: int, fields: Outgoing) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        if self.more_body or fields.closes:
            # What is left of the content is not waited for, and must not be taken for the next request.
            self.keep_alive = False
        end = b"\r\n" if self.keep_alive or fields.closes else b"connection: close\r\n\r\n"
        own = OWN_FIELDS.lines(self.default_headers)
        self._head = b"".join((STATUS_LINE[status], own, fields.lines, end))

    def _end(self, content: bytes) -> None:
        parts = [self._head, content] if content else [self._head]
        cast("Lingering", self.transport).answer(parts, more=len(self.tasks) > 1)
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    async def send_500_response(self) -> None:
        """What fails outside of the pipeline, or takes too long to stop, leaves through it as well."""
        self.scope["extensions"] = _refusal(Problem("internal-error", "Try again later."))
        try:
            await self.app(self.scope, self.receive, self.send)
        except BaseException:
            self.logger.exception("The application failed again")
            self.transport.close()


class Protocol(HttpToolsProtocol):
    """A connection. What cannot be read as a request is answered by the application too, as a problem, in
    its turn; after that nothing more is read. RFC 9112 is kept where Uvicorn is more lenient."""

    config: Config
    _part: Literal["head", "content"] | None = None  # of a request, that is being read
    _untold = 0
    _reads_no_more = False
    # The fields of the request before, where that one was plain and the last that came; how often the next
    # one had others, and for how many requests nobody looks.
    _fields: SameFields | None = None
    _misses = _unlooked = 0
    _head_timer: asyncio.TimerHandle | None = None
    # Since when nothing has been asked, where that is so.
    _idle_since: float | None = None
    _idle_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn has it
        self._connection = Lingering(transport, self.loop, self.config.outbox)
        super().connection_made(self._connection)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._connection.lose()
        super().connection_lost(exc)
        # What has not begun and this would hold each other until somebody looked for garbage.
        self.pipeline.clear()
        self.cycle = None  # type: ignore[assignment]  # as at the beginning

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it
        """Who sends nothing more may still wait for an answer to what has come whole. It is the last one:
        while others wait behind it nothing is read, and so no end either."""
        # Otherwise the loop closes the connection itself, before what waits to be sent to it.
        self.config.outbox.empty()
        cycle = self.cycle
        if self.transport.is_closing() or cycle is None or cycle.response_complete:
            return False
        if cycle.more_body and not self._reads_no_more:
            return False
        cycle.keep_alive = False
        self._read_no_more()
        self._connection.hear_end()
        return True

    def data_received(self, data: bytes) -> None:
        if self._reads_no_more or self.transport.is_closing():
            return
        self._idle_since = None
        if self._fields is not None and not self.pipeline:
            request = self._fields.request(data)
            if request is not None:
                self._misses = 0
                self._begin_plain(request)
                return
            # Who sends others each time is looked at ever more rarely.
            self._fields, self._misses = None, min(2 * self._misses + 1, MOST_MISSES)
            self._unlooked = self._misses
        between = self._part is None and not self._untold
        self._untold += len(data)
        try:
            self._feed(memoryview(data))
        except httptools.HttpParserError as error:
            self._give_up(error, data)
        else:
            if self._untold > MAX_UNTOLD:
                self._refuse(_endless())
            elif self._part == "head" or (self._part is None and self._untold):
                self._wait_for_head()
            elif self._unlooked:
                self._unlooked -= 1
            elif between:
                self._fields = SameFields.of(data, self.headers)

    def _begin_plain(self, request: Plain) -> None:
        """What the parser would tell of it."""
        self.on_message_begin()
        self.headers = self.scope["headers"] = request.lines
        self._part = None
        self._stop_waiting()
        self._aim(request.method.decode(), "1.1", request.path, request.query)
        self._start(keep_alive=True)
        self.cycle.more_body = False
        self.cycle.message_event.set()

    def _feed(self, data: memoryview) -> None:
        """A request to go on in another protocol is read once more as one that does not ask for it, which
        is allowed (RFC 9110 section 7.8): of the first the parser leaves out the content. Another parser
        reads it, for this one is done where the connection ends with the request."""
        while True:
            try:
                return self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            head = self._head_without_upgrade()
            self.parser = httptools.HttpRequestParser(self)
            # As Uvicorn has it: what comes behind the last request is passed over.
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(head)

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % line for line in self.headers if line[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    # What the parser tells

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"] = self.app_state  # itself: also what has begun shall know of the end
        self._part = "head"

    def on_url(self, url: bytes) -> None:
        if len(self.pipeline) >= MOST_WAITING:
            raise CrowdedError
        super().on_url(url)
        if len(self.url) > MAX_TARGET:
            check_size(len(self.url), ())

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part != "head":
            return  # a trailer, which is not to be taken for a header field (RFC 9110 section 6.5.1)
        # As Uvicorn has it: the way to it takes longer than what it does, for each of a dozen fields.
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))
        if len(self.headers) > MAX_FIELDS or self._untold > MAX_FIELD_OCTETS:
            check_size(0, self.headers)

    def on_headers_complete(self) -> None:
        method, version = self.parser.get_method().decode(), self.parser.get_http_version()
        if method == "CONNECT":
            raise not_implemented()
        if self.parser.should_upgrade():
            return
        if version not in ("1.0", "1.1"):
            raise Problem("invalid-parameter", "Speak HTTP/1.1.")
        raw_path, query, authority = parse_target(method, self.url)
        if authority is not None:
            self.headers[:] = with_host(self.headers, authority)
        self._untold, self._part = 0, "content"
        self._stop_waiting()
        self._aim(method, version, raw_path, query)
        self._start(keep_alive=version == "1.1" and self.parser.should_keep_alive())

    def on_body(self, body: bytes) -> None:
        self._untold = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._part == "content":
            self._untold, self._part = 0, None
            super().on_message_complete()

    # What is done about it

    def _aim(self, method: str, version: str, raw_path: bytes, query: bytes) -> None:
        path, scope = raw_path.decode("ascii"), self.scope
        scope["http_version"], scope["method"] = version, method
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"], scope["query_string"] = raw_path, query

    def _start(self, *, keep_alive: bool) -> None:
        """As soon as what was asked before has been answered."""
        earlier = self.cycle
        self.cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and self.scope["http_version"] == "1.1",
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        if earlier is None or earlier.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """As Uvicorn's; a task leaves those that the end waits for itself, and not by another turn of the
        loop."""
        cast("Cycle", cycle).tasks = self.tasks
        self.tasks.add(self.loop.create_task(cycle.run_asgi(app)))

    def _give_up(self, error: httptools.HttpParserError, data: bytes) -> None:
        """Where too many wait, the last of them ends the connection: what came behind can be asked on another
        one."""
        if isinstance(error.__context__, CrowdedError):
            self.cycle.keep_alive = False
            self._read_no_more()
        else:
            self._refuse(_problem(error, data))

    def _refuse(self, problem: Problem) -> None:
        """The request whose content cannot be read gets it, or one that stands for what was no request."""
        self._read_no_more()
        if self._part == "content":
            self.cycle.scope["extensions"] = _refusal(problem)
            self.cycle.keep_alive = False
            self.cycle.message_event.set()
            return
        method = self.parser.get_method().decode() if self._part == "head" and self.url else ""
        self.on_message_begin()
        self.scope |= {"path": "", "raw_path": b"", "query_string": b"", "extensions": _refusal(problem)}
        self.scope["method"] = method
        self._start(keep_alive=False)

    def _read_no_more(self) -> None:
        self._reads_no_more = True
        self._stop_waiting()

    def _wait_for_head(self) -> None:
        if self._head_timer is None:
            seconds = self.config.settings.head_seconds
            self._head_timer = self.loop.call_later(seconds, self._on_no_head)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _on_no_head(self) -> None:
        self._head_timer = None
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_for_head()  # while an answer is made, the rest of the next request may not be read
        elif self._part == "head":
            self._refuse(Problem("request-timeout", "Send the request again, and faster."))
        else:
            self.transport.close()

    def on_response_complete(self) -> None:
        """As Uvicorn's, whose timer for the next request is set by each answer and taken back by each
        request, which takes as long as much else that is done for one. Here one looks, from time to time,
        since when nothing has been asked."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if len(self.pipeline) < 2:
            # While some still wait, whatever is read more would have to be kept as well.
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._head_timer is None:
            self._idle_since = self.loop.time()
            if self._idle_timer is None:
                self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._on_idle)

    def _on_idle(self) -> None:
        self._idle_timer = None
        if self._idle_since is None:
            return  # what was asked meanwhile sets it again when it has been answered
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._on_idle)
        else:
            self.timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._connection.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._connection.is_closing():
            self._connection.look_away()

    def shutdown(self) -> None:
        """A connection on which nothing is asked has not to wait for its client to notice."""
        if self.cycle is None or self.cycle.response_complete:
            self._connection.close_at_once()
        else:
            super().shutdown()


def _refusal(problem: Problem) -> Any:
    return {REFUSAL: problem}


def _problem(error: httptools.HttpParserError, data: bytes) -> Problem:
    if isinstance(error.__context__, Problem):
        return error.__context__
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        methods = {method.decode("ascii") for method in METHOD.findall(data)}
        if methods - set(METHODS):
            return not_implemented()
    return Problem("invalid-parameter", "Send a request that RFC 9112 allows; this one could not be read.")


def _endless() -> Problem:
    detail = f"Send header fields of at most {MAX_FIELD_OCTETS} octets in all."
    return Problem("header-fields-too-large", detail)
