"""What this package publishes: the document, made when it is first asked for, and the page that shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from app.addresses import OPENAPI
from app.contract.contract import Contract
from app.exchange import Resource
from app.openapi.document import openapi
from app.openapi.reference_page import reference_documents
from app.representation.documents import Document
from app.representation.nodes import dump


def openapi_documents(
    contract: Contract, routes: Sequence[Resource], others: Collection[str]
) -> Mapping[str, Document]:
    """By their paths; `others` are the paths of what else is published."""
    pages = reference_documents(contract)
    published = [*others, *pages, OPENAPI]
    return {OPENAPI: Document(lambda _form: dump(openapi(contract, routes, published))), **pages}
