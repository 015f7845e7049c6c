"""Lists: a page of a collection, with the ways to its other pages and to what can be searched."""

from __future__ import annotations

from collections.abc import Collection as Several
from functools import lru_cache
from typing import TypeAlias

from app.addresses import LINKS
from app.contract.definitions import ClassDefinition
from app.exchange import PARENTS, Exchange, Representation
from app.problems import Problem
from app.protocol.query import encode_query
from app.relations import of_list, of_page
from app.representation.collections import Collection
from app.resources.cursors import Cursors
from app.resources.items import parent
from app.resources.naming import likely_id
from app.resources.paging import AFTER, BEFORE, PAGE, Wanted, cut, read_query, variables_of
from app.security.rights import check_role
from app.storage.pages import Page, page
from app.storage.people import count_members
from app.storage.records import reads_all

Parameters: TypeAlias = tuple[tuple[str, str], ...]
OWNER, NOBODY = frozenset({"owner"}), frozenset[str]()
TARGETS = "TransferTargetCollection"
# What proves, if there is any, that its organization is there: none is deleted that has some.
PROVING = frozenset({"InstanceCollection"})


async def read(exchange: Exchange) -> Representation:
    """All that the caller may see, or what belongs to the parent in the path."""
    definition = exchange.contract.class_of(exchange.promise)
    # Who asks for it with a change that has conditions locks all that the change will, at once.
    changes = exchange.operation.method == "POST"
    if definition.name in PROVING and exchange.identifiers.keys() == {"organization_id"} and not changes:
        listed = await _of_organization(exchange, definition)
        if listed is not None:
            return listed
    owner = await parent(exchange, likely_id(exchange.contract, exchange.content.document) if changes else ())
    if changes and owner is None:
        # What may be added is for the content to say; the list is the caller's own.
        await exchange.session.lock_lists(str(exchange.caller.partner_id))
    else:
        check_role(exchange.caller, exchange.operation, owner.roles if owner else ())
    name = next((name for name in PARENTS if name in exchange.identifiers), None)
    asked = _Asked(exchange, definition, (name, owner.id) if name and owner else None)
    member = owner is not None and owner.class_name == "Organization" and bool(owner.roles)
    found = await asked.page(member=member)
    # What is in no organization yet can be put into any that the caller owns.
    roles = owner.roles if owner else OWNER if found.owns_any else NOBODY
    # A transfer depends on the instance's version, and so does the tag of the targets that were read.
    version = owner.version if owner is not None and definition.name == TARGETS else None
    return await _shown(exchange, definition, asked, found, roles, version)


async def _of_organization(exchange: Exchange, definition: ClassDefinition) -> Representation | None:
    """By the page's own statement alone, where that has rows: they are told to members only, with their role.
    None for who has to be told something else, or nothing."""
    if reads_all(exchange.caller):
        return None
    try:
        asked = _Asked(exchange, definition, ("organization_id", exchange.identifiers["organization_id"]))
    except Problem:
        return None
    found = await asked.page(member=True)
    if not found.rows or found.own_role is None:
        return None
    roles = frozenset({found.own_role})
    check_role(exchange.caller, exchange.operation, roles)
    return await _shown(exchange, definition, asked, found, roles, None)


async def _shown(
    exchange: Exchange,
    definition: ClassDefinition,
    asked: _Asked,
    found: Page,
    roles: frozenset[str],
    version: int | None,
) -> Representation:
    """`roles` are what the caller is to what the list belongs to."""
    wanted, pages, cursors = asked.wanted, asked.pages, asked.cursors
    withheld = frozenset(await _withheld(exchange, definition, wanted, found))

    def shown() -> Representation:
        ways = _by_cursor if wanted.number is None else _by_number
        view = {key: pages.at(name, value) for key, (name, value) in ways(wanted, cursors, found).items()}
        members = exchange.members(found)
        node = Collection(
            exchange.contract,
            definition,
            pages.address,
            exchange.offers.operations(exchange.promise, exchange.caller.granted, roles, withheld),
            whole=pages.whole,
            total=found.total,
            members=members,
            here=pages.here,
            view=view,
        )
        return Representation(
            node=node,
            version=version,
            address=pages.asked(variables_of(definition)),
            links=of_list(exchange.contract, definition, pages.address),
            own=of_page(members, view),
        )

    # Cursors are the caller's own.
    return Representation(
        version=version,
        asked=(exchange.promise, exchange.path, exchange.parameters, exchange.caller),
        source=lambda: (roles, withheld, version, found.source),
        make=shown,
    )


