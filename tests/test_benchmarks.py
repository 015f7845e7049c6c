"""What `make bench` prints can be relied upon: its arithmetic, its client, and the work of its yardsticks."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from app.caller import WRITE, Caller
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.session import Session
from app.storage.writes import Owner, create_instance, create_organization
from tests.benchmarks import bare, client, fixed, scale
from tests.benchmarks.__main__ import arguments, cases_of
from tests.benchmarks.bulk import Bulk, multiplied
from tests.benchmarks.calls import CALLS, INSTANCES, Call, World
from tests.benchmarks.cases import CASES
from tests.benchmarks.comparison import Findings, Result
from tests.benchmarks.figures import Load, Spread, median_load, percentile, ratios
from tests.benchmarks.judging import fault, target_at, unlike
from tests.benchmarks.loading import write_requests
from tests.benchmarks.processes import Answer, family, parent_of
from tests.benchmarks.profile import shares
from tests.benchmarks.report import all_met, machine, section
from tests.benchmarks.world import fill
from tests.load import busy
from tests.service import BASE, JSON_LD, running
from tests.statements import traced

pytestmark = pytest.mark.anyio


def load_of(milliseconds: float, sent: int = 10) -> Load:
    return Load(sent, milliseconds, 0.5, 1.0, 2.0)


def test_every_case_has_its_requests_and_every_request_its_case() -> None:
    assert CALLS.keys() == CASES.keys()


def test_a_percentile_is_the_least_value_that_enough_others_do_not_exceed() -> None:
    hundred = [float(n) for n in range(100, 0, -1)]
    assert [percentile(hundred, share) for share in (0, 0.5, 0.99, 1)] == [1, 50, 99, 100]
    assert [percentile([3.0, 1.0, 2.0], share) for share in (0.5, 0.99)] == [2, 3]
    assert percentile([7.0], 0.5) == 7


def test_ratios_are_of_the_processor_time_of_one_request_in_the_same_round() -> None:
    service = [load_of(20), load_of(60, sent=20), load_of(50)]
    yardstick = [load_of(10), load_of(10), load_of(40, sent=20)]
    # 2 ms to 1 ms, 3 ms to 1 ms, 5 ms to 2 ms.
    assert ratios(service, yardstick) == Spread(2.0, 2.5, 3.0)


def test_rounds_that_do_not_belong_together_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratios([load_of(1)], [load_of(1), load_of(2)])


def test_each_figure_of_a_median_is_that_figures_median() -> None:
    loads = [Load(10, 30, 1, 5, 9), Load(20, 10, 2, 7, 8), Load(30, 20, 3, 6, 7)]
    found = median_load(loads)
    assert found == Load(20, 20, 2, 6, 8)
    assert (found.each, found.rate) == (1, 10)


def findings(
    *milliseconds: float, target: str = "item-json-ld", rest: float = 100, half: float = 110
) -> Findings:
    result = Result(target, [load_of(it) for it in milliseconds], [load_of(10) for _ in milliseconds])
    return Findings("SQLite", 1, Spread(1.0, 1.2, 2.0), 0.9, rest, half, 130, 110, [result])


def test_a_target_is_met_by_the_median_and_without_one_nothing_is_missed() -> None:
    assert all_met(findings(13, 14, 30))
    assert not all_met(findings(13, 14.1, 30))
    assert all_met(findings(90, target="404"))
    assert not all_met(findings(13, rest=120))
    assert all_met(findings(13, half=100))
    assert not all_met(findings(13, half=99))


def test_a_table_says_what_the_target_is_and_whether_it_is_met() -> None:
    [met] = [line for line in section(findings(13, 14, 30)).splitlines() if "`item-json-ld`" in line]
    assert met.split(" | ")[1:8] == ["1.400", "bare 1.000", "1.30", "1.40", "3.00", "≤ 1.4", "yes"]
    assert "| **no** |" in section(findings(15))
    assert "| – | – |" in section(findings(15, target="404"))


def test_a_machine_is_told_by_its_processors_and_its_memory() -> None:
    processors = "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n\nprocessor\t: 1\n"
    told = machine(processors, "MemTotal:       16777216 kB\nMemFree: 1 kB\n")
    assert told == f"{os.cpu_count()} × Some CPU @ 3 GHz, 16 GiB"


def test_a_parent_is_read_beside_whatever_its_child_calls_itself() -> None:
    assert parent_of("42 (a) S 1 (b) S 7 42 42 0 -1") == 7


def test_a_family_is_a_process_with_all_that_come_from_it() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()  # the grandchild is there
        assert len(family(child.pid)) == 2
        assert set(family(child.pid)) < set(family(os.getpid()))
        child.communicate(b"\n")


def test_processor_time_is_the_process_s_own_account_of_it() -> None:
    before = time.process_time()
    told = busy(os.getpid()) / 1_000
    assert before <= told <= time.process_time()


def test_without_cases_all_of_them_are_measured_and_an_unknown_one_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert arguments([]).cases is None
    assert arguments(["--cases", "304,create"]).cases == ["304", "create"]
    with pytest.raises(SystemExit):
        arguments(["--cases", "305"])
    assert "there is no case 305" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        arguments(["--cases", "304,item-meanwhile", "--database", "postgres"])
    assert "item-meanwhile is measured on SQLite only" in capsys.readouterr().err


def test_every_case_is_measured_where_it_is_another_one() -> None:
    assert cases_of("sqlite", None, first=True) == list(CASES)
    documents = [name for name, case in CASES.items() if case.yardstick == "fixed"]
    meanwhile = [name for name, case in CASES.items() if case.meanwhile]
    assert documents
    assert meanwhile
    alone, behind = (cases_of("postgres", None, first=first) for first in (True, False))
    assert set(CASES) - set(alone) == set(meanwhile)
    assert set(CASES) - set(behind) == {*documents, *meanwhile}
    assert cases_of("sqlite", meanwhile, first=True) == meanwhile


# The client


def test_requests_are_read_from_a_file_as_they_were_written(tmp_path: Path) -> None:
    requests = [Call("/a").octets(80, "/a"), b"", Call("/b", content=b"1\n2\n").octets(80, "/b")]
    write_requests(tmp_path / "requests", requests)
    assert client.read_requests((tmp_path / "requests").read_bytes()) == requests


def test_a_request_says_how_long_its_content_is() -> None:
    octets = Call("/a", method="POST", fields={"X": "y"}, content=b"{}").octets(8000, "/b")
    assert octets == (
        b"POST /b HTTP/1.1\r\nHost: 127.0.0.1:8000\r\nAccept: application/ld+json\r\nX: y\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nx: y", 12),
        (b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length:7", 7),
        (b"HTTP/1.1 204 No Content\r\nx: y", 0),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 12", 0),
    ],
)
def test_the_client_knows_where_an_answer_ends(head: bytes, length: int) -> None:
    assert client.content_length(head) == length


async def test_the_client_sends_each_request_and_counts_every_status() -> None:
    """Answers come in pieces of any size."""
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            asked.append(request)
            status = b"404 Not Found" if b"/absent" in request else b"200 OK"
            for piece in (b"HTTP/1.1 ", status, b"\r\nContent-Len", b"gth: 4\r\n\r", b"\nab", b"cd"):
                writer.write(piece)
                await asyncio.sleep(0)
        writer.close()

    targets = [f"/{n}" for n in range(20)] + ["/absent"] * 3
    requests = iter([Call(target).octets(80, target) for target in targets])
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        run = client.Run(requests, 60)
        await client.load(port, run, 3)
    assert run.statuses == {b"200": 20, b"404": 3}
    assert len(run.waited) == 23
    assert sorted(asked) == sorted(f"GET {target} HTTP/1.1\r\n".encode() for target in targets)


async def test_a_client_whose_connection_is_closed_fails_rather_than_counting_less() -> None:
    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(close, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError):
            await client.load(port, client.Run(itertools.repeat(b"GET / HTTP/1.1\r\n\r\n"), 60), 1)


# The data


def test_a_statement_for_many_rows_numbers_its_values_on() -> None:
    sql = 'INSERT INTO "a" ("b", "c") VALUES ($1, $2) RETURNING "d"'
    assert multiplied(sql, 1) == sql
    assert multiplied(sql, 3) == sql.replace("($1, $2)", "($1, $2), ($3, $4), ($5, $6)")


ROWS = (
    "SELECT o.name, o.name_key, o.created_at, o.version FROM organization o WHERE o.id = $1",
    "SELECT m.email, m.email_key, m.role, m.joined_at FROM membership m WHERE m.organization_id = $1",
    """SELECT i.name, i.name_key, i.handle, i.created_at, i.version FROM instance i
        WHERE i.organization_id = $1 AND i.created_by_organization_id = $1 ORDER BY i.handle""",
    """SELECT act.type, act.object_class, act.published, act.changes FROM activity act
        JOIN activity_organization about ON about.activity_id = act.sequence
        WHERE about.organization_id = $1 ORDER BY act.sequence""",
)


async def test_rows_in_bulk_are_those_that_the_service_writes_one_by_one(database: Database) -> None:
    act = Act(Caller(None, frozenset({WRITE})), new_id(), now())

    async def write(session: Session, letter: str) -> str:
        organization = await create_organization(session, act, "Acme", Owner(None, "owner@acme.example"))
        for part in "ab":
            await create_instance(session, act, organization, f"Part {part}", f"{letter}-{part}")
        return organization

    async def written(organization: str, letter: str) -> list[str]:
        rows = [await database.reading().rows(sql, [organization]) for sql in ROWS]
        assert [len(those) for those in rows] == [1, 1, 2, 3]
        return [str(those).replace(organization, "ID").replace(f"{letter}-", "-") for those in rows]

    async with database.transaction() as session:
        one = await write(session, "one")
    async with database.transaction() as session:
        bulk = Bulk(session)
        two = await write(bulk, "two")
        await bulk.write()
    assert await written(one, "one") == await written(two, "two")


# The cases, at the service and at the yardsticks

ORGANIZATIONS, INSTANCES_OF_EACH = 2, 40
# How a statement begins that is not there for the transaction alone.
RUN = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


@asynccontextmanager
async def bare_client(
    url: str, partner: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setenv(bare.DATABASE, url)
    monkeypatch.setenv(bare.PARTNER, partner)
    app = bare.application()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bare") as asking,
    ):
        yield asking


@dataclass(frozen=True)
class Sides:
    """Who asks each of them, and which statements were run on SQLite."""

    service: httpx.AsyncClient
    bare: httpx.AsyncClient
    world: World
    statements: list[str]

    async def ask(self, at: str, name: str, call: Call) -> Answer:
        client = self.service if at == "service" else self.bare
        fields = {"Accept": call.accept, **call.fields}
        target = target_at(at, name, call)
        answer = await client.request(call.method, target, headers=fields, content=call.content)
        headers = answer.headers
        media_type, tag = headers.get("Content-Type", ""), headers.get("ETag", "")
        return Answer(answer.status_code, media_type, tag, answer.content)


@pytest.fixture
async def sides(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sides]:
    partner, instances = await fill(database_url, ORGANIZATIONS, INSTANCES_OF_EACH)
    statements = traced(monkeypatch)
    async with (
        running(database_url, tmp_path) as service,
        bare_client(database_url, partner, monkeypatch) as asking,
    ):
        world = World(service.token("owner"), instances)
        yield Sides(service.as_("owner"), asking, world, statements)


async def look_around(sides: Sides) -> None:
    """As a run does, in smaller data: the page after the first one is deep enough."""
    [first] = CALLS["page-first"](sides.world, 1)
    page = json.loads((await sides.ask("service", "page-first", first)).content)
    last = page["member"][-1]
    target = page["view"]["next"].removeprefix(BASE)
    sides.world.deep = [(target, f"{INSTANCES}?after={last['created_at']}|{last['id']}")]
    tags = {}
    for call in CALLS["item-json-ld"](sides.world, 1):
        tags[call.target] = (await sides.ask("service", "item-json-ld", call)).tag
    sides.world.tags = tags


async def test_service_and_bare_yardstick_answer_what_every_case_has_to_show(sides: Sides) -> None:
    await look_around(sides)
    for name, case in CASES.items():
        for at in ("service", "bare") if case.yardstick == "bare" else ("service",):
            for call in CALLS[name](sides.world, 3)[:3]:
                assert fault(call, await sides.ask(at, name, call), at) is None, (name, at)


async def test_the_bare_yardstick_goes_the_way_that_the_service_goes(sides: Sides) -> None:
    """A deep page of both has the same members, and a change is there for both."""
    await look_around(sides)
    [call] = CALLS["page-deep"](sides.world, 1)
    deep = [json.loads((await sides.ask(at, "page-deep", call)).content) for at in ("service", "bare")]
    service, bare_ = ([member["id"] for member in page["member"]] for page in deep)
    assert service == bare_
    [creation] = CALLS["create"](sides.world, 1)
    [renaming] = CALLS["rename"](sides.world, 1)
    for name, call in (("create", creation), ("rename", renaming)):
        made = json.loads((await sides.ask("bare", name, call)).content)
        item = Call(f"{INSTANCES}/{made['id']}", fields=sides.world.authorization, shows=call.shows)
        assert fault(item, await sides.ask("service", "item", item), "service") is None
        listed = f"/api/organizations/{made['organization_id']}/activities?itemsPerPage=100"
        activities = json.loads((await sides.service.get(listed)).content)["member"]
        assert activities[-1]["object"].endswith(made["id"])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_bare_yardstick_runs_no_statement_that_the_service_does_not_need(sides: Sides) -> None:
    await look_around(sides)
    counted = {}
    for name in (name for name, case in CASES.items() if case.yardstick == "bare"):
        for at in ("service", "bare"):
            [call, *_] = CALLS[name](sides.world, 1)
            sides.statements.clear()
            await sides.ask(at, name, call)
            counted[name, at] = sum(sql.strip().startswith(RUN) for sql in sides.statements)
        assert 0 < counted[name, "bare"] <= counted[name, "service"], counted
    assert counted["item-json-ld", "bare"] == 1


async def test_a_read_that_shall_tell_how_the_service_grows_is_looked_for_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it is asked for: what was kept of it would cost the same on any number of rows."""
    statements = traced(monkeypatch)
    async with scale.loaded(
        f"sqlite://{tmp_path}/grown.sqlite3", 1_000, tmp_path, Console(quiet=True)
    ) as size:
        for case in (it for it in scale.cases() if it.method == "GET"):
            for _ in range(6):
                statements.clear()
                await scale.ask(size, case)
                assert any(sql.strip().startswith(RUN) for sql in statements), case.name


