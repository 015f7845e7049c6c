"""What the table of who sees what speaks of: the world of all tests, and what came to pass in it since."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.service import BASE, PATCH, Service, World, id_of, made, offered
from tests.test_graphs import crawl
from tests.visibility import ASKING, CLASSES, Asking


@dataclass(frozen=True)
class Estate:
    """Paths by thing; `acme/shop` is a nested one. `met` is what each has met from the entry point on."""

    service: Service
    paths: Mapping[str, str]
    expired: str
    met: dict[Asking, Mapping[str, httpx.Response]] = field(default_factory=dict)

    async def ask(self, asking: Asking, method: str, path: str, **sent: Any) -> httpx.Response:
        if not asking.expired:
            return await self.client(asking).request(method, path, **sent)
        headers = {**sent.pop("headers", {}), "Authorization": f"Bearer {self.expired}"}
        return await self.service.as_(None).request(method, path, **sent, headers=headers)

    def client(self, asking: Asking) -> httpx.AsyncClient:
        return self.service.as_(asking.subject, *asking.scopes)

    @property
    def auditor(self) -> httpx.AsyncClient:
        return self.client(ASKING["auditor"])

    async def crawl(self, asking: Asking) -> Mapping[str, httpx.Response]:
        """What is met by those who change nothing meanwhile."""
        if asking not in self.met:
            self.met[asking] = await crawl(self.client(asking), f"{BASE}/api")
        return self.met[asking]

    def thing_at(self, path: str) -> str:
        [name] = [name for name, known in self.paths.items() if known == path]
        return name


async def members(client: httpx.AsyncClient, path: str) -> AsyncIterator[dict[str, Any]]:
    """What a list holds, page after page."""
    address: str | None = path
    while address:
        body = (await client.get(address)).json()
        for member in body["member"]:
            yield member
        address = body["view"].get("next")


async def itself(service: Service, subject: str) -> str:
    """The path of a partner, who has come by this."""
    answer = await service.as_(subject).get("/api/me")
    return answer.headers["Location"].removeprefix(BASE)


async def settle(service: Service, world: World) -> Estate:
    """A transfer and a few gifts are made, and much is gone in the end."""
    land = _Land(service, _known(world))
    for name, subject in (
        ("umbrella", "invitee"),
        ("wayne", "donor"),
        ("extinct", "donor"),
        ("bygone", "donor"),
        ("lapsed", "donor"),
        ("outside", "outsider"),
        ("ended", "owner"),
    ):
        content = {"name": name.title()}
        land.paths[name] = await made(service.as_(subject), "/api/organizations", **content)
    await _exchange_instances(land)
    for organization, owner, subject in (
        ("acme", "owner", "former"),
        ("acme", "owner", "waiting"),
        ("ended", "owner", "companion"),
        ("umbrella", "invitee", "trainee"),
    ):
        await land.add(organization, owner, subject)
    for subject in {asking.subject for asking in ASKING.values() if asking.subject}:
        land.paths[f"partner {subject}"] = await itself(service, subject)
    await land.transfer("moved", "owner", "initech")
    for thing, subject in (
        ("closed", "owner"),
        ("bygone gift", "owner"),
        ("spent", "donor"),
        ("acme: former", "owner"),
        ("ended", "owner"),
        ("extinct", "donor"),
        ("lapsed", "donor"),
        ("shop > umbrella", "invitee"),
    ):
        await _done(service.as_(subject), "DELETE", land.paths[thing])
    for name in ("shop", "moved"):
        land.paths[f"acme/{name}"] = f"{world.acme}/instances/{id_of(land.paths[name])}"
    for organization in ("acme", "initech", "umbrella", "wayne", "bygone", "globex", "outside"):
        await land.look_up_members(organization)
    await land.look_up_activities()
    return Estate(service, land.paths, service.token("owner", lifetime=-100))


def _known(world: World) -> dict[str, str]:
    return {
        "acme": world.acme,
        "initech": world.initech,
        "globex": world.globex,
        "past": world.deleted_organization,
        "shop": world.shop,
        "lab": world.lab,
        "globex shop": world.globex_shop,
        "old": world.deleted_shop,
        "acme: past": world.removed_member,
        "shop > initech": world.accepted,
        "lab > initech": world.pending,
        "lab > globex": world.revoked,
    }


async def _exchange_instances(land: _Land) -> None:
    for name in ("moved", "closed"):
        await land.create(name, "owner", "acme")
        initech = land.paths["initech"]
        land.paths[f"{name} > initech"] = await offered(land.service, land.paths[name], initech, accept=True)
        await land.offer(f"{name} > umbrella", "owner")
    await land.create("outside shop", "outsider", "outside")
    for name, giver in (("gift", "wayne"), ("orphan", "extinct"), ("bygone gift", "bygone")):
        await land.create(name, "donor", giver)
        await land.offer(f"{name} > acme", "donor", accept="owner")
        await land.transfer(name, "donor", "acme")
    await land.create("spent", "donor", "wayne")
    await land.offer("spent > globex", "donor", accept="stranger")
    for thing in ("lab > umbrella", "gift > umbrella", "lab > lapsed"):
        await land.offer(thing, "owner")
    await land.offer("shop > umbrella", "owner", accept="invitee")


@dataclass(frozen=True)
class _Land:
    """What is being built: by things and subjects."""

    service: Service
    paths: dict[str, str]

    async def create(self, name: str, subject: str, organization: str) -> None:
        content = {"name": name.title(), "handle": f"an-{name.replace(' ', '-')}"}
        path = f"{self.paths[organization]}/instances"
        self.paths[name] = await made(self.service.as_(subject), path, **content)

    async def add(self, organization: str, owner: str, subject: str) -> None:
        content = {"email": f"{subject}@acme.example", "role": "member"}
        path = f"{self.paths[organization]}/members"
        self.paths[f"{organization}: {subject}"] = await made(self.service.as_(owner), path, **content)

    async def offer(self, thing: str, subject: str, accept: str | None = None) -> None:
        name, other = thing.split(" > ")
        content = {"organization_id": id_of(self.paths[other])}
        path = f"{self.paths[name]}/authorizations"
        self.paths[thing] = await made(self.service.as_(subject), path, **content)
        if accept is not None:
            await _done(self.service.as_(accept), "PATCH", self.paths[thing], {"status": "accepted"})

    async def transfer(self, name: str, subject: str, organization: str) -> None:
        content = {"organization_id": id_of(self.paths[organization])}
        await _done(self.service.as_(subject), "POST", f"{self.paths[name]}/transfer", content)

    async def look_up_members(self, organization: str) -> None:
        path = f"{self.paths[organization]}/members"
        async for member in members(self._auditor, path):
            subject = member["email"].partition("@")[0]
            self.paths[f"{organization}: {subject}"] = member["@id"].removeprefix(BASE)

    async def look_up_activities(self) -> None:
        """By what was done to which thing; of several such the last one."""
        things = {BASE + path: name for name, path in self.paths.items() if "/" not in name}
        async for activity in members(self._auditor, "/api/activities?itemsPerPage=100"):
            name = f"{activity['@type'][1]} {things.get(activity['object'])}"
            if name in CLASSES:
                self.paths[name] = activity["@id"].removeprefix(BASE)

    @property
    def _auditor(self) -> httpx.AsyncClient:
        return self.service.as_("auditor", *ASKING["auditor"].scopes)


async def _done(
    client: httpx.AsyncClient, method: str, path: str, content: Mapping[str, str] | None = None
) -> None:
    headers = {"Content-Type": PATCH} if method == "PATCH" else {}
    answer = await client.request(method, path, headers=headers, json=content)
    assert answer.is_success, answer.text
