"""Answers: a representation or a problem as status, fields and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.addresses import DATA_CONTEXT, ENTRYPOINT, PROBLEM_CONTEXT, PROTECTED_RESOURCE
from app.contract.contract import Contract
from app.exchange import Representation
from app.problems import Problem
from app.protocol.conditions import Conditions, check_read, entity_tag, not_modified
from app.protocol.links import Link, link_field
from app.protocol.negotiation import negotiate
from app.representation.documents import JSON, JSON_LD, Document
from app.representation.nodes import dump, plain
from app.representation.problems import MEDIA_TYPE as PROBLEM_JSON
from app.representation.problems import problem_node, without_json_ld

API_DOCUMENTATION = "http://www.w3.org/ns/hydra/core#apiDocumentation"
CONTEXT = "http://www.w3.org/ns/json-ld#context"
# Data differs from caller to caller: it may be kept, but is asked for each time (RFC 9111 section 5.2.2).
PRIVATE, PUBLIC, NEVER = "private, no-cache", "public, max-age=300", "no-store"
EXPOSED = (
    "Link",
    "Location",
    "Content-Location",
    "ETag",
    "Allow",
    "Accept-Post",
    "Accept-Patch",
    "WWW-Authenticate",
    "Retry-After",
    "X-Request-Id",
)

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """Fields beside those that every answer has, and the bytes; no bytes at all where a status has none."""

    status: int
    fields: Fields = ()
    content: bytes | None = None


class Answers:
    """What is the same in every answer of one service."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        # In exactly the spelling that clients search for (CLIENTS.md H2).
        self._documentation = Link(contract.base + ENTRYPOINT["documentation"], API_DOCUMENTATION)
        self._data_context = self._context(DATA_CONTEXT)
        self._problem_context = self._context(PROBLEM_CONTEXT)

    def of(
        self, representation: Representation, media_type: str | None, conditions: Conditions, method: str
    ) -> Answer:
        """Raises 412 for a read; 304 for who has the representation already. No `media_type`, no content."""
        location = [("Location", representation.location)] if representation.location else []
        if media_type is None:
            content = None if representation.status == 204 else b""
            return Answer(representation.status, [*location, ("Cache-Control", PRIVATE)], content)
        content, tag = self._written(representation, media_type)
        canonical = representation.canonical
        fields = [
            ("Content-Type", media_type),
            ("Vary", "Accept"),
            ("Cache-Control", _kept(representation.document)),
            ("Link", link_field(self._links(representation, media_type))),
            *([("ETag", tag)] if representation.tagged else []),
            *location,
            *([("Content-Location", canonical)] if canonical else []),
        ]
        if method == "GET":
            check_read(conditions, tag)
            if not_modified(conditions, tag):
                return Answer(304, fields[1:])
        return Answer(representation.status, fields, content)

    def of_problem(self, problem: Problem, accept: Sequence[str], request_id: str) -> Answer:
        """RFC 9457, whatever Accept says; what it prefers decides whether JSON-LD is inside."""
        node: dict[str, Any] = problem_node(self._contract, problem, request_id)
        if negotiate(accept, (JSON_LD, PROBLEM_JSON, JSON)) in (PROBLEM_JSON, JSON):
            node = without_json_ld(node)
        fields = [
            ("Content-Type", PROBLEM_JSON),
            ("Vary", "Accept"),
            ("Cache-Control", NEVER),
            ("Link", link_field([self._documentation, self._problem_context])),
            *(self._challenges(problem) if node["status"] == 401 else problem.headers),
        ]
        return Answer(node["status"], fields, dump(node))

    def _challenges(self, problem: Problem) -> Fields:
        """With the document that tells where tokens come from (RFC 9728 section 5.1)."""
        metadata = f'resource_metadata="{self._contract.base}{PROTECTED_RESOURCE}"'
        return [
            (name, f"{value}{', ' if '=' in value else ' '}{metadata}") for name, value in problem.headers
        ]

    def headers(self, answer: Answer, request_id: str) -> list[tuple[bytes, bytes]]:
        """The answer's fields and those of every answer, as ASGI wants them."""
        linked = any(name == "Link" for name, _ in answer.fields)
        fields = [
            *answer.fields,
            *([] if linked else [("Link", str(self._documentation))]),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", ", ".join(EXPOSED)),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Request-Id", request_id),
        ]
        if answer.content is not None:
            fields.append(("Content-Length", str(len(answer.content))))
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields]

    def _written(self, representation: Representation, media_type: str) -> tuple[bytes, str]:
        """The bytes and their entity tag."""
        if representation.document is not None:
            variant = representation.document.variants[media_type]
            return variant.content, variant.tag
        node = representation.node or {}
        content = dump(node if media_type == JSON_LD else plain(self._contract, node))
        return content, entity_tag(content, representation.version)

    def _links(self, representation: Representation, media_type: str) -> list[Link]:
        """Plain JSON names the context that makes it JSON-LD (JSON-LD 1.1 section 6.1)."""
        links = [self._documentation, *representation.links]
        document = representation.document
        if media_type == JSON and (document is None or document.plain):
            links.append(self._data_context)
        return links

    def _context(self, path: str) -> Link:
        return Link(self._contract.base + path, CONTEXT, (("type", JSON_LD),))


def _kept(document: Document | None) -> str:
    if document is None:
        return PRIVATE
    return PUBLIC if document.lasting else NEVER
