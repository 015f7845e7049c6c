"""Cursors: what leads from one page of a list to the next, sealed for one caller, filter and order."""

from __future__ import annotations

import zlib
from functools import lru_cache

import orjson

from app.caller import Caller
from app.security.seals import Seal
from app.storage.keys import text_key
from app.storage.pages import Listing, Position

# Whoever changes what stands in a cursor changes this too, so that older ones are refused.
FORM = "cursor 1"
# A name's key may be eight times as long as the name; an address must not (RFC 9110 section 4.1).
# No text begins with NUL, so this tells what was made shorter.
LONG, SHORTENED = 200, b"\0"

_seal = lru_cache(maxsize=4)(Seal)


class Cursors:
    """Those of one list in one order, as one caller pages through it; no other one can use them."""

    def __init__(self, key: bytes, caller: Caller, listing: Listing) -> None:
        self._seal = _seal(key)
        self._by_id = listing.order == "id"
        self._caller, self._listing = caller, listing
        self._bound = b""

    def _place(self) -> bytes:
        """What a cursor is bound to. Many a list is too short to have one."""
        if not self._bound:
            listing = self._listing
            contains = sorted((key, text_key(text)) for key, text in listing.contains.items())
            order = [listing.order, listing.descending]
            self._bound = orjson.dumps(
                [FORM, self._caller.partner_id, listing.class_name, listing.parent, contains, *order]
            )
        return self._bound

    def close(self, position: Position) -> str:
        value = b"" if self._by_id else position.value.encode()
        if len(value) > LONG:
            value = SHORTENED + zlib.compress(value)
        return self._seal.close(bytes.fromhex(position.id.replace("-", "")) + value, self._place())

    def open(self, cursor: str) -> Position | None:
        """None for what is no cursor of this list, order and caller."""
        text = self._seal.open(cursor, self._place())
        if text is None:
            return None
        digits, value = text[:16].hex(), text[16:]
        identifier = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        if value.startswith(SHORTENED):
            value = zlib.decompress(value[1:])
        return Position(identifier if self._by_id else value.decode(), identifier)
