"""What an export holds, in which forms, and how it goes on after an interruption."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path

import pyoxigraph as ox
import pytest

from app.caller import READ_ALL
from app.exporting import reading
from app.exporting.jobs import Job
from app.exporting.part_files import PartFile
from app.exporting.reading import Scope
from app.problems import Problem
from app.representation.forms import JSON_LD, N_QUADS, N_TRIPLES, TURTLE
from app.representation.streams import BY_NAME, NDJSON
from tests.exports import exported, graph, opened
from tests.judges import canonical
from tests.promises import CONTRACT
from tests.service import BASE, JSON, Service, World

pytestmark = pytest.mark.anyio

HYDRA_OPERATION = "http://www.w3.org/ns/hydra/core#operation"
VOCABULARY = f"{BASE}/vocab#"
TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def without_operations(content: bytes) -> set[ox.Triple]:
    """What is said of resources, and not of what the reader may do to them."""
    return {
        quad.triple
        for quad in ox.parse(content, format=ox.RdfFormat.N_TRIPLES)
        if quad.predicate.value != HYDRA_OPERATION and not str(quad.subject.value).startswith(VOCABULARY)
    }


async def test_an_export_is_the_graph_of_what_an_auditor_reads_and_leaves_nothing_out(
    service: Service, world: World
) -> None:
    async with opened(service.settings.database_url) as database:
        content = await exported(database, scope=Scope(activities=True))
    auditor = service.as_("auditor", READ_ALL)
    subjects = {
        quad.subject.value
        for quad in ox.parse(content, format=ox.RdfFormat.N_QUADS)
        if quad.predicate.value == TYPE and "#" not in quad.subject.value
    }
    told: set[ox.Triple] = set()
    for address in subjects:
        answer = await auditor.get(address, headers={"Accept": N_TRIPLES})
        assert answer.status_code == 200, address
        told |= without_operations(answer.content)
    assert graph(content) == canonical(ox.Quad(*triple) for triple in told)
    for path in ("/api/organizations", "/api/instances", "/api/activities", f"{world.shop}/authorizations"):
        listed = await auditor.get(f"{path}?itemsPerPage=100", headers={"Accept": JSON_LD})
        members = {member["@id"] for member in listed.json()["member"]}
        assert members, path
        assert members <= subjects, path
    assert BASE + world.member in subjects
    assert BASE + world.deleted_shop not in subjects


async def test_every_form_says_the_same(service: Service, world: World) -> None:
    async with opened(service.settings.database_url) as database:
        contents = {form: await exported(database, form) for form in BY_NAME.values()}
    graphs = {form: graph(content, form) for form, content in contents.items()}
    assert len(graphs[N_QUADS]) > 100
    assert all(it == graphs[N_QUADS] for it in graphs.values())
    assert contents[TURTLE].count(b"@prefix") == len(
        [it for it in contents[TURTLE].splitlines() if it[:1] == b"@"]
    )
    assert len({line for line in contents[TURTLE].splitlines() if line.startswith(b"@prefix")}) == contents[
        TURTLE
    ].count(b"@prefix")


async def test_a_registry_without_anything_is_a_document_too(service: Service) -> None:
    async with opened(service.settings.database_url) as database:
        for form in BY_NAME.values():
            content = await exported(database, form)
            assert graph(content, form) == []
            assert form != JSON_LD or json.loads(content)["@graph"] == []


async def test_one_organization_comes_with_its_members_instances_and_what_these_were_authorized_for(
    service: Service, world: World
) -> None:
    async with opened(service.settings.database_url) as database:
        content = await exported(database, NDJSON, Scope(world.acme_id, activities=True))
        nodes = [json.loads(line) for line in content.splitlines()]
        with pytest.raises(Problem, match="no organization"):
            await exported(database, scope=Scope(world.deleted_organization.rpartition("/")[2]))
    names = {node["@id"].removeprefix(BASE) for node in nodes}
    assert names >= {world.acme, world.shop, world.lab, world.partner, world.accepted, world.pending}
    assert not names & {world.globex, world.globex_shop, world.initech, world.deleted_shop}
    assert {node["@type"][0] for node in nodes if isinstance(node["@type"], list)} == {"Activity"}
    kinds = [node["@type"] for node in nodes if isinstance(node["@type"], str)]
    assert (kinds.count("Organization"), kinds.count("Instance"), kinds.count("Authorization")) == (1, 2, 2)


class Interrupted(BaseException):
    pass


def interrupting(after: int) -> Job:
    """It is interrupted as if by Ctrl+C, before the piece is written that comes after so many."""
    left = [after]

    def told(_: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted

    return Job(CONTRACT, Scope(), N_QUADS, told)


@pytest.mark.parametrize("form", BY_NAME.values())
@pytest.mark.parametrize("compressed", [False, True])
async def test_after_an_interruption_anywhere_an_export_goes_on_without_losing_or_repeating_anything(
    service: Service,
    world: World,
    tmp_path: Path,
    form: str,
    compressed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    place, part = tmp_path / "all", tmp_path / "all.part"
    async with opened(service.settings.database_url) as database:
        whole, pieces = await exported(database, form), 0
        while not place.exists():
            job = interrupting(pieces)
            job.form = form
            with PartFile(place, compressed=compressed) as file:
                try:
                    await job.to_file(database.reading(), file, resume=True)
                except Interrupted:
                    # What a process that was killed may have written after it.
                    with part.open("ab") as torn:
                        torn.write(b"torn")
            pieces = 1 if pieces == 0 else pieces + 1
            assert pieces < 20
    assert pieces > 3
    content = place.read_bytes()
    assert (gzip.decompress(content) if compressed else content) == whole
    assert not part.exists()
    assert not (tmp_path / "all.part.json").exists()
    assert place.stat().st_mode & 0o077 == 0


async def test_a_part_of_another_export_is_not_gone_on_with(
    service: Service, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    place = tmp_path / "all.nq"
    async with opened(service.settings.database_url) as database:
        with PartFile(place, compressed=False) as file, pytest.raises(Interrupted):
            await interrupting(2).to_file(database.reading(), file, resume=False)
        for other in (Job(CONTRACT, Scope(), TURTLE), Job(CONTRACT, Scope(activities=True), N_QUADS)):
            with PartFile(place, compressed=False) as file, pytest.raises(ValueError, match="another export"):
                await other.to_file(database.reading(), file, resume=True)
        (tmp_path / "all.nq.part").write_bytes(b"")
        job = Job(CONTRACT, Scope(), N_QUADS)
        with PartFile(place, compressed=False) as file, pytest.raises(ValueError, match="shorter"):
            await job.to_file(database.reading(), file, resume=True)
        with PartFile(place, compressed=False) as file:
            await job.to_file(database.reading(), file, resume=False)
        assert place.read_bytes() == await exported(database)


@pytest.mark.parametrize("resumed", [False, True])
def test_what_stands_beside_an_export_is_for_its_owner_alone_whatever_was_there(
    tmp_path: Path, resumed: bool
) -> None:
    names = ("all.nq.part", "all.nq.part.json")
    for name in (*names, "all.nq.part.json.new"):
        (tmp_path / name).write_text('{"length": 0, "state": {}}' if name.endswith("json") else "")
        (tmp_path / name).chmod(0o644)
    umask = os.umask(0)
    try:
        with PartFile(tmp_path / "all.nq", compressed=False) as file:
            if resumed:
                assert file.resume() == {}
            else:
                file.begin()
            file.write(b"a")
            file.keep({})
            assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in names] == [0o600, 0o600]
            file.finish()
    finally:
        os.umask(umask)
    assert stat.S_IMODE((tmp_path / "all.nq").stat().st_mode) == 0o600


def begin(place: Path) -> None:
    with PartFile(place, compressed=False) as file:
        file.begin()
        file.keep({})


@pytest.mark.parametrize("name", ["all.nq.part", "all.nq.part.json.new"])
def test_an_export_follows_no_link_to_another_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "other").write_text("kept")
    (tmp_path / name).symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match="symbolic"):
        begin(tmp_path / "all.nq")
    assert (tmp_path / "other").read_text() == "kept"


async def test_what_comes_after_an_export_began_is_not_in_it(
    service: Service, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that nothing in it refers to what was read too early to have it."""
    monkeypatch.setattr(reading, "BATCH", 1)
    place = tmp_path / "all.nq"
    owner = service.as_("owner")
    async with opened(service.settings.database_url) as database:
        before = await exported(database)
        with PartFile(place, compressed=False) as file, pytest.raises(Interrupted):
            await interrupting(2).to_file(database.reading(), file, resume=False)
        content = {"name": "Late", "handle": "late"}
        answer = await owner.post(f"{world.acme}/instances", json=content, headers={"Accept": JSON})
        assert answer.status_code == 201
        with PartFile(place, compressed=False) as file:
            await Job(CONTRACT, Scope(), N_QUADS).to_file(database.reading(), file, resume=True)
        assert place.read_bytes() == before
        assert b'"late"' in await exported(database)
