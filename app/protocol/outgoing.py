"""The fields of an answer, as they go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

# What a line of a head may hold (RFC 9110 section 5.5): all but controls, of which a tab is none.
VISIBLE = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
CLOSE = (b"connection", b"close")
# What stands in a `Frame` where its answers differ: in none of the service's own fields it does.
GAP = "\xff"

Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]


class Outgoing:
    """As `lines`, and as ASGI has them for whoever goes through them one by one; `closes` is whether they
    tell that the connection ends. They do not change: what most answers have in common is written once."""

    __slots__ = ("closes", "lines")

    def __init__(self, lines: bytes, *, closes: bool) -> None:
        self.lines = lines
        self.closes = closes

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for line in self.lines.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            yield name, value


class Frame:
    """Fields that many answers have, but for some values, and others behind them: written, and looked at,
    once for all."""

    __slots__ = ("_closes", "_lines")

    def __init__(self, fields: Sequence[tuple[str, str]], others: Outgoing) -> None:
        """`GAP` stands for each of those values."""
        told = behind(fields, others)
        self._lines = told.lines.replace(b"%", b"%%").replace(GAP.encode("latin-1"), b"%b")
        self._closes = told.closes

    def filled(self, *values: str) -> Outgoing:
        """With the values in the order of the gaps; raises as `behind` does."""
        octets = tuple([value.encode("latin-1") for value in values])
        _checked(b"".join(octets), 0)
        return Outgoing(self._lines % octets, closes=self._closes)


def outgoing(fields: Pairs) -> Outgoing:
    """Raises `RuntimeError` for octets that no field can have."""
    pairs = [*fields]
    lines = b"".join([b"%b: %b\r\n" % pair for pair in pairs])
    return Outgoing(_checked(lines, len(pairs)), closes=CLOSE in pairs)


def behind(first: Sequence[tuple[str, str]], others: Outgoing) -> Outgoing:
    """Some fields, of text in ISO 8859-1, and others as they were written. Raises `RuntimeError` as above."""
    text = "".join([f"{_lower(name)}: {value}\r\n" for name, value in first])
    lines = _checked(text.encode("latin-1"), len(first)) + others.lines
    return Outgoing(lines, closes=others.closes or "\r\nconnection: close\r\n" in f"\r\n{text}")


def numbered(request_id: str, others: Outgoing) -> Outgoing:
    """With a number that the service itself has made, in which nothing has to be looked for."""
    return Outgoing(
        b"x-request-id: %b\r\n%b" % (request_id.encode("ascii"), others.lines), closes=others.closes
    )


def _checked(lines: bytes, number: int) -> bytes:
    if lines.translate(None, VISIBLE) != b"\r\n" * number:
        raise RuntimeError("a field of the answer holds what would end it")
    return lines


@lru_cache(maxsize=128)
def _lower(name: str) -> str:
    return name.lower()
