"""Follows every IRI of a service, from its entry point to the last: `make crawl` runs it.

    python -m tests.crawl [--url http://…/api --token …]

Without an address it starts the service with sample data, on a free port and in a folder of its own, and
reads as the owner of the sample. Each address is read in every form that it says it has, and what each form
and each field names is followed; an IRI with a fragment has to be told of by the document that it is in.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import httpx
import orjson
import pyoxigraph as ox

from tests.commands import run, served
from tests.judges import JSON_LD, SYNTAXES

NOTHING = "application/x-nothing"
ACTIVITY_OBJECT = "https://www.w3.org/ns/activitystreams#object"
_TARGET = re.compile(r"<([^>]*)>")


class _Links(HTMLParser):
    """Where a page leads, and what in it can be led to."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(value)
            elif name == "id" and value:
                self.anchors.add(value)


@dataclass
class Crawl:
    """`met` are the IRIs and where each was first met, `failures` one line for each that did not answer."""

    client: httpx.AsyncClient
    base: str
    met: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    statuses: dict[str, int] = field(default_factory=dict)
    may_be_gone: set[str] = field(default_factory=set)
    forms: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    async def follow(self, start: str) -> None:
        self._meet(start, "the start")
        while waiting := [iri for iri in self.met if urldefrag(iri).url not in self.statuses]:
            for iri in waiting:
                address = urldefrag(iri).url
                if address not in self.statuses:
                    await self._read(address)

    @property
    def failures(self) -> list[str]:
        found = []
        for iri, where in self.met.items():
            address, fragment = urldefrag(iri)
            status = self.statuses[address]
            if status == 303 or (status in (404, 410) and iri in self.may_be_gone):
                continue
            if status != 200:
                found.append(f"{iri} answered {status}; met at {where}")
            elif fragment and iri not in self.told:
                found.append(f"{iri} is not told of by its document; met at {where}")
        return found + self.unreadable

    def _meet(self, iri: str, where: str) -> None:
        if iri.startswith(f"{self.base}/"):
            self.met.setdefault(iri, where)

    async def _read(self, address: str) -> None:
        """In every form that it has: a refusal lists them."""
        usual = await self.client.get(address)
        self.statuses[address] = usual.status_code
        self._look(address, usual)
        if usual.status_code != 200:
            return
        refused = await self.client.get(address, headers={"Accept": NOTHING})
        self._look(address, refused)
        if refused.status_code != 406:  # the address is that of one form
            return
        for available in refused.json()["available"]:
            profile = " ".join(available.get("profile", ()))
            accept = available["mediaType"] + (f';profile="{profile}"' if profile else "")
            answer = await self.client.get(address, headers={"Accept": accept})
            if (answer.status_code, answer.headers["Content-Type"]) != (200, accept):
                self.unreadable.append(f"{address} as {accept} answered {answer.status_code}")
            self.forms[accept] += 1
            self._look(address, answer)

    def _look(self, address: str, answer: httpx.Response) -> None:
        where = f"{address} as {answer.headers.get('Content-Type', 'nothing')}"
        for line in answer.headers.get_list("Link"):
            for target in _TARGET.findall(line):
                self._meet(target, f"Link of {where}")
        for name in ("Location", "Content-Location"):
            if name in answer.headers:
                self._meet(urljoin(address, answer.headers[name]), f"{name} of {where}")
        # A problem's own occurrence is nothing to follow: its type is.
        try:
            for iri in self._named(address, answer):
                if answer.status_code < 400 or "#" not in iri:
                    self._meet(iri, where)
        except (ValueError, SyntaxError) as error:
            self.unreadable.append(f"{where} cannot be read: {error}")

    def _named(self, address: str, answer: httpx.Response) -> Iterator[str]:
        media_type = answer.headers.get("Content-Type", "")
        if not answer.content:
            return
        if media_type in SYNTAXES:
            for quad in ox.parse(answer.content, format=SYNTAXES[media_type][1]):
                yield from self._in_quad(quad)
        elif media_type == "text/html":
            page = _Links()
            page.feed(answer.text)
            self.told |= {f"{address}#{anchor}" for anchor in page.anchors}
            yield from (urljoin(address, target) for target in page.targets)
        elif "json" in media_type:
            yield from _strings(orjson.loads(answer.content), media_type.startswith(JSON_LD))

    def _in_quad(self, quad: ox.Quad) -> Iterator[str]:
        if isinstance(quad.subject, ox.NamedNode):
            self.told.add(quad.subject.value)
        if quad.predicate.value == ACTIVITY_OBJECT and isinstance(quad.object, ox.NamedNode):
            self.may_be_gone.add(quad.object.value)
        for term in (quad.subject, quad.predicate, quad.object):
            if isinstance(term, ox.NamedNode):
                yield term.value


def _strings(value: Any, linked: bool) -> Iterator[str]:
    """What could be an IRI: a template and a context's prefix are none."""
    if isinstance(value, str):
        if "{" not in value and " " not in value and value[-1:] != "#":
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, linked)
    elif isinstance(value, dict):
        for key, item in value.items():
            if linked and ":" in key:
                yield key
            if not (key == "@context" and isinstance(item, dict)):
                yield from _strings(item, linked)


async def crawl(client: httpx.AsyncClient, start: str) -> Crawl:
    """From `start`, the entry point of a service."""
    found = Crawl(client, start.removesuffix("/api"))
    await found.follow(start)
    return found


def report(found: Crawl) -> Iterator[str]:
    yield from found.failures
    yield (
        f"{len(found.failures)} of {len(found.met)} failed: IRIs under {found.base}, met at "
        f"{len(found.statuses)} addresses in {sum(found.forms.values())} representations of "
        f"{len(found.forms)} forms"
    )


async def _crawled(start: str, token: str) -> Crawl:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as client:
        return await crawl(client, start)


def _sample() -> Crawl:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(folder, "--sample") as server:
            token = run(folder, "token", "--sub", "owner", "--email", "owner@acme.example")
            return asyncio.run(_crawled(f"{server.base}/api", token.stdout.strip()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="make crawl", description="Follow every IRI of a service.")
    parser.add_argument("--url", help="the entry point of a service that runs")
    parser.add_argument("--token", help="an owner's token for it", default="")
    chosen = parser.parse_args()
    found = asyncio.run(_crawled(chosen.url, chosen.token)) if chosen.url else _sample()
    for line in report(found):
        sys.stdout.write(f"{line}\n")
    # Nothing can be wrong with what was not met: that is no entry point.
    sys.exit(1 if found.failures or not found.met else 0)


if __name__ == "__main__":
    main()
