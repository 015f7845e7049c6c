"""HY-07 of the conformance list, on worlds of its own: what is tried there is lost."""

from __future__ import annotations

from itertools import count

import httpx
import pytest

from tests.service import CALLERS, JSON, PATCH, Service, World, id_of

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
async def test_hy_07_what_is_offered_succeeds_and_all_else_is_refused(
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
