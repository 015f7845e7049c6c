"""The path of every request, in the order of its checks, and of every failure."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.types import Receive, Scope, Send

from app.addresses import SAMPLE_PEOPLE
from app.answer_fields import Fields
from app.answers import Answer, Answers
from app.callers import Callers
from app.choices import Choices
from app.contract.contract import Contract
from app.contract.definitions import Operation
from app.exchange import PARENTS, Exchange, Representation, Resource, not_found
from app.explorer.files import page
from app.observation import Observation
from app.offers import Offers
from app.problems import Available, Problem
from app.protocol.conditions import Conditions, check_creation
from app.protocol.front_door import Hosts
from app.protocol.heads import Heads
from app.protocol.idempotency import idempotency_key
from app.protocol.outgoing import CLOSE
from app.protocol.own_machine import is_from_own_machine
from app.protocol.query import encode_query, parse_query
from app.protocol.quotas import counted_as
from app.protocol.trace import trace_response
from app.receiving import ACCEPTED, accepted, content_type, target
from app.remembered import Remembered
from app.replays import Replays, fingerprint
from app.representation.documents import Document
from app.representation.forms import (
    essence_of,
    profile_of,
    with_suffix,
    without_profile,
)
from app.representation.incoming import Reader, Sent
from app.representation.nodes import made
from app.representation.writing import Writers
from app.request import METHODS, Coming, Disconnected, Request, not_implemented
from app.security.rights import ANYONE, check_scope
from app.settings import Settings
from app.storage.attempts import Overtaken
from app.storage.database import Database, Session
from app.storage.remembered_answers import Place
from app.storage.writes import new_id
from app.wishes import Choice, Wish

if TYPE_CHECKING:  # imported where there is a limit at all
    from app.rate_limits import RateLimits

# What the contract does not speak of: its own documents, the way to the entry point, and health.
UNPROMISED = Operation("", "", "GET", "", None, "", frozenset({ANYONE}), frozenset())
PREFLIGHT = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, Prefer, traceparent",
    ),
    ("Access-Control-Max-Age", "7200"),
)
NOTHING_SENT = Sent()
REMEMBERED_ANSWERS = 1_024
# Asked by machines that know the service by a number, also when there is too much to do.
HEALTH = frozenset({"/livez", "/readyz"})
# No id and no handle has more characters; what has is not worth being remembered.
LONGEST = 64


class Pipeline:
    """Answers requests for resources; whatever goes wrong becomes a problem."""

    def __init__(
        self,
        contract: Contract,
        writers: Writers,
        documents: Mapping[str, Document],
        database: Database,
        callers: Callers,
        observation: Observation,
        hosts: Hosts,
        rate_limits: RateLimits | None,
        settings: Settings,
    ) -> None:
        self._contract = contract
        self._documents = documents
        self._database = database
        self._callers = callers
        self._observation = observation
        self._heads = Heads(hosts)
        self._rate_limits = rate_limits
        self._settings = settings
        self._coming = Coming()
        self._running = 0
        sign_in = SAMPLE_PEOPLE if settings.is_local else None
        self._answers = Answers(contract, writers, page(contract.base, sign_in))
        self._choices = Choices(contract.base)
        self._offers = Offers(contract)
        self._replays = Replays(database)
        self._reader = Reader(contract)
        # Answers to plain reads of what does not change while the service runs.
        self._known: Remembered[Hashable, Answer] = Remembered(REMEMBERED_ANSWERS)
        # A variable of a path that is named after one of these has such a value.
        instance = contract.classes["Instance"].properties
        identifiers = dict.fromkeys(("id", *PARENTS), instance["id"].shape)
        self._shapes = {**identifiers, "handle": instance["handle"].shape}
        # Few of all values are asked for at a time.
        self._fits = lru_cache(maxsize=4_096)(self._judged)

    async def serve(self, resource: Resource | None, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        head = self._heads.of(scope["headers"])
        request = Request(scope, head, receive, new_id(), resource.path if resource else None)
        problem = None
        self._running += 1
        self._observation.running(self._running)
        try:
            answer = await self._answer(resource, request)
        except Disconnected:
            return
        except Problem as refused:
            # Its frames hold the content that was refused, and would be held by this one.
            problem = refused.with_traceback(None)
            self._observation.refused(request, problem)
            answer = self._problem(request, problem)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets a problem and the log the rest
            self._observation.failed(request, error)
            problem = Problem("internal-error", "Try again later.")
            answer = self._problem(request, problem)
        finally:
            self._running -= 1
            self._observation.running(self._running)
        headers = self._answers.headers(answer, request.id, _of_the_caller(request))
        if request.draining:
            headers = [*headers, CLOSE]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if answer.content is None or request.is_head else answer.content
        await send({"type": "http.response.body", "body": body})
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._observation.answered(request, method, answer, problem, time.perf_counter() - started)

    async def _answer(self, resource: Resource | None, request: Request) -> Answer:
        self._check_head(request)
        plain = request.plain
        known = self._known.get(plain) if plain is not None else None
        if known is not None:
            if self._rate_limits is not None:
                await self._count(request, self._rate_limits)
            return known
        resource = resource and _there(resource, request)
        choice = self._choices.of(resource, request)
        request.page = choice.page
        if request.method == "OPTIONS":
            return self._options(resource, request)
        if resource is None or not self._can_be(request):
            raise not_found()
        operation = self._operation(resource, request.method)
        request.operation = operation.name
        if request.route == "/readyz" and request.draining:
            raise Problem("unavailable", "The service is about to stop.", headers=[("Retry-After", "1")])
        if request.page and resource.explored:
            return await self._page(choice, request)
        await self._identify(request, operation)
        wish = self._wish(choice, request)
        if request.method == "GET" and self._database.tells_moments:
            wish.question = request.address, request.scope["query_string"], request.caller, choice
            before = self._answers.as_before(wish, self._database.moment)
            if before is not None:
                return before
        return await self._result(resource, operation, request, wish)

    async def _result(self, resource: Resource, operation: Operation, request: Request, wish: Wish) -> Answer:
        """Of an operation, once it is known who asks, for what, and how it shall be told."""
        content = await self._content(resource, request) if request.method in ACCEPTED else NOTHING_SENT
        key = self._key(resource, request) if request.method == "POST" else None
        exchange = Exchange(
            contract=self._contract,
            offers=self._offers,
            documents=self._documents,
            promise=resource.promise,
            operation=operation,
            caller=request.caller,
            path=request.path,
            identifiers=request.scope["path_params"],
            parameters=parse_query(request.scope["query_string"]),
            content=content,
            conditions=wish.conditions,
            preferences=wish.choice.preferences,
            request_id=request.id,
            database=self._database,
        )
        if key is not None:
            return await self._once(resource, exchange, wish, key)
        representation = await self._carry_out(resource, exchange, request.method)
        document = representation.document
        if document is not None and wish.choice.form is not None:
            await document.prepare(wish.choice.form)
        answer = self._answers.of(representation, wish)
        if document is not None and document.lasting and request.plain is not None:
            self._known.keep(request.plain, answer)
        return answer

    def _check_head(self, request: Request) -> None:
        """Raises what the server could not read it for, 503, and what is wrong with the head itself."""
        if request.refusal is not None:
            raise request.refusal
        healthy = request.route in HEALTH
        if self._running > self._settings.max_concurrent_requests and not healthy:
            raise _too_many()
        request.check_head(self._heads, any_host=healthy)

    def _options(self, resource: Resource | None, request: Request) -> Answer:
        """Asks neither token nor database. Raises 404."""
        if request.lines("access-control-request-method"):
            return Answer(204, PREFLIGHT)
        if request.path == "*":
            return Answer(204, [("Allow", ", ".join(METHODS))])
        if resource is None or not self._can_be(request):
            raise not_found()
        return Answer(204, [("Allow", _allow(resource)), *accepted(resource)])

    def _problem(self, request: Request, problem: Problem) -> Answer:
        # Of a head that is too large nothing more is read.
        accept = () if problem.type == "header-fields-too-large" else request.lines("accept")
        return self._answers.of_problem(problem, accept, request.id, request.operation, page=request.page)

    async def _page(self, choice: Choice, request: Request) -> Answer:
        """The explorer's, which is the same at every address: nobody has to be anybody to get it. Raises 401
        for a bad token nevertheless, and 429."""
        await self._identify(request, UNPROMISED)
        return self._answers.of_page(
            self._contract.base + request.address,
            choice.coding,
            self._conditions(request),
        )

    def _wish(self, choice: Choice, request: Request) -> Wish:
        """Raises 406."""
        if not choice.acceptable:
            raise self._not_acceptable(choice.forms, request)
        return Wish(self._contract.base + request.address, choice, self._conditions(request))

    def _conditions(self, request: Request) -> Conditions:
        return request.head.conditions(required=self._settings.require_if_match)

    def _not_acceptable(self, forms: Sequence[str], request: Request) -> Problem:
        """A form has an address of its own to be read at; what changes something is asked for by Accept."""
        address = self._contract.base + quote(request.path) + _query(request)
        return Problem(
            "not-acceptable",
            f"Accept one of {', '.join(dict.fromkeys(map(essence_of, forms)))}.",
            available=[
                Available(
                    without_profile(it),
                    profile_of(it),
                    with_suffix(address, it) if request.method == "GET" else address,
                )
                for it in forms
            ],
        )

    def _can_be(self, request: Request) -> bool:
        """Whether anything could be at the path."""
        for name, value in request.scope["path_params"].items():
            if not (self._fits if len(value) <= LONGEST else self._judged)(name, value):
                return False
        return request.can_be()

    def _judged(self, name: str, value: str) -> bool:
        shape = self._shapes.get(name)
        return shape is None or shape.holds(value)

    def _operation(self, resource: Resource, method: str) -> Operation:
        """Raises 501 and 405."""
        if method not in METHODS:
            raise not_implemented()
        if method not in resource.operations:
            allow = _allow(resource)
            raise Problem("method-not-allowed", f"Use one of {allow}.", headers=[("Allow", allow)])
        return self._contract.promises[resource.promise][method] if resource.promise else UNPROMISED

    async def _identify(self, request: Request, operation: Operation) -> None:
        """Raises 401, 429, and 403 for a token without the scope."""
        authorization = request.lines("authorization")
        caller = self._callers.known(authorization)
        if caller is None:
            needed = ANYONE not in operation.roles
            try:
                caller = await self._callers.caller(authorization, request.id, needed=needed)
            except Problem:
                if self._rate_limits is not None:
                    await self._count(request, self._rate_limits)
                raise
        request.caller = caller
        if self._rate_limits is not None:
            await self._count(request, self._rate_limits)
        check_scope(request.caller, operation)

    async def _count(self, request: Request, limits: RateLimits) -> None:
        """Raises 429. Who sends a bad token is counted by its address, so that nobody is told of it."""
        if request.route not in HEALTH:
            who = counted_as(request.caller.partner_id, request.scope.get("client"))
            request.standing = await limits.take(who)

    def _key(self, resource: Resource, request: Request) -> str | None:
        """By which an answer is remembered. Raises 400."""
        return None if resource.local else idempotency_key(request.lines("idempotency-key"))

    async def _content(self, resource: Resource, request: Request) -> Sent:
        """Raises 415, 413, 408 and 503. A GET or DELETE may carry what it likes: it is not looked at."""
        if resource.local:
            return NOTHING_SENT
        media_type, settings = content_type(request), self._settings
        coming = request.content(settings.max_content_length, settings.content_seconds, self._coming)
        content = await (coming if request.is_whole else self._awaited(coming))
        return await self._reader.read(media_type, content, target(self._contract, resource, request))

    async def _awaited(self, coming: Awaitable[bytes]) -> bytes:
        """While its content is waited for a request is not being answered: who sends slowly keeps nobody else
        out. Raises 503 where there is too much to do when it has come."""
        self._running -= 1
        self._observation.running(self._running)
        try:
            content = await coming
        finally:
            self._running += 1
            self._observation.running(self._running)
        if self._running > self._settings.max_concurrent_requests:
            raise _too_many()
        return content

    async def _carry_out(self, resource: Resource, exchange: Exchange, method: str) -> Representation:
        """What is unsafe, in a transaction that is over before the answer begins, or by one statement."""
        if method == "GET" or resource.local:
            representation = await resource.operations[method](exchange)
            exchange.check_query()
            return representation
        # What has to be as a list is needs what keeps it so.
        attempted = method in resource.attempted and not (method == "POST" and exchange.conditions.stated)
        attempt = self._database.attempt() if attempted else None
        if attempt is not None:
            with suppress(Overtaken):
                return await self._change(resource, exchange, method, attempt)
        async with self._database.transaction(single=True) as session:
            return await self._change(resource, exchange, method, session)

    async def _once(self, resource: Resource, exchange: Exchange, wish: Wish, key: str) -> Answer:
        """A POST with a key, whose answer is remembered. It is sent in no coding, for who sends the request
        again may accept another one."""
        choice = wish.choice

        async def answer(session: Session) -> Answer:
            changed = await self._change(resource, exchange, choice.method, session)
            return self._answers.to_remember(changed, wish)

        place = Place(str(exchange.caller.partner_id), exchange.path, key)
        form, minimal = str(choice.form).encode(), b"%d" % choice.preferences.minimal
        query = encode_query(exchange.parameters).encode()
        sent = exchange.content
        asked = fingerprint(query, form, minimal, sent.media_type.encode(), sent.content)
        return await self._replays.answered(place, asked, answer)

    async def _change(
        self, resource: Resource, exchange: Exchange, method: str, session: Session
    ) -> Representation:
        exchange.begin(session)
        if method == "POST" and exchange.conditions.stated:
            await self._check_list(resource, exchange)
        representation = await resource.operations[method](exchange)
        exchange.check_query()
        return representation

    async def _check_list(self, resource: Resource, exchange: Exchange) -> None:
        """Raises 412 where the list that a POST adds to is not as the request says; 404 and 410 as the POST
        would. A list with a version is its parent's, and the operation's own to look at."""
        try:
            representation = (await resource.operations["GET"](exchange)).made()
        except Problem as problem:
            if problem.type == "forbidden":
                return
            raise
        operations = made(representation.node or {}).get("operation", ())
        offered = {operation["method"] for operation in operations}
        # What fails anyway does not depend on a condition (RFC 9110 section 13.2.1).
        if representation.version is None and exchange.operation.method in offered:
            check_creation(
                exchange.conditions, self._answers.tags(representation, self._choices.forms(resource))
            )


@dataclass(frozen=True)
class Endpoint:
    """What Starlette routes to; without a resource, what answers where there is no route."""

    pipeline: Pipeline
    resource: Resource | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            return self.pipeline.serve(self.resource, scope, receive, send)
        return send({"type": "websocket.close"})


def _too_many() -> Problem:
    return Problem(
        "unavailable",
        "Too many requests are being answered at the moment; try again.",
        headers=[("Retry-After", "1")],
    )


def _query(request: Request) -> str:
    """As it has to be written, with its mark; nothing where there is none, or none that can be read."""
    try:
        query = encode_query(parse_query(request.scope["query_string"]))
    except Problem:
        return ""
    return f"?{query}" if query else ""


def _allow(resource: Resource) -> str:
    """What the path supports, for whoever asks (API.md section 3)."""
    supported = {*resource.operations, "OPTIONS", *(["HEAD"] if "GET" in resource.operations else [])}
    return ", ".join(method for method in METHODS if method in supported)


def _there(resource: Resource, request: Request) -> Resource | None:
    """The resource as this client finds it; None where it is not there for it."""
    if resource.local:
        client = request.scope.get("client")
        safe = request.method == "GET"
        if not is_from_own_machine(client and client[0], request.lines, safe=safe):
            return None
    return resource.in_form(request.form)


def _of_the_caller(request: Request) -> Fields:
    """What an answer says of the trace and of the caller's limit, whatever it is about."""
    traced = [("Traceresponse", trace_response(request.trace, request.id))] if request.trace else []
    limited = request.standing.fields if request.standing else []
    return [*traced, *limited]
