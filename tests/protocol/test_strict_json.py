"""JSON that two parsers could read differently, or that costs too much to read, is refused."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.strict_json import JSON, loads

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\x00"))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**200), 10**200)
    | st.floats(allow_nan=False, allow_infinity=False)
)
DOCUMENTS = st.recursive(
    SCALARS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20
)


def refusal(data: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        loads(data)
    json.dumps(caught.value.detail, ensure_ascii=False).encode()  # it can be sent
    return caught.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"name": "Acme"}', {"name": "Acme"}),
        (b" \t\r\n[1, -0, 0.5, -1e3, 1E-2] ", [1, 0, 0.5, -1000.0, 0.01]),
        (b"null", None),
        (b'""', ""),
        (b'"\\ud83d\\ude00 \\u00e4 \\n\\t\\"\\/ \xe2\x80\xa8"', '😀 ä \n\t"/ \u2028'),
        (b'{"a": {"a": 1}, "b": {"a": 2}}', {"a": {"a": 1}, "b": {"a": 2}}),
        (b"1e-999", 0.0),
        (b"1" * 300, int("1" * 300)),
    ],
)
def test_json_is_read(data: bytes, expected: JSON) -> None:
    """JS-10."""
    value = loads(data)

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b" ",
            b"{",
            b"}",
            b"[",
            b"]",
            b"{'a':1}",
            b'{"a":1}x',
            b'{"a":1,}',
            b"[1,]",
            b"[,1]",
            b"[1 2]",
            b'{"a"}',
        ),
        *(
            b'{"a":}',
            b"{1:2}",
            b'"a',
            b'"\\',
            b'"\\x"',
            b'"\\u12"',
            b'"\t"',
            b'"\x00"',
            b"01",
            b"+1",
            b".5",
            b"1.",
            b"1e",
        ),
        *(
            b"--1",
            b"0x1",
            b"True",
            b"nul",
            b"nan",
            b"//\n1",
            b"1 2",
            b"\x0c1",
            b"\xc2\xa01",
            b"[" + b"]" * 50,
            b"]" * 99,
        ),
        *("١".encode(), b"undefined", b"\x00", b"{a:1}", b'{"a":1 "b":2}', b'["\n"]', b"-"),
    ],
)
def test_what_is_not_json_is_malformed(data: bytes) -> None:
    """JS-01, JS-10."""
    problem = refusal(data)

    assert problem.type == "malformed-content"
    assert "line" in problem.detail
    assert "column" in problem.detail


def test_the_detail_says_where_the_fault_is() -> None:
    """JS-01."""
    assert "line 2, column 7" in refusal(b'{"a": 1,\n "b": x}').detail
    assert "byte 3" in refusal(b'"a\xff"').detail


@pytest.mark.parametrize(
    "data",
    [
        *(
            '{"a":1}'.encode(encoding)
            for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig")
        ),
        *(b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"', b'"\xe4"', b"\xef\xbb\xbf"),
    ],
)
def test_only_utf_8_without_a_byte_order_mark_is_read(data: bytes) -> None:
    """JS-02."""
    assert refusal(data).type == "malformed-content"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b'{"handle":"a","handle":"b"}', '"handle"'),
        (b'[{"x":{"name":1,"name":1}}]', '"name"'),
        (b'{"a":1,"\\u0061":2}', '"a"'),
        (b'{"\\ud800":1,"\\ud800":2}', '"\ufffd"'),
        (b'{"":1,"":2}', '""'),
        (b'{"%b":1,"%b":2}' % (b"x" * 1_000, b"x" * 1_000), "xxx…"),
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_malformed(data: bytes, name: str) -> None:
    """JS-03."""
    problem = refusal(data)

    assert problem.type == "malformed-content"
    assert name in problem.detail
    assert len(problem.detail) < 200


@pytest.mark.parametrize("depth", [33, 900, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'["]",', b"]")])
def test_deep_nesting_is_malformed(depth: int, opening: bytes, closing: bytes) -> None:
    """JS-04."""
    for data in (opening * depth, opening * depth + b"1" + closing * depth):
        problem = refusal(data)
        assert problem.type == "malformed-content"
        assert "32 levels" in problem.detail


def test_nesting_to_the_limit_is_read_and_brackets_in_strings_do_not_count() -> None:
    """JS-04."""
    assert json.dumps(loads(b"[" * 32 + b"]" * 32)) == "[" * 32 + "]" * 32
    assert loads(json.dumps(["[{" * 100, '\\"[' * 100]).encode()) == ["[{" * 100, '\\"[' * 100]


@pytest.mark.parametrize("digits", [301, 5_000, 1_000_000])
@pytest.mark.parametrize("sign", [b"", b"-"])
def test_an_integer_with_too_many_digits_is_malformed(digits: int, sign: bytes) -> None:
    """JS-05."""
    problem = refusal(b"[" + sign + b"1" * digits + b"]")

    assert problem.type == "malformed-content"
    assert "300 digits" in problem.detail


@pytest.mark.parametrize(
    "number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 400 + b".5"]
)
def test_a_number_that_is_not_finite_is_malformed(number: bytes) -> None:
    """JS-06."""
    problem = refusal(b'{"a": [' + number + b"]}")

    assert problem.type == "malformed-content"
    assert len(problem.detail) < 200


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 2]))
def test_a_valid_document_reads_as_it_does_elsewhere(
    document: JSON, ascii_only: bool, indent: int | None
) -> None:
    """JS-10."""
    data = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()

    assert loads(data) == json.loads(data) == document


@given(
    st.binary()
    | st.text(st.sampled_from('{}[]":,\\u0d8a1eE.-+ ntrf')).map(str.encode)
    | st.text().map(str.encode)
)
def test_any_bytes_are_read_or_refused_by_a_problem(data: bytes) -> None:
    """JS-10: and what is read, the standard library reads too."""
    try:
        value = loads(data)
    except Problem as caught:
        problem = caught
    else:
        assert value == json.loads(data)
        return
    assert problem.type in {"malformed-content", "invalid-content"}
    problem.detail.encode()
    for violation in problem.violations:
        f"{violation.property_path}{violation.message}{violation.pointer}".encode()


@pytest.mark.parametrize(
    "data",
    [
        b"1" * 10**6,
        b"1." + b"1" * 10**6,
        b"1e" + b"9" * 10**6,
        b'"' + b"\\" * 10**6,
        b'"' * (10**6 + 1),
        b"[" + b"[]," * 300_000 + b"[]]",
        b"[" + b'"\\ud800",' * 100_000 + b"1]",
        b" " * 10**6,
    ],
    ids=["integer", "fraction", "exponent", "escapes", "quotes", "arrays", "faults", "spaces"],
)
def test_time_grows_no_faster_than_the_content(data: bytes) -> None:
    """JS-04, JS-05: quadratic work would take minutes here."""
    start = time.process_time()
    with suppress(Problem):
        loads(data)

    assert time.process_time() - start < 3
