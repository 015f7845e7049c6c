"""The reference: a page on which people read the OpenAPI document and try what it says."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from urllib.parse import urlsplit

from app.addresses import REFERENCE, REFERENCE_FILES
from app.contract.contract import Contract
from app.representation.documents import Document

_FOLDER = files("app.openapi") / "reference"


def reference_documents(contract: Contract) -> Mapping[str, Document]:
    """By their paths; each is read when it is first asked for."""
    page = _file("index.html", policy=policy(contract.base))
    return {REFERENCE: page, **{f"{REFERENCE}/{name}": _file(name) for name in REFERENCE_FILES}}


def policy(base: str) -> str:
    """Scripts, style sheets and requests of this service alone, nothing in the page itself; `data:` is for
    the icons in the style sheet of Swagger UI. The page may be opened at another name of the same machine."""
    scheme, host, *_ = urlsplit(base)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self' {scheme}://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _file(name: str, policy: str | None = None) -> Document:
    return Document(lambda _form: (_FOLDER / name).read_bytes(), policy=policy)
