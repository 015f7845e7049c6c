"""The figure of the conformance suite, by level, at the end of `pytest tests/conformance --conformance`.

A row of the conformance list is an entry of assertions.toml. What holds it is a test of this folder that is
named by its number: `test_cn_10_several_accept_lines_are_one_list`, or a row of a table whose id begins with
it, `pytest.param(..., id="CN-10 two lines")`. A number may have several tests, a test has one number.
A number without a test has one of these keys instead, with a sentence that says why:

    not_applicable   there is nothing here that it could speak of
    later            it needs what the service does not have yet
    decided          the service decides otherwise; what was decided has a test where that can be seen

After a change, `make conformance-document` writes docs/conformance.md anew. test_frame.py fails while list,
tests and page do not agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import httpx
import pytest

from tests.conformance.answers import every_kind
from tests.conformance.assertions import LEVELS, Assertion, by_number, read_list
from tests.conformance.wire import Connection, Wire
from tests.service import Service, World


@pytest.fixture(scope="module")
async def answers(service: Service, world: World) -> list[httpx.Response]:
    """For modules that have one service throughout."""
    return await every_kind(service, world)


@pytest.fixture
def connection(wire: Wire) -> Iterator[Connection]:
    """To the process that a module speaks to."""
    with wire.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def owner(wire: Wire) -> bytes:
    """The line of a head by which an owner is known."""
    return wire.authorization("owner")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance", action="store_true", help="print how much of the list is held")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """In the process that reports, which with xdist is told of all tests; without the option where pytest
    was asked for more than this folder, since it reads this file too late then."""
    if not terminalreporter.config.getoption("conformance", default=False):
        return
    ran = {
        outcome: by_number(report.nodeid for report in terminalreporter.stats.get(outcome, []))
        for outcome in ("passed", "failed", "error", "skipped")
    }
    _, assertions = read_list()
    not_held = {*ran["failed"], *ran["error"], *ran["skipped"]}
    terminalreporter.section("conformance")
    for line in figures(assertions, ran["passed"].keys() - not_held, not_held):
        terminalreporter.line(line)


def figures(assertions: Mapping[str, Assertion], held: set[str], not_held: set[str]) -> list[str]:
    """How many are held of those that can be; then what is not among them, and why."""
    states = {
        number: "held" if number in held else "not held" if number in not_held else _unheld(assertion)
        for number, assertion in assertions.items()
    }
    lines = []
    for level in LEVELS:
        of_level = [it for it in assertions.values() if it.level == level]
        lines.append(_figure(level, of_level, states))
        if level == "HOUSE":
            lines.append(_figure("HOUSE ⚠", [it for it in of_level if it.marked], states))
    for state in (
        "not held",
        "no test ran",
        "to come",
        "not applicable",
        "decided otherwise, without a test",
    ):
        numbers = [number for number, its in states.items() if its == state]
        if numbers:
            lines.append(f"{state}: {' '.join(numbers)}")
    otherwise = [it.number for it in assertions.values() if it.decided and states[it.number] == "held"]
    return [*lines, *([f"decided otherwise, and that held: {' '.join(otherwise)}"] if otherwise else [])]


def _unheld(assertion: Assertion) -> str:
    state = assertion.state(tested=False)
    return {"open": "no test ran", "decided otherwise": "decided otherwise, without a test"}.get(state, state)


def _figure(name: str, assertions: Sequence[Assertion], states: Mapping[str, str]) -> str:
    expected = [it for it in assertions if states[it.number] in ("held", "not held", "no test ran")]
    held = [it for it in expected if states[it.number] == "held"]
    left = len(assertions) - len(expected)
    beside = f"  ({left} to come, not applicable or decided otherwise)" if left else ""
    return f"{name:8}{len(held)} of {len(expected)}{beside}"
