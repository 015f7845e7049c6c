"""What clients send, in whichever syntax, as plain JSON by the contract's keys: what `content` judges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

from app.contract.contract import Contract
from app.problems import Problem, Violation
from app.protocol.media_types import MediaType
from app.protocol.strict_json import JSON, check_text, is_doubtful, parse
from app.representation.content import invalid
from app.representation.described import describe
from app.representation.expanded import read_expanded
from app.representation.forms import JSON_LD
from app.representation.json_ld import Expander, has_context
from app.representation.keys import Keys, read_keys
from app.representation.statements import Statements
from app.representation.syntaxes import PARSED, read_statements

PROFILES = "http://www.w3.org/ns/json-ld#"
# Reading so much of JSON takes less time than having it read elsewhere.
QUICKLY_READ = 16_384
# They share one interpreter: several at once would not be done sooner, and others would wait longer.
AT_ONCE = 1


@dataclass(frozen=True)
class Target:
    """What the content is about: `base` is the address of `<>`, `names` are others of the same resource."""

    class_name: str
    base: str
    names: Collection[str] = ()


@dataclass(frozen=True)
class Sent:
    """What came, what it says as plain JSON, and why it could not be read, which is told when it is time."""

    media_type: str = ""
    content: bytes = b""
    document: JSON = None
    problem: Problem | None = None


class Reader:
    """Reads off the event loop what may take long, a few at a time."""

    def __init__(self, contract: Contract) -> None:
        self._expander = Expander(contract)
        self._context = self._expander.own
        self._keys = {name: read_keys(contract, name) for name in contract.classes}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, media_type: MediaType, content: bytes, target: Target) -> Sent:
        if len(content) <= QUICKLY_READ and media_type.essence not in PARSED:
            try:
                return _sent(media_type, content, partial(self._plain, target))
            except _NotPlain:
                pass
        async with self._turns:
            return await asyncio.to_thread(_sent, media_type, content, partial(self._document, target))

    def _document(self, target: Target, media_type: MediaType, content: bytes) -> JSON:
        if media_type.essence in PARSED:
            document = self._described(read_statements(media_type.essence, content, target.base), target)
            check_text(document)
            return document
        try:
            return self._plain(target, media_type, content)
        except _NotPlain as linked:
            return self._linked(media_type, linked.document, content, target)

    def _linked(self, media_type: MediaType, linked: JSON, content: bytes, target: Target) -> JSON:
        """What is no text is told of by its key; where it has none, by its place in what was sent."""
        fault = _fault_of_text(linked) if is_doubtful(content) else None
        try:
            expanded = self._expander.expand(linked, target.base, self._initial(media_type, linked))
            document = self._described(read_expanded(expanded, target.base, len(content)), target)
        except Problem as problem:
            raise (fault or problem) from None
        if fault is not None:
            raise _fault_of_text(document) or fault
        return document

    def _described(self, statements: Statements, target: Target) -> JSON:
        return describe(statements, self._keys[target.class_name], target.base, target.names)

    def _plain(self, target: Target, media_type: MediaType, content: bytes) -> JSON:
        """JSON that is by the contract's keys already. Raises `_NotPlain` for JSON-LD that is not."""
        document = parse(content)
        if media_type.essence == JSON_LD and isinstance(document, dict | list):
            plain = (
                isinstance(document, dict)
                and not _uncompacted(media_type)
                and self._is_plain(document, self._keys[target.class_name])
            )
            if not plain:
                raise _NotPlain(document)
        if is_doubtful(content):
            check_text(document)
        return document

    def _is_plain(self, document: dict[str, JSON], keys: Keys) -> bool:
        """With the service's context, or none: then it is meant. A member whose value is not looked at may be
        any node that is compact too; any other has one value, of which nothing is said."""
        return document.get("@context", self._context) == self._context and all(
            _is_plain_member(key, value, keys) for key, value in document.items()
        )

    def _initial(self, media_type: MediaType, document: JSON) -> str | None:
        """The context of what has none: the service's own, or that which the profile names; none of what is
        said to be expanded. Raises `invalid-content` where it has one nevertheless."""
        profiles = _profiles(media_type)
        if _uncompacted(media_type):
            if has_context(document):
                message = "The profile says that there is no context; leave out one of them."
                raise invalid(Violation("@context", message, "#/@context", "context"))
            return None
        return next((profile for profile in profiles if profile in self._expander.contexts), self._context)


def _sent(media_type: MediaType, content: bytes, read: Callable[[MediaType, bytes], JSON]) -> Sent:
    try:
        return Sent(str(media_type), content, read(media_type, content))
    except Problem as problem:
        return Sent(str(media_type), content, problem=problem.with_traceback(None))


class _NotPlain(Exception):  # noqa: N818 - it is no error
    def __init__(self, document: JSON) -> None:
        super().__init__()
        self.document = document


def _fault_of_text(value: JSON) -> Problem | None:
    try:
        check_text(value)
    except Problem as problem:
        return problem.with_traceback(None)
    return None


def _is_term(key: str) -> bool:
    return not key.startswith("@") and ":" not in key


def _is_plain_member(key: str, value: JSON, keys: Keys) -> bool:
    if key in ("@context", "originId"):
        return True
    if key == "@id":
        return _is_whole(value)
    if key == "@type":
        types = value if isinstance(value, list) else [value]
        return all(not isinstance(it, str) or _is_term(it) for it in types)
    return _is_term(key) and _is_plain_value(key, value, keys)


def _is_plain_value(key: str, value: JSON, keys: Keys) -> bool:
    if key in keys.ignored:
        return _is_compact(value)
    if isinstance(value, dict):
        return list(value) == ["@id"] and _is_whole(value["@id"])
    if keys.coercions.get(key) == "@id" and not _is_whole(value):
        return False
    return not isinstance(value, list)


def _is_whole(value: JSON) -> bool:
    """An IRI that is neither relative nor compact (JSON-LD 1.1 API section 5.2), or none at all, which is
    told by its own name."""
    return not isinstance(value, str) or value.partition(":")[2].startswith("//")


def _is_compact(value: JSON) -> bool:
    """Nodes that are written with the service's context alone."""
    if isinstance(value, list):
        return all(_is_compact(item) for item in value)
    if isinstance(value, dict):
        return all(
            (key in ("@id", "@type") or _is_term(key)) and _is_compact(it) for key, it in value.items()
        )
    return True


def _profiles(media_type: MediaType) -> list[str]:
    named = [value for name, value in media_type.parameters if name == "profile"]
    return [profile for value in named for profile in value.split()]


def _uncompacted(media_type: MediaType) -> bool:
    """Expanded, or flattened and not compacted again (JSON-LD 1.1 appendix C)."""
    named = {
        profile.removeprefix(PROFILES) for profile in _profiles(media_type) if profile.startswith(PROFILES)
    }
    return bool(named & {"expanded", "flattened"}) and "compacted" not in named
