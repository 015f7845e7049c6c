"""Section 22 of the conformance list: what keeps browsers from taking an answer for something else."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.settings import Settings
from tests.conformance.sockets import exchanged, listening
from tests.policies import NOTHING_RUNS, policies
from tests.service import BASE, PROBLEM, Service, World, made

pytestmark = pytest.mark.anyio

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
