"""The fields of an answer, as they go out."""

from __future__ import annotations

from collections.abc import Iterable

# What a line of a head may hold (RFC 9110 section 5.5): all but controls, of which a tab is none.
VISIBLE = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])
CLOSE = (b"connection", b"close")


class Outgoing(list[tuple[bytes, bytes]]):
    """As ASGI has them, and as `lines`; `closes` is whether they tell that the connection ends. They do not
    change, for what the most answers have in common is written once."""

    __slots__ = ("closes", "lines")

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises `RuntimeError` for octets that no field can have."""
        super().__init__(fields)
        self.lines = lines_of(self)
        self.closes = CLOSE in self


def lines_of(fields: list[tuple[bytes, bytes]]) -> bytes:
    """Raises `RuntimeError` for octets that no field can have."""
    lines = b"".join([b"%b: %b\r\n" % field for field in fields])
    if lines.translate(None, VISIBLE) != b"\r\n" * len(fields):
        raise RuntimeError("a field of the answer holds what would end it")
    return lines


def behind(first: list[tuple[bytes, bytes]], others: Outgoing) -> Outgoing:
    """Some fields, and others as they were written. Raises `RuntimeError` as above."""
    fields = Outgoing.__new__(Outgoing)
    fields[:] = *first, *others
    fields.lines, fields.closes = lines_of(first) + others.lines, others.closes or CLOSE in first
    return fields
