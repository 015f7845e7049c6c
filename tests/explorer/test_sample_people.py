"""Signing in as one of the sample data's people: there for who sits at the machine, and for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.sample import add_sample
from app.settings import IssuerSetting
from app.storage.database import Database
from tests.service import BASE, Service, running

pytestmark = pytest.mark.anyio

PEOPLE = "/explorer/people"
HOST = BASE.removeprefix("http://")
OWN = {"Origin": BASE, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    database = Database(sqlite_url)
    await database.open()
    await add_sample(database)
    await database.close()
    async with running(sqlite_url, tmp_path) as service:
        yield service


def client(service: Service, peer: str = "127.0.0.1", base: str = BASE) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app, client=(peer, 1)), base_url=base)


async def test_who_sits_at_the_machine_gets_a_token_of_a_sample_person(service: Service) -> None:
    async with client(service) as here:
        found = await here.get(PEOPLE)
        assert found.headers["Cache-Control"] == "no-store"
        people = found.json()["people"]
        assert [it["name"] for it in people] == ["Acme owner", "Acme member", "Globex owner"]
        answer = await here.post(people[0]["address"], headers=OWN)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        fields = {"Authorization": f"Bearer {answer.json()['token']}"}
        assert (await here.get("/api/organizations", headers=fields)).json()["totalItems"] == 3
        assert (await here.post(f"{PEOPLE}/auditor", headers=OWN)).status_code == 404


async def test_who_is_called_as_one_of_them_but_has_another_address_is_none(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running(sqlite_url, tmp_path) as service, client(service) as here:
        me = await service.as_("neighbour").get("/api/me", follow_redirects=True)
        assert me.json()["email"] == "neighbour@acme.example"
        assert (await here.get(PEOPLE)).json() == {"people": []}
        assert (await here.post(f"{PEOPLE}/neighbour", headers=OWN)).status_code == 404


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no page says where it comes from"),
        pytest.param({"Origin": "https://elsewhere.example"}, id="a page of somebody else"),
        pytest.param({"Origin": "null"}, id="a page of nobody"),
        pytest.param({"Origin": "http://127.0.0.1:9"}, id="another port"),
        pytest.param({"Origin": f"https://{HOST}"}, id="another scheme"),
        pytest.param({**OWN, "Sec-Fetch-Site": "cross-site"}, id="the browser says cross-site"),
        pytest.param({**OWN, "Sec-Fetch-Site": "same-site"}, id="another port, says the browser"),
        pytest.param({**OWN, "X-Forwarded-For": "203.0.113.9"}, id="passed on by a proxy"),
        pytest.param({**OWN, "Forwarded": "for=203.0.113.9"}, id="passed on, as RFC 7239 has it"),
        pytest.param({**OWN, "Via": "1.1 proxy"}, id="passed on by any intermediary"),
        pytest.param({"Origin": "http://elsewhere.example", "Host": "elsewhere.example"}, id="DNS rebinding"),
    ],
)
async def test_nobody_else_gets_one(service: Service, fields: dict[str, str]) -> None:
    async with client(service) as here:
        answer = await here.post(f"{PEOPLE}/owner", headers=fields)
    assert answer.status_code in (404, 421)
    assert "token" not in answer.json()


@pytest.mark.parametrize("peer", ["192.0.2.7", "2001:db8::7", "not an address"])
async def test_a_peer_elsewhere_finds_nothing(service: Service, peer: str) -> None:
    async with client(service, peer) as elsewhere:
        assert (await elsewhere.get(PEOPLE)).status_code == 404
        assert (await elsewhere.post(f"{PEOPLE}/owner", headers=OWN)).status_code == 404
        assert (await elsewhere.options(PEOPLE)).status_code == 404


async def test_a_host_that_was_made_to_lead_here_finds_nothing(sqlite_url: str, tmp_path: Path) -> None:
    """Also where a deployment answers for any host."""
    base = "http://rebound.example"
    async with (
        running(sqlite_url, tmp_path, allowed_hosts=("*",)) as service,
        client(service, base=base) as rebound,
    ):
        assert (await rebound.get(PEOPLE)).status_code == 404
        assert (await rebound.post(f"{PEOPLE}/owner", headers={"Origin": base})).status_code == 404


async def test_without_sample_data_there_is_nobody_to_be(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url, tmp_path) as service, client(service) as here:
        assert (await here.get(PEOPLE)).json() == {"people": []}
        assert (await here.post(f"{PEOPLE}/owner", headers=OWN)).status_code == 404


async def test_where_others_issue_tokens_or_others_come_in_it_is_not_there(
    sqlite_url: str, tmp_path: Path
) -> None:
    for settings in (
        {"public_url": "https://registry.example"},
        {"issuers": (IssuerSetting("https://issuer.example", "http://127.0.0.1:9/keys"),)},
    ):
        async with running(sqlite_url, tmp_path, **settings) as service:
            base = str(settings.get("public_url", BASE))
            async with client(service, base=base) as here:
                assert (await here.get(PEOPLE)).status_code == 404
                page = await here.get("/api", headers={"Accept": "text/html"})
                assert "data-sign-in" not in page.text
