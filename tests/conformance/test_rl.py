"""Section 18 of the conformance list: how much a caller may ask, and what is said when it is too much."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import http_sf
import httpx
import pytest

from app.storage.database import Database
from tests.service import BASE, PATCH, Service, made, running
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

QUOTA, WINDOW = 40, 3_600
FIELDS = {"RateLimit", "RateLimit-Policy"}
MERGE = {"Content-Type": PATCH}
BAD_TOKEN = {"Authorization": "Bearer e30.e30.AA"}


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with running(sqlite_url, tmp_path, rate_limit=f"{QUOTA}/hour") as service:
        yield service


def standing(answer: httpx.Response) -> tuple[dict[str, int], dict[str, int]]:
    """The parameters of the policy, and what is left of it."""
    found: list[dict[str, int]] = []
    for name in ("RateLimit-Policy", "RateLimit"):
        members: Any = http_sf.parse(answer.headers[name].encode(), tltype="list")
        [(policy, parameters)] = members
        assert policy == "default"
        found.append(parameters)
    return found[0], found[1]


async def remaining(client: httpx.AsyncClient) -> int:
    """After one more request."""
    return standing(await client.get("/api/me"))[1]["r"]


async def exhausted(client: httpx.AsyncClient, **asking: Any) -> httpx.Response:
    """The first answer beyond the quota, which comes no sooner and no later."""
    answers = [await client.get("/api/organizations", **asking) for _ in range(QUOTA + 1)]
    assert [answer.status_code == 429 for answer in answers] == [False] * QUOTA + [True]
    return answers[-1]


async def test_rl_01_who_asks_too_much_is_told_so_and_when_to_come_back(service: Service) -> None:
    answer = await exhausted(service.as_("owner"))
    problem = check_problem(answer, "too-many-requests")
    assert str(QUOTA) in str(problem["detail"])
    assert answer.headers["Retry-After"] in str(problem["detail"])
    assert answer.headers["Cache-Control"] == "no-store"


async def test_rl_02_every_answer_says_what_is_left(service: Service) -> None:
    owner, nobody = service.as_("owner"), service.as_(None)
    path = await made(owner, "/api/organizations", name="Acme")
    tag = (await owner.get(path)).headers["ETag"]
    asked = [
        await owner.get(path),
        await owner.head(path),
        await owner.get(path, headers={"If-None-Match": tag}),
        await owner.get(f"{path}0"),
        await owner.get(path, headers={"Accept": "image/png"}),
        await owner.patch(path, json={"name": "A"}, headers=MERGE | {"If-Match": '"0.0"'}),
        await owner.patch(path, json={"name": ""}, headers=MERGE),
        await owner.delete(path),
        await service.as_("owner", "openid").get(path),
    ]
    expected = [200, 200, 304, 404, 406, 412, 422, 204, 403]
    assert [answer.status_code for answer in asked] == expected
    # Where there cannot be anything nobody is asked who it is.
    counted = [answer for answer in asked if answer.status_code != 404]
    for number, answer in enumerate(counted, 3):
        assert standing(answer)[0] == {"q": QUOTA, "w": WINDOW}
        left = standing(answer)[1]
        assert left.keys() == {"r", "t"}
        assert left["r"] == QUOTA - number
        assert WINDOW - 60 < left["t"] <= WINDOW
    anonymous = [await nobody.get(path), await nobody.get(path), await nobody.get(path, headers=BAD_TOKEN)]
    assert [standing(answer)[1]["r"] for answer in anonymous] == [QUOTA - 1, QUOTA - 2, QUOTA - 3]
    for answer in (*counted, *anonymous):
        assert len(answer.headers.get_list("RateLimit")) == 1
        exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert exposed >= FIELDS
        assert not any(name.startswith("x-ratelimit") for name in answer.headers)
        assert not {"ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"} & set(answer.headers)


async def test_rl_02_health_and_what_asks_nobody_is_not_counted(service: Service) -> None:
    nobody = service.as_(None)
    for path in ("/livez", "/readyz", "/nowhere"):
        headers = (await nobody.get(path)).headers
        assert not any(name in headers for name in FIELDS)
    assert "RateLimit" not in (await nobody.options("/api/organizations")).headers
    assert standing(await nobody.get("/api/organizations"))[1]["r"] == QUOTA - 1


async def test_rl_08_what_a_cache_may_give_to_others_does_not_tell_how_much_is_left(service: Service) -> None:
    """It is counted all the same."""
    nobody = service.as_(None)
    traced = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    for path in ("/api", "/vocab", "/contexts/v1/registry.jsonld"):
        answer = await nobody.get(path, headers=traced)
        assert answer.headers["Cache-Control"].startswith("public")
        assert not any(name in answer.headers for name in (*FIELDS, "Traceresponse"))
    asked = await nobody.get("/api/organizations", headers=traced)
    assert standing(asked)[1]["r"] == QUOTA - 4
    assert "Traceresponse" in asked.headers


async def test_rl_02_there_is_no_limit_unless_one_is_set(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url, tmp_path) as service:
        answers = [await service.as_("owner").get("/api/me") for _ in range(QUOTA + 1)]
    assert {answer.status_code for answer in answers} == {303}
    assert not any("RateLimit" in answer.headers for answer in answers)


async def test_rl_03_who_comes_back_when_told_is_let_in(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url, tmp_path, rate_limit="2/second") as service:
        owner = service.as_("owner")
        await owner.get("/api/me")
        answers = await asyncio.gather(*(owner.get("/api/me") for _ in range(4)))
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["Retry-After"]) >= standing(refused)[1]["t"]
        await asyncio.sleep(int(refused.headers["Retry-After"]))
        assert (await owner.get("/api/me")).status_code == 303


async def test_rl_04_the_type_is_one_of_our_own_and_can_be_looked_up(service: Service) -> None:
    type_ = (await exhausted(service.as_("owner"))).json()["type"]
    assert type_ == f"{BASE}/problems/too-many-requests"
    found = await service.as_("reader").get(type_)
    assert found.status_code == 200
    assert "Retry-After" in found.json()["description"]


async def test_rl_05_the_flood_of_one_caller_is_nothing_to_another(service: Service) -> None:
    """Both come from the same address, as through one proxy."""
    flooding, quiet, nobody = service.as_("flooding"), service.as_("quiet"), service.as_(None)
    before = await remaining(quiet)
    await exhausted(flooding)
    await exhausted(nobody)
    started = time.perf_counter()
    assert await remaining(quiet) == before - 1
    assert time.perf_counter() - started < 1
    # Another token of the same partner is the same caller.
    assert (await service.as_("flooding", "registry:read").get("/api/me")).status_code == 429


async def test_rl_06_a_field_that_anybody_can_write_is_not_believed(service: Service) -> None:
    nobody = service.as_(None)
    answers = []
    for number in range(QUOTA + 1):
        address = f"203.0.113.{number}"
        fields = {"X-Forwarded-For": address, "Forwarded": f"for={address}", "X-Real-IP": address}
        answers.append(await nobody.get("/api", headers=fields))
    assert [answer.status_code for answer in answers] == [200] * QUOTA + [429]


async def test_rl_07_who_comes_while_there_is_too_much_to_do_is_told_at_once(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running(sqlite_url, tmp_path, max_concurrent_requests=1) as service:
        owner = service.as_("owner")
        await owner.get("/api/me")
        database = Database(sqlite_url)
        await database.open()
        try:
            async with database.transaction():
                waiting = asyncio.create_task(owner.post("/api/organizations", json={"name": "Acme"}))
                await asyncio.sleep(0.1)
                started = time.perf_counter()
                refused = [await owner.get("/api/me") for _ in range(10)]
                assert time.perf_counter() - started < 2
                assert (await owner.get("/livez")).status_code == 200
        finally:
            await database.close()
        for answer in refused:
            check_problem(answer, "unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        assert (await waiting).status_code == 201


TYPED = {"Content-Type": "application/json"}


async def slowly(
    first: bytes, begun: asyncio.Event, rest: asyncio.Event, last: bytes
) -> AsyncIterator[bytes]:
    yield first
    begun.set()
    await rest.wait()
    yield last


async def test_rl_07_who_sends_its_content_slowly_keeps_nobody_out(sqlite_url: str, tmp_path: Path) -> None:
    """TH-37, TH-38: it is not being answered meanwhile, and is told itself where there is too much to do when
    its content has come."""
    async with running(sqlite_url, tmp_path, max_concurrent_requests=1) as service:
        owner = service.as_("owner")
        await owner.get("/api/me")
        begun, rest = asyncio.Event(), asyncio.Event()

        content = slowly(b'{"name":', begun, rest, b'"Acme"}')
        slow = asyncio.create_task(owner.post("/api/organizations", content=content, headers=TYPED))
        await begun.wait()
        assert (await owner.get("/api/me")).status_code == 303
        database = Database(sqlite_url)
        await database.open()
        try:
            async with database.transaction():
                waiting = asyncio.create_task(owner.post("/api/organizations", json={"name": "Acme"}))
                await asyncio.sleep(0.1)
                rest.set()
                check_problem(await slow, "unavailable")
        finally:
            await database.close()
        assert (await waiting).status_code == 201
        assert (await owner.get("/api/organizations")).json()["totalItems"] == 1


async def test_rl_07_much_content_that_does_not_come_to_an_end_keeps_little_content_out_of_nothing(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TH-37, TH-38: of all that is on its way no more than so much is kept."""
    monkeypatch.setattr("app.request.MOST_COMING", 150_000)
    owner = service.as_("owner")
    begun, rest = asyncio.Event(), asyncio.Event()

    async def posted() -> httpx.Response:
        content = slowly(b" " * 100_000, begun, rest, b'{"name": "Slow"}')
        return await owner.post("/api/organizations", content=content, headers=TYPED)

    first = asyncio.create_task(posted())
    await begun.wait()
    second = await asyncio.wait_for(posted(), 10)
    check_problem(second, "unavailable")
    assert (second.headers["Retry-After"], second.headers["Connection"]) == ("1", "close")
    assert (await owner.post("/api/organizations", json={"name": "Little"})).status_code == 201
    rest.set()
    assert (await first).status_code == 201
    assert (await posted()).status_code == 201


async def test_rl_08_what_bad_tokens_count_tells_nothing_of_others(service: Service) -> None:
    owner, nobody = service.as_("owner"), service.as_(None)
    before = await remaining(owner)
    good = owner.headers["Authorization"]
    for number in range(QUOTA + 10):
        bad = {"Authorization": good[:-8] + f"{number:08}"}
        answer = await nobody.get("/api/me", headers=bad)
        assert answer.status_code == (401 if number < QUOTA else 429)
    assert await remaining(owner) == before - 1
