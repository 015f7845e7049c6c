"""What is peculiar to partners: each is led to itself."""

from __future__ import annotations

from app.addresses import item_path
from app.exchange import Exchange, Representation


async def me(exchange: Exchange) -> Representation:
    path = item_path("Partner", {"id": exchange.caller.partner_id})
    return Representation(status=303, location=exchange.contract.base + path)
