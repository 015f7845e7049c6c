"""Who sees what: every row of the table, both ways, and every link that someone is shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from app.caller import READ, READ_ALL, WRITE
from tests.estate import Estate, members, settle
from tests.service import BASE, JSON, PATCH, Service, World
from tests.test_graphs import addresses
from tests.visibility import (
    ACTIVITIES_OF,
    ASKING,
    CLASSES,
    KEYS,
    LISTS,
    NAMED_KEYS,
    OWNERS_KEYS,
    ROWS,
    Asking,
    List,
    Row,
)

pytestmark = pytest.mark.anyio

# With this no write can succeed: who may carry it out is told that the precondition failed.
UNMET = {"If-Match": '"0.0"'}
ALLOWED = {
    "Organization": {"PATCH", "PUT", "DELETE"},
    "Instance": {"PATCH", "PUT", "DELETE"},
    "Partner": set(),
    "Member": {"PATCH", "DELETE"},
    "Authorization": {"PATCH", "DELETE"},
    "Activity": set(),
}
NAMES = [pytest.param(asking, id=name) for name, asking in ASKING.items()]
THINGS = [
    pytest.param(class_name, row, id=f"{class_name} {row.thing}")
    for class_name, rows in ROWS.items()
    for row in rows
]


@pytest.fixture(scope="module")
async def estate(standing: tuple[Service, World]) -> Estate:
    return await settle(*standing)


def refusal(asking: Asking, method: str) -> tuple[int, str] | None:
    """Why the token alone does not allow it, whatever is there (API.md section 3)."""
    if asking.subject is None or asking.expired:
        return 401, "not-authenticated"
    wanted = {READ, READ_ALL, WRITE} if method == "GET" else {WRITE}
    return None if wanted & {*asking.scopes} else (403, "insufficient-scope")


def told(answer: httpx.Response) -> tuple[int, str]:
    """The status and, of a problem, the local name of its type."""
    problem = answer.json()["type"].rpartition("/")[2] if answer.content and answer.status_code > 399 else ""
    return answer.status_code, problem


async def write(estate: Estate, asking: Asking, method: str, path: str) -> httpx.Response:
    sent: dict[str, Any] = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
    types = {"Content-Type": PATCH} if method == "PATCH" else {}
    return await estate.ask(asking, method, path, headers=UNMET | types, **sent)


def keys_of(class_name: str, row: Row, asking: Asking) -> set[str]:
    if row.sight(asking) == "named":
        return set(NAMED_KEYS[class_name].split())
    owners = OWNERS_KEYS.get(class_name, "").split() if row.owns(asking) or asking.sees_all else []
    return {*KEYS[class_name].split(), *owners} - set(row.lacks.split())


def seen(estate: Estate, asking: Asking) -> set[str]:
    """The paths of the things that can be read."""
    return {
        estate.paths[row.thing]
        for rows in ROWS.values()
        for row in rows
        if row.sight(asking) in ("whole", "named")
    }


async def test_the_table_speaks_of_all_that_is_there(estate: Estate) -> None:
    """But for activities, of which it has examples."""
    told_of = {estate.paths[thing] for thing, name in CLASSES.items() if name != "Activity"}
    found = await estate.crawl(ASKING["auditor"])
    items = re.compile(BASE + r"(/api/(?!activities)[a-z]+/[^/?]+(/(members|authorizations)/[^/?]+)?)")
    there = {match[1] for address in found if (match := items.fullmatch(address))}
    assert there <= told_of
    assert len(told_of) == 64
    for row in (row for rows in ROWS.values() for row in rows):
        assert {*row.whole.split(), *row.named.split(), *row.may} <= {it.subject for it in ASKING.values()}


@pytest.mark.parametrize(("class_name", "row"), THINGS)
async def test_a_thing_is_seen_as_the_table_says(estate: Estate, class_name: str, row: Row) -> None:
    """API.md sections 2 and 3: status, keys, and the operations that are offered."""
    path = estate.paths[row.thing]
    for name, asking in ASKING.items():
        answer = await estate.ask(asking, "GET", path)
        expected = refusal(asking, "GET") or {
            "nothing": (404, "not-found"),
            "gone": (410, "gone"),
        }.get(row.sight(asking), (200, ""))
        assert told(answer) == expected, name
        body = answer.json()
        if expected[0] == 410:
            tombstone = {"@id": BASE + path, "@type": "Tombstone", "formerType": f"{BASE}/vocab#{class_name}"}
            assert {**body["tombstone"], "deleted": ""} == {**tombstone, "deleted": ""}, name
        if expected[0] != 200:
            continue
        keys = keys_of(class_name, row, asking)
        assert set(body) == {"@context", "@id", "@type", "operation", *keys}, name
        offered = {operation["method"] for operation in body["operation"]}
        assert offered == {"GET"} | row.methods(asking) - set(row.withheld.split()), name
        plain = (await estate.ask(asking, "GET", path, headers={"Accept": JSON})).json()
        assert plain == {key: plain[key] for key in body if key in plain}, name
        assert set(plain) <= keys, name
        if row.sight(asking) == "named":
            assert set(plain) <= {"id", "name"}, name


@pytest.mark.parametrize(("class_name", "row"), THINGS)
async def test_a_thing_can_be_changed_by_whom_the_table_says(
    estate: Estate, class_name: str, row: Row
) -> None:
    """TH-19, TN-03: what is not seen is 404 whatever the method; 403 is for what is seen, or the scope."""
    path = estate.paths[row.thing]
    for method in ALLOWED[class_name]:
        for name, asking in ASKING.items():
            may = (412, "precondition-failed") if method in row.methods(asking) else (403, "forbidden")
            expected = refusal(asking, method) or {
                "nothing": (404, "not-found"),
                "gone": (410, "gone"),
            }.get(row.sight(asking), may)
            answer = await write(estate, asking, method, path)
            assert told(answer) == expected, (method, name)


@pytest.mark.parametrize("list_", LISTS, ids=[list_.path for list_ in LISTS])
async def test_a_list_holds_what_the_table_says(estate: Estate, list_: List) -> None:
    """PG: presence, `totalItems`, and the same page by page; TH-19 for what is added to it."""
    path = list_.path.format_map(estate.paths)
    for name, asking in ASKING.items():
        status, things = list_.found(asking)
        expected = refusal(asking, "GET") or (
            status,
            {403: "forbidden", 404: "not-found", 410: "gone"}.get(status, ""),
        )
        answer = await estate.ask(asking, "GET", path)
        assert told(answer) == expected, name
        if list_.adds is not None:
            posted = await write(estate, asking, "POST", path)
            assert posted.status_code in _added(list_, asking, status), name
        if answer.status_code != 200:
            continue
        body = answer.json()
        found = [estate.thing_at(member["@id"].removeprefix(BASE)) for member in body["member"]]
        assert (set(found), len(found)) == (things, len(things)), name
        assert body["totalItems"] == len(things), name
        client = estate.client(asking)
        paged = [member["@id"] async for member in members(client, f"{path}?itemsPerPage=1")]
        assert sorted(paged) == sorted(member["@id"] for member in body["member"]), name
        numbered = (await client.get(f"{path}?itemsPerPage=1&page=1")).json()
        assert numbered["totalItems"] == len(things), name
        assert numbered["view"]["last"].endswith(f"page={max(1, len(things))}"), name
        offered = {operation["method"] for operation in body.get("operation", ())}
        adds = _adds(list_, asking) and not (path == "/api/instances" and not _owns(asking))
        # Where an instance cannot go anywhere, that is not offered.
        adds = adds and not (path.endswith("/transfer") and not things)
        assert offered == ({"GET", "POST"} if adds else {"GET"}), name


def _adds(list_: List, asking: Asking) -> bool:
    return asking.subject in (list_.adds or "").split() and WRITE in asking.scopes


def _owns(asking: Asking) -> bool:
    return any(row.owns(asking) and not row.gone for row in ROWS["Organization"])


def _added(list_: List, asking: Asking, status: int) -> tuple[int, ...]:
    """Of who may, the content is refused, or the precondition of a transfer."""
    refused = refusal(asking, "POST")
    if refused:
        return (refused[0],)
    return (412, 422) if _adds(list_, asking) else (403 if status == 200 else status,)


@pytest.mark.parametrize("asking", NAMES)
async def test_members_of_a_list_look_as_they_do_elsewhere(estate: Estate, asking: Asking) -> None:
    """Whole or by name alone, also where they stand in a list; an organization's members stay out of it."""
    by_path = {estate.paths[row.thing]: (name, row) for name, found in ROWS.items() for row in found}
    for list_ in LISTS:
        answer = await estate.ask(asking, "GET", list_.path.format_map(estate.paths))
        for member in answer.json().get("member", ()):
            class_name, row = by_path[member["@id"].removeprefix(BASE)]
            left_out = {"owners", "members"} if class_name == "Organization" else set()
            assert set(member) - {"@id", "@type"} == keys_of(class_name, row, asking) - left_out


