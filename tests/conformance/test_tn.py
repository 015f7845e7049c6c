"""Section 16 of the conformance list: what is another's is as if it were not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from app.caller import READ_ALL, WRITE
from app.exchange import Resource
from app.main import create_app
from app.routes import ROUTES
from app.storage.acts import new_id
from app.storage.failures import unavailable
from tests.estate import Estate, settle
from tests.service import BASE, JSON, PATCH, Service, World, id_of, made
from tests.statements import overhear
from tests.test_graphs import crawl
from tests.test_sweep import check_problem
from tests.test_visibility import told
from tests.visibility import ABSENT, ASKING, ROWS, Asking

pytestmark = pytest.mark.anyio

STRANGER = "outsider"
# By the variable of a path, or the class of what it names: the stranger's own, and what it may not know of,
# there and gone.
OWN: Mapping[str, str] = {
    "organization_id": "outside",
    "instance_id": "outside shop",
    "partner_id": "partner outsider",
    "Organization": "outside",
    "Instance": "outside shop",
    "Partner": "partner outsider",
    "Member": "outside: outsider",
    "Activity": "Create outside shop",
}
FOREIGN: Mapping[str, tuple[str, ...]] = {
    "organization_id": ("acme", "past"),
    "instance_id": ("shop", "closed"),
    "partner_id": ("partner owner",),
    "Organization": ("acme", "extinct"),
    "Instance": ("shop", "closed"),
    "Partner": ("partner owner",),
    "Member": ("acme: member", "acme: former"),
    "Authorization": ("shop > initech", "lab > globex"),
    "Activity": ("Create shop",),
}
OWN_HANDLE, FOREIGN_HANDLES, ABSENT_HANDLE = "an-outside-shop", ("acme-shop", "an-closed"), "nobody-has-this"
NAMED = [route for route in ROUTES if re.search("{(?!file|type)", route.path)]
CONTENT: Mapping[str, Mapping[str, str]] = {
    "InstanceCollection": {"name": "New", "handle": "new-one"},
    "MemberCollection": {"email": "new@acme.example", "role": "member"},
    "AuthorizationCollection": {"organization_id": ABSENT},
    "TransferTargetCollection": {"organization_id": ABSENT},
    "Member": {"role": "owner"},
    "Authorization": {"status": "accepted"},
}
Carried = tuple[str, Mapping[str, str], bytes | None]
READING: tuple[Carried, ...] = (("GET", {}, None), ("GET", {"Accept": JSON}, None))
# What a request carries beside its method; all of it comes after the question whether there is anything.
CARRIED: tuple[Carried, ...] = (
    *((method, {}, None) for method in ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "FROB")),
    ("GET", {"If-Match": "*"}, None),
    ("GET", {"If-None-Match": "*"}, None),
    ("GET", {"If-None-Match": '"1.0"'}, None),
    ("GET", {"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}, None),
    ("GET", {"Range": "bytes=0-9"}, None),
    ("GET", {"Accept": "image/png"}, None),
    ("GET", {"Accept-Encoding": "gzip"}, None),
    ("GET", {"Prefer": "handling=strict"}, None),
    ("OPTIONS", {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}, None),
    *((method, {"Prefer": "return=minimal"}, None) for method in ("PUT", "PATCH", "POST")),
    ("POST", {"Idempotency-Key": '"foreign or absent"'}, None),
    ("HEAD", {"If-None-Match": "*"}, None),
    *((method, {"If-Match": "*"}, None) for method in ("PUT", "PATCH", "DELETE", "POST")),
    ("DELETE", {"If-Match": '"1.0"'}, None),
    ("PUT", {"If-None-Match": "*"}, None),
    ("PATCH", {"If-Unmodified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"}, None),
    *((method, {}, b"{") for method in ("POST", "PUT", "PATCH")),
    *((method, {}, b'{"name": null, "more": 1}') for method in ("POST", "PUT", "PATCH")),
)


@pytest.fixture(scope="module")
async def estate(standing: tuple[Service, World]) -> Estate:
    return await settle(*standing)


def variables(route: Resource) -> list[str]:
    return [piece.partition("}")[0] for piece in route.path.split("{")[1:]]


def unseen(route: Resource, estate: Estate) -> tuple[list[str], str]:
    """Every path with something in it that the stranger may not know of; and one where nothing is."""
    choices = []
    for name in variables(route):
        if name == "handle":
            choices.append([*FOREIGN_HANDLES, OWN_HANDLE, ABSENT_HANDLE])
            continue
        key = route.promise if name == "id" else name
        own = [id_of(estate.paths[OWN[key]])] if key in OWN else []
        choices.append([*(id_of(estate.paths[thing]) for thing in FOREIGN[key]), *own, ABSENT])
    names = variables(route)
    mine = {id_of(estate.paths[thing]) for thing in OWN.values()} | {OWN_HANDLE}
    paths = [
        route.path.format_map(dict(zip(names, values, strict=True)))
        for values in product(*choices)
        if not set(values) <= mine
    ]
    return paths, route.path.format_map({**dict.fromkeys(names, ABSENT), "handle": ABSENT_HANDLE})


def shape(answer: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """All of an answer but what tells one occurrence from another, and the address that was asked."""
    occurrence = answer.headers["X-Request-Id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    path = answer.request.url.path.encode()
    return answer.status_code, headers, answer.content.replace(occurrence.encode(), b"").replace(path, b"")


def content(route: Resource, method: str, sent: bytes | None) -> dict[str, Any]:
    if method not in ("POST", "PUT", "PATCH"):
        return {}
    return {"content": sent or orjson.dumps(CONTENT.get(route.promise, {"name": "New"}))}


def content_type(method: str) -> dict[str, str]:
    return {"Content-Type": PATCH if method == "PATCH" else JSON} if method[0] == "P" else {}


async def check_alike(estate: Estate, route: Resource, carried: Sequence[Carried]) -> None:
    client = estate.service.as_(STRANGER)
    paths, absent = unseen(route, estate)
    assert len(paths) >= 2
    for method, fields, sent in carried:
        headers = {**content_type(method), **fields}
        expected = shape(
            await client.request(method, absent, headers=headers, **content(route, method, sent))
        )
        # What can be offered is a fact of the path, and told before anyone looks what is there.
        allowed = {"OPTIONS": (204,), "FROB": (501,)}.get(method, (404, 406 if "Accept" in fields else 405))
        assert expected[0] in allowed, (method, fields)
        for path in [*paths, re.sub(ABSENT, lambda _: new_id(), absent)]:
            answer = await client.request(method, path, headers=headers, **content(route, method, sent))
            assert shape(answer) == expected, (method, path, fields, sent)


@pytest.mark.parametrize("route", NAMED, ids=[route.path for route in NAMED])
async def test_tn_01_what_is_foreign_or_gone_is_answered_as_what_is_absent(
    estate: Estate, route: Resource
) -> None:
    """Status, fields and content; below another's or one's own."""
    await check_alike(estate, route, READING)


@pytest.mark.parametrize("route", NAMED, ids=[route.path for route in NAMED])
async def test_tn_02_nothing_that_a_request_carries_tells_the_foreign_from_the_absent(
    estate: Estate, route: Resource
) -> None:
    await check_alike(estate, route, CARRIED)


@pytest.mark.parametrize("route", NAMED, ids=[route.path for route in NAMED])
async def test_tn_04_the_same_statements_are_run_for_what_is_foreign_as_for_what_is_absent(
    estate: Estate, route: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a clock: the databases are asked the same, in the same number of questions."""
    client = estate.service.as_(STRANGER)
    await client.get("/api/me")
    asked = overhear(monkeypatch)
    paths, absent = unseen(route, estate)
    for method in route.operations:
        run_for = []
        for path in (absent, paths[0]):
            asked.clear()
            sent = content(route, method, None)
            assert (
                await client.request(method, path, headers=content_type(method), **sent)
            ).status_code == 404
            run_for.append([sql for sql, _ in asked])
        assert run_for[0] == run_for[1], method
        assert run_for[0]


