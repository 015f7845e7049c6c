"""`export` and `import` of what was exported, run as people run them."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import pty
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from app.exporting.part_files import PartFile
from app.importing import Report
from app.protocol.lines import LONGEST, TOO_LONG
from app.restoring import Restored
from tests.benchmarks.exports import filled, measured
from tests.commands import COMMAND, environment, run
from tests.exports import graph
from tests.load import DATABASE, placed

LONG = True
GROWTH = 24 * 1_024  # in KiB: what an export may need more where there is twenty times as much


@pytest.fixture(scope="module")
def sample(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the sample data, to copy."""
    folder = placed(sqlite_template, tmp_path_factory.mktemp("sample"))
    assert run(folder, "sample").returncode == 0
    return folder / DATABASE


@pytest.fixture
def folder(sample: Path, tmp_path: Path) -> Path:
    """A folder with a database that has the sample data."""
    return placed(sample, tmp_path)


@pytest.fixture
def another(sqlite_template: Path, tmp_path: Path) -> Path:
    """One within it, with an empty database."""
    return placed(sqlite_template, tmp_path / "another")


@pytest.mark.parametrize("name", ["all.nq", "all.ttl.gz", "all.ndjson.gz"])
def test_what_is_exported_and_imported_into_an_empty_database_is_exported_again_as_the_same_graph(
    folder: Path, another: Path, name: str
) -> None:
    done = run(folder, "export", name)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "9 instances" in done.stderr
    assert name in done.stderr
    imported = run(another, "import", f"../{name}", "--json")
    assert imported.returncode == 0, imported.stderr
    told = json.loads(imported.stdout)
    assert (told["imported"], told["bad"]) == (25, [])
    assert told["restored"] == {
        "Partner": 3, "Organization": 5, "Member": 6, "Instance": 9, "Authorization": 2,
    }  # fmt: skip
    first, second = (run(it, "export").stdout.encode() for it in (folder, another))
    assert len(graph(first)) > 200
    assert graph(first) == graph(second)
    again = run(another, "import", f"../{name}")
    assert again.stdout.splitlines()[-1].endswith("25 there already, 0 bad.")


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("all.nq", (), b"<"),
        ("all.ttl.gz", (), b"@prefix"),
        ("all.jsonld.gz", (), b'{"@context"'),
        ("all.nq.gz", ("--format", "ndjson"), b'{"@context"'),
    ],
)
def test_a_file_is_compressed_and_its_format_chosen_by_its_name(
    folder: Path, name: str, options: tuple[str, ...], head: bytes
) -> None:
    assert run(folder, "export", name, *options).returncode == 0
    content = (folder / name).read_bytes()
    assert (gzip.decompress(content) if name.endswith(".gz") else content).startswith(head)


@pytest.mark.parametrize("name", ["all", "all.csv", "all.gz"])
def test_a_name_that_tells_no_format_is_refused(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "export", name)
    assert done.returncode == 2
    assert "--format" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "told"), [("none/all.nq", "There is no folder none"), ("dir.nq", "a folder")]
)
def test_a_place_where_no_file_can_be_is_told_before_anything_is_read(
    tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / "dir.nq").mkdir()
    done = run(tmp_path, "export", name)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Errno" not in done.stderr


def test_an_organization_is_exported_by_its_address_or_its_id_alone(folder: Path) -> None:
    nodes = [json.loads(line) for line in run(folder, "export", "--format", "ndjson").stdout.splitlines()]
    [globex] = [node for node in nodes if node.get("name") == "Globex"][:1]
    by_id = run(folder, "export", "--organization", globex["id"])
    by_address = run(folder, "export", "--organization", globex["@id"])
    assert by_id.stdout == by_address.stdout
    assert globex["id"] in by_id.stdout
    assert "1 organization," in by_id.stderr
    elsewhere = globex["@id"].replace("8000", "9000")
    assert run(folder, "export", "--organization", elsewhere).returncode == 2
    absent = run(folder, "export", "none.nq", "--organization", "01930000-0000-7000-8000-000000000000")
    assert absent.returncode == 1
    assert absent.stderr == "There is no organization 01930000-0000-7000-8000-000000000000.\n"


def test_why_a_command_failed_is_told_on_the_error_output_with_json_too(folder: Path) -> None:
    (folder / "torn.ttl").write_text("<a> <b> .\n")
    absent = "01930000-0000-7000-8000-000000000000"
    for arguments in (("import", "torn.ttl"), ("export", "x.ttl", "--organization", absent)):
        done = run(folder, *arguments, "--json")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done


def test_great_numbers_are_written_as_in_an_export() -> None:
    bad = [(1, "")] * 3_000
    [lines] = Report(imported=1_000, present=2_000, bad=bad).sum()
    assert lines == "6,000 lines: 1,000 imported, 2,000 there already, 3,000 bad."
    [resources] = Restored(imported=1_000, present=2_000, bad=bad).sum()
    assert resources == "6,000 resources: 1,000 restored, 2,000 there already, 3,000 bad."


