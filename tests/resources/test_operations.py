"""What a resource offers to its caller can be done, and what it does not offer is refused."""

from __future__ import annotations

from itertools import count

import httpx
import pytest

from app.contract.contract import Contract
from app.routes import ROUTES
from tests.service import BASE, CALLERS, JSON, PATCH, Service, World, id_of, made

pytestmark = pytest.mark.anyio

METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
REFUSED = {401, 403, 404, 405, 409, 410, 422}
NUMBERS = count(1)


def targets(world: World) -> list[str]:
    """Every kind of resource, those last by whose change others are lost."""
    return [
        "/api",
        "/api/docs",
        "/vocab",
        "/api/organizations",
        "/api/instances",
        "/api/activities",
        f"{world.acme}/instances",
        f"{world.acme}/members",
        f"{world.acme}/authorizations",
        f"{world.acme}/activities",
        f"{world.initech}/members",
        f"{world.initech}/authorizations",
        f"{world.partner}/memberships",
        world.partner,
        world.activity,
        f"{world.shop}/authorizations",
        world.removed_member,
        world.revoked,
        world.pending,
        world.member,
        world.globex,
        world.acme,
        world.initech,
        f"{world.lab}/transfer",
        f"{world.shop}/transfer",
        world.accepted,
        world.nested_shop,
        world.shop,
        world.lab,
    ]


def a_handle() -> str:
    digits = str(next(NUMBERS)).translate(str.maketrans("0123456789", "abcdefghij"))
    return f"new-{digits}"


def content_of(method: str, path: str, own: str, world: World) -> dict[str, str]:
    if path.endswith("/members"):
        return {"email": f"{a_handle()}@acme.example", "role": "member"}
    if path.endswith("/authorizations"):
        return {"organization_id": id_of(world.globex)}
    if path.endswith("/transfer"):
        return {"organization_id": id_of(world.initech)}
    if "/members/" in path:
        return {"role": "owner"}
    if "/authorizations/" in path:
        return {"status": "accepted"}
    if method == "POST" and path.endswith("instances"):
        parent = {"organization_id": own} if path == "/api/instances" else {}
        return {"name": "Another name", "handle": a_handle()} | parent
    return {"name": "Another name"}


async def perform(
    client: httpx.AsyncClient, method: str, path: str, own: str, world: World
) -> httpx.Response:
    if method not in ("POST", "PUT", "PATCH"):
        return await client.request(method, path)
    content = content_of(method, path, own, world)
    type_ = PATCH if method == "PATCH" else JSON
    return await client.request(method, path, json=content, headers={"Content-Type": type_})


@pytest.mark.parametrize("name", CALLERS)
async def test_what_is_offered_succeeds_and_all_else_is_refused(
    service: Service, world: World, name: str
) -> None:
    subject, scopes = CALLERS[name]
    client = service.as_(subject, *scopes)
    own, performed = world.acme, 0
    for path in targets(world):
        answer = await client.get(path)
        body = answer.json()
        offered = {operation["method"] for operation in body.get("operation", [])}
        if answer.status_code == 200 and path.startswith("/api") and path != "/api/docs":
            assert "GET" in offered, path
        if path in ("/api/docs", "/vocab"):
            offered = {"GET"}
        for method in METHODS:
            answer = await perform(client, method, path, id_of(own), world)
            if method in offered:
                assert answer.status_code < 400, (method, path, answer.text)
                performed += 1
                if (method, path) == ("POST", "/api/organizations"):
                    own = answer.headers["Location"]
            else:
                assert answer.status_code in REFUSED, (method, path, answer.status_code, answer.text)
            if answer.status_code == 204:
                break
    assert performed >= 3


async def test_an_organization_offers_to_be_deleted_when_it_owns_nothing(service: Service) -> None:
    owner = service.as_("owner")
    path = await made(owner, "/api/organizations", name="Empty")
    instance = await made(owner, f"{path}/instances", name="Shop", handle="corner-shop")

    async def methods() -> list[str]:
        return [operation["method"] for operation in (await owner.get(path)).json()["operation"]]

    assert await methods() == ["GET", "PATCH", "PUT"]
    assert (await owner.delete(path)).json()["type"] == f"{BASE}/problems/organization-not-empty"
    assert (await owner.delete(instance)).status_code == 204
    assert await methods() == ["GET", "PATCH", "PUT", "DELETE"]
    assert (await owner.delete(path)).status_code == 204
    assert (await owner.get(path)).status_code == 410


async def test_an_operation_offered_is_the_one_that_the_documentation_describes(
    service: Service, world: World
) -> None:
    owner = service.as_("owner")
    described: dict[str, dict[str, object]] = {}
    for class_ in (await owner.get("/api/docs")).json()["supportedClass"]:
        described |= {operation["@id"]: operation for operation in class_["supportedOperation"]}
    paths = [
        "/api",
        "/api/organizations",
        "/api/instances",
        f"{world.acme}/members",
        f"{world.shop}/transfer",
    ]
    for path in (*paths, *world.examples.values()):
        for operation in (await owner.get(path)).json()["operation"]:
            documented = described[operation["@id"]]
            for key in ("method", "title", "expects", "returns"):
                assert operation.get(key) == documented.get(key)


def test_every_promised_operation_has_a_route_and_every_route_a_promise(contract: Contract) -> None:
    """What the contract says nothing of is the way to it, the contract itself, and health."""
    unspoken = {
        "/", "/contexts/v1/{file}", "/problems", "/problems/{type}", "/livez", "/readyz",
        "/.well-known/oauth-protected-resource",
    }  # fmt: skip
    assert {route.path for route in ROUTES if not route.promise} == unspoken
    routed = {(route.promise, method) for route in ROUTES if route.promise for method in route.operations}
    promised = {(name, method) for name, found in contract.promises.items() for method in found}
    # What these links promise is what the collections promise that they lead to.
    repeated = {(name, method) for name in ("organizations", "instances") for method in ("GET", "POST")}
    assert routed == promised - repeated
    for route in ROUTES:
        if route.promise:
            assert set(route.operations) == set(contract.promises[route.promise]), route.path
