"""CSV is imported as lines of JSON are, whichever program wrote it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.problems import Problem
from app.spreadsheets import read_rows
from tests.commands import run

OWNER = ("--owner", "owner@acme.example")


def test_rows_are_imported_once_and_bad_ones_are_told_by_line_and_member(folder: Path) -> None:
    content = (
        "organization.name,instance.handle,instance.name,country\r\n"
        'Łódź,lodz," Łódź, main",PL\r\n'
        "\r\n"
        '"Two\nlines",two,Two,\r\n'
        "Bad,www,Bad,\r\n"
        "Short,short\r\n"
        ',"x"y,,\r\n'
        "Last,last,Last,"
    )
    (folder / "rows.csv").write_bytes(content.encode())
    first = run(folder, "import", "rows.csv", *OWNER)
    assert first.returncode == 0, first.stderr
    told = first.stdout.splitlines()
    assert told[0] == "country (first in line 2) is unknown to the registry and was left out."
    assert told[1].startswith("Line 4 was left out: organization.name: ")
    assert told[2] == "Line 6 was left out: instance.handle: The handle is reserved. Choose another one."
    assert told[3] == "Line 7 was left out: It has 2 fields, and the first line 4."
    assert told[4].startswith("Line 8 was left out: It is not CSV: ")
    assert told[5] == "6 lines: 2 imported, 0 there already, 4 bad."
    second = json.loads(run(folder, "import", "rows.csv", *OWNER, "--json").stdout)
    assert (second["imported"], second["present"], len(second["bad"])) == (0, 2, 4)
    nodes = [json.loads(line) for line in run(folder, "export", "--format", "ndjson").stdout.splitlines()]
    names = {node["handle"]: node["name"] for node in nodes if node["@type"] == "Instance"}
    assert names == {"lodz": "Łódź, main", "last": "Last"}


@pytest.mark.parametrize(
    "content",
    [
        "organization.name;instance.name;instance.handle\nA;B;c\n",
        "organization.name\tinstance.name\tinstance.handle\r\nA\tB\tc",
        '"instance.handle","instance.name","organization.name"\n"c","B","A"\n',
    ],
)
def test_rows_of_any_spreadsheet_are_read(content: str) -> None:
    [(number, read)] = read_rows(content.encode().splitlines(keepends=True))
    assert number == 2
    assert read() == {"organization": {"name": "A"}, "instance": {"name": "B", "handle": "c"}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"A,B,c\n",
        b"organization.name,instance.name\n",
        b"organization.name,instance.name,instance.handle,instance.name\n",
    ],
)
def test_a_first_line_that_does_not_name_the_columns_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"organization\.name, instance\.name, instance\.handle"):
        list(read_rows(content.splitlines(keepends=True)))


def test_a_row_that_is_not_utf_8_is_told_by_its_line_and_stops_no_other(folder: Path) -> None:
    head = b"organization.name,instance.name,instance.handle\n"
    (folder / "rows.csv").write_bytes(head + b"A,B,good\n" + b"\xff,B,torn\n" + "Łódź,Łódź,lodz\n".encode())
    told = json.loads(run(folder, "import", "rows.csv", *OWNER, "--json").stdout)
    assert (told["imported"], told["bad"]) == (2, [{"line": 3, "reason": "It is not UTF-8."}])
    with pytest.raises(ValueError, match="first line is not UTF-8"):
        list(read_rows([b"\xff," + head]))


def test_a_row_of_another_length_is_malformed() -> None:
    [(_, read)] = read_rows([b"organization.name,instance.name,instance.handle\n", b"A,B\n"])
    with pytest.raises(Problem, match="2 fields"):
        read()


def test_a_wrong_first_line_is_one_line_and_exit_code_1(folder: Path) -> None:
    (folder / "rows.csv").write_text("name\nx\n")
    done = run(folder, "import", "rows.csv", *OWNER)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_how_far_an_open_quotation_mark_goes_is_told() -> None:
    lines = [b"organization.name,instance.name,instance.handle\n", b"A,A,a-a\n", b'"B,B,b-b\n', b"C,C,c-c\n"]
    numbers = dict(read_rows(lines))
    assert list(numbers) == [2, 3]
    with pytest.raises(Problem, match="It goes on to line 4: nothing of these lines"):
        numbers[3]()


def test_a_first_line_that_is_no_csv_is_told_in_words() -> None:
    with pytest.raises(ValueError, match="The first line is not CSV"):
        next(read_rows([b"organization.name,instance.name,instance.handle\rA,A,a-a\r"]))
