"""Section 11 of the conformance list: a patch is a merge patch, and is carried out whole or not at all."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from app.routes import ROUTES
from tests.conformance.fresh import instance_of, organization_of, patched
from tests.conformance.merge_patch import EXAMPLES, merged
from tests.service import BASE, JSON, JSON_LD, PATCH, Service, World, offered
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

ABSENT = "01930000-0000-7000-8000-000000000000"
PATCHES = 100


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def plain(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get(path, headers={"Accept": JSON})).json()
    return body


async def acts(client: httpx.AsyncClient, organization: str) -> int:
    return int((await client.get(f"{organization}/activities?after=")).json()["totalItems"])


def violated(answer: httpx.Response) -> list[str]:
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    return [violation["pointer"] for violation in violations]


async def test_pa_01_a_patch_with_one_fault_changes_nothing(service: Service) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    before = await owner.get(path)
    answer = await patched(owner, path, {"name": "Good", "handle": "bad", "colour": "red"})
    assert violated(answer) == ["#/handle", "#/colour"]
    assert (await owner.get(path)).content == before.content


async def test_pa_01_no_reader_sees_half_of_a_patch(service: Service) -> None:
    """Each writes a name, a time and a version: whoever reads one of them reads the others with it."""
    owner, path = service.as_("owner"), await instance_of(service, name="1")
    written: set[tuple[str, str, str]] = set()
    read: set[tuple[str, str, str]] = set()
    done = asyncio.Event()

    def seen(answer: httpx.Response) -> tuple[str, str, str]:
        body = answer.json()
        return answer.headers["ETag"].strip('"').partition(".")[0], body["name"], body["updated_at"]

    async def keep_reading() -> None:
        while not done.is_set():
            read.add(seen(await owner.get(path)))

    written.add(seen(await owner.get(path)))
    readers = asyncio.gather(keep_reading(), keep_reading())
    try:
        for number in range(2, PATCHES):
            written.add(seen(await patched(owner, path, {"name": str(number)})))
    finally:
        done.set()
        await readers
    assert all(version == name for version, name, _ in written)
    assert read <= written
    assert len(read) > 5


async def test_pa_02_a_patch_is_merged_as_the_rfc_says(service: Service) -> None:
    """Absent leaves, a scalar replaces; no member here is free-form, to show the rest."""
    owner, path = service.as_("owner"), await instance_of(service)
    for patch in ({}, {"name": "One"}, {"name": "Two", "updated_at": "whenever"}):
        before = await plain(owner, path)
        assert (await patched(owner, path, patch)).status_code == 200
        after = await plain(owner, path)
        assert after | {"updated_at": ""} == merged(before, patch) | {"updated_at": ""}


async def test_pa_02_the_examples_of_the_rfc_are_merged_or_refused_whole(service: Service) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    before = await owner.get(path)
    for original, patch, result in EXAMPLES:
        assert merged(original, patch) == result
        check_problem(await patched(owner, path, patch), "invalid-content")
    assert (await owner.get(path)).content == before.content


async def test_pa_03_null_is_refused_for_what_is_required(service: Service, world: World) -> None:
    owner = service.as_("owner")
    pending = await offered(service, await instance_of(service), world.initech, accept=False)
    for client, path, key in (
        (owner, world.acme, "name"),
        (owner, world.shop, "name"),
        (owner, world.shop, "handle"),
        (owner, world.member, "role"),
        (service.as_("neighbour"), pending, "status"),
    ):
        assert violated(await patched(client, path, {key: None})) == [f"#/{key}"]


async def test_pa_03_null_leaves_absent_what_is_optional(service: Service, world: World) -> None:
    neighbour = service.as_("neighbour")
    pending = await offered(service, await instance_of(service), world.initech, accept=False)
    answer = await patched(neighbour, pending, {"accepted_at": None})
    assert answer.status_code == 200
    assert "accepted_at" not in (await neighbour.get(pending)).json()


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param([], id="PA-04 array"),
        pytest.param("x", id="PA-04 string"),
        pytest.param(None, id="PA-04 null"),
        pytest.param(1, id="PA-04 number"),
        pytest.param(True, id="PA-04 true"),
    ],
)
async def test_pa_04_a_patch_that_is_no_object_is_refused(service: Service, world: World, patch: Any) -> None:
    owner = service.as_("owner")
    for path in (world.acme, world.shop, world.member):
        assert violated(await patched(owner, path, patch)) == ["#"]


async def test_pa_05_an_empty_patch_changes_nothing(service: Service, world: World) -> None:
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    organization = await organization_of(service)
    instance = await instance_of(service, organization)
    pending = await offered(service, instance, world.initech, accept=False)
    count = await acts(owner, organization)
    for client, path in ((owner, organization), (owner, instance), (neighbour, pending)):
        before = await client.get(path)
        answer = await patched(client, path, {}, **{"If-Match": before.headers["ETag"]})
        assert (answer.status_code, answer.headers["ETag"]) == (200, before.headers["ETag"])
        assert answer.content == before.content
    assert await acts(owner, organization) == count


@pytest.mark.parametrize(
    "type_",
    [
        pytest.param(type_, id=f"PA-06 {type_}")
        for type_ in ("text/plain", "application/json-patch+json", JSON, "application/x-www-form-urlencoded")
    ],
)
async def test_pa_06_a_patch_of_another_type_is_refused_with_the_one_there_is(
    service: Service, world: World, type_: str
) -> None:
    answer = await service.as_("owner").patch(world.shop, content=b"{}", headers={"Content-Type": type_})
    check_problem(answer, "unsupported-media-type")
    assert answer.headers["Accept-Patch"] == PATCH


async def test_pa_07_options_name_the_type_of_a_patch_where_there_is_one(
    service: Service, world: World
) -> None:
    patchable = 0
    for route in ROUTES:
        options = await service.as_(None).options(concrete(route, world))
        allowed = "PATCH" in options.headers["Allow"].split(", ")
        assert options.headers.get("Accept-Patch") == (PATCH if allowed else None)
        patchable += allowed
    assert patchable == 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("handle", "other"), ("handle", None), ("id", ABSENT), ("@id", "x"), ("originId", ABSENT),
        ("organization_id", ABSENT), ("organization", f"{BASE}/api/organizations/{ABSENT}"),
        ("created_by_organization_id", ABSENT), ("created_by_organization", "x"), ("created_at", "2026"),
        ("organization_id", None), ("organization", None), ("created_at", None), ("id", None), ("@id", None),
        ("@type", "Organization"), ("@type", []), ("@type", {"a": 1}), ("@context", "https://schema.org/"),
        ("@context", {"name": "https://schema.org/name"}), ("@graph", []), ("colour", None),
    ],
)  # fmt: skip
async def test_pa_08_what_cannot_be_changed_must_say_what_is_so(
    service: Service, world: World, key: str, value: Any
) -> None:
    owner = service.as_("owner")
    for answer in (
        await owner.put(world.shop, json={"name": "New", key: value}),
        await patched(owner, world.shop, {"name": "New", key: value}),
    ):
        assert violated(answer) == [f"#/{key}"]
    assert (await plain(owner, world.shop))["name"] == "Shop"


async def test_pa_08_what_cannot_be_changed_may_be_sent_as_it_is(service: Service, world: World) -> None:
    owner = service.as_("owner")
    sent: dict[str, Any]
    for path in (world.acme, world.shop, world.member):
        before = await owner.get(path)
        for accept in (JSON, JSON_LD):
            sent = (await owner.get(path, headers={"Accept": accept})).json()
            for key, value in sent.items():
                answer = await patched(owner, path, {key: value})
                assert answer.status_code == 200, (key, answer.text)
        assert (await owner.get(path)).content == before.content


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(key, id=f"PA-10 {key}")
        for key in (
            *("__class__", "__proto__", "constructor", "prototype", "__init__", "__dict__", "_state", "pk"),
            *("organization__name", "organization.name", "organization/name", "name__icontains", "$where"),
            *("version", "deleted_at", "name_key", "creator_id", "roles", "tenant_id", "is_admin", "", "a.b"),
        )
    ],
)
async def test_pa_10_a_patch_reaches_nothing_else(service: Service, world: World, key: str) -> None:
    owner = service.as_("owner")
    before = await owner.get(world.shop)
    values: list[Any] = ["x", 1, {"name": "x"}, {"__init__": {"__globals__": {}}}, None]
    for value in values:
        assert len(violated(await patched(owner, world.shop, {"name": "New", key: value}))) == 1
    assert (await owner.get(world.shop)).content == before.content


async def test_pa_11_a_patch_never_creates(service: Service, world: World) -> None:
    owner = service.as_("owner")
    lists = {
        f"/api/instances/{ABSENT}": "/api/instances",
        f"/api/organizations/{ABSENT}": "/api/organizations",
        f"{world.acme}/members/{ABSENT}": f"{world.acme}/members",
        f"{world.shop}/authorizations/{ABSENT}": f"{world.shop}/authorizations",
    }
    for path, collection in lists.items():
        before = (await owner.get(collection)).json()["totalItems"]
        for fields in ({"If-Match": '"x"'}, {"If-None-Match": "*"}, {}):
            check_problem(await patched(owner, path, {"name": "New"}, **fields), "not-found")
        assert (await owner.get(collection)).json()["totalItems"] == before


async def test_pa_12_conflict_condition_and_meaning_have_statuses_of_their_own(service: Service) -> None:
    """RFC 5789 section 2.2."""
    owner, organization = service.as_("owner"), await organization_of(service)
    [me] = (await owner.get(f"{organization}/members")).json()["member"]
    conflict = await patched(owner, me["@id"], {"role": "member"})
    assert check_problem(conflict, "last-owner")["status"] == 409
    stale = await patched(owner, me["@id"], {"role": "member"}, **{"If-Match": '"0.0"'})
    assert check_problem(stale, "precondition-failed")["status"] == 412
    meaning = await patched(owner, me["@id"], {"role": "emperor"})
    assert check_problem(meaning, "invalid-content")["status"] == 422
