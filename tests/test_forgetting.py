"""Erasing a person: name and e-mail are gone everywhere, the acts stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from app.caller import ANONYMOUS
from app.security.local_issuer import LocalIssuer
from app.storage import erasure, partners
from app.storage.acts import Act, new_id, now
from app.storage.database import Database, Session
from app.storage.erasure import EMAIL, NAME, Erased, forget
from app.storage.partners import Identity, partner_of
from app.storage.statements import Rows
from tests.commands import run
from tests.service import BASE, PATCH, Service, World, id_of, made
from tests.storage.rows import add_partner
from tests.test_graphs import crawl

pytestmark = pytest.mark.anyio

TABLES = (
    *("partner", "membership", "activity", "tombstone", "organization", "instance"),
    "remembered_answer",
)


async def forgotten(service: Service, partner_id: str) -> Erased | None:
    database = Database(service.settings.database_url)
    await database.open()
    try:
        return await forget(database, Act(ANONYMOUS, new_id(), now()), partner_id)
    finally:
        await database.close()


async def remembered(service: Service) -> str:
    return await rows(service, ["remembered_answer"])


async def rows(service: Service, tables: Sequence[str] = TABLES) -> str:
    """Everything that is kept, as text."""
    database = Database(service.settings.database_url)
    await database.open()
    try:
        found: list[dict[str, Any]] = []
        for table in tables:
            found += await database.reading().rows(f"SELECT * FROM {table}")
        return str(found).lower()
    finally:
        await database.close()


@pytest.fixture
async def world_with_a_past(service: Service, world: World) -> World:
    """Someone with a membership that is over, one that goes on, one that waits, and acts."""
    owner, zelda = service.as_("owner"), service.as_("zelda")
    past = await made(owner, f"{world.acme}/members", email="zelda@acme.example", role="owner")
    assert (await zelda.get(world.acme)).status_code == 200
    assert (await owner.delete(past)).status_code == 204
    await made(owner, f"{world.acme}/members", email="Zelda@acme.example", role="owner")
    rename = await zelda.patch(world.acme, json={"name": "Renamed"}, headers={"Content-Type": PATCH})
    assert rename.status_code == 200
    return world


async def test_name_and_email_are_gone_everywhere_and_the_acts_stay(
    service: Service, world_with_a_past: World
) -> None:
    owner, zelda, acme = service.as_("owner"), service.as_("zelda"), world_with_a_past.acme
    me = (await zelda.get("/api/me")).headers["Location"]
    before = (await owner.get(f"{acme}/activities?itemsPerPage=100")).json()
    assert "zelda@" in await rows(service)
    erased = await forgotten(service, id_of(me))
    assert erased is not None
    assert (erased.memberships, erased.activities) == (1, 4)
    assert "zelda@" not in await rows(service)
    assert "'zelda'" not in (await rows(service)).replace("'subject': 'zelda'", "")
    for address, answer in (await crawl(owner, f"{BASE}/api")).items():
        assert "zelda" not in answer.text.lower(), address
    body = (await owner.get(acme)).json()
    [member] = [member for member in body["owners"] if member.get("partner") == me]
    assert (member["name"], member["email"]) == (NAME, EMAIL)
    after = (await owner.get(f"{acme}/activities?itemsPerPage=100")).json()
    acts = [{**act, "changes": []} for act in after["member"]]
    assert acts[:-1] == [{**act, "changes": []} for act in before["member"]]
    assert [act["actor"] for act in acts[:-1]].count(me) == 2
    # It is an act itself, of nobody who has a token.
    told = after["member"][-1]
    assert (told["summary"], told["object"]) == ("Partner changed", me)
    assert "actor" not in told
    assert [change["property"] for change in told["changes"]] == ["name", "email"]
    assert all(set(change) == {"@id", "@type", "property"} for change in told["changes"])


async def test_when_the_token_was_issued_that_told_of_the_partner_is_forgotten_too(service: Service) -> None:
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    assert "'token_iat': none" not in await rows(service, ["partner"])
    for _ in range(2):
        assert await forgotten(service, id_of(me)) is not None
        service.clients.clear()
        assert (await service.as_("zelda").get(me)).status_code == 200
        assert "'token_iat': none" in await rows(service, ["partner"])


async def test_tokens_bring_nothing_back(service: Service, world_with_a_past: World) -> None:
    """Who was forgotten goes on with the same roles; an address that is used again is another one's."""
    acme, owner, zelda = world_with_a_past.acme, service.as_("owner"), service.as_("zelda")
    me = (await zelda.get("/api/me")).headers["Location"]
    await forgotten(service, id_of(me))
    service.clients.clear()
    again = service.as_("zelda", "registry:read")
    partner = (await again.get(me)).json()
    assert (partner["name"], partner["email"]) == (NAME, EMAIL)
    assert (await again.get(acme)).status_code == 200
    added = await owner.post(f"{acme}/members", json={"email": "zelda@acme.example", "role": "member"})
    assert added.status_code == 201
    assert "partner" not in added.json()


