"""For every operation of the documentation a request that succeeds, on something of its own to change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.routes import ROUTES
from tests.conformance.fresh import fresh_handle, instance_of, organization_of
from tests.promises import CONTRACT, OPERATIONS
from tests.service import CALLERS, JSON, PATCH, Service, World, id_of, made, offered
from tests.test_sweep import concrete


@dataclass(frozen=True)
class Request:
    """`organization` is the path of the one that the content names, or would have to."""

    method: str
    path: str
    content: Mapping[str, Any] | None = None
    caller: str = "owner"
    organization: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    octets: bytes | None = None

    async def of(self, service: Service) -> httpx.Response:
        subject, scopes = CALLERS[self.caller]
        return await self.sent(service.as_(subject, *scopes))

    async def sent(self, client: httpx.AsyncClient) -> httpx.Response:
        type_ = {"POST": JSON, "PUT": JSON, "PATCH": PATCH}.get(self.method)
        fields = {"Content-Type": type_} if type_ else {}
        return await client.request(
            self.method, self.path, json=self.content, content=self.octets, headers={**fields, **self.headers}
        )


Made = Callable[[Service, World], Awaitable[Request]]


async def request_of(name: str, service: Service, world: World) -> Request:
    """For the operation with this name."""
    if name in CHANGES:
        return await CHANGES[name](service, world)
    operation = OPERATIONS[name]
    routes = [it for it in ROUTES if it.promise and operation in CONTRACT.promises[it.promise].values()]
    # An instance at its own address; a list that may be of something, as that.
    route = routes[-1 if name.startswith("Instance-") else 0]
    return Request(operation.method, concrete(route, world), organization=world.acme)


def fresh_email() -> str:
    return f"{fresh_handle()}@acme.example"


async def membership(service: Service, organization: str, role: str = "member") -> str:
    content = {"email": fresh_email(), "role": role}
    return await made(service.as_("owner"), f"{organization}/members", **content)


async def _organization_created(service: Service, world: World) -> Request:
    return Request("POST", "/api/organizations", {"name": "New"})


async def _instance_created(service: Service, world: World) -> Request:
    content = {"name": "New", "handle": fresh_handle()}
    return Request("POST", f"{world.acme}/instances", content, organization=world.acme)


async def _member_added(service: Service, world: World) -> Request:
    return Request("POST", f"{world.acme}/members", {"email": fresh_email(), "role": "member"})


async def _authorization_offered(service: Service, world: World) -> Request:
    instance = await instance_of(service, world.acme)
    content = {"organization_id": id_of(world.globex)}
    return Request("POST", f"{instance}/authorizations", content, organization=world.globex)


async def _instance_transferred(service: Service, world: World) -> Request:
    instance = await instance_of(service, world.acme)
    await offered(service, instance, world.initech, accept=True)
    content = {"organization_id": id_of(world.initech)}
    return Request("POST", f"{instance}/transfer", content, organization=world.initech)


async def _authorization_accepted(service: Service, world: World) -> Request:
    pending = await offered(service, await instance_of(service, world.acme), world.initech, accept=False)
    return Request("PATCH", pending, {"status": "accepted"}, "neighbour")


async def _authorization_revoked(service: Service, world: World) -> Request:
    pending = await offered(service, await instance_of(service, world.acme), world.initech, accept=False)
    return Request("DELETE", pending)


def _renamed(method: str, key: str) -> Made:
    async def renamed(service: Service, world: World) -> Request:
        return Request(method, getattr(world, key), {"name": f"New {fresh_handle()}"})

    return renamed


async def _role_changed(service: Service, world: World) -> Request:
    return Request("PATCH", await membership(service, world.acme), {"role": "owner"})


async def _member_removed(service: Service, world: World) -> Request:
    return Request("DELETE", await membership(service, world.acme))


async def _organization_deleted(service: Service, world: World) -> Request:
    return Request("DELETE", await organization_of(service))


async def _instance_deleted(service: Service, world: World) -> Request:
    return Request("DELETE", await instance_of(service, world.acme))


CHANGES: Mapping[str, Made] = {
    "OrganizationCollection-create": _organization_created,
    "Organization-rename": _renamed("PATCH", "acme"),
    "Organization-replace": _renamed("PUT", "acme"),
    "Organization-delete": _organization_deleted,
    "MemberCollection-add": _member_added,
    "Member-change": _role_changed,
    "Member-remove": _member_removed,
    "InstanceCollection-create": _instance_created,
    "Instance-rename": _renamed("PATCH", "shop"),
    "Instance-replace": _renamed("PUT", "shop"),
    "Instance-delete": _instance_deleted,
    "AuthorizationCollection-offer": _authorization_offered,
    "Authorization-accept": _authorization_accepted,
    "Authorization-revoke": _authorization_revoked,
    "TransferTargetCollection-transfer": _instance_transferred,
}
