"""What was exported comes back as it was, and what cannot is told by its line and member."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from app.caller import ANONYMOUS
from app.problems import Problem
from app.protocol.lines import LONGEST
from app.representation.exported import MOST_STATEMENTS, TOO_MUCH, Exported
from app.representation.forms import JSON_LD, N_QUADS, TURTLE
from app.representation.streams import NDJSON
from app.restoring import NO_OWNER, ONE_EMAIL, Restored, restore
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.erasure import EMAIL, NAME, forget
from app.storage.partners import Identity, partner_of
from app.storage.session import update
from app.storage.tables import Membership, Partner
from app.storage.writes import Owner, create_organization
from tests.exports import READ_AS, exported, graph, opened, restored
from tests.promises import CONTRACT
from tests.service import BASE, PATCH, World, id_of, running

pytestmark = pytest.mark.anyio

NO_TIME = "This must be a date and time with its zone."


@pytest.fixture
def made(sqlite_world: tuple[Path, World], tmp_path: Path) -> tuple[str, World]:
    """The address of a database with a small world in it, which is another one than the test's."""
    file, world = sqlite_world
    return f"sqlite://{shutil.copy(file, tmp_path / 'made.sqlite3')}", world


@pytest.fixture
async def nodes(made: tuple[str, World]) -> list[dict[str, Any]]:
    async with opened(made[0]) as source:
        return [json.loads(line) for line in (await exported(source, NDJSON)).splitlines()]


def lines(nodes: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(node).encode() + b"\n" for node in nodes)


@pytest.mark.parametrize("form", [N_QUADS, TURTLE, NDJSON])
async def test_into_an_empty_database_comes_the_same_graph_and_only_once(
    made: tuple[str, World], database: Database, form: str
) -> None:
    async with opened(made[0]) as source:
        content, before = await exported(source, form), await exported(source)
    first = await restored(database, content, form)
    assert (first.present, first.bad, first.unknown) == (0, [], {})
    assert dict(first.restored) == {
        "Partner": 5, "Organization": 3, "Member": 5, "Instance": 3, "Authorization": 2,
    }  # fmt: skip
    after = await exported(database)
    assert graph(after) == graph(before)
    second = await restored(database, content, form)
    assert (second.imported, second.present, second.bad) == (0, first.imported, [])
    assert await exported(database) == after


async def test_the_order_of_the_resources_in_a_file_does_not_matter(
    made: tuple[str, World], database: Database
) -> None:
    async with opened(made[0]) as source:
        content = await exported(source)
    report = await restored(database, b"".join(sorted(content.splitlines(keepends=True), reverse=True)))
    assert report.bad == []
    assert graph(await exported(database)) == graph(content)


async def test_what_was_exported_elsewhere_comes_to_the_addresses_of_here(
    made: tuple[str, World], database: Database
) -> None:
    async with opened(made[0]) as source:
        here = {form: await exported(source, form) for form in (N_QUADS, TURTLE, NDJSON)}
    for form, content in here.items():
        there = content.replace(BASE.encode(), b"https://old.example/registry")
        if form == N_QUADS:
            refused = await restored(database, there, form)
            assert (refused.imported, refused.passed_over["resource"]) == (0, 18)
        report = await restored(database, there, form, "https://old.example/registry")
        assert report.bad == []
        assert graph(await exported(database)) == graph(here[N_QUADS])


