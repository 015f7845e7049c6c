"""Query parameters are read strictly and written so that they read back."""

from __future__ import annotations

import re
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.query import encode_query, parse_query, single

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))


def refusal(raw: bytes) -> str:
    with pytest.raises(Problem) as caught:
        parse_query(raw)
    caught.value.detail.encode()  # it can be sent
    assert caught.value.type == "invalid-parameter"
    return caught.value.detail


@pytest.mark.parametrize(
    ("raw", "parameters"),
    [
        (b"", ()),
        (b"&&", ()),
        (b"page=2&itemsPerPage=10", (("page", "2"), ("itemsPerPage", "10"))),
        (b"order%5Bid%5D=ASC&order[name]=desc", (("order[id]", "ASC"), ("order[name]", "desc"))),
        (b"name=a+b%20c%2B", (("name", "a b c+"),)),
        (b"name=%C3%A4\xc3\xa4", (("name", "ää"),)),
        (b"name=a=b", (("name", "a=b"),)),
        (b"after=", (("after", ""),)),
        (b"after", (("after", ""),)),
        (b"=x", (("", "x"),)),
        (b"a;b=1", (("a;b", "1"),)),
        (b"a=1&a=2", (("a", "1"), ("a", "2"))),
        (b"a=%2526", (("a", "%26"),)),
    ],
)
def test_a_query_is_its_parameters_in_order(raw: bytes, parameters: tuple[tuple[str, str], ...]) -> None:
    assert parse_query(raw) == parameters


@pytest.mark.parametrize(
    "value",
    [
        *(b"%", b"%z", b"%zz", b"%4", b"a%4g", b"%%41", b"%ff", b"\xff", b"%C0%AF", b"%ED%A0%80", b"%C3"),
        *(b"%00", b"\x00", b"a%00b", b"%0a", b"%0D%0A", b"%1f", b"\t", b"%7F", b"%C2%85"),
    ],
)
def test_what_is_not_text_is_refused_by_the_name_of_the_parameter(value: bytes) -> None:
    """IN-07."""
    assert "name" in refusal(b"page=1&name=" + value + b"&x=%zz")
    assert refusal(value + b"=1")


def test_a_detail_says_what_to_do_about_the_parameter() -> None:
    """IN-07."""
    assert refusal(b"order%5Bid%5D=%zz") == (
        "Send the query parameter order[id] with two hexadecimal digits after each %."
    )
    assert refusal(b"=%00") == "Send the query parameter without a name without control characters."
    assert len(refusal(b"a" * 10_000 + b"=%00")) < 150


def test_at_most_64_parameters_are_read() -> None:
    """IN-09's limit."""
    assert len(parse_query(b"&".join([b"a=1"] * 64))) == 64
    assert "64" in refusal(b"&".join([b"a=1"] * 65))


def test_a_parameter_that_stands_once_has_that_value() -> None:
    parameters = parse_query(b"page=2&after=&name=x")

    assert single(parameters, "page") == "2"
    assert single(parameters, "after") == ""
    assert single(parameters, "before") is None
    assert single((), "page") is None


@pytest.mark.parametrize("raw", [b"limit=1&limit=2", b"limit=1&limit=1", b"limit&x=1&%6Cimit="])
def test_a_parameter_that_is_repeated_is_refused_by_name(raw: bytes) -> None:
    """IN-09."""
    with pytest.raises(Problem, match="limit") as caught:
        single(parse_query(raw), "limit")

    assert caught.value.type == "invalid-parameter"


def test_all_but_unreserved_characters_are_encoded() -> None:
    """RFC 3986 sections 2.1 and 2.3: H8 and J6 want the brackets encoded."""
    assert (
        encode_query([("order[name]", "a b/ä~"), ("after", "")]) == "order%5Bname%5D=a%20b%2F%C3%A4~&after="
    )
    assert encode_query([]) == ""


@given(st.lists(st.tuples(TEXT, TEXT), max_size=64))
def test_a_query_that_is_written_reads_back(parameters: list[tuple[str, str]]) -> None:
    query = encode_query(parameters)

    assert re.fullmatch(r"(?:[A-Za-z0-9\-._~=&]|%[0-9A-F]{2})*", query)
    assert parse_query(query.encode()) == tuple(parameters)


@given(st.binary() | st.text(st.sampled_from("a=&%+0fF\x00")).map(str.encode))
def test_any_bytes_are_read_or_refused_by_a_problem(raw: bytes) -> None:
    """IN-07."""
    try:
        parameters = parse_query(raw)
    except Problem as problem:
        problem.detail.encode()
    else:
        assert parse_query(encode_query(parameters).encode()) == parameters


@pytest.mark.parametrize(
    "raw",
    [b"&" * 10**6, b"%" * 10**6, b"a=" + b"%41" * 300_000, b"=" * 10**6, b"a&" * 500_000],
    ids=["empty pieces", "broken", "encoded", "equals signs", "parameters"],
)
def test_time_grows_no_faster_than_the_query(raw: bytes) -> None:
    """IN-01: quadratic work would take minutes here."""
    start = time.process_time()
    with suppress(Problem):
        parse_query(raw)

    assert time.process_time() - start < 3