async def test_tn_10_no_id_near_a_real_one_is_told_from_any_other(estate: Estate) -> None:
    """All of them are 404, with one body."""
    chance, client = Random(16), estate.service.as_(STRANGER)
    real = [(path, id_of(path)) for name, path in estate.paths.items() if "/" not in name]
    expected = shape(await client.get(f"/api/instances/{ABSENT}"))
    for _ in range(500):
        path, identifier = chance.choice(real)
        near = identifier[:-3] + f"{chance.randrange(16**3):03x}"
        if near not in {identifier for _, identifier in real}:
            assert shape(await client.get(path.replace(identifier, near))) == expected


async def test_tn_06_a_reference_to_what_is_foreign_is_answered_as_one_to_what_is_absent(
    estate: Estate,
) -> None:
    """In every content that names an organization, by its id and by its address."""
    paths = {name: id_of(estate.paths[name]) for name in ("acme", "past", "globex")}
    client = estate.service.as_(STRANGER)
    new = {"name": "New", "handle": "new-one"}
    shop = estate.paths["outside shop"]
    requests: list[tuple[str, str, dict[str, str]]] = [
        ("POST", "/api/instances", new),
        ("POST", f"{estate.paths['outside']}/instances", new),
        ("POST", f"{shop}/transfer", {}),
        ("PUT", shop, {"name": "New"}),
        ("PATCH", shop, {"name": "New"}),
        ("POST", f"{shop}/authorizations", {"status": "accepted"}),
    ]
    for method, path, sent in requests:
        for key, template in (("organization_id", "{}"), ("organization", BASE + "/api/organizations/{}")):
            headers = content_type(method)
            answers = [
                shape(
                    await client.request(
                        method, path, headers=headers, json={**sent, key: template.format(identifier)}
                    )
                )
                for identifier in (ABSENT, *paths.values())
            ]
            assert answers[0][0] == 422, (method, path)
            assert answers[1:] == answers[:1] * len(paths), (method, path)


