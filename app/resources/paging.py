"""Paging: what the query of a list asks for, and the cursors that lead from one of its pages to the next."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Variable
from app.problems import Problem
from app.protocol.query import single
from app.storage.pages import TIMES, Cut, Listing, Position

LIMIT, PAGE, AFTER, BEFORE = "itemsPerPage", "page", "after", "before"
DIRECTIONS = {"asc": False, "desc": True}
DEFAULT_ORDER, DEFAULT_DESCENDING = "created_at", True


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
    parameters: Sequence[tuple[str, str]], definition: ClassDefinition, organization_id: str | None
) -> Wanted:
    """Raises `invalid-parameter` naming the parameter. Those that are unknown are ignored."""
    values = {variable.name: single(parameters, variable.name) for variable in definition.variables}
    given = {name: value for name, value in values.items() if value is not None}
    searched = [variable for variable in definition.variables if variable.key and variable.name in given]
    orders = [variable for variable in searched if variable.orders]
    if len(orders) > 1:
        raise _invalid(orders[1].name, "only one order can be asked for")
    order, descending = DEFAULT_ORDER, DEFAULT_DESCENDING
    for variable in orders:
        order, descending = str(variable.key), _direction(variable.name, given[variable.name])
    contains = {str(v.key): given[v.name] for v in searched if not v.orders}
    variables = {variable.name: variable for variable in definition.variables}
    if PAGE in given and (AFTER in given or BEFORE in given):
        raise _invalid(PAGE, "it cannot be combined with a cursor")
    if AFTER in given and BEFORE in given:
        raise _invalid(BEFORE, f"it cannot be combined with {AFTER}")
    return Wanted(
        listing=Listing(str(definition.member), order, descending, contains, organization_id),
        given=tuple((variable.name, given[variable.name]) for variable in searched),
        limit=_number(variables[LIMIT], given.get(LIMIT)) or 0,
        number=_number(variables[PAGE], given.get(PAGE)),
        after=given.get(AFTER),
        before=given.get(BEFORE),
    )


def _invalid(name: str, fault: str) -> Problem:
    return Problem("invalid-parameter", f"Correct the query parameter {name}: {fault}.")


def _direction(name: str, value: str) -> bool:
    """Whether the order is a descending one."""
    direction = DIRECTIONS.get(value.lower())
    if direction is None:
        raise _invalid(name, f"it is {' or '.join(DIRECTIONS)}")
    return direction


def _number(variable: Variable, value: str | None) -> int | None:
    if value is None:
        return variable.default
    minimum, maximum = variable.minimum or 0, variable.maximum or 0
    # Only what is short enough is made a number: others may have thousands of digits.
    digits = value.isascii() and value.isdecimal() and len(value) <= len(str(maximum))
    if not digits or not minimum <= int(value) <= maximum:
        raise _invalid(variable.name, f"it is a whole number from {minimum} to {maximum}")
    return int(value)


def cut(contract: Contract, wanted: Wanted) -> Cut:
    if wanted.number is not None:
        return Cut(wanted.limit, offset=(wanted.number - 1) * wanted.limit)
    after = _position(contract, wanted, AFTER, wanted.after) if wanted.after else None
    before = _position(contract, wanted, BEFORE, wanted.before) if wanted.before is not None else None
    return Cut(wanted.limit, after=after, before=before)


def cursor(listing: Listing, position: Position) -> str:
    """Opaque to clients; it holds the order, so that it is refused in any other one."""
    text = orjson.dumps([listing.order, listing.descending, position.value, position.id])
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _position(contract: Contract, wanted: Wanted, name: str, cursor: str) -> Position:
    listing = wanted.listing
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        order, descending, value, identifier = orjson.loads(base64.b64decode(padded, b"-_", validate=True))
        fits = (order, descending) == (listing.order, listing.descending) and "\x00" not in value
        if order in TIMES:
            fits &= datetime.fromisoformat(value).tzinfo is not None
    except (ValueError, TypeError, binascii.Error):
        fits, identifier, value = False, None, None
    shape = contract.classes[listing.class_name].properties["id"].shape
    if not fits or not isinstance(value, str) or any(shape.failures(identifier)):
        raise _invalid(name, "it is none of this list's cursors; begin again at its first page")
    return Position(value, identifier)
