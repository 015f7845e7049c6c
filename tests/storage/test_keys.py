"""Names are compared whatever their letters' case, width or composition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.keys import email_key, text_key


@pytest.mark.parametrize(
    ("one", "other"), [("Straße", "STRASSE"), ("é", "e\u0301"), ("Ａｃｍｅ", "acme"), ("K", "k")]
)
def test_names_that_read_alike_have_one_key(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@given(st.text())
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    assert text_key(text_key(text)) == text_key(text)


def test_only_letters_from_a_to_z_are_alike_in_an_email() -> None:
    """Another mailbox may look the same, or become the same by folding or normalising."""
    assert email_key("Mister@Corp.EXAMPLE") == email_key("mister@corp.example")
    for other in ("mi\u017fter@corp.example", "\uff4dister@corp.example", "mister@corp.example\u212a"):
        assert email_key(other) not in (email_key("mister@corp.example"), email_key("mister@corp.examplek"))
