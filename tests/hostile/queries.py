"""Queries: parameters of lists with rubbish, and cursors that nobody was given."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes

from app.contract.definitions import Variable
from app.exchange import Resource
from tests.hostile.content import NAUGHTY
from tests.hostile.estate import Estate
from tests.promises import CONTRACT

IN_QUERIES = "%&=[]+;:@/?!$'()*,-._~{}|\\^`\"<>"
RUBBISH = (
    *(
        "42",
        "%00",
        "..",
        "%2e%2e",
        "%2F",
        "%5c",
        "%ff",
        "%",
        "%zz",
        "%ED%A0%80",
        "*",
        ";x=y",
        "a b",
        "%0d%0a",
    ),
    *("01930000-0000-4000-8000-000000000000", "01930000-0000-7000-8000-00000000000A", "null", "%F0%9F%92%A9"),
    *("{id}", "a" * 300, "%25", "%250", "-", "--a", "\u0130", "'", "1' OR '1'='1", "%u0041", "[::1]", "@id"),
)
BOMB = zlib.compress(b"[" * 10_000_000)
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/"
NO_NAMES = (
    *RUBBISH,
    "",
    "__class__",
    "name[]",
    "page",
    "order[]",
    "order[name",
    "order[email]",
    "deleted_at",
)
CURSORS = ("after", "before")
NUMBERS = (
    *("1", "2", "100", "30", "0", "101", "-1", "1e3", "01", "\u0663", "\u00b2", "1.0", " 1", "+1", ""),
    *("0x1", "1_0", "9" * 18, "9" * 19, "9" * 5_000, "1%0A", "NaN", "true", "[1]"),
)
DIRECTIONS = ("asc", "desc", "ASC", "Desc", "up", "", "asc,desc", "\u212aasc", "asc%20", "asc;drop")
TEXTS = (
    *(*RUBBISH, "a", "%25", "_", "acme", "SHOP", "x" * 255, "x" * 256, "x" * 10_000, "\u0130", "%E2%80%AE"),
    *("+", "a%00b", "\\", "%5C%25", "'", "%F0%9F%92%A9" * 200, "%EF%AC%83", "*", "[", "^", "{}"),
)
IN_CURSORS: tuple[Any, ...] = (
    *(
        "name",
        "handle",
        "created_at",
        "id",
        "deleted_at",
        "\0",
        "a\0",
        "",
        "x" * 600,
        "9" * 30,
        "0",
        "\ud800",
    ),
    *("0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z", "2026-01-01", "1e3", "-infinity"),
    *(None, True, False, -1, 1e300, [], {}),
)


def query(random: Random, route: Resource, estate: Estate) -> bytes:
    definition = CONTRACT.classes.get(CONTRACT.ranges.get(route.promise, route.promise))
    known = [variable.name for variable in definition.variables] if definition else []
    known += [name for name in CURSORS if name in known] * 2
    pieces = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        name = random.choice(known if known and random.random() < 0.85 else NO_NAMES)
        text = _parameter(random, name, estate)
        if name in CURSORS and definition and random.random() < 0.5:
            text = _forged(random, [variable for variable in definition.variables if variable.orders], estate)
        pieces.append(f"{random.choice((name, quote(name)))}={text}" if random.random() < 0.97 else name)
    if random.random() < 0.05:
        pieces *= random.choice((2, 80))
    query = random.choice(("&", "&", "&", "&", ";", "&&")).join(pieces)
    return quote_from_bytes(query.encode("utf-8", "surrogatepass"), safe=IN_QUERIES).encode()


def _parameter(random: Random, name: str, estate: Estate) -> str:
    if random.random() < 0.9:
        if name in CURSORS:
            order, cursor = random.choice(estate.cursors)
            fitting = f"&{order}" if order and random.random() < 0.8 else ""
            return _cursor(random, cursor) + fitting
        if name in ("page", "itemsPerPage"):
            return random.choice(NUMBERS)
        if name.startswith("order["):
            return random.choice(DIRECTIONS)
    return random.choice(TEXTS) if random.random() < 0.6 else quote(random.choice(NAUGHTY))


def _cursor(random: Random, cursor: str) -> str:
    at = random.randrange(len(cursor))
    if random.random() < 0.4:
        return _rewritten(random, cursor)
    return random.choice(
        (
            cursor,
            cursor,
            "",
            cursor[:at] + random.choice(BASE64) + cursor[at + 1 :],
            cursor[:at],
            cursor + random.choice(BASE64),
            cursor * 2,
            "".join(random.choices(BASE64, k=random.randint(1, 200))),
            cursor + "==",
        )
    )


def _forged(random: Random, orders: Sequence[Variable], estate: Estate) -> str:
    """A cursor as the list made them before they were sealed; and the order that it is of."""
    order, direction = random.choice(orders), random.choice(("asc", "desc"))
    place = random.choice((*IN_CURSORS, random.choice(NAUGHTY), "a\0", "0\0", "2026-01-01T00:00:00.000000Z"))
    parts = [order.key, direction == "desc", place, random.choice(estate.values["instance_id"])]
    return f"{_encoded(json.dumps(parts).encode())}&{order.name}={direction}"


def _rewritten(random: Random, cursor: str) -> str:
    """By somebody who knows how cursors are spelt: other octets, fewer or more of them."""
    octets = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for _ in range(random.choice((1, 1, 2))):
        octets[random.randrange(len(octets))] ^= random.randrange(1, 256)
    return _encoded(
        random.choice((bytes(octets), bytes(octets[:-1]), bytes(octets) * 2, bytes(octets[:16]), BOMB))
    )


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
