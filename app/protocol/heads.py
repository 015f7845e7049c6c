"""Heads: what the fields of a request say, looked at once for all requests that have the same ones, as those
of a client have one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias, cast

from app.protocol.conditions import Conditions, parse_conditions
from app.protocol.front_door import MAX_TARGET, Hosts, check_framing, check_host, check_size
from app.remembered import Remembered

Lines: TypeAlias = tuple[tuple[bytes, bytes], ...]
# Fields that may make the answer to a read another one, beside those by which a form is chosen.
DECIDING = frozenset({b"authorization", b"prefer", b"if-match", b"if-none-match"})
# Fields that are others in each request, so that what has one is not met again.
VARYING = frozenset({b"idempotency-key", b"traceparent", b"tracestate", b"if-match"})
# What is longer than clients send is not worth being remembered, or being remembered by.
LENGTH, FIELDS, SAID_LENGTH = 2_048, 32, 1_024
REMEMBERED = 1_024


class Head:
    """The `fields` as they came, and the `lines` of each by its name in lower case.

    `said` is what a form is chosen by, the lines of Accept, Accept-Encoding and Prefer; `brief` is whether it
    is short enough to be remembered by. `plain` is whether nothing else decides about a read of what anybody
    may have.
    """

    __slots__ = ("_conditions", "_told", "brief", "fields", "lines", "octets", "plain", "said", "sound")

    def __init__(self, fields: Lines) -> None:
        self.fields = fields
        # Looked into for ten fields or so, of which most are not there: only those that are get decoded.
        self.lines: dict[bytes, list[bytes]] = {}
        self.octets = 0
        for name, value in fields:
            self.octets += len(name) + len(value)
            if name in self.lines:
                self.lines[name].append(value)
            else:
                self.lines[name] = [value]
        accept, codings, prefer = (
            self.lines.get(name) for name in (b"accept", b"accept-encoding", b"prefer")
        )
        self.said = tuple(accept or ()), tuple(codings or ()), tuple(prefer or ())
        self.brief = sum(len(line) for lines in self.said for line in lines) <= SAID_LENGTH
        self.plain = self.brief and DECIDING.isdisjoint(self.lines)
        # The version of HTTP in which it was found to be nothing that is refused, for whatever it is sent to.
        self.sound: str | None = None
        self._told: dict[str, Sequence[str]] = {}
        self._conditions: Conditions | None = None

    def told(self, name: str) -> Sequence[str]:
        """All lines of a field, by its name in lower case, as text."""
        told = self._told.get(name)
        if told is None:
            found = self.lines.get(name.encode("latin-1"), ())
            told = self._told[name] = tuple([value.decode("latin-1") for value in found])
        return told

    def conditions(self, *, required: bool) -> Conditions:
        """As `parse_conditions`, of a service where If-Match is always `required` of a change, or never."""
        if self._conditions is None:
            if_match, if_none_match = self.told("if-match"), self.told("if-none-match")
            self._conditions = parse_conditions(if_match, if_none_match, required=required)
        return self._conditions


class Heads:
    """Of requests to a service that answers for some hosts."""

    def __init__(self, hosts: Hosts) -> None:
        self._hosts = hosts
        self._known: Remembered[Lines, Head] = Remembered(REMEMBERED)

    def of(self, fields: Iterable[Iterable[bytes]]) -> Head:
        """Of the fields as ASGI has them: pairs of any kind."""
        lines = cast("Lines", tuple(map(tuple, fields)))
        head = self._known.get(lines)
        return Head(lines) if head is None else head

    def check(self, head: Head, target: int, version: str, *, any_host: bool) -> None:
        """Raises 414 for a `target` of so many octets, 431, 400 and 421 for the fields."""
        if head.sound == version and target <= MAX_TARGET:
            return
        check_size(target, head.fields)
        if b"transfer-encoding" in head.lines:
            check_framing(version, head.fields)
        check_host(head.lines.get(b"host", ()), self._hosts, needed=version == "1.1", any_host=any_host)
        if not any_host:
            head.sound = version
            if head.octets <= LENGTH and len(head.fields) <= FIELDS and VARYING.isdisjoint(head.lines):
                self._known.keep(head.fields, head)
