"""Answers: a representation or a problem as status, fields and bytes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.addresses import ENTRYPOINT, PROTECTED_RESOURCE
from app.contract.contract import Contract
from app.exchange import Representation
from app.kept import KeptAnswers
from app.problems import Problem
from app.protocol.codings import CODINGS, MIN_LENGTH, encode
from app.protocol.conditions import Conditions, check_read, entity_tag, not_modified
from app.protocol.links import Link, link_field
from app.protocol.negotiation import negotiate
from app.protocol.outgoing import Outgoing, Pairs, behind, numbered, outgoing
from app.protocol.preferences import Preferences
from app.representation.documents import Document
from app.representation.forms import HTML, JSON, JSON_LD, SYNTAXES, TURTLE, essence_of, with_suffix
from app.representation.nodes import dump, plain
from app.representation.pages import page_policy
from app.representation.problems import MEDIA_TYPE as PROBLEM_JSON
from app.representation.problems import problem_node, without_json_ld
from app.representation.writing import Writers

API_DOCUMENTATION = "http://www.w3.org/ns/hydra/core#apiDocumentation"
CONTEXT = "http://www.w3.org/ns/json-ld#context"
# Where the rules stand that a request did not keep (LDP section 4.2.1.6): of state, of content.
CONSTRAINED_BY = "http://www.w3.org/ns/ldp#constrainedBy"
CONSTRAINTS = {409: ENTRYPOINT["documentation"], 422: ENTRYPOINT["shapes"]}
# Data differs from caller to caller: it may be kept, but is asked for each time (RFC 9111 section 5.2.2).
PRIVATE, PUBLIC, NEVER = "private, no-cache", "public, max-age=300", "no-store"
# What never changes is not even asked for again (RFC 8246).
FOREVER = "public, max-age=31536000, immutable"
_ANYBODYS_TO_KEEP = {PUBLIC, FOREVER}
EXPOSED = (
    "Link",
    "Link-Template",
    "Location",
    "Content-Location",
    "ETag",
    "Allow",
    "Accept-Post",
    "Accept-Patch",
    "WWW-Authenticate",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Preference-Applied",
    "Idempotency-Replayed",
    "Traceresponse",
    "X-Request-Id",
)
# What a 304 leaves out, for it speaks of content that does not come.
OF_CONTENT = frozenset({"Content-Type", "Accept-Ranges", "Content-Encoding"})
# What anybody may embed, and what only pages of the same site may (Fetch, Cross-Origin-Resource-Policy).
ANYBODYS, SITES_OWN = "cross-origin", "same-site"
YEAR_SECONDS = 31_536_000

POLICY = "Content-Security-Policy"
# What is no page loads nothing, wherever it is opened.
_NOTHING_RUNS = (POLICY, "default-src 'none'; frame-ancestors 'none'")

# A page comes in one language and with all that anybody may prefer.
NOTHING_PREFERRED, VARIES_PAGE = Preferences(), "Accept, Accept-Encoding"

Fields = Sequence[tuple[str, str]]


@dataclass(slots=True)
class Answer:
    """Fields beside those that every answer has, and the bytes; none at all where a status has none."""

    status: int
    fields: Fields = ()
    content: bytes | None = None

    # What does not depend on the request, and whether anybody may keep it; made once, for an answer may be
    # given again.
    told: tuple[Outgoing, bool] | None = field(default=None, compare=False, repr=False)


@dataclass(eq=False, slots=True)
class Wish:
    """How the client wants the representation: the form, one of those that are `offered` or None where there
    is nothing to represent; its coding, None for none; what it prefers besides. `varies` are the fields that
    decided about it all. `asked` is the address that the request was sent to, without its query."""

    method: str
    asked: str
    form: str | None
    offered: Sequence[str]
    coding: str | None
    conditions: Conditions
    preferences: Preferences
    varies: str


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
        # In exactly the spelling that clients search for (CLIENTS.md H2).
        self._documentation = Link(contract.base + ENTRYPOINT["documentation"], API_DOCUMENTATION)
        self._constraints = {
            status: Link(contract.base + path, CONSTRAINED_BY) for status, path in CONSTRAINTS.items()
        }
        secure = contract.base.startswith("https:")
        self._public = outgoing(_of_every_answer(ANYBODYS, secure=secure))
        self._private = outgoing(_of_every_answer(SITES_OWN, secure=secure))
        self._kept = KeptAnswers[Answer]()
        self._data_context = _context(writers.data.context)
        self._problem_context = _context(writers.problems.context)

    def of(self, representation: Representation, wish: Wish) -> Answer:
        """Raises 412 for a read; 304 for who has the representation already."""
        if representation.source is None or wish.conditions.if_match is not None:
            return self._made(representation.made(), wish)[0]
        place = _place(representation, wish)
        mark, key = hash(place), (place, representation.source)
        kept = self._kept.get(mark, key)
        if kept is not None:
            unmodified = wish.conditions.stated and not_modified(wish.conditions, kept.tag)
            known = kept.unmodified if unmodified else kept.whole
            if known is not None:
                return known
        answer, tag = self._made(representation.made(), wish)
        length = None if answer.status == 304 else len(answer.content or b"")
        self._kept.keep(mark, key, tag, answer, length)
        return answer

    def _made(self, representation: Representation, wish: Wish) -> tuple[Answer, str]:
        """With the tag of what is represented, whether it is told or not."""
        form = wish.form
        location = [("Location", representation.location)] if representation.location else []
        if form is None or (representation.node is None and representation.document is None):
            content = None if representation.status == 204 else b""
            varied = [("Vary", wish.varies)] if wish.varies else []
            fields = [*location, *varied, *_applied(wish), ("Cache-Control", PRIVATE)]
            return Answer(representation.status, fields, content), ""
        written = self._written(representation, form, wish.coding)
        tagged = [("ETag", written.tag)] if representation.tagged else []
        if wish.method != "GET" and wish.preferences.minimal:
            return _minimal(representation, [*location, *tagged, *_applied(wish)], wish.varies), ""
        fields = [
            ("Content-Type", form),
            ("Vary", wish.varies),
            ("Cache-Control", _kept(representation.document)),
            ("Link", link_field(self._links(representation, form, wish))),
            *(representation.document.fields if representation.document else ()),
            *tagged,
            *location,
            *_content_location(representation, wish),
            *_applied(wish),
            *([(POLICY, _policy(representation.document))] if form == HTML else []),
            *([("Accept-Ranges", "none")] if wish.method == "GET" else []),
            *([("Content-Encoding", written.coding)] if written.coding else []),
        ]
        if wish.method == "GET" and wish.conditions.stated:
            check_read(wish.conditions, written.tag)
            if not_modified(wish.conditions, written.tag):
                return Answer(304, [it for it in fields if it[0] not in OF_CONTENT]), written.tag
        return Answer(representation.status, fields, self._coded(representation, written)), written.tag

    def of_page(self, asked: str, coding: str | None, conditions: Conditions) -> Answer:
        """The explorer, which tells nothing of what is at the address. Raises 412 as any read."""
        wish = Wish("GET", asked, HTML, (HTML,), coding, conditions, NOTHING_PREFERRED, VARIES_PAGE)
        return self.of(Representation(document=self._explorer), wish)

    def _page_of_problem(self, status: int, links: Sequence[Link], fields: Fields) -> Answer:
        """Asked for as data, the same address tells what is wrong, and the page shows it."""
        told = [
            ("Content-Type", HTML),
            ("Vary", "Accept"),
            ("Cache-Control", NEVER),
            ("Link", link_field(links)),
            (POLICY, _policy(self._explorer)),
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
        fields = [*answer.fields]
        told = dict(fields)
        public = told.get("Cache-Control") in _ANYBODYS_TO_KEEP
        if "Link" not in told:
            fields.append(("Link", self._documentation))
        if POLICY not in told:
            fields.append(_NOTHING_RUNS)
        if answer.content is not None:
            fields.append(("Content-Length", str(len(answer.content))))
        return behind(fields, self._public if public else self._private), public

    def _written(self, representation: Representation, form: str, coding: str | None) -> Written:
        document = representation.document
        if document is not None:
            variant = document.variant(form)
            coding = coding if len(variant.content) >= MIN_LENGTH else None
            tag = entity_tag(variant.tag.encode("ascii"), None, coding) if coding else variant.tag
            return Written(variant.content, coding, tag)
        node = representation.node or {}
        written = dump(plain(self._contract, node)) if form == JSON else self._writers.data.write(node, form)
        coding = coding if len(written) >= MIN_LENGTH else None
        return Written(written, coding, entity_tag(written, representation.version, coding, form))

    def _links(self, representation: Representation, form: str, wish: Wish) -> list[Link]:
        """Plain JSON names the context that makes it JSON-LD (JSON-LD 1.1 section 6.1), and every form
        another one: never itself, which processors would follow for ever (CLIENTS.md H5)."""
        document, address = representation.document, representation.address
        links = [self._documentation, *representation.links, *(document.links if document else ())]
        # A new resource is not another form of the collection that it was sent to.
        if address is not None and representation.status != 201:
            links.append(Link(address, "canonical"))
        if form == JSON and (document is None or document.context is not None):
            links.append(self._data_context if document is None else _context(str(document.context)))
        if address is not None and wish.method == "GET" and TURTLE in wish.offered:
            other = TURTLE if essence_of(form) in (JSON_LD, JSON) else JSON_LD
            links.append(Link(with_suffix(address, other), "alternate", (("type", other),)))
        return links


def _place(representation: Representation, wish: Wish) -> Hashable:
    """With the representation's source, all that an answer follows from, but for the tag that the client
    has."""
    asked = wish.asked, representation.asked
    return *asked, wish.form, wish.coding, wish.varies, wish.preferences


@lru_cache(maxsize=16)
def _context(address: str) -> Link:
    return Link(address, CONTEXT, (("type", JSON_LD),))


def _content_location(representation: Representation, wish: Wish) -> Fields:
    """Where what is shown has its place, if another address was asked (RFC 9110 section 8.7)."""
    address = representation.address
    if address is None or address.partition("?")[0] == wish.asked:
        return []
    return [("Content-Location", address)]


def _policy(document: Document | None) -> str:
    """What a page may do: by its own policy, or by that of pages without scripts."""
    return document.policy if document is not None and document.policy is not None else page_policy()


def _kept(document: Document | None) -> str:
    if document is None:
        return PRIVATE
    if document.kept is not None:
        return document.kept
    return FOREVER if document.frozen else PUBLIC if document.lasting else NEVER


def _of_every_answer(embedded_by: str, *, secure: bool) -> list[tuple[bytes, bytes]]:
    """What lets scripts read an answer, and keeps browsers from taking it for something else."""
    fields = [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Expose-Headers", ", ".join(EXPOSED)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", embedded_by),
        *([("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")] if secure else []),
    ]
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in fields]


def _minimal(representation: Representation, fields: Fields, varies: str) -> Answer:
    """What was changed or made, without its content; 201 stays, for it says that there is something new."""
    status = 201 if representation.status == 201 else 204
    kept = [("Vary", varies), ("Cache-Control", PRIVATE)]
    return Answer(status, [*fields, *kept], b"" if status == 201 else None)


def _applied(wish: Wish) -> Fields:
    """What was done because the client prefers it (RFC 7240 section 3)."""
    preferences = wish.preferences
    handled = preferences.handling and "Prefer" in wish.varies
    applied = [f"handling={preferences.handling}"] if handled else []
    if wish.form is not None and wish.method != "GET" and preferences.content:
        applied.insert(0, f"return={preferences.content}")
    return [("Preference-Applied", ", ".join(applied))] if applied else []


# Documents do not change while the service runs: each is coded once.
_encode_lasting = lru_cache(maxsize=256)(encode)