def test_what_came_of_an_export_is_told_as_json(folder: Path) -> None:
    done = run(folder, "export", "all.nq", "--json")
    assert json.loads(done.stdout)["counts"]["Instance"] == 9
    piped = run(folder, "export", "--json")
    assert json.loads(piped.stderr)["counts"]["Instance"] == 9
    assert piped.stdout.startswith("<")


def test_a_pipe_is_not_resumed_and_may_be_left(folder: Path) -> None:
    refused = run(folder, "export", "--resume")
    assert refused.returncode == 2
    assert "pipe" in refused.stderr
    url = filled(folder, 3_000)
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} export | head -n 1; exit ${{PIPESTATUS[0]}}"],
        env=environment({"REGISTRY_DATABASE_URL": url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert len(done.stdout.splitlines()) == 1


def test_an_export_that_was_interrupted_goes_on_with_resume(tmp_path: Path) -> None:
    url = filled(tmp_path, 10_000)
    settings = environment({"REGISTRY_DATABASE_URL": url})
    place, told = tmp_path / "all.nq", tmp_path / "all.nq.part.json"
    with subprocess.Popen([COMMAND, "export", str(place)], env=settings, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not told.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == 130, said
    assert said == f"Interrupted. The same command with --resume goes on with {place}.part.\n"
    assert not place.exists()
    done = run(tmp_path, "export", str(place), "--resume", "--json", REGISTRY_DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["counts"]["Instance"] == 10_000
    assert 0 < result["earlier"] < sum(result["counts"].values())
    assert not told.exists()
    assert run(tmp_path, "export", str(tmp_path / "whole.nq"), REGISTRY_DATABASE_URL=url).returncode == 0
    assert place.read_bytes() == (tmp_path / "whole.nq").read_bytes()


@pytest.mark.parametrize("syntax", ["n-quads"])
def test_an_export_needs_no_more_memory_where_there_is_more(tmp_path: Path, syntax: str) -> None:
    few, many = (
        measured(filled(tmp_path, instances), tmp_path / f"{instances}", syntax)
        for instances in (1_000, 20_000)
    )
    assert many.size > 10 * few.size
    assert many.peak - few.peak < GROWTH


def instances_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM instance").fetchone()[0])


def test_an_import_that_was_interrupted_goes_on_with_the_same_command(tmp_path: Path) -> None:
    source, target = filled(tmp_path, 1_500), f"sqlite://{tmp_path}/target.sqlite3"
    assert run(tmp_path, "export", "all.ndjson", REGISTRY_DATABASE_URL=source).returncode == 0
    assert run(tmp_path, "migrate", REGISTRY_DATABASE_URL=target).returncode == 0
    settings = environment({"REGISTRY_DATABASE_URL": target})
    command = [COMMAND, "import", str(tmp_path / "all.ndjson")]
    with subprocess.Popen(command, env=settings, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 30
        while not instances_in(tmp_path / "target.sqlite3") and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    done = run(tmp_path, "import", "all.ndjson", "--json", REGISTRY_DATABASE_URL=target)
    told = json.loads(done.stdout)
    assert (told["imported"] + told["present"], told["bad"]) == (1_500 + 15 * 2 + 4, [])
    assert told["imported"] > 0
    assert told["present"] > 200
    for name, url in (("a.nq", source), ("b.nq", target)):
        assert run(tmp_path, "export", name, REGISTRY_DATABASE_URL=url).returncode == 0
    assert (tmp_path / "a.nq").read_bytes() == (tmp_path / "b.nq").read_bytes()


@pytest.mark.parametrize("name", ["all.nq", "all.ttl", "all.ndjson", "all.nq.gz", "all.ttl.gz"])
def test_a_byte_order_mark_before_an_export_is_passed_over(folder: Path, another: Path, name: str) -> None:
    assert run(folder, "export", name).returncode == 0
    marked(folder / name)
    done = run(another, "import", f"../{name}", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["imported"], told["bad"]) == (25, [])


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "lines.ndjson", "lines.ndjson.gz"])
def test_a_byte_order_mark_before_lines_and_rows_is_passed_over(folder: Path, name: str) -> None:
    content = 'organization.name,"instance.name",instance.handle\nA,B,marked\n'
    if name.startswith("lines"):
        content = '{"organization": {"name": "A"}, "instance": {"name": "B", "handle": "marked"}}\n'
    write = gzip.compress if name.endswith(".gz") else bytes
    (folder / name).write_bytes(write(content.encode()))
    marked(folder / name)
    done = run(folder, "import", name, "--owner", "owner@acme.example", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["imported"], told["bad"], told["unknown"]) == (1, [], [])


def marked(file: Path) -> None:
    """Puts a byte order mark before what a file has, within what is compressed."""
    content = file.read_bytes()
    compressed = file.suffix == ".gz"
    content = codecs.BOM_UTF8 + (gzip.decompress(content) if compressed else content)
    file.write_bytes(gzip.compress(content) if compressed else content)


def test_a_damaged_file_is_one_line(folder: Path, another: Path) -> None:
    assert run(folder, "export", "all.nq.gz").returncode == 0
    whole = (folder / "all.nq.gz").read_bytes()
    (folder / "torn.nq.gz").write_bytes(whole[:-40])
    (folder / "torn.ttl").write_text("<a> <b> .\n")
    for name in ("torn.nq.gz", "torn.ttl"):
        done = run(another, "import", f"../{name}")
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


def test_an_owner_is_told_for_lines_and_not_for_an_export(folder: Path) -> None:
    assert run(folder, "export", "all.ndjson").returncode == 0
    (folder / "lines.ndjson").write_text("{}\n")
    assert run(folder, "import", "all.ndjson", "--owner", "a@b.example").returncode == 2
    assert run(folder, "import", "lines.ndjson").returncode == 2
    (folder / "all.jsonld").write_text("{}")
    assert run(folder, "import", "all.jsonld").returncode == 2


@pytest.mark.parametrize("name", ["all.ndjson", "/dev/stdin"])
def test_what_cannot_be_read_twice_is_refused_before_anything_is_read(folder: Path, name: str) -> None:
    if name != "/dev/stdin":
        os.mkfifo(folder / name)
    done = subprocess.run(
        [COMMAND, "import", name, "--owner", "owner@acme.example"],
        cwd=folder,
        env=environment({}),
        input='{"organization": {"name": "A"}, "instance": {"name": "B", "handle": "piped"}}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "to a file first" in done.stderr


@pytest.mark.parametrize(
    "first", ['{ "@id" : "urn:x:1"}', '{"id": "1", "@id": "urn:x:1"}', '\n{\n{"name": "a", "@id": "urn:x:1"}']
)
def test_lines_of_which_the_first_that_can_be_read_has_an_id_are_an_export(folder: Path, first: str) -> None:
    (folder / "all.ndjson").write_text(f"{first}\n")
    done = run(folder, "import", "all.ndjson", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["passedOver"] == {"resource": 1}


@pytest.mark.parametrize("syntax", ["ndjson", "n-quads", "turtle"])
def test_what_terminals_obey_is_shown_and_not_sent(folder: Path, syntax: str) -> None:
    clear = "\x1b[2J\x9b2J\u202e"
    content = {
        "ndjson": json.dumps({"@id": f"urn:{clear}é", "@type": "Instance", "name": "a"}, ensure_ascii=False),
        "n-quads": f'<urn:x> <urn:y> "{clear}é" .\n<urn:{clear}> <urn:y> "z" .',
        "turtle": f"<urn:x> {clear} .",
    }
    (folder / "all").write_text(content[syntax] + "\n")
    done = run(folder, "import", "all", "--format", syntax)
    said = done.stdout + done.stderr
    assert not [it for it in said if it != "\n" and not it.isprintable()]
    assert "é" in said or syntax != "ndjson"
    assert ("left out" if syntax != "turtle" else "is not Turtle") in said


def test_a_long_line_is_told_and_stops_no_other(folder: Path) -> None:
    line = {"organization": {"name": "A"}, "instance": {"name": "B", "handle": "short"}}
    with gzip.open(folder / "lines.ndjson.gz", "wt") as file:
        file.write(" " * LONGEST + json.dumps(line) + "\n" + json.dumps(line))
    owner = ("--owner", "owner@acme.example", "--json")
    told = json.loads(run(folder, "import", "lines.ndjson.gz", *owner).stdout)
    assert (told["imported"], told["bad"]) == (1, [{"line": 1, "reason": TOO_LONG}])
    head = "organization.name,instance.name,instance.handle"
    (folder / "lines.csv").write_text(
        f"{head}\nA,B,csv\n{'A' * LONGEST},B,long\n{'A,' * LONGEST}\nA,B,last\n"
    )
    told = json.loads(run(folder, "import", "lines.csv", *owner).stdout)
    assert (told["imported"], [it["line"] for it in told["bad"]]) == (2, [3, 4])


def test_on_a_terminal_progress_and_rate_are_shown(folder: Path) -> None:
    url = filled(folder, 5_000)
    mine, its = pty.openpty()
    with subprocess.Popen(
        [COMMAND, "export", "all.nq"],
        cwd=folder,
        env=environment({"REGISTRY_DATABASE_URL": url, "TERM": "xterm", "COLUMNS": "100"}),
        stderr=its,
    ) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                piece = os.read(mine, 65_536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    os.close(mine)
    assert process.returncode == 0
    assert b"5054/5054" in shown
    assert b"/s" in shown


def test_two_exports_never_write_to_one_file(tmp_path: Path) -> None:
    place = tmp_path / "all.nq"
    with PartFile(place, compressed=False) as first:
        first.begin()
        first.write(b"first")
        for act in ("begin", "resume"):
            first.keep({})
            with (
                PartFile(place, compressed=False) as second,
                pytest.raises(OSError, match="by another export"),
            ):
                getattr(second, act)()
        first.finish()
    assert place.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [place]


def test_what_failed_before_anything_counted_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with PartFile(tmp_path / "all.nq", compressed=False) as part:
            part.begin()
            part.write(b"head")
            raise ValueError("unknown")

    with pytest.raises(ValueError, match="unknown"):
        fail()
    assert list(tmp_path.iterdir()) == []
