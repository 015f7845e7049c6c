"""The conformance list as it stands in assertions.toml, and which tests hold it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
LEVELS = ("MUST", "SHOULD", "MAY", "HOUSE", "DECIDE", "DEF")

_FUNCTION = re.compile(r".*::test_([a-z]{2})_([0-9]{2})_")
# Behind the database's name, where a fixture puts it first.
_ROW = re.compile(r"(?:[a-z]+-)*([A-Z]{2}-[0-9]{2})(?![0-9])")
_SECTION_FILE = re.compile(r"(?:.*/)?test_[a-z]{2}\.py::")


@dataclass(frozen=True)
class Assertion:
    """`marked`: libraries as they come were measured to fail it. The last three are reasons of a sentence."""

    number: str
    level: str
    statement: str
    marked: bool = False
    not_applicable: str = ""
    decided: str = ""
    later: str = ""

    def state(self, *, tested: bool) -> str:
        if self.not_applicable:
            return "not applicable"
        if self.later:
            return "to come"
        if self.decided:
            return "decided otherwise"
        return "held by a test" if tested else "open"


def read_list() -> tuple[Mapping[str, str], Mapping[str, Assertion]]:
    """The sections' titles by their two letters, and the assertions by number, in the list's order."""
    content = tomllib.loads((FOLDER / "assertions.toml").read_text(encoding="utf-8"))
    sections = content.pop("sections")
    return sections, {number: Assertion(number, **entry) for number, entry in content.items()}


def number_of(node_id: str) -> str | None:
    """The number that a test is named by: its function, or the row of its table."""
    name, _, parameters = node_id.partition("[")
    function = _FUNCTION.match(name)
    if function:
        return f"{function[1].upper()}-{function[2]}"
    row = _ROW.match(parameters)
    return row[1] if row else None


def by_number(node_ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """The tests of each number, in their order; those without one are left out."""
    found: dict[str, list[str]] = {}
    for node_id in node_ids:
        number = number_of(node_id)
        if number:
            found.setdefault(number, []).append(node_id)
    return found


def collected() -> list[str]:
    """What pytest finds here: it alone knows the rows of a table."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", str(FOLDER)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return [line for line in run.stdout.splitlines() if "::" in line]


def faults(assertions: Mapping[str, Assertion], node_ids: Sequence[str]) -> list[str]:
    """What is wrong with the list, or with the tests that hold it."""
    tests = by_number(node_ids)
    found = [f"{number} is not on the list: {tests[number][0]}" for number in tests.keys() - assertions]
    of_sections = filter(_SECTION_FILE.match, node_ids)
    found += [f"{node_id} names no number" for node_id in of_sections if number_of(node_id) is None]
    for number, assertion in assertions.items():
        reasons = [assertion.not_applicable, assertion.decided, assertion.later]
        if assertion.level not in LEVELS:
            found.append(f"{number} has the unknown level {assertion.level}")
        if sum(map(bool, reasons)) > 1:
            found.append(f"{number} has more than one reason")
        if number in tests and (assertion.not_applicable or assertion.later):
            found.append(f"{number} has a test, and a reason why it has none")
        if number not in tests and not any(reasons):
            found.append(f"{number} has neither a test nor a reason")
    return sorted(found)
