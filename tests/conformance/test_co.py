"""Section 21 of the conformance list: scripts of any origin may use the service (Fetch, CORS)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conformance.problems import ASKED
from tests.service import BASE, Service, World
from tests.statements import overhear
from tests.test_sweep import check_common, check_problem

pytestmark = pytest.mark.anyio

ORIGIN = "https://explorer.example"
ASKS_FOR = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
ALLOW_ORIGIN, EXPOSE = "Access-Control-Allow-Origin", "Access-Control-Expose-Headers"
# What a script needs to go on; without being named only seven other fields can be read.
NEEDED = (
    *("ETag", "Location", "Link", "Allow", "Accept-Patch", "Accept-Post", "Retry-After", "RateLimit"),
    *("RateLimit-Policy", "WWW-Authenticate", "Preference-Applied"),
)


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


def members(answer: httpx.Response, name: str) -> set[str]:
    return {member.strip().lower() for member in answer.headers[name].split(",")}


def allowed(answer: httpx.Response) -> list[tuple[str, str]]:
    return [item for item in answer.headers.multi_items() if item[0].startswith("access-control-")]


@pytest.mark.parametrize("path", ["/api/instances", "{shop}", "/api/nothing", "/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
async def test_co_01_a_browser_may_send_every_method_and_field_from_anywhere(
    service: Service, world: World, path: str, method: str
) -> None:
    asked = ASKS_FOR | {"Access-Control-Request-Method": method}
    answer = await service.as_(None).options(path.format(**vars(world)), headers=asked)
    assert answer.status_code == 204
    check_common(answer)
    assert method.lower() in members(answer, "Access-Control-Allow-Methods")
    # `*` would never cover Authorization.
    names = members(answer, "Access-Control-Allow-Headers")
    assert {"authorization", "content-type", "accept", "if-match", "if-none-match"} <= names
    assert {"idempotency-key", "prefer", "traceparent"} <= names
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


async def test_co_02_a_script_may_read_every_field_that_it_needs(answers: list[httpx.Response]) -> None:
    assert {200, 201, 204, 303, 304, 401, 404, 412, 429, 503} <= {answer.status_code for answer in answers}
    for answer in answers:
        assert members(answer, EXPOSE) >= {name.lower() for name in NEEDED}


async def test_co_03_no_origin_is_ever_repeated(service: Service, world: World) -> None:
    """Every origin is told the same, so that there is none to take for another one."""
    paths = ("/api/docs", world.acme, "/api/nothing")
    for origin in ("null", f"{BASE}.evil.example", f"https://evil{BASE[7:]}", ORIGIN, BASE):
        for path in paths:
            for fields in ({"Origin": origin}, ASKS_FOR | {"Origin": origin}):
                asked = await service.as_("owner").get(path, headers=fields)
                preflight = await service.as_(None).options(path, headers=fields)
                for answer in (asked, preflight):
                    assert answer.headers.get_list(ALLOW_ORIGIN) == ["*"]
                    assert origin not in str(allowed(answer))


async def test_co_04_no_answer_allows_credentials(answers: list[httpx.Response]) -> None:
    for answer in answers:
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("asked", [pytest.param(asked, id=f"CO-05 {asked}") for asked in ASKED])
async def test_a_script_may_read_an_error_as_it_may_a_success(
    service: Service, world: World, asked: Any
) -> None:
    """Wherever it was raised: beyond the routes, in an operation, by a fault."""
    success = await service.as_("owner").get("/api", headers={"Origin": ORIGIN})
    answer = await asked.of(service, world, Origin=ORIGIN)
    assert answer.status_code == asked.status
    assert answer.headers.get_list(ALLOW_ORIGIN) == ["*"]
    assert allowed(answer) == allowed(success)


async def test_co_06_what_is_allowed_does_not_depend_on_the_origin(service: Service, world: World) -> None:
    """So there is nothing that Vary would have to say of it."""
    for path in (world.acme, "/api", "/api/nothing"):
        asked = [
            await service.as_("owner").get(path, headers=fields)
            for fields in ({}, {"Origin": ORIGIN}, {"Origin": "https://other.example"})
        ]
        fields = [
            [
                item
                for item in answer.headers.multi_items()
                if item[0] not in ("x-request-id", "content-length")
            ]
            for answer in asked
        ]
        assert fields[0] == fields[1] == fields[2]
        assert "origin" not in members(asked[0], "Vary")


async def test_co_07_a_preflight_needs_no_token_and_no_database(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = overhear(monkeypatch)
    assert (await service.as_("owner").get(world.shop)).status_code == 200
    assert statements
    statements.clear()
    for path in (world.shop, world.globex_shop, world.absent, "/api/me", "/api/handles/acme-shop"):
        for fields in ({}, {"Authorization": "Bearer rubbish"}):
            answer = await service.as_(None).options(path, headers=ASKS_FOR | fields)
            assert answer.status_code == 204
    assert statements == []


async def test_co_08_an_options_without_a_method_to_ask_for_is_no_preflight(
    service: Service, world: World
) -> None:
    answer = await service.as_(None).options(world.acme, headers={"Origin": ORIGIN})
    assert answer.status_code == 204
    assert members(answer, "Allow") == {"get", "head", "put", "patch", "delete", "options"}
    assert answer.headers[ALLOW_ORIGIN] == "*"
    assert "Access-Control-Allow-Methods" not in answer.headers
    preflight = await service.as_(None).options(world.acme, headers=ASKS_FOR)
    assert "Allow" not in preflight.headers
    nowhere = await service.as_(None).options("/api/nothing", headers={"Origin": ORIGIN})
    check_problem(nowhere, "not-found")
