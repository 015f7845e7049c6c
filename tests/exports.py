"""Exports and restorations in process, for tests of what is in them."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import IO

import pyoxigraph as ox

from app.exporting.jobs import Job
from app.exporting.reading import Scope
from app.representation.exported import Exported
from app.representation.forms import JSON_LD, N_QUADS, TURTLE
from app.representation.streams import NDJSON
from app.restoring import Restored, restore
from app.storage.database import Database
from tests.judges import canonical
from tests.promises import CONTRACT
from tests.service import BASE

CONTEXT = CONTRACT.sources.contexts["registry.jsonld"].content
READ_AS = {N_QUADS: "n-quads", TURTLE: "turtle", NDJSON: "ndjson"}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def exported(database: Database, form: str = N_QUADS, scope: Scope | None = None) -> bytes:
    pieces: list[bytes] = []
    await Job(CONTRACT, scope or Scope(), form).to_pipe(database.reading(), pieces.append)
    return b"".join(pieces)


async def restored(database: Database, content: bytes, form: str = N_QUADS, base: str = BASE) -> Restored:
    report = Restored()

    @contextmanager
    def opening(_: str) -> Iterator[IO[bytes]]:
        yield io.BytesIO(content)

    await restore(database, CONTRACT, Exported(CONTRACT, base, READ_AS[form]), opening, report)
    return report


def moved(content: bytes, number: int = 0) -> bytes:
    """The same N-Quads about others: with other ids, handles and e-mail addresses. The organizations that
    created instances are not among them."""
    told = re.sub(rb"\b01[0-9a-f]{6}-", b"0190000%d-" % number, content).replace(b"@acme.", b"@moved.")
    told = re.sub(rb'(vocab#handle> ")', rb"\1moved-", told)
    return re.sub(rb'(created_by_organization_id> "0190000).', rb"\g<1>%d" % (number + 1), told)


def graph(content: bytes, form: str = N_QUADS) -> list[str]:
    """Its canonical quads (RDFC-1.0), of JSON-LD with the context put into it."""
    if form == NDJSON:
        return canonical([quad for line in content.splitlines() for quad in _of_json_ld(line)])
    if form == JSON_LD:
        return canonical(_of_json_ld(content))
    return canonical(
        ox.parse(content, format=ox.RdfFormat.TURTLE if form == TURTLE else ox.RdfFormat.N_QUADS)
    )


def _of_json_ld(content: bytes) -> Iterator[ox.Quad]:
    address = f'"{BASE}/contexts/v1/registry.jsonld"'.encode()
    inner = CONTEXT[CONTEXT.index(b":") + 1 : CONTEXT.rindex(b"}")]
    assert content.count(address) == 1
    yield from ox.parse(content.replace(address, inner), format=ox.RdfFormat.JSON_LD)
