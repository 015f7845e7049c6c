"""Members: added by e-mail, bound to who proves to have it, and never without an owner."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.security.local_issuer import local_issuer
from app.storage.acts import new_id
from app.storage.database import Database
from tests.service import BASE, JSON, PATCH, Service, World, id_of, made
from tests.statements import overhear
from tests.storage.rows import add_membership
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
MERGE = {"Content-Type": PATCH}


async def listed(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    members: list[dict[str, Any]] = (await client.get(path, headers={"Accept": JSON})).json()["member"]
    return members


async def test_a_member_is_added_by_email_and_bound_when_the_partner_comes(service: Service) -> None:
    """API.md section 4: until then it has no partner; addresses are compared in any case."""
    owner = service.as_("owner")
    acme = await made(owner, "/api/organizations", name="Acme")
    content = {"email": "Member@ACME.example", "role": "member"}
    answer = await owner.post(f"{acme}/members", json=content)
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["Location"] == body["@id"]
    assert (body["email"], body["role"]) == ("Member@ACME.example", "member")
    assert "partner" not in body
    assert "name" not in body
    assert body["organization"] == BASE + acme
    assert (await service.as_("member").get(acme)).status_code == 200
    bound = (await owner.get(body["@id"])).json()
    assert (bound["email"], bound["name"]) == ("member@acme.example", "Member")
    me = (await service.as_("member").get("/api/me")).headers["Location"]
    assert bound["partner"] == me
    assert bound["@id"] == body["@id"]


async def test_a_known_partner_is_a_member_at_once(service: Service) -> None:
    owner, member = service.as_("owner"), service.as_("member")
    me = (await member.get("/api/me")).headers["Location"]
    acme = await made(owner, "/api/organizations", name="Acme")
    body = (
        await owner.post(f"{acme}/members", json={"email": "member@acme.example", "role": "owner"})
    ).json()
    assert body["partner"] == me
    assert (await member.patch(acme, json={"name": "New"}, headers=MERGE)).status_code == 200


async def test_an_organization_shows_its_owners_and_its_members(service: Service, world: World) -> None:
    """Always arrays in an item, left out in a list; the same as the memberships that its link leads to."""
    owner = service.as_("owner")
    body = (await owner.get(world.acme)).json()
    assert [member["email"] for member in body["owners"]] == ["owner@acme.example"]
    assert [member["@id"] for member in body["members"]] == [BASE + world.member]
    assert [member["@type"] for member in body["owners"] + body["members"]] == ["Member", "Member"]
    plain = (await owner.get(world.acme, headers={"Accept": JSON})).json()
    assert list(plain["members"][0]) == ["id", "email", "name", "role", "joined_at"]
    memberships = {member["id"] for member in await listed(owner, f"{world.acme}/members")}
    assert memberships == {member["id"] for member in plain["owners"] + plain["members"]}
    alone = (await service.as_("stranger").get(world.globex, headers={"Accept": JSON})).json()
    assert (len(alone["owners"]), alone["members"]) == (1, [])
    for body in await listed(owner, "/api/organizations"):
        assert list(body) == ["id", "name", "created_at", "updated_at"]


async def test_an_organization_with_its_members_takes_a_constant_number_of_statements(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counts = service.as_("owner"), []
    # Who the token stands for is asked once.
    assert (await owner.get(world.acme)).status_code == 200
    statements = overhear(monkeypatch)
    for number in range(2):
        statements.clear()
        assert (await owner.get(world.acme)).status_code == 200
        counts.append(len(statements))
        for letter in "abcdefgh":
            content = {"email": f"{letter}{number}@acme.example", "role": "member"}
            await owner.post(f"{world.acme}/members", json=content)
    assert counts == [2, 2]


async def test_who_is_a_member_already_is_not_added_again(service: Service, world: World) -> None:
    owner = service.as_("owner")
    await made(owner, f"{world.acme}/members", email="new@acme.example", role="member")
    for email in ("member@acme.example", "NEW@acme.example", "owner@acme.example"):
        answer = await owner.post(f"{world.acme}/members", json={"email": email, "role": "owner"})
        body: Any = check_problem(answer, "already-member")
        assert body["violations"][0]["propertyPath"] == "email"


@pytest.mark.parametrize(
    ("content", "paths"),
    [
        ({}, {"email", "role"}),
        ({"email": "no address", "role": "member"}, {"email"}),
        ({"email": "a@b c", "role": "admin"}, {"email", "role"}),
        ({"email": "a@b@c", "role": 1}, {"email", "role"}),
        ({"email": f"{'a' * 320}@b", "role": None}, {"email", "role"}),
        ({"email": "a@b\n", "role": "owner"}, {"email"}),
        ({"email": "a@b", "role": "owner", "partner_id": "x"}, {"partner_id"}),
    ],
)
async def test_every_fault_of_a_member_is_named(
    service: Service, world: World, content: dict[str, Any], paths: set[str]
) -> None:
    answer = await service.as_("owner").post(f"{world.acme}/members", json=content)
    body: Any = check_problem(answer, "invalid-content")
    assert {violation["propertyPath"] for violation in body["violations"]} == paths


async def test_an_organization_has_a_thousand_members_at_most(service: Service, world: World) -> None:
    """API.md section 2: 409, and who adds is told before that it cannot be done."""
    owner = service.as_("owner")
    database = Database(service.settings.database_url)
    await database.open()
    async with database.transaction() as session:
        for number in range(998):
            waiting = {"id": new_id(), "email": f"{number}@x", "email_key": f"{number}@x"}
            await add_membership(session, world.acme_id, **waiting)
    await database.close()
    body = (await owner.get(f"{world.acme}/members")).json()
    assert body["totalItems"] == 1_000
    assert [operation["method"] for operation in body["operation"]] == ["GET"]
    later = (await owner.get(body["view"]["next"])).json()
    assert [operation["method"] for operation in later["operation"]] == ["GET"]
    content = {"email": "more@acme.example", "role": "member"}
    check_problem(await owner.post(f"{world.acme}/members", json=content), "too-many-members")
    assert (await owner.delete(world.member)).status_code == 204
    assert (await owner.post(f"{world.acme}/members", json=content)).status_code == 201


async def test_a_role_is_changed_by_an_owner_and_counts_at_once(service: Service, world: World) -> None:
    """AU-20."""
    owner, member = service.as_("owner"), service.as_("member")
    rename = {"name": "New"}
    check_problem(await member.patch(world.acme, json=rename, headers=MERGE), "forbidden")
    check_problem(await member.patch(world.member, json={"role": "owner"}, headers=MERGE), "forbidden")
    answer = await owner.patch(world.member, json={"role": "owner"}, headers=MERGE)
    assert (answer.status_code, answer.json()["role"]) == (200, "owner")
    assert (await member.patch(world.acme, json=rename, headers=MERGE)).status_code == 200
    assert (await owner.patch(world.member, json={"role": "member"}, headers=MERGE)).status_code == 200
    check_problem(await member.patch(world.acme, json=rename, headers=MERGE), "forbidden")


async def test_a_whole_membership_sent_back_is_accepted_and_nothing_else_is_changed(
    service: Service, world: World
) -> None:
    """CLIENTS H11."""
    owner = service.as_("owner")
    read = await owner.get(world.member)
    again = await owner.patch(world.member, json=read.json(), headers=MERGE)
    assert again.headers["ETag"].split(".")[0] == read.headers["ETag"].split(".")[0]
    answer = await owner.patch(world.member, json={**read.json(), "email": "x@y"}, headers=MERGE)
    body: Any = check_problem(answer, "invalid-content")
    assert [violation["propertyPath"] for violation in body["violations"]] == ["email"]


async def test_who_is_removed_or_leaves_is_out_at_once(service: Service, world: World) -> None:
    """AU-20: the same token, at the next request; who stays sees that the membership is gone, as does who
    had it."""
    owner, member = service.as_("owner"), service.as_("member")
    assert (await member.get(world.shop)).status_code == 200
    other = (await owner.get(world.acme)).json()["owners"][0]["@id"]
    check_problem(await member.delete(other), "forbidden")
    assert (await member.delete(world.member)).status_code == 204
    for path in (world.acme, world.shop, other, f"{world.acme}/members"):
        check_problem(await member.get(path), "not-found")
    for who in (owner, member):
        tombstone: Any = check_problem(await who.get(world.member), "gone")["tombstone"]
        assert (tombstone["@id"], tombstone["formerType"]) == (BASE + world.member, f"{BASE}/vocab#Member")
    # What is gone is gone at its own address alone.
    elsewhere = world.member.replace(world.acme_id, id_of(world.globex))
    check_problem(await owner.get(elsewhere), "not-found")


async def test_the_last_owner_stays_one(service: Service, world: World) -> None:
    """API.md section 3: an organization always has an owner bound to a partner."""
    owner = service.as_("owner")
    mine = (await owner.get(world.acme)).json()["owners"][0]["@id"]
    # One who was only added has not come yet.
    await made(owner, f"{world.acme}/members", email="later@acme.example", role="owner")
    assert [o["method"] for o in (await owner.get(mine)).json()["operation"]] == ["GET"]
    check_problem(await owner.delete(mine), "last-owner")
    check_problem(await owner.patch(mine, json={"role": "member"}, headers=MERGE), "last-owner")
    assert (await owner.patch(mine, json={"role": "owner"}, headers=MERGE)).status_code == 200
    assert (await service.as_("later").get(world.acme)).status_code == 200
    assert [o["method"] for o in (await owner.get(mine)).json()["operation"]] == ["GET", "PATCH", "DELETE"]
    assert (await owner.delete(mine)).status_code == 204
    check_problem(await owner.get(world.acme), "not-found")


async def test_memberships_of_a_partner_are_those_that_its_reader_shares(
    service: Service, world: World
) -> None:
    owner = service.as_("owner")
    second = await made(owner, "/api/organizations", name="Second")
    memberships = (await owner.get(world.partner)).json()["memberships"]
    own = await owner.get(memberships)
    assert own.json()["totalItems"] == 2
    assert {member["organization"] for member in own.json()["member"]} == {BASE + world.acme, BASE + second}
    shared = (await service.as_("member").get(memberships)).json()
    assert [member["organization"] for member in shared["member"]] == [BASE + world.acme]
    # Whom an act concerned knows who did it, and no more.
    concerned = service.as_("stranger")
    assert (await listed(concerned, memberships)) == []
    assert "email" not in (await concerned.get(world.partner)).json()
    check_problem(await service.as_("nobody").get(memberships), "not-found")


def proving(service: Service, subject: str, email: str) -> dict[str, str]:
    """The field of a request by a subject whose token tells an address."""
    token = local_issuer(service.settings.data_dir).token(
        audience=service.settings.audience,
        subject=subject,
        email=email,
        name=subject.capitalize(),
        scopes=["registry:write"],
        lifetime=3_600,
    )
    return {"Authorization": f"Bearer {token}"}


async def test_who_added_an_address_is_not_told_the_one_that_its_holder_had_before(service: Service) -> None:
    """TN-08: they were no fellow members then."""
    owner, anybody = service.as_("owner"), service.as_(None)
    acme = await made(owner, "/api/organizations", name="Acme")
    await anybody.get("/api/organizations", headers=proving(service, "guest", "private@home.example"))
    await made(owner, f"{acme}/members", email="guest@corp.example", role="member")
    answer = await anybody.get(acme, headers=proving(service, "guest", "guest@corp.example"))
    assert answer.status_code == 200
    activities = await owner.get(f"{acme}/activities")
    assert "guest@corp.example" in activities.text
    assert "private@home.example" not in activities.text


async def test_an_address_is_of_who_proved_it_last(service: Service) -> None:
    """API.md section 4: a provider may have given it to somebody else."""
    owner, anybody = service.as_("owner"), service.as_(None)
    acme = await made(owner, "/api/organizations", name="Acme")
    for subject in ("first", "second"):
        await anybody.get("/api/organizations", headers=proving(service, subject, "shared@corp.example"))
    member = await made(owner, f"{acme}/members", email="shared@corp.example", role="member")
    assert (await owner.get(member)).json()["name"] == "Second"


async def test_a_membership_that_waited_for_a_member_s_new_address_becomes_one_with_the_other(
    service: Service,
) -> None:
    """API.md section 4: it binds when the verified e-mail changes; the greater role of both stays."""
    owner = service.as_("owner")
    acme = await made(owner, "/api/organizations", name="Acme")
    member = await made(owner, f"{acme}/members", email="member@acme.example", role="member")
    assert (await service.as_("member").get(acme)).status_code == 200
    waiting = await made(owner, f"{acme}/members", email="changed@acme.example", role="owner")
    token = local_issuer(service.settings.data_dir).token(
        audience=service.settings.audience,
        subject="member",
        email="changed@acme.example",
        name="Member",
        scopes=["registry:write"],
        lifetime=60,
    )
    answer = await service.as_(None).get(acme, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    members = {member["id"]: member for member in await listed(owner, f"{acme}/members")}
    assert members[id_of(member)]["role"] == "owner"
    assert sorted(member["email"] for member in members.values()) == [
        "changed@acme.example", "owner@acme.example",
    ]  # fmt: skip
    check_problem(await owner.get(waiting), "gone")
    told = (await owner.get(f"{acme}/activities")).json()["member"][-3:]
    assert [(act["summary"], act["object"]) for act in told[:2]] == [
        ("Member removed", BASE + waiting),
        ("Member changed", BASE + member),
    ]
    assert told[2]["summary"] == "Partner changed"
    again = await owner.post(f"{acme}/members", json={"email": "changed@acme.example", "role": "owner"})
    check_problem(again, "already-member")
