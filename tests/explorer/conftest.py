"""A service with sample data in a process of its own, and a browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.commands import Server, served
from tests.commands import run as run_command
from tests.explorer.browser import browser


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


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """Whatever goes wrong in a script fails the test."""
    context = chromium.new_context(base_url=server.base, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda it: errors.append(it.text) if "Content Security Policy" in it.text else None)
    yield page
    context.close()
    assert errors == []


@pytest.fixture(scope="module")
def owner(server: Server) -> Iterator[httpx.Client]:
    """The same person at another machine, where things are changed meanwhile."""
    folder = server.log.parent
    token = run_command(folder, "token", "--sub", "owner", "--email", "owner@acme.example").stdout.strip()
    with httpx.Client(
        base_url=server.base, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    ) as client:
        yield client
