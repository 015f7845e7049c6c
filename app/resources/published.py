"""What is published: the entry point and the contract, made once in every form that they are served in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from app.addresses import API_CATALOG, CONTEXTS_INDEX, DATASET, PROTECTED_RESOURCE, ROOT, SECURITY
from app.contract.catalog import contexts_index, dataset
from app.contract.contract import Contract
from app.contract.documentation import documentation, problem_type, problem_types, vocabulary
from app.contract.pins import is_released
from app.contract.shapes import shapes
from app.contract.sources import CONTEXTS_FOLDER
from app.exchange import Exchange, Representation, not_found
from app.explorer.files import asset_documents
from app.relations import of_document
from app.representation.documents import (
    Document,
    context_document,
    data_document,
    graph_document,
    json_document,
    passing_document,
    text_document,
)
from app.representation.vocabulary_page import problem_page, problems_page, vocabulary_page
from app.representation.writing import Writers
from app.resources import discovery, entrypoint
from app.storage.failures import unavailable

# Whoever asks whether the service is ready does not wait long for the answer.
READY_SECONDS = 2


def documents(
    contract: Contract,
    writers: Writers,
    offers: Mapping[str, Sequence[str]],
    authorization_servers: Sequence[str] = (),
    security: str | None = None,
) -> Mapping[str, Document]:
    """By their paths; `offers` are the forms by the paths of all resources, `security` is whom to tell of
    weaknesses (RFC 9116)."""
    passing = passing_document({"status": "pass"})
    return {
        ROOT: _entry_point(contract, writers),
        **_graphs(contract, writers, offers),
        **_contexts(contract),
        API_CATALOG: discovery.api_catalog(contract, offers),
        PROTECTED_RESOURCE: json_document(discovery.protected_resource(contract, authorization_servers)),
        **({SECURITY: text_document(security)} if security else {}),
        "/robots.txt": discovery.robots(contract.base),
        **asset_documents(),
        "/livez": passing,
        "/readyz": passing,
    }


def _entry_point(contract: Contract, writers: Writers) -> Document:
    node = entrypoint.node(contract)
    templates = ("Link-Template", entrypoint.link_templates(contract, node))
    document = data_document(contract, writers.data, node)
    links = (discovery.api_catalog_link(contract), *discovery.service_links(contract))
    return replace(document, links=links, fields=(templates,))


def _graphs(
    contract: Contract, writers: Writers, offers: Mapping[str, Sequence[str]]
) -> Mapping[str, Document]:
    writer = writers.documentation
    documented = {
        "/api/docs": graph_document(writer, documentation(contract)),
        "/vocab": graph_document(writer, vocabulary(contract), partial(vocabulary_page, contract)),
        "/shapes": graph_document(writer, shapes(contract)),
        "/problems": graph_document(writer, problem_types(contract), partial(problems_page, contract)),
    }
    for name, problem in contract.problems.items():
        page = partial(problem_page, contract, problem)
        documented[f"/problems/{name}"] = graph_document(writer, problem_type(contract, name), page)
    collections = entrypoint.COLLECTIONS
    catalogued = {
        CONTEXTS_INDEX: contexts_index(contract),
        DATASET: dataset(contract, collections, offers[next(iter(collections))]),
    }
    return {
        **documented,
        **{path: graph_document(writers.catalog, node) for path, node in catalogued.items()},
    }


def _contexts(contract: Contract) -> Mapping[str, Document]:
    frozen = is_released(contract.sources)
    return {
        f"/{CONTEXTS_FOLDER}/{context.name}": context_document(context.content, frozen=frozen)
        for context in contract.sources.contexts.values()
    }


async def read(exchange: Exchange) -> Representation:
    document = exchange.documents.get(exchange.path)
    if document is None:
        raise not_found()
    links = of_document(exchange.contract.base, exchange.path, document.types) if document.types else ()
    return Representation(document=document, address=exchange.contract.base + exchange.path, links=links)


async def ready(exchange: Exchange) -> Representation:
    """Raises `unavailable` where the database cannot be reached, or not soon, or keeps nothing."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            await exchange.database.check_there()
    except TimeoutError as error:
        raise unavailable() from error
    return await read(exchange)