async def test_tn_06_what_is_known_by_name_alone_can_be_used_no_more_than_what_is_absent(
    estate: Estate,
) -> None:
    """Acme, which Initech knows for using an instance of it, is not where Initech's own may go."""
    client = estate.service.as_("neighbour")
    path = f"{estate.paths['moved']}/transfer"
    answers = [
        shape(await client.post(path, json={"organization_id": identifier}))
        for identifier in (ABSENT, id_of(estate.paths["acme"]), id_of(estate.paths["umbrella"]))
    ]
    assert answers == answers[:1] * 3
    assert answers[0][0] == 422


async def test_tn_06_an_offer_tells_that_an_organization_is_there_and_its_name_and_no_more(
    service: Service, world: World
) -> None:
    """API.md sections 6 and 3: who offers has to know the id; revoked, it knows nothing again."""
    client = service.as_(STRANGER)
    outside = await made(client, "/api/organizations", name="Outside")
    shop = await made(client, f"{outside}/instances", name="Shop", handle="outside-shop")
    assert (await client.get(world.acme)).status_code == 404
    offer = await made(client, f"{shop}/authorizations", organization_id=world.acme_id)
    named = (await client.get(world.acme)).json()
    assert {key for key in named if not key.startswith("@")} == {"id", "name", "operation"}
    for path in ("members", "authorizations", "activities"):
        assert (await client.get(f"{world.acme}/{path}")).status_code == 403
    assert (await client.get(f"{world.acme}/instances")).json()["member"] == []
    assert (await client.get(world.partner)).status_code == 404
    for path in (world.shop, world.member, world.accepted, world.activity):
        assert (await client.get(path)).status_code == 404
    assert (await client.delete(offer)).status_code == 204
    assert (await client.get(world.acme)).status_code == 404


async def test_tn_12_nothing_of_a_failed_write_is_there_or_counted(estate: Estate) -> None:
    before = await everything(estate.auditor)
    client, paths = estate.service.as_(STRANGER), estate.paths
    outside = paths["outside"]
    failed = [
        await client.post(f"{path}/instances", json=sent)
        for path in (paths["acme"], paths["past"], f"/api/organizations/{ABSENT}", outside)
        for sent in ({}, {"name": "N"}, {"name": "N", "handle": "acme-shop"}, {"name": "N", "handle": "-"})
    ]
    failed += [
        await client.post(f"{path}/members", json=sent)
        for path in (paths["acme"], paths["past"], outside)
        for sent in ({"email": "no", "role": "member"}, {"email": "outsider@acme.example", "role": "member"})
    ]
    failed += [
        await client.post(f"{path}/{end}", json={"organization_id": id_of(paths[name])})
        for path in (paths["shop"], paths["closed"], paths["outside shop"])
        for end, name in (("transfer", "acme"), ("transfer", "outside"), ("authorizations", "outside"))
    ]
    failed += [
        await client.request(method, paths[thing], headers=content_type(method), content=b'{"name": 1}')
        for thing in ("acme", "shop", "acme: member", "shop > initech", "old")
        for method in ("PATCH", "PUT", "DELETE")
    ]
    assert {answer.status_code for answer in failed} == {404, 405, 409, 422}
    assert await everything(estate.auditor) == before