async def test_answers_that_are_wrong_are_told() -> None:
    right = Answer(200, JSON_LD, "", b'{"member": [1]}')
    call = Call("/a", shows=("member",), members=1)
    assert fault(call, right, "service") is None
    assert fault(Call("/a", 404), right, "service") is not None
    assert fault(Call("/a", accept="text/turtle"), right, "service") is not None
    assert fault(Call("/a", shows=("handle",)), right, "service") is not None
    assert fault(Call("/a", members=2), right, "service") is not None
    assert fault(Call("/a", 304), right, "bare") is None
    assert unlike(right, Answer(200, JSON_LD, "", b"x" * 15)) is None
    assert unlike(right, Answer(200, JSON_LD, "", b"x" * 14)) is not None


async def test_the_fixed_yardstick_answers_as_long_as_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(fixed.ANSWERS, json.dumps({"create": [201, JSON_LD, 321]}))
    transport = httpx.ASGITransport(fixed.application())
    async with httpx.AsyncClient(transport=transport, base_url="http://fixed") as asking:
        for method in ("GET", "POST", "PATCH"):
            answer = await asking.request(method, "/create")
            assert (answer.status_code, len(answer.content)) == (201, 321)
            assert answer.headers["Content-Type"] == JSON_LD


def test_a_profile_is_told_by_what_is_being_done() -> None:
    files = [
        "/lib/uvicorn/server.py",
        "/here/app/pipeline.py",
        "/here/app/storage/sqlite.py",
        "/lib/orjson.py",
    ]
    samples, weights = [[0, 1], [0, 1, 2], [0], [0, 1, 3], []], [0.1, 0.5, 0.2, 0.2, 9]
    profile = {
        "shared": {"frames": [{"file": file} for file in files]},
        "profiles": [{"samples": samples, "weights": weights}],
    }
    found = {part: round(share, 3) for part, share in shares(profile)}
    assert found == {
        "the database": 0.625,
        "HTTP: routes, fields, conditions, negotiation": 0.375,
    }
