"""The service in process, and a small world in it, for tests that speak HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from httpx._types import CookieTypes
from starlette.routing import Router

from app.caller import READ, READ_ALL, WRITE
from app.exchange import Resource
from app.main import create_app
from app.representation.forms import EXPANDED, HTML, LINKSET, RDF_XML, TEXT
from app.representation.forms import offered as every_form
from app.security.local_issuer import local_issuer
from app.settings import Settings
from tests.promises import CONTRACT, check_promised

BASE = CONTRACT.base
JSON_LD, JSON, TURTLE = "application/ld+json", "application/json", "text/turtle"
PROBLEM, PATCH = "application/problem+json", "application/merge-patch+json"
SECURITY_CONTACT = "mailto:security@registry.example"
N_TRIPLES, N_QUADS, TRIG = "application/n-triples", "application/n-quads", "application/trig"
ACCEPT_POST = f"{JSON_LD}, {JSON}, {TURTLE}, {N_TRIPLES}, {N_QUADS}, {TRIG}"


class Client(httpx.AsyncClient):
    """It looks for no cookies, of which there are none: that takes longer than many an answer."""

    class NoCookies(httpx.Cookies):
        def extract_cookies(self, response: httpx.Response) -> None:
            assert "Set-Cookie" not in response.headers

    @property
    def cookies(self) -> httpx.Cookies:
        return self.NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: CookieTypes) -> None:
        raise NotImplementedError

    NO_COOKIES = NoCookies()


@dataclass
class Service:
    """`as_` is a client with the token of a partner, known by its subject; None has no token."""

    app: Router
    settings: Settings
    clients: dict[tuple[str | None, str], httpx.AsyncClient] = field(default_factory=dict)

    def token(self, subject: str, *scopes: str, lifetime: int = 3_600, audience: str | None = None) -> str:
        return local_issuer(self.settings.data_dir).token(
            audience=audience or self.settings.audience,
            subject=subject,
            email=f"{subject}@acme.example",
            name=subject.capitalize(),
            scopes=scopes or (WRITE,),
            lifetime=lifetime,
        )

    def as_(self, subject: str | None, *scopes: str) -> httpx.AsyncClient:
        key = (subject, " ".join(scopes))
        if key not in self.clients:
            headers = {"Authorization": f"Bearer {self.token(subject, *scopes)}"} if subject else {}
            transport = httpx.ASGITransport(self.app)
            hooks = {"response": [check_promised]}
            self.clients[key] = Client(transport=transport, base_url=BASE, headers=headers, event_hooks=hooks)
        return self.clients[key]

    async def close(self) -> None:
        for client in self.clients.values():
            await client.aclose()


def forms(route: Resource) -> list[str]:
    """What a path offers, in the order of preference."""
    return list(every_form(tuple(route.offers), BASE))


def kinds(route: Resource) -> list[str]:
    """One form of each kind that a path offers, for what all of a kind have in common."""
    kept = (JSON_LD, JSON, TURTLE, RDF_XML, EXPANDED, HTML, LINKSET, TEXT)
    return [form for form in forms(route) if form in kept]


def accepting(available: Mapping[str, Any]) -> str:
    """The media type with its profile that one of the entries of a 406 tells of."""
    profile = " ".join(available.get("profile", ()))
    return str(available["mediaType"]) + (f';profile="{profile}"' if profile else "")


@asynccontextmanager
async def running(database_url: str, data_dir: Path, **settings: Any) -> AsyncIterator[Service]:
    usual = {"public_url": BASE, "security_contact": (SECURITY_CONTACT,)}
    chosen = Settings(database_url=database_url, data_dir=data_dir, **usual | settings)
    app = create_app(chosen)
    async with app.lifespan_context(app):
        service = Service(app, chosen)
        try:
            yield service
        finally:
            await service.close()


@dataclass(frozen=True)
class World:
    """Paths of what is there.

    `acme` has an owner, `partner`, and a member, whose membership is `member`; `globex` is a stranger's.
    `initech` is a neighbour's, with a member of its own, and authorized for `shop`; `lab` was offered to it.
    """

    acme: str
    shop: str
    nested_shop: str
    lab: str
    deleted_shop: str
    deleted_organization: str
    globex: str
    globex_shop: str
    initech: str
    member: str
    removed_member: str
    accepted: str
    pending: str
    revoked: str
    activity: str
    partner: str
    absent: str = "/api/instances/01930000-0000-7000-8000-000000000000"

    @property
    def acme_id(self) -> str:
        return id_of(self.acme)

    @property
    def examples(self) -> dict[str, str]:
        """An item of each class, by the class's name."""
        return {
            "Organization": self.acme,
            "Instance": self.shop,
            "Partner": self.partner,
            "Member": self.member,
            "Authorization": self.accepted,
            "Activity": self.activity,
        }


