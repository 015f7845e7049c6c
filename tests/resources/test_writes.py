"""Creating, renaming, replacing and deleting, over HTTP."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from app.storage.database import Database
from tests.conformance.fresh import instance_of, organization_of, patched
from tests.service import BASE, JSON, JSON_LD, PATCH, TURTLE, Service, World, made
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

INSTANCE_MEMBERS = [
    "id", "name", "handle", "created_at", "updated_at", "organization_id", "created_by_organization_id",
]  # fmt: skip
ABSENT = "01930000-0000-7000-8000-000000000000"


async def rename(client: httpx.AsyncClient, path: str, content: Any, **headers: str) -> httpx.Response:
    return await client.patch(path, json=content, headers={"Content-Type": PATCH, **headers})


async def plain(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    body: dict[str, Any] = (await client.get(path, headers={"Accept": JSON})).json()
    return body


def violated(answer: httpx.Response) -> dict[str, str]:
    """The code of each violation by its pointer."""
    violations = check_problem(answer, "invalid-content")["violations"]
    assert isinstance(violations, list)
    for violation in violations:
        assert violation["message"]
        assert (violation["propertyPath"] == "") == (violation["pointer"] == "#")
    return {violation["pointer"]: violation["code"] for violation in violations}


async def activities(service: Service) -> int:
    database = Database(service.settings.database_url)
    await database.open()
    try:
        [row] = await database.reading().rows("SELECT count(*) AS total FROM activity")
        return int(row["total"])
    finally:
        await database.close()


async def test_what_is_created_is_answered_whole_and_found_at_its_location(service: Service) -> None:
    """CLIENTS H9; RFC 9110 section 15.3.2."""
    owner = service.as_("owner")
    answer = await owner.post("/api/organizations", json={"name": "Acme"})
    organization = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == answer.headers["Content-Location"] == organization["@id"]
    again = await owner.get(organization["@id"])
    assert (again.content, again.headers["ETag"]) == (answer.content, answer.headers["ETag"])

    nested = f"{organization['@id']}/instances"
    answer = await owner.post(nested, json={"name": "Shop", "handle": "acme-shop"})
    instance = answer.json()
    assert instance["@id"] == f"{BASE}/api/instances/{instance['id']}" == answer.headers["Location"]
    assert (instance["organization"], instance["organization_id"]) == (
        organization["@id"],
        organization["id"],
    )
    assert instance["created_by_organization_id"] == organization["id"]
    assert (await owner.get(instance["@id"])).content == answer.content
    assert list(await plain(owner, instance["@id"])) == INSTANCE_MEMBERS


@pytest.mark.parametrize("reference", ["organization_id", "organization", "both"])
async def test_an_instance_names_its_organization_in_either_way(
    service: Service, world: World, reference: str
) -> None:
    named = {"organization_id": world.acme_id, "organization": BASE + world.acme}
    chosen = named if reference == "both" else {reference: named[reference]}
    content = {"name": "Other", "handle": "acme-other", **chosen}
    for path in ("/api/instances", f"{world.acme}/instances"):
        answer = await service.as_("owner").post(path, json=content)
        assert answer.status_code == 201, answer.text
        assert answer.json()["organization_id"] == world.acme_id
        content["handle"] += "-b"
    embedded = {**content, "organization": {"@id": BASE + world.acme}}
    assert (await service.as_("owner").post("/api/instances", json=embedded)).status_code == 201


@pytest.mark.parametrize(
    ("said", "violation"),
    [
        ({"@type": "Organization"}, None),
        ({"@type": ["Organization", f"{BASE}/vocab#Organization"]}, None),
        ({"@type": "Instance"}, ("type", "Leave its class out, or say Organization.")),
        ({"@type": ["Organization", "Instance"]}, ("type", "Leave its class out, or say Organization.")),
        (
            {"name": "Acme", "@type": "Organization"},
            ("subject", "Leave out what is said of it (name): only the resource itself is written here."),
        ),
    ],
)
@pytest.mark.parametrize("media_type", [JSON, JSON_LD])
async def test_a_reference_may_say_the_class_of_what_it_leads_to_and_nothing_else(
    service: Service, world: World, media_type: str, said: dict[str, Any], violation: tuple[str, str] | None
) -> None:
    content = {"name": "Other", "handle": "acme-other", "organization": {"@id": BASE + world.acme, **said}}
    fields = {"Content-Type": media_type}
    answer = await service.as_("owner").post("/api/instances", content=json.dumps(content), headers=fields)
    if violation is None:
        assert answer.status_code == 201, answer.text
    else:
        found: Any = check_problem(answer, "invalid-content")["violations"]
        assert [(it["pointer"], it["code"], it["message"]) for it in found] == [
            ("#/organization", *violation)
        ]


async def test_a_link_that_cannot_be_changed_may_be_sent_back_with_its_class(
    service: Service, world: World
) -> None:
    owner = service.as_("owner")
    for said, code in ((["Organization"], None), (["Instance"], "type")):
        link = {"@id": BASE + world.acme, "@type": said}
        answer = await owner.put(world.shop, json={"name": "Shop", "created_by_organization": link})
        if code is None:
            assert answer.status_code == 200, answer.text
        else:
            assert violated(answer) == {"#/created_by_organization": code}


async def test_what_is_wrong_by_itself_is_told_once_and_as_what_it_is(service: Service, world: World) -> None:
    owner, content = service.as_("owner"), {"name": "Other", "handle": "acme-other"}
    acme, globex = (f"{BASE}{it}" for it in (world.acme, world.globex))
    for sent, told in (
        ({"organization": 5}, {"#/organization": "nodeKind"}),
        ({"organization": [acme, globex]}, {"#/organization": "maxCount"}),
        ({"organization_id": "zz", "organization": acme}, {"#/organization_id": "pattern"}),
        ({"name": ["a", "b"], "organization": acme}, {"#/name": "maxCount"}),
        ({"name": {"@value": "a", "@language": "en"}, "organization": acme}, {"#/name": "datatype"}),
    ):
        answer = await owner.post("/api/instances", json={**content, **sent})
        assert violated(answer) == told
        assert len(answer.json()["violations"]) == 1
    several = "<> <https://schema.org/name> 'a', 'b' ."
    answer = await owner.post("/api/organizations", content=several, headers={"Content-Type": TURTLE})
    assert violated(answer) == {"#/name": "maxCount"}


async def test_who_names_two_organizations_is_told_which_differs_from_which(
    service: Service, world: World
) -> None:
    owner, content = service.as_("owner"), {"name": "Other", "handle": "acme-other"}
    both = {**content, "organization_id": world.acme_id, "organization": f"{BASE}{world.globex}"}
    for path, than in (("/api/instances", "organization_id"), (f"{world.acme}/instances", "the address")):
        [found] = (await owner.post(path, json=both)).json()["violations"]
        assert found["message"] == f"This names another organization than {than} does."
    [found] = (await owner.post("/api/instances", json={**content, "organization": world.acme})).json()[
        "violations"
    ]
    assert (
        found["message"] == f"This must be the address of an organization, {BASE}/api/organizations/{{id}}."
    )


async def test_an_organization_that_cannot_be_is_refused_in_the_same_way_as_a_foreign_one(
    service: Service, world: World
) -> None:
    owner, content = service.as_("owner"), {"name": "Other", "handle": "acme-other"}
    globex_id = world.globex.rpartition("/")[2]
    past_id = world.deleted_organization.rpartition("/")[2]
    messages = set()
    for value in (globex_id, past_id, ABSENT):
        for key, reference in (
            ("organization_id", value),
            ("organization", f"{BASE}/api/organizations/{value}"),
        ):
            answer = await owner.post("/api/instances", json={**content, key: reference})
            assert violated(answer) == {f"#/{key}": "reference"}
            messages.add(answer.json()["violations"][0]["message"])
    assert len(messages) == 1
    for reference in (
        "x",
        "/api/organizations/42",
        world.acme_id,
        f"{BASE}/api/instances/{globex_id}",
        f"{BASE}/api",
        "é\x00"[:1],
    ):
        answer = await owner.post("/api/instances", json={**content, "organization": reference})
        assert violated(answer) == {"#/organization": "reference"}
    assert violated(await owner.post("/api/instances", json=content)) == {"#/organization_id": "required"}
    for path in ("/api/instances", f"{world.acme}/instances"):
        disagreeing = {**content, "organization_id": world.acme_id, "organization": f"{BASE}{world.globex}"}
        assert violated(await owner.post(path, json=disagreeing)) == {"#/organization": "reference"}
    elsewhere = {**content, "organization_id": globex_id}
    answer = await owner.post(f"{world.acme}/instances", json=elsewhere)
    assert violated(answer) == {"#/organization_id": "reference"}


async def test_a_handle_is_given_out_once_for_ever(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for handle in ("acme-shop", "acme-old", "globex"):
        answer = await owner.post(f"{world.acme}/instances", json={"name": "Other", "handle": handle})
        body = check_problem(answer, "handle-taken")
        assert body["status"] == 409
        violations = body["violations"]
        assert isinstance(violations, list)
        [violation] = violations
        assert (violation["propertyPath"], violation["pointer"]) == ("handle", "#/handle")


async def test_every_fault_of_the_content_is_named_at_once(service: Service, world: World) -> None:
    owner = service.as_("owner")
    content = {
        "name": " Shop",
        "handle": "-x-",
        "color": "red",
        "created_at": "now",
        "id": "7",
        "@type": "Cat",
    }
    answer = await owner.post(f"{world.acme}/instances", json={**content, "a/b~": None})
    assert violated(answer) == {
        "#/name": "pattern",
        "#/handle": "pattern",
        "#/color": "unknown",
        "#/created_at": "readOnly",
        "#/id": "readOnly",
        "#/@type": "type",
        "#/a~1b~0": "unknown",
    }
    assert violated(await owner.post(f"{world.acme}/instances", json={})) == {
        "#/name": "required",
        "#/handle": "required",
    }
    for text in ("[]", '"Shop"', "7", "null", "true"):
        answer = await owner.post("/api/organizations", content=text, headers={"Content-Type": JSON})
        assert violated(answer) == {"#": "type"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "minLength"), ("x" * 256, "maxLength"), (" x", "pattern"), ("x\n", "not"), ("a\tb", "pattern"),
        ("a\u202eb", "pattern"), ("a\u0085b", "pattern"), (None, "required"), (7, "datatype"),
        (["x"], "datatype"), ({"@value": "x"}, "datatype"), (True, "datatype"), ("\u200b", "not"),
        ("\u2060\u00ad", "not"), ("\u200d \u200c", "not"), ("\u3164", "not"), ("\u2800", "not"),
        ("\ufeff", "pattern"), ("\u200b\u2003\ufe0f", "not"),
    ],
)  # fmt: skip
async def test_a_name_that_cannot_be_is_refused(service: Service, world: World, name: Any, code: str) -> None:
    owner = service.as_("owner")
    before = await owner.get(world.acme)
    for answer in (
        await owner.post("/api/organizations", json={"name": name}),
        await owner.put(world.acme, json={"name": name}),
        await rename(owner, world.acme, {"name": name}),
        await rename(owner, world.shop, {"name": name}),
    ):
        assert violated(answer)["#/name"] == code
    assert (await owner.get(world.acme)).content == before.content


@pytest.mark.parametrize(
    "name",
    [
        *("x", "x" * 255, "𝔘𝔫𝔦", "O'Neill & Söhne </script>", "a  b", "日本語", 'a\\b"c'),
        *("نامه\u200cها", "क्\u200dष", "🏳\ufe0f\u200d🌈", "\u200bx\u2060", "\u0301", "\u0600"),
    ],
    ids=ascii,
)
async def test_text_is_stored_as_sent(service: Service, name: str) -> None:
    owner = service.as_("owner")
    path = await made(owner, "/api/organizations", name=name)
    assert (await plain(owner, path))["name"] == name


async def test_a_rename_changes_the_name_the_time_and_the_version(service: Service, world: World) -> None:
    owner = service.as_("owner")
    for path in (world.acme, world.shop, world.nested_shop):
        before = await owner.get(path)
        answer = await rename(owner, path, {"name": f"New {len(path)}"})
        assert answer.status_code == 200
        changed = {key for key, value in answer.json().items() if before.json()[key] != value}
        assert changed == {"name", "updated_at"} or path == world.nested_shop
        after = await owner.get(path)
        assert (after.content, after.headers["ETag"]) == (answer.content, answer.headers["ETag"])
        assert answer.headers["ETag"] != before.headers["ETag"]


async def test_a_replacement_answers_without_an_entity_tag(service: Service, world: World) -> None:
    """RFC 9110 section 9.3.4: the tag would say that exactly what was sent is kept."""
    owner = service.as_("owner")
    for path in (world.acme, world.shop):
        answer = await owner.put(path, json={"name": "Replaced"})
        assert (answer.status_code, answer.json()["name"]) == (200, "Replaced")
        assert "ETag" not in answer.headers
        assert violated(await owner.put(path, json={})) == {"#/name": "required"}
    assert (await owner.put(f"/api/instances/{ABSENT}", json={"name": "New"})).status_code == 404


async def test_a_write_that_changes_nothing_writes_nothing(service: Service, world: World) -> None:
    owner = service.as_("owner")
    before, count = await owner.get(world.shop), await activities(service)
    for answer in (
        await rename(owner, world.shop, {"name": "Shop"}),
        await rename(owner, world.shop, {}),
        await owner.put(world.shop, json={"name": "Shop"}),
    ):
        assert answer.json() == before.json()
    assert (await owner.get(world.shop)).headers["ETag"] == before.headers["ETag"]
    assert await activities(service) == count


async def test_a_whole_record_sent_back_is_accepted(service: Service, world: World) -> None:
    """CLIENTS H11: what the edit form of an admin client sends."""
    owner = service.as_("owner")
    for path in (world.acme, world.shop, world.nested_shop):
        for accept in (JSON, JSON_LD):
            record = (await owner.get(path, headers={"Accept": accept})).json()
            record |= {"name": f"Again {accept}", "updated_at": "whenever"}
            answer = await owner.put(path, json=record, headers={"Content-Type": JSON_LD})
            assert answer.status_code == 200, answer.text
            assert answer.json()["name"] == f"Again {accept}"
            form = {
                **record,
                "id": f"{BASE}{world.acme if path == world.acme else world.shop}",
                "originId": record["id"],
            }
            assert (await rename(owner, path, form)).status_code == 200


async def test_a_record_read_before_its_creator_was_deleted_is_accepted_with_the_link_it_had(
    service: Service,
) -> None:
    """CLIENTS H11: nothing of it has changed, and its tag still holds. Nobody else created it."""
    owner = service.as_("owner")
    creator, heir, other = [await organization_of(service) for _ in range(3)]
    instance = await instance_of(service, creator)
    named = {"organization": BASE + heir}
    offer = await made(owner, f"{instance}/authorizations", **named)
    assert (await patched(owner, offer, {"status": "accepted"})).status_code == 200
    assert (await owner.post(f"{instance}/transfer", json=named)).status_code == 200
    read = await owner.get(instance)
    link = read.json()["created_by_organization"]
    assert link == BASE + creator
    assert (await owner.delete(creator)).status_code == 204
    condition = {"If-Match": read.headers["ETag"], "Content-Type": JSON_LD}
    sent_back = await owner.put(instance, json={**read.json(), "name": "New"}, headers=condition)
    assert (sent_back.status_code, sent_back.json()["name"]) == (200, "New")
    assert "created_by_organization" not in sent_back.json()
    for same in ({"created_by_organization": {"@id": link}}, {"created_by_organization": None}):
        assert (await patched(owner, instance, same)).status_code == 200
    for wrong in (BASE + other, BASE + heir, link + "/", creator):
        refused = await patched(owner, instance, {"created_by_organization": wrong})
        violations: Any = check_problem(refused, "invalid-content")["violations"]
        assert [it["code"] for it in violations] == ["readOnly"]


async def test_what_is_deleted_is_gone_to_who_could_see_it_and_unknown_to_others(
    service: Service, world: World
) -> None:
    """CR-09: a tombstone tells what was here."""
    for path, class_ in ((world.deleted_shop, "Instance"), (world.deleted_organization, "Organization")):
        for method in ("GET", "PUT", "PATCH", "DELETE"):
            headers = {"Content-Type": PATCH if method == "PATCH" else JSON}
            request = {"json": {"name": "New"}, "headers": headers}
            answer = await service.as_("owner").request(method, path, **request)  # type: ignore[arg-type]
            tombstone: Any = check_problem(answer, "gone")["tombstone"]
            assert tombstone["@id"] == BASE + path
            assert (tombstone["@type"], tombstone["formerType"]) == ("Tombstone", f"{BASE}/vocab#{class_}")
            assert tombstone["deleted"].endswith("Z")
            answer = await service.as_("stranger").request(method, path, **request)  # type: ignore[arg-type]
            check_problem(answer, "not-found")
    plain_json = await service.as_("owner").get(world.deleted_shop, headers={"Accept": JSON})
    assert plain_json.json()["tombstone"]["@id"] == BASE + world.deleted_shop
    lists = [await plain(service.as_("owner"), f"/api/{name}") for name in ("organizations", "instances")]
    assert [body["totalItems"] for body in lists] == [1, 2]
    below = await service.as_("owner").get(f"{world.deleted_organization}/instances")
    check_problem(below, "gone")
    handle = await service.as_("owner").get("/api/handles/acme-old")
    check_problem(handle, "gone")


async def test_a_foreign_resource_and_an_absent_one_cannot_be_told_apart(
    service: Service, world: World
) -> None:
    """TN-01 to TN-04: whatever the method; the same bodies but for the occurrence."""
    owner = service.as_("owner")
    absent = world.globex_shop[: -len(ABSENT)] + ABSENT
    pairs = [
        (world.globex_shop, absent),
        (world.globex, f"/api/organizations/{ABSENT}"),
        (f"{world.globex}/instances", f"/api/organizations/{ABSENT}/instances"),
        (f"{world.acme}/instances/{world.globex_shop[-36:]}", f"{world.acme}/instances/{ABSENT}"),
        ("/api/handles/globex", "/api/handles/absent"),
    ]
    for foreign, missing in pairs:
        for method in ("GET", "DELETE", "PATCH", "PUT", "POST"):
            bodies = []
            for path in (foreign, missing):
                headers = {"Content-Type": PATCH if method == "PATCH" else JSON}
                answer = await owner.request(method, path, content=b'{"name": "x"}', headers=headers)
                assert answer.status_code in (404, 405), (method, path)
                bodies.append({k: v for k, v in answer.json().items() if k not in ("@id", "instance")})
            assert bodies[0] == bodies[1]


async def test_the_nested_address_shows_the_same_resource(service: Service, world: World) -> None:
    owner = service.as_("owner")
    flat, nested = await owner.get(world.shop), await owner.get(world.nested_shop)
    assert (flat.content, flat.headers["ETag"]) == (nested.content, nested.headers["ETag"])
    assert nested.headers["Content-Location"] == BASE + world.shop
    assert f'<{BASE}{world.shop}>; rel="canonical"' in nested.headers["Link"].split(", ")
    assert "Content-Location" not in flat.headers
    globex = service.as_("auditor", "registry:read-all")
    check_problem(await globex.get(f"{world.globex}/instances/{world.shop[-36:]}"), "not-found")


async def test_a_deleted_instance_is_gone_only_below_the_organization_that_owned_it(
    service: Service, world: World
) -> None:
    owner, identifier = service.as_("owner"), world.deleted_shop.rpartition("/")[2]
    assert (await owner.get(f"{world.acme}/instances/{identifier}")).status_code == 410
    for parent in (world.globex, world.deleted_organization, f"/api/organizations/{identifier}"):
        assert (await owner.get(f"{parent}/instances/{identifier}")).status_code == 404


async def test_what_is_wrong_with_the_organization_is_told_with_the_rest(service: Service) -> None:
    content = {"name": "", "handle": "a--b\n", "organization": "http://elsewhere.example"}
    answer = await service.as_("owner").post("/api/instances", json=content)
    assert answer.status_code == 422
    told = [violation["propertyPath"] for violation in answer.json()["violations"]]
    assert told == ["name", "handle", "organization"]


async def test_a_handle_leads_to_its_instance(service: Service, world: World) -> None:
    answer = await service.as_("member").get("/api/handles/acme-shop")
    assert (answer.status_code, answer.headers["Location"]) == (303, BASE + world.shop)


async def test_any_representation_s_tag_serves_for_a_write(service: Service, world: World) -> None:
    """API.md section 3, PC-01 to PC-10: If-Match compares versions."""
    owner = service.as_("owner")
    for number, accept in enumerate((JSON, JSON_LD)):
        tag = (await owner.get(world.shop, headers={"Accept": accept})).headers["ETag"]
        answer = await rename(owner, world.shop, {"name": f"Name {number}"}, **{"If-Match": tag})
        assert answer.status_code == 200
        for method, content in (("PATCH", {"name": "Lost"}), ("PUT", {"name": "Lost"}), ("DELETE", None)):
            headers = {"If-Match": tag, "Content-Type": PATCH if method == "PATCH" else JSON}
            late = await owner.request(method, world.shop, json=content, headers=headers)
            check_problem(late, "precondition-failed")
    assert (await plain(owner, world.shop))["name"] == "Name 1"
    for sent in ("*", '"x", {}'):
        current = sent.format(answer.headers["ETag"])
        answer = await rename(owner, world.shop, {"name": f"Name {sent}"}, **{"If-Match": current})
        assert answer.status_code == 200
    check_problem(await rename(owner, world.shop, {}, **{"If-None-Match": "*"}), "precondition-failed")
    weak = f"W/{answer.headers['ETag']}"
    check_problem(await rename(owner, world.shop, {}, **{"If-Match": weak}), "precondition-failed")


async def test_of_writes_that_depend_on_one_version_one_succeeds(service: Service, world: World) -> None:
    """PC-14: one atomic compare-and-set, also when many come at once."""
    owner = service.as_("owner")
    tag = (await owner.get(world.shop)).headers["ETag"]
    answers = await asyncio.gather(
        *(rename(owner, world.shop, {"name": f"Name {n}"}, **{"If-Match": tag}) for n in range(12))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 11
    [winner] = [answer for answer in answers if answer.status_code == 200]
    assert (await owner.get(world.shop)).content == winner.content


async def test_the_order_in_which_checks_answer(service: Service, world: World) -> None:
    """API.md section 3: each request has every fault from one place of the order on."""
    owner, member = service.as_("owner"), service.as_("member")
    bad = {"Accept": "image/png", "Content-Type": "text/plain", "If-Match": '"0.0"'}
    typed, tagged = {"Content-Type": PATCH}, {"Content-Type": PATCH, "If-Match": '"0.0"'}
    big = b"x" * (service.settings.max_content_length + 1)
    anonymous, reader = service.as_(None), service.as_("owner", "registry:read")
    foreign = world.globex_shop
    for client, path, headers, content, type_ in (
        (anonymous, "/api/instances/x", bad, big, "not-found"),
        (anonymous, foreign, bad, big, "not-authenticated"),
        (reader, foreign, bad, big, "insufficient-scope"),
        (owner, foreign, bad, big, "not-acceptable"),
        (owner, foreign, bad | {"Accept": "*/*"}, big, "unsupported-media-type"),
        (owner, foreign, tagged, big, "content-too-large"),
        (owner, foreign, tagged, b"{", "not-found"),
        (owner, world.deleted_shop, tagged, b"{", "gone"),
        (member, world.shop, tagged, b"{", "forbidden"),
        (owner, world.shop, tagged, b"{", "precondition-failed"),
        (owner, world.shop, typed, b"{", "malformed-content"),
        (owner, world.shop, typed, b'{"x": 1}', "invalid-content"),
    ):
        check_problem(await client.patch(path, content=content, headers=headers), type_)
    taken = b'{"name": " ", "handle": "globex"}'
    nested = f"{world.acme}/instances"
    answer = await owner.post(nested, content=taken, headers={"Content-Type": JSON})
    check_problem(answer, "invalid-content")


async def test_what_was_made_is_not_another_form_of_the_list_that_it_was_sent_to(
    service: Service, world: World
) -> None:
    content = {"name": "Shop", "handle": "made-here"}
    answer = await service.as_("owner").post(f"{world.acme}/instances", json=content)
    assert answer.status_code == 201
    assert 'rel="canonical"' not in answer.headers["Link"]
    shown = await service.as_("owner").get(answer.headers["Location"])
    assert f'<{answer.headers["Location"]}>; rel="canonical"' in shown.headers["Link"]
