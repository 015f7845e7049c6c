"""The service with two issuers, whose keys are on loopback; and how it refuses a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.security import fetched_keys
from app.settings import IssuerSetting
from tests.security.issuing import Clock, KeyServer, Signer, ec_key, ed_key, key_server, rsa_key
from tests.service import BASE, Service, running
from tests.test_sweep import check_problem

IDP, OTHER = "https://idp.example", "https://other.example"
RS256 = Signer(IDP, rsa_key(), "RS256", "r")
ES256 = Signer(IDP, ec_key(), "ES256", "e")
EDDSA = Signer(IDP, ed_key(), "EdDSA", "d")
SECOND = Signer(OTHER, ed_key(), "EdDSA", "d")  # with the kid of another issuer's key
METADATA = f'resource_metadata="{BASE}/.well-known/oauth-protected-resource"'


@dataclass
class Scene:
    """A service with two issuers, and the addresses of their keys. Its clock for keys stands still."""

    service: Service
    idp: KeyServer
    other: KeyServer
    clock: Clock

    @property
    def client(self) -> httpx.AsyncClient:
        return self.service.as_(None)

    async def ask(self, token: str, path: str = "/api/organizations", **more: Any) -> httpx.Response:
        return await self.client.get(path, headers={"Authorization": f"Bearer {token}"}, **more)


@asynccontextmanager
async def two_issuers(database_url: str, data_dir: Path, clock: Clock) -> AsyncIterator[Scene]:
    async with (
        key_server(RS256.jwk, ES256.jwk, EDDSA.jwk) as idp,
        key_server(SECOND.jwk) as other,
        running(database_url, data_dir, issuers=settings_of(idp, other)) as service,
    ):
        yield Scene(service, idp, other, clock)


def settings_of(idp: KeyServer, other: KeyServer) -> tuple[IssuerSetting, ...]:
    return (IssuerSetting(IDP, idp.address), IssuerSetting(OTHER, other.address, audience="other-audience"))


def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """That of the fetched keys, which wait as long as a slow machine takes."""
    clock = Clock()
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 600)
    monkeypatch.setattr(fetched_keys, "monotonic", clock)
    return clock


def second_token(**claims: Any) -> str:
    return SECOND.token(aud="other-audience", **claims)


def check_refused(answer: httpx.Response) -> dict[str, object]:
    assert answer.headers["WWW-Authenticate"] == f'Bearer error="invalid_token", {METADATA}'
    return check_problem(answer, "not-authenticated")
