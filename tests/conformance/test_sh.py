"""Section 22 of the conformance list: what keeps browsers from taking an answer for something else."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.conformance.sockets import exchanged, listening
from tests.markup import read
from tests.policies import NOTHING_RUNS, policies
from tests.service import BASE, PROBLEM, Service, World, made
from tests.test_sweep import BROWSER

pytestmark = pytest.mark.anyio

FOR_PEOPLE = ("/api", "/api/instances", "/vocab", "/problems", "/problems/gone", "/nothing")
PUBLIC = "public, max-age=300"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


async def test_sh_01_every_answer_says_how_it_may_be_taken_and_embedded(
    answers: list[httpx.Response],
) -> None:
    for answer in answers:
        assert answer.headers.get_list("X-Content-Type-Options") == ["nosniff"]
        assert answer.headers.get_list("Referrer-Policy") == ["no-referrer"]
        # What anybody may read anyway may be embedded anywhere; data, on pages of the same site.
        by = "cross-origin" if answer.headers.get("Cache-Control") == PUBLIC else "same-site"
        assert answer.headers.get_list("Cross-Origin-Resource-Policy") == [by]
        assert "Strict-Transport-Security" not in answer.headers  # means nothing on plain HTTP
    contexts = [it for it in answers if it.request.url.path.startswith("/contexts/") and it.is_success]
    read = [answer for answer in contexts if answer.request.method != "OPTIONS"]
    assert {answer.headers["Cross-Origin-Resource-Policy"] for answer in read} == {"cross-origin"}


async def test_sh_01_with_https_browsers_are_told_to_stay_with_it(tmp_path: Path) -> None:
    base = "https://registry.example"
    app = create_app(Settings(public_url=base, data_dir=tmp_path))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
        for path, status in (("/api", 200), ("/livez", 200), ("/nothing", 404), ("/api/instances", 401)):
            answer = await client.get(path)
            assert answer.status_code == status
            [said] = answer.headers.get_list("Strict-Transport-Security")
            name, _, seconds = said.partition("=")
            assert name == "max-age"
            assert int(seconds) >= 31_536_000


async def test_sh_02_nothing_in_an_answer_may_run_or_be_framed(answers: list[httpx.Response]) -> None:
    for answer in answers:
        [policy] = answer.headers.get_list("Content-Security-Policy")
        assert policy in policies(answer)


@pytest.mark.parametrize("path", FOR_PEOPLE)
async def test_sh_03_a_page_loads_nothing_but_the_services_own_and_runs_nothing_that_stands_in_it(
    service: Service, path: str
) -> None:
    """That data is shown as text, and leads nowhere but to pages, tests/explorer sees in a browser."""
    answer = await service.as_(None).get(path, headers={"Accept": BROWSER})
    [policy] = answer.headers.get_list("Content-Security-Policy")
    assert "default-src 'none'" in policy.split("; ")
    assert "unsafe" not in policy
    page = read(answer.content)
    loaded = [
        *[it.attributes["src"] for it in page.elements if "src" in it.attributes],
        *[it.attributes["href"] for it in page.all("link") if it.attributes["rel"] != "alternate"],
    ]
    for address in loaded:
        assert str(address).startswith((f"{BASE}/", "/"))
        assert not str(address).startswith("//")
    assert all("src" in it.attributes for it in page.all("script"))
    assert not [name for it in page.elements for name in it.attributes if name.startswith("on")]
    for link in page.all("a"):
        leads = urljoin(BASE, str(link.attributes["href"]))
        assert leads.startswith(("http://", "https://", "mailto:"))
        assert leads.startswith(BASE) or link.attributes["rel"] == "noopener noreferrer"


async def test_sh_04_no_answer_sets_a_cookie(answers: list[httpx.Response]) -> None:
    assert len(answers) > 100
    for answer in answers:
        assert "Set-Cookie" not in answer.headers


async def test_sh_05_what_is_repeated_of_a_request_is_never_markup(service: Service) -> None:
    owner = service.as_("owner")
    path = await made(owner, "/api/organizations", name=SCRIPT)
    repeating = [
        await owner.get(path),
        await owner.get("/api/organizations", params={"name": SCRIPT}),
        await owner.get("/api/organizations", params={"page": SCRIPT}),
        await owner.post("/api/organizations", json={"name": "x", SCRIPT: SCRIPT}),
        await owner.get("/api", headers={"Accept": SCRIPT}),
    ]
    assert SCRIPT in repeating[0].text
    for answer in repeating:
        assert answer.headers["Content-Type"] in ("application/ld+json", PROBLEM)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == NOTHING_RUNS


async def test_sh_05_a_target_of_markup_is_answered_as_any_other(service: Service) -> None:
    """As it is, without the percent-encoding that a client would give it."""
    async with listening(service) as port:
        for target in (f"/{SCRIPT}", f"/api?name={SCRIPT}", f"/api/instances/{SCRIPT}"):
            answer = await exchanged(port, f"GET {target} HTTP/1.1", f"Host: {BASE[7:]}")
            lines = answer.decode().partition("\r\n\r\n")[0].lower().split("\r\n")
            assert "<script" not in "".join(lines)
            assert "x-content-type-options: nosniff" in lines
            [type_] = [line for line in lines if line.startswith("content-type: ")]
            assert type_.removeprefix("content-type: ") in ("application/ld+json", PROBLEM)


@pytest.mark.parametrize("path", FOR_PEOPLE)
async def test_sh_06_a_page_says_what_it_is_and_leads_to_its_content(service: Service, path: str) -> None:
    """As far as it can be read off the page; tests/explorer asks axe in a browser, of every kind of page."""
    page = read((await service.as_(None).get(path, headers={"Accept": BROWSER})).content)
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("title")[0].text.strip()
    assert [len(page.all(name)) for name in ("h1", "main", "header")] == [1, 1, 1]
    [first, *_] = [it for it in page.all("a") if "body" in it.parents]
    assert str(first.attributes["href"])[1:] in page.anchors
    assert not [it for it in page.all("meta") if "user-scalable" in str(it.attributes.get("content"))]
