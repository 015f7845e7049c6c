"""Paging: what the query of a list asks for, and the cursors that lead from one of its pages to the next."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Variable
from app.problems import Problem
from app.protocol.links import Link
from app.protocol.query import single
from app.storage.pages import Cut, Listing, Position

LIMIT, PAGE, AFTER, BEFORE = "itemsPerPage", "page", "after", "before"
DIRECTIONS = {"asc": False, "desc": True}
# A name's key may be eight times as long as the name; an address must not (RFC 9110 section 4.1).
LONG, LONGEST = 512, 32_768
CURSOR_FAULT = "it is none of this list's cursors; begin again at its first page"


@dataclass(frozen=True)
class Wanted:
    """What the query of a list asks for. `given` are its filters and its order, in the template's order.

    `number` is the number of a page; `after` and `before` are cursors, empty for the first page.
    """

    listing: Listing
    given: tuple[tuple[str, str], ...]
    limit: int
    number: int | None
    after: str | None
    before: str | None

    @property
    def counts(self) -> bool:
        """Whether the answer tells how many there are in all: not on every page of a long way."""
        return not self.after and self.before is None


def read_query(
    contract: Contract,
    parameters: Sequence[tuple[str, str]],
    definition: ClassDefinition,
    parent: tuple[str, str] | None,
) -> Wanted:
    """`parent` is what the list belongs to. Parameters that are unknown are ignored.

    Raises `invalid-parameter` naming the parameter.
    """
    values = {variable.name: single(parameters, variable.name) for variable in definition.variables}
    given = {name: value for name, value in values.items() if value is not None}
    searched = [variable for variable in definition.variables if variable.key and variable.name in given]
    order, descending = _order(definition, given)
    member = contract.classes[str(definition.member)]
    contains = {str(v.key): given[v.name] for v in searched if not v.orders}
    for key, text in contains.items():
        _check_length(key, text, member.properties[key].shape.longest)
    variables = {variable.name: variable for variable in definition.variables}
    if PAGE in given and (AFTER in given or BEFORE in given):
        raise _invalid(PAGE, "it cannot be combined with a cursor")
    if AFTER in given and BEFORE in given:
        raise _invalid(BEFORE, f"it cannot be combined with {AFTER}")
    return Wanted(
        listing=Listing(member.name, order, descending, contains, parent),
        given=tuple((variable.name, given[variable.name]) for variable in searched),
        limit=_number(variables[LIMIT], given.get(LIMIT)) or 0,
        number=_number(variables[PAGE], given.get(PAGE)),
        after=given.get(AFTER),
        before=given.get(BEFORE),
    )


def _order(definition: ClassDefinition, given: Mapping[str, str]) -> tuple[str, bool]:
    """The key that is ordered by, and whether descending: as asked for, or as the contract has it."""
    orders = [variable for variable in definition.variables if variable.orders]
    asked = [variable for variable in orders if variable.name in given]
    if len(asked) > 1:
        raise _invalid(asked[1].name, "only one order can be asked for")
    for variable in asked:
        return str(variable.key), _direction(variable.name, given[variable.name])
    [default] = [variable for variable in orders if variable.default]
    return str(default.key), _direction(default.name, str(default.default))


def _invalid(name: str, fault: str, *headers: tuple[str, str]) -> Problem:
    return Problem("invalid-parameter", f"Correct the query parameter {name}: {fault}.", headers=headers)


def _check_length(name: str, text: str, longest: int | None) -> None:
    """What is longer than any value is in none of them; databases refuse patterns without an end."""
    if longest is not None and len(text) > longest:
        raise _invalid(name, f"it has at most {longest} characters")


def _direction(name: str, value: str) -> bool:
    """Whether the order is a descending one."""
    direction = DIRECTIONS.get(value.lower())
    if direction is None:
        raise _invalid(name, f"it is {' or '.join(DIRECTIONS)}")
    return direction


def _number(variable: Variable, value: str | None) -> int | None:
    if value is None:
        return int(variable.default) if variable.default else None
    minimum, maximum = variable.minimum or 0, variable.maximum or 0
    # Only what is short enough is made a number: others may have thousands of digits.
    digits = value.isascii() and value.isdecimal() and len(value) <= len(str(maximum))
    if not digits or not minimum <= int(value) <= maximum:
        raise _invalid(variable.name, f"it is a whole number from {minimum} to {maximum}")
    return int(value)


def cut(contract: Contract, wanted: Wanted, first: str) -> Cut:
    """Raises `invalid-parameter` for what is no cursor here, with a link to the `first` page."""
    if wanted.number is not None:
        return Cut(wanted.limit, offset=(wanted.number - 1) * wanted.limit)
    positions: dict[str, Position] = {}
    for name, given in ((AFTER, wanted.after), (BEFORE, wanted.before)):
        # An empty `after` begins the list; an empty `before` is no cursor.
        if given is not None and (given or name == BEFORE):
            position = _position(contract, wanted, given)
            if position is None:
                raise _invalid(name, CURSOR_FAULT, ("Link", str(Link(first, "first"))))
            positions[name] = position
    return Cut(wanted.limit, after=positions.get(AFTER), before=positions.get(BEFORE))


def cursor(listing: Listing, position: Position) -> str:
    """Opaque to clients; it holds the order, so that it is refused in any other one."""
    text = orjson.dumps([listing.order, listing.descending, position.value, position.id])
    shortened = text if len(text) <= LONG else zlib.compress(text)
    return base64.urlsafe_b64encode(shortened).rstrip(b"=").decode()


def _position(contract: Contract, wanted: Wanted, cursor: str) -> Position | None:
    """None for a cursor that this service has not made, or has made for another order."""
    listing = wanted.listing
    read = _decoded(cursor)
    properties = contract.classes[listing.class_name].properties
    shape = properties["id"].shape
    if read is None or read[:2] != [listing.order, listing.descending] or any(shape.failures(read[3])):
        return None
    value, identifier = read[2:]
    datatype = str(properties[listing.order].shape.value_type)
    fits = value == identifier if listing.order == "id" else _can_be(value, datatype)
    return Position(value, identifier) if fits else None


def _can_be(text: str, datatype: str) -> bool:
    if datatype.endswith("#dateTime"):
        return _is_instant(text)
    return not datatype.endswith("#integer") or bool(re.fullmatch(r"0|[1-9][0-9]{0,17}", text))


def _is_instant(text: str) -> bool:
    """Whether it is a time as it stands in data: in UTC, with six digits after the second."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return False
    return time.tzinfo is UTC and f"{time:%Y-%m-%dT%H:%M:%S.%f}".zfill(26) + "Z" == text


def _decoded(cursor: str) -> list[Any] | None:
    """Order, direction, value and id; None for what this service cannot have made."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        read = orjson.loads(_whole(base64.b64decode(padded, b"-_", validate=True)))
    except (ValueError, zlib.error):
        return None
    if not isinstance(read, list) or [type(part) for part in read] != [str, bool, str, str]:
        return None
    return None if "\x00" in read[2] else read


def _whole(text: bytes) -> bytes:
    """The text of a cursor, which may be shortened; the beginning of one that was not made here."""
    return text if text.startswith(b"[") else zlib.decompressobj().decompress(text, LONGEST)
