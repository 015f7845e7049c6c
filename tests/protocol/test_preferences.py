"""Prefer (RFC 7240)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.preferences import Preferences, parse_preferences


@pytest.mark.parametrize(
    ("lines", "content", "handling"),
    [
        ([], None, None),
        ([""], None, None),
        (["return=minimal"], "minimal", None),
        (["Return=MINIMAL"], "minimal", None),
        (['return="representation"'], "representation", None),
        (["return = minimal"], "minimal", None),
        (["handling=strict"], None, "strict"),
        (["handling=lenient, return=minimal"], "minimal", "lenient"),
        (["handling=strict", "return=minimal"], "minimal", "strict"),
        (["return=minimal; a=b; c, handling=strict"], "minimal", "strict"),
        (["return=minimal, return=representation"], "minimal", None),
        (["foo=bar"], None, None),
        (["respond-async, wait=10"], None, None),
        (['foo="a, return=minimal"'], None, None),
        (['foo; bar="x, handling=strict", return=minimal'], "minimal", None),
        (["return"], None, None),
        (["return=everything"], None, None),
        (["return=minimal="], None, None),
        (["a return=minimal"], None, None),
        ([",,,return=minimal"], "minimal", None),
    ],
)
def test_known_preferences_are_read_and_others_ignored(
    lines: list[str], content: str | None, handling: str | None
) -> None:
    """HY-19."""
    assert parse_preferences(lines) == Preferences(content, handling)


@given(st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_sent_is_read(lines: list[str]) -> None:
    assert parse_preferences(lines).content in (None, "minimal", "representation")


def test_what_is_long_and_strange_takes_no_time() -> None:
    """TH-34: linear, so that this ends at once."""
    for line in ('"' * 30_000, "a=" * 15_000, 'a="\\' * 8_000, ";" * 30_000, "return" * 5_000):
        parse_preferences([line])