async def waits(service: Service, world: World) -> str:
    """The path of a membership that waits for the address of somebody who has come."""
    database = Database(service.settings.database_url)
    await database.open()
    async with database.transaction() as session:
        await session.rows(
            """UPDATE membership SET partner_id = NULL, email = 'zelda@acme.example',
                email_key = 'zelda@acme.example' WHERE id = $1""",
            [id_of(world.member)],
        )
    await database.close()
    return world.member


async def test_what_waits_for_the_email_waits_for_nobody(service: Service, world: World) -> None:
    zelda = service.as_("zelda")
    me = (await zelda.get("/api/me")).headers["Location"]
    waiting = await waits(service, world)
    await forgotten(service, id_of(me))
    body = (await service.as_("owner").get(waiting)).json()
    assert body["email"] == EMAIL
    assert "zelda@" not in await rows(service)


async def test_what_was_told_of_an_address_before_its_partner_came_is_gone_too(
    service: Service, world: World
) -> None:
    """Added and removed while it waited; and still waiting elsewhere, under an address of before."""
    owner = service.as_("owner")
    for _ in range(2):
        waiting = await made(owner, f"{world.acme}/members", email="ZELDA@acme.example", role="member")
        assert (await owner.delete(waiting)).status_code == 204
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    erased = await forgotten(service, id_of(me))
    assert erased is not None
    assert erased.activities == 4
    assert "zelda@" not in await rows(service)


async def test_what_is_remembered_of_posts_by_the_person_or_about_it_is_gone_and_the_rest_is_not(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "ANSWERS", 2)
    owner, zelda = service.as_("owner"), service.as_("zelda")
    me = (await zelda.get("/api/me")).headers["Location"]
    third = await made(owner, "/api/organizations", name="Third")
    member = {"email": "ZELDA@acme.example", "role": "owner"}
    posts = [
        (zelda, "/api/organizations", {"name": "Own"}, {}),
        (owner, f"{world.acme}/members", member, {"Accept": "application/json"}),
        (owner, "/api/organizations", {"name": "Zelda"}, {}),  # taken for what tells the name
        (owner, "/api/organizations", {"name": "Zelda's"}, {}),
        (owner, f"{world.acme}/instances", {"name": "Shop", "handle": "remembered"}, {}),
        # Neither name nor address is told, but by the fields which membership it is.
        (owner, f"{third}/members", member, {"Prefer": "return=minimal"}),
        (zelda, "/api/organizations", {"name": "Own"}, {"Prefer": "return=minimal"}),
    ]

    async def post(number: int) -> bool:
        """Whether it was answered from memory."""
        client, path, content, wish = posts[number]
        answer = await client.post(path, json=content, headers={"Idempotency-Key": f"{number}", **wish})
        return "Idempotency-Replayed" in answer.headers

    assert [await post(number) for number in range(7)] == [False] * 7
    assert "zelda@" in await remembered(service)
    await forgotten(service, id_of(me))
    assert "zelda@" not in await remembered(service)
    assert '"zelda"' not in await remembered(service)
    replayed = [await post(number) for number in range(7)]
    assert replayed == [False, False, False, True, True, False, False]


