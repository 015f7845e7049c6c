"""Authorizations: offered by one side, accepted by the other, revoked by either."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.service import BASE, JSON, PATCH, Service, World, id_of, made, offered
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
MERGE = {"Content-Type": PATCH}
ACCEPTED = {"status": "accepted"}


async def ids(client: httpx.AsyncClient, path: str) -> set[str]:
    body = (await client.get(path, headers={"Accept": JSON})).json()
    assert body["totalItems"] == len(body["member"])
    return {member["id"] for member in body["member"]}


@pytest.fixture
async def second(service: Service, world: World) -> str:
    """Another instance of Acme's."""
    return await made(service.as_("owner"), f"{world.acme}/instances", name="Second", handle="second")


@pytest.mark.parametrize("key", ["organization_id", "organization"])
async def test_an_authorization_is_offered_accepted_and_lets_its_organization_see_the_instance(
    service: Service, world: World, second: str, key: str
) -> None:
    owner, neighbour, colleague = (service.as_(name) for name in ("owner", "neighbour", "colleague"))
    named = {"organization_id": id_of(world.initech), "organization": BASE + world.initech}[key]
    answer = await owner.post(f"{second}/authorizations", json={key: named})
    assert answer.status_code == 201
    body = answer.json()
    path = body["@id"].removeprefix(BASE)
    assert answer.headers["Location"] == body["@id"]
    assert (body["status"], body["instance"], body["organization"]) == (
        "pending",
        BASE + second,
        BASE + world.initech,
    )
    assert "accepted_at" not in body
    # Its owners may read what they are to accept; it is in no list of theirs yet.
    assert (await neighbour.get(second)).status_code == 200
    assert id_of(second) not in await ids(neighbour, "/api/instances")
    check_problem(await colleague.get(second), "not-found")
    check_problem(await colleague.get(path), "not-found")
    answer = await neighbour.patch(path, json=ACCEPTED, headers=MERGE)
    accepted = answer.json()
    assert (answer.status_code, accepted["status"]) == (200, "accepted")
    assert accepted["accepted_at"] >= accepted["created_at"]
    for client in (neighbour, colleague):
        assert (await client.get(second)).status_code == 200
        assert id_of(second) in await ids(client, "/api/instances")
        assert id_of(second) in await ids(client, f"{world.acme}/instances")
        assert (await client.get(f"{world.acme}/instances/{id_of(second)}")).status_code == 200
    check_problem(await neighbour.patch(second, json={"name": "Mine"}, headers=MERGE), "forbidden")
    check_problem(await neighbour.delete(second), "forbidden")


