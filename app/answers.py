"""Answers: a representation or a problem as status, fields and bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.addresses import ENTRYPOINT, PROTECTED_RESOURCE
from app.answer_fields import (
    ANYBODYS,
    ANYBODYS_TO_KEEP,
    API_DOCUMENTATION,
    CONSTRAINED_BY,
    CONSTRAINTS,
    CONTEXT,
    NEVER,
    NOTHING_RUNS,
    POLICY,
    PRIVATE,
    SITES_OWN,
    Fields,
    applied,
    of_every_answer,
    of_representation,
    policy,
    there,
)
from app.contract.contract import Contract
from app.exchange import Representation
from app.kept import Kept, KeptAnswers
from app.problems import Problem
from app.protocol.codings import CODINGS, MIN_LENGTH, encode
from app.protocol.conditions import Conditions, check_read, entity_tag, not_modified
from app.protocol.links import Link, link_field
from app.protocol.negotiation import negotiate
from app.protocol.outgoing import GAP, Frame, Outgoing, Pairs, behind, numbered, outgoing
from app.protocol.preferences import NONE
from app.representation.documents import Document
from app.representation.forms import HTML, JSON, JSON_LD, SYNTAXES, TURTLE, essence_of, with_suffix
from app.representation.nodes import dump, dump_plain
from app.representation.problems import MEDIA_TYPE as PROBLEM_JSON
from app.representation.problems import problem_node, without_json_ld
from app.representation.writing import Writers
from app.wishes import Choice, Wish

# Of heads that differ in a few values.
FRAMES = 1_024
# What stands in a field of links where data differs, instead of the path and the query of its address, in
# which nothing can end a link, and of the links that it has alone: in no other link they do.
SOMEWHERE, ASKED, OWN = "~~somewhere~~", "~~asked~~", Link("~~own~~", "own")


@dataclass(slots=True)
class Answer:
    """Fields beside those that every answer has, and the bytes; none at all where a status has none.

    `told` are all fields that do not depend on the request, and whether anybody may keep the answer: written
    once, for it may be given again. Where it is there, `fields` need not be.
    """

    status: int
    fields: Fields = ()
    content: bytes | None = None
    told: tuple[Outgoing, bool] | None = field(default=None, compare=False, repr=False)


@dataclass(eq=False, slots=True)
class Written:
    """A representation as bytes, the coding that they shall be sent in, and the entity tag that they get."""

    content: bytes
    coding: str | None
    tag: str


class Answers:
    """What is the same in every answer of one service."""

    def __init__(self, contract: Contract, writers: Writers, explorer: Document) -> None:
        """`explorer` is the page that people get wherever there is none for them."""
        self._contract = contract
        self._explorer = explorer
        self._writers = writers
        # In exactly the spelling that clients search for (docs/clients.md H2).
        self._documentation = Link(contract.base + ENTRYPOINT["documentation"], API_DOCUMENTATION)
        self._constraints = {
            status: Link(contract.base + path, CONSTRAINED_BY) for status, path in CONSTRAINTS.items()
        }
        secure = contract.base.startswith("https:")
        self._public = outgoing(of_every_answer(ANYBODYS, secure=secure))
        self._private = outgoing(of_every_answer(SITES_OWN, secure=secure))
        self._kept = KeptAnswers[Answer]()
        self._data_context = _context(writers.data.context)
        self._problem_context = _context(writers.problems.context)
        self._frame = lru_cache(FRAMES)(self._framed)
        self._linked = lru_cache(FRAMES)(self._linking)

    def as_before(self, wish: Wish, moment: Callable[[], Hashable | None]) -> Answer | None:
        """What the same question was answered by, if nothing at all has been written since. The moment is
        asked for where it matters, before anything is read."""
        lead = None if wish.conditions.if_match is not None else self._kept.lead(wish.question)
        if lead is None:
            return None
        wish.moment = moment()
        unchanged = wish.moment is not None and wish.moment == lead.moment
        return _known(lead.kept, wish) if unchanged else None

    def of(self, representation: Representation, wish: Wish) -> Answer:
        """Raises 412 for a read; 304 for who has the representation already."""
        if representation.source is None or wish.conditions.if_match is not None:
            return self._made(representation.made(), wish)[0]
        place = _place(representation, wish)
        mark = hash(place)
        # Of most that is asked for nobody has to know what it is made of.
        key = (place, representation.source()) if self._kept.knows(mark) else place
        kept = self._kept.get(mark, key)
        if kept is not None:
            known = _known(kept, wish)
            if known is not None:
                if wish.question is not None:
                    self._kept.remember(wish.question, kept, wish.moment)
                return known
        answer, tag = self._made(representation.made(), wish)
        length = None if answer.status == 304 else len(answer.content or b"")
        self._kept.keep(mark, key, tag, answer, length)
        return answer

    def to_remember(self, representation: Representation, wish: Wish) -> Answer:
        """As `of`, with its fields, and in no coding: who is given it again may accept another one."""
        return self._made(representation.made(), wish, remembered=True)[0]

    def _made(
        self, representation: Representation, wish: Wish, *, remembered: bool = False
    ) -> tuple[Answer, str]:
        """With the tag of what is represented, whether it is told or not."""
        choice, status, document = wish.choice, representation.status, representation.document
        form, location = choice.form, representation.location
        if form is None or (representation.node is None and document is None):
            varied = *there("Location", location), *there("Vary", choice.varies)
            fields: Fields = [*varied, *applied(choice), ("Cache-Control", PRIVATE)]
            return Answer(status, fields, None if status == 204 else b""), ""
        written = self._written(representation, form, None if remembered else choice.coding)
        tag = written.tag if representation.tagged else None
        if choice.method != "GET" and choice.preferences.minimal:
            made = *there("Location", location), *there("ETag", tag)
            return _minimal(status, [*made, *applied(choice)], choice.varies), ""
        if choice.method == "GET" and wish.conditions.stated:
            check_read(wish.conditions, written.tag)
            status = 304 if not_modified(wish.conditions, written.tag) else status
        content = None if status == 304 else self._coded(representation, written)
        values = (
            self._link_field(representation, choice),
            tag,
            location,
            _elsewhere(representation.address, wish.asked),
        )
        if document is None and not remembered:
            told = self._filled(status, choice, written.coding, values, content)
            return Answer(status, (), content, (told, False)), written.tag
        fields = of_representation(status, choice, document, written.coding, *values)
        return Answer(status, fields, content), written.tag

    def _filled(
        self,
        status: int,
        choice: Choice,
        coding: str | None,
        values: tuple[str, str | None, str | None, str | None],
        content: bytes | None,
    ) -> Outgoing:
        """The fields of what is told of data."""
        _, tag, location, elsewhere = values
        frame = self._frame(status, choice, coding, tag is None, location is None, elsewhere is None)
        length = [str(len(content))] if content is not None else []
        return frame.filled(*filter(None, values), *length)

    def _framed(
        self,
        status: int,
        choice: Choice,
        coding: str | None,
        untagged: bool,
        unlocated: bool,
        here: bool,
    ) -> Frame:
        gaps = [None if absent else GAP for absent in (untagged, unlocated, here)]
        fields = of_representation(status, choice, None, coding, GAP, *gaps)
        told, _ = self._complete(fields, None if status == 304 else GAP)
        return Frame(told, self._private)

    def of_page(self, asked: str, coding: str | None, conditions: Conditions) -> Answer:
        """The explorer, which tells nothing of what is at the address. Raises 412 as any read."""
        wish = Wish(asked, _choice_of_page(coding), conditions)
        return self.of(Representation(document=self._explorer), wish)

    def _page_of_problem(self, status: int, links: Sequence[Link], fields: Fields) -> Answer:
        """Asked for as data, the same address tells what is wrong, and the page shows it."""
        told = [
            ("Content-Type", HTML),
            ("Vary", "Accept"),
            ("Cache-Control", NEVER),
            ("Link", link_field(links)),
            (POLICY, policy(self._explorer)),
            *fields,
        ]
        return Answer(status, told, self._explorer.variant(HTML).content)

    def _coded(self, representation: Representation, written: Written) -> bytes:
        if written.coding is None:
            return written.content
        lasting = representation.document is not None and representation.document.lasting
        return (_encode_lasting if lasting else encode)(written.content, written.coding)

    def tags(self, representation: Representation, forms: Sequence[str]) -> set[str]:
        """The entity tags of a representation in each of its forms."""
        codings = (None, *CODINGS)
        return {self._written(representation, form, coding).tag for form in forms for coding in codings}

    def of_problem(
        self,
        problem: Problem,
        accept: Sequence[str],
        request_id: str,
        operation: str | None = None,
        *,
        page: bool = False,
    ) -> Answer:
        """RFC 9457, unless another syntax than JSON is preferred; what else Accept says decides whether
        JSON-LD is inside. `operation` is the local name of the one that failed. People get a `page`."""
        node: dict[str, Any] = problem_node(self._contract, problem, request_id, operation)
        form = negotiate(accept, (JSON_LD, PROBLEM_JSON, JSON, *SYNTAXES))
        in_json = form not in SYNTAXES
        if form is not None and not in_json:
            content = self._writers.problems.write(node, form)
        else:
            content = dump(without_json_ld(node) if form in (PROBLEM_JSON, JSON) else node)
        links = [
            self._documentation,
            *([self._problem_context] if in_json else []),
            Link(node["type"], "type"),
        ]
        if node["status"] in self._constraints:
            links.append(self._constraints[node["status"]])
        told = self._challenges(problem) if node["status"] == 401 else problem.headers
        if page:
            return self._page_of_problem(node["status"], [self._documentation, links[-1]], told)
        fields = [
            ("Content-Type", PROBLEM_JSON if in_json or form is None else form),
            ("Vary", "Accept"),
            ("Cache-Control", NEVER),
            ("Link", link_field(links)),
            *told,
        ]
        return Answer(node["status"], fields, content)

    def _challenges(self, problem: Problem) -> Fields:
        """With the document that tells where tokens come from (RFC 9728 section 5.1)."""
        metadata = f'resource_metadata="{self._contract.base}{PROTECTED_RESOURCE}"'
        return [
            (name, f"{value}{', ' if '=' in value else ' '}{metadata}") for name, value in problem.headers
        ]

    def headers(self, answer: Answer, request_id: str, callers: Fields = ()) -> Pairs:
        """The answer's fields and those of every answer, as ASGI wants them. What concerns the caller alone,
        `callers`, does not stand where a cache may give it to others."""
        if answer.told is None:
            answer.told = self._told(answer)
        fields, public = answer.told
        return numbered(request_id, fields if public or not callers else behind(callers, fields))

    def _told(self, answer: Answer) -> tuple[Outgoing, bool]:
        content = answer.content
        fields, public = self._complete(answer.fields, None if content is None else str(len(content)))
        return behind(fields, self._public if public else self._private), public

    def _complete(self, fields: Fields, length: str | None) -> tuple[Fields, bool]:
        """With those that no answer is without, and whether anybody may keep it."""
        told = dict(fields)
        linked = [] if "Link" in told else [("Link", str(self._documentation))]
        ruled = [] if POLICY in told else [NOTHING_RUNS]
        measured = [] if length is None else [("Content-Length", length)]
        return [*fields, *linked, *ruled, *measured], told.get("Cache-Control") in ANYBODYS_TO_KEEP

    def _written(self, representation: Representation, form: str, coding: str | None) -> Written:
        document = representation.document
        if document is not None:
            variant = document.variant(form)
            coding = coding if len(variant.content) >= MIN_LENGTH else None
            tag = entity_tag(variant.tag.encode("ascii"), None, coding) if coding else variant.tag
            return Written(variant.content, coding, tag)
        node = representation.node or {}
        written = dump_plain(self._contract, node) if form == JSON else self._writers.data.write(node, form)
        coding = coding if len(written) >= MIN_LENGTH else None
        return Written(written, coding, entity_tag(written, representation.version, coding, form))

    def _link_field(self, representation: Representation, choice: Choice) -> str:
        links, own, address = representation.links, representation.own, representation.address
        if representation.document is not None or address is None or not isinstance(links, tuple):
            return link_field(self._links(representation, choice))
        path, _, query = address.partition("?")
        linked = self._linked(links, representation.status, choice, bool(own), bool(query))
        return linked % {SOMEWHERE: path, ASKED: query, OWN: link_field(own)}

    def _linking(
        self, links: tuple[Link, ...], status: int, choice: Choice, alone: bool, queried: bool
    ) -> str:
        """The field of data with the same links, with places for what differs."""
        address = f"{SOMEWHERE}?{ASKED}" if queried else SOMEWHERE
        own = [OWN] if alone else []
        somewhere = Representation(node={}, status=status, address=address, links=links, own=own)
        linked = link_field(self._links(somewhere, choice)).replace("%", "%%")
        for gap in (SOMEWHERE, ASKED, OWN):
            linked = linked.replace(gap, f"%({gap})s")
        return linked

    def _links(self, representation: Representation, choice: Choice) -> list[Link]:
        """Plain JSON names the context that makes it JSON-LD (JSON-LD 1.1 section 6.1), and every form
        another one: never itself, which processors would follow for ever (docs/clients.md H5)."""
        document, address, form = representation.document, representation.address, str(choice.form)
        links = [
            self._documentation,
            *representation.links,
            *representation.own,
            *(document.links if document else ()),
        ]
        # A new resource is not another form of the collection that it was sent to.
        if address is not None and representation.status != 201:
            links.append(Link(address, "canonical"))
        if form == JSON and (document is None or document.context is not None):
            links.append(self._data_context if document is None else _context(str(document.context)))
        if address is not None and choice.method == "GET" and TURTLE in choice.forms:
            other = TURTLE if essence_of(form) in (JSON_LD, JSON) else JSON_LD
            links.append(Link(with_suffix(address, other), "alternate", (("type", other),)))
        return links


def _known(kept: Kept[Answer], wish: Wish) -> Answer | None:
    unmodified = wish.conditions.stated and not_modified(wish.conditions, kept.tag)
    return kept.unmodified if unmodified else kept.whole


def _place(representation: Representation, wish: Wish) -> Hashable:
    """With the representation's source, all that an answer follows from, but for the tag that the client
    has."""
    return wish.asked, representation.asked, wish.choice


@lru_cache(maxsize=16)
def _context(address: str) -> Link:
    return Link(address, CONTEXT, (("type", JSON_LD),))


def _elsewhere(address: str | None, asked: str) -> str | None:
    return None if address is None or address.partition("?")[0] == asked else address


def _minimal(status: int, fields: Fields, varies: str) -> Answer:
    """What was changed or made, without its content; 201 stays, for it says that there is something new."""
    kept = [("Vary", varies), ("Cache-Control", PRIVATE)]
    return Answer(status if status == 201 else 204, [*fields, *kept], b"" if status == 201 else None)


@lru_cache(maxsize=16)
def _choice_of_page(coding: str | None) -> Choice:
    """A page comes in one language and with all that anybody may prefer."""
    return Choice("GET", True, HTML, (HTML,), True, coding, NONE, "Accept, Accept-Encoding")


# Documents do not change while the service runs: each is coded once.
_encode_lasting = lru_cache(maxsize=256)(encode)