# What refuses a POST before, while and after its content is looked at; and how it is refused.
FAILING: Sequence[tuple[int, str, Mapping[str, str], bytes]] = (
    (400, "owner", {}, b"{"),
    (400, "owner", {"Idempotency-Key": '""'}, b"{}"),
    (401, "owner whose token is expired", {}, b"{}"),
    (403, "owner who may only read", {}, b"{}"),
    (403, "member", {}, b"{}"),
    (406, "owner", {"Accept": "image/png"}, b"{}"),
    (412, "owner", {"If-Match": '"0.0"'}, b"{}"),
    (413, "owner", {}, b" " * 1_048_577),
    (415, "owner", {"Content-Type": "text/plain"}, b"{}"),
    (422, "owner", {}, b'{"name": "N", "handle": "-"}'),
)


@pytest.mark.parametrize("status", [500, 503])
async def test_tn_12_what_was_written_before_a_fault_is_not_there(
    estate: Estate, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """By the last statement of a transaction, when all others of it have been run; nor is its key burnt."""
    before = await everything(estate.auditor)
    fault = unavailable() if status == 503 else RuntimeError("a fault of ours")

    async def failing(*_: Any) -> None:
        raise fault

    client, key = estate.service.as_(STRANGER), {"Idempotency-Key": f'"fault {status}"'}
    outside, content = estate.paths["outside"], {"name": "Failing", "handle": f"failing-{'ab'[status % 2]}"}
    with monkeypatch.context() as patch:
        patch.setattr("app.storage.database.write_activities", failing)
        for path, sent in ((f"{outside}/instances", content), ("/api/organizations", {"name": "Failing"})):
            assert (await client.post(path, json=sent, headers=key)).status_code == status
    assert await everything(estate.auditor) == before
    assert (await client.get(f"/api/handles/{content['handle']}")).status_code == 404
    assert (await client.post(f"{outside}/instances", json=content, headers=key)).status_code == 201


async def test_tn_12_no_refused_post_adds_anything(estate: Estate) -> None:
    before, lists = await everything(estate.auditor), await totals(estate)
    for path in ("{acme}/instances", "{acme}/members", "{shop}/authorizations", "{shop}/transfer"):
        for status, name, fields, sent in FAILING:
            headers = {"Content-Type": JSON, **fields}
            address = path.format_map(estate.paths)
            answer = await estate.ask(ASKING[name], "POST", address, headers=headers, content=sent)
            assert answer.status_code == status, (path, status, answer.text)
            assert await totals(estate) == lists, (path, status)
    assert await everything(estate.auditor) == before


async def totals(estate: Estate) -> list[int]:
    lists = (
        "/api/organizations",
        "/api/instances",
        "/api/activities",
        "{acme}/members",
        "{shop}/authorizations",
    )
    answers = [await estate.auditor.get(path.format_map(estate.paths)) for path in lists]
    return [answer.json()["totalItems"] for answer in answers]


async def everything(client: httpx.AsyncClient) -> dict[str, tuple[str | None, bytes]]:
    """By address: the entity tag and the octets of every answer on the way from the entry point."""
    found = await crawl(client, f"{BASE}/api")
    return {
        address: (answer.headers.get("ETag"), answer.content)
        for address, answer in found.items()
        # What is gone, or out of sight, is told of anew each time.
        if answer.status_code == 200
    }


QUERIES = (
    "",
    "?name=shop",
    "?name=e&order[name]=asc",
    "?page=1&itemsPerPage=2",
    "?page=2&itemsPerPage=2",
    "?after=&itemsPerPage=1",
    "?before=&itemsPerPage=1",
    "?order[createdAt]=asc",
)


@pytest.mark.parametrize("subject", ["owner", "member", "neighbour", "newcomer"])
async def test_tn_05_no_list_depends_on_what_is_foreign(estate: Estate, subject: str) -> None:
    """Members, counts, search, order, cursors and entity tags, octet by octet."""
    client = estate.service.as_(subject)
    lists = [
        "/api/organizations",
        "/api/instances",
        "/api/activities",
        "{acme}/instances",
        "{shop}/authorizations",
    ]
    asked = [path.format_map(estate.paths) + query for path in lists for query in QUERIES]

    async def what_is_told() -> dict[str, tuple[str | None, bytes]]:
        answers = {path: await client.get(path) for path in asked}
        return await everything(client) | {
            path: (answer.headers.get("ETag"), answer.content)
            for path, answer in answers.items()
            if answer.status_code == 200
        }

    before = await what_is_told()
    await busy(estate.service, subject)
    assert await what_is_told() == before
    assert len(before) > 30


async def busy(service: Service, label: str) -> None:
    """A stranger does much, of which nothing concerns another; some of it is called like others' things."""
    client = service.as_("industrious")
    first, second = [await made(client, "/api/organizations", name=name) for name in ("Acme", "Shops")]
    for number in range(25):
        await made(client, "/api/organizations", name=f"Acme shop {number}")
        handle = f"shop-{label}-{chr(97 + number)}"
        instance = await made(client, f"{first}/instances", name=f"Shop {number}", handle=handle)
        email = f"{label}-{number}@acme.example"
        member = await made(client, f"{first}/members", email=email, role="member")
        await made(client, f"{instance}/authorizations", organization_id=id_of(second))
        if number % 5 == 0:
            sent = {"organization_id": id_of(second)}
            assert (await client.post(f"{instance}/transfer", json=sent)).status_code == 200
            for path in (member, instance):
                assert (await client.delete(path)).status_code == 204


def cursors(view: Mapping[str, str]) -> Iterator[str]:
    for key in ("next", "previous"):
        if key in view:
            yield view[key].rpartition("=")[2]


async def test_tn_09_a_cursor_of_another_caller_gives_nothing_foreign(estate: Estate) -> None:
    """It opens for nobody but the caller whom it was given to: not even to its own rows."""
    owner, stranger = estate.service.as_("owner"), estate.service.as_(STRANGER)
    tried = 0
    for path in ("/api/organizations", "/api/instances", "/api/activities"):
        orders = ("",) if path.endswith("activities") else ("", "&order[name]=asc", "&order[id]=desc")
        for order in orders:
            view = (await owner.get(f"{path}?itemsPerPage=1{order}")).json()["view"]
            for cursor, name in product(cursors(view), ("after", "before")):
                answer = await stranger.get(f"{path}?itemsPerPage=1{order}&{name}={cursor}")
                check_problem(answer, "invalid-parameter")
                answer = await estate.auditor.get(f"{path}?itemsPerPage=1{order}&{name}={cursor}")
                check_problem(answer, "invalid-parameter")
                assert (await owner.get(f"{path}?itemsPerPage=1{order}&{name}={cursor}")).status_code == 200
                tried += 1
    assert tried > 7
    theirs = next(cursors((await owner.get("/api/instances?itemsPerPage=1")).json()["view"]))
    for path in ("{acme}/instances", "{acme}/members", "{shop}/authorizations"):
        found = await stranger.get(f"{path.format_map(estate.paths)}?after={theirs}")
        assert found.status_code == 404


@pytest.mark.parametrize("thing", ["acme", "shop", "acme: waiting", "shop > initech"])
async def test_tn_03_who_may_see_it_is_told_that_it_is_forbidden(estate: Estate, thing: str) -> None:
    """For want of the scope, or of the role; to everybody else there is nothing, whatever the scope is."""
    refusals = {
        "owner who may only read": (403, "insufficient-scope"),
        "member": (403, "forbidden"),
        "auditor": (403, "insufficient-scope"),
        "owner of something else": (404, "not-found"),
        "partner without any organization": (404, "not-found"),
    }
    for name, expected in refusals.items():
        answer = await estate.ask(ASKING[name], "DELETE", estate.paths[thing])
        assert told(answer) == expected, name
    assert (await estate.auditor.get(estate.paths[thing])).status_code == 200


async def test_tn_03_a_token_that_may_write_and_read_everything_writes_no_more_than_its_partner(
    estate: Estate,
) -> None:
    """API.md section 3: scopes beside roles, both must allow; what it may see but not do is 403."""
    both = Asking(STRANGER, (READ_ALL, WRITE))
    for thing in ("acme", "shop", "acme: member", "shop > initech"):
        answer = await estate.ask(both, "GET", estate.paths[thing])
        assert {operation["method"] for operation in answer.json()["operation"]} == {"GET"}
        assert (await estate.ask(both, "DELETE", estate.paths[thing])).status_code == 403
    assert (await estate.ask(ASKING["auditor"], "DELETE", estate.paths["shop"])).status_code == 403


async def test_tn_09_a_key_that_another_caller_used_is_new(estate: Estate) -> None:
    """Also for the same content at the same address, and where what the other made is out of sight."""
    owner, stranger = estate.service.as_("owner"), estate.service.as_(STRANGER)
    key, sent = {"Idempotency-Key": '"owners-key"'}, {"name": "Once"}
    theirs, mine = [await it.post("/api/organizations", json=sent, headers=key) for it in (owner, stranger)]
    assert (theirs.status_code, mine.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in mine.headers
    assert mine.headers["Location"] != theirs.headers["Location"]
    assert (await stranger.get(theirs.headers["Location"])).status_code == 404
    path, sent = f"{estate.paths['acme']}/instances", {"name": "Once", "handle": "once-and-again"}
    assert (await owner.post(path, json=sent, headers=key)).status_code == 201
    check_problem(await stranger.post(path, json=sent, headers=key), "not-found")


HOSTS = ("acme-shop.registry.example", "acme.registry.example", "nobody.registry.example", "other.example")


async def test_tn_07_the_host_of_a_tenant_is_an_unknown_host_whatever_the_token(
    on_sqlite: tuple[Service, World],
) -> None:
    """There is no falling back to what the token may see; the answer to no token is the same."""
    service, world = on_sqlite
    app = create_app(replace(service.settings, public_url="https://registry.example"))
    async with (
        app.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://registry.example") as client,
    ):
        tokens = [service.as_(subject).headers for subject in ("owner", "stranger", "neighbour")]
        for path in ("/", "/api", world.shop, world.absent):
            answers = [
                shape(await client.get(path, headers={**fields, "Host": host}))
                for host in HOSTS
                for fields in (*tokens, {})
            ]
            assert answers[0][0] == 421
            assert answers[1:] == answers[:1] * (len(answers) - 1), path
        assert (await client.get(world.shop, headers=tokens[0])).status_code == 200


@pytest.mark.parametrize("subject", ["owner", "neighbour", "invitee", "outsider"])
async def test_tn_11_an_instance_is_under_its_owner_and_nowhere_else(estate: Estate, subject: str) -> None:
    """The same representation, or the same answer as at its own address; 404 under any other."""
    asking = Asking(subject)
    owners = {
        **dict.fromkeys(("shop", "lab", "gift", "orphan", "old", "closed", "bygone gift"), "acme"),
        "spent": "wayne",
        "moved": "initech",
        "globex shop": "globex",
        "outside shop": "outside",
    }
    for row in ROWS["Instance"]:
        identifier = estate.paths[row.thing].rpartition("/")[2]
        at_home = await estate.ask(asking, "GET", estate.paths[row.thing])
        for organization in (*ROWS["Organization"], None):
            parent = estate.paths[organization.thing] if organization else f"/api/organizations/{ABSENT}"
            answer = await estate.ask(asking, "GET", f"{parent}/instances/{identifier}")
            if organization and organization.thing == owners[row.thing]:
                assert told(answer) == told(at_home)
                assert answer.status_code != 200 or answer.content == at_home.content
            else:
                assert told(answer) == (404, "not-found")


async def test_tn_11_nothing_is_under_another_parent_than_its_own(estate: Estate) -> None:
    """Not even where the caller may see both."""
    paths, client = estate.paths, estate.auditor
    organizations = [paths[name] for name in ("initech", "globex", "outside")]
    instances = [paths[name] for name in ("lab", "moved", "outside shop")]
    member, offer = paths["acme: member"], paths["shop > initech"]
    moved = {
        member: [f"{parent}/members/{id_of(member)}" for parent in organizations],
        offer: [f"{parent}/authorizations/{id_of(offer)}" for parent in instances],
        f"{paths['acme/shop']}/transfer": [
            f"{parent}/instances/{id_of(paths['shop'])}/transfer" for parent in organizations
        ],
    }
    for at_home, elsewhere in moved.items():
        assert (await client.get(at_home)).status_code == 200
        for path in elsewhere:
            check_problem(await client.get(path), "not-found")
