"""The fields of an answer, as they go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

# What a line of a head may hold (RFC 9110 section 5.5): all but controls, of which a tab is none.
VISIBLE = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
CLOSE = (b"connection", b"close")

Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]


class Outgoing:
    """As ASGI has them, for whoever goes through them one by one, and as `lines`; `closes` is whether they
    tell that the connection ends. They do not change: what most answers have in common is written once."""

    __slots__ = ("_parts", "closes", "lines")

    def __init__(self, parts: Sequence[Pairs], lines: bytes, *, closes: bool) -> None:
        self._parts = parts
        self.lines = lines
        self.closes = closes

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for part in self._parts:
            yield from part


class _Text:
    """Fields that are octets where somebody looks at them."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return ((_lower(name).encode("latin-1"), value.encode("latin-1")) for name, value in self._fields)


def outgoing(fields: Pairs) -> Outgoing:
    """Raises `RuntimeError` for octets that no field can have."""
    pairs = [*fields]
    lines = b"".join([b"%b: %b\r\n" % pair for pair in pairs])
    return Outgoing((pairs,), _checked(lines, len(pairs)), closes=CLOSE in pairs)


def behind(first: Sequence[tuple[str, str]], others: Outgoing) -> Outgoing:
    """Some fields, of text in ISO 8859-1, and others as they were written. Raises `RuntimeError` as above."""
    text = "".join([f"{_lower(name)}: {value}\r\n" for name, value in first])
    lines = _checked(text.encode("latin-1"), len(first)) + others.lines
    closes = others.closes or "\r\nconnection: close\r\n" in f"\r\n{text}"
    return Outgoing((_Text(first), others), lines, closes=closes)


def numbered(request_id: str, others: Outgoing) -> Outgoing:
    """With a number that the service itself has made, in which nothing has to be looked for."""
    octets = request_id.encode("ascii")
    lines = b"".join((b"x-request-id: ", octets, b"\r\n", others.lines))
    return Outgoing((((b"x-request-id", octets),), others), lines, closes=others.closes)


def _checked(lines: bytes, number: int) -> bytes:
    if lines.translate(None, VISIBLE) != b"\r\n" * number:
        raise RuntimeError("a field of the answer holds what would end it")
    return lines


@lru_cache(maxsize=128)
def _lower(name: str) -> str:
    return name.lower()
