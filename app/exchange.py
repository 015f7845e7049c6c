"""Exchange: what an operation is given. Representation: what it answers. Resource: where it is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from app.addresses import item_path
from app.caller import Caller
from app.contract.contract import Contract
from app.contract.definitions import Operation
from app.problems import Problem
from app.protocol.conditions import Conditions
from app.protocol.links import Link
from app.protocol.query import parse_query
from app.protocol.strict_json import JSON, loads
from app.representation.documents import Document
from app.representation.nodes import NodeObject, item_node, top_level
from app.security.rights import may
from app.storage.database import Database, Session
from app.storage.records import Record
from app.storage.writes import Act, now


@dataclass(frozen=True)
class Exchange:
    """One request, as far as an operation needs to know it.

    `promise` is the class or link that promises the operation, `identifiers` are the variables of the path,
    `query` and `content` what was sent, not yet read.
    """

    contract: Contract
    documents: Mapping[str, Document]
    promise: str
    operation: Operation
    caller: Caller
    path: str
    identifiers: Mapping[str, str]
    query: bytes
    content: bytes
    conditions: Conditions
    request_id: str
    database: Database
    transaction: Session | None = None

    @property
    def session(self) -> Session:
        """The transaction of an unsafe operation. Raises `unavailable` where there is no database."""
        return self.transaction or self.database.reading()

    @cached_property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The query as names and values. Raises `invalid-parameter`."""
        return parse_query(self.query)

    @cached_property
    def act(self) -> Act:
        return Act(self.caller, self.request_id, now())

    def document(self) -> JSON:
        """What was sent, as JSON. Raises `malformed-content`, `invalid-content`."""
        return loads(self.content)

    def offered(self, promise: str, role: str | None) -> Iterable[Operation]:
        """What the caller may do now, with this role in the organization concerned."""
        operations = self.contract.promises[promise].values()
        return (operation for operation in operations if may(self.caller, operation, role))

    def node(self, record: Record) -> NodeObject:
        return item_node(self.contract, record.class_name, record.values)

    def item(self, record: Record) -> Representation:
        """The record as a node object of its own, wherever it was met."""
        offered = self.offered(record.class_name, record.role)
        if record.occupied:
            offered = (operation for operation in offered if operation.method != "DELETE")
        node = top_level(self.contract, self.node(record), offered)
        elsewhere = self.path != item_path(record.class_name, record.id)
        canonical = str(node["@id"]) if elsewhere else None
        return Representation(node=node, version=record.version, canonical=canonical)

    def created(self, record: Record) -> Representation:
        """201 with the new resource, whose address is both what was made and what is shown."""
        return replace(
            self.item(record),
            status=201,
            location=self.contract.base + item_path(record.class_name, record.id),
        )


@dataclass(frozen=True)
class Representation:
    """A node object, or a document made at the start, with what HTTP says beside it; or a status alone.

    `version` is the record's counter, `canonical` the address that the node has when another one was asked.
    """

    node: NodeObject | None = None
    document: Document | None = None
    status: int = 200
    version: int | None = None
    location: str | None = None
    canonical: str | None = None
    tagged: bool = True

    @property
    def links(self) -> Sequence[Link]:
        """A new resource is not another form of the collection that it was sent to."""
        return [Link(self.canonical, "canonical")] if self.canonical and self.status != 201 else []


Function = Callable[[Exchange], Awaitable[Representation]]


@dataclass(frozen=True)
class Resource:
    """A path, the class or link that promises its operations, and what carries them out, by method.

    Without a promise, which is what the contract does not speak of, anyone may read.
    `offers` are the media types to choose from; none where there is nothing to represent.
    """

    path: str
    promise: str
    operations: Mapping[str, Function]
    offers: Sequence[str]


def not_found() -> Problem:
    """One answer for what is not there and for what the caller may not know of."""
    return Problem("not-found", "Check the address; there is nothing here that you may see.")
