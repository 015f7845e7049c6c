"""Lists over HTTP: every member is met once, whichever way a client pages."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.service import BASE, JSON, Service, World, made
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

NAMES = ["Zebra", "ärger", "Alpha", "alpha", "100% sure", "under_score", "Émile"]
HANDLES = ["zebra", "aerger", "alpha-a", "alpha-b", "hundred", "under", "emile"]
IN_ORDER = ["100% sure", "Alpha", "alpha", "under_score", "Zebra", "ärger", "Émile"]


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
async def listed(service: Service) -> str:
    """The path of a list of seven instances, of an owner who has no others."""
    client = service.as_("librarian")
    organization = await made(client, "/api/organizations", name="Library")
    for name, handle in zip(NAMES, HANDLES, strict=True):
        await made(client, f"{organization}/instances", name=name, handle=f"lib-{handle}")
    return f"{organization}/instances"


async def read(service: Service, address: str, accept: str = "*/*") -> dict[str, Any]:
    answer = await service.as_("librarian").get(address, headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def pages(service: Service, address: str, link: str = "next") -> AsyncIterator[dict[str, Any]]:
    following: str | None = address
    while following:
        body = await read(service, following)
        assert body["view"]["@id"] == following or following == address
        yield body
        following = body["view"].get(link)


def names(body: dict[str, Any]) -> list[str]:
    return [member["name"] for member in body["member"]]


@pytest.mark.parametrize("query", ["itemsPerPage=3", "itemsPerPage=3&after=", "itemsPerPage=3&page=1"])
async def test_following_next_meets_every_member_once_and_previous_leads_back(
    service: Service, listed: str, query: str
) -> None:
    address = f"{BASE}{listed}?order%5Bname%5D=asc&{query}"
    forwards = [body async for body in pages(service, address)]
    assert [names(body) for body in forwards] == [IN_ORDER[:3], IN_ORDER[3:6], IN_ORDER[6:]]
    assert "previous" not in forwards[0]["view"]
    backwards = [body async for body in pages(service, forwards[-1]["view"]["@id"], "previous")]
    assert [names(body) for body in reversed(backwards)] == [names(body) for body in forwards]
    assert names(await read(service, forwards[-1]["view"]["first"])) == IN_ORDER[:3]
    for body in forwards:
        assert body["@id"] == f"{BASE}{listed}?order%5Bname%5D=asc"
        assert body["view"]["@type"] == "PartialCollectionView"


async def test_a_list_counts_where_a_client_begins(service: Service, listed: str) -> None:
    """API.md section 3: on the bare address, `after=` and in page style; `last` in page style only."""
    for query in ("", "?after=", "?page=1", "?page=2&itemsPerPage=3", "?itemsPerPage=3"):
        body = await read(service, listed + query)
        assert body["totalItems"] == len(NAMES)
        assert ("last" in body["view"]) == ("page" in query)
    later = (await read(service, f"{listed}?itemsPerPage=3"))["view"]["next"]
    for address in (later, (await read(service, later))["view"]["previous"]):
        assert "totalItems" not in await read(service, address)
    assert (await read(service, f"{listed}?name=alpha"))["totalItems"] == 2


async def test_a_view_is_never_its_collection(service: Service, listed: str) -> None:
    for query, view in {
        "": "?after=",
        "?name=a": "?name=a&after=",
        "?after=": "?after=",
        "?page=1": "?page=1",
        "?order[id]=ASC&page=1&itemsPerPage=10": "?order%5Bid%5D=ASC&page=1&itemsPerPage=10",
        "?colour=red": "?colour=red",
        "?order[name]=asc&name=a": "?order%5Bname%5D=asc&name=a",
    }.items():
        body = await read(service, listed + query)
        assert body["view"]["@id"] == BASE + listed + view
        assert body["view"]["@id"] != body["@id"]


async def test_a_collection_is_the_same_one_on_all_of_its_pages(service: Service, listed: str) -> None:
    filters = "handle=lib&name=a&order[name]=desc"
    for paging in ("", "&page=1", "&after=", "&itemsPerPage=2", "&unknown=1"):
        body = await read(service, f"{listed}?{filters}{paging}")
        query = urlsplit(body["@id"]).query
        assert parse_qsl(query) == [("name", "a"), ("handle", "lib"), ("order[name]", "desc")]


async def test_numbered_pages_lead_to_first_last_next_and_previous(service: Service, listed: str) -> None:
    view = (await read(service, f"{listed}?page=2&itemsPerPage=3"))["view"]
    numbers = {key: dict(parse_qsl(urlsplit(value).query)).get("page") for key, value in view.items()}
    assert numbers == {"@id": "2", "@type": None, "first": "1", "last": "3", "next": "3", "previous": "1"}
    beyond = await read(service, f"{listed}?page=100&itemsPerPage=100")
    assert beyond["member"] == []
    assert beyond["view"]["previous"].endswith("page=1")
    assert "next" not in beyond["view"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("name=ALPHA", {"Alpha", "alpha"}),
        ("name=%25", {"100% sure"}),
        ("name=_", {"under_score"}),
        ("name=%C3%84R", {"ärger"}),
        ("name=a&handle=alpha", {"Alpha", "alpha"}),
        ("handle=ZEBRA", {"Zebra"}),
        ("name=nothing", set()),
        ("name=%5C", set()),
        ("name=' OR 1=1 --", set()),
    ],
)
async def test_search_finds_parts_of_names_and_handles(
    service: Service, listed: str, query: str, expected: set[str]
) -> None:
    assert set(names(await read(service, f"{listed}?{query}"))) == expected


@pytest.mark.parametrize(
    "variable", ["name", "handle", "createdAt", "updatedAt", "id", "created_at", "updated_at"]
)
async def test_every_order_can_be_turned_round(service: Service, listed: str, variable: str) -> None:
    ascending = names(await read(service, f"{listed}?order[{variable}]=ASC"))
    descending = names(await read(service, f"{listed}?order[{variable}]=desc"))
    assert sorted(ascending) == sorted(NAMES)
    assert descending == ascending[::-1]
    if "reated" in variable:
        assert names(await read(service, listed)) == descending


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("page=0", "page"), ("page=-1", "page"), ("page=1.0", "page"), ("page=", "page"),
        ("page=x", "page"), ("page=10001", "page"), ("page=101&itemsPerPage=100", "page"),
        ("page=" + "9" * 5000, "page"),
        ("page=1&page=2", "page"), ("page=%D9%A1", "page"), ("itemsPerPage=0", "itemsPerPage"),
        ("itemsPerPage=101", "itemsPerPage"), ("itemsPerPage=", "itemsPerPage"), ("page=1&after=", "page"),
        ("page=1&before=x", "page"), ("after=&before=x", "before"), ("before=", "before"),
        ("after=x", "after"), ("after=%C3%A9", "after"), ("after=" + "A" * 4000, "after"),
        ("order[name]=up", "order[name]"), ("order[name]=", "order[name]"),
        ("order[name]=asc&order[id]=asc", "order[id]"), ("name=%ff", "name"), ("name=%00", "name"),
        ("name=%zz", "name"),
        ("name=" + "a" * 256, "name"), ("handle=" + "a" * 31, "handle"),
    ],
)  # fmt: skip
async def test_a_parameter_that_cannot_be_is_named(
    service: Service, listed: str, query: str, parameter: str
) -> None:
    """PG-01 to PG-08, IN-10."""
    answer = await service.as_("librarian").get(f"{listed}?{query}")
    assert f" {parameter}" in str(check_problem(answer, "invalid-parameter")["detail"])


async def test_unknown_parameters_are_ignored(service: Service, listed: str) -> None:
    """CLIENTS H8."""
    for query in ("colour=red", "order[colour]=asc", "Name=x", "page[]=1", "id[0]=1", "&&", "=x"):
        assert (await read(service, f"{listed}?{query}"))["totalItems"] == len(NAMES)


async def test_a_cursor_serves_its_own_order_only(service: Service, listed: str) -> None:
    body = await read(service, f"{listed}?order[name]=asc&itemsPerPage=2")
    cursor = dict(parse_qsl(urlsplit(body["view"]["next"]).query))["after"]
    client = service.as_("librarian")
    for order in ("order[name]=desc", "order[handle]=asc", ""):
        answer = await client.get(f"{listed}?{order}&after={cursor}")
        check_problem(answer, "invalid-parameter")


@given(
    cursor=st.binary(max_size=120),
    name=st.sampled_from(["after", "before"]),
    order=st.sampled_from(["name", "createdAt", "id"]),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
async def test_a_cursor_that_the_service_did_not_make_is_refused(
    service: Service, listed: str, cursor: bytes, name: str, order: str
) -> None:
    """PG-05, PG-06. An empty `after` is the first page."""
    encoded = base64.urlsafe_b64encode(cursor).decode()
    for text in (encoded, encoded.rstrip("=")):
        parameters = {f"order[{order}]": "asc", name: text}
        answer = await service.as_("librarian").get(listed, params=parameters)
        if text or name == "before":
            check_problem(answer, "invalid-parameter")
        else:
            assert answer.status_code == 200


async def test_pages_in_the_order_of_the_longest_names_lead_on(service: Service) -> None:
    """U+FDFA is eighteen characters in the key that a cursor holds."""
    client = service.as_("collector")
    organization = await made(client, "/api/organizations", name="Long")
    for number, handle in enumerate(("long-one", "long-two", "long-three")):
        name = "\ufdfa" * 254 + str(number)
        await made(client, f"{organization}/instances", name=name, handle=handle)
    address: str | None = f"{BASE}{organization}/instances?order[name]=desc&itemsPerPage=1&after="
    found = []
    while address:
        assert len(address) < 1_000
        body = (await client.get(address)).json()
        found += [member["handle"] for member in body["member"]]
        address = body["view"].get("next")
    assert found == ["long-three", "long-two", "long-one"]


async def test_the_longest_filter_is_searched_for(service: Service, listed: str) -> None:
    """U+FDFA is eighteen characters in the key that is searched."""
    assert names(await read(service, f"{listed}?name={'%EF%B7%BA' * 255}")) == []


async def test_a_list_says_how_it_can_be_searched(service: Service, listed: str) -> None:
    """CLIENTS J6: a legal template, plain variables, properties that expand."""
    body = await read(service, listed)
    search = body["search"]
    assert search["template"].startswith(f"{BASE}{listed}{{?name,handle,order%5Bname%5D,")
    assert set(search["template"].partition("{")[2]) <= set("?,}%0123456789") | set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
    )
    mapping = {entry["variable"]: entry["property"] for entry in search["mapping"]}
    assert mapping["order[created_at]"] == mapping["order[createdAt]"] == "created_at"
    assert (mapping["name"], mapping["itemsPerPage"]) == ("name", "hydra:limit")
    assert not any(entry["required"] for entry in search["mapping"])
    assertion = body["memberAssertion"]
    assert (assertion["property"], assertion["hydra:object"]) == (
        "rdf:type",
        {"@id": f"{BASE}/vocab#Instance"},
    )


async def test_a_plain_list_has_its_count_its_members_and_its_view(service: Service, listed: str) -> None:
    body = await read(service, f"{listed}?itemsPerPage=3&page=2", JSON)
    assert list(body) == ["totalItems", "member", "view"]
    assert set(body["view"]) == {"first", "last", "next", "previous"}
    assert all(not key.startswith("@") for member in body["member"] for key in member)


async def test_a_list_holds_what_its_caller_may_see_and_nothing_else(
    service: Service, standing: tuple[Service, World]
) -> None:
    world = standing[1]

    async def paths(client: httpx.AsyncClient, path: str) -> set[str]:
        return {member["@id"].removeprefix(BASE) for member in (await client.get(path)).json()["member"]}

    owner, stranger, member = (service.as_(name) for name in ("owner", "stranger", "member"))
    assert (
        await paths(owner, "/api/organizations") == {world.acme} == await paths(member, "/api/organizations")
    )
    assert await paths(stranger, "/api/instances") == {world.globex_shop}
    assert await paths(service.as_("nobody"), "/api/instances") == set()
    everything = await paths(service.as_("auditor", "registry:read-all"), "/api/instances")
    assert {world.shop, world.globex_shop} <= everything
    assert world.deleted_shop not in everything
