"""The path of every request, in the order of its checks, and of every failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from app.answers import Answer, Answers, Fields
from app.caller import Caller
from app.callers import Callers
from app.contract.contract import Contract
from app.contract.definitions import Operation
from app.exchange import PARENTS, Exchange, Function, Representation, Resource, not_found
from app.problems import Problem
from app.protocol.conditions import parse_conditions
from app.protocol.media_types import parse_media_type
from app.protocol.negotiation import negotiate
from app.representation.documents import JSON, JSON_LD, Document
from app.security.rights import ANYONE, check_scope
from app.storage.database import Database
from app.storage.writes import new_id

LOG = logging.getLogger("app.pipeline")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
# The media types of content, by method, and the fields that tell them (RFC 9110 section 12.5.1, RFC 5789).
ACCEPTED = {
    "POST": (JSON_LD, JSON),
    "PUT": (JSON_LD, JSON),
    "PATCH": ("application/merge-patch+json",),
}
# Read as a merge patch too, though not advertised: API Platform's admin sends it once it is given a token.
TOLERATED = {"PATCH": (JSON_LD,)}
ACCEPTED_FIELDS = {"POST": "Accept-Post", "PATCH": "Accept-Patch"}
# What the contract does not speak of: its own documents, the way to the entry point, and health.
UNPROMISED = Operation("", "", "GET", "", None, "", frozenset({ANYONE}), frozenset())
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, If-Match, If-None-Match, Prefer"),
    ("Access-Control-Max-Age", "7200"),
)


@dataclass(frozen=True)
class Request:
    """What came in; `receive` gives the content. `lines` are the values of all lines of a field."""

    scope: Scope
    headers: Headers
    receive: Receive
    id: str

    @property
    def path(self) -> str:
        return str(self.scope["path"])

    @property
    def method(self) -> str:
        """HEAD is a GET whose content stays behind (RFC 9110 section 9.3.2)."""
        return "GET" if self.is_head else str(self.scope["method"])

    @property
    def is_head(self) -> bool:
        return bool(self.scope["method"] == "HEAD")

    def lines(self, name: str) -> list[str]:
        return self.headers.getlist(name)


class Disconnected(Exception):  # noqa: N818 - nobody is left to be told
    """The client went away before all of its content had come."""


class Pipeline:
    """Answers requests for resources; whatever goes wrong becomes a problem."""

    def __init__(
        self,
        contract: Contract,
        documents: Mapping[str, Document],
        database: Database,
        callers: Callers,
        max_content_length: int,
    ) -> None:
        self._contract = contract
        self._documents = documents
        self._database = database
        self._callers = callers
        self._max_content_length = max_content_length
        self._answers = Answers(contract)
        # A variable of a path that is named after one of these has such a value.
        instance = contract.classes["Instance"].properties
        identifiers = dict.fromkeys(("id", *PARENTS), instance["id"].shape)
        self._shapes = {**identifiers, "handle": instance["handle"].shape}

    async def serve(self, resource: Resource | None, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request = Request(scope, Headers(scope=scope), receive, new_id())
        try:
            answer = await self._answer(resource, request)
        except Disconnected:
            return
        except Problem as problem:
            _log_refusal(request, problem)
            answer = self._problem(request, problem)
        except Exception:
            LOG.exception("%s failed", request.id)
            answer = self._problem(request, Problem("internal-error", "Try again later."))
        headers = self._answers.headers(answer, request.id)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if answer.content is None or request.is_head else answer.content
        await send({"type": "http.response.body", "body": body})
        _log(request, answer, time.perf_counter() - started)

    async def _answer(self, resource: Resource | None, request: Request) -> Answer:
        if request.method == "OPTIONS" and request.lines("Access-Control-Request-Method"):
            return Answer(204, PREFLIGHT)
        if resource is None or not self._can_be(request):
            raise not_found()
        if request.method == "OPTIONS":
            return Answer(204, [("Allow", _allow(resource)), *_accepted(resource)])
        operation = self._operation(resource, request.method)
        caller = await self._caller(request, operation)
        media_type = _media_type(resource, request)
        content = await self._content(request)
        conditions = parse_conditions(request.lines("If-Match"), request.lines("If-None-Match"))
        exchange = Exchange(
            contract=self._contract,
            documents=self._documents,
            promise=resource.promise,
            operation=operation,
            caller=caller,
            path=request.path,
            identifiers=request.scope["path_params"],
            query=request.scope["query_string"],
            content=content,
            conditions=conditions,
            request_id=request.id,
            database=self._database,
        )
        representation = await self._carry_out(resource.operations[request.method], exchange, request.method)
        return self._answers.of(representation, media_type, conditions, request.method)

    def _problem(self, request: Request, problem: Problem) -> Answer:
        return self._answers.of_problem(problem, request.lines("Accept"), request.id)

    def _can_be(self, request: Request) -> bool:
        """Whether anything could be at the path; Starlette's patterns match before a final line break."""
        variables = request.scope["path_params"].items()
        known = [(self._shapes[key], value) for key, value in variables if key in self._shapes]
        return "\n" not in request.path and not any(any(shape.failures(value)) for shape, value in known)

    def _operation(self, resource: Resource, method: str) -> Operation:
        """Raises 501 and 405."""
        if method not in METHODS:
            raise Problem("not-implemented", f"Use one of {', '.join(METHODS)}.")
        if method not in resource.operations:
            allow = _allow(resource)
            raise Problem("method-not-allowed", f"Use one of {allow}.", headers=[("Allow", allow)])
        return self._contract.promises[resource.promise][method] if resource.promise else UNPROMISED

    async def _caller(self, request: Request, operation: Operation) -> Caller:
        """Raises 401, and 403 for a token without the scope."""
        needed = ANYONE not in operation.roles
        caller = await self._callers.caller(request.lines("Authorization"), request.id, needed=needed)
        check_scope(caller, operation)
        return caller

    async def _content(self, request: Request) -> bytes:
        """Raises 415 and 413. A GET or DELETE may carry what it likes: it is not looked at."""
        accepted = ACCEPTED.get(request.method)
        if accepted is None:
            return b""
        types = [parse_media_type(line) for line in request.lines("Content-Type")]
        sent = types[0] if len(types) == 1 else None
        if sent is None or sent.essence not in (*accepted, *TOLERATED.get(request.method, ())):
            field = ACCEPTED_FIELDS.get(request.method)
            raise Problem(
                "unsupported-media-type",
                f"Send the content as {' or '.join(accepted)} and say so in Content-Type.",
                headers=[(field, ", ".join(accepted))] if field else [],
            )
        return await self._read(request)

    async def _read(self, request: Request) -> bytes:
        too_large = Problem("content-too-large", f"Send at most {self._max_content_length} octets.")
        announced = request.headers.get("Content-Length", "0").lstrip("0")
        # Only what is short enough is made a number: others may have thousands of digits.
        if len(announced) > 15 or (announced.isdecimal() and int(announced) > self._max_content_length):
            raise too_large
        content = bytearray()
        while True:
            message: Message = await request.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            content += message.get("body", b"")
            if len(content) > self._max_content_length:
                raise too_large
            if not message.get("more_body", False):
                return bytes(content)

    async def _carry_out(self, operation: Function, exchange: Exchange, method: str) -> Representation:
        """What is unsafe, in a transaction that is over before the answer begins."""
        if method == "GET":
            return await operation(exchange)
        async with self._database.transaction() as session:
            return await operation(replace(exchange, transaction=session))


