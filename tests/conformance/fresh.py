"""Resources of a test's own, in a service that a whole module shares."""

from __future__ import annotations

import json
from itertools import count

import httpx

from tests.service import PATCH, Service, made

MERGE = {"Content-Type": PATCH}
NUMBERS = count(1)


def fresh_handle() -> str:
    digits = str(next(NUMBERS)).translate(str.maketrans("0123456789", "abcdefghij"))
    return f"fresh-{digits}"


async def organization_of(service: Service, subject: str = "owner", name: str = "Fresh") -> str:
    """The path of a new organization, with this partner as its only owner."""
    return await made(service.as_(subject), "/api/organizations", name=name)


async def instance_of(
    service: Service, organization: str | None = None, subject: str = "owner", name: str = "Shop"
) -> str:
    """The path of a new instance, of a new organization unless one is named."""
    owner = organization or await organization_of(service, subject)
    return await made(service.as_(subject), f"{owner}/instances", name=name, handle=fresh_handle())


async def patched(client: httpx.AsyncClient, path: str, content: object, **fields: str) -> httpx.Response:
    """Also with `null`, for which the client's own `json` sends nothing."""
    return await client.patch(path, content=json.dumps(content), headers=MERGE | fields)


async def tag_of(client: httpx.AsyncClient, path: str, **fields: str) -> str:
    tag: str = (await client.get(path, headers=fields)).headers["ETag"]
    return tag
