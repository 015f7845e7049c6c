"""A service with sample data in a process of its own, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.commands import Server, served
from tests.commands import run as run_command
from tests.explorer.browser import browser
from tests.explorer.other_api import Library, library

# Whatever else the machine does meanwhile.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module", name="chromium")
def shared_browser() -> Iterator[Browser]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module", name="server")
def shared_server(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Server]:
    """Asks for the browser first: without one nothing has to be started."""
    assert chromium.is_connected()
    folder = tmp_path_factory.mktemp("explored")
    with served(folder, "--sample") as server:
        yield server


@contextmanager
def watched(chromium: Browser, base: str, **look: Any) -> Iterator[Page]:
    """Whatever goes wrong in a script fails the test."""
    context = chromium.new_context(base_url=base, **{"viewport": {"width": 1280, "height": 900}, **look})
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda it: errors.append(it.text) if "Content Security Policy" in it.text else None)
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    with watched(chromium, server.base) as page:
        yield page


@pytest.fixture
def other() -> Iterator[Library]:
    """Another API, within this process: there in no time, and as odd as a test wants it."""
    with library() as found:
        yield found


@pytest.fixture
def guest(chromium: Browser, other: Library) -> Iterator[Page]:
    """At the other API."""
    with watched(chromium, other.base) as page:
        yield page


@pytest.fixture(scope="module")
def owner(server: Server) -> Iterator[httpx.Client]:
    """The same person at another machine, where things are changed meanwhile."""
    folder = server.log.parent
    token = run_command(folder, "token", "--sub", "owner", "--email", "owner@acme.example").stdout.strip()
    with httpx.Client(
        base_url=server.base, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as client:
        yield client
