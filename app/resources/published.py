"""What is published: the entry point and the contract, made once in every form that they are served in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from app.addresses import PROTECTED_RESOURCE, ROOT
from app.contract.contract import Contract
from app.contract.documentation import documentation, problem_type, problem_types, vocabulary
from app.contract.shapes import shapes
from app.exchange import Exchange, Representation, not_found
from app.relations import of_document
from app.representation.documents import (
    Document,
    context_document,
    data_document,
    graph_document,
    json_document,
    passing_document,
)
from app.representation.writing import Writers
from app.resources import entrypoint
from app.security.rights import SCOPES
from app.storage.failures import unavailable

# Whoever asks whether the service is ready does not wait long for the answer.
READY_SECONDS = 2


def documents(
    contract: Contract, writers: Writers, authorization_servers: Sequence[str] = ()
) -> Mapping[str, Document]:
    """By their paths."""
    graphs = {
        "/api/docs": documentation(contract),
        "/vocab": vocabulary(contract),
        "/shapes": shapes(contract),
        "/problems": problem_types(contract),
    }
    graphs |= {f"/problems/{name}": problem_type(contract, name) for name in contract.problems}
    return {
        ROOT: data_document(contract, writers.data, entrypoint.node(contract)),
        PROTECTED_RESOURCE: json_document(protected_resource(contract.base, authorization_servers)),
        "/livez": passing_document({"status": "pass"}),
        "/readyz": passing_document({"status": "pass"}),
        **{path: graph_document(writers.documentation, node) for path, node in graphs.items()},
        **{
            f"/contexts/v1/{c.name}": context_document(c.document) for c in contract.sources.contexts.values()
        },
    }


def protected_resource(base: str, authorization_servers: Sequence[str]) -> Mapping[str, object]:
    """RFC 9728 section 2; what there is none of is left out (section 3.2)."""
    servers = {"authorization_servers": authorization_servers} if authorization_servers else {}
    return {"resource": base, **servers, "scopes_supported": SCOPES, "bearer_methods_supported": ["header"]}


async def read(exchange: Exchange) -> Representation:
    document = exchange.documents.get(exchange.path)
    if document is None:
        raise not_found()
    links = of_document(exchange.contract.base, exchange.path, document.types) if document.types else ()
    return Representation(document=document, address=exchange.contract.base + exchange.path, links=links)


async def ready(exchange: Exchange) -> Representation:
    """Raises `unavailable` where the database cannot be reached, or not soon."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            await exchange.session.rows("SELECT 1 AS found")
    except TimeoutError as error:
        raise unavailable() from error
    return await read(exchange)
