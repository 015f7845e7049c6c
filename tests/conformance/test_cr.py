"""Section 12 of the conformance list: creating, replacing, deleting, conflicts, and the order of checks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import httpx
import pytest

from app.routes import ROUTES
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.service import ACCEPT_POST, BASE, JSON, JSON_LD, PATCH, Service, World, id_of, running
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

CREATORS = 64
ABSENT = "01930000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def all_created(service: Service, world: World, **fields: str) -> list[httpx.Response]:
    """The answers to creating one of each kind, wherever it can be created."""
    owner, organization = service.as_("owner"), await organization_of(service)
    shop = {"name": "Shop", "organization_id": id_of(organization)}
    instances = f"{organization}/instances"
    answers = [
        await owner.post("/api/organizations", json={"name": "Acme"}, headers=fields),
        await owner.post("/api/instances", json={**shop, "handle": fresh_handle()}, headers=fields),
        await owner.post(instances, json={"name": "Shop", "handle": fresh_handle()}, headers=fields),
        await owner.post(
            f"{organization}/members", json={"email": "new@acme.example", "role": "member"}, headers=fields
        ),
    ]
    offer = {"organization_id": id_of(world.initech)}
    path = f"{answers[-2].headers['Location']}/authorizations"
    answers.append(await owner.post(path, json=offer, headers=fields))
    assert [answer.status_code for answer in answers] == [201] * 5
    return answers


def pointers(answer: httpx.Response, type_: str) -> list[str]:
    violations: Any = check_problem(answer, type_)["violations"]
    return [violation["pointer"] for violation in violations]


@pytest.mark.parametrize("accept", [JSON, JSON_LD])
async def test_cr_01_what_is_created_is_found_at_its_location_as_it_was_answered(
    service: Service, world: World, accept: str
) -> None:
    for answer in await all_created(service, world, Accept=accept):
        again = await service.as_("owner").get(answer.headers["Location"], headers={"Accept": accept})
        assert (again.status_code, again.content) == (200, answer.content)
        assert again.headers["ETag"] == answer.headers["ETag"]


async def test_cr_02_the_answer_is_the_representation_of_what_was_created(
    service: Service, world: World
) -> None:
    for answer in await all_created(service, world):
        assert answer.headers["Content-Location"] == answer.headers["Location"] == answer.json()["@id"]


async def test_cr_03_a_handle_that_another_has_is_a_conflict(service: Service, world: World) -> None:
    """Whoever has it; nothing is said of that one."""
    path = f"{await organization_of(service)}/instances"
    for handle in ("acme-shop", "globex"):
        answer = await service.as_("owner").post(path, json={"name": "Other", "handle": handle})
        assert pointers(answer, "handle-taken") == ["#/handle"]
        assert answer.status_code == 409
        told = answer.text.replace(answer.request.headers["Host"], "")
        for secret in (world.globex_shop, id_of(world.globex), "Globex", id_of(world.shop), world.acme_id):
            assert secret not in told


async def test_cr_04_of_creators_at_once_one_gets_the_handle(service: Service) -> None:
    paths = [f"{await organization_of(service, name)}/instances" for name in ("owner", "stranger")]
    content = {"name": "Shop", "handle": fresh_handle()}
    clients = (service.as_("owner"), service.as_("stranger"))
    answers = await asyncio.gather(
        *(clients[n % 2].post(paths[n % 2], json=content) for n in range(CREATORS))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (CREATORS - 1)


async def test_cr_05_a_conflict_says_how_it_is_resolved(service: Service, world: World) -> None:
    owner = service.as_("owner")
    organization = await organization_of(service)
    instance = await instance_of(service, organization)
    [me] = (await owner.get(f"{organization}/members")).json()["member"]
    offer = {"organization_id": id_of(world.initech)}
    await owner.post(f"{instance}/authorizations", json=offer)
    again = {"email": "owner@acme.example", "role": "member"}
    taken = {"name": "Shop", "handle": "acme-shop"}
    for answer, type_, where, advice in (
        (await owner.post(f"{organization}/instances", json=taken), "handle-taken", ["#/handle"], "another"),
        (await owner.post(f"{organization}/members", json=again), "already-member", ["#/email"], "role"),
        (
            await owner.post(f"{instance}/authorizations", json=offer),
            "already-authorized",
            ["#/organization_id"],
            "revoke",
        ),
        (await owner.delete(me["@id"]), "last-owner", None, "Make another member"),
        (await owner.delete(organization), "organization-not-empty", None, f"{organization}/instances"),
    ):
        body = check_problem(answer, type_)
        assert body["status"] == 409
        assert advice in str(body["detail"])
        if where:
            assert pointers(answer, type_) == where


@pytest.mark.parametrize(
    ("type_", "content", "problem", "status"),
    [
        pytest.param(JSON, b"{", "malformed-content", 400, id="CR-06 cannot be parsed"),
        pytest.param(JSON, b'{"name":"A b","handle":7}', "invalid-content", 422, id="CR-06 means nothing"),
        pytest.param("text/plain", b"{}", "unsupported-media-type", 415, id="CR-06 of another type"),
        pytest.param(
            JSON, b'{"name":"A","handle":"globex"}', "handle-taken", 409, id="CR-06 against the state"
        ),
    ],
)
async def test_cr_06_each_fault_of_content_has_a_status_of_its_own(
    service: Service, world: World, type_: str, content: bytes, problem: str, status: int
) -> None:
    answer = await service.as_("owner").post(
        f"{world.acme}/instances", content=content, headers={"Content-Type": type_}
    )
    assert check_problem(answer, problem)["status"] == status


async def test_cr_07_put_replaces_and_never_creates(service: Service) -> None:
    """The whole is sent: what is required cannot stay away. There is nothing optional to vanish."""
    owner, organization = service.as_("owner"), await organization_of(service)
    for path in (organization, await instance_of(service, organization)):
        answer = await owner.put(path, json={"name": "Replaced"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Replaced")
        assert (await owner.get(path)).content == answer.content
        assert pointers(await owner.put(path, json={}), "invalid-content") == ["#/name"]
        absent = path.replace(id_of(path), ABSENT)
        check_problem(await owner.put(absent, json={"name": "Created"}), "not-found")


async def test_cr_08_what_is_deleted_cannot_be_deleted_again(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for answer in reversed(await all_created(service, world)):
        path = answer.headers["Location"]
        deleted = await owner.delete(path)
        assert (deleted.status_code, deleted.content) == (204, b"")
        check_problem(await owner.delete(path), "gone")


async def test_cr_09_what_is_gone_leaves_a_tombstone_to_who_could_see_it(
    service: Service, world: World
) -> None:
    """In a problem, with its address, what it was, when it went, and nothing else."""
    deleted = {
        world.deleted_shop: "Instance",
        world.deleted_organization: "Organization",
        world.removed_member: "Member",
        world.revoked: "Authorization",
    }
    for path, class_ in deleted.items():
        tombstone: Any = check_problem(await service.as_("owner").get(path), "gone")["tombstone"]
        assert set(tombstone) == {"@id", "@type", "formerType", "deleted"}
        assert (tombstone["@id"], tombstone["@type"]) == (BASE + path, "Tombstone")
        assert tombstone["formerType"] == f"{BASE}/vocab#{class_}"
        assert tombstone["deleted"].endswith("Z")
        check_problem(await service.as_("neighbour").get(path), "not-found")
        check_problem(await service.as_(None).get(path), "not-authenticated")


async def test_cr_10_neither_a_handle_nor_an_address_is_used_again(service: Service) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    path = await instance_of(service, organization)
    handle = (await owner.get(path)).json()["handle"]
    assert (await owner.delete(path)).status_code == 204
    for name in ("owner", "stranger"):
        instances = f"{await organization_of(service, name)}/instances"
        answer = await service.as_(name).post(instances, json={"name": "Again", "handle": handle})
        assert pointers(answer, "handle-taken") == ["#/handle"]
    check_problem(await owner.put(path, json={"name": "Again"}), "gone")
    check_problem(await owner.get(f"/api/handles/{handle}"), "gone")
    assert await instance_of(service, organization) != path


async def test_cr_11_an_organization_with_instances_is_not_deleted(service: Service) -> None:
    """There may be thousands: the address of their list is told."""
    owner, organization = service.as_("owner"), await organization_of(service)
    instance = await instance_of(service, organization)
    body = check_problem(await owner.delete(organization), "organization-not-empty")
    assert f" {BASE}{organization}/instances." in str(body["detail"])
    assert (await owner.get(instance)).status_code == 200
    assert (await owner.delete(instance)).status_code == 204
    assert (await owner.delete(organization)).status_code == 204


async def test_cr_12_options_name_the_types_of_what_is_created(service: Service, world: World) -> None:
    created = 0
    for route in ROUTES:
        options = await service.as_(None).options(concrete(route, world))
        allowed = "POST" in options.headers["Allow"].split(", ")
        assert options.headers.get("Accept-Post") == (ACCEPT_POST if allowed else None)
        created += allowed
    assert created == 7


@pytest.mark.parametrize("type_", [JSON, JSON_LD])
async def test_cr_13_the_null_relative_iri_is_what_is_created(service: Service, type_: str) -> None:
    """LDP section 5.2.3.7; any other address is the service's to give."""
    owner, content = service.as_("owner"), {"@type": "Organization", "name": "Acme"}
    for identifier, status in (("", 201), ("x", 422), (" ", 422), (BASE, 422)):
        document = json.dumps({"@id": identifier, **content})
        answer = await owner.post("/api/organizations", content=document, headers={"Content-Type": type_})
        assert answer.status_code == status, identifier
        if status == 201:
            assert answer.json()["@id"] == answer.headers["Location"] != identifier
    content = {"name": "Shop", "handle": fresh_handle()}
    nested = f"{await organization_of(service)}/instances"
    assert (await owner.post(nested, json={"@id": "", **content})).status_code == 201