async def test_others_write_while_all_is_looked_through_and_what_they_write_is_found(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = service.as_("owner")
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    member = {"email": "ZELDA@acme.example", "role": "member"}
    since: list[tuple[str, int]] = []
    telling = erasure.Search.telling

    async def told(search: erasure.Search, text: str) -> Rows:
        rows = await telling(search, text)
        if not search.before:
            answer = await owner.post(
                f"{world.acme}/members", json=member, headers={"Idempotency-Key": new_id()}
            )
            assert answer.status_code == 201
            assert (await owner.delete(answer.headers["Location"])).status_code == 204
        else:
            since.append((text, search.last))
        return rows

    monkeypatch.setattr(erasure.Search, "telling", told)
    erased = await forgotten(service, id_of(me))
    # Once for its id, and once for the address that the first one told.
    assert [text for text, _ in since] == [id_of(me), "zelda@acme.example"]
    assert all(last > 0 for _, last in since)
    assert erased == Erased(memberships=0, activities=4)
    assert "zelda@" not in await rows(service)


async def test_an_address_that_a_token_tells_meanwhile_is_gone_too(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the partner was looked at, and before it is locked."""
    owner = service.as_("owner")
    waiting = await made(owner, f"{world.acme}/members", email="princess@acme.example", role="member")
    assert (await owner.delete(waiting)).status_code == 204
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    told = Identity(LocalIssuer.iss, "zelda", "Princess", "princess@acme.example", issued=2**40)
    look = erasure._look

    async def looked(session: Session, partner_id: str) -> Any:
        seen = await look(session, partner_id)
        database = Database(service.settings.database_url)
        await database.open()
        assert await partner_of(database, told, "r") == partner_id
        await database.close()
        return seen

    monkeypatch.setattr(erasure, "_look", looked)
    assert await forgotten(service, id_of(me)) == Erased(memberships=0, activities=2)
    assert "princess" not in await rows(service)


@pytest.mark.parametrize("address", ['"zelda"@gone.example', "zel\\da@gone.example", "Zélda@gone.example"])
async def test_an_address_is_found_however_json_writes_it(
    service: Service, world: World, address: str
) -> None:
    owner = service.as_("owner")
    headers = {"Idempotency-Key": "1"}
    content = {"email": address, "role": "member"}
    added = await owner.post(f"{world.acme}/members", json=content, headers=headers)
    assert added.status_code == 201
    assert (await owner.delete(added.headers["Location"])).status_code == 204
    database = Database(service.settings.database_url)
    await database.open()
    known = await partner_of(database, Identity(LocalIssuer.iss, "other", "Other", address), "r")
    await database.close()
    assert await forgotten(service, known) == Erased(memberships=0, activities=2)
    assert "gone.example" not in await rows(service)


async def test_of_who_has_a_similar_address_everything_stays(service: Service, world: World) -> None:
    owner = service.as_("owner")
    await made(owner, f"{world.acme}/members", email="zelda@acme.example", role="member")
    await made(owner, f"{world.acme}/members", email="griZELDA@acme.example", role="member")
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    assert await forgotten(service, id_of(me)) == Erased(memberships=1, activities=2)
    told = await rows(service, ["activity"])
    assert "grizelda@acme.example" in told
    assert "zelda@" not in told.replace("grizelda@", "")


async def test_a_name_is_looked_for_as_it_is(service: Service, world: World) -> None:
    """In what is remembered: of its characters none stands for any other."""
    owner = service.as_("owner")
    me = (await service.as_("z_lda").get("/api/me")).headers["Location"]

    async def post(name: str) -> bool:
        """Whether it was answered from memory."""
        answer = await owner.post(
            "/api/organizations", json={"name": name}, headers={"Idempotency-Key": f'"{name}"'}
        )
        return "Idempotency-Replayed" in answer.headers

    assert [await post(name) for name in ("Z_lda", "Zelda")] == [False, False]
    await forgotten(service, id_of(me))
    assert [await post(name) for name in ("Z_lda", "Zelda")] == [False, True]


async def test_of_who_has_no_name_none_is_looked_for(service: Service, world: World) -> None:
    """In what is remembered: neither null, nor what of null stands between the marks that it has not."""
    owner, database = service.as_("owner"), Database(service.settings.database_url)
    await database.open()
    async with database.transaction() as session:
        nameless = await add_partner(session, name=None)
    await database.close()

    async def post(name: str) -> bool:
        """Whether it was answered from memory."""
        answer = await owner.post(
            "/api/organizations", json={"name": name}, headers={"Idempotency-Key": f'"{name}"'}
        )
        return "Idempotency-Replayed" in answer.headers

    assert [await post(name) for name in ("ul", "null")] == [False, False]
    assert await forgotten(service, nameless) == Erased(memberships=0, activities=0)
    assert [await post(name) for name in ("ul", "null")] == [True, True]


async def test_all_are_told_whose_activities_do_not_tell_of_the_person_any_more(
    service: Service, world: World
) -> None:
    """Also where it is a member no more."""
    owner = service.as_("owner")
    past = await made(owner, f"{world.acme}/members", email="zelda@acme.example", role="member")
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    assert (await owner.delete(past)).status_code == 204
    assert await forgotten(service, id_of(me)) == Erased(memberships=0, activities=3)
    told = (await owner.get(f"{world.acme}/activities?itemsPerPage=100")).json()["member"][-1]
    assert (told["summary"], told["object"]) == ("Partner changed", me)


async def test_what_activities_tell_is_kept_for_ever_again_when_it_is_done(
    service: Service, world_with_a_past: World
) -> None:
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    assert await forgotten(service, id_of(me)) is not None
    database = Database(service.settings.database_url)
    await database.open()
    try:
        with pytest.raises((sqlite3.IntegrityError, asyncpg.RestrictViolationError), match="append-only"):
            async with database.transaction() as session:
                await session.rows("UPDATE activity SET changes = '[]'")
    finally:
        await database.close()


async def test_who_is_forgotten_while_a_token_is_looked_at_stays_so(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token tells another name, and has found the partner as it was."""
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    find = partners._find

    async def found(session: Session, identity: Identity) -> dict[str, Any] | None:
        row = await find(session, identity)
        monkeypatch.setattr(partners, "_find", find)
        await forgotten(service, id_of(me))
        return row

    monkeypatch.setattr(partners, "_find", found)
    database = Database(service.settings.database_url)
    await database.open()
    told = Identity(LocalIssuer.iss, "zelda", "Princess", "princess@acme.example", issued=2**40)
    assert await partner_of(database, told, "r") == id_of(me)
    await database.close()
    assert "princess" not in await rows(service)


async def test_what_was_read_of_a_member_before_does_not_change_it_afterwards(
    service: Service, world: World
) -> None:
    """Of one that waits for the address it is told no more, and so it is another version."""
    owner = service.as_("owner")
    me = (await service.as_("zelda").get("/api/me")).headers["Location"]
    waiting = await waits(service, world)
    tag = (await owner.get(waiting)).headers["ETag"]
    assert await forgotten(service, id_of(me)) is not None
    answer = await owner.delete(waiting, headers={"If-Match": tag})
    assert answer.status_code == 412


async def test_it_may_be_done_again(service: Service, world: World) -> None:
    owner, zelda = service.as_("owner"), service.as_("zelda")
    await made(owner, f"{world.acme}/members", email="zelda@acme.example", role="member")
    me = (await zelda.get("/api/me")).headers["Location"]
    first = await forgotten(service, id_of(me))
    assert first is not None
    assert first.activities == 2
    again = await forgotten(service, id_of(me))
    assert again is not None
    assert (again.memberships, again.activities) == (1, 0)
    assert await forgotten(service, id_of(world.absent)) is None


def test_the_command_forgets_by_id_or_address(tmp_path: Path) -> None:
    for command in ("migrate", "sample"):
        assert run(tmp_path, command).returncode == 0
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "data/registry.sqlite3")) as connection:
        query = "SELECT id FROM partner WHERE subject = 'member'"
        [(identifier,)] = connection.execute(query).fetchall()
    done = run(tmp_path, "forget", "--partner", f"{BASE}/api/partners/{identifier}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"Forgot partner {identifier}, now {NAME} <{EMAIL}>, in 1 memberships and 1 activities.\n"
    )
    again = run(tmp_path, "forget", "--partner", identifier.upper())
    assert (again.returncode, "0 activities" in again.stdout) == (0, True)
    absent = run(tmp_path, "forget", "--partner", "01930000-0000-7000-8000-000000000000")
    assert (absent.returncode, len(absent.stderr.splitlines())) == (1, 1)
    wrong = run(tmp_path, "forget", "--partner", "nobody")
    assert wrong.returncode == 2
    assert "--partner" in wrong.stderr