async def test_each_side_sees_its_own(service: Service, world: World) -> None:
    """API.md section 3: the owner's members see all of an instance, the other side its own."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    third = await made(service.as_("stranger"), "/api/organizations", name="Third")
    other = await offered(service, world.shop, third, accept=False)
    for client in (owner, service.as_("member"), service.as_("auditor", "registry:read-all")):
        found = await ids(client, f"{world.shop}/authorizations")
        assert found == {id_of(world.accepted), id_of(other)}
    assert await ids(neighbour, f"{world.shop}/authorizations") == {id_of(world.accepted)}
    assert await ids(service.as_("colleague"), f"{world.shop}/authorizations") == {id_of(world.accepted)}
    assert await ids(service.as_("stranger"), f"{world.shop}/authorizations") == {id_of(other)}
    received = f"{world.initech}/authorizations"
    assert await ids(neighbour, received) == {id_of(world.accepted), id_of(world.pending)}
    assert await ids(service.as_("colleague"), received) == {id_of(world.accepted)}
    check_problem(await owner.get(received), "forbidden")
    check_problem(await service.as_("nobody").get(received), "not-found")


async def test_who_owns_both_sides_has_accepted_by_offering(service: Service, world: World) -> None:
    owner = service.as_("owner")
    mine = await made(owner, "/api/organizations", name="Mine too")
    content = {"organization_id": id_of(mine)}
    body = (await owner.post(f"{world.shop}/authorizations", json=content)).json()
    assert body["status"] == "accepted"
    assert body["accepted_at"]


async def test_only_an_owner_of_the_other_side_accepts(service: Service, world: World) -> None:
    refused = await service.as_("owner").patch(world.pending, json=ACCEPTED, headers=MERGE)
    check_problem(refused, "forbidden")
    # As the vocabulary calls the role.
    assert refused.json()["detail"] == (
        'Ask the owner of the authorized organization to do this; "Accept the authorization" is not for you.'
    )
    check_problem(await service.as_("member").patch(world.pending, json=ACCEPTED, headers=MERGE), "forbidden")
    check_problem(
        await service.as_("stranger").patch(world.pending, json=ACCEPTED, headers=MERGE), "not-found"
    )
    check_problem(
        await service.as_("colleague").patch(world.accepted, json=ACCEPTED, headers=MERGE), "forbidden"
    )


async def test_what_is_accepted_stays_so_until_it_is_revoked(service: Service, world: World) -> None:
    neighbour = service.as_("neighbour")
    read = await neighbour.get(world.accepted)
    for content in (ACCEPTED, {}, read.json()):
        again = await neighbour.patch(world.accepted, json=content, headers=MERGE)
        assert again.status_code == 200
        assert again.headers["ETag"] == read.headers["ETag"]
    answer = await neighbour.patch(world.accepted, json={"status": "pending"}, headers=MERGE)
    body: Any = check_problem(answer, "invalid-content")
    assert [violation["propertyPath"] for violation in body["violations"]] == ["status"]


@pytest.mark.parametrize("name", ["owner", "neighbour"])
@pytest.mark.parametrize("which", ["accepted", "pending"])
async def test_either_side_revokes_and_the_instance_is_out_of_sight_at_once(
    service: Service, world: World, name: str, which: str
) -> None:
    path, instance = getattr(world, which), world.shop if which == "accepted" else world.lab
    for other in ("member", "stranger"):
        refused = await service.as_(other).delete(path)
        check_problem(refused, "forbidden" if other == "member" else "not-found")
    assert (await service.as_(name).delete(path)).status_code == 204
    check_problem(await service.as_("neighbour").get(instance), "not-found")
    # Members of the other side could see it only when it was accepted.
    sees = {"owner": "gone", "member": "gone", "neighbour": "gone", "stranger": "not-found"}
    sees["colleague"] = "gone" if which == "accepted" else "not-found"
    for reader, problem in sees.items():
        check_problem(await service.as_(reader).get(path), problem)
    again = {"organization_id": id_of(world.initech)}
    answer = await service.as_("owner").post(f"{instance}/authorizations", json=again)
    assert answer.status_code == 201
    assert answer.json()["@id"] != BASE + path


async def test_an_organization_is_authorized_once(service: Service, world: World) -> None:
    for instance in (world.shop, world.lab):
        content = {"organization_id": id_of(world.initech)}
        answer = await service.as_("owner").post(f"{instance}/authorizations", json=content)
        body: Any = check_problem(answer, "already-authorized")
        assert body["violations"][0]["propertyPath"] == "organization_id"


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"organization_id": "01930000-0000-7000-8000-000000000000"},
        {"organization_id": "x"},
        {"organization": f"{BASE}/api/instances/01930000-0000-7000-8000-000000000000"},
        {"status": "accepted"},
        {
            "organization_id": "01930000-0000-7000-8000-000000000000",
            "organization": f"{BASE}/api/organizations/x",
        },
    ],
)
async def test_an_offer_to_nobody_is_refused(service: Service, world: World, content: dict[str, str]) -> None:
    answer = await service.as_("owner").post(f"{world.lab}/authorizations", json=content)
    check_problem(answer, "invalid-content")


async def test_an_offer_to_a_deleted_organization_or_to_the_owner_is_refused(
    service: Service, world: World
) -> None:
    for organization in (world.deleted_organization, world.acme):
        content = {"organization_id": id_of(organization)}
        answer = await service.as_("owner").post(f"{world.lab}/authorizations", json=content)
        check_problem(answer, "invalid-content")


async def test_who_may_not_offer_is_refused(service: Service, world: World) -> None:
    content = {"organization_id": id_of(world.globex)}
    for name, problem in (("member", "forbidden"), ("neighbour", "forbidden"), ("stranger", "not-found")):
        answer = await service.as_(name).post(f"{world.shop}/authorizations", json=content)
        check_problem(answer, problem)


async def test_deleting_an_organization_ends_what_it_was_offered(service: Service, world: World) -> None:
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    assert (await neighbour.delete(world.initech)).status_code == 204
    for path, instance in ((world.accepted, world.shop), (world.pending, world.lab)):
        check_problem(await owner.get(path), "gone")
        assert await ids(owner, f"{instance}/authorizations") == set()
        check_problem(await neighbour.get(instance), "not-found")
    newest = (await owner.get(f"{world.acme}/activities?order[sequence]=desc")).json()["member"][0]
    assert (newest["@type"], newest["object"]) == (["Activity", "Delete"], BASE + world.initech)


async def test_a_deleted_instance_is_gone_for_those_who_were_authorized(
    service: Service, world: World
) -> None:
    assert (await service.as_("owner").delete(world.shop)).status_code == 204
    for name in ("owner", "member", "neighbour", "colleague"):
        check_problem(await service.as_(name).get(world.shop), "gone")
        check_problem(await service.as_(name).get(world.accepted), "gone")
    check_problem(await service.as_("stranger").get(world.shop), "not-found")
    assert await ids(service.as_("neighbour"), f"{world.initech}/authorizations") == {id_of(world.pending)}
    # For ever: also when their organization is gone too.
    assert (await service.as_("neighbour").delete(world.initech)).status_code == 204
    for name in ("owner", "neighbour", "colleague"):
        check_problem(await service.as_(name).get(world.shop), "gone")
        check_problem(await service.as_(name).get(world.accepted), "gone")
