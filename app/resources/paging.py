"""Paging: what the query of a list asks for, and which part of the list that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Variable
from app.problems import Problem
from app.protocol.links import Link
from app.protocol.query import single
from app.resources.cursors import Cursors
from app.storage.pages import Cut, Listing, Position

LIMIT, PAGE, AFTER, BEFORE = "itemsPerPage", "page", "after", "before"
DIRECTIONS = {"asc": False, "desc": True}
CURSOR_FAULT = "it is no cursor of yours for this list, filter and order; begin again at its first page"


# What is longer is not worth being remembered.
REMEMBERED, LENGTH = 1_024, 256


@dataclass(eq=False, slots=True)
class Wanted:
    """What the query of a list asks for. `given` are its filters and its order, in the template's order;
    `kept` is what all pages' queries have in common: these, and how many members were asked for.

    `number` is the number of a page; `after` and `before` are cursors, empty for the first page. Pages that
    begin within the first `deepest` members can be asked for by number.
    """

    listing: Listing
    given: tuple[tuple[str, str], ...]
    kept: tuple[tuple[str, str], ...]
    limit: int
    deepest: int
    number: int | None
    after: str | None
    before: str | None

    @property
    def counts(self) -> bool:
        """Whether the answer tells how many there are in all: not on every page of a long way."""
        return not self.after and self.before is None

    def reaches(self, number: int) -> bool:
        """Whether the page with this number can be asked for."""
        return (number - 1) * self.limit < self.deepest


def read_query(
    contract: Contract,
    parameters: Sequence[tuple[str, str]],
    definition: ClassDefinition,
    parent: tuple[str, str] | None,
) -> Wanted:
    """`parent` is what the list belongs to. Parameters that are unknown are ignored.

    Raises `invalid-parameter` naming the parameter.
    """
    member = contract.classes[str(definition.member)]
    cursors = [it for it in parameters if it[0] in (AFTER, BEFORE)]
    others = tuple([it for it in parameters if it[0] not in (AFTER, BEFORE)])
    plain = len(cursors) <= 1 and not (cursors and any(name == PAGE for name, _ in others))
    if not plain or sum([len(name) + len(value) for name, value in others]) > LENGTH:
        return _read(tuple(parameters), definition, member, parent)
    wanted = _remembered(others, definition, member, parent)
    if not cursors:
        return wanted
    [(name, cursor)] = cursors
    after, before = (cursor, None) if name == AFTER else (None, cursor)
    return Wanted(
        wanted.listing, wanted.given, wanted.kept, wanted.limit, wanted.deepest, None, after, before
    )


def _read(
    parameters: tuple[tuple[str, str], ...],
    definition: ClassDefinition,
    member: ClassDefinition,
    parent: tuple[str, str] | None,
) -> Wanted:
    variables = variables_of(definition)
    sent = dict(parameters)
    given = {name: sent[name] for name in variables if name in sent}
    if len(sent) < len(parameters):
        for name in given:
            single(parameters, name)
    searched = [variables[name] for name in given if variables[name].key]
    order, descending = _order(definition, given)
    contains = {str(v.key): given[v.name] for v in searched if not v.orders}
    for key, text in contains.items():
        _check_length(key, text, member.properties[key].shape.longest)
    if PAGE in given and (AFTER in given or BEFORE in given):
        raise _invalid(PAGE, "it cannot be combined with a cursor")
    if AFTER in given and BEFORE in given:
        raise _invalid(BEFORE, f"it cannot be combined with {AFTER}")
    asked = tuple([(variable.name, given[variable.name]) for variable in searched])
    return Wanted(
        listing=Listing(member.name, order, descending, contains, parent),
        given=asked,
        kept=(*asked, *[it for it in parameters if it[0] == LIMIT]),
        limit=_number(variables[LIMIT], given.get(LIMIT)) or 0,
        deepest=variables[PAGE].maximum or 0,
        number=_number(variables[PAGE], given.get(PAGE)),
        after=given.get(AFTER),
        before=given.get(BEFORE),
    )


# A page by cursor wants what the one before it did.
_remembered = lru_cache(REMEMBERED)(_read)


@lru_cache(maxsize=64)
def variables_of(definition: ClassDefinition) -> dict[str, Variable]:
    """By their names."""
    return {variable.name: variable for variable in definition.variables}


def _order(definition: ClassDefinition, given: Mapping[str, str]) -> tuple[str, bool]:
    """The key that is ordered by, and whether descending: as asked for, or as the contract has it."""
    variables = variables_of(definition)
    asked = [variables[name] for name in given if variables[name].orders]
    if len(asked) > 1:
        raise _invalid(asked[1].name, "only one order can be asked for")
    for variable in asked:
        return str(variable.key), _direction(variable.name, given[variable.name])
    return _first_order(definition)


@lru_cache(maxsize=64)
def _first_order(definition: ClassDefinition) -> tuple[str, bool]:
    [default] = [variable for variable in definition.variables if variable.orders and variable.default]
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


def cut(wanted: Wanted, cursors: Cursors, first: Callable[[], str]) -> Cut:
    """Raises `invalid-parameter` for what is no cursor here, and for a numbered page that begins too deep,
    with a link to the `first` page by cursors."""
    if wanted.number is not None:
        if not wanted.reaches(wanted.number):
            fault = (
                f"numbered pages begin within the first {wanted.deepest:,} members; to read on, begin at the"
                " first page by cursors and follow next"
            )
            raise _invalid(PAGE, fault, _first(first()))
        return Cut(wanted.limit, offset=(wanted.number - 1) * wanted.limit)
    positions: dict[str, Position] = {}
    for name, given in ((AFTER, wanted.after), (BEFORE, wanted.before)):
        # An empty `after` begins the list; an empty `before` is no cursor.
        if given is not None and (given or name == BEFORE):
            position = cursors.open(given)
            if position is None:
                raise _invalid(name, CURSOR_FAULT, _first(first()))
            positions[name] = position
    return Cut(wanted.limit, after=positions.get(AFTER), before=positions.get(BEFORE))


def _first(address: str) -> tuple[str, str]:
    return "Link", str(Link(address, "first"))
