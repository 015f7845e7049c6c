"""Entity tags tell representations apart; preconditions keep updates from being lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.conditions import (
    Conditions,
    check_read,
    check_write,
    entity_tag,
    not_modified,
    parse_conditions,
)

CURRENT = entity_tag(b"as JSON", 3)
OTHER_SYNTAX = entity_tag(b"as Turtle", 3)
STALE = entity_tag(b"as JSON", 2)
DOCUMENT = entity_tag(b"as JSON")

LINES = st.lists(st.text() | st.text(st.sampled_from('W/"3.a *,\t')), max_size=4)


def refused(check: Callable[[], None]) -> bool:
    """Whether the check fails; if so, as a 412 whose detail says what to do."""
    try:
        check()
    except Problem as caught:
        problem = caught
    else:
        return False
    assert problem.type == "precondition-failed"
    assert "Read it again" in problem.detail
    assert "ETag" in problem.detail
    return True


def write_refused(*, if_match: tuple[str, ...] = (), if_none_match: tuple[str, ...] = ()) -> bool:
    return refused(lambda: check_write(parse_conditions(if_match, if_none_match), 3))


def read_refused(*if_match: str, tag: str = CURRENT) -> bool:
    return refused(lambda: check_read(parse_conditions(if_match, ()), tag))


def test_a_tag_is_strong_and_tells_the_version_and_the_bytes() -> None:
    """PC-01, PC-03, PC-04."""
    assert re.fullmatch(r'"3\.[0-9a-f]{16}"', CURRENT)
    assert re.fullmatch(r'"[0-9a-f]{16}"', DOCUMENT)
    assert len({CURRENT, OTHER_SYNTAX, STALE, DOCUMENT}) == 4
    assert entity_tag(b"as JSON", 3) == CURRENT


def test_a_request_without_conditions_meets_none() -> None:
    conditions = parse_conditions([], [])

    assert conditions == Conditions(None, None)
    check_write(conditions, 3)
    check_read(conditions, CURRENT)
    assert not not_modified(conditions, CURRENT)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((CURRENT,), id="PC-06 the version read"),
        pytest.param((OTHER_SYNTAX,), id="PC-08 read in another syntax"),
        pytest.param((f'"zzz", {CURRENT}',), id="PC-07"),
        pytest.param(('"zzz"', CURRENT), id="PC-07 on several lines"),
        pytest.param((f" ,, {CURRENT}\t,",), id="PC-07 with empty members"),
        pytest.param(('"a,b",' + CURRENT,), id="PC-07 beside a tag with a comma"),
        pytest.param((f'W/"zzz",{CURRENT}',), id="PC-07 beside a weak tag"),
        pytest.param(("*",), id="PC-09"),
        pytest.param(("", " * ,"), id="PC-09 among empty members"),
    ],
)
def test_a_write_proceeds_when_if_match_names_the_version(lines: tuple[str, ...]) -> None:
    assert not write_refused(if_match=lines)
    assert not read_refused(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param((STALE,), id="PC-06"),
        pytest.param((f"W/{CURRENT}",), id="PC-05"),
        pytest.param((entity_tag(b"as JSON", 30),), id="a version that only begins alike"),
        pytest.param((entity_tag(b"as JSON", 13),), id="a version that only ends alike"),
        pytest.param(('"03.0123456789abcdef"',), id="versions are compared as text"),
        pytest.param(('"3"',), id="no dot, no version"),
        pytest.param(('""',), id="empty tag"),
        pytest.param((DOCUMENT,), id="tag of something else"),
        pytest.param(("",), id="PC-22 empty"),
        pytest.param(("abc",), id="PC-22 no quotes"),
        pytest.param(('"a',), id="PC-22 no closing quote"),
        pytest.param((f"{CURRENT}, abc",), id="PC-22 one bad member"),
        pytest.param((f"{CURRENT}, *",), id="PC-22 asterisk in a list"),
        pytest.param(("*", "*"), id="PC-22 two asterisks"),
        pytest.param((f"{CURRENT} {CURRENT}",), id="PC-22 no comma"),
        pytest.param((f"w/{CURRENT}, {CURRENT}",), id="PC-22 the weakness mark is case-sensitive"),
        pytest.param(('"3.\x7f"',), id="PC-22 control character"),
        pytest.param((", ".join([CURRENT] * 1_000),), id="PC-22 1000 tags"),
        pytest.param((", ".join(['"x"'] * 32 + [CURRENT]),), id="PC-22 33 tags"),
        pytest.param(tuple([CURRENT] * 33), id="PC-22 33 lines"),
        pytest.param((f'"{"x" * 100_000}", {CURRENT}',), id="PC-22 100 kB"),
    ],
)
def test_a_write_is_refused_when_if_match_does_not_name_the_version(lines: tuple[str, ...]) -> None:
    assert write_refused(if_match=lines)
    assert read_refused(*lines)


def test_32_tags_are_a_reasonable_list() -> None:
    """PC-07, at the limit."""
    assert not write_refused(if_match=(", ".join(['"x"'] * 31 + [CURRENT]),))


@pytest.mark.parametrize(
    ("line", "is_refused"),
    [
        pytest.param("*", True, id="PC-10"),
        pytest.param(f"W/{CURRENT}", True, id="PC-11"),
        pytest.param(OTHER_SYNTAX, True, id="PC-11 in another syntax"),
        pytest.param(f"abc, {CURRENT}", True, id="PC-11 beside a malformed member"),
        pytest.param(STALE, False, id="another version"),
        pytest.param("abc", False, id="malformed"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_write_is_refused_when_if_none_match_names_the_version(line: str, is_refused: bool) -> None:
    assert write_refused(if_none_match=(line,)) is is_refused


def test_if_match_is_judged_before_if_none_match() -> None:
    """PC-13: RFC 9110 section 13.2.2 has this order; both must hold."""
    assert write_refused(if_match=(STALE,), if_none_match=(STALE,))
    assert not write_refused(if_match=(CURRENT,), if_none_match=(STALE,))
    assert write_refused(if_match=(CURRENT,), if_none_match=(CURRENT,))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(CURRENT, True, id="PC-11 strong"),
        pytest.param(f"W/{CURRENT}", True, id="PC-11 weak"),
        pytest.param(f'"x", W/{CURRENT}', True, id="PC-11 in a list"),
        pytest.param(f"abc, {CURRENT}", True, id="PC-11 beside a malformed member"),
        pytest.param("*", True, id="PC-10"),
        pytest.param("abc, *", False, id="an asterisk stands alone"),
        pytest.param(OTHER_SYNTAX, False, id="PC-03 another syntax is another representation"),
        pytest.param(STALE, False, id="another version"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_read_is_not_modified_when_if_none_match_names_the_representation(
    line: str, expected: bool
) -> None:
    assert not_modified(parse_conditions([], [line]), CURRENT) is expected


def test_a_document_without_versions_is_compared_whole() -> None:
    """PC-05, PC-24."""
    assert not read_refused(DOCUMENT, tag=DOCUMENT)
    assert read_refused(entity_tag(b"as Turtle"), tag=DOCUMENT)
    assert read_refused(DOCUMENT.replace('"', '".', 1), tag=DOCUMENT)
    assert read_refused(f"W/{DOCUMENT}", tag=DOCUMENT)
    assert not_modified(parse_conditions([], [f"W/{DOCUMENT}"]), DOCUMENT)


@given(LINES, LINES)
def test_whatever_is_sent_a_condition_holds_or_fails(if_match: list[str], if_none_match: list[str]) -> None:
    """PC-22: parsing never raises (PC-15), checking nothing but a Problem."""
    conditions = parse_conditions(if_match, if_none_match)
    for tag in (CURRENT, DOCUMENT):
        not_modified(conditions, tag)
        with suppress(Problem):
            check_read(conditions, tag)
    with suppress(Problem):
        check_write(conditions, 3)


@given(st.binary(), st.integers(min_value=0), st.lists(st.sampled_from([STALE, DOCUMENT, '"a,b"', ""])))
def test_the_tag_of_a_representation_serves_for_the_next_write(
    body: bytes, version: int, others: list[str]
) -> None:
    """PC-20."""
    conditions = parse_conditions([", ".join([*others[:20], entity_tag(body, version)])], [])

    check_write(conditions, version)
    check_read(conditions, entity_tag(body, version))


@pytest.mark.parametrize(
    "line",
    ['"' * 600_001, '"a,' * 200_000, " " * 600_000 + "x", '"x",' * 150_000, '"x"' + " " * 600_000],
    ids=["quotes", "open quotes", "spaces before", "tags", "spaces after"],
)
def test_time_grows_no_faster_than_the_field(line: str) -> None:
    """PC-22: quadratic work would take minutes here."""
    start = time.process_time()
    not_modified(parse_conditions([line], [line]), CURRENT)

    assert time.process_time() - start < 3