async def test_who_comes_with_the_e_mail_of_a_partner_from_an_export_is_that_partner(
    made: tuple[str, World], database_url: str, tmp_path: Path
) -> None:
    """And so owns what it owned; who comes with another e-mail sees nothing of it."""
    url, world = made
    async with opened(url) as source, opened(database_url) as target:
        await restored(target, await exported(source))
    async with running(database_url, tmp_path) as service:
        owner, stranger = service.as_("owner"), service.as_("newcomer")
        me = await owner.get("/api/me")
        assert me.headers["Location"] == BASE + world.partner
        renamed = await owner.patch(world.shop, json={"name": "Mine"}, headers={"Content-Type": PATCH})
        assert renamed.status_code == 200
        assert (await stranger.get(world.shop)).status_code == 404
        again = await owner.get("/api/me")
        assert again.headers["Location"] == BASE + world.partner
        listed = await owner.get(f"{world.acme}/activities?itemsPerPage=100", headers={"Accept": JSON_LD})
        acts = [it for it in listed.json()["member"] if it.get("actor") == BASE + world.partner]
        assert [(it["@type"][1], it["object"]) for it in acts] == [
            ("Update", BASE + world.partner),
            ("Update", BASE + world.shop),
        ]
    async with opened(database_url) as target:
        rows = await target.reading().rows(
            "SELECT subject FROM partner WHERE id = $1", [id_of(world.partner)]
        )
        assert rows == [{"subject": "owner"}]


async def test_a_person_who_has_come_before_stays_one_partner(
    made: tuple[str, World], database_url: str, tmp_path: Path
) -> None:
    url, world = made
    async with running(database_url, tmp_path) as service:
        mine = (await service.as_("owner").get("/api/me")).headers["Location"]
        async with opened(url) as source, opened(database_url) as target:
            report = await restored(target, await exported(source))
        assert report.bad == []
        assert mine != BASE + world.partner
        assert (await service.as_("owner").get(world.acme)).status_code == 200
        assert (await service.as_("owner").get("/api/me")).headers["Location"] == mine


