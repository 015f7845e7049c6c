"""Section 2 of the conformance list: the profiles of JSON-LD, as far as there is one form of it."""

from __future__ import annotations

import re

import pytest

from tests.conformance.answers import every_kind, link_values
from tests.service import JSON_LD, Service, World

pytestmark = pytest.mark.anyio

RESERVED = "http://www.w3.org/ns/json-ld"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.mark.parametrize(
    "profile", ['"urn:x:unknown"', "urn:x:unknown", f'"urn:x:unknown {RESERVED}#unknown"', '""']
)
async def test_pf_06_a_profile_that_is_not_known_is_ignored(
    service: Service, world: World, profile: str
) -> None:
    owner = service.as_("owner")
    usual = await owner.get(world.shop)
    answer = await owner.get(world.shop, headers={"Accept": f"{JSON_LD};profile={profile}"})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JSON_LD)
    assert answer.content == usual.content


async def test_pf_15_nothing_is_named_that_json_ld_reserves(service: Service, world: World) -> None:
    """But for the relation and the profiles that JSON-LD itself defines."""
    named: set[str] = set()
    for answer in await every_kind(service, world):
        named |= {link.rel for link in link_values(answer) if link.rel.startswith(RESERVED)}
        named |= set(re.findall(rf"{RESERVED}[^\"\s]*", answer.text))
    defined = ("context", "expanded", "compacted", "flattened", "framed")
    assert named == {f"{RESERVED}#{name}" for name in defined}
