"""Entity tags and the preconditions that clients state with them (RFC 9110 sections 8.8.3 and 13).

A record's tag is `"{version}.{hash}"`: its counter, and a hash of the bytes sent. The whole tells one
representation from another; the version alone is what a write depends on, so that a tag got from any
representation serves for it. Collections and documents have no counter: theirs is `"{hash}"`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from app.problems import Problem

_DIGITS = 16
_MAX_TAGS = 32
_MAX_LENGTH = 4_096
# One member of a list: an entity tag, which may hold commas, or whatever else stands before the next comma.
_MEMBER = re.compile(
    r'[ \t]*+(?:(?P<weak>W/)?"(?P<opaque>[\x21\x23-\x7e\x80-\xff]*+)"[ \t]*+(?=,|\Z)'
    r"|(?P<other>[^,]*+))(?:,|\Z)"
)
_ONE = re.compile(r'"([\x21\x23-\x7e\x80-\xff]*+)"')


@dataclass(frozen=True)
class EntityTag:
    """One entity tag; `opaque` is what stands between the quotes."""

    opaque: str
    weak: bool


Tags: TypeAlias = tuple[EntityTag, ...] | Literal["*"] | None


@dataclass(frozen=True)
class Conditions:
    """What a request states in If-Match and If-None-Match: tags, `*`, or None for an absent field.

    An If-Match that is malformed or beyond the limits has no tags, so that it never matches. `required` is
    whether a change needs it.
    """

    if_match: Tags = None
    if_none_match: Tags = None
    required: bool = False

    @property
    def stated(self) -> bool:
        return self.if_match is not None or self.if_none_match is not None


_NONE, _NEEDED = Conditions(), Conditions(required=True)


def entity_tag(body: bytes, version: int | None = None, coding: str | None = None, form: str = "") -> str:
    """The strong tag, with its quotes, of a representation of a record (at `version`) or of anything else.

    The same bytes in another `form`, a media type, and what is sent in a `coding` have tags of their own
    (RFC 9110 section 8.8.3.3), told from the `body` before.
    """
    digest = _begun(form, coding).copy()
    digest.update(body)
    opaque = digest.hexdigest()[:_DIGITS]
    return f'"{opaque}"' if version is None else f'"{version}.{opaque}"'


@lru_cache(maxsize=128)
def _begun(form: str, coding: str | None) -> hashlib._Hash:
    """Processors have instructions for this one. Where it comes from is looked for once."""
    return hashlib.sha256(f"{form} {coding or ''} ".encode())


def parse_conditions(
    if_match: Sequence[str], if_none_match: Sequence[str], *, required: bool = False
) -> Conditions:
    """The conditions that all lines of the two fields state; never raises, for they are judged later."""
    if not if_match and not if_none_match:
        return _NEEDED if required else _NONE
    return Conditions(_parse_if_match(if_match), _tags(if_none_match), required)


def check_write(conditions: Conditions, version: int) -> None:
    """Raise precondition-failed unless the record at `version` is what the client means to change, and
    precondition-required for who does not say what it means to change though it has to."""
    if conditions.required and conditions.if_match is None:
        raise Problem(
            "precondition-required", "Read the resource and send the ETag of the answer in If-Match."
        )
    _check(conditions, lambda opaque: opaque.startswith(f"{version}."))


def check_creation(conditions: Conditions, tags: Collection[str]) -> None:
    """As `check_write`, for a list that has one of these `tags` now, whatever its form, and grows."""
    opaque_tags = {_opaque(tag) for tag in tags}
    _check(conditions, lambda opaque: opaque in opaque_tags)


def _check(conditions: Conditions, current: Callable[[str], bool]) -> None:
    if conditions.if_match is not None and not _contains(conditions.if_match, current, strong=True):
        raise Problem(
            "precondition-failed",
            "The resource is not in a version that If-Match names. "
            "Read it again and send the ETag of that answer in If-Match.",
        )
    if _contains(conditions.if_none_match, current, strong=False):
        raise Problem(
            "precondition-failed",
            "The resource is in a version that If-None-Match excludes. "
            "Read it again and send the ETag of that answer in If-Match instead.",
        )


def check_read(conditions: Conditions, tag: str) -> None:
    """Raise precondition-failed if If-Match names another version than the one that has `tag`."""
    version, dot, _ = _opaque(tag).partition(".")

    def current(opaque: str) -> bool:
        return opaque.startswith(f"{version}.") if dot else opaque == version

    if conditions.if_match is not None and not _contains(conditions.if_match, current, strong=True):
        raise Problem(
            "precondition-failed",
            "The resource is not in a version that If-Match names. "
            "Read it again without If-Match and use the ETag of that answer.",
        )


def not_modified(conditions: Conditions, tag: str) -> bool:
    """Whether the client of a GET or HEAD has the representation with `tag` already (304)."""
    return _contains(conditions.if_none_match, lambda opaque: opaque == _opaque(tag), strong=False)


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')


def _contains(tags: Tags, current: Callable[[str], bool], *, strong: bool) -> bool:
    """Whether a tag is `current`, by the strong or the weak comparison (RFC 9110 section 8.8.3.2)."""
    if tags is None or tags == "*":
        return tags == "*"
    return any(current(tag.opaque) for tag in tags if not (strong and tag.weak))


def _parse_if_match(lines: Sequence[str]) -> Tags:
    if sum(map(len, lines)) > _MAX_LENGTH:
        return ()
    tags, malformed = _parse(lines)
    if tags is None or tags == "*":
        return tags
    return () if malformed or len(tags) > _MAX_TAGS else tags


def _tags(if_none_match: Sequence[str]) -> Tags:
    """Of most clients one, as it was told to them."""
    one = _ONE.fullmatch(if_none_match[0]) if len(if_none_match) == 1 else None
    return (EntityTag(one[1], weak=False),) if one else _parse(if_none_match)[0]


def _parse(lines: Sequence[str]) -> tuple[Tags, bool]:
    """The tags that all lines of a field name, and whether the field has members that are none."""
    if not lines:
        return None, False
    matches = (match for line in lines for match in _MEMBER.finditer(line))
    members = [match for match in matches if match["other"] != ""]
    others = [match["other"].rstrip(" \t") for match in members if match["other"]]
    if others == ["*"] and len(members) == 1:
        return "*", False
    tags = tuple(EntityTag(m["opaque"], m["weak"] is not None) for m in members if m["opaque"] is not None)
    return tags, bool(others)
