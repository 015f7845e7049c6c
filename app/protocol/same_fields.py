"""Requests whose fields are those of the one before on their connection, as a client sends the same ones with
each: their first line alone has to be read, and the tag of who asks whether something is as it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias

from app.protocol.front_door import MAX_TARGET

Line: TypeAlias = tuple[bytes, bytes]
# The first line of a request as almost all are that read: whatever else could stand there is for the parser.
PLAIN = re.compile(
    rb"(GET|HEAD) (/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*)(?:\?([A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*))? HTTP/1\.1"
)
# Fields that say how the request or the connection goes on; who sends one has every head read.
GOING_ON = frozenset(
    {
        b"connection",
        b"content-length",
        b"expect",
        b"proxy-connection",  # which the parser takes for the first one
        b"transfer-encoding",
        b"upgrade",
    }
)
# The field that has another value for each thing that a client knows, and the value as almost all are.
CONDITION = b"if-none-match"
TAG = re.compile(rb'(?:W/)?"[!#-~]{0,256}"')


class Plain(NamedTuple):
    """A request without content: what its first line says, and the lines of its fields."""

    method: bytes
    path: bytes
    query: bytes
    lines: list[Line]


@dataclass(frozen=True, eq=False, slots=True)
class SameFields:
    """Those of one request, as octets: what follows its first line, up to the tag and behind it, where there
    is one; `place` is that of the tag's line among the `lines`."""

    lines: list[Line]
    before: bytes
    behind: bytes = b""
    place: int | None = None

    @classmethod
    def of(cls, data: bytes, lines: list[Line]) -> Self | None:
        """Of one whole request without content after which another one may come, and so short that no limit
        is near; `lines` are its fields, as they were read."""
        end = data.find(b"\r\n")
        if len(data) > MAX_TARGET or not PLAIN.fullmatch(data, 0, max(end, 0)):
            return None
        whole = data.find(b"\r\n\r\n", end) + 4 == len(data)
        if not whole or not GOING_ON.isdisjoint(name for name, _ in lines):
            return None
        place = _place(lines)
        if place is None:
            return cls(lines, data[end:])
        tag = lines[place][1]
        begin = data.find(tag, data.lower().find(b"\r\n%b:" % CONDITION, end) + len(CONDITION) + 3)
        return cls(lines, data[end:begin], data[begin + len(tag) :], place)

    def request(self, data: bytes) -> Plain | None:
        """What the octets are, if they are one request with the same fields."""
        end = data.find(b"\r\n")
        begin, behind = end + len(self.before), len(data) - len(self.behind)
        if not 0 < end <= MAX_TARGET or not data.startswith(self.before, end):
            return None
        lines = self.lines
        if self.place is None:
            if begin != behind:
                return None
        elif TAG.fullmatch(data, begin, max(begin, behind)) and data.endswith(self.behind):
            lines = [*lines]
            lines[self.place] = CONDITION, data[begin:behind]
        else:
            return None
        line = PLAIN.fullmatch(data, 0, end)
        if line is None:
            return None
        method, path, query = line.groups(b"")
        return Plain(method, path, query, lines)


def _place(lines: Sequence[Line]) -> int | None:
    """That of the one tag, if there is one, and it is one as almost all are."""
    places = [place for place, (name, _) in enumerate(lines) if name == CONDITION]
    return places[0] if len(places) == 1 and TAG.fullmatch(lines[places[0]][1]) else None
