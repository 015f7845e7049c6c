"""The key by which a client sends a request again (draft-ietf-httpapi-idempotency-key-header)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from http_sf import StructuredFieldError, parse

from app.problems import Problem

_MAX_LENGTH = 255
# What the clients of Stripe and its like send: the characters without the quotes.
_BARE = re.compile(r"[!#-+\--~]+")


def idempotency_key(lines: Sequence[str]) -> str | None:
    """The key in the field, of which `lines` are all lines; None for a request without it.

    Raises invalid-parameter for what is neither a String (RFC 9651 section 3.3.3) nor a bare key.
    """
    if not lines:
        return None
    line = lines[0].strip(" \t")
    key = line if _BARE.fullmatch(line) else _string(line)
    if len(lines) > 1 or key is None or not 1 <= len(key) <= _MAX_LENGTH:
        raise Problem(
            "invalid-parameter",
            f'Send one Idempotency-Key of 1 to {_MAX_LENGTH} characters of ASCII, in double quotes: "k1".',
        )
    return key


def _string(line: str) -> str | None:
    """Of a String; parameters, of which none is known, may follow it."""
    try:
        item = parse(line.encode("latin-1"), tltype="item")
    except (StructuredFieldError, UnicodeEncodeError):
        return None
    value = item[0] if isinstance(item, tuple) else None
    return value if type(value) is str else None
