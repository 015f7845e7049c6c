"""Pointers are RFC 6901's, in its form for URI fragments."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.json_pointer import pointer


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), "#"),
        (("name",), "#/name"),
        (("owners", 0, "role"), "#/owners/0/role"),
        (("foo", "0"), "#/foo/0"),
        (("",), "#/"),
        (("a/b",), "#/a~1b"),
        (("c%d",), "#/c%25d"),
        (("e^f",), "#/e%5Ef"),
        (("g|h",), "#/g%7Ch"),
        (("i\\j",), "#/i%5Cj"),
        (('k"l',), "#/k%22l"),
        ((" ",), "#/%20"),
        (("m~n",), "#/m~0n"),
        (("~1",), "#/~01"),
        (("@type",), "#/@type"),
        (("ä",), "#/%C3%A4"),
        (("a\ud800",), "#/a%EF%BF%BD"),
    ],
)
def test_a_pointer_is_a_uri_fragment(steps: tuple[str | int, ...], expected: str) -> None:
    """RFC 6901 section 6 has most of these."""
    assert pointer(*steps) == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_a_pointer_leads_back_to_its_steps(steps: list[str]) -> None:
    fragment = pointer(*steps)
    read = [step.replace("~1", "/").replace("~0", "~") for step in unquote(fragment).split("/")[1:]]

    assert fragment.isascii()
    assert read == steps
