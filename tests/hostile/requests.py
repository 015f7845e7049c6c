"""Hostile requests: number N of a seed is always the same one, but for the ids of the world it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from urllib.parse import quote_from_bytes

from app.exchange import Resource
from app.request import METHODS
from app.routes import ROUTES
from tests.hostile.content import NAUGHTY, content
from tests.hostile.estate import CALLERS, Estate
from tests.hostile.fields import TYPES, odd_fields
from tests.hostile.queries import RUBBISH, query

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
IN_PATHS = "%/:;=@[]*#'{}-._~!$&()+,|\\^`\"<>"
# How often each aspect of a request is not as it should be.
ODD = {"method": 0.1, "caller": 0.2, "framing": 0.08, "fields": 0.35, "path": 0.3, "query": 0.45}
DATA = tuple(route for route in ROUTES if "id}" in route.path or len(route.operations) > 1)


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
    fields += odd_fields(random, estate) if odd["fields"] else []
    random.shuffle(fields)
    return Request(
        number=number,
        method=method,
        target=_path(random, route, estate, odd=odd["path"]),
        query=query(random, route, estate) if odd["query"] else b"",
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
