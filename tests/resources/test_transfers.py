"""Transfer: an instance goes to an organization that accepted an authorization for it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.service import BASE, JSON, PATCH, Service, World, id_of, made, offered
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
MERGE = {"Content-Type": PATCH}


async def transfer(
    client: httpx.AsyncClient, instance: str, organization: str, **fields: str
) -> httpx.Response:
    content = {"organization_id": id_of(organization)}
    return await client.post(f"{instance}/transfer", json=content, headers=fields)


async def test_what_is_possible_is_the_organizations_that_accepted(service: Service, world: World) -> None:
    owner = service.as_("owner")
    body = (await owner.get(f"{world.shop}/transfer")).json()
    assert body["@type"] == ["Collection", "TransferTargetCollection"]
    [target] = body["member"]
    # Of an organization that is not one's own there is the name, and nothing else.
    assert target == {
        "@id": BASE + world.initech,
        "@type": "Organization",
        "id": id_of(world.initech),
        "name": "Initech",
    }
    assert [operation["method"] for operation in body["operation"]] == ["GET", "POST"]
    nothing = (await owner.get(f"{world.lab}/transfer")).json()
    assert (nothing["totalItems"], nothing["member"]) == (0, [])
    assert [operation["method"] for operation in nothing["operation"]] == ["GET"]
    nested = await owner.get(f"{world.nested_shop}/transfer")
    assert nested.json()["@id"] == f"{BASE}{world.shop}/transfer"
    assert nested.headers["Content-Location"] == f"{BASE}{world.shop}/transfer"
    for name, problem in (("member", "forbidden"), ("neighbour", "forbidden"), ("stranger", "not-found")):
        check_problem(await service.as_(name).get(f"{world.shop}/transfer"), problem)
    assert (
        await service.as_("auditor", "registry:read-all").get(f"{world.shop}/transfer")
    ).status_code == 200


async def test_a_transfer_moves_the_owner_and_keeps_everything_else(service: Service, world: World) -> None:
    """API.md section 3: id, handle, name and time of creation stay; all authorizations end."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    third = await made(service.as_("stranger"), "/api/organizations", name="Third")
    other = await offered(service, world.shop, third, accept=False)
    before = (await owner.get(world.shop, headers={"Accept": JSON})).json()
    answer = await transfer(owner, world.shop, world.initech)
    assert answer.status_code == 200
    assert answer.json()["@id"] == answer.headers["Content-Location"] == BASE + world.shop
    after = (await neighbour.get(world.shop, headers={"Accept": JSON})).json()
    moved = {"organization_id": id_of(world.initech), "updated_at": after["updated_at"]}
    assert after == before | moved
    assert after["updated_at"] > before["updated_at"]
    assert {key: answer.json()[key] for key in after} == after
    for path in (world.accepted, other):
        check_problem(await owner.get(path), "gone")
    assert (await neighbour.get(f"{world.shop}/authorizations")).json()["totalItems"] == 0
    for name in ("owner", "member", "stranger"):
        check_problem(await service.as_(name).get(world.shop), "not-found")
    nested = f"{world.initech}/instances/{id_of(world.shop)}"
    assert (await neighbour.get(nested)).json()["@id"] == BASE + world.shop
    for client in (owner, neighbour):
        check_problem(await client.get(world.nested_shop), "not-found")
    assert (await neighbour.get("/api/handles/acme-shop")).headers["Location"] == BASE + world.shop
    renamed = await neighbour.patch(world.shop, json={"name": "Ours"}, headers=MERGE)
    assert renamed.status_code == 200


async def test_who_has_parted_with_an_instance_is_not_led_to_what_it_cannot_see(
    service: Service, world: World
) -> None:
    body = (await transfer(service.as_("owner"), world.shop, world.initech)).json()
    assert set(body) == {
        "@context", "@id", "@type", "id", "name", "handle", "created_at", "updated_at", "organization_id",
        "created_by_organization_id",
    }  # fmt: skip


async def test_who_owns_both_sides_transfers_and_goes_on(service: Service, world: World) -> None:
    owner = service.as_("owner")
    mine = await made(owner, "/api/organizations", name="Mine too")
    await offered(service, world.lab, mine, accept=False)
    answer = await transfer(owner, f"{world.acme}/instances/{id_of(world.lab)}", mine)
    assert answer.status_code == 200
    assert [operation["method"] for operation in answer.json()["operation"]] == [
        "GET",
        "PATCH",
        "PUT",
        "DELETE",
    ]
    assert answer.json()["created_by_organization"] == BASE + world.acme


@pytest.mark.parametrize("name", ["pending", "never offered", "absent", "the owner itself", "nothing"])
async def test_it_goes_to_nobody_else(service: Service, world: World, name: str) -> None:
    """422, the same whether there is such an organization or not (TN-06)."""
    targets = {
        "pending": (world.lab, world.initech),
        "never offered": (world.shop, world.globex),
        "absent": (world.shop, world.absent),
        "the owner itself": (world.shop, world.acme),
        "nothing": (world.shop, ""),
    }
    answer = await transfer(service.as_("owner"), *targets[name])
    body: Any = check_problem(answer, "invalid-content")
    assert [violation["propertyPath"] for violation in body["violations"]] == ["organization_id"]
    assert (await service.as_("owner").get(targets[name][0])).status_code == 200


async def test_only_an_owner_transfers(service: Service, world: World) -> None:
    for name, problem in (("member", "forbidden"), ("neighbour", "forbidden"), ("stranger", "not-found")):
        check_problem(await transfer(service.as_(name), world.shop, world.initech), problem)


async def test_a_transfer_depends_on_the_version_that_it_names(service: Service, world: World) -> None:
    owner = service.as_("owner")
    tag = (await owner.get(world.shop)).headers["ETag"]
    await owner.patch(world.shop, json={"name": "New"}, headers=MERGE)
    stale = await transfer(owner, world.shop, world.initech, **{"If-Match": tag})
    check_problem(stale, "precondition-failed")
    # A tag from any representation serves, that of the targets among them.
    tag = (await owner.get(f"{world.shop}/transfer")).headers["ETag"]
    assert (await transfer(owner, world.shop, world.initech, **{"If-Match": tag})).status_code == 200
    others = (await service.as_("neighbour").get(f"{world.shop}/authorizations")).headers["ETag"]
    assert "." not in others


async def test_an_instance_names_no_creator_that_is_gone(service: Service, world: World) -> None:
    """API.md section 3: its id stays, and there is no link that leads to nothing."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    assert (await transfer(owner, world.shop, world.initech)).status_code == 200
    body = (await neighbour.get(world.shop)).json()
    # While it is there, whoever sees the instance may know what it is called.
    creator = (await neighbour.get(body["created_by_organization"])).json()
    assert set(creator) == {"@context", "@id", "@type", "id", "name", "operation"}
    assert (await owner.delete(world.lab)).status_code == 204
    assert (await owner.delete(world.acme)).status_code == 204
    body = (await neighbour.get(world.shop)).json()
    assert body["created_by_organization_id"] == world.acme_id
    assert "created_by_organization" not in body
    check_problem(await neighbour.get(world.acme), "gone")