async def test_what_a_forgotten_person_left_is_nobodys_after_a_restoration(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    """Neither the partner nor a membership that waited can be had with the address that stands for none."""
    changed = json.loads(json.dumps(nodes).replace("owner@acme.example", EMAIL))
    report = await restored(database, lines(changed), NDJSON)
    assert report.bad == []
    keys = await database.reading().rows("SELECT email_key FROM partner WHERE email = $1", [EMAIL])
    assert keys == [{"email_key": None}]


async def test_handles_that_others_have_and_what_refers_to_nothing_are_told_by_line_and_member(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    _, world = made
    await restored(database, lines(nodes), NDJSON)
    [shop] = [node for node in nodes if node["@id"] == BASE + world.shop]
    other = shop["id"][:-4] + "0000"
    elsewhere = "01930000-0000-7000-8000-000000000000"
    told = [
        {**shop, "id": other, "@id": f"{BASE}/api/instances/{other}"},
        {
            **shop,
            "id": other,
            "@id": f"{BASE}/api/instances/{other}",
            "handle": "fresh",
            "organization_id": elsewhere,
        },
        {**shop, "handle": "Not a handle", "created_at": "yesterday"},
        {**shop, "@id": f"{BASE}/api/instances/{elsewhere}"},
        {**{key: value for key, value in shop.items() if key != "name"}, "colour": "red"},
        {"@type": "Instance"},
    ]
    content = lines(told) + b"{\n"
    report = await restored(database, content, NDJSON)
    assert report.imported == 0
    by_line = dict(report.bad)
    assert sorted(by_line) == [1, 2, 3, 4, 5, 6, 7]
    assert "handle: Another instance" in by_line[1]
    assert "organization_id: There is no such organization" in by_line[2]
    assert "handle: " in by_line[3]
    assert "created_at: " in by_line[3]
    assert f"@id: This must be {BASE + world.shop}" in by_line[4]
    assert "name: This is required" in by_line[5]
    assert report.unknown == {"Instance.colour": 5}
    assert "@id and @type" in by_line[6]


async def test_bad_resources_of_quads_and_turtle_are_told_by_their_line(
    made: tuple[str, World], database: Database
) -> None:
    async with opened(made[0]) as source:
        quads, turtle = await exported(source), await exported(source, TURTLE)
    for form, content in ((N_QUADS, quads), (TURTLE, turtle)):
        wrong = content.replace(b'"acme-shop"', b'"www"')
        number = next(
            number
            for number, line in enumerate(wrong.splitlines(), 1)
            if line.startswith(f"<{BASE + made[1].shop}>".encode())
        )
        report = await restored(database, wrong, form)
        [(line, reason)] = [it for it in report.bad if "handle" in it[1]]
        assert line == number
        assert reason == f"{BASE + made[1].shop}: handle: The handle is reserved. Choose another one."
    torn = quads.replace(b" .\n", b" ,\n", 1)
    assert (await restored(database, torn)).bad[0][0] == 1


def _end(line: bytes) -> bytes:
    return line[-40:]


@pytest.mark.parametrize(
    ("class_name", "key", "value", "message"),
    [
        ("Member", "email", 5, "This must be a string."),
        ("Member", "email", f"{'a' * 320}@b", "This must have at most 320 characters."),
        ("Partner", "email", f"{'a' * 320}@b", "This must have at most 320 characters."),
        ("Partner", "name", "a" * 256, "This must have at most 255 characters."),
        ("Instance", "created_at", "0001-01-01T00:00:00+23:00", NO_TIME),
        ("Instance", "updated_at", "9999-12-31T23:00:00-12:00", NO_TIME),
    ],
)
async def test_what_no_column_can_hold_is_bad_and_stops_nothing(
    database: Database, nodes: list[dict[str, Any]], class_name: str, key: str, value: Any, message: str
) -> None:
    inner = [member for node in nodes for member in node.get("members", ())]
    node = next(node for node in (*nodes, *inner) if node["@type"] == class_name)
    report = await restored(database, lines([{**node, key: value}, *nodes]), NDJSON)
    assert report.bad == [(1, f"{node['@id']}: {key}: {message}")]
    assert report.imported == 18


async def test_what_has_a_name_that_shows_nothing_comes_back_to_be_read_and_renamed(
    made: tuple[str, World], nodes: list[dict[str, Any]], database_url: str, tmp_path: Path
) -> None:
    """It could have had it until such names were refused; there is no other way to bring what it has."""
    world, unseen = made[1], "\u200b"
    addresses = {BASE + path for path in (world.acme, world.shop)}
    changed = [{**node, "name": unseen} if node["@id"] in addresses else node for node in nodes]
    async with opened(database_url) as target:
        report = await restored(target, lines(changed), NDJSON)
    assert (report.bad, report.imported) == ([], 18)
    async with running(database_url, tmp_path) as service:
        owner = service.as_("owner")
        for path in (world.acme, world.shop):
            assert (await owner.get(path)).json()["name"] == unseen
            listed = await owner.get(path.rpartition("/")[0])
            assert unseen in [it["name"] for it in listed.json()["member"]]
            renamed = await owner.patch(path, json={"name": "Seen"}, headers={"Content-Type": PATCH})
            assert (renamed.status_code, renamed.json()["name"]) == (200, "Seen")


async def test_a_line_and_what_is_said_of_one_resource_have_a_greatest_length(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    async with opened(made[0]) as source:
        quads, turtle = await exported(source), await exported(source, TURTLE)
    long = json.dumps({**nodes[0], "@id": f"{BASE}/a", "name": "a" * LONGEST}).encode() + b"\n"
    report = await restored(database, long + lines(nodes), NDJSON)
    assert report.bad == [(1, f"It is longer than {LONGEST // 2**20} MiB.")]
    assert report.imported == 18
    subject = f"<{BASE}/a> <{BASE}/b> ".encode()
    long = subject + b'"' + b"a" * (LONGEST // 4) + b'" .\n'
    for much in (subject + b'"a" .\n') * (MOST_STATEMENTS + 1), long * 4:
        report = await restored(database, quads + much + quads)
        assert report.bad == [(len(quads.splitlines()) + 1, TOO_MUCH)]
        assert report.present == 2 * 18
        report = await restored(database, turtle + much + turtle, TURTLE)
        assert report.bad == [(len(turtle.splitlines()) + 1, f"{BASE}/a: {TOO_MUCH}")]
        assert report.present == 2 * 18
    endless = subject + b"<http://x.example/" + b"a" * 8_000 + b"> .\n"
    for form, told in ((N_QUADS, quads), (TURTLE, turtle)):
        report = await restored(database, told + endless + told, form)
        [(_, reason)] = report.bad
        assert reason == f"{BASE}/a: Send IRIs of at most 8000 characters."
        assert report.present == 2 * 18
    with pytest.raises(Problem, match="longer than 16 MiB"):
        await restored(database, turtle + subject + b'"' + b"a" * 2**25 + b'" .\n', TURTLE)


class Interrupting(io.BytesIO):
    """As with Ctrl+C, soon after somebody has begun to read."""

    reads = 0

    def _read_once(self) -> None:
        self.reads += 1
        task = asyncio.current_task()
        if self.reads == 3 and task is not None:
            task.cancel()

    def readline(self, size: int | None = -1, /) -> bytes:
        self._read_once()
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> bytes:
        self._read_once()
        return super().read(size)


FOREIGN = {
    N_QUADS: '<urn:x:{0}> <urn:y> "{0}" .\n',
    TURTLE: '<urn:x:{0}> <urn:y> "{0}" .\n',
    NDJSON: '{{"@id": "urn:x:{0}", "@type": "urn:y", "name": "{0}"}}\n',
}


@pytest.mark.parametrize(
    ("form", "reading"),
    [
        (N_QUADS, 1),
        (N_QUADS, 2),
        (NDJSON, 1),
        (NDJSON, 2),
        (TURTLE, 1),
        (TURTLE, 2),
        (TURTLE, 7),
        (TURTLE, 8),
    ],
)
async def test_an_import_is_interrupted_whatever_it_looks_for_in_the_file(
    made: tuple[str, World], database: Database, form: str, reading: int
) -> None:
    """It looks through it, passes over what is of another class, and looks for owners and bad lines."""
    foreign = "".join(map(FOREIGN[form].format, range(20_000))).encode()
    async with opened(made[0]) as source:
        content = foreign + (await exported(source, form)).replace(b'"acme-shop"', b'"www"')
    files: list[io.BytesIO] = []

    @contextmanager
    def opening(_: str) -> Iterator[IO[bytes]]:
        files.append(Interrupting(content) if len(files) + 1 == reading else io.BytesIO(content))
        yield files[-1]

    reader = Exported(CONTRACT, BASE, READ_AS[form])
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(restore(database, CONTRACT, reader, opening, Restored()))
    assert len(files) == reading
    assert files[-1].tell() < len(foreign) / 2


@pytest.mark.parametrize("told", [2, 3, 4])
async def test_the_whole_of_an_export_mends_a_partner_whom_a_part_of_it_told_in_part(
    made: tuple[str, World], database: Database, told: int
) -> None:
    """The part ends before the name, before the e-mail, or before what is not needed."""
    async with opened(made[0]) as source:
        whole = await exported(source)
    cut = await restored(database, b"".join(whole.splitlines(keepends=True)[:told]))
    assert (dict(cut.restored), cut.bad) == ({"Partner": 1}, [])
    report = await restored(database, whole)
    mended = 5 if told < 4 else 4
    assert (report.restored["Partner"], report.present) == (mended, 5 - mended)
    assert (report.bad, report.notes) == ([], [])
    assert graph(await exported(database)) == graph(whole)
    come = await partner_of(database, Identity("urn:i", "owner", None, "owner@acme.example"), "r")
    assert come == id_of(made[1].partner)
    assert (await restored(database, whole)).imported == 0


async def test_a_partner_who_has_come_is_not_changed_by_an_import_nor_loses_the_e_mail_to_another(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    """One came without an e-mail; one has that of a partner whom a part of the export told without it, and
    is a member in the place of that one, whom nobody can be."""
    machine = await partner_of(database, Identity("urn:i", "machine", "Machine", None), "r")
    owner = await partner_of(database, Identity("urn:i", "owner", "Owner", "owner@acme.example"), "r")
    [first] = [node for node in nodes if node["@id"] == BASE + made[1].partner]
    cut = {key: value for key, value in first.items() if key != "email"}
    address = f"{first['@id'].rpartition('/')[0]}/{machine}"
    other = {**first, "@id": address, "id": machine, "name": "Other", "email": "other@acme.example"}
    assert (await restored(database, lines([cut]), NDJSON)).imported == 1
    sql = "SELECT id, name, email, email_key, issuer, version FROM partner ORDER BY id"
    before = await database.reading().rows(sql)
    report = await restored(database, lines([first, other]), NDJSON)
    assert (report.imported, report.present) == (0, 2)
    assert await database.reading().rows(sql) == before
    report = await restored(database, lines(nodes), NDJSON)
    assert (report.bad, report.notes) == ([], [])
    rows = await database.reading().rows("SELECT role FROM membership WHERE partner_id = $1", [owner])
    assert {"role": "owner"} in rows


async def test_who_was_forgotten_gets_no_e_mail_by_an_import(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    [first] = [node for node in nodes if node["@id"] == BASE + made[1].partner]
    await restored(database, lines([{key: it for key, it in first.items() if key != "email"}]), NDJSON)
    assert await forget(database, Act(ANONYMOUS, new_id(), now()), first["id"])
    assert (await restored(database, lines([first]), NDJSON)).present == 1
    rows = await database.reading().rows("SELECT name, email, email_key FROM partner")
    assert rows == [{"name": NAME, "email": EMAIL, "email_key": None}]


async def test_statements_of_one_resource_that_stand_apart_are_told(
    made: tuple[str, World], database: Database
) -> None:
    async with opened(made[0]) as source:
        content = await exported(source)
    apart = sorted(content.splitlines(keepends=True), key=_end)
    report = await restored(database, b"".join(apart))
    assert report.bad
    assert any("stand together" in reason for _, reason in report.bad)


async def test_history_is_not_restored_but_told(made: tuple[str, World], database: Database) -> None:
    from app.exporting.reading import Scope

    async with opened(made[0]) as source:
        content = await exported(source, scope=Scope(activities=True))
    report = await restored(database, content)
    assert report.passed_over["Activity"] > 10
    assert "activities were left out" in report.sum()[0]
    [row] = await database.reading().rows("SELECT count(*) AS found FROM activity WHERE actor_id IS NOT NULL")
    assert row["found"] == 0


async def test_an_organization_that_nobody_can_own_is_told_and_may_be_given_an_owner(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    """Its owner was a machine, whose partner nobody can be any more."""
    _, world = made
    kept = [
        {key: value for key, value in node.items() if (node["@type"], key) != ("Partner", "email")}
        for node in nodes
    ]
    organizations = sorted(BASE + it for it in (world.acme, world.globex, world.initech))
    for _ in range(2):
        report = await restored(database, lines(kept), NDJSON)
        assert report.bad == []
        assert sorted(report.notes) == [f"{name} {NO_OWNER}" for name in organizations]
        assert report.sum()[:3] == report.told()["notes"] == report.notes
    member = next(node["owners"][0] for node in nodes if node["@id"] == BASE + world.acme)
    added = member["@id"][:-4] + "0000"
    owner = {**member, "@id": added, "id": id_of(added), "email": "new@acme.example"}
    del owner["partner"]
    report = await restored(database, lines([owner, *kept]), NDJSON)
    assert (report.imported, report.bad) == (1, [])
    assert f"{BASE}{world.acme} {NO_OWNER}" not in report.notes
    assert len(report.notes) == 2


async def test_partners_of_one_e_mail_come_back_and_are_told_for_one_person_will_be_both(
    made: tuple[str, World], database: Database
) -> None:
    """So an export has them where one person came from two issuers; what each of them owned has an owner."""
    async with opened(made[0]) as source:
        came = [Identity(f"https://{it}.example", "1", it, f"{it}@acme.example") for it in ("ada", "Ada")]
        ids = [await partner_of(source, it, "r") for it in came]
        async with source.transaction() as session:
            act = Act(ANONYMOUS, new_id(), now())
            owned = [await create_organization(session, act, "Acme", Owner(it, None)) for it in ids]
        content = await exported(source)
    names = " and ".join(f"{BASE}/api/partners/{it}" for it in sorted(ids))
    for _ in range(2):
        report = await restored(database, content)
        assert (report.bad, report.notes) == ([], [f"{names} {ONE_EMAIL}"])
    partner = await partner_of(database, Identity("https://c.example", "1", "Ada", "ada@acme.example"), "r")
    sql = "SELECT organization_id, role FROM membership WHERE partner_id = $1"
    rows = await database.reading().rows(sql, [partner])
    assert {row["organization_id"]: row["role"] for row in rows} == dict.fromkeys(owned, "owner")
    assert (await restored(database, content)).notes == []


async def test_an_owner_who_waits_or_has_come_is_one(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    """Not so who was forgotten before coming."""
    others = [node for node in nodes if node["@type"] != "Partner"]
    assert (await restored(database, lines(others), NDJSON)).notes == []
    come = await partner_of(database, Identity("urn:i", "owner", None, "owner@acme.example"), "r")
    assert (await restored(database, lines(others), NDJSON)).notes == []
    async with database.transaction() as session:
        await update(session, Partner, {"email": None, "email_key": None}, where={"id": come})
        await update(session, Membership, {"email": EMAIL}, where={"partner_id": None})
    report = await restored(database, lines(others), NDJSON)
    assert sorted(report.notes) == sorted(
        f"{BASE}{it} {NO_OWNER}" for it in (made[1].globex, made[1].initech)
    )


async def test_an_organization_of_more_members_than_can_be_added_is_told(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    [acme] = [node for node in nodes if node["@id"] == BASE + made[1].acme]
    member = {key: value for key, value in acme["members"][0].items() if key != "partner"}
    address = member["@id"].rpartition("/")[0]
    for most, told in (
        (1_000, []),
        (1_001, [f"{acme['@id']} has more than 1,000 members: no more can be added."]),
    ):
        ids = [f"01930000-0000-7000-8000-{number:012}" for number in range(most)]
        many = [
            {**member, "@id": f"{address}/{it}", "id": it, "role": "owner", "email": f"{it}@b.example"}
            for it in ids
        ]
        report = await restored(database, lines([{**acme, "owners": [], "members": []}, *many]), NDJSON)
        assert report.bad == []
        assert report.notes == told


async def test_an_organization_that_is_gone_is_still_who_created_an_instance(
    made: tuple[str, World], database: Database, nodes: list[dict[str, Any]]
) -> None:
    """And takes its place where it comes later, with another export."""
    _, world = made
    gone = "01930000-0000-7000-8000-00000000000a"
    told = [
        {
            **{k: v for k, v in node.items() if k != "created_by_organization"},
            "created_by_organization_id": gone,
        }
        if node["@id"] == BASE + world.shop
        else node
        for node in nodes
    ]
    assert (await restored(database, lines(told), NDJSON)).bad == []
    content = await exported(database)
    assert f'"{gone}"'.encode() in content
    assert f"/api/organizations/{gone}>".encode() not in content
    [acme] = [node for node in nodes if node["@id"] == BASE + world.acme]
    text = json.dumps(
        {**acme, "owners": [], "members": [], "id": gone, "@id": f"{BASE}/api/organizations/{gone}"}
    )
    report = await restored(database, text.encode(), NDJSON)
    assert (report.imported, report.bad) == (1, [])
    assert f"/api/organizations/{gone}>".encode() in await exported(database)
