"""Exchange: what an operation is given. Representation: what it answers. Resource: where it is found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from itertools import chain

from app.addresses import item_path
from app.caller import Caller
from app.contract.contract import Contract
from app.contract.definitions import Operation
from app.offers import Offers
from app.problems import Problem
from app.protocol.conditions import Conditions
from app.protocol.links import Link
from app.protocol.preferences import Preferences
from app.protocol.strict_json import JSON
from app.relations import of_item
from app.representation.documents import Document
from app.representation.forms import HTML, JSON_LD
from app.representation.incoming import Sent
from app.representation.nodes import Item, Maker, Members, NodeObject, OneByOne, Unmade, top_level
from app.representation.recipes import Recipe, activity_node
from app.storage.acts import Act, now
from app.storage.database import Database, Session
from app.storage.pages import Page
from app.storage.records import Record, embedded
from app.storage.statements import known_by

# What something in a path can belong to, by the variable that names it there, nearest first.
PARENTS = {"instance_id": "Instance", "partner_id": "Partner", "organization_id": "Organization"}
# Of what a caller only knows by name.
NAMED = ("id", "name")
SHOWN_LENGTH = 64


@dataclass(eq=False)
class Exchange:
    """One request, as far as an operation needs to know it.

    `promise` is the class or link that promises the operation, `identifiers` are the variables of the path,
    `parameters` are the query's names and values, `content` is what was sent, not yet judged.
    """

    contract: Contract
    offers: Offers
    documents: Mapping[str, Document]
    promise: str
    operation: Operation
    caller: Caller
    path: str
    identifiers: Mapping[str, str]
    parameters: tuple[tuple[str, str], ...]
    content: Sent
    conditions: Conditions
    preferences: Preferences
    request_id: str
    database: Database
    transaction: Session | None = None
    _act: Act | None = field(default=None, init=False)

    @property
    def session(self) -> Session:
        """The transaction of an unsafe operation. Raises `unavailable` where there is no database."""
        return self.transaction or self.database.reading()

    def begin(self, session: Session) -> None:
        """An unsafe operation, in a transaction; also once more, as if it came now."""
        self.transaction, self._act = session, None

    @property
    def act(self) -> Act:
        if self._act is None:
            self._act = Act(self.caller, self.request_id, now())
        return self._act

    def document(self) -> JSON:
        """As plain JSON. Raises `invalid-parameter`, `malformed-content`, `invalid-content`."""
        self.check_query()
        if self.content.problem is not None:
            raise self.content.problem
        return self.content.document

    def check_query(self) -> None:
        """Raises `invalid-parameter`, where the client wants to be told, for a name that means nothing here
        (RFC 7240 section 4.4)."""
        if not self.preferences.strict:
            return
        class_name = self.contract.ranges.get(self.promise, self.promise)
        definition = self.contract.classes.get(class_name)
        known = [variable.name for variable in definition.variables] if definition else []
        unknown = next((name for name, _ in self.parameters if name not in known), None)
        if unknown is not None:
            there = f"there are {', '.join(known)}" if known else "there are none here"
            raise Problem(
                "invalid-parameter",
                f"Leave out the query parameter {unknown[:SHOWN_LENGTH]}; {there}.",
                headers=[("Vary", "Prefer"), ("Preference-Applied", "handling=strict")],
            )

    def node(self, record: Record, parts: Mapping[str, Iterable[Record]] | None = None) -> NodeObject:
        """With its `parts`, whole records by JSON key. Links that the caller could not follow stay away."""
        maker = self._maker(record.class_name, record.roles, record.named)
        if not parts:
            return maker.node(record.values)
        nodes = {key: [self.node(part) for part in records] for key, records in parts.items()}
        values: dict[str, object] = {**record.values, **nodes}
        return maker.node(values)

    def members(self, page: Page) -> Members:
        """As `node`, of each. Those that are the same to the caller, as in most lists all are, are made at
        once."""
        class_name = page.kind.class_name
        return Members([(self._maker(class_name, roles, named), rows) for roles, named, rows in page.alike()])

    def _maker(self, class_name: str, roles: frozenset[str], named: bool) -> Maker:
        """What makes nodes of the values of records that are the same to the caller."""
        if named:
            unlinked = self.offers.unlinked(class_name)
            return OneByOne(self.contract, lambda it: unlinked.node({key: it[key] for key in NAMED}))
        recipe = self.offers.recipe(class_name, self.caller.granted, roles)
        if class_name == "Activity":
            return OneByOne(self.contract, partial(activity_node, self.contract, recipe))
        return recipe

    async def item(self, record: Record) -> Representation:
        """The record as a node object of its own, wherever it was met."""
        return self._shown(record, await embedded(self.session, self.caller, record))

    async def read(self, record: Record) -> Representation:
        """As `item`, for a read: not made before it is known that it has to be."""
        parts = await embedded(self.session, self.caller, record)
        asked = record.class_name, record.named, record.roles, self.caller.granted
        records = [record, *chain.from_iterable(parts.values())]
        return Representation(
            asked=asked,
            source=lambda: known_by([[*it.values.values()] for it in records]),
            make=partial(self._shown, record, parts),
        )

    def _shown(self, record: Record, parts: Mapping[str, Iterable[Record]]) -> Representation:
        granted = self.caller.granted
        offered = self.offers.operations(record.class_name, granted, record.roles, record.withheld)
        listed = self.offers.reads(f"{record.class_name}Collection", granted, record.roles)
        maker = self._maker(record.class_name, record.roles, record.named)
        node: NodeObject | Item
        # What stands below something else is looked into for the way up.
        if parts or record.kind.within or not isinstance(maker, Recipe):
            node = top_level(self.contract, self.node(record, parts), offered)
            address = str(node["@id"])
        else:
            node = Item(self.contract, maker, record.values, offered)
            address = node.address
        links = of_item(self.contract, record.class_name, address, node, listed=listed)
        return Representation(node=node, version=record.version, address=address, links=links)

    async def created(self, record: Record) -> Representation:
        """201 with the new resource, whose address is both what was made and what is shown."""
        made = await self.item(record)
        made.status = 201
        made.location = self.contract.base + item_path(record.class_name, record.values)
        return made


@dataclass(eq=False, slots=True)
class Representation:
    """A node object, or a document made at the start, with what HTTP says beside it; or a status alone.

    `version` is the record's counter, `address` what is shown has, whichever was asked, `location` that of
    what was made or has to be looked for; `links` are the relations to others, in a tuple where all that
    stands at one place has the same ones, and `own` are those behind them that this has alone. One that is
    not made yet has what makes it, and the `source`, which tells all that it is made of, beside what was
    `asked` for at its address, and by whom.
    """

    node: NodeObject | Unmade | None = None
    document: Document | None = None
    status: int = 200
    version: int | None = None
    location: str | None = None
    address: str | None = None
    links: Sequence[Link] = ()
    own: Sequence[Link] = ()
    tagged: bool = True
    asked: Hashable = None
    source: Callable[[], Hashable] | None = None
    make: Callable[[], Representation] | None = None

    def made(self) -> Representation:
        return self if self.make is None else self.make()


Function = Callable[[Exchange], Awaitable[Representation]]


@dataclass(frozen=True, eq=False)
class Resource:
    """A path, the class or link that promises its operations, and what carries them out, by method.

    Without a promise, which is what the contract does not speak of, anyone may read.
    `offers` are the forms to choose from; none where there is nothing to represent. What is `local` is there
    for who sits at the machine itself, and changes nothing. `attempted` are methods that may change so little
    that it is tried without a transaction first (`app.storage.attempts`).
    """

    path: str
    promise: str
    operations: Mapping[str, Function]
    offers: Sequence[str]
    local: bool = False
    attempted: frozenset[str] = frozenset()

    @cached_property
    def explored(self) -> bool:
        """Whether people get the explorer's page there: for linked data, and for what leads on to some. What
        has a page of its own is not explored."""
        if not self.offers:
            return bool(self.promise)
        return JSON_LD in self.offers and HTML not in self.offers

    def in_form(self, form: str | None) -> Resource | None:
        """What can only be read, at an address that is that of one form; None where it is not offered."""
        return self if form is None else _in_form(self, form)


@cache
def _in_form(resource: Resource, form: str) -> Resource | None:
    """One for all requests: what is remembered of a resource is remembered of this one too."""
    if form not in resource.offers:
        return None
    return replace(resource, operations={"GET": resource.operations["GET"]})


def not_found() -> Problem:
    """One answer for what is not there and for what the caller may not know of."""
    return Problem("not-found", "Check the address; there is nothing here that you may see.")
