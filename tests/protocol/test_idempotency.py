"""The key of a request that may be sent again is one String, or the same characters without quotes."""

from __future__ import annotations

from contextlib import suppress

import http_sf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.idempotency import idempotency_key

ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        pytest.param('"k1"', "k1", id="ID-05 a String"),
        pytest.param("k1", "k1", id="ID-05 bare"),
        pytest.param(
            "8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324", id="a UUID"
        ),
        pytest.param('"8e03978e 40d5, 43dd"', "8e03978e 40d5, 43dd", id="spaces and commas in quotes"),
        pytest.param(r'"a\"b\\c"', 'a"b' + r"\c", id="escaped"),
        pytest.param('  "k1"\t', "k1", id="white space around it"),
        pytest.param('" "', " ", id="a space"),
        pytest.param('"k1";a;b=1;c="x";d=?0', "k1", id="parameters that nobody knows"),
        pytest.param("a/b+c=d;e:f", "a/b+c=d;e:f", id="bare, with all kinds of characters"),
        pytest.param("12", "12", id="bare digits"),
        pytest.param(f'"{"k" * 255}"', "k" * 255, id="ID-05 255 characters"),
        pytest.param("k" * 255, "k" * 255, id="255 bare characters"),
    ],
)
def test_a_key_is_what_stands_in_the_quotes_or_without_them(line: str, key: str) -> None:
    assert idempotency_key([line]) == key


def test_a_request_without_the_field_has_no_key() -> None:
    assert idempotency_key([]) is None


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(('""',), id="ID-05 empty String"),
        pytest.param(("",), id="ID-05 empty"),
        pytest.param((" \t",), id="white space"),
        pytest.param((f'"{"k" * 256}"',), id="ID-05 256 characters"),
        pytest.param(("k" * 256,), id="256 bare characters"),
        pytest.param(('"é"',), id="ID-05 not ASCII"),
        pytest.param(("é",), id="bare, not ASCII"),
        pytest.param(('"\x7f"',), id="control character"),
        pytest.param(('"k1',), id="no closing quote"),
        pytest.param(("k1 k2",), id="bare, with a space"),
        pytest.param(("k1,k2",), id="a list"),
        pytest.param(('"k1", "k2"',), id="a list of Strings"),
        pytest.param((r'"k\1"',), id="escaped for nothing"),
        pytest.param(('"k1";=1',), id="no parameters"),
        pytest.param(('"k1"a',), id="more than a String"),
        pytest.param(('("k1")',), id="an inner list"),
        pytest.param(('"k1"', '"k1"'), id="two lines"),
    ],
)
def test_what_is_no_key_is_refused_by_the_name_of_the_field(lines: tuple[str, ...]) -> None:
    with pytest.raises(Problem) as caught:
        idempotency_key(lines)
    assert caught.value.type == "invalid-parameter"
    assert "Idempotency-Key" in caught.value.detail


@given(st.text(ASCII, min_size=1, max_size=255))
def test_every_string_is_read_as_it_was_meant(key: str) -> None:
    assert idempotency_key([http_sf.ser(key)]) == key


@given(st.lists(st.text() | st.text(st.sampled_from('"k1\\;=,:@%( é')), max_size=2))
def test_whatever_is_sent_is_a_key_or_refused(lines: list[str]) -> None:
    with suppress(Problem):
        key = idempotency_key(lines)
        assert key is None or (1 <= len(key) <= 255 and key.isascii() and key.isprintable())
