"""Documents are made when somebody first asks for them, and nobody else waits for that."""

from __future__ import annotations

import asyncio
import threading

import pytest

from app.representation.documents import Document
from app.representation.forms import JSON
from tests.service import Service

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]


async def test_a_document_is_made_once_while_others_are_answered(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked, begun = list[str](), threading.Event(), asyncio.Event()
    begin = asyncio.get_running_loop().call_soon_threadsafe

    def write(form: str) -> bytes:
        made.append(form)
        begin(begun.set)
        assert asked.wait(10)
        return b"{}"

    pipeline = service.app.default.pipeline  # type: ignore[attr-defined]  # it is an Endpoint
    # All services of one address share the others.
    monkeypatch.setattr(pipeline, "_documents", {**pipeline._documents, "/vocab": Document(write)})
    client = service.as_(None)
    waiting = asyncio.create_task(client.get("/vocab", headers={"Accept": JSON}))
    await asyncio.wait_for(begun.wait(), 10)
    assert (await client.get("/livez")).status_code == 200
    also = asyncio.create_task(client.get("/vocab", headers={"Accept": JSON}))
    gone = asyncio.create_task(client.get("/vocab", headers={"Accept": JSON}))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert not also.done()
    gone.cancel()
    asked.set()
    assert [(await it).text for it in (waiting, also)] == ["{}", "{}"]
    assert (await client.get("/vocab", headers={"Accept": JSON})).text == "{}"
    assert made == [JSON]
