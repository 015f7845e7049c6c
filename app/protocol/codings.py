"""Content codings (RFC 9110 sections 8.4 and 12.5.3)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

import zstandard

from app.protocol.field_lists import members

# In the order of preference: the first takes less time and gives less to send.
CODINGS = ("zstd", "gzip")
# What is shorter gains nothing by it.
MIN_LENGTH = 1_024
_MEMBER = re.compile(
    r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++)"
    r"(?:[ \t]*+;[ \t]*+[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?"
)
_ZSTD_LEVEL, _GZIP_LEVEL, _GZIP_FORMAT = 3, 6, 31


def negotiate_coding(accept_encoding: Sequence[str]) -> str | None:
    """The coding that the client prefers; None for the content as it is, which it can always be given."""
    return _choose(tuple(accept_encoding)) if accept_encoding else None


def encode(content: bytes, coding: str) -> bytes:
    """Raises `ValueError` for a coding that is none of `CODINGS`."""
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(content)
    if coding == "gzip":
        compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_FORMAT)
        return compressor.compress(content) + compressor.flush()
    raise ValueError(f"{coding} is not one of {', '.join(CODINGS)}")


@lru_cache(maxsize=128)
def _choose(lines: tuple[str, ...]) -> str | None:
    weights: dict[str, float] = {}
    for member in members(lines):
        match = _MEMBER.fullmatch(member)
        if match:
            name = match[1].lower().removeprefix("x-")
            weights.setdefault(name, float(match[2] or 1))
    chosen = max(CODINGS, key=lambda coding: _weight(coding, weights))
    weight = _weight(chosen, weights)
    # Who weighs the content as it is higher than any coding shall have it.
    return chosen if weight > 0 and weight >= weights.get("identity", 0) else None


def _weight(coding: str, weights: dict[str, float]) -> float:
    return weights.get(coding, weights.get("*", 0))
