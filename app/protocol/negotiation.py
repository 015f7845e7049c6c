"""Proactive negotiation of the media type (RFC 9110 section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.protocol.field_lists import members
from app.protocol.media_types import MediaType, parse_media_type

_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_REMEMBERED_LENGTH = 1_024

# A media type or range without its parameters, and the profiles that it is narrowed to.
_Range = tuple[str, frozenset[str]]
_ANY: frozenset[str] = frozenset()


def negotiate(accept: Sequence[str], offered: Sequence[str]) -> str | None:
    """The offered media type that the client prefers; None when it accepts none of them.

    `accept` holds all lines of the field. `offered` holds media types, never none, in the server's order of
    preference: it settles ties, and its first is the answer to a client without a preference. One may have a
    `profile`, the IRIs of what it keeps to.
    """
    # Clients send the same few lines over and over; long ones would only push those out of memory.
    if sum(map(len, accept)) > _REMEMBERED_LENGTH:
        return _choose(tuple(accept), tuple(offered))
    return _remembered_choice(tuple(accept), tuple(offered))


def _choose(accept: tuple[str, ...], offered: tuple[str, ...]) -> str | None:
    ranges = members(accept)
    if not ranges:
        return offered[0]
    forms = _forms(offered)
    weights = _weights(ranges, tuple(forms.values()))
    # max() keeps the first of equals, which is the server's preference.
    chosen = max(offered, key=lambda media_type: _quality(forms[media_type], weights))
    return chosen if _quality(forms[chosen], weights) > 0 else None


_remembered_choice = lru_cache(maxsize=512)(_choose)


@lru_cache(maxsize=64)
def _forms(offered: tuple[str, ...]) -> dict[str, _Range]:
    return {text: _form(media_type) for text in offered if (media_type := parse_media_type(text))}


def _form(media_type: MediaType) -> _Range:
    profile = next((value for name, value in media_type.parameters if name == "profile"), "")
    return media_type.essence, frozenset(profile.split())


def _weights(ranges: Sequence[str], forms: Sequence[_Range]) -> dict[_Range, float]:
    """Each range with its weight: the highest, if it stands several times.

    Other parameters than the profile narrow a range but are not compared: a type is offered once, whatever
    its charset.
    """
    weights: dict[_Range, float] = {}
    for text in ranges:
        media_range = parse_media_type(text)
        if media_range is None:
            continue
        weight = next((value for name, value in media_range.parameters if name == "q"), "1")
        if not _WEIGHT.fullmatch(weight):
            continue
        essence, asked = _form(media_range)
        known = essence, _known(asked, [profiles for other, profiles in forms if other == essence])
        weights[known] = max(float(weight), weights.get(known, 0.0))
    return weights


def _known(asked: frozenset[str], offered: Sequence[frozenset[str]]) -> frozenset[str]:
    """The offered profiles that are as many as possible of those asked for, the first of equals where they
    contradict each other; none where all are unknown, for those are ignored (JSON-LD 1.1 appendix C)."""
    return max((profiles for profiles in offered if profiles <= asked), key=len, default=_ANY)


def _quality(form: _Range, weights: dict[_Range, float]) -> float:
    """By the most specific range, to which a profile belongs (RFC 9110 section 12.5.1)."""
    essence, profiles = form
    ranges = ((essence, profiles), (essence, _ANY), (essence.partition("/")[0] + "/*", _ANY), ("*/*", _ANY))
    return next((weights[range_] for range_ in ranges if range_ in weights), 0.0)
