"""The one place where the parts meet."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.addresses import SECURITY
from app.callers import Callers
from app.contract.check import check_contract
from app.contract.contract import Contract, load_contract
from app.contract.publication import Publication
from app.heap import keep_what_is_freed
from app.logs import configure_logs
from app.observation import Observation
from app.openapi.published import openapi_documents
from app.pipeline import Endpoint, Pipeline
from app.protocol.front_door import Hosts
from app.representation.documents import Document
from app.representation.forms import split_suffix
from app.representation.writing import Writers
from app.request import SUFFIX
from app.resources.discovery import security_txt
from app.resources.published import documents
from app.routes import FILES, ROUTES, local_routes
from app.security.issuers import trusted_issuers
from app.settings import Settings, read_settings
from app.storage.database import Database

if TYPE_CHECKING:
    from app.metrics import Metrics
    from app.rate_limits import RateLimits


def create_app(settings: Settings) -> Router:
    """The service as an ASGI application.

    Raises `ContractFault` for a fault of the contract, `WrongSetting` for an issuer's key file that cannot be
    used, and at its start `Problem("unavailable")` for a database that is behind.
    """
    contract, writers, published = prepare(settings)
    database = Database(settings.database_url, settings.replica_url)
    issuers = trusted_issuers(settings)
    callers = Callers(contract, database, issuers, settings.audience)
    hosts = Hosts(urlsplit(settings.public_url).hostname or "", settings.allowed_hosts)
    metrics = _metrics(settings)
    observation = Observation(database, metrics)
    limits = _rate_limits(settings)
    pipeline = Pipeline(contract, writers, published, database, callers, observation, hosts, limits, settings)

    # Without a contact nothing is there, whatever is asked for.
    routes = [it for it in ROUTES if it.path != SECURITY or settings.security_contact]
    routes += [*FILES, *(local_routes(settings) if settings.is_local else ())]

    @asynccontextmanager
    async def lifespan(_router: Router) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await database.open()
            stack.push_async_callback(database.close)
            await database.check_migrated()
            await database.read_cursor_key()
            if metrics is not None:
                stack.callback(metrics.leave)
            if limits is not None:
                stack.push_async_callback(limits.close)
            for issuer in issuers:
                await stack.enter_async_context(issuer.tended())
            yield

    return Addresses(
        published,
        [Route(resource.path, Endpoint(pipeline, resource)) for resource in routes],
        redirect_slashes=False,
        default=Endpoint(pipeline),
        lifespan=lifespan,
    )


class Addresses(Router):
    """Routes by the segments of a path, one after the other, instead of trying one route after the other;
    and an address that ends with the suffix of a form to what it is a form of."""

    def __init__(self, published: Collection[str], routes: Sequence[Route], **options: Any) -> None:
        """`published` are paths that end as they do for reasons of their own."""
        super().__init__(routes, **options)
        self._published = published
        self._tree = _Place()
        for route in routes:
            self._tree.add(route.path.split("/"), route.endpoint)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        path = scope["path"]
        if "." in path and path not in self._published:
            path, suffix = split_suffix(path)
            if suffix:
                scope["path"], scope[SUFFIX] = path, suffix
        endpoint, scope["path_params"] = self._tree.find(path.split("/"))
        await (endpoint or self.default)(scope, receive, send)


@dataclass(slots=True)
class _Place:
    """What is at a path, and below it: by the next segment, or by any, which is the value of a variable."""

    below: dict[str, _Place] = field(default_factory=dict)
    any: _Place | None = None
    endpoint: ASGIApp | None = None
    variables: Sequence[str] = ()

    def add(self, segments: Sequence[str], endpoint: ASGIApp) -> None:
        place = self
        for segment in segments:
            if segment.startswith("{"):
                below = place.any = place.any or _Place()
                place = below
            else:
                place = place.below.setdefault(segment, _Place())
        place.endpoint = endpoint
        place.variables = [segment.strip("{}") for segment in segments if segment.startswith("{")]

    def find(self, segments: Sequence[str]) -> tuple[ASGIApp | None, dict[str, str]]:
        """What is at the path, and the values of the variables by their names there."""
        place, values = self, []
        for segment in segments:
            found = place.below.get(segment)
            if found is None:
                found = place.any
                if found is None or not segment:
                    return None, {}
                values.append(segment)
            place = found
        return place.endpoint, dict(zip(place.variables, values, strict=False))


def prepare(settings: Settings) -> tuple[Contract, Writers, Mapping[str, Document]]:
    """What an application is made of beside what it has open. Raises `ContractFault`."""
    issued = tuple(it.issuer for it in settings.issuers)
    publication = Publication(
        settings.vocabulary_license, settings.vocabulary_creator, settings.vocabulary_publisher
    )
    return _published(settings.public_url, issued, security_txt(settings), publication)


@lru_cache(maxsize=4)
def _published(
    base: str, issuers: tuple[str, ...], security: str | None, publication: Publication
) -> tuple[Contract, Writers, Mapping[str, Document]]:
    """Read and made once for all applications of a process, for nothing changes them."""
    contract = load_contract(base, publication=publication)
    check_contract(contract)
    writers = Writers(contract)
    offers = {resource.path: resource.offers for resource in ROUTES}
    found = documents(contract, writers, offers, issuers, security)
    return contract, writers, {**found, **openapi_documents(contract, ROUTES, found)}


def _metrics(settings: Settings) -> Metrics | None:
    if settings.metrics_port is None:
        return None
    from app.metrics import Metrics  # its library is imported only where something is counted

    return Metrics()


def _rate_limits(settings: Settings) -> RateLimits | None:
    if settings.rate_limit is None:
        return None
    from app.rate_limits import RateLimits  # as above, where something is limited

    return RateLimits(settings.rate_limit, settings.rate_limit_storage)


def application() -> Router:
    """For `uvicorn --factory`: set by `REGISTRY_*` environment variables."""
    configure_logs()
    keep_what_is_freed()
    app = create_app(read_settings(os.environ))
    # What is there now stays, and is not looked through for garbage while requests are answered.
    gc.freeze()
    gc.enable()
    return app
