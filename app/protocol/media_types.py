"""Media types as values (RFC 9110 section 8.3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TCHARS = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*+)"'
_TYPE = re.compile(rf"({_TCHARS})/({_TCHARS})")
# A semicolon may stand alone (RFC 9110 section 5.6.6). The last form of a value is no token, only what
# JSON-LD's own example 166 and PyLD send: `profile=http://www.w3.org/ns/json-ld#context`.
_PARAMETER = re.compile(
    rf"[ \t]*+;[ \t]*+(?:({_TCHARS})="
    rf"(?:{_QUOTED}|({_TCHARS})(?=[ \t;]|\Z)|(?<=[; \t](?i:profile)=)([!#-+\--:<-~]++)))?+"
)
_ESCAPE = re.compile(r"\\(.)")
# What is longer is not worth being remembered.
REMEMBERED, LENGTH = 256, 128


@dataclass(frozen=True)
class MediaType:
    """A media type or media range; type, subtype and the parameters' names are in lower case.

    `parameters` are (name, value) in the order sent, values without their quotes and escapes.
    """

    type: str
    subtype: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def essence(self) -> str:
        """The type without parameters: `application/ld+json`."""
        return f"{self.type}/{self.subtype}"

    def __str__(self) -> str:
        """The field value that parses to this media type."""
        return self.essence + "".join(f";{name}={_value(value)}" for name, value in self.parameters)


def parse_media_type(text: str) -> MediaType | None:
    """The media type that a field value or one member of `Accept` names; None for anything else."""
    return (_remembered if len(text) <= LENGTH else _parse)(text)


def _parse(text: str) -> MediaType | None:
    text = text.strip(" \t")
    match = _TYPE.match(text)
    if match is None:
        return None
    end = match.end()
    parameters = []
    while end < len(text):
        parameter = _PARAMETER.match(text, end)
        if parameter is None:
            return None
        end = parameter.end()
        name, quoted, token, iri = parameter.groups()
        if name is not None:
            value = _ESCAPE.sub(r"\1", quoted) if quoted is not None else token or iri
            parameters.append((name.lower(), value))
    return MediaType(match[1].lower(), match[2].lower(), tuple(parameters))


_remembered = lru_cache(REMEMBERED)(_parse)


def _value(value: str) -> str:
    if re.fullmatch(_TCHARS, value):
        return value
    return '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
