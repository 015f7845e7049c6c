"""Fields whose values are lists (RFC 9110 section 5.6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A comma in a quoted string ends no member; a quote that is never closed takes the rest of its line.
_MEMBER = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)


def members(lines: Sequence[str]) -> list[str]:
    """The members of all lines of a field as one list, without white space around them or empty ones."""
    found = (member.strip(" \t") for line in lines for member in _MEMBER.findall(line))
    return [member for member in found if member]
