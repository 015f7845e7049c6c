"""TN-08 of the conformance list: no octet of another's data reaches a stranger, whatever it asks for."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from string import ascii_lowercase

import httpx
import orjson
import pytest

from app.caller import READ_ALL, WRITE
from app.exchange import Resource
from app.routes import ROUTES
from tests.estate import itself, members
from tests.service import BASE, JSON, PATCH, Service, id_of, running
from tests.visibility import ABSENT

pytestmark = pytest.mark.anyio

TENANTS = 24
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "FROB")
# Every word that is planted looks like this, and so does every id: nothing else has to be looked for.
TOKEN = re.compile(rb"mrk[a-z]{3}|[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
CURSOR = re.compile(rb"(?:after|before)=([\w-]{16,})")


def words() -> Iterator[str]:
    """No two alike, of letters alone: each can be a name, a handle, a subject or an e-mail address."""
    for letters in product(ascii_lowercase, repeat=3):
        yield f"mrk{''.join(letters)}"


def tokens(octets: bytes) -> set[str]:
    """What could be a marker: in plain sight, and in cursors, which are not as opaque as all that."""
    inside = [_decoded(cursor) for cursor in CURSOR.findall(octets)]
    return {
        token.decode().lower().replace("-", "") for text in (octets, *inside) for token in TOKEN.findall(text)
    }


def _decoded(cursor: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(cursor + b"=" * (-len(cursor) % 4))
    except binascii.Error:
        return b""


@dataclass
class Planted:
    """The data of tenants: `markers` are what a stranger must not meet, `ids` those among them by class."""

    markers: set[str] = field(default_factory=set)
    ids: dict[str, list[str]] = field(default_factory=dict)
    handles: list[str] = field(default_factory=list)
    cursors: list[str] = field(default_factory=list)

    def note(self, class_name: str, path: str, *words: str) -> str:
        identifier = id_of(path)
        self.ids.setdefault(class_name, []).append(identifier)
        self.markers |= {identifier.replace("-", ""), *words}
        return path


@dataclass
class Probe:
    """Keeps count of what a caller was answered, and of what stood in it."""

    client: httpx.AsyncClient
    markers: set[str]
    met: set[str] = field(default_factory=set)
    octets: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    leaks: list[tuple[str, str, set[str]]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, content: bytes | None = None, fields: Mapping[str, str] | None = None
    ) -> httpx.Response:
        types = {"Content-Type": PATCH if method == "PATCH" else JSON} if content is not None else {}
        answer = await self.client.request(method, path, content=content, headers={**types, **(fields or {})})
        lines = b"\n".join(b": ".join(line) for line in answer.headers.raw)
        told = lines + b"\n" + answer.content
        # The address of a page is the one that was asked for, and tells only what the caller knew.
        for cursor in CURSOR.findall(path.encode()):
            told = told.replace(cursor, b"")
        self.statuses[answer.status_code] += 1
        self.octets += len(told)
        found = tokens(told) & self.markers
        self.met |= found
        if found:
            self.leaks.append((method, path, found))
        return answer


async def plant(service: Service) -> Planted:
    """Tenants with organizations, instances, members, authorizations among them, and much that is gone."""
    planted, unused = Planted(), words()
    subjects = [next(unused) for _ in range(TENANTS)]
    organizations: list[str] = []

    async def make(client: httpx.AsyncClient, class_name: str, path: str, **sent: str) -> str:
        answer = await client.post(path, json=sent)
        assert answer.status_code == 201, answer.text
        told = [word for value in sent.values() for word in re.findall("mrk[a-z]{3}", value)]
        return planted.note(class_name, answer.headers["Location"].removeprefix(BASE), *told)

    for subject in subjects:
        planted.note("Partner", await itself(service, subject), subject)
        client = service.as_(subject)
        organizations.append(await make(client, "Organization", "/api/organizations", name=next(unused)))
        for _ in range(3):
            email = f"{next(unused)}@acme.example"
            await make(client, "Member", f"{organizations[-1]}/members", email=email, role="member")
    for number, (subject, path) in enumerate(zip(subjects, organizations, strict=True)):
        client, other = service.as_(subject), organizations[number - 1]
        for accepts in (True, False, False):
            handle = next(unused)
            planted.handles.append(handle)
            instance = await make(client, "Instance", f"{path}/instances", name=next(unused), handle=handle)
            sent = {"organization_id": id_of(other)}
            offer = await make(client, "Authorization", f"{instance}/authorizations", **sent)
            if accepts:
                answer = await service.as_(subjects[number - 1]).patch(
                    offer, json={"status": "accepted"}, headers={"Content-Type": PATCH}
                )
                assert answer.status_code == 200
        for gone in (offer, instance) if number % 2 else (instance,):
            assert (await client.delete(gone)).status_code == 204
        view = (await client.get("/api/instances?itemsPerPage=1&order[name]=asc")).json()["view"]
        planted.cursors.append(view["next"].rpartition("=")[2])
    async for activity in members(service.as_("auditor", READ_ALL), "/api/activities?itemsPerPage=100"):
        request_id = activity["request_id"].replace("-", "")
        planted.note("Activity", activity["@id"], request_id)
    for membership in await owners(service, organizations):
        planted.note("Member", membership)
    return planted


async def owners(service: Service, organizations: Sequence[str]) -> list[str]:
    """Memberships that came with their organizations."""
    auditor = service.as_("auditor", READ_ALL)
    return [
        member["@id"]
        for path in organizations
        async for member in members(auditor, f"{path}/members")
        if member["role"] == "owner"
    ]


@dataclass(frozen=True)
class Own:
    """What the stranger has itself, by class."""

    ids: Mapping[str, str]

    def of(self, class_name: str) -> str:
        return self.ids[class_name]


async def settle_stranger(service: Service) -> Own:
    client = service.as_("stranger")
    partner = await itself(service, "stranger")
    paths = {"Partner": partner}

    async def make(class_name: str, path: str, **sent: str) -> None:
        answer = await client.post(path, json=sent)
        assert answer.status_code == 201, answer.text
        paths[class_name] = answer.headers["Location"].removeprefix(BASE)

    await make("Other", "/api/organizations", name="Other")
    await make("Organization", "/api/organizations", name="Own")
    await make("Instance", f"{paths['Organization']}/instances", name="Own", handle="own")
    await make("Member", f"{paths['Organization']}/members", email="friend@acme.example", role="member")
    await make("Authorization", f"{paths['Instance']}/authorizations", organization_id=id_of(paths["Other"]))
    first = (await client.get("/api/activities?itemsPerPage=1")).json()["member"][0]["@id"]
    return Own({name: id_of(path) for name, path in paths.items()} | {"Activity": id_of(first)})


VARIABLES = {"organization_id": "Organization", "instance_id": "Instance", "partner_id": "Partner"}


def paths(route: Resource, planted: Planted, own: Own, *, each: int) -> list[str]:
    """The route with every combination of what is foreign, `each` of a class, own and absent."""
    names = [piece.partition("}")[0] for piece in route.path.split("{")[1:]]
    choices: list[Sequence[str]] = []
    for name in names:
        class_name = VARIABLES.get(name, route.promise)
        if name == "handle":
            choices.append([*planted.handles[:each], *planted.handles[-each:], "own", "nobody"])
        elif name in ("file", "type"):
            choices.append({"file": ["registry.jsonld", "other"], "type": ["gone", "other"]}[name])
        else:
            foreign = planted.ids[class_name]
            choices.append([*foreign[:each], *foreign[-each:], own.of(class_name), ABSENT])
    return [
        route.path.format_map(dict(zip(names, values, strict=True)))
        for values in dict.fromkeys(product(*choices))
    ]


def contents(route: Resource, method: str, planted: Planted, own: Own) -> list[bytes | None]:
    """What a client would send, and what it would not; with references to what is foreign, where that is not
    an offer, which tells whether there is such an organization (API.md section 6)."""
    if method not in ("POST", "PUT", "PATCH"):
        return [None]
    foreign, address = planted.ids["Organization"][0], f"{BASE}/api/organizations/"
    sent: list[object] = [{}, {"name": "Probe"}, {"name": 1, "more": [foreign]}]
    if route.promise == "InstanceCollection":
        new = {"name": "Probe", "handle": "probe"}
        sent += [{**new, "organization_id": foreign}, {**new, "organization": address + foreign}]
        sent += [{**new, "handle": planted.handles[0], "organization_id": own.of("Organization")}, new]
    elif route.promise == "TransferTargetCollection":
        sent += [{"organization_id": foreign}, {"organization": address + foreign}]
        sent += [{"organization_id": own.of("Other")}]
    elif route.promise == "AuthorizationCollection":
        sent += [{"organization_id": own.of("Other")}, {"organization": address + own.of("Organization")}]
    elif route.promise == "MemberCollection":
        sent += [{"email": "friend@acme.example", "role": "owner"}, {"email": "no", "role": "no"}]
    elif route.promise == "Member":
        sent += [{"role": "owner"}, {"role": "member", "id": planted.ids["Member"][0]}]
    elif route.promise == "Authorization":
        sent += [{"status": "accepted"}, {"instance_id": planted.ids["Instance"][0]}]
    elif route.promise == "Instance":
        sent += [{"name": "Probe", "organization_id": foreign}]
    return [*(orjson.dumps(value) for value in sent), b"{"]


def queries(route: Resource, planted: Planted) -> list[str]:
    """Searches for what all planted words have in common, other orders and pages, and cursors of tenants."""
    if not route.promise.endswith("Collection") and route.promise not in (
        "memberships",
        "activities",
        "received_authorizations",
    ):
        return []
    return [
        "?name=mrk",
        "?handle=mrk&itemsPerPage=100",
        "?order[name]=asc&page=1&itemsPerPage=100",
        "?page=2",
        "?after=&itemsPerPage=1",
        "?page=no",
        *(f"?order[name]=asc&after={cursor}" for cursor in planted.cursors[:3]),
        *(f"?order[name]=asc&before={cursor}" for cursor in planted.cursors[:3]),
    ]


@pytest.fixture(scope="module")
async def places(standing_url: str, tmp_path_factory: pytest.TempPathFactory) -> object:
    async with running(standing_url, tmp_path_factory.mktemp("keys")) as service:
        planted = await plant(service)
        yield service, planted, await settle_stranger(service)


Places = tuple[Service, Planted, Own]


async def test_tn_08_whoever_reads_everything_meets_every_marker(places: Places) -> None:
    """That the search finds what there is to be found: else it would prove nothing about the stranger."""
    service, planted, _ = places
    assert len(planted.markers) >= 1_000
    probe = Probe(service.as_("auditor", READ_ALL), planted.markers)
    for path in ("/api/organizations", "/api/instances", "/api/activities"):
        async for member in members(probe.client, f"{path}?itemsPerPage=100"):
            probe.met |= tokens(orjson.dumps(member)) & planted.markers
    for class_name, place in (
        ("Organization", "/api/organizations/{}"),
        ("Instance", "/api/instances/{}/authorizations"),
        ("Partner", "/api/partners/{}"),
    ):
        for identifier in planted.ids[class_name]:
            await probe.ask("GET", place.format(identifier))
    assert planted.markers == probe.met


async def test_tn_08_owners_meet_their_own_markers_and_no_one_elses(places: Places) -> None:
    """The control once more, and the probe from the inside: a tenant knows two neighbours at most."""
    service, planted, _ = places
    subject = next(words())
    probe = Probe(service.as_(subject), planted.markers)
    for class_name, place in (
        ("Organization", "/api/organizations/{}"),
        ("Organization", "/api/organizations/{}/members"),
        ("Instance", "/api/instances/{}"),
        ("Activity", "/api/activities/{}"),
    ):
        for identifier in planted.ids[class_name]:
            await probe.ask("GET", place.format(identifier))
    assert subject in probe.met
    assert 50 < len(probe.met) < len(planted.markers) / 5


async def test_tn_08_a_stranger_meets_no_marker_in_any_answer(places: Places) -> None:
    """Every route, every method, ids that are foreign, own and absent; fields and content of every answer."""
    service, planted, own = places
    probe = Probe(service.as_("stranger", WRITE), planted.markers)
    # What is one's own is there until everything else was asked.
    for route, method in sorted(product(ROUTES, METHODS), key=lambda pair: pair[1] == "DELETE"):
        for path in paths(route, planted, own, each=1):
            for content in contents(route, method, planted, own):
                await probe.ask(method, path, content)
            if method == "GET":
                for query in queries(route, planted):
                    await probe.ask("GET", path + query)
                await probe.ask("GET", path, fields={"Accept": JSON})
                await probe.ask("GET", path, fields={"If-None-Match": "*"})
            elif method in ("PUT", "PATCH", "DELETE"):
                await probe.ask(method, path, b'{"name": "Probe"}', fields={"If-Match": '"1.0"'})
    assert probe.leaks == []
    assert set(probe.statuses) >= {200, 201, 204, 303, 304, 400, 404, 405, 409, 410, 412, 422, 501}
    assert 500 not in probe.statuses
    assert probe.statuses.total() > 3_000
    assert probe.octets > 3_000_000


async def test_tn_08_a_stranger_meets_no_marker_by_any_id(places: Places) -> None:
    """All ids of all tenants, also as what they are not, at every address that takes one."""
    service, planted, own = places
    probe = Probe(service.as_("stranger", WRITE), planted.markers)
    everything = {name: list(dict.fromkeys(ids)) for name, ids in planted.ids.items()}
    for route in ROUTES:
        if "{id}" in route.path or any(f"{{{name}}}" in route.path for name in VARIABLES):
            for class_name, ids in everything.items():
                for identifier in ids if class_name in _taken(route) else ids[:2]:
                    values = dict.fromkeys(("id", *VARIABLES), identifier)
                    parents = [name for name in VARIABLES if f"{{{name}}}" in route.path]
                    if "{id}" in route.path and parents:
                        values |= {name: own.of(VARIABLES[name]) for name in parents}
                    answer = await probe.ask("GET", route.path.format_map(values))
                    assert answer.status_code == 404
    for handle in planted.handles:
        assert (await probe.ask("GET", f"/api/handles/{handle}")).status_code == 404
    assert probe.leaks == []
    assert probe.statuses.total() > 1_000
    assert probe.octets > 2_000_000


def _taken(route: Resource) -> set[str]:
    """The classes that the variables of the route name."""
    taken = {class_name for name, class_name in VARIABLES.items() if f"{{{name}}}" in route.path}
    return {route.promise} if "{id}" in route.path else taken


async def test_tn_08_whoever_has_no_token_meets_no_marker(places: Places) -> None:
    service, planted, own = places
    for client in (
        service.as_(None),
        service.as_("stranger", "openid"),
        service.as_("stranger", "registry:read"),
    ):
        probe = Probe(client, planted.markers)
        for route, method in product(ROUTES, ("GET", "POST", "DELETE")):
            for path in paths(route, planted, own, each=1):
                await probe.ask(method, path, b"{}" if method == "POST" else None)
        assert probe.leaks == []
        assert probe.statuses.total() > 300
