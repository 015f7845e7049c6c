"""JSON as I-JSON asks for it (RFC 8259, RFC 7493), within limits that keep parsing cheap."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import NoReturn, TypeAlias

from app.problems import Problem, Violation
from app.protocol.json_pointer import pointer

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

_MAX_DEPTH = 32
# An organization with as many members as it can have is expanded in some thirty thousand.
_MAX_VALUES = 60_000
_MAX_DIGITS = 300
# An answer stays short even if a million strings are at fault.
_MAX_VIOLATIONS = 100
_SHOWN_LENGTH = 64
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_SEPARATOR = re.compile(r'"(?:[^"\\]++|\\.)*+"?|([\[{,])', re.DOTALL)
# Without an escape or one of these octets, whatever was sent is text.
_DOUBTFUL = re.compile(rb"\\u|\xef[\xb7\xbf]|\xbf[\xbe\xbf]")
_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF)
)
_FORBIDDEN = re.compile(f"[\\x00\ud800-\udfff{_NONCHARACTERS}]")


def loads(data: bytes) -> JSON:
    """The value of a JSON document, whose strings are text. Raises as `parse` and `check_text` do."""
    value = parse(data)
    if is_doubtful(data):
        check_text(value)
    return value


def parse(data: bytes) -> JSON:
    """Raises malformed-content for what is no JSON, is ambiguous (a name twice) or is beyond the limits."""
    text = _decode(data)
    _check_depth(text)
    _check_number(text)
    return _parse(text)


def is_doubtful(data: bytes) -> bool:
    """Whether strings of a JSON document have to be looked at one by one: characters may be no text."""
    return _DOUBTFUL.search(data) is not None


def check_text(value: JSON) -> None:
    """Raises invalid-content, with a violation for each string that has characters which are no text."""
    violations = tuple(islice(_text_faults(value, ()), _MAX_VIOLATIONS))
    if violations:
        raise Problem(
            "invalid-content",
            "Send text without the characters that the violations name.",
            violations=violations,
        )


def _malformed(reason: str) -> Problem:
    return Problem("malformed-content", f"Send one JSON document in UTF-8; {reason}.")


def _decode(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        raise _malformed("leave out the byte order mark at its start")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _malformed(f"byte {error.start + 1} is not UTF-8") from None


def _check_depth(text: str) -> None:
    """Count brackets outside of strings, so that the parser never recurses deeper than the limit."""
    if sum(map(text.count, "[{")) <= _MAX_DEPTH:
        return
    depth = opened = 0
    for match in _BRACKET.finditer(text):
        if match[1]:
            depth += 1
            opened += 1
        elif match[2]:
            depth -= 1
        if depth > _MAX_DEPTH:
            raise _malformed(f"character {match.start() + 1} opens more than {_MAX_DEPTH} levels")
        if opened > _MAX_VALUES:
            raise _too_many()


def _check_number(text: str) -> None:
    """Each value begins with a bracket or follows a comma; in strings they are counted only if it matters."""
    if sum(map(text.count, "[{,")) <= _MAX_VALUES:
        return
    number = sum(match[1] is not None for match in islice(_SEPARATOR.finditer(text), 2 * _MAX_VALUES))
    if number > _MAX_VALUES:
        raise _too_many()


def _too_many() -> Problem:
    return _malformed(f"it has more than {_MAX_VALUES} values")


def _parse(text: str) -> JSON:
    try:
        value: JSON = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        reason = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise _malformed(f"{reason} at line {error.lineno}, column {error.colno}") from None
    return value


def _object(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members: dict[str, JSON] = {}
    for name, value in pairs:
        if name in members:
            raise _malformed(f"the name {_shown(name)} stands more than once in an object")
        members[name] = value
    return members


def _refuse_constant(constant: str) -> NoReturn:
    raise _malformed(f"{constant} is not a JSON number")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise _malformed(f"a number has more than {_MAX_DIGITS} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _malformed(f"the number {_shortened(digits)} is out of range")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_fraction
)


def _text_faults(value: JSON, steps: tuple[str | int, ...]) -> Iterator[Violation]:
    """A violation for each string and each member name that holds a forbidden character."""
    if isinstance(value, str):
        yield from _fault(value, "value", steps)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _text_faults(item, (*steps, index))
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _fault(name, "name", (*steps, name))
            yield from _text_faults(member, (*steps, name))


def _fault(text: str, where: str, steps: tuple[str | int, ...]) -> Iterator[Violation]:
    match = None if text.isascii() and "\0" not in text else _FORBIDDEN.search(text)
    if match:
        key = steps[0] if steps and isinstance(steps[0], str) else ""
        message = f"Leave U+{ord(match[0]):04X} out of the {where}."
        yield Violation(_FORBIDDEN.sub("\ufffd", key), message, pointer(*steps), "text")


def _shown(name: str) -> str:
    """A name as it can stand in a sentence, whatever characters are in it."""
    return json.dumps(_FORBIDDEN.sub("\ufffd", _shortened(name)), ensure_ascii=False)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…"
