"""The fields of an answer: those that all have, and those of what is represented, in one place each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from app.addresses import ENTRYPOINT
from app.representation.documents import Document
from app.representation.forms import HTML
from app.representation.pages import page_policy
from app.wishes import Choice

API_DOCUMENTATION = "http://www.w3.org/ns/hydra/core#apiDocumentation"
CONTEXT = "http://www.w3.org/ns/json-ld#context"
# Where the rules stand that a request did not keep (LDP section 4.2.1.6): of state, of content.
CONSTRAINED_BY = "http://www.w3.org/ns/ldp#constrainedBy"
CONSTRAINTS = {409: ENTRYPOINT["documentation"], 422: ENTRYPOINT["shapes"]}
# Data differs from caller to caller: it may be kept, but is asked for each time (RFC 9111 section 5.2.2).
PRIVATE, PUBLIC, NEVER = "private, no-cache", "public, max-age=300", "no-store"
# What never changes is not even asked for again (RFC 8246).
FOREVER = "public, max-age=31536000, immutable"
ANYBODYS_TO_KEEP = {PUBLIC, FOREVER}
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
NOTHING_RUNS = (POLICY, "default-src 'none'; frame-ancestors 'none'")

Fields: TypeAlias = Sequence[tuple[str, str]]


def of_every_answer(embedded_by: str, *, secure: bool) -> list[tuple[bytes, bytes]]:
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


def of_representation(
    status: int,
    choice: Choice,
    document: Document | None,
    coding: str | None,
    link: str,
    tag: str | None,
    location: str | None,
    elsewhere: str | None,
) -> Fields:
    """`elsewhere` is where what is shown has its place, if another address was asked (RFC 9110 section
    8.7)."""
    fields = [
        ("Content-Type", str(choice.form)),
        ("Vary", choice.varies),
        ("Cache-Control", _may_be_kept(document)),
        ("Link", link),
        *(document.fields if document else ()),
        *there("ETag", tag),
        *there("Location", location),
        *there("Content-Location", elsewhere),
        *applied(choice),
        *([(POLICY, policy(document))] if choice.form == HTML else []),
        *([("Accept-Ranges", "none")] if choice.method == "GET" else []),
        *there("Content-Encoding", coding),
    ]
    return [it for it in fields if it[0] not in OF_CONTENT] if status == 304 else fields


def policy(document: Document | None) -> str:
    """What a page may do: by its own policy, or by that of pages without scripts."""
    return document.policy if document is not None and document.policy is not None else page_policy()


def applied(choice: Choice) -> Fields:
    """What was done because the client prefers it (RFC 7240 section 3)."""
    preferences = choice.preferences
    handled = preferences.handling and "Prefer" in choice.varies
    told = [f"handling={preferences.handling}"] if handled else []
    if choice.form is not None and choice.method != "GET" and preferences.content:
        told.insert(0, f"return={preferences.content}")
    return [("Preference-Applied", ", ".join(told))] if told else []


def _may_be_kept(document: Document | None) -> str:
    if document is None:
        return PRIVATE
    if document.kept is not None:
        return document.kept
    return FOREVER if document.frozen else PUBLIC if document.lasting else NEVER


def there(name: str, value: str | None) -> Fields:
    """The field, if it has a value."""
    return [(name, value)] if value else []