async def test_cr_14_a_handle_never_changes(service: Service) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    handle = (await owner.get(path)).json()["handle"]
    for answer in (
        await patched(owner, path, {"handle": fresh_handle()}),
        await owner.put(path, json={"name": "Shop", "handle": fresh_handle()}),
    ):
        assert pointers(answer, "invalid-content") == ["#/handle"]
    assert (await owner.get(f"/api/handles/{handle}")).headers["Location"] == BASE + path


@dataclass(frozen=True)
class Asked:
    """A request that would succeed but for its faults: an owner's membership, to stay what it is."""

    path: str
    query: str = ""
    method: str = "PATCH"
    subject: str | None = "owner"
    scope: str = "registry:write"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": PATCH, "If-Match": "*"})
    members: dict[str, str] = field(default_factory=lambda: {"role": "owner"})
    end: str = "}"

    def with_headers(self, **headers: str) -> Asked:
        return replace(self, headers=self.headers | headers)

    def without(self, name: str) -> Asked:
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})

    def with_members(self, **members: str) -> Asked:
        return replace(self, members=self.members | members)

    @property
    def content(self) -> str:
        return json.dumps(self.members).removesuffix("}") + self.end


Fault = Callable[[Asked, World], Asked]
FIELDS = [f"X-{number}" for number in range(100)]
# In the order of API.md section 3, after what is asked of every head.
FAULTS: list[tuple[str, str, Fault]] = [
    ("address too long", "uri-too-long", lambda it, world: replace(it, query="?x=" + "x" * 8_000)),
    (
        "many fields",
        "header-fields-too-large",
        lambda it, world: it.with_headers(**dict.fromkeys(FIELDS, "x")),
    ),
    ("no host", "invalid-parameter", lambda it, world: it.with_headers(Host="a b")),
    ("other host", "misdirected-request", lambda it, world: it.with_headers(Host="elsewhere.example")),
    ("no route", "not-found", lambda it, world: replace(it, path="/api/nothing")),
    ("unknown method", "not-implemented", lambda it, world: replace(it, method="FROB")),
    ("other method", "method-not-allowed", lambda it, world: replace(it, method="POST")),
    ("no token", "not-authenticated", lambda it, world: replace(it, subject=None)),
    ("scope", "insufficient-scope", lambda it, world: replace(it, scope="registry:read")),
    ("Accept", "not-acceptable", lambda it, world: it.with_headers(Accept="image/png")),
    (
        "Content-Type",
        "unsupported-media-type",
        lambda it, world: it.with_headers(**{"Content-Type": "text/plain"}),
    ),
    ("too large", "content-too-large", lambda it, world: replace(it, end=it.end + " " * 2**20)),
    ("absent", "not-found", lambda it, world: replace(it, path=f"{world.acme}/members/{ABSENT}")),
    ("foreign", "not-found", lambda it, world: replace(it, path=f"{world.globex}/members/{ABSENT}")),
    ("gone", "gone", lambda it, world: replace(it, path=world.removed_member)),
    ("role", "forbidden", lambda it, world: replace(it, subject="member")),
    ("no condition", "precondition-required", lambda it, world: it.without("If-Match")),
    ("condition", "precondition-failed", lambda it, world: it.with_headers(**{"If-Match": '"0.0"'})),
    ("malformed", "malformed-content", lambda it, world: replace(it, end=it.end.removeprefix("}"))),
    ("invalid", "invalid-content", lambda it, world: it.with_members(colour="red")),
    ("conflict", "last-owner", lambda it, world: it.with_members(role="member")),
]
# What cannot be at fault in one request.
GROUPS = (
    {"no route", "absent", "foreign", "gone"},
    {"unknown method", "other method"},
    {"no token", "role"},
    {"no host", "other host"},
    {"no condition", "condition"},
)
PAIRS = [
    pytest.param(first, second, id=f"CR-15 {first[0]} before {second[0]}")
    for first, second in combinations(FAULTS, 2)
    if not any({first[0], second[0]} <= group for group in GROUPS)
]


