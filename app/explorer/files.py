"""The files of the explorer, and the one page that loads them: the same for whoever asks, whatever is there.

The files have addresses with the hash of all of them, so that none ever changes under its address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from importlib.resources import files
from string import Template
from urllib.parse import urlsplit

from app.explorer.joining import joined
from app.representation.documents import Document

ASSETS = "/explorer"
SCRIPT = "scripts/explorer.js"
# Nothing from elsewhere, nothing inside the page, nobody to send a form to, and no text that becomes markup.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
# It names files that another release does not have: asked for anew each time, and mostly answered with 304.
KEPT = "public, no-cache"


@lru_cache(maxsize=1)
def assets() -> Mapping[str, bytes]:
    """What the page loads, by the names below the folder of their version."""
    styles = {f"styles/{name}": content for name, content in _files("styles").items()}
    images = {f"images/{name}": content for name, content in _files("images").items()}
    return {SCRIPT: joined(modules()).encode("utf-8"), **styles, **images}


def modules() -> Mapping[str, str]:
    """The sources of the script, by the names that they import each other by."""
    return {name.removesuffix(".js"): content.decode("utf-8") for name, content in _files("scripts").items()}


def _files(folder: str) -> dict[str, bytes]:
    """In an order that is the same on every machine."""
    found = (files("app.explorer") / folder).iterdir()
    return {file.name: file.read_bytes() for file in sorted(found, key=lambda it: it.name)}


@lru_cache(maxsize=1)
def version() -> str:
    digest = hashlib.sha256()
    for name, content in assets().items():
        digest.update(b"%s %d " % (name.encode(), len(content)) + content)
    return digest.hexdigest()[:16]


def asset_documents() -> Mapping[str, Document]:
    """By their paths."""
    return {f"{ASSETS}/{version()}/{name}": _file(content) for name, content in assets().items()}


def _file(content: bytes) -> Document:
    return Document(lambda _form: content, frozen=True)


def page(base: str, sign_in: str | None = None) -> Document:
    """`base` is the service's public address: files are looked for below its path, on whichever host the page
    is, for a loopback has several names. `sign_in` is the path of the people who may come in without a token.
    """
    below = urlsplit(base).path
    folder = escape(f"{below}{ASSETS}/{version()}")
    template = Template((files("app.explorer") / "page.html").read_text("utf-8"))
    content = template.substitute(
        assets=folder,
        script=SCRIPT,
        base=escape(base),
        sign_in=f' data-sign-in="{escape(below + sign_in)}"' if sign_in else "",
    ).encode("utf-8")
    return Document(lambda _form: content, policy=PAGE_POLICY, kept=KEPT)
