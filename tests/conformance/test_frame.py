"""The conformance list, its tests and its page agree; and the tools that say so see when they do not."""

from __future__ import annotations

import pytest

from tests.conformance.assertions import (
    FOLDER,
    ROOT,
    Assertion,
    by_number,
    collected,
    faults,
    number_of,
    read_list,
)
from tests.conformance.conftest import figures
from tests.conformance.document import FILE, document
from tests.whole_runs import is_whole


@pytest.fixture(scope="module")
def node_ids(request: pytest.FixtureRequest) -> list[str]:
    """A run of everything has collected them already."""
    if not is_whole(request.config):
        return collected()
    found = [item.nodeid for item in request.session.items]
    return [node_id for node_id in found if node_id.startswith(FOLDER.relative_to(ROOT).as_posix() + "/")]


def test_the_list_and_the_tests_agree(node_ids: list[str]) -> None:
    sections, assertions = read_list()
    assert {number[:2] for number in assertions} == set(sections)
    assert faults(assertions, node_ids) == []


def test_the_page_is_what_would_be_written(node_ids: list[str]) -> None:
    expected = document(*read_list(), node_ids)
    assert FILE.read_text(encoding="utf-8") == expected, "make conformance-document"


@pytest.mark.parametrize(
    ("node_id", "number"),
    [
        ("test_cn.py::test_cn_10_several_lines_are_one_list[sqlite]", "CN-10"),
        ("test_cn.py::test_cn_10_what_pc_11_says_too[PC-12]", "CN-10"),
        ("test_pd.py::test_every_error_is_a_problem[postgres-PD-09 no route]", "PD-09"),
        ("test_pd.py::test_every_error_is_a_problem[PD-09-sqlite]", "PD-09"),
        ("test_pd.py::test_every_error_is_a_problem[UPD-091]", None),
        ("test_frame.py::test_the_list_and_the_tests_agree", None),
    ],
    ids=["by function", "by function alone", "behind the database", "before the database", "no row", "none"],
)
def test_a_test_is_named_by_one_number(node_id: str, number: str | None) -> None:
    assert number_of(node_id) == number


def listed(later: str = "", decided: str = "") -> dict[str, Assertion]:
    statement = "Several lines are one."
    return {"CN-10": Assertion("CN-10", "MUST", statement, later=later, decided=decided)}


@pytest.mark.parametrize(
    ("assertions", "node_ids", "fault"),
    [
        (listed(), [], "CN-10 has neither a test nor a reason"),
        (listed(), ["f/test_cn.py::test_cn_11_x"], "CN-11 is not on the list: f/test_cn.py::test_cn_11_x"),
        (
            listed(later="No."),
            ["f/test_cn.py::test_cn_10_x"],
            "CN-10 has a test, and a reason why it has none",
        ),
        (listed(later="No.", decided="Yes."), [], "CN-10 has more than one reason"),
        (listed(later="No."), ["f/test_cn.py::test_x[CN]"], "f/test_cn.py::test_x[CN] names no number"),
        (
            {"CN-10": Assertion("CN-10", "WOULD", "It.", later="No.")},
            [],
            "CN-10 has the unknown level WOULD",
        ),
    ],
    ids=["nothing", "unlisted", "test and reason", "two reasons", "no number", "level"],
)
def test_what_does_not_agree_is_found(
    assertions: dict[str, Assertion], node_ids: list[str], fault: str
) -> None:
    assert fault in faults(assertions, node_ids)


def test_what_was_decided_otherwise_may_have_a_test() -> None:
    assert faults(listed(decided="Otherwise."), ["f/test_cn.py::test_cn_10_x"]) == []
    assert faults(listed(decided="Otherwise."), []) == []


def test_the_page_tells_what_holds_each_number_and_why_others_are_not_held() -> None:
    assertions = listed() | {
        "CN-11": Assertion("CN-11", "SHOULD", "Either `a|b`.", marked=True, not_applicable="There is none."),
        "CN-12": Assertion("CN-12", "MAY", "It may.", decided="It does not."),
        "CN-13": Assertion("CN-13", "MAY", "It does."),
    }
    tests = ["f/test_cn.py::test_cn_10_x[sqlite]", "f/test_cn.py::test_cn_10_x[postgres]"]
    page = document({"CN": "Negotiation"}, assertions, [*tests, "f/test_cn.py::test_y[CN-12 z]"])
    assert page.splitlines()[-6:] == [
        "| | level | asks | here |",
        "| --- | --- | --- | --- |",
        "| CN-10 | MUST | Several lines are one. | held by `test_cn_10_x` |",
        "| CN-11 | SHOULD ⚠ | Either `a\\|b`. | not applicable: There is none. |",
        "| CN-12 | MAY | It may. | decided otherwise: It does not. Held by `test_y` |",
        "| CN-13 | MAY | It does. | open |",
    ]
    assert "| MAY | 2 | 0 | 1 | 0 | 0 | 1 |" in page


def test_the_figure_counts_what_all_tests_of_a_number_hold() -> None:
    assertions = {
        number: Assertion(number, level, "It.", later=later)
        for number, level, later in (
            ("CN-01", "MUST", ""),
            ("CN-02", "MUST", ""),
            ("CN-03", "HOUSE", ""),
            ("CN-04", "MUST", "Not yet."),
        )
    }
    lines = figures(assertions, {"CN-01"}, {"CN-02"})
    assert "MUST    1 of 2  (1 to come, not applicable or decided otherwise)" in lines
    assert "HOUSE   0 of 1" in lines
    assert lines[-3:] == ["not held: CN-02", "no test ran: CN-03", "to come: CN-04"]


def test_tests_without_a_number_count_for_none() -> None:
    assert by_number(["test_frame.py::test_x", "test_cn.py::test_cn_01_y"]) == {
        "CN-01": ["test_cn.py::test_cn_01_y"]
    }