@dataclass(frozen=True)
class Endpoint:
    """What Starlette routes to; without a resource, what answers where there is no route."""

    pipeline: Pipeline
    resource: Resource | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.pipeline.serve(self.resource, scope, receive, send)
        else:
            await send({"type": "websocket.close"})


def _log(request: Request, answer: Answer, seconds: float) -> None:
    """On one line, whatever is in the path; without the query, which may hold what is nobody's business."""
    path = request.path.encode("unicode_escape").decode()
    method = request.scope["method"]
    LOG.info("%s %s %d %.1fms %s", method, path, answer.status, seconds * 1_000, request.id)


def _log_refusal(request: Request, problem: Problem) -> None:
    """What is wrong with a token stands here alone (STANDARDS AU-21); words in it may be the client's."""
    if problem.type == "not-authenticated" and problem.__cause__ is not None:
        cause = str(problem.__cause__).encode("unicode_escape").decode()
        LOG.info("%s refused the token: %.200s", request.id, cause)


def _allow(resource: Resource) -> str:
    """What the path supports, for whoever asks (API.md section 3)."""
    supported = {*resource.operations, "OPTIONS", *(["HEAD"] if "GET" in resource.operations else [])}
    return ", ".join(method for method in METHODS if method in supported)


def _accepted(resource: Resource) -> Fields:
    fields = ACCEPTED_FIELDS.items()
    return [(name, ", ".join(ACCEPTED[method])) for method, name in fields if method in resource.operations]


def _media_type(resource: Resource, request: Request) -> str | None:
    """What to answer in; None where there will be nothing to represent. Raises 406."""
    if not resource.offers or request.method == "DELETE":
        return None
    media_type = negotiate(request.lines("Accept"), resource.offers)
    if media_type is None:
        available = ", ".join(resource.offers)
        raise Problem("not-acceptable", f"Accept one of {available}.", available=resource.offers)
    return media_type
