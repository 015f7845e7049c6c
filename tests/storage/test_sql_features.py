"""What the service asks of SQL: what the table in sql_features.toml says, no more and no less."""

from __future__ import annotations

import asyncio
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg  # type: ignore[import-untyped]  # it has no types of its own
import pytest

from tests.postgres_server import PostgresServer
from tests.storage.recorded_statements import Place, ServerLog, calls, reached
from tests.storage.sql_features import features, parts
from tests.storage.statement_drive import do_everything

LONG = True
TABLE = tomllib.loads(Path(__file__).with_name("sql_features.toml").read_text())
PARTS = set(Path(__file__).with_name("sql_parts.txt").read_text().splitlines())
SCALING = Path(__file__).parents[2] / "docs" / "scaling.md"
ENGINES = ("citus", "yugabyte", "cockroach")
# What the migration runs besides where there is pg_trgm, which the PostgreSQL of the Python package lacks.
FUNCTION = "FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$"
GROWTH = import_module("app.storage.migrations.0006_growth")
WITH_TRIGRAMS = (GROWTH.EXTENSION, *(f"CREATE INDEX IF NOT EXISTS {index}" for index in GROWTH.TRIGRAMS))


class Run(NamedTuple):
    """What the server logged of it, each text once; from where in app/storage statements were run, and from
    where in a run on SQLite."""

    statements: tuple[str, ...]
    lines: frozenset[Place]
    lines_of_sqlite: frozenset[Place]


