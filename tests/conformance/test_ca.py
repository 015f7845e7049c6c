"""Section 23 of the conformance list: what caches may keep, and that they never show it to anybody else."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from app.routes import ROUTES
from tests.conformance.caches import caches, reused, stored
from tests.conformance.fresh import MERGE, fresh_handle, instance_of, organization_of
from tests.conformance.problems import ASKED, Asked
from tests.service import BASE, CALLERS, JSON, JSON_LD, Service, World, id_of, made, offered
from tests.test_sweep import concrete

pytestmark = pytest.mark.anyio

PRIVATE, PUBLIC, NEVER = "private, no-cache", "public, max-age=300", "no-store"
# Caches may keep these for as long as they guess, unless they are told (RFC 9110 section 15.1).
KEPT_UNTOLD = (404, 405, 410, 414, 501)
# What is the same for everybody, and may be given to everybody.
EVERYBODYS = re.compile(
    r"/api|/api/docs|/api/openapi\.json|/api/reference(/.*)?|"
    r"/vocab|/shapes|/problems(/.*)?|/contexts(/.*)?|/\.well-known/.*|/robots\.txt"
)


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


def directives(answer: httpx.Response) -> set[str]:
    line = answer.headers.get("Cache-Control", "")
    return {directive.strip().partition("=")[0] for directive in line.split(",")}


async def test_ca_01_data_may_be_kept_by_its_reader_and_is_asked_for_each_time(
    service: Service, world: World
) -> None:
    """There is no answer with a secret in it: tokens come from elsewhere."""
    owner, path = service.as_("owner"), await instance_of(service)
    answers = [
        await owner.get(path),
        await owner.get(path, headers={"Accept": JSON}),
        await owner.get(world.acme),
        await owner.get(f"{world.acme}/members"),
        await owner.get("/api/instances?page=1"),
        await owner.get("/api/activities"),
        await owner.get(world.partner),
        await owner.get("/api/me"),
        await owner.post("/api/organizations", json={"name": "Kept"}),
        await owner.patch(path, json={"name": "Kept"}, headers=MERGE),
    ]
    for answer in answers:
        assert answer.headers.get_list("Cache-Control") == [PRIVATE]
    for answer in answers[:7]:
        tag = {"If-None-Match": answer.headers["ETag"], "Accept": answer.headers["Content-Type"]}
        again = await owner.get(answer.request.url, headers=tag)
        # The first was renamed meanwhile.
        changed = answer.request.url.path in (path, "/api/instances", "/api/activities")
        assert (again.status_code, again.headers["Cache-Control"]) == (200 if changed else 304, PRIVATE)


async def test_ca_02_nothing_lets_caches_share_what_is_not_everybody_s(
    answers: list[httpx.Response],
) -> None:
    for answer in answers:
        sharing = directives(answer) & {"public", "s-maxage", "must-revalidate", "max-age"}
        if sharing:
            assert answer.headers["Cache-Control"] == PUBLIC
            assert EVERYBODYS.fullmatch(answer.request.url.path), answer.request.url
            assert answer.status_code in (200, 304)
    assert PUBLIC in {answer.headers.get("Cache-Control") for answer in answers}


def essence(answer: httpx.Response) -> tuple[object, ...]:
    """All but what each occurrence has of its own."""
    fields = [answer.headers.get(name) for name in ("Content-Type", "ETag", "Location", "Link")]
    failed = answer.status_code >= 400
    return answer.status_code, *fields, answer.json()["type"] if failed else answer.content


async def test_ca_03_a_cache_that_all_share_gives_nobody_what_is_another_s(
    service: Service, world: World, tmp_path: Path
) -> None:
    """Whoever asks first, everybody is answered as without a cache."""
    things = [
        world.nested_shop,
        world.globex,
        world.globex_shop,
        world.absent,
        world.deleted_shop,
        "/nothing",
    ]
    paths = [*(concrete(route, world) for route in ROUTES), world.pending, *things]
    async with caches(service, tmp_path, shared=True) as shared:
        used = 0
        for callers in (tuple(CALLERS), tuple(reversed([*CALLERS]))):
            for caller in callers:
                subject, scopes = CALLERS[caller]
                direct, cached = service.as_(subject, *scopes), shared.as_(caller)
                for path in paths:
                    for media_type in (JSON_LD, JSON):
                        accept = {"Accept": media_type}
                        answer = await cached.get(path, headers=accept)
                        expected = await direct.get(path, headers=accept)
                        assert essence(answer) == essence(expected), (caller, path)
                        if not EVERYBODYS.fullmatch(path):
                            assert not answer.extensions["caching"]["from_cache"], (caller, path)
                            assert not stored(answer), (caller, path)
                        used += reused(answer)
    assert used > len(CALLERS)


@pytest.mark.parametrize("shared", [False, True], ids=["CA-04 of one caller", "CA-04 shared"])
async def test_a_cache_shows_what_a_change_made(service: Service, tmp_path: Path, shared: bool) -> None:
    """Whether the change passed through it or around it."""
    path, other = await instance_of(service), await organization_of(service)
    lists = ["/api/instances", "/api/activities", f"{other}/instances"]
    async with caches(service, tmp_path, shared=shared) as between:
        cached = between.as_("owner")
        for sender in (cached, service.as_("owner")):
            await same(service, cached, [path, *lists])
            tag = {"If-Match": (await cached.get(path)).headers["ETag"]}
            changed = await sender.patch(path, json={"name": f"A {id(sender)}"}, headers=MERGE | tag)
            assert changed.status_code == 200
            await same(service, cached, [path, *lists])
            assert (await cached.get(path)).json()["name"] == f"A {id(sender)}"
            content = {"name": "Shop", "handle": fresh_handle()}
            created = await sender.post(f"{other}/instances", json=content)
            assert created.status_code == 201
            await same(service, cached, [created.headers["Location"], *lists])
            assert (await sender.delete(created.headers["Location"])).status_code == 204
            assert (await cached.get(created.headers["Location"])).status_code == 410
            await same(service, cached, [path, *lists])


async def same(service: Service, cached: httpx.AsyncClient, paths: list[str]) -> None:
    for path in paths:
        assert essence(await cached.get(path)) == essence(await service.as_("owner").get(path)), path


async def test_ca_04_what_an_answer_points_to_is_of_the_same_origin(answers: list[httpx.Response]) -> None:
    """Or a cache would not forget it (RFC 9111 section 4.4)."""
    found = set()
    for answer in answers:
        for name in ("Location", "Content-Location"):
            for address in answer.headers.get_list(name):
                assert urljoin(str(answer.request.url), address).startswith(f"{BASE}/")
                found.add((name, answer.status_code))
    assert found >= {("Location", 201), ("Location", 303), ("Content-Location", 200)}


@pytest.mark.parametrize(
    "asked", [pytest.param(it, id=f"CA-05 {it}") for it in ASKED if it.status in KEPT_UNTOLD]
)
async def test_no_cache_keeps_an_error(service: Service, world: World, asked: Asked) -> None:
    answer = await asked.of(service, world)
    assert (answer.status_code, answer.headers.get_list("Cache-Control")) == (asked.status, [NEVER])


@pytest.mark.parametrize("shared", [False, True], ids=["CA-05 of one caller", "CA-05 shared"])
async def test_what_was_absent_is_seen_once_it_is_there(
    service: Service, world: World, tmp_path: Path, shared: bool
) -> None:
    owner, neighbour, handle = service.as_("owner"), service.as_("neighbour"), fresh_handle()
    async with caches(service, tmp_path, shared=shared) as between:
        cached, other = between.as_("owner"), between.as_("neighbour")
        for _ in range(2):
            absent = await cached.get(f"/api/handles/{handle}")
            assert (absent.status_code, stored(absent)) == (404, False)
        path = await made(owner, f"{world.acme}/instances", name="New", handle=handle)
        assert (await cached.get(f"/api/handles/{handle}")).status_code == 303
        # Not there for the neighbour until it is authorized, nor below its organization until it is moved.
        nested = f"{world.initech}/instances/{id_of(path)}"
        assert [(await other.get(it)).status_code for it in (path, nested)] == [404, 404]
        await offered(service, path, world.initech, accept=True)
        assert [(await other.get(it)).status_code for it in (path, nested)] == [200, 404]
        moved = await owner.post(f"{path}/transfer", json={"organization_id": id_of(world.initech)})
        assert moved.status_code == 200
        assert [(await other.get(it)).status_code for it in (path, nested)] == [200, 200]
        assert (await cached.get(path)).status_code == 404
        assert (await neighbour.delete(path)).status_code == 204
        assert [(await other.get(it)).status_code for it in (path, nested)] == [410, 410]


async def test_ca_06_what_has_not_changed_is_not_sent_again(
    service: Service, world: World, tmp_path: Path
) -> None:
    """The mechanism: how many octets that saves, and how much time, is measured elsewhere."""
    paths = [await instance_of(service, world.acme) for _ in range(10)]
    paths += [concrete(route, world) for route in ROUTES if route.offers and route.promise]
    async with caches(service, tmp_path, shared=False) as browsers:
        owner = browsers.as_("owner")
        first = [await owner.get(path) for path in paths]
        sent = list(browsers.origin.sent)
        again = [await owner.get(path) for path in paths]
        revalidated = browsers.origin.sent[len(sent) :]
    assert [status for status, _ in sent] == [200] * len(sent)
    assert min(octets for _, octets in sent) > 0
    assert [essence(answer) for answer in again] == [essence(answer) for answer in first]
    # What is everybody's is not even asked for.
    assert set(revalidated) == {(304, 0)}
    assert len(revalidated) == sum(not reused(answer) for answer in again) > 20
