"""The trace that a request belongs to (W3C Trace Context)."""

from __future__ import annotations

import pytest

from app.protocol.trace import trace_id, trace_response

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("lines", "known"),
    [
        ([f"00-{TRACE}-{PARENT}-01"], True),
        ([f" 00-{TRACE}-{PARENT}-00 "], True),
        ([f"cc-{TRACE}-{PARENT}-01-what-comes-later"], True),
        ([], False),
        ([f"00-{TRACE}-{PARENT}-01-more"], False),
        ([f"ff-{TRACE}-{PARENT}-01"], False),
        ([f"00-{TRACE.upper()}-{PARENT}-01"], False),
        ([f"00-{'0' * 32}-{PARENT}-01"], False),
        ([f"00-{TRACE}-{'0' * 16}-01"], False),
        ([f"00-{TRACE}-{PARENT}"], False),
        ([f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"], False),
        (["x" * 10_000], False),
    ],
)
def test_only_what_is_well_formed_is_taken(lines: list[str], known: bool) -> None:
    """LO-04."""
    assert trace_id(lines) == (TRACE if known else None)


def test_an_answer_names_the_trace_and_its_own_part_of_it() -> None:
    answered = trace_response(TRACE, "01930000-0000-7000-8000-0123456789ab")
    assert answered == f"00-{TRACE}-80000123456789ab-00"
