"""What a request prefers (RFC 7240), as far as the service can do it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.protocol.field_lists import members

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"(?:[^"\\]|\\.)*+"'
# A preference, and its parameters, which none of those that are known here has.
_PREFERENCE = re.compile(rf"({_WORD})(?:[ \t]*+=[ \t]*+({_WORD}|{_QUOTED}))?+[ \t]*+(?:;.*)?", re.DOTALL)


@dataclass(frozen=True)
class Preferences:
    """`content` is "minimal" or "representation", `handling` "strict" or "lenient"; None: does not matter."""

    content: str | None = None
    handling: str | None = None

    @property
    def minimal(self) -> bool:
        return self.content == "minimal"

    @property
    def strict(self) -> bool:
        return self.handling == "strict"


NONE = Preferences()


def parse_preferences(lines: Sequence[str]) -> Preferences:
    """Of all lines of the field. What is unknown or no preference is ignored, as section 2 wants; the first
    of several with one name counts."""
    return _parse(tuple(lines)) if lines else NONE


@lru_cache(maxsize=64)
def _parse(lines: tuple[str, ...]) -> Preferences:
    found: dict[str, str] = {}
    for match in filter(None, map(_PREFERENCE.fullmatch, members(lines))):
        found.setdefault(match[1].lower(), (match[2] or "").strip('"').lower())
    content, handling = found.get("return"), found.get("handling")
    return Preferences(
        content if content in ("minimal", "representation") else None,
        handling if handling in ("strict", "lenient") else None,
    )
