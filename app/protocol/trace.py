"""The trace that a request belongs to (W3C Trace Context section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A later version may say more after the flags; ff is none.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def trace_id(traceparent: Sequence[str]) -> str | None:
    """None for what is not well-formed, which is then as good as not sent."""
    match = _TRACEPARENT.fullmatch(traceparent[0].strip(" \t")) if len(traceparent) == 1 else None
    if match is None or set(match[2]) == {"0"} or set(match[3]) == {"0"}:
        return None
    return None if match[1] == "00" and match[5] else match[2]


def trace_response(trace: str, request_id: str) -> str:
    """The request as a part of its trace, named by the last half of its own number."""
    return f"00-{trace}-{request_id.replace('-', '')[-16:]}-00"
