"""Every IRI that the service names can be followed, in every form and from every field."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from app.sample import add_sample
from app.storage.database import Database
from tests.crawl import crawl, report
from tests.service import BASE, running

pytestmark = pytest.mark.anyio
LONG = True

START = f"{BASE}/api"


async def test_every_iri_of_the_sample_data_answers_in_every_form(tmp_path: Path) -> None:
    """LK-12, LD-02, CX-12: as `make crawl` does it, with an owner's token."""
    url = f"sqlite://{tmp_path / 'registry.sqlite3'}"
    database = Database(url)
    await database.migrate()
    await database.open()
    await add_sample(database)
    await database.close()
    async with running(url, tmp_path) as service:
        found = await crawl(service.as_("owner"), START)
    assert found.failures == []
    assert len(found.met) > 1_000
    assert len(found.forms) > 14
    [line] = report(found)
    assert line.startswith(f"0 of {len(found.met)} failed")


def site(pages: Mapping[str, tuple[int, str, str]]) -> httpx.AsyncClient:
    """Pages by address: status, media type and content."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.headers["Accept"].startswith("application/x-"):
            return httpx.Response(406, json={"available": [{"mediaType": "text/turtle"}]})
        status, media_type, content = pages.get(str(request.url), (404, "text/plain", "nothing"))
        return httpx.Response(status, headers={"Content-Type": media_type}, content=content)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (f"<{START}> <urn:p> <{BASE}/gone> .", f"{BASE}/gone answered 404"),
        (f"<{START}> <{BASE}/p> 1 .", f"{BASE}/p answered 404"),
        (f"<{START}> <urn:p> <{START}#it> .", f"{START}#it is not told of by its document"),
        (f"<{START}> <urn:p> ", f"{START} as text/turtle cannot be read"),
        (f"<{START}> <https://www.w3.org/ns/activitystreams#object> <{BASE}/x> .", None),
        (f"<{START}> <urn:p> <{START}#it> . <{START}#it> <urn:p> <https://elsewhere.example/> .", None),
    ],
)
async def test_a_crawl_tells_what_does_not_answer(content: str, failure: str | None) -> None:
    async with site({START: (200, "text/turtle", content)}) as client:
        found = await crawl(client, START)
    assert all(str(failure) in line for line in found.failures)
    assert bool(found.failures) == bool(failure)
