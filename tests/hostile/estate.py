"""What hostile requests can speak of: ids, tags, cursors, tokens and records of a small world."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.caller import READ, READ_ALL, WRITE
from app.security.local_issuer import ALGORITHM, LocalIssuer, local_issuer
from app.storage.database import Database
from tests.service import BASE, Service, World, id_of, made, populate, running

# A tenant that nobody else has to do with: no other caller may be told of it. Nobody sends these words.
HIDDEN, HIDDEN_PERSON, HIDDEN_SHOP = "markerxqworks", "markerxq", "markerxqshop"
# It can be asked for, and be found to be taken.
HIDDEN_HANDLE = "qxhandle"
CALLERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "owner": ("owner", (WRITE,)),
    "member": ("member", (WRITE,)),
    "reader": ("owner", (READ,)),
    "neighbour": ("neighbour", (WRITE,)),
    "colleague": ("colleague", (WRITE,)),
    "stranger": ("stranger", (WRITE,)),
    "auditor": ("auditor", (READ_ALL,)),
    "without scope": ("owner", ("openid",)),
}
LISTS = ("/api/organizations", "/api/instances", "/api/activities", "{acme}/members", "{acme}/activities")
ORDERS = ("", "order[name]=asc", "order[handle]=desc", "order[id]=asc", "order[updatedAt]=desc")
REPRESENTED = ("{acme}", "{shop}", "{lab}", "{member}", "{accepted}", "{globex}", "{partner}", "/api/docs")
CURSOR = re.compile(r"(?:after|before)=([\w-]{8,})")


@dataclass(frozen=True)
class Estate:
    """The same for each number of a list, in each making: only ids, times and what depends on them differ.

    The key of the tokens lies in `folder`. `values` are what stands for the variables of paths, by name, or,
    for `id`, by the class of the item. `cursors` come with the order that
    they are of. `marks` are words that the hidden tenant alone may meet; `named` are
    those that come to light with an id.
    """

    folder: Path
    world: World
    values: Mapping[str, Sequence[str]]
    cursors: Sequence[tuple[str, str]]
    tags: Sequence[str]
    records: Sequence[Mapping[str, Any]]
    tokens: Mapping[str, str]
    bad_tokens: Sequence[str]
    marks: Sequence[str]
    named: Mapping[str, str]


async def made_estate(url: str, folder: Path) -> Estate:
    """In a database without tables."""
    await Database(url).migrate()
    async with running(url, folder) as service:
        world = await populate(service)
        hidden = await _hidden(service)
        cursors, tags, records = await _seen(service, world)
        tokens = {name: service.token(subject, *scopes) for name, (subject, scopes) in CALLERS.items()}
        return Estate(
            folder=folder,
            world=world,
            values=_values(world, hidden),
            cursors=cursors,
            tags=tags,
            records=records,
            tokens=tokens,
            bad_tokens=_bad_tokens(service, tokens["owner"]),
            marks=(HIDDEN, HIDDEN_SHOP, f"{HIDDEN_PERSON}@", HIDDEN_HANDLE, *hidden.values()),
            named={hidden["organization_id"]: HIDDEN},
        )


async def _hidden(service: Service) -> dict[str, str]:
    """The ids of what the hidden tenant has, by the variables that they can stand for."""
    tenant = service.as_(HIDDEN_PERSON)
    organization = await made(tenant, "/api/organizations", name=HIDDEN)
    instance = await made(tenant, f"{organization}/instances", name=HIDDEN_SHOP, handle=HIDDEN_HANDLE)
    await made(tenant, "/api/organizations", name=HIDDEN)
    await made(tenant, f"{organization}/instances", name=HIDDEN_SHOP, handle=f"{HIDDEN_HANDLE}-two")
    member = await made(tenant, f"{organization}/members", email=f"{HIDDEN_PERSON}@b.example", role="member")
    activities = (await tenant.get(f"{organization}/activities")).json()["member"]
    return {
        "organization_id": id_of(organization),
        "instance_id": id_of(instance),
        "Member": id_of(member),
        "Activity": id_of(activities[0]["@id"]),
        "partner_id": id_of((await tenant.get("/api/me")).headers["Location"]),
    }


async def _seen(
    service: Service, world: World
) -> tuple[list[tuple[str, str]], list[str], list[dict[str, Any]]]:
    """Cursors, entity tags and records as real answers have them."""
    owner, hidden = service.as_("owner"), service.as_(HIDDEN_PERSON)
    cursors, tags, records = [], [], []
    for client in (owner, hidden):
        for path in LISTS[:2]:
            for order in ORDERS:
                answer = await client.get(f"{path}?itemsPerPage=1&after=&{order}".format(**vars(world)))
                cursors += [(order, cursor) for cursor in CURSOR.findall(answer.text)]
    for path in LISTS:
        answer = await owner.get(f"{path}?itemsPerPage=1&after=".format(**vars(world)))
        cursors += [("", cursor) for cursor in CURSOR.findall(answer.text)]
        tags.append(answer.headers.get("ETag", '""'))
    for path in REPRESENTED:
        for accept in ("application/ld+json", "application/json"):
            answer = await owner.get(path.format(**vars(world)), headers={"Accept": accept})
            tags.append(answer.headers.get("ETag", '""'))
            if path != "/api/docs" and answer.status_code == 200:
                records.append(answer.json())
    return cursors, tags, records


def _values(world: World, hidden: Mapping[str, str]) -> dict[str, list[str]]:
    organizations = [world.acme, world.initech, world.globex, world.deleted_organization, world.absent]
    instances = [world.shop, world.lab, world.deleted_shop, world.globex_shop, world.absent]
    instance_ids = [*map(id_of, instances), hidden["instance_id"]]
    organization_ids = [*map(id_of, organizations), hidden["organization_id"]]
    return {
        "organization_id": organization_ids,
        "instance_id": instance_ids,
        "partner_id": [id_of(world.partner), hidden["partner_id"], id_of(world.absent)],
        "handle": ["acme-shop", "acme-lab", "acme-old", "globex", HIDDEN_HANDLE, "nobody", "www"],
        "file": ["registry.jsonld", "problem.jsonld", "documentation.jsonld", "nothing.jsonld"],
        "type": ["gone", "conflict", "not-found", "nothing"],
        "Organization": organization_ids,
        "Instance": instance_ids,
        "Member": [id_of(world.member), id_of(world.removed_member), hidden["Member"]],
        "Authorization": [*map(id_of, (world.accepted, world.pending, world.revoked))],
        "Activity": [id_of(world.activity), hidden["Activity"]],
        "Partner": [id_of(world.partner), hidden["partner_id"]],
    }


def _bad_tokens(service: Service, good: str) -> list[str]:
    """Expired, for somebody else, forged, or good in form only: none of them lets anyone in."""
    claims = jwt.decode(good, options={"verify_signature": False})
    own = local_issuer(service.settings.data_dir)
    head, body, _ = good.split(".")
    key, typ = own._private_key, {"typ": "at+jwt"}
    changes: list[dict[str, object]] = [
        {"aud": "https://other.example"},
        {"iss": "https://evil.example"},
        {"exp": 1e308},
        {"exp": "9999999999"},
        {"exp": -1},
        {"sub": "x" * 10_000},
        {"sub": "nul\0"},
        {"sub": {"id": 1}},
        {"sub": ""},
        {"iat": claims["iat"] + 10_000},
        {"scope": ["registry:write"]},
        {"jti": None},
    ]
    return [
        service.token("owner", lifetime=-100),
        service.token("owner", audience="https://other.example"),
        LocalIssuer(Ed25519PrivateKey.generate()).token(
            audience=service.settings.audience,
            subject="owner",
            email=None,
            name=None,
            scopes=(WRITE,),
            lifetime=100,
        ),
        jwt.encode(claims, "", "none", headers=typ),
        jwt.encode(claims, "a secret that is long enough for HS256", "HS256", headers=typ),
        jwt.encode(claims, key, ALGORITHM, headers={"typ": "JWT"}),
        jwt.encode(claims, key, ALGORITHM, headers={**typ, "crit": ["b64"], "b64": False}),
        *(jwt.encode({**claims, **change}, key, ALGORITHM, headers=typ) for change in changes),
        f"{head}.{body}.",
        f"{head}..{body}",
        good[:-4],
        f"{good}.{body}",
        BASE,
    ]