def id_of(path: str) -> str:
    return path.rpartition("/")[2]


# Who asks in tests: the subject of the token and its scopes.
CALLERS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "owner": ("owner", (WRITE,)),
    "owner who may only read": ("owner", (READ,)),
    "member": ("member", (WRITE,)),
    "stranger": ("stranger", (WRITE,)),
    "neighbour": ("neighbour", (WRITE,)),
    "colleague": ("colleague", (WRITE,)),
    "auditor": ("auditor", (READ_ALL,)),
    "token without scope": ("owner", ("openid",)),
    "no token": (None, ()),
}


async def made(client: httpx.AsyncClient, path: str, **members: str) -> str:
    """The path of what was created."""
    answer = await client.post(path, json=members)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"].removeprefix(BASE)


async def offered(service: Service, instance: str, organization: str, *, accept: bool) -> str:
    """The path of an authorization by the instance's owner, for an organization of the neighbour."""
    content = {"organization_id": id_of(organization)}
    path = await made(service.as_("owner"), f"{instance}/authorizations", **content)
    if accept:
        answer = await service.as_("neighbour").patch(
            path, json={"status": "accepted"}, headers={"Content-Type": PATCH}
        )
        assert answer.status_code == 200, answer.text
    return path


async def populate(service: Service) -> World:
    owner, stranger, neighbour = (service.as_(name) for name in ("owner", "stranger", "neighbour"))
    acme = await made(owner, "/api/organizations", name="Acme")
    shop = await made(owner, f"{acme}/instances", name="Shop", handle="acme-shop")
    lab = await made(owner, f"{acme}/instances", name="Lab", handle="acme-lab")
    deleted_shop = await made(owner, f"{acme}/instances", name="Old", handle="acme-old")
    deleted_organization = await made(owner, "/api/organizations", name="Past")
    for path in (deleted_shop, deleted_organization):
        assert (await owner.delete(path)).status_code == 204
    globex = await made(stranger, "/api/organizations", name="Globex")
    globex_shop = await made(stranger, f"{globex}/instances", name="Globex", handle="globex")
    initech = await made(neighbour, "/api/organizations", name="Initech")
    await made(neighbour, f"{initech}/members", email="colleague@acme.example", role="member")
    member = await made(owner, f"{acme}/members", email="member@acme.example", role="member")
    removed_member = await made(owner, f"{acme}/members", email="past@acme.example", role="owner")
    revoked = await offered(service, lab, globex, accept=False)
    for path in (removed_member, revoked):
        assert (await owner.delete(path)).status_code == 204
    for name in ("member", "colleague"):
        assert (await service.as_(name).get("/api/me")).status_code == 303
    return World(
        acme=acme,
        shop=shop,
        nested_shop=f"{acme}/instances/{id_of(shop)}",
        lab=lab,
        deleted_shop=deleted_shop,
        deleted_organization=deleted_organization,
        globex=globex,
        globex_shop=globex_shop,
        initech=initech,
        member=member,
        removed_member=removed_member,
        accepted=await offered(service, shop, initech, accept=True),
        pending=await offered(service, lab, initech, accept=False),
        revoked=revoked,
        activity=(await owner.get(f"{acme}/activities")).json()["member"][0]["@id"].removeprefix(BASE),
        partner=(await owner.get("/api/me")).headers["Location"].removeprefix(BASE),
    )
