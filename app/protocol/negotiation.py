"""Proactive negotiation of the media type (RFC 9110 section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.protocol.field_lists import members
from app.protocol.media_types import parse_media_type

_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_REMEMBERED_LENGTH = 1_024


def negotiate(accept: Sequence[str], offered: Sequence[str]) -> str | None:
    """The offered media type that the client prefers; None when it accepts none of them.

    `accept` holds all lines of the field. `offered` holds essences, never none, in the server's order of
    preference: it settles ties, and its first is the answer to a client without a preference.
    """
    # Clients send the same few lines over and over; long ones would only push those out of memory.
    if sum(map(len, accept)) > _REMEMBERED_LENGTH:
        return _choose(tuple(accept), tuple(offered))
    return _remembered_choice(tuple(accept), tuple(offered))


def _choose(accept: tuple[str, ...], offered: tuple[str, ...]) -> str | None:
    ranges = members(accept)
    if not ranges:
        return offered[0]
    weights = _weights(ranges)
    # max() keeps the first of equals, which is the server's preference.
    chosen = max(offered, key=lambda essence: _quality(essence, weights))
    return chosen if _quality(chosen, weights) > 0 else None


_remembered_choice = lru_cache(maxsize=512)(_choose)


def _weights(ranges: Sequence[str]) -> dict[str, float]:
    """Each range's essence with its weight: the highest, if it stands several times with other parameters.

    Parameters narrow a range but are not compared: a type is offered once, whatever its profile or charset.
    """
    weights: dict[str, float] = {}
    for text in ranges:
        media_range = parse_media_type(text)
        if media_range is None:
            continue
        weight = next((value for name, value in media_range.parameters if name == "q"), "1")
        if not _WEIGHT.fullmatch(weight):
            continue
        essence = media_range.essence
        weights[essence] = max(float(weight), weights.get(essence, 0.0))
    return weights


def _quality(essence: str, weights: dict[str, float]) -> float:
    for media_range in (essence, essence.partition("/")[0] + "/*", "*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0
