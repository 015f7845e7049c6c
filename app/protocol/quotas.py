"""How much a caller may still ask, as the fields of an answer (draft-ietf-httpapi-ratelimit-headers)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

POLICY = "default"
# Who has one IPv6 address has the others of its network too.
NETWORK_BITS = 64


@dataclass(frozen=True)
class Standing:
    """Of `quota` requests in `window` seconds, `remaining` are left for the next `seconds`; then all are."""

    quota: int
    window: int
    remaining: int
    seconds: int

    @property
    def fields(self) -> list[tuple[str, str]]:
        return [
            ("RateLimit-Policy", f'"{POLICY}";q={self.quota};w={self.window}'),
            ("RateLimit", f'"{POLICY}";r={self.remaining};t={self.seconds}'),
        ]


def counted_as(partner_id: str | None, client: Sequence[object] | None) -> str:
    """The partner, whatever it comes from; who has not said who it is, by the peer's address.

    Never by a field that says where a request came from: anybody can write one.
    """
    if partner_id is not None:
        return f"partner {partner_id}"
    try:
        address = ip_address(str(client[0]) if client else "")
    except ValueError:
        return "nobody"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return f"address {address.ipv4_mapped}"
    if isinstance(address, IPv6Address):
        return f"network {int(address) >> (128 - NETWORK_BITS):x}"
    return f"address {address}"
