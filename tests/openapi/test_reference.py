"""The reference: a page with nothing of others in it, whose files are as they were published."""

from __future__ import annotations

import hashlib
import re
import tomllib
from html.parser import HTMLParser
from importlib.resources import files

import httpx
import pytest

from app.addresses import REFERENCE, REFERENCE_FILES
from app.contract.sources import ROOT
from tests.service import BASE, Service, World

pytestmark = pytest.mark.anyio

FOLDER = files("app.openapi") / "reference"


@pytest.fixture(scope="module")
async def answer(on_sqlite: tuple[Service, World]) -> httpx.Response:
    return await on_sqlite[0].as_(None).get(REFERENCE, headers={"Accept": "text/html"})


class Page(HTMLParser):
    def __init__(self, content: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.inline = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes |= found.keys()
        if tag in ("script", "img", "link"):
            self.loaded.append(str(found.get("src") or found.get("href")))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in ("script", "style"):
            self.inline += data.strip()


async def test_the_page_is_not_asked_to_trust_anybody(answer: httpx.Response) -> None:
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = dict(it.strip().split(" ", 1) for it in answer.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": f"'self' {BASE}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


async def test_nothing_runs_or_is_styled_in_the_page_itself(answer: httpx.Response) -> None:
    page = Page(answer.text)
    assert page.inline == ""
    assert not page.attributes & {"style", "onload", "onclick"}
    assert page.tags.count("h1") == page.tags.count("title") == 1
    assert "main" not in page.tags  # Swagger UI brings one


async def test_it_loads_from_this_service_and_from_nowhere_else(
    on_sqlite: tuple[Service, World], answer: httpx.Response
) -> None:
    client = on_sqlite[0].as_(None)
    loaded = Page(answer.text).loaded
    assert {it.rpartition("/")[2] for it in loaded} == {*REFERENCE_FILES, "openapi.json"}
    for address in loaded:
        found = await client.get(str(httpx.URL(BASE + REFERENCE).join(address)))
        assert found.status_code == 200
        name = address.rpartition("/")[2]
        if name in REFERENCE_FILES:
            assert found.headers["Content-Type"] == REFERENCE_FILES[name]
            assert found.content == (FOLDER / name).read_bytes()


def test_the_files_of_others_are_those_that_they_published() -> None:
    """With their version and licence beside them; this project's own ask for nothing elsewhere."""
    lines = (FOLDER / "SHA256SUMS").read_text().splitlines()
    digests = {name: digest for digest, name in map(str.split, lines)}
    assert {
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "swagger-ui.LICENSE",
        "swagger-ui.NOTICE",
    } <= digests.keys()
    for name, digest in digests.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest
    told = (FOLDER / "README.md").read_text()
    assert re.search(r"swagger-ui-dist.*5\.\d+\.\d+.*Apache-2\.0", told)
    for name in ("index.html", "page.css", "start.js"):
        assert not re.search("https?://", (FOLDER / name).read_text())
    assert '"https://' not in (FOLDER / "swagger-ui.css").read_text()


def test_it_is_packed_into_the_wheel() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert packed["app.openapi"] == ["reference/*"]
