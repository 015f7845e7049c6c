"""Every problem that a request alone can lead to, asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from app.resources import items
from app.storage.failures import unavailable
from tests.service import BASE, CALLERS, JSON, PATCH, Service, World, id_of, running

MERGE, TEXT = {"Content-Type": PATCH}, {"Content-Type": JSON}
# What leaks out of a fault unless somebody sees to it.
SECRET = 'Traceback (most recent call last): File "/usr/lib/sqlite3.py", SELECT secret FROM instances'


@dataclass(frozen=True, eq=False)
class Asked:
    """A request whose answer is a problem; `path` may name a member of the world."""

    problem: str
    status: int
    path: str
    method: str = "GET"
    caller: str = "owner"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    # Of the service, where its own are not those that lead there.
    settings: Mapping[str, Any] = field(default_factory=dict)
    # What is raised instead of carrying out this step of an operation on an item.
    fault: Exception | None = None
    step: str = "find"

    def __str__(self) -> str:
        return f"{self.status} {self.problem} {self.method} {self.path}"

    async def of(self, service: Service, world: World, **headers: str) -> httpx.Response:
        if not self.settings:
            return await self._sent(service, world, headers)
        settings = service.settings
        async with running(settings.database_url, settings.data_dir, **self.settings) as other:
            return await self._sent(other, world, headers)

    async def _sent(self, service: Service, world: World, headers: Mapping[str, str]) -> httpx.Response:
        subject, scopes = CALLERS[self.caller]
        names = {"initech_id": id_of(world.initech), "ownership": await _ownership(service, world)}
        with pytest.MonkeyPatch.context() as patch:
            if self.fault is not None:
                patch.setattr(items, self.step, _failing(self.fault))
            return await service.as_(subject, *scopes).request(
                self.method,
                self.path.format(**vars(world), **names),
                headers={**self.headers, **headers},
                json=self._filled(names),
                content=self.content,
            )

    def _filled(self, names: Mapping[str, str]) -> Any:
        """With the names that its values may hold."""
        if not isinstance(self.json, dict):
            return self.json
        strings = {key: value for key, value in self.json.items() if isinstance(value, str)}
        return {**self.json, **{key: value.format(**names) for key, value in strings.items()}}


async def _ownership(service: Service, world: World) -> str:
    """The path of the membership of the only owner."""
    if service.settings.max_concurrent_requests == 0:
        return ""
    [owner] = (await service.as_("owner").get(world.acme)).json()["owners"]
    return str(owner["@id"]).removeprefix(BASE)


def _failing(fault: Exception) -> Any:
    async def fail(*_: object) -> None:
        raise fault

    return fail


ASKED = (
    Asked("not-authenticated", 401, "{shop}", caller="no token"),
    Asked("not-authenticated", 401, "/api/docs", caller="no token", headers={"Authorization": "Bearer x"}),
    Asked("insufficient-scope", 403, "{shop}", caller="token without scope"),
    Asked("insufficient-scope", 403, "{shop}", "DELETE", "owner who may only read"),
    Asked("forbidden", 403, "{shop}", "PATCH", "member", headers=MERGE, json={"name": "New"}),
    Asked("not-found", 404, "/nope"),
    Asked("not-found", 404, "/api/instances/42"),
    Asked("not-found", 404, "{globex_shop}"),
    Asked("not-found", 404, "{absent}", "DELETE"),
    Asked("method-not-allowed", 405, "{shop}", "POST", json={}),
    Asked("method-not-allowed", 405, "/api/docs", "DELETE", "no token"),
    Asked("not-acceptable", 406, "{shop}", headers={"Accept": "image/png"}),
    Asked("handle-taken", 409, "{acme}/instances", "POST", json={"name": "New", "handle": "globex"}),
    Asked("organization-not-empty", 409, "{acme}", "DELETE"),
    Asked("last-owner", 409, "{ownership}", "DELETE"),
    Asked(
        "already-member",
        409,
        "{acme}/members",
        "POST",
        json={"email": "member@acme.example", "role": "member"},
    ),
    Asked(
        "already-authorized", 409, "{shop}/authorizations", "POST", json={"organization_id": "{initech_id}"}
    ),
    Asked("gone", 410, "{deleted_shop}"),
    Asked("gone", 410, "{deleted_organization}", "DELETE"),
    Asked("precondition-failed", 412, "{shop}", "DELETE", headers={"If-Match": '"0.0"'}),
    Asked("precondition-failed", 412, "/api/docs", headers={"If-Match": '"0"'}),
    Asked("content-too-large", 413, "/api/organizations", "POST", headers=TEXT, content=b" " * 1_048_577),
    Asked("uri-too-long", 414, "/api/instances?" + "x" * 8_000),
    Asked(
        "unsupported-media-type",
        415,
        "/api/organizations",
        "POST",
        headers={"Content-Type": "text/plain"},
        content=b"x",
    ),
    Asked("unsupported-media-type", 415, "/api/organizations", "POST", content=b"{}"),
    Asked("misdirected-request", 421, "{shop}", headers={"Host": "evil.example"}),
    Asked("invalid-content", 422, "/api/instances", "POST", json={"name": " ", "handle": "X", "colour": 1}),
    Asked("invalid-content", 422, "{shop}", "PATCH", headers=MERGE, content=b"[]"),
    Asked("precondition-required", 428, "{shop}", "DELETE", settings={"require_if_match": True}),
    # What was asked before, to know the membership, was the one request.
    Asked("too-many-requests", 429, "{shop}", settings={"rate_limit": "1/hour"}),
    Asked("header-fields-too-large", 431, "{shop}", headers={"X-Long": "x" * 40_000}),
    Asked("header-fields-too-large", 431, "{shop}", headers={f"X-{number}": "x" for number in range(101)}),
    Asked("malformed-content", 400, "/api/organizations", "POST", headers=TEXT, content=b"{"),
    Asked("malformed-content", 400, "{shop}", "PATCH", headers=MERGE, content=b"\xff"),
    Asked("invalid-parameter", 400, "/api/instances?page=0"),
    Asked("invalid-parameter", 400, "/api/instances?name=%ff"),
    Asked("invalid-parameter", 400, "/api?zzz=1", headers={"Prefer": "handling=strict"}),
    Asked("internal-error", 500, "{shop}", fault=RuntimeError(SECRET)),
    Asked(
        "internal-error",
        500,
        "{shop}",
        "PATCH",
        headers=MERGE,
        json={"name": "New"},
        fault=RuntimeError(SECRET),
        step="change",
    ),
    Asked("not-implemented", 501, "{shop}", "FROB"),
    Asked("not-implemented", 501, "/api", "TRACE", "no token"),
    Asked("unavailable", 503, "{shop}", fault=unavailable()),
    Asked("unavailable", 503, "{shop}", settings={"max_concurrent_requests": 0}),
)