class _Asked:
    """What a request asks of a list; `within` is what that belongs to, as the name of a value and an id."""

    def __init__(
        self, exchange: Exchange, definition: ClassDefinition, within: tuple[str, str] | None
    ) -> None:
        """Raises `invalid-parameter`."""
        self.wanted = read_query(exchange.contract, exchange.parameters, definition, within)
        self.pages = _Pages(_address(exchange), exchange.parameters, self.wanted)
        self.cursors = Cursors(exchange.database.cursor_key, exchange.caller, self.wanted.listing)
        self._cut = cut(self.wanted, self.cursors, self.pages.first)
        self._exchange = exchange

    async def page(self, *, member: bool) -> Page:
        """`member` is whether the list is an organization's, of which its members alone shall be told."""
        session, caller, wanted = self._exchange.session, self._exchange.caller, self.wanted
        return await page(session, wanted.listing, caller, self._cut, counted=wanted.counts, member=member)


class _Pages:
    """The addresses of a list's pages."""

    def __init__(self, address: str, parameters: Parameters, wanted: Wanted) -> None:
        self.address = address
        self._parameters = parameters
        self._given, self._kept = wanted.given, wanted.kept
        # Filtered and ordered, but not cut; and what all pages have in common.
        self.whole, self._start = _begun(address, wanted.given, wanted.kept)
        self._requested = ""

    def first(self) -> str:
        return self.at(AFTER, "")

    @property
    def requested(self) -> str:
        """Once the cursor has been opened, if there is one."""
        if not self._requested:
            *others, last = self._parameters or [("", "")]
            if last[0] in (AFTER, BEFORE) and tuple(others) == self._kept:
                self._requested = self.at(*last)
            elif self._parameters == self._given:
                self._requested = self.whole
            else:
                self._requested = _with_query(self.address, self._parameters)
        return self._requested

    def at(self, name: str, value: str) -> str:
        """`value` is a number or a cursor, in which nothing has to be encoded."""
        return f"{self._start}{name}={value}"

    @property
    def here(self) -> str:
        """The request's own, made different where that is the collection's."""
        if self.requested != self.whole:
            return self.requested
        if self._parameters == self._kept:
            return self.first()
        return _with_query(self.address, (*self._parameters, (AFTER, "")))

    def asked(self, known: Several[str]) -> str:
        """With what means something of the request's query."""
        if all(name in known for name, _ in self._parameters):
            return self.requested
        return _with_query(self.address, tuple(it for it in self._parameters if it[0] in known))


@lru_cache(maxsize=256)
def _begun(address: str, given: Parameters, kept: Parameters) -> tuple[str, str]:
    """Written once for all pages."""
    whole = _with_query(address, given)
    in_common = whole if kept == given else _with_query(address, kept)
    return whole, f"{in_common}{'&' if kept else '?'}"


def _address(exchange: Exchange) -> str:
    """An instance's lists are at its own address, wherever they were asked for."""
    identifiers = exchange.identifiers
    path = exchange.path
    if {"instance_id", "organization_id"} <= identifiers.keys():
        path = LINKS["Instance"][path.rpartition("/")[2]].format(id=identifiers["instance_id"])
    return exchange.contract.base + path


async def _withheld(
    exchange: Exchange, definition: ClassDefinition, wanted: Wanted, found: Page
) -> Several[str]:
    """There is nowhere to transfer to, or no room for more."""
    if definition.name == TARGETS and not wanted.listing.contains:
        return ("POST",) if found.total == 0 else ()
    organization_id = exchange.identifiers.get("organization_id")
    if definition.most is None or organization_id is None:
        return ()
    total = found.total if found.total is not None else await count_members(exchange.session, organization_id)
    return ("POST",) if total >= definition.most else ()


def _with_query(address: str, parameters: Parameters) -> str:
    return f"{address}?{encode_query(parameters)}" if parameters else address


def _by_number(wanted: Wanted, cursors: Cursors, found: Page) -> dict[str, tuple[str, str]]:
    """What follows the last page that can be asked for by number is read on by cursor. Without a count
    nobody knows which page is the last one."""
    number, total = wanted.number or 1, found.total
    last = None if total is None else max(1, -(-total // wanted.limit))
    links = {"first": (PAGE, "1")}
    if last is not None and wanted.reaches(last):
        links["last"] = (PAGE, str(last))
    if found.more and found.positions:
        following = wanted.reaches(number + 1)
        links["next"] = (PAGE, str(number + 1)) if following else (AFTER, cursors.close(found.positions[-1]))
    if number > 1:
        links["previous"] = (PAGE, str(number - 1 if last is None else min(number - 1, last)))
    return links


def _by_cursor(wanted: Wanted, cursors: Cursors, found: Page) -> dict[str, tuple[str, str]]:
    """Before where a reader came from there is something, as there is after it when it reads backwards."""
    links = {"first": (AFTER, "")}
    if found.positions:
        backwards = wanted.before is not None
        if found.more or backwards:
            links["next"] = (AFTER, cursors.close(found.positions[-1]))
        if found.more if backwards else wanted.after:
            links["previous"] = (BEFORE, cursors.close(found.positions[0]))
    return links
