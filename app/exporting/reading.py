"""Export: what is there, as the node objects that the API gives, a batch at a time (decision 34).

It is read by keys, so that a batch costs the same however much was read before, and an export can go on
where it was interrupted. Every batch is as things stand when it is read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.caller import READ_ALL, Caller
from app.contract.contract import Contract
from app.offers import Offers
from app.problems import Problem
from app.representation.nodes import NodeObject
from app.representation.recipes import activity_node
from app.storage.counts import count_live
from app.storage.database import Session
from app.storage.pages import Cut, Listing, Position, page
from app.storage.records import Record, embedded, find

BATCH = 1_000
# In the order in which one refers to another.
CLASSES = ("Partner", "Organization", "Instance", "Authorization")
ACTIVITY = "Activity"
# Who may read everything, as an auditor does, and is nobody.
READER = Caller(str(UUID(int=0)), frozenset({READ_ALL}))


@dataclass(frozen=True)
class Scope:
    """What is exported: all, or one organization by its id; with what was done, if `activities`."""

    organization: str | None = None
    activities: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        every = (*CLASSES, ACTIVITY) if self.activities else CLASSES
        # The authorizations of one organization come with its instances, its partners with its members.
        return every if self.organization is None else tuple(it for it in every if it not in _WITHIN)


_WITHIN = ("Partner", "Authorization")


@dataclass(frozen=True)
class Place:
    """How far an export is: the class that it is at, and the last key of it that was read; None before."""

    class_name: str
    key: str | None = None


@dataclass(frozen=True)
class Batch:
    """Node objects, what they are by class, and how far the export is with them."""

    nodes: Sequence[NodeObject]
    counts: Mapping[str, int]
    place: Place


# The greatest keys by class.
Bounds = Mapping[str, str]


class Export:
    """What has a greater key than its `bounds` came after the export began, and is left out: so it refers to
    little that was read before that was there."""

    def __init__(self, contract: Contract, scope: Scope, bounds: Bounds) -> None:
        self._contract = contract
        self._scope = scope
        self._bounds = bounds
        offers = Offers(contract)
        self._recipes = {
            name: offers.recipe(name, READER.granted, frozenset()) for name in (*CLASSES, ACTIVITY, "Member")
        }

    async def batches(self, session: Session, after: Place | None = None) -> AsyncIterator[Batch]:
        """From the beginning, or `after` the place of an earlier batch."""
        classes = self._scope.classes
        begin = classes.index(after.class_name) if after else 0
        for class_name in classes[begin:]:
            key = after.key if after and after.class_name == class_name else None
            async for batch in self._of_class(session, class_name, key):
                yield batch

    async def _of_class(self, session: Session, class_name: str, key: str | None) -> AsyncIterator[Batch]:
        if class_name == "Organization" and self._scope.organization is not None:
            if key is None:
                yield await self._organization(session, self._scope.organization)
            return
        more = True
        while more:
            found, key, more = await self._records(session, class_name, key)
            if found:
                records = [it for record in found for it in await self._with_others(session, record)]
                yield await self._batch(session, records, Place(class_name, key))

    async def _records(
        self, session: Session, class_name: str, key: str | None
    ) -> tuple[Sequence[Record], str | None, bool]:
        """The next records, the last key that was looked at, and whether there may be more."""
        cut = Cut(BATCH, Position(key, key) if key is not None else None)
        found = await page(session, _listing(self._scope, class_name, descending=False), READER, cut)
        bound = _comparable(self._bounds.get(class_name, ""))
        kept = [record for record in found.records if _comparable(_key(record)) <= bound]
        last = _key(kept[-1]) if kept else key
        return kept, last, found.more and len(kept) == len(found.records)

    async def _with_others(self, session: Session, record: Record) -> Sequence[Record]:
        """With an instance of one organization, those that may use it."""
        if self._scope.organization is None or record.class_name != "Instance":
            return [record]
        listing = Listing("Authorization", "id", descending=False, parent=("instance_id", record.id))
        given: list[Record] = []
        more = True
        while more:
            cut = Cut(BATCH, Position(given[-1].id, given[-1].id) if given else None)
            found = await page(session, listing, READER, cut)
            given += found.records
            more = found.more
        return [record, *given]

    async def _organization(self, session: Session, identifier: str) -> Batch:
        """With the partners that are its members before it."""
        record = await find(session, "Organization", READER, "id", identifier)
        if record is None or record.deleted_at is not None:
            raise Problem("not-found", f"There is no organization {identifier}.")
        parts = await embedded(session, READER, record)
        partners = {it.values["partner_id"]: None for members in parts.values() for it in members}
        found = [await find(session, "Partner", READER, "id", it) for it in partners if it is not None]
        records = [*(it for it in found if it is not None), record]
        return await self._batch(session, records, Place("Organization", identifier))

    async def _batch(self, session: Session, records: Sequence[Record], place: Place) -> Batch:
        counts: dict[str, int] = {}
        nodes = []
        for record in records:
            parts = await embedded(session, READER, record)
            nodes.append(self._node(record, parts))
            members = [it for some in parts.values() for it in some]
            for it in (record, *members):
                counts[it.class_name] = counts.get(it.class_name, 0) + 1
        return Batch(nodes, counts, place)

    def _node(self, record: Record, parts: Mapping[str, Iterable[Record]]) -> NodeObject:
        """As `Exchange.node` makes it for an auditor."""
        recipe = self._recipes[record.class_name]
        if record.class_name == ACTIVITY:
            return activity_node(self._contract, recipe, record.values)
        nodes = {key: [self._node(part, {}) for part in records] for key, records in parts.items()}
        return recipe.node({**record.values, **nodes} if nodes else record.values)


async def bounds_of(session: Session, scope: Scope) -> Bounds:
    """As things stand now; not by the clock, for another machine's may be ahead that gave ids."""
    bounds: dict[str, str] = {}
    for class_name in scope.classes:
        if class_name != "Organization" or scope.organization is None:
            last = await page(session, _listing(scope, class_name, descending=True), READER, Cut(1))
            if last.records:
                bounds[class_name] = _key(last.records[0])
    return bounds


async def expected(session: Session, scope: Scope) -> int | None:
    """About how many there will be, members not counted; None for one organization."""
    if scope.organization is not None:
        return None
    return sum([await count_live(session, name) for name in scope.classes])


def _listing(scope: Scope, class_name: str, *, descending: bool) -> Listing:
    order = "sequence" if class_name == ACTIVITY else "id"
    parent = ("organization_id", scope.organization) if scope.organization else None
    return Listing(class_name, order, descending, parent=parent)


def _key(record: Record) -> str:
    return str(record.values["sequence"]) if record.class_name == ACTIVITY else record.id


def _comparable(key: str) -> tuple[int, str]:
    """Numbers by their size; ids have one length."""
    return len(key), key
