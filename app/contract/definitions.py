"""What the contract says, as values that a request can use without a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.contract.constraints import Shape


@dataclass(frozen=True)
class Property:
    """A supported property: `key` is its JSON key, its context term and its column.

    `promise` is what promises the operations of the address that a link leads to, `same_as` are the IRIs of
    properties that say the same.
    """

    key: str
    iri: str
    required: bool
    readable: bool
    writable: bool
    ignored: bool
    link: bool
    shape: Shape
    promise: str | None = None
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """What may be done: by whom (local names of roles, and what people call those), and with which problems
    it may answer."""

    name: str
    iri: str
    method: str
    title: str
    expects: str | None
    returns: str
    roles: frozenset[str]
    statuses: frozenset[int]
    role_labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variable:
    """A variable of a collection's search: `order[name]` concerns the property with the key `name`.

    `key` is None for what pages; `meaning` is the local name of the property that the variable maps to.
    """

    name: str
    meaning: str
    key: str | None
    required: bool
    minimum: int | None = None
    maximum: int | None = None
    default: str | None = None

    @property
    def orders(self) -> bool:
        return self.name.startswith("order[")


@dataclass(frozen=True, eq=False)
class ClassDefinition:
    """A supported class. `member` is the class of a collection's members, `most` how many there can be.

    Of the properties with the keys in `alternatives` at least one has to be there.
    """

    name: str
    iri: str
    properties: Mapping[str, Property]
    operations: Mapping[str, Operation]
    label: str = ""
    member: str | None = None
    most: int | None = None
    variables: tuple[Variable, ...] = ()
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProblemType:
    """What `type` of a problem can be: its local name, and what stands in every occurrence."""

    name: str
    iri: str
    status: int
    title: str
    description: str