@pytest.fixture(scope="module")
async def demanding(standing: tuple[Service, World]) -> AsyncIterator[Service]:
    """The same database, behind a service that wants to be told what is changed."""
    chosen = standing[0].settings
    async with running(chosen.database_url, chosen.data_dir, require_if_match=True) as service:
        yield service


@pytest.fixture(scope="module")
async def asked(service: Service, world: World) -> Asked:
    owners = (await service.as_("owner").get(world.acme)).json()["owners"]
    return Asked(owners[0]["@id"].removeprefix(BASE))


async def check_answer(service: Service, asked: Asked, type_: str | None) -> None:
    client = service.as_(asked.subject, *([asked.scope] if asked.subject else []))
    answer = await client.request(
        asked.method, asked.path + asked.query, content=asked.content, headers=asked.headers
    )
    if type_ is None:
        assert answer.status_code == 200, answer.text
    else:
        check_problem(answer, type_)


@pytest.mark.parametrize("fault", FAULTS, ids=[f"CR-15 {name} alone" for name, _, _ in FAULTS])
async def test_cr_15_each_fault_alone_is_told(
    demanding: Service, world: World, asked: Asked, fault: tuple[str, str, Fault]
) -> None:
    await check_answer(demanding, asked, None)
    await check_answer(demanding, fault[2](asked, world), fault[1])


@pytest.mark.parametrize("standing_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("first", "second"), PAIRS)
async def test_cr_15_of_two_faults_the_earlier_one_is_told(
    demanding: Service,
    world: World,
    asked: Asked,
    first: tuple[str, str, Fault],
    second: tuple[str, str, Fault],
) -> None:
    await check_answer(demanding, second[2](first[2](asked, world), world), first[1])