@pytest.mark.parametrize("asking", NAMES)
async def test_activities_are_for_owners_of_an_organization_concerned(estate: Estate, asking: Asking) -> None:
    """API.md section 3: under each organization, and in one list what all of them tell."""
    union: set[str] = set()
    for organization, (owners, others) in ACTIVITIES_OF.items():
        path = f"{estate.paths[organization]}/activities"
        answer = await estate.ask(asking, "GET", path)
        reads = asking.sees_all or asking.subject in owners.split()
        status = 200 if reads else 403 if asking.subject in others.split() else 404
        expected = refusal(asking, "GET")
        assert answer.status_code == (expected[0] if expected else status), organization
        whole = [member["@id"] async for member in members(estate.auditor, path)]
        if answer.status_code == 200:
            client = estate.client(asking)
            assert [member["@id"] async for member in members(client, path)] == whole
        union |= set(whole) if asking.subject in owners.split() else set()
    refused = refusal(asking, "GET")
    if refused:
        assert told(await estate.ask(asking, "GET", "/api/activities")) == refused
        return
    client = estate.client(asking)
    there = {member["@id"]: member async for member in members(estate.auditor, "/api/activities")}
    found = {member["@id"]: member async for member in members(client, "/api/activities")}
    expected_there = set(there) if asking.sees_all else union | _of_what_is_deleted(estate, asking, there)
    assert set(found) == expected_there
    for address in there:
        assert (await client.get(address)).status_code == (200 if address in found else 404)
    counted = (await client.get("/api/activities?page=1&itemsPerPage=1")).json()["totalItems"]
    assert counted == len(found)


