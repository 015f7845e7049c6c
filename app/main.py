"""The one place where the parts meet."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache

from starlette.routing import Route, Router

from app.callers import Callers
from app.contract.check import check_contract
from app.contract.contract import Contract, load_contract
from app.pipeline import Endpoint, Pipeline
from app.representation.documents import Document
from app.resources.published import documents
from app.routes import ROUTES
from app.security.issuers import trusted_issuers
from app.settings import Settings, read_settings
from app.storage.database import Database


def create_app(settings: Settings) -> Router:
    """The service as an ASGI application.

    Raises `ContractFault` for a fault of the contract, `WrongSetting` for an issuer's key file that cannot be
    used, and at its start `Problem("unavailable")` for a database that is behind.
    """
    contract, published = _published(settings.public_url, tuple(it.issuer for it in settings.issuers))
    database = Database(settings.database_url)
    issuers = trusted_issuers(settings)
    callers = Callers(database, issuers, settings.audience)
    pipeline = Pipeline(contract, published, database, callers, settings.max_content_length)

    @asynccontextmanager
    async def lifespan(_router: Router) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await database.open()
            stack.push_async_callback(database.close)
            await database.check_migrated()
            for issuer in issuers:
                await stack.enter_async_context(issuer.tended())
            yield

    return Router(
        [Route(resource.path, Endpoint(pipeline, resource)) for resource in ROUTES],
        redirect_slashes=False,
        default=Endpoint(pipeline),
        lifespan=lifespan,
    )


@lru_cache(maxsize=4)
def _published(base: str, issuers: tuple[str, ...]) -> tuple[Contract, Mapping[str, Document]]:
    """Read and made once for all applications of a process, for nothing changes them."""
    contract = load_contract(base)
    check_contract(contract)
    return contract, documents(contract, issuers)


def application() -> Router:
    """For `uvicorn --factory`: set by `REGISTRY_*` environment variables."""
    return create_app(read_settings(os.environ))