@pytest.fixture(scope="module")
def run(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Run:
    name = "sql_features"
    postgres_server.administer(f"CREATE DATABASE {name}", f"ALTER DATABASE {name} SET log_statement = 'all'")
    log = ServerLog(asyncio.run(log_of(postgres_server.url())))
    folder = tmp_path_factory.mktemp(name)
    lines, lines_of_sqlite = (
        lines_reached(url, folder)
        for url in (postgres_server.url(name), f"sqlite://{folder}/registry.sqlite3")
    )
    statements = dict.fromkeys((*log.statements(), *WITH_TRIGRAMS))
    return Run(tuple(statements), lines, lines_of_sqlite)


def lines_reached(url: str, folder: Path) -> frozenset[Place]:
    with pytest.MonkeyPatch.context() as patch, reached(patch) as lines:
        asyncio.run(do_everything(url, folder))
    return frozenset(lines)


async def log_of(url: str) -> Path:
    connection = await asyncpg.connect(url)
    try:
        return Path(await connection.fetchval("SHOW data_directory")) / "log"
    finally:
        await connection.close()


def listed() -> dict[str, dict[str, Any]]:
    """By feature; a plain one needs no verdicts."""
    return {name: {"why": why} for name, why in TABLE["plain"].items()} | {
        row["feature"]: row for row in TABLE["special"]
    }


def asked(statements: tuple[str, ...]) -> dict[str, str]:
    """The features, each with the first statement that has it."""
    found: dict[str, str] = {}
    for statement in statements:
        for kind, name in features(statement):
            found.setdefault(f"{kind} {name}", " ".join(statement.split()))
    return found


def test_every_place_that_runs_a_statement_has_run_one(run: Run) -> None:
    """Else the table would be about a part of the service."""
    idle = [f"{file}:{line}: {words}" for (file, line), words in left_out(run.lines | run.lines_of_sqlite)]
    assert idle == []


def test_few_statements_are_for_sqlite_alone(run: Run) -> None:
    """What only the run on SQLite came upon is none of PostgreSQL's; much of that would be an oversight."""
    assert {file for (file, _), _ in left_out(run.lines)} <= {
        "database.py",
        "search.py",
        "activities.py",
        "telling.py",
    }


def left_out(lines: frozenset[Place]) -> list[tuple[Place, str]]:
    """The places that run a statement, but not from one of these lines; with their own words."""
    return [
        (place, words)
        for place, (end, words) in calls().items()
        if not any((place[0], line) in lines for line in range(place[1], end + 1))
    ]


def test_no_statement_asks_for_more_than_the_table_says(run: Run) -> None:
    new = [
        f"{feature} is not in sql_features.toml: say there who has it, and why it is needed by: {statement}"
        for feature, statement in asked(run.statements).items()
        if feature not in listed()
    ]
    assert new == []


def test_no_statement_has_a_part_that_nobody_has_looked_at(run: Run) -> None:
    """So that what the reader has no name for is seen as well: look whether it is a feature, give it a name
    then, and put the part into the list."""
    found = set[str]().union(*map(parts, run.statements))
    assert (sorted(found - PARTS), sorted(PARTS - found)) == ([], [])


def test_nothing_is_in_the_table_that_no_statement_asks_for(run: Run) -> None:
    assert set(listed()) - set(asked(run.statements)) == set()


def test_nothing_is_asked_for_that_an_engine_does_not_have() -> None:
    """Whoever needs what one of them does not have, or of which that could not be found out, writes it
    otherwise."""
    verdicts = {
        (row["feature"], engine): row[engine].partition(":")[0]
        for row in TABLE["special"]
        for engine in ENGINES
    }
    assert {it: verdict for it, verdict in verdicts.items() if verdict not in ("yes", "differs")} == {}


def test_each_row_tells_what_it_is_for_and_by_which_sources_who_has_it() -> None:
    used = set(TABLE["plain_sources"])
    for feature, row in listed().items():
        assert row["why"], feature
    for row in TABLE["special"]:
        used |= set(row["sources"])
    assert used == set(TABLE["sources"])
    assert all(source["address"].startswith("https://") for source in TABLE["sources"].values())


def test_no_feature_is_told_of_twice() -> None:
    names = [*TABLE["plain"], *(row["feature"] for row in TABLE["special"])]
    assert len(names) == len(set(names))


def test_the_guide_shows_every_row_that_not_all_have() -> None:
    rows = [[f"`{row['feature']}`", *(row[it] for it in ENGINES)] for row in TABLE["special"]]
    uneven = [row for row in rows if any(not verdict.startswith("yes") for verdict in row[1:])]
    guide = SCALING.read_text().splitlines()
    shown = guide[guide.index("| feature | Citus | YugabyteDB | CockroachDB |") + 2 :]
    assert shown == [f"| {' | '.join(row)} |" for row in uneven]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE UNLOGGED TABLE t (a int)",
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE TABLE t (a int) INHERITS (u)",
        "CREATE TABLE t (a int) WITH (fillfactor = 50)",
        "SELECT a FROM unnest($1) WITH ORDINALITY",
        "SELECT a FROM t, LATERAL f(t.a)",
        "INSERT INTO t VALUES (1) ON CONFLICT ON CONSTRAINT c DO UPDATE SET a = 1",
        "SELECT a FROM t FOR UPDATE OF t",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1) NOT VALID",
        "SELECT a INTO u FROM t",
        "INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (1)",
        "DROP INDEX CONCURRENTLY i",
    ],
)
def test_a_part_that_is_new_would_be_seen_though_it_has_no_name(statement: str) -> None:
    assert parts(statement) - PARTS


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        ("SELECT a FROM t FOR SHARE NOWAIT", "lock NOWAIT"),
        ("SELECT a FROM t CROSS JOIN LATERAL (SELECT 1) u", "clause LATERAL"),
        ("WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t", "clause WITH RECURSIVE"),
        ("WITH t AS MATERIALIZED (SELECT 1) SELECT * FROM t", "clause AS MATERIALIZED"),
        ("SELECT count(*) FILTER (WHERE a) FROM t", "clause FILTER"),
        ("SELECT row_number() OVER (ORDER BY a) FROM t", "clause OVER"),
        ("SELECT 1 EXCEPT ALL SELECT 2", "clause EXCEPT ALL"),
        ("SELECT a FROM t WHERE b = ANY($1)", "expression OP ANY"),
        ("SELECT a ->> 'b' FROM t", "operator ->>"),
        ("SELECT a[1] FROM t", "expression subscript"),
        (
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY",
            "statement BEGIN SERIALIZABLE transaction_read_only",
        ),
        ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "statement SET TRANSACTION SERIALIZABLE"),
        ("DROP TABLE t CASCADE", "statement DROP TABLE CASCADE"),
        ("SELECT count(DISTINCT a) FROM t", "clause DISTINCT in an aggregate"),
        ("SELECT DISTINCT ON (a) b FROM t", "clause DISTINCT ON"),
        ("SELECT a FROM t ORDER BY a NULLS FIRST", "clause NULLS FIRST"),
        ("SELECT a FROM t ORDER BY a FETCH FIRST 3 ROWS WITH TIES", "clause WITH TIES"),
        ("SELECT t.ctid FROM t", "expression column ctid"),
        ("CREATE TABLE t (a int, UNIQUE NULLS NOT DISTINCT (a))", "constraint NULLS NOT DISTINCT"),
        (
            "CREATE TABLE t (a int REFERENCES u ON UPDATE CASCADE)",
            "constraint REFERENCES … ON UPDATE CASCADE",
        ),
        ("SELECT relname FROM pg_class", "catalogue pg_class"),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "clause ON CONFLICT DO NOTHING"),
        ("UPDATE t SET a = 1 FROM u WHERE t.b = u.b", "clause UPDATE or DELETE of a join"),
        ("DELETE FROM t USING u WHERE t.b = u.b", "clause UPDATE or DELETE of a join"),
        ("SELECT a FROM t JOIN u USING (b)", "join USING"),
        ("INSERT INTO t SELECT 1", "clause INSERT … SELECT"),
        ("WITH a AS (DELETE FROM t RETURNING b) SELECT b FROM a", "clause DELETE in WITH"),
        ("CREATE UNIQUE INDEX CONCURRENTLY ON t USING gin (a gin_trgm_ops) WHERE b", "index gin_trgm_ops"),
        ("CREATE INDEX ON t USING gin (a, b)", "index gin of several columns"),
        ("CREATE INDEX ON t (lower(a)) INCLUDE (b)", "index of an expression"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u DEFERRABLE", "constraint DEFERRABLE"),
        ("SELECT a FROM t TABLESAMPLE system (1)", "construct RangeTableSample"),
        ("SELECT a FROM t GROUP BY CUBE (a)", "construct GroupingSet"),
        ("CREATE TABLE t (a text[])", "type text[]"),
        ("CREATE EXTENSION pg_trgm", "statement CREATE EXTENSION pg_trgm"),
        ("SET LOCAL lock_timeout = 1", "statement SET LOCAL lock_timeout"),
        (
            "CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()",
            "trigger AFTER INSERT, FOR EACH STATEMENT",
        ),
        (
            "CREATE TRIGGER x BEFORE UPDATE OF a ON t FOR EACH ROW EXECUTE FUNCTION f('b')",
            "trigger BEFORE UPDATE OF columns, FOR EACH ROW",
        ),
        (
            "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f('b')",
            "trigger with arguments",
        ),
        (
            "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "trigger CONSTRAINT",
        ),
        (
            "CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW WHEN (NEW.a > 1) EXECUTE FUNCTION f()",
            "expression NEW or OLD without brackets",
        ),
        (f"CREATE OR REPLACE {FUNCTION} BEGIN RETURN NULL; END $$", "function OR REPLACE"),
        (
            f"CREATE {FUNCTION.replace('AS', 'SECURITY DEFINER AS')} BEGIN RETURN NULL; END $$",
            "function with security",
        ),
        (
            f"CREATE {FUNCTION} BEGIN IF OLD.a THEN RETURN NULL; END IF; END $$",
            "expression NEW or OLD without brackets",
        ),
        (f"CREATE {FUNCTION} BEGIN IF TG_NARGS = 1 THEN RETURN NULL; END IF; END $$", "PL/pgSQL TG_NARGS"),
        ("DO $$ BEGIN PERFORM pg_notify('a', 'b'); END $$", "function pg_notify"),
        ("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$", "PL/pgSQL DYNEXECUTE"),
    ],
)
def test_a_feature_that_is_new_would_be_seen(statement: str, feature: str) -> None:
    assert feature in {" ".join(it) for it in features(statement)}