def _of_what_is_deleted(estate: Estate, asking: Asking, there: Mapping[str, Any]) -> set[str]:
    """What concerns an organization that the caller was an owner of when it was deleted."""
    owned = {
        "owner": ("past", "ended", "ended: companion", "partner companion"),
        "donor": ("extinct", "orphan", "orphan > acme", "lapsed", "lab > lapsed"),
    }
    objects = {BASE + estate.paths[thing] for thing in owned.get(str(asking.subject), ())}
    return {address for address, activity in there.items() if activity["object"] in objects}


@pytest.mark.parametrize("asking", NAMES)
async def test_every_address_that_a_caller_is_shown_answers_it(estate: Estate, asking: Asking) -> None:
    """API.md section 1: 200, but what an activity tells of may be gone, 410, or out of sight, 404."""
    if refusal(asking, "GET"):
        return
    found = await estate.crawl(asking)
    objects = {
        activity["object"]
        for answer in found.values()
        if answer.content
        for activity in (answer.json(), *answer.json().get("member", ()))
        if "object" in activity
    }
    elsewhere = {
        address
        for answer in found.values()
        if answer.status_code == 200
        for address in addresses(_without_object(answer.json()))
    }
    for address, answer in found.items():
        if address == f"{BASE}/api/me":
            assert answer.status_code == 303
        elif address not in objects or address in elsewhere:
            assert answer.status_code == 200, address
        else:
            assert answer.status_code in (200, 404, 410), address


def _without_object(body: Any) -> Any:
    """The body without what its activities tell of; the rest of it has to lead somewhere."""
    if isinstance(body, list):
        return [_without_object(item) for item in body]
    if not isinstance(body, dict):
        return body
    return {key: _without_object(value) for key, value in body.items() if key != "object"}


@pytest.mark.parametrize("asking", NAMES)
async def test_whatever_a_caller_may_see_can_be_reached_from_the_entry_point(
    estate: Estate, asking: Asking
) -> None:
    """Closed in both directions: the addresses that are met are those of the table, no more and no fewer."""
    if refusal(asking, "GET"):
        return
    found = await estate.crawl(asking)
    paths = {address.removeprefix(BASE) for address, answer in found.items() if answer.status_code == 200}
    things = {path for path in paths if path in estate.paths.values()}
    # Who belongs nowhere and has done nothing is named by nothing.
    unnamed = {estate.paths[f"partner {subject}"] for subject in {"newcomer", "auditor"} - {asking.subject}}
    assert things == seen(estate, asking) - unnamed


@pytest.mark.parametrize("asking", NAMES)
async def test_a_handle_leads_to_the_instance_where_that_is_seen(estate: Estate, asking: Asking) -> None:
    handles = {"shop": "acme-shop", "lab": "acme-lab", "old": "acme-old", "globex shop": "globex"}
    for row in ROWS["Instance"]:
        handle = handles.get(row.thing, f"an-{row.thing.replace(' ', '-')}")
        answer = await estate.ask(asking, "GET", f"/api/handles/{handle}")
        status = {"nothing": 404, "gone": 410}.get(row.sight(asking), 303)
        assert answer.status_code == (refusal(asking, "GET") or (status, ""))[0], row.thing
        if answer.status_code == 303:
            assert answer.headers["Location"] == BASE + estate.paths[row.thing]
