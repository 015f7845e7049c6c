"""The contexts that a client sends: which there may be, before any of them is processed.

None is fetched. Those of its own are inline and stay small; what they may hold is what JSON-LD 1.1 has less
what nests (scoped contexts) or leads elsewhere (`@import`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.problems import Violation
from app.protocol.json_pointer import pointer
from app.protocol.strict_json import JSON
from app.representation.processor import iri_resolver

MAX_CONTEXTS, MAX_TERMS, LONGEST = 32, 1_000, 2_000
SHOWN_LENGTH = 200
_DEFAULTS = {"@base", "@vocab", "@language", "@direction"}
_ENTRIES = {*_DEFAULTS, "@version", "@protected", "@type"}
_DEFINITION = {"@id", "@reverse", "@type", "@container", "@language", "@direction"}
_DEFINITION |= {"@index", "@nest", "@prefix", "@protected"}
KEYWORDS = {
    *("@context", "@id", "@type", "@graph", "@reverse", "@included", "@nest", "@index", "@value"),
    *("@language", "@direction", "@list", "@set", "@json", "@none", "@vocab", "@base", "@version"),
    *("@protected", "@propagate", "@import", "@container", "@prefix"),
}
_LIKE_A_KEYWORD = re.compile(r"@[A-Za-z]+")

Steps = tuple[str | int, ...]


class Contexts:
    """Of one document. `known` are the service's own by address; relative ones are to `base`."""

    def __init__(self, known: Mapping[str, Any], base: str) -> None:
        self._known = known
        self._base = base
        self._number = 0
        self._terms = 0

    def faults(self, context: JSON, steps: Steps) -> Iterator[Violation]:
        """Of what stands under one `@context`."""
        several = isinstance(context, list)
        for index, entry in enumerate(context if isinstance(context, list) else [context]):
            here = (*steps, index) if several else steps
            self._number += 1
            if self._number > MAX_CONTEXTS:
                yield _fault(here, f"Send at most {MAX_CONTEXTS} contexts.")
                return
            if isinstance(entry, str):
                yield from self._reference(entry, here)
            elif isinstance(entry, dict):
                yield from self._inline(entry, here)
            elif entry is not None:
                yield _fault(here, "A context is an object, one of this service's addresses, or null.")

    def _reference(self, address: str, steps: Steps) -> Iterator[Violation]:
        if iri_resolver.resolve(address, self._base) not in self._known:
            own = next(iter(self._known))
            shown = address if len(address) <= SHOWN_LENGTH else f"{address[:SHOWN_LENGTH]}…"
            yield _fault(
                steps,
                f"Nothing is fetched: put the terms of {shown} in its place, or name this service's {own}.",
            )

    def _inline(self, context: dict[str, JSON], steps: Steps) -> Iterator[Violation]:
        self._terms += len(context)
        if self._terms > MAX_TERMS:
            yield _fault(steps, f"Send contexts with at most {MAX_TERMS} terms.")
            return
        for term, definition in context.items():
            here = (*steps, term)
            if term.startswith("@") and term not in _ENTRIES:
                yield _fault(here, f"Leave out {term[:SHOWN_LENGTH]}: it is not read in contexts of others.")
            elif term in _DEFAULTS and not isinstance(definition, str | None):
                yield _fault(here, "This must be a string or null.")
            elif len(term) > LONGEST:
                yield _fault(here, f"A term has at most {LONGEST} characters.")
            else:
                yield from _definition(definition, here)


def _definition(definition: JSON, steps: Steps) -> Iterator[Violation]:
    entries = definition if isinstance(definition, dict) else {"@id": definition}
    for key, value in entries.items():
        if key not in _DEFINITION:
            yield _fault((*steps, key), f"Leave out {key[:SHOWN_LENGTH]}: a term has no such entry here.")
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, dict | list):
                yield _fault(steps, "This must be an IRI, or an object that defines a term.")
            elif isinstance(text, str) and (len(text) > LONGEST or is_unknown_keyword(text)):
                yield _fault(steps, f"This must be an IRI of at most {LONGEST} characters, or a keyword.")


def is_unknown_keyword(text: str) -> bool:
    """Processors pass over what looks like a keyword and is none (JSON-LD 1.1 section 9.16)."""
    return text not in KEYWORDS and _LIKE_A_KEYWORD.fullmatch(text) is not None


def _fault(steps: Steps, message: str) -> Violation:
    return Violation("@context", message, pointer(*steps), "context")
