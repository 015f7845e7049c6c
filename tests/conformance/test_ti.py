"""Section 20 of the conformance list: times are instants in UTC, ids are opaque and no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.routes import ROUTES
from app.storage.acts import new_id, now
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.service import BASE, JSON, JSON_LD, Service, World, id_of
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
TIMES = {"created_at", "updated_at", "joined_at", "accepted_at", "published", "deleted"}
ABSENT = "01930000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


@contextmanager
def clock(time: datetime) -> Iterator[None]:
    """What is done meanwhile is done at this time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.exchange.now", lambda: time)
        yield


def times(value: Any) -> Iterator[str]:
    """All that a representation tells of times, at any depth."""
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key in TIMES:
                yield member
            elif key != "@context":
                yield from times(member)
    elif isinstance(value, list):
        for item in value:
            yield from times(item)


async def test_ti_01_every_time_is_told_in_utc_with_six_digits(service: Service, world: World) -> None:
    owner, told = service.as_("owner"), []
    described = ("", "documentation", "vocabulary", "shapes")
    paths = [concrete(route, world) for route in ROUTES if route.promise not in described]
    for path in (*paths, world.deleted_shop):
        for accept in (JSON, JSON_LD):
            answer = await owner.get(path, headers={"Accept": accept})
            if answer.headers.get("Content-Type", "").endswith("json"):
                told += list(times(answer.json()))
    assert len(told) > 50
    assert all(INSTANT.fullmatch(time) for time in told)
    created = datetime.fromisoformat((await owner.get(world.shop)).json()["created_at"])
    assert abs(now() - created) < timedelta(minutes=10)


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda time: time.replace("Z", "+00:00"), id="TI-01 offset of nothing"),
        pytest.param(
            lambda time: (datetime.fromisoformat(time) + timedelta(hours=2)).isoformat()[:-6] + "+02:00",
            id="TI-01 another zone",
        ),
        pytest.param(lambda time: time.removesuffix("Z"), id="TI-01 no zone"),
        pytest.param(lambda time: time.replace("T", " "), id="TI-01 no T"),
        pytest.param(lambda time: time[:19] + "Z", id="TI-01 no fraction"),
        pytest.param(lambda time: "2026-12-31T23:59:60.000000Z", id="TI-01 leap second"),
        pytest.param(lambda time: "0000-01-01T00:00:00.000000Z", id="TI-01 year 0"),
        pytest.param(lambda time: "9999-12-31T24:00:00.000000Z", id="TI-01 hour 24"),
        pytest.param(lambda time: "99999-01-01T00:00:00.000000Z", id="TI-01 five digits"),
        pytest.param(lambda time: 1_767_225_600, id="TI-01 number"),
    ],
)
async def test_ti_01_a_time_that_is_sent_back_is_sent_as_it_was_told(service: Service, spelling: Any) -> None:
    """No member that a client may write is a time."""
    owner, path = service.as_("owner"), await instance_of(service)
    time = (await owner.get(path)).json()["created_at"]
    assert (await patched(owner, path, {"created_at": time})).status_code == 200
    body: Any = check_problem(await patched(owner, path, {"created_at": spelling(time)}), "invalid-content")
    assert [violation["pointer"] for violation in body["violations"]] == ["#/created_at"]


