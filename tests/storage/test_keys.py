"""Names are compared whatever their letters' case, width or composition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.keys import text_key


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("é", "e\u0301"), ("Ａｃｍｅ", "acme"), ("K", "k")]
)
def test_names_that_read_alike_have_one_key(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@given(st.text())
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert text_key(text_key(text)) == text_key(text)
