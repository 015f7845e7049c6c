"""JSON Pointers as URI fragments (RFC 6901 sections 3 and 6)."""

from __future__ import annotations

import re
from urllib.parse import quote

_SURROGATE = re.compile("[\ud800-\udfff]")
# What RFC 3986 lets stand in a fragment beside the unreserved characters.
_FRAGMENT = "!$&'()*+,;=:@"


def pointer(*steps: str | int) -> str:
    """The pointer through member names and indexes: `#/owners/0/name`; `#` is the whole document.

    A lone surrogate has no UTF-8 and is shown as U+FFFD.
    """
    return "#" + "".join(f"/{_escaped(str(step))}" for step in steps)


def _escaped(step: str) -> str:
    step = step.replace("~", "~0").replace("/", "~1")
    return quote(_SURROGATE.sub("\ufffd", step), safe=_FRAGMENT)
