"""JSON-LD in any form as statements: expanded by PyLD, within limits, and read from the expanded form."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.addresses import DATA_CONTEXT
from app.contract.contract import Contract
from app.problems import Problem, Violation
from app.protocol.json_pointer import pointer
from app.protocol.strict_json import JSON
from app.representation.content import MAX_VIOLATIONS, invalid, violation
from app.representation.contexts import Contexts, Steps, is_unknown_keyword
from app.representation.processor import (
    ContextResolver,
    FrozenDocumentLoader,
    JsonLdError,
    JsonLdProcessor,
)
from app.representation.recognition import Recognition
from app.representation.statements import LONGEST_IRI, too_much
from app.representation.terms import NodeObject, Terms

# What PyLD makes of a document takes it some 20 microseconds a value, and what it does with an IRI each time.
MAX_VALUES, MAX_EXPANDED = 2_000, 1_500_000
UNBOUNDED = "expanded, or written with this service's context alone"
# Each look at a term costs it as much as so many characters, and each of one that is relative as so many.
_LOOK, _RELATIVE = 30, 8
# What is wrong with a context or a document makes it stumble in these ways too.
_SET_BEFORE = {"@vocab": "x:", "@language": "en"}
_STUMBLES = (JsonLdError, RecursionError, TypeError, KeyError, ValueError, AttributeError, IndexError)


class Expander:
    """`own` is the address of the context of data, `contexts` are all of the service's by address."""

    def __init__(self, contract: Contract) -> None:
        self.own = contract.base + DATA_CONTEXT
        folder, _, name = self.own.rpartition("/")
        found = contract.sources.contexts
        # Its own first: it is what a client is told to use.
        self.contexts = {self.own: found[name].document} | {
            f"{folder}/{other}": context.document for other, context in found.items()
        }
        self._loader = FrozenDocumentLoader(documents=copy.deepcopy(self.contexts))
        self._recognition = Recognition(Terms(found[name], self.own))

    def expand(self, document: JSON, base: str, initial: str | None) -> list[NodeObject]:
        """With the context at the address `initial` where it has none of its own.

        Raises `invalid-content` for what is no JSON-LD, needs a context of others, or has members without a
        meaning, and `malformed-content` for what would take too long.
        """
        recognized = self._recognition.expanded(document, initial)
        if recognized is not None:
            return recognized
        self._check(document, base)
        dropped: list[str | None] = []
        processor = _Metered(dropped.append)
        resolver = ContextResolver({}, self._loader)
        options = {"base": base, "documentLoader": self._loader, "contextResolver": resolver}
        if initial is not None and not has_context(document):
            options["expandContext"] = initial
        try:
            expanded: list[NodeObject] = processor.expand(_nulls_bearable(document), options)
        except _STUMBLES as error:
            raise _not_json_ld(error) from None
        unknown = dict.fromkeys(name for name in dropped if name is not None)
        if unknown:
            message = "No context says what this means; use an IRI, or a term of a context."
            raise invalid(*(violation(name, message, "unknown") for name in islice(unknown, MAX_VIOLATIONS)))
        return expanded

    def _check(self, document: JSON, base: str) -> None:
        contexts, faults = Contexts(self.contexts, base), list[Violation]()
        for number, (steps, key, value) in enumerate(_members(document), 1):
            if number > MAX_VALUES:
                raise too_much(f"at most {MAX_VALUES} values, or else JSON-LD that is {UNBOUNDED}")
            if key == "@context":
                faults += islice(contexts.faults(value, steps), MAX_VIOLATIONS)
            elif key is not None and is_unknown_keyword(key):
                faults.append(Violation(key, "JSON-LD has no such keyword.", pointer(*steps), "unknown"))
        if faults:
            raise invalid(*faults[:MAX_VIOLATIONS])


class _Metered(JsonLdProcessor):  # type: ignore[misc]  # it has no types
    """Every IRI is made here: a short term may stand for a long one, but not too often."""

    _spent = 0

    def _expand_iri(self, active_ctx: Any, value: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(value, str) and len(value) > LONGEST_IRI:
            raise too_much(f"IRIs and terms of at most {LONGEST_IRI} characters")
        iri = super()._expand_iri(active_ctx, value, *arguments, **options)
        if isinstance(iri, str):
            self._spent += len(iri) + (0 if ":" in value else _RELATIVE * len(value))
        self._spent += _LOOK
        if self._spent > MAX_EXPANDED:
            raise too_much("JSON-LD whose terms do not stand for so much so often")
        return iri


def _members(value: JSON) -> Iterator[tuple[Steps, str | None, JSON]]:
    """Every member and item, with the way to it; of a context, nothing that is in it."""
    waiting: list[tuple[Steps, JSON]] = [((), value)]
    while waiting:
        steps, value = waiting.pop()
        if isinstance(value, dict):
            for key, member in value.items():
                yield (*steps, key), key, member
                if key != "@context" and isinstance(member, dict | list):
                    waiting.append(((*steps, key), member))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield (*steps, index), None, item
                if isinstance(item, dict | list):
                    waiting.append(((*steps, index), item))


def _nulls_bearable(value: Any) -> Any:
    """PyLD stumbles where a context takes back a default that there was not: it is set before it is taken."""
    if isinstance(value, list):
        return [_nulls_bearable(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _nulls_bearable(item) for key, item in value.items() if key != "@context"}
    if "@context" in value:
        made["@context"] = list(_bearable(value["@context"]))
    return made


def _bearable(context: Any) -> Iterator[Any]:
    """A default direction does not outlast its own context there, and so need not be taken back."""
    for entry in context if isinstance(context, list) else [context]:
        if isinstance(entry, dict):
            yield {key: value for key, value in _SET_BEFORE.items() if entry.get(key, "") is None}
            yield {key: value for key, value in entry.items() if (key, value) != ("@direction", None)}
        else:
            yield entry


def has_context(document: JSON) -> bool:
    tops = document if isinstance(document, list) else [document]
    return any(isinstance(top, dict) and "@context" in top for top in tops)


def _not_json_ld(error: Exception) -> Problem:
    """Names what is wrong in the words of the standard (JSON-LD 1.1 API section 9.4.6)."""
    code = getattr(error, "code", None) or "invalid JSON-LD"
    cause: BaseException | None = error
    while cause is not None:
        code, cause = getattr(cause, "code", None) or code, cause.__cause__
    place = (
        "@context" if any(word in code for word in ("context", "term", "mapping", "vocab", "prefix")) else ""
    )
    return invalid(Violation(place, f"This is no JSON-LD ({code}).", "#", "json-ld"))
