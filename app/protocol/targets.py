"""Request targets: which resource the first line of a request names (RFC 9112 section 3.2)."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.problems import Problem

_ABSOLUTE = re.compile(rb"https?://([^/?]+)(/[^?]*)?(?:\?(.*))?", re.IGNORECASE)


class Target(NamedTuple):
    """`path` and `query` as they were sent; `authority` only where the target named one itself."""

    path: bytes
    query: bytes = b""
    authority: bytes | None = None


def parse_target(method: str, target: bytes) -> Target:
    """Raises `invalid-parameter`. What CONNECT names is no resource: it is not for this function."""
    if target.startswith(b"/") and b"#" not in target:
        path, _, query = target.partition(b"?")
        return Target(path, query)
    if target == b"*" and method == "OPTIONS":
        return Target(target)
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or b"#" in target:
        raise Problem("invalid-parameter", "Send a path, or an http address without fragment, as the target.")
    authority, path, query = absolute.groups(b"")
    return Target(path or b"/", query, authority)


def with_host(lines: list[tuple[bytes, bytes]], authority: bytes) -> list[tuple[bytes, bytes]]:
    """The authority of the target wins over that of Host, which has to be there all the same (sections 3.2
    and 3.2.2): a request without Host, or with two, stays as wrong as it is."""
    if sum(name == b"host" for name, _ in lines) != 1:
        return lines
    return [(name, authority if name == b"host" else value) for name, value in lines]
