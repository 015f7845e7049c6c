"""Callers are told apart as finely as they can be, and told in structured fields what they have left."""

from __future__ import annotations

import http_sf
import pytest

from app.protocol.quotas import Standing, counted_as

PARTNER = "01930000-0000-7000-8000-000000000000"


def test_rl_02_the_fields_are_structured_lists() -> None:
    fields = Standing(quota=100, window=60, remaining=50, seconds=30).fields
    assert {name: http_sf.parse(value.encode(), tltype="list") for name, value in fields} == {
        "RateLimit-Policy": [("default", {"q": 100, "w": 60})],
        "RateLimit": [("default", {"r": 50, "t": 30})],
    }


@pytest.mark.parametrize("client", [("192.0.2.1", 1), ("::1", 1), ("", 0), None])
def test_a_partner_is_the_same_from_everywhere(client: tuple[str, int] | None) -> None:
    assert counted_as(PARTNER, client) == f"partner {PARTNER}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("192.0.2.1", "192.0.2.1", id="another port"),
        pytest.param("2001:db8::1", "2001:db8::ffff:1", id="another address of the same network"),
        pytest.param("192.0.2.1", "::ffff:192.0.2.1", id="the same address, mapped"),
        pytest.param("", "testclient", id="no address"),
    ],
)
def test_without_a_partner_the_address_counts(one: str, other: str) -> None:
    assert counted_as(None, (one, 1)) == counted_as(None, (other, 2))


def test_different_addresses_count_apart() -> None:
    addresses = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8:0:1::1", "::1", "")
    assert len({counted_as(None, (address, 1)) for address in addresses}) == len(addresses)
    assert counted_as(None, None) == counted_as(None, ("", 1))
