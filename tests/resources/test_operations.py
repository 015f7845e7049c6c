"""What a resource offers is what the contract promises and the documentation describes."""

from __future__ import annotations

import pytest

from app.contract.contract import Contract
from app.routes import ROUTES
from tests.service import BASE, Service, World, made

pytestmark = pytest.mark.anyio


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


async def test_who_owned_nothing_but_what_is_deleted_is_not_offered_to_create_an_instance(
    service: Service,
) -> None:
    owner, other = service.as_("owner"), service.as_("other")
    path = await made(owner, "/api/organizations", name="Past")

    async def methods() -> list[str]:
        return [operation["method"] for operation in (await owner.get("/api/instances")).json()["operation"]]

    assert await methods() == ["GET", "POST"]
    assert (await owner.delete(path)).status_code == 204
    assert await methods() == ["GET"]
    there = await made(other, "/api/organizations", name="Other")
    await made(other, f"{there}/instances", name="Shop", handle="corner-shop")
    for role, offered in (("member", ["GET"]), ("owner", ["GET", "POST"])):
        member = await made(other, f"{there}/members", email="owner@acme.example", role=role)
        assert (await owner.get("/api/instances")).json()["totalItems"] == 1
        assert await methods() == offered
        assert (await other.delete(member)).status_code == 204


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
        "/", "/contexts", "/contexts/v1/{file}", "/problems", "/problems/{type}", "/livez", "/readyz",
        "/.well-known/api-catalog", "/.well-known/void", "/.well-known/oauth-protected-resource",
        "/.well-known/security.txt", "/robots.txt", "/api/openapi.json", "/api/reference",
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
