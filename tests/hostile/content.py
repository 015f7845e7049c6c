"""JSON that is nearly right, or wrong in every way that somebody has thought of."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from tests.hostile.estate import Estate
from tests.service import BASE, id_of

DATA = Path(__file__).parents[1] / "conformance/data"
NAUGHTY: list[str] = json.loads((DATA / "naughty_strings.json").read_text())
NAMES = (
    "Corner",
    "Acme",
    "Ünïcode",
    "名前",
    "Straße",
    "a" * 255,
    "a" * 256,
    " x",
    "x ",
    "",
    "\u202egnp",
    "%_",
)
CHARACTERS = (
    "\0\x01\x07\x1b\x7f\x85\u200b\u200f\u202e\u2066\ufeff\ufffe\ud800\udfff\U0010ffff\u0130ßﬃ\n\t \\\"'"
)
KEYS = (
    *("name", "handle", "email", "role", "status", "organization", "organization_id", "id", "@id", "@type"),
    *(
        "@context",
        "@graph",
        "@value",
        "@reverse",
        "@list",
        "@set",
        "@included",
        "@nest",
        "@language",
        "@json",
    ),
    *("operation", "owners", "members", "created_at", "updated_at", "originId", "__class__", "__proto__"),
    *("constructor", "$ref", "version", "deleted_at", "name_key", "created_by_organization_id", "", "a\0b"),
)
# What stands in the text where a string that names it stood: no Python value is written so.
RAW = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-0", "0x1", "01", "1.", ".5", "+1", "9" * 400, "1E-5000"),
    *("tru", "None", "undefined", "'x'", '"\\x41"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\n"'),
    *("[" * 40 + "]" * 40, "[" * 9_000, '{"a":' * 40 + "1" + "}" * 40, "[1,]", '{"a":1,"a":2}', "/**/1", ""),
)
TYPES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**63,
    2**64,
    10**30,
    1.5,
    1e308,
    "",
    [],
    {},
    [[]],
    [None],
)


def value(random: Random, estate: Estate) -> Any:
    """Something to stand in the place of a member's value."""
    choose: Sequence[Callable[[], Any]] = (
        lambda: random.choice(TYPES),
        lambda: random.choice(NAUGHTY),
        lambda: random.choice(NAMES),
        lambda: f"raw:{random.randrange(len(RAW))}",
        lambda: "".join(random.choices(CHARACTERS + "abc", k=random.randint(1, 12))),
        lambda: random.choice(estate.values[random.choice(("organization_id", "instance_id", "Member"))]),
        lambda: (
            BASE
            + random.choice((estate.world.acme, estate.world.shop, "/api", "/contexts/v1/registry.jsonld"))
        ),
        lambda: {random.choice(KEYS): random.choice(TYPES)},
        lambda: [random.choice(NAMES)] * random.randint(1, 3),
        lambda: "x" * random.choice((300, 5_000)),
    )
    return random.choice(choose)()


def valid(random: Random, estate: Estate, promise: str) -> dict[str, Any]:
    """What the operations of a class or link expect, or nearly so: some of it is there already."""
    organization = random.choice(estate.values["organization_id"])
    name = random.choice(NAMES[:6])
    handle = random.choice(
        (f"fuzz-{random.choice('abcdefgh')}{random.choice('stuvwxyz')}", "acme-shop", "globex")
    )
    email = f"{random.choice(('member', 'stranger', 'new', 'colleague'))}@acme.example"
    if promise == "InstanceCollection":
        named = random.choice(
            ({}, {"organization_id": organization}, {"organization": _address(organization)})
        )
        return {"name": name, "handle": handle, **named}
    if promise in ("AuthorizationCollection", "TransferTargetCollection"):
        return {"organization_id": random.choice((organization, id_of(estate.world.initech)))}
    if promise == "MemberCollection":
        return {"email": email, "role": random.choice(("owner", "member"))}
    if promise == "Member":
        return {"role": random.choice(("owner", "member"))}
    if promise == "Authorization":
        return {"status": random.choice(("accepted", "pending"))}
    return {"name": name}


def _address(organization: str) -> str:
    return f"{BASE}/api/organizations/{organization}"


def content(random: Random, estate: Estate, promise: str) -> bytes:
    document: Any = valid(random, estate, promise)
    if random.random() < 0.15:
        document = {**random.choice(estate.records)}
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 4))):
        document = _changed(random, estate, document)
    text = json.dumps(document, ensure_ascii=random.random() < 0.5)
    for number, raw in enumerate(RAW):
        text = text.replace(f'"raw:{number}"', raw)
    octets = text.encode("utf-8", "surrogatepass")
    return octets if random.random() < 0.8 else _broken(random, octets)


def _changed(random: Random, estate: Estate, document: Any) -> Any:
    if not isinstance(document, dict) or random.random() < 0.05:
        return random.choice((value(random, estate), [document], {"@graph": [document]}))
    changed = dict(document)
    key = random.choice([*document, *KEYS]) if random.random() < 0.5 else random.choice([*document, "name"])
    if random.random() < 0.15:
        changed.pop(key, None)
    elif random.random() < 0.1:
        changed |= {f"k{number}": number for number in range(random.choice((5, 200)))}
    else:
        changed[key] = value(random, estate)
    return changed


def _broken(random: Random, octets: bytes) -> bytes:
    at = random.randrange(len(octets) + 1)
    return random.choice(
        (
            octets[:at],
            octets + octets,
            b"\xef\xbb\xbf" + octets,
            octets[:1] + b'"name": "first", "name": "second",' + octets[1:],
            octets[:at] + random.randbytes(3) + octets[at:],
            octets.decode("utf-8", "replace").encode("utf-16"),
            b"[" * random.choice((50, 20_000)) + octets,
            octets + b" " * random.choice((10, 1_100_000)),
            b"\xed\xa0\x80" + octets,
            b"",
            b"\0" + octets,
            octets.replace(b'"', b"'"),
        )
    )