@pytest.mark.parametrize(
    ("time", "lexical"),
    [
        pytest.param(datetime(2100, 1, 1, tzinfo=UTC), "2100-01-01T00:00:00.000000Z", id="TI-02 no fraction"),
        pytest.param(
            datetime(2100, 1, 1, 0, 0, 0, 120_000, tzinfo=UTC),
            "2100-01-01T00:00:00.120000Z",
            id="TI-02 zeros",
        ),
        pytest.param(
            datetime(2100, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
            "2100-01-01T00:00:00.000001Z",
            id="TI-02 microsecond",
        ),
    ],
)
async def test_ti_02_a_time_has_the_same_digits_on_both_databases_and_in_all_forms(
    service: Service, time: datetime, lexical: str
) -> None:
    owner = service.as_("owner")
    with clock(time):
        organization = await organization_of(service)
        path = await instance_of(service, organization)
    for accept in (JSON, JSON_LD):
        for address in (organization, path, f"{organization}/instances", f"{organization}/activities"):
            answer = await owner.get(address, headers={"Accept": accept})
            assert set(times(answer.json())) == {lexical}, address


async def test_ti_03_all_goes_on_in_order_when_the_clock_steps_back(service: Service) -> None:
    """Versions, times of change, and activities, which a reader goes on from by cursor."""
    owner = service.as_("owner")
    organization = await organization_of(service)
    path = await instance_of(service, organization)
    seen = [await owner.get(path)]
    start = (await owner.get(f"{organization}/activities?itemsPerPage=2&after=")).json()["view"]
    for number in range(4):
        with clock(now() - timedelta(hours=1 + number)):
            seen.append(await patched(owner, path, {"name": f"Name {number}"}))
    versions = [int(answer.headers["ETag"].strip('"').partition(".")[0]) for answer in seen]
    assert versions == [1, 2, 3, 4, 5]
    changed = [answer.json()["updated_at"] for answer in seen]
    assert changed == sorted(changed)
    following, met = start["next"] if "next" in start else start["@id"], []
    while following:
        body = (await owner.get(following)).json()
        met += body["member"]
        following = body["view"].get("next")
    sequences = [activity["sequence"] for activity in met]
    assert sequences == sorted(sequences)
    assert len(set(sequences)) == len(sequences) >= 4
    published = [activity["published"] for activity in met]
    assert published != sorted(published)


async def test_ti_04_an_id_tells_when_it_was_made_and_sorts_by_it(service: Service) -> None:
    """RFC 9562 section 5.7."""
    before = now()
    paths = [await organization_of(service) for _ in range(20)]
    ids = [UUID(id_of(path)) for path in paths]
    for identifier in ids:
        assert (identifier.version, identifier.int >> 62 & 0b11) == (7, 0b10)
        made = datetime.fromtimestamp((identifier.int >> 80) / 1_000, tz=UTC)
        assert before - timedelta(milliseconds=1) <= made <= now()
    assert ids == sorted(ids)


def test_ti_04_ids_of_one_moment_are_different_ones_in_order() -> None:
    ids = [new_id() for _ in range(100_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)


async def test_ti_05_who_knows_an_id_knows_nothing_else(service: Service, world: World) -> None:
    """RFC 9562 section 8: what a caller may do hangs on its token alone."""
    nobody = service.as_("nobody")
    for path in (*world.examples.values(), world.pending, world.nested_shop, f"{world.acme}/activities"):
        for method in ("GET", "PATCH", "DELETE"):
            answer = await nobody.request(method, path, json={}, headers={"Content-Type": "application/json"})
            assert answer.status_code in (404, 405, 415), (method, path)
        check_problem(await service.as_(None).get(path), "not-authenticated")


UNLIKELY = (
    *("abc", "42", "{01930000-0000-7000-8000-000000000000}", "urn:uuid:01930000-0000-7000-8000-000000000000"),
    *(
        "01930000-0000-4000-8000-000000000000",
        "00000000-0000-0000-0000-000000000000",
        "0193000000007000800000",
    ),
    *("01930000000070008000000000000000", "01930000-0000-7000-C000-00000000000A", "ffffffff-ffff-ffff-ffff"),
    *("01930000-0000-7000-8000-00000000000A", "ffffffff-ffff-ffff-ffff-ffffffffffff", "-", "%20", "null"),
    *("01930000-0000-7000-8000-000000000000%20", "01930000-0000-7000-8000-000000000000.json", "_", "*"),
)


@pytest.mark.parametrize("identifier", [pytest.param(it, id=f"TI-06 {it}") for it in UNLIKELY])
async def test_ti_06_what_is_no_id_is_answered_as_an_absent_one(
    service: Service, world: World, identifier: str
) -> None:
    """Whatever stands in its place, for every variable of every path that is an id."""
    owner = service.as_("owner")
    for route in ROUTES:
        for variable in re.findall(r"\{([a-z_]*id)\}", route.path):
            base = concrete(route, world)
            known = {"organization_id": world.acme_id, "instance_id": id_of(world.shop)}
            known |= {"partner_id": id_of(world.partner), "id": id_of(base)}
            bodies = []
            for stood in (ABSENT, identifier):
                answer = await owner.get(base.replace(known[variable], stood))
                body = check_problem(answer, "not-found")
                bodies.append({key: value for key, value in body.items() if key not in ("@id", "instance")})
            assert bodies[0] == bodies[1], base


async def test_ti_06_an_id_in_content_is_no_more_than_text(service: Service, world: World) -> None:
    for identifier in UNLIKELY:
        content = {"name": "Shop", "handle": fresh_handle(), "organization_id": identifier}
        answer = await service.as_("owner").post("/api/instances", json=content)
        body: Any = check_problem(answer, "invalid-content")
        assert {violation["pointer"] for violation in body["violations"]} == {"#/organization_id"}
    assert (await service.as_("owner").get(world.shop)).json()["@id"] == BASE + world.shop
