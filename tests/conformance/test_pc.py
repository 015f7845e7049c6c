"""Section 10 of the conformance list: entity tags tell representations apart, preconditions keep updates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from app.routes import ROUTES
from tests import commands
from tests.conformance.fresh import MERGE, fresh_handle, instance_of, organization_of, patched, tag_of
from tests.load import placed
from tests.service import BASE, JSON, JSON_LD, TURTLE, Service, World, forms, id_of, made, offered, running
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

STALE, OTHER = '"0.0123456789abcdef"', '"zzz"'
PAST, FUTURE = "Sat, 29 Oct 1994 19:43:31 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
OF_CONTENT = {"content-length", "content-type", "content-encoding", "accept-ranges"}
CODINGS = ("identity", "gzip", "zstd")
ABSENT = "/api/instances/01930000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


async def writes(client: httpx.AsyncClient, path: str, **fields: str) -> dict[str, httpx.Response]:
    """What each method that changes an instance answers to the same conditions."""
    return {
        "PATCH": await patched(client, path, {"name": "Changed"}, **fields),
        "PUT": await client.put(path, json={"name": "Changed"}, headers=fields),
        "DELETE": await client.delete(path, headers=fields),
    }


async def check_refused(service: Service, **fields: str) -> None:
    """No method that changes something does so; `{}` in a field stands for the current tag."""
    owner = service.as_("owner")
    path = await instance_of(service)
    before = await owner.get(path)
    filled = {name: value.format(before.headers["ETag"]) for name, value in fields.items()}
    for answer in (await writes(owner, path, **filled)).values():
        check_problem(answer, "precondition-failed")
    after = await owner.get(path)
    assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])


async def check_performed(service: Service, **fields: str) -> None:
    """Each method changes something; `{}` in a field stands for the current tag."""
    owner = service.as_("owner")
    path = await instance_of(service)
    for method, content in (("PATCH", {"name": "One"}), ("PUT", {"name": "Two"}), ("DELETE", None)):
        tag = await tag_of(owner, path)
        filled = {name: value.format(tag) for name, value in fields.items()}
        type_ = MERGE if method == "PATCH" else {"Content-Type": JSON}
        answer = await owner.request(method, path, json=content, headers=type_ | filled)
        assert answer.status_code in (200, 204), (method, answer.text)
    assert (await owner.get(path)).status_code == 410


async def test_pc_01_every_representation_has_an_entity_tag(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for route in ROUTES:
        for media_type in forms(route):
            for method in ("GET", "HEAD"):
                answer = await owner.request(method, concrete(route, world), headers={"Accept": media_type})
                assert answer.status_code == 200
                assert re.fullmatch(r'"[!#-\[\]-~]*"', answer.headers["ETag"]), route.path


async def test_pc_02_the_tag_changes_with_everything_that_a_representation_shows(service: Service) -> None:
    """A name, a role, a member, an owner, a status; of a part of it as well as of the whole."""
    owner, other = service.as_("owner"), service.as_("neighbour")
    organization, elsewhere = await organization_of(service), await organization_of(service, "neighbour")
    instance = await instance_of(service, organization)
    tags: dict[str, list[str]] = {path: [] for path in (organization, instance)}

    async def changed(*paths: str) -> None:
        for path in paths:
            tags.setdefault(path, []).append(await tag_of(owner, path))

    await changed(organization, instance)
    await patched(owner, organization, {"name": "Renamed"})
    await changed(organization)
    await patched(owner, instance, {"name": "Renamed"})
    await changed(instance)
    member = await made(owner, f"{organization}/members", email="fresh@acme.example", role="member")
    await changed(organization, member)
    await patched(owner, member, {"role": "owner"})
    await changed(organization, member)
    assert (await service.as_("fresh").get("/api/me")).status_code == 303
    await changed(organization, member)
    authorization = await offered(service, instance, elsewhere, accept=False)
    await changed(authorization)
    await patched(other, authorization, {"status": "accepted"})
    await changed(authorization)
    # So that the owner still sees the instance once it is there.
    await made(other, f"{elsewhere}/members", email="owner@acme.example", role="owner")
    await owner.post(f"{instance}/transfer", json={"organization_id": id_of(elsewhere)})
    await changed(instance)
    for path, seen in tags.items():
        assert len(seen) >= 2
        assert len(set(seen)) == len(seen), path


async def test_pc_03_tags_differ_between_media_types(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for path in ("/api/docs", "/vocab", "/problems/gone", world.acme, world.shop, "/api/instances"):
        offers = (JSON_LD, TURTLE) if path in ("/api/docs", "/vocab", "/problems/gone") else (JSON_LD, JSON)
        tags = {await tag_of(owner, path, Accept=media_type) for media_type in offers}
        assert len(tags) == len(offers), path


async def test_pc_03_tags_differ_between_codings(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for path in ("/api/docs", "/contexts/v1/registry.jsonld", world.acme, f"{world.acme}/instances"):
        tags = set()
        for coding in CODINGS:
            answer = await owner.get(path, headers={"Accept-Encoding": coding})
            assert answer.headers.get("Content-Encoding", "identity") == coding
            tags.add(answer.headers["ETag"])
            fields = {"Accept-Encoding": coding, "If-None-Match": answer.headers["ETag"]}
            assert (await owner.get(path, headers=fields)).status_code == 304
        assert len(tags) == len(CODINGS), path


async def test_pc_04_a_tag_never_comes_back(service: Service) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    path = await instance_of(service, organization, name="A")
    tags = [await tag_of(owner, path)]
    for name in ("B", "A"):
        assert (await patched(owner, path, {"name": name})).status_code == 200
        tags.append(await tag_of(owner, path))
    assert (await owner.delete(path)).status_code == 204
    tags.append(await tag_of(owner, await instance_of(service, organization, name="A")))
    assert len(set(tags)) == 4


async def test_pc_05_a_weak_tag_never_matches_in_if_match(service: Service) -> None:
    await check_refused(service, **{"If-Match": "W/{}"})


async def test_pc_06_a_method_is_not_performed_upon_another_version(service: Service) -> None:
    owner = service.as_("owner")
    await check_refused(service, **{"If-Match": STALE})
    path = await instance_of(service)
    stale = await tag_of(owner, path)
    assert (await patched(owner, path, {"name": "Between"})).status_code == 200
    for answer in (await writes(owner, path, **{"If-Match": stale})).values():
        check_problem(answer, "precondition-failed")
    assert (await owner.get(path)).json()["name"] == "Between"


async def test_pc_07_one_tag_of_a_list_suffices(service: Service) -> None:
    await check_performed(service, **{"If-Match": f"{OTHER}, {{}}"})


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("accept", [JSON, JSON_LD])
@pytest.mark.parametrize("nested", [False, True], ids=["", "nested"])
async def test_pc_08_a_tag_of_any_representation_serves_for_a_write(
    service: Service, accept: str, coding: str, nested: bool
) -> None:
    """Also that of the answer to a write."""
    owner, organization = service.as_("owner"), await organization_of(service)
    path = await instance_of(service, organization)
    read = f"{organization}/instances/{id_of(path)}" if nested else path
    tag = await tag_of(owner, read, Accept=accept, **{"Accept-Encoding": coding})
    answer = await patched(owner, path, {"name": "New"}, **{"If-Match": tag, "Accept": accept})
    assert answer.status_code == 200
    again = await owner.put(read, json={"name": "Newer"}, headers={"If-Match": answer.headers["ETag"]})
    assert again.status_code == 200


async def test_pc_09_an_asterisk_matches_what_is_there(service: Service) -> None:
    """PUT never creates, so that what is absent is 404 before a condition is looked at."""
    await check_performed(service, **{"If-Match": "*"})
    for answer in (await writes(service.as_("owner"), ABSENT, **{"If-Match": "*"})).values():
        check_problem(answer, "not-found")


async def test_pc_10_an_asterisk_in_if_none_match_excludes_what_is_there(service: Service) -> None:
    await check_refused(service, **{"If-None-Match": "*"})
    answer = await service.as_("owner").get(await instance_of(service), headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.content) == (304, b"")


async def test_pc_11_if_none_match_compares_weakly(service: Service) -> None:
    await check_refused(service, **{"If-None-Match": f"{OTHER}, W/{{}}"})
    owner, path = service.as_("owner"), await instance_of(service)
    tag = await tag_of(owner, path)
    for method in ("GET", "HEAD"):
        for sent in (tag, f"W/{tag}"):
            answer = await owner.request(method, path, headers={"If-None-Match": sent})
            assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        pytest.param({"If-Match": "{}", "If-Unmodified-Since": PAST}, 200, id="PC-13 If-Match holds"),
        pytest.param({"If-Match": STALE, "If-Unmodified-Since": FUTURE}, 412, id="PC-13 If-Match fails"),
        pytest.param({"If-None-Match": "{}", "If-Modified-Since": PAST}, 304, id="PC-13 not modified"),
        pytest.param({"If-None-Match": OTHER, "If-Modified-Since": FUTURE}, 200, id="PC-13 modified"),
    ],
)
async def test_pc_13_a_tag_goes_before_a_date(service: Service, fields: dict[str, str], status: int) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    tag = await tag_of(owner, path)
    filled = {name: value.format(tag) for name, value in fields.items()}
    assert (await owner.get(path, headers=filled)).status_code == status
    if "If-Match" in fields:
        assert (await patched(owner, path, {"name": "New"}, **filled)).status_code == status


@pytest.mark.parametrize(
    "date", ["yesterday", "", PAST, FUTURE, "2100-01-01", "Fri, 99 Foo 2100 99:99:99 GMT"]
)
async def test_pc_14_dates_are_ignored_for_nothing_here_has_one(service: Service, date: str) -> None:
    """RFC 9110 sections 13.1.3 and 13.1.4, for a resource that has no modification date available."""
    owner, path = service.as_("owner"), await instance_of(service)
    answer = await owner.get(path, headers={"If-Modified-Since": date})
    assert answer.status_code == 200
    assert "Last-Modified" not in answer.headers
    assert (await owner.get(path, headers={"If-Unmodified-Since": date})).status_code == 200
    changed = await patched(owner, path, {"name": "New"}, **{"If-Unmodified-Since": date})
    assert changed.status_code == 200


async def test_pc_15_what_fails_anyway_ignores_preconditions(service: Service, world: World) -> None:
    owner = service.as_("owner")
    stale = {"If-Match": STALE}
    content = {"name": "New"}
    check_problem(await service.as_(None).patch(world.shop, headers=stale), "not-authenticated")
    reader = service.as_("owner", "registry:read")
    check_problem(await patched(reader, world.shop, content, **stale), "insufficient-scope")
    check_problem(await patched(service.as_("member"), world.shop, content, **stale), "forbidden")
    check_problem(await patched(owner, world.globex_shop, content, **stale), "not-found")
    check_problem(await patched(owner, "/api/instances", content, **stale), "method-not-allowed")
    unacceptable = await patched(owner, world.shop, content, Accept="image/png", **stale)
    check_problem(unacceptable, "not-acceptable")
    untyped = await owner.patch(world.shop, content=b"x", headers={"Content-Type": "text/plain", **stale})
    check_problem(untyped, "unsupported-media-type")
    for method in ("GET", "HEAD"):
        for fields in (stale, {"If-None-Match": "*"}):
            assert (await owner.request(method, world.globex_shop, headers=fields)).status_code == 404


async def test_pc_16_a_precondition_is_judged_before_the_content(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for content in (b"{", b"", b'{"x": 1}', b'{"name": ""}'):
        for method in ("PATCH", "PUT"):
            headers = {
                "If-Match": STALE,
                "Content-Type": MERGE["Content-Type"] if method == "PATCH" else JSON,
            }
            answer = await owner.request(method, world.shop, content=content, headers=headers)
            check_problem(answer, "precondition-failed")
        moved = await owner.post(
            f"{world.shop}/transfer", content=content, headers={"If-Match": STALE, "Content-Type": JSON}
        )
        check_problem(moved, "precondition-failed")


@pytest.fixture(scope="module")
async def demanding(standing: tuple[Service, World]) -> AsyncIterator[Service]:
    """The same database, behind a service that wants to be told what is changed."""
    chosen = standing[0].settings
    async with running(chosen.database_url, chosen.data_dir, require_if_match=True) as service:
        yield service


async def test_pc_17_a_deployment_may_want_to_be_told_what_is_changed(
    service: Service, demanding: Service
) -> None:
    for client_of in (service, demanding):
        owner, path = client_of.as_("owner"), await instance_of(service)
        before = await owner.get(path)
        answers = await writes(owner, path)
        if client_of is service:
            assert [answer.status_code for answer in answers.values()] == [200, 200, 204]
            continue
        answers["POST"] = await owner.post(f"{path}/transfer", json={"organization_id": ABSENT[-36:]})
        excluded = await writes(owner, path, **{"If-None-Match": OTHER})
        for answer in (*answers.values(), *excluded.values()):
            body = check_problem(answer, "precondition-required")
            assert body["status"] == 428
            assert "If-Match" in str(body["detail"])
        assert (await owner.get(path)).content == before.content
    await check_performed(demanding, **{"If-Match": "{}"})


async def test_pc_17_what_is_made_changes_nothing_that_had_to_be_named(demanding: Service) -> None:
    """Nor is anything wanted where the request fails anyway, or where it only reads."""
    owner = demanding.as_("owner")
    path = await instance_of(demanding)
    assert (await owner.get(path)).status_code == 200
    for answer in (await writes(owner, ABSENT)).values():
        check_problem(answer, "not-found")


@pytest.mark.parametrize("writers", [2, 8, 64])
async def test_pc_18_of_writes_upon_one_version_one_succeeds(service: Service, writers: int) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    tag = await tag_of(owner, path)
    answers = await asyncio.gather(
        *(patched(owner, path, {"name": f"Name {n}"}, **{"If-Match": tag}) for n in range(writers))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (writers - 1)
    [winner] = [answer for answer in answers if answer.status_code == 200]
    assert (await owner.get(path)).content == winner.content


async def test_pc_20_the_tag_of_an_answer_serves_for_the_next_write(service: Service) -> None:
    """201 and 200 after a change; 204 has no representation that a tag could be of."""
    owner, other = service.as_("owner"), service.as_("neighbour")
    organization, elsewhere = await organization_of(service), await organization_of(service, "neighbour")
    instances, members = f"{organization}/instances", f"{organization}/members"
    created = await owner.post(instances, json={"name": "Shop", "handle": fresh_handle()})
    path = created.headers["Location"]
    authorization = await offered(service, path.removeprefix(BASE), elsewhere, accept=False)
    offer = await other.get(authorization)
    added = await owner.post(members, json={"email": "added@acme.example", "role": "member"})
    for client, answer, content in (
        (owner, await owner.post("/api/organizations", json={"name": "One"}), {"name": "Two"}),
        (owner, created, {"name": "Stall"}),
        (owner, added, {"role": "owner"}),
        (other, offer, {"status": "accepted"}),
    ):
        changed = await patched(client, answer.json()["@id"], content, **{"If-Match": answer.headers["ETag"]})
        assert changed.status_code == 200, changed.text
        unchanged = await patched(
            client, answer.json()["@id"], content, **{"If-Match": changed.headers["ETag"]}
        )
        assert unchanged.headers["ETag"] == changed.headers["ETag"]
    tag = await tag_of(owner, path)
    target = {"organization_id": id_of(elsewhere)}
    moved = await owner.post(f"{path}/transfer", json=target, headers={"If-Match": tag})
    assert moved.status_code == 200
    deleted = await other.delete(path, headers={"If-Match": moved.headers["ETag"]})
    assert (deleted.status_code, "ETag" in deleted.headers) == (204, False)


async def test_pc_21_the_answer_to_put_has_no_validator(service: Service) -> None:
    """What is kept is not what was sent: it has a time and a version besides (RFC 9110 section 9.3.4)."""
    owner = service.as_("owner")
    for path in (await organization_of(service), await instance_of(service)):
        for accept in (JSON, JSON_LD):
            answer = await owner.put(path, json={"name": f"As {accept}"}, headers={"Accept": accept})
            assert answer.status_code == 200
            assert "ETag" not in answer.headers
            assert "Last-Modified" not in answer.headers


@pytest.mark.parametrize(
    "field",
    [
        pytest.param("abc", id="PC-22 no quotes"),
        pytest.param('"a', id="PC-22 no closing quote"),
        pytest.param('a"', id="PC-22 no opening quote"),
        pytest.param("", id="PC-22 empty"),
        pytest.param("{}, *", id="PC-22 an asterisk in a list"),
        pytest.param("{}, abc", id="PC-22 one bad member"),
        pytest.param("{}{}", id="PC-22 no comma"),
        pytest.param(f'"{"x" * 100_000}"', id="PC-22 100 kB"),
        pytest.param(", ".join(["{}"] * 1_000), id="PC-22 1000 tags"),
    ],
)
async def test_pc_22_a_malformed_condition_never_lets_a_write_through(service: Service, field: str) -> None:
    owner, path = service.as_("owner"), await instance_of(service)
    before = await owner.get(path)
    sent = field.replace("{}", before.headers["ETag"])
    for answer in (await writes(owner, path, **{"If-Match": sent})).values():
        type_ = "precondition-failed" if answer.status_code == 412 else "header-fields-too-large"
        check_problem(answer, type_)
    assert (await owner.get(path)).content == before.content


async def test_pc_23_ranges_are_ignored(service: Service, world: World) -> None:
    """RFC 9110 sections 14.2 and 13.1.5."""
    owner = service.as_("owner")
    for path in (world.shop, "/api/docs", "/contexts/v1/registry.jsonld"):
        whole = await owner.get(path)
        ranges = "bytes=" + ",".join(["0-0"] * 1_000)
        for fields in (
            {"Range": "bytes=0-1"},
            {"Range": "bytes=99999999-"},
            {"Range": ranges},
            {"Range": "bytes=0-1", "If-Range": whole.headers["ETag"]},
            {"If-Range": whole.headers["ETag"]},
            {"If-Range": OTHER},
        ):
            answer = await owner.get(path, headers=fields)
            assert (answer.status_code, answer.content) == (200, whole.content)
            assert answer.headers.get("Accept-Ranges", "none") == "none"
            assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("accept", [JSON, JSON_LD])
async def test_pc_24_the_tag_of_a_collection_follows_its_members(service: Service, accept: str) -> None:
    """And is its caller's: what another one sees has another tag."""
    owner, member = service.as_("owner"), service.as_("member")
    organization = await organization_of(service)
    path = f"{organization}/instances"
    first = await instance_of(service, organization)

    async def modified(tag: str) -> str:
        answer = await owner.get(path, headers={"Accept": accept, "If-None-Match": tag})
        assert answer.status_code == 200
        again = await owner.get(path, headers={"Accept": accept, "If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
        return str(answer.headers["ETag"])

    tag = await modified(OTHER)
    await patched(owner, first, {"name": "Changed"})
    tag = await modified(tag)
    second = await instance_of(service, organization)
    tag = await modified(tag)
    await owner.delete(second)
    await modified(tag)
    mine = await tag_of(owner, "/api/organizations", Accept=accept)
    assert await tag_of(member, "/api/organizations", Accept=accept) != mine
    conditions = {"Accept": accept, "If-None-Match": mine}
    assert (await member.get("/api/organizations", headers=conditions)).status_code == 200


@pytest.mark.parametrize("accept", [JSON, JSON_LD])
@pytest.mark.parametrize("path", ["{organization}/instances", "/api/instances", "/api/organizations"])
async def test_pc_24_what_is_added_to_a_collection_may_depend_on_its_tag(
    service: Service, path: str, accept: str
) -> None:
    """A list that has grown since is another one; any form of it tells which one it was."""
    owner, organization = service.as_("owner"), await organization_of(service)
    path = path.format(organization=organization)
    before = (await owner.get(path)).json()["totalItems"]

    async def added(**fields: str) -> bool:
        content = {"name": "Shop"}
        if path.endswith("instances"):
            content |= {"handle": fresh_handle(), "organization_id": id_of(organization)}
        answer = await owner.post(path, json=content, headers=fields)
        if answer.status_code != 201:
            check_problem(answer, "precondition-failed")
        return answer.status_code == 201

    tag = await tag_of(owner, path, Accept=accept)
    for fields in (
        {"If-Match": OTHER},
        {"If-Match": f"W/{tag}"},
        {"If-None-Match": tag},
        {"If-None-Match": "*"},
    ):
        assert not await added(**fields)
    assert await added(**{"If-None-Match": OTHER})
    assert not await added(**{"If-Match": tag})
    assert await added(**{"If-None-Match": tag})
    tag = await tag_of(owner, path, Accept=accept)
    assert await added(**{"If-Match": f"{OTHER}, {tag}"})
    assert await added(**{"If-Match": "*"})
    assert (await owner.get(path)).json()["totalItems"] == before + 4


async def test_pc_24_what_fails_anyway_does_not_depend_on_a_condition(service: Service, world: World) -> None:
    """RFC 9110 section 13.2.1: who owns nothing that it could add an instance to is told that."""
    stranger = service.as_("stranger-to-all")
    content = {"name": "Shop", "handle": fresh_handle(), "organization_id": world.acme_id}
    answer = await stranger.post("/api/instances", json=content, headers={"If-Match": OTHER})
    check_problem(answer, "invalid-content")


@pytest.fixture(scope="module")
def addresses(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[tuple[str, str], str]]:
    """Those of two processes on one database, and a token for them."""
    folder = placed(sqlite_template, tmp_path_factory.mktemp("served"))
    settings = {"REGISTRY_PUBLIC_URL": BASE}
    with commands.served(folder, **settings) as first, commands.served(folder, **settings) as second:
        command = ("token", "--sub", "owner", "--email", "owner@acme.example")
        token = commands.run(folder, *command, **settings).stdout.strip()
        yield (first.base, second.base), token


@pytest.fixture
async def served(
    addresses: tuple[tuple[str, str], str],
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    (first, second), token = addresses
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=first, headers=headers, timeout=60, trust_env=False) as one,
        httpx.AsyncClient(base_url=second, headers=headers, timeout=60, trust_env=False) as two,
    ):
        yield one, two


async def new_path(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/organizations", json={"name": "Acme"})
    return httpx.URL(answer.headers["Location"]).path


async def test_pc_12_a_304_has_the_fields_that_a_200_would_have(
    served: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """Over a socket, where the date is added: all but those that describe the content."""
    client, path = served[0], await new_path(served[0])
    instance = await client.post(f"{path}/instances", json={"name": "Shop", "handle": fresh_handle()})
    nested = f"{path}/instances/{id_of(instance.headers['Location'])}"
    for address in (path, nested, f"{path}/instances", "/api", "/api/docs", "/contexts/v1/registry.jsonld"):
        whole = await client.get(address)
        again = await client.get(address, headers={"If-None-Match": whole.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        volatile = {"date", "x-request-id"} | OF_CONTENT
        kept = [{k: v for k, v in it.headers.items() if k not in volatile} for it in (whole, again)]
        assert kept[0] == kept[1]
        assert {"date", "etag", "vary", "cache-control"} <= set(again.headers)


async def test_pc_19_the_version_is_compared_where_it_is_set(
    served: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """By two processes: of the writers upon one version one succeeds, time after time."""
    path = await new_path(served[0])
    for turn in range(5):
        tag = await tag_of(served[0], path)
        answers = await asyncio.gather(
            *(patched(served[n % 2], path, {"name": f"{turn}-{n}"}, **{"If-Match": tag}) for n in range(16))
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [412] * 15
