"""What is another's is as if it were not there (STANDARDS section 16)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from random import Random
from typing import Any

import httpx
import orjson
import pytest

from app.caller import READ_ALL, WRITE
from app.exchange import Resource
from app.routes import ROUTES
from app.storage.session import Session
from tests.estate import Estate, members, settle
from tests.service import BASE, JSON, PATCH, Service, World, id_of, made
from tests.test_graphs import crawl
from tests.visibility import ABSENT, ASKING, Asking

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
# What a request carries beside its method; all of it comes after the question whether there is anything.
CARRIED: tuple[tuple[str, Mapping[str, str], bytes | None], ...] = (
    *((method, {}, None) for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "FROB")),
    ("GET", {"Accept": JSON}, None),
    ("GET", {"If-Match": "*"}, None),
    ("GET", {"If-None-Match": "*"}, None),
    ("GET", {"Range": "bytes=0-9"}, None),
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
    """All of an answer but what tells one occurrence from another."""
    occurrence = answer.headers["X-Request-Id"]
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, answer.content.replace(occurrence.encode(), b"")


def content(route: Resource, method: str, sent: bytes | None) -> dict[str, Any]:
    if method not in ("POST", "PUT", "PATCH"):
        return {}
    return {"content": sent or orjson.dumps(CONTENT.get(route.promise, {"name": "New"}))}


def content_type(method: str) -> dict[str, str]:
    return {"Content-Type": PATCH if method == "PATCH" else JSON} if method[0] == "P" else {}


@pytest.mark.parametrize("route", NAMED, ids=[route.path for route in NAMED])
async def test_what_is_foreign_or_gone_is_answered_as_what_is_absent(estate: Estate, route: Resource) -> None:
    """TN-01, TN-02, TN-11: status, fields and content, for all methods; below another's or one's own."""
    client = estate.service.as_(STRANGER)
    paths, absent = unseen(route, estate)
    assert len(paths) >= 2
    for method, fields, sent in CARRIED:
        headers = {**content_type(method), **fields}
        expected = shape(
            await client.request(method, absent, headers=headers, **content(route, method, sent))
        )
        allowed = {"OPTIONS": (204,), "FROB": (501,)}.get(method, (404, 405))
        assert expected[0] in allowed, (method, fields)
        for path in paths:
            answer = await client.request(method, path, headers=headers, **content(route, method, sent))
            assert shape(answer) == expected, (method, path, fields, sent)


@pytest.mark.parametrize("route", NAMED, ids=[route.path for route in NAMED])
async def test_the_same_statements_are_run_for_what_is_foreign_as_for_what_is_absent(
    estate: Estate, route: Resource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TN-04 without a clock: the databases are asked the same, in the same number of questions."""
    asked: list[str] = []
    run = Session.rows

    async def listening(session: Session, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        asked.append(sql)
        return await run(session, sql, values)

    client = estate.service.as_(STRANGER)
    await client.get("/api/me")
    monkeypatch.setattr(Session, "rows", listening)
    paths, absent = unseen(route, estate)
    for method in route.operations:
        told = []
        for path in (absent, paths[0]):
            asked.clear()
            sent = content(route, method, None)
            assert (
                await client.request(method, path, headers=content_type(method), **sent)
            ).status_code == 404
            told.append(list(asked))
        assert told[0] == told[1], method
        assert told[0]


async def test_no_id_near_a_real_one_is_told_from_any_other(estate: Estate) -> None:
    """TN-10: all of them are 404, with one body."""
    chance, client = Random(16), estate.service.as_(STRANGER)
    real = [(path, id_of(path)) for name, path in estate.paths.items() if "/" not in name]
    expected = shape(await client.get(f"/api/instances/{ABSENT}"))
    for _ in range(500):
        path, identifier = chance.choice(real)
        near = identifier[:-3] + f"{chance.randrange(16**3):03x}"
        if near not in {identifier for _, identifier in real}:
            assert shape(await client.get(path.replace(identifier, near))) == expected


async def test_a_reference_to_what_is_foreign_is_answered_as_one_to_what_is_absent(estate: Estate) -> None:
    """TN-06: in every content that names an organization, by its id and by its address."""
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


async def test_what_is_known_by_name_alone_can_be_used_no_more_than_what_is_absent(estate: Estate) -> None:
    """Acme, which Initech knows for using an instance of it, is not where Initech's own may go."""
    client = estate.service.as_("neighbour")
    path = f"{estate.paths['moved']}/transfer"
    answers = [
        shape(await client.post(path, json={"organization_id": identifier}))
        for identifier in (ABSENT, id_of(estate.paths["acme"]), id_of(estate.paths["umbrella"]))
    ]
    assert answers == answers[:1] * 3
    assert answers[0][0] == 422


async def test_an_offer_tells_that_an_organization_is_there_and_its_name_and_no_more(
    service: Service, world: World
) -> None:
    """API.md section 6 (TN-06), section 3: who offers has to know the id; revoked, it knows nothing again."""
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


async def test_nothing_of_a_failed_write_is_there_or_counted(estate: Estate) -> None:
    """TN-12."""
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
async def test_no_list_depends_on_what_is_foreign(estate: Estate, subject: str) -> None:
    """TN-05: members, counts, search, order, cursors and entity tags, octet by octet."""
    client = estate.service.as_(subject)
    lists = [
        "/api/organizations",
        "/api/instances",
        "/api/activities",
        "{acme}/instances",
        "{shop}/authorizations",
    ]
    asked = [path.format_map(estate.paths) + query for path in lists for query in QUERIES]

    async def told() -> dict[str, tuple[str | None, bytes]]:
        answers = {path: await client.get(path) for path in asked}
        return await everything(client) | {
            path: (answer.headers.get("ETag"), answer.content)
            for path, answer in answers.items()
            if answer.status_code == 200
        }

    before = await told()
    await busy(estate.service, subject)
    assert await told() == before
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


async def test_a_cursor_of_another_caller_gives_nothing_foreign(estate: Estate) -> None:
    """TN-09: it is a place in the order and no more; what lies there is one's own, or nothing."""
    owner, stranger = estate.service.as_("owner"), estate.service.as_(STRANGER)
    tried = 0
    for path in ("/api/organizations", "/api/instances", "/api/activities"):
        own = {member["@id"] async for member in members(stranger, path)}
        orders = ("",) if path.endswith("activities") else ("", "&order[name]=asc", "&order[id]=desc")
        for order in orders:
            whole = (await owner.get(f"{path}?itemsPerPage=1{order}")).json()
            foreign = [*cursors(whole["view"]), forged(whole["view"], estate)]
            for cursor, name in product(filter(None, foreign), ("after", "before")):
                answer = await stranger.get(f"{path}?itemsPerPage=1{order}&{name}={cursor}")
                assert answer.status_code == 200
                body = answer.json()
                assert {member["@id"] for member in body["member"]} <= own
                for given in cursors(body["view"]):
                    assert decoded(given)[3] in {id_of(address) for address in own}
                tried += 1
    assert tried > 10
    theirs = next(cursors((await owner.get("/api/instances?itemsPerPage=1")).json()["view"]))
    for path in ("{acme}/instances", "{acme}/members", "{shop}/authorizations"):
        found = await stranger.get(f"{path.format_map(estate.paths)}?after={theirs}")
        assert found.status_code == 404


def decoded(cursor: str) -> list[Any]:
    read: list[Any] = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return read


def forged(view: Mapping[str, str], estate: Estate) -> str | None:
    """A cursor that points at a foreign thing though nobody was given it."""
    cursor = next(cursors(view), None)
    if cursor is None:
        return None
    made_up = [*decoded(cursor)[:3], id_of(estate.paths["shop"])]
    return base64.urlsafe_b64encode(orjson.dumps(made_up)).rstrip(b"=").decode()


async def test_a_token_that_may_write_and_read_everything_writes_no_more_than_its_partner(
    estate: Estate,
) -> None:
    """API.md section 3: scopes beside roles, both must allow; what it may see but not do is 403."""
    both = Asking(STRANGER, (READ_ALL, WRITE))
    for thing in ("acme", "shop", "acme: member", "shop > initech"):
        answer = await estate.ask(both, "GET", estate.paths[thing])
        assert {operation["method"] for operation in answer.json()["operation"]} == {"GET"}
        assert (await estate.ask(both, "DELETE", estate.paths[thing])).status_code == 403
    assert (await estate.ask(ASKING["auditor"], "DELETE", estate.paths["shop"])).status_code == 403
