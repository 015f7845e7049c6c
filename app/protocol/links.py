"""The Link field (RFC 8288), and the Link-Template field (RFC 9652)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Self

from http_sf import ser
from http_sf.types import ListType, ParamsType

# RFC 8288 wants a URI reference, and a field carries ASCII: an IRI has to be percent-encoded before.
_TARGET = re.compile(r"[!#-;=?-~]*")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TEXT = re.compile(r"[ -~]*")


class Link(str):
    """One link of a response, written in the form that clients search for with a regular expression.

    Raises ValueError for what could end the link, or the field, early.
    """

    __slots__ = ()

    def __new__(cls, target: str, rel: str, attributes: tuple[tuple[str, str], ...] = ()) -> Self:
        if not _TARGET.fullmatch(target):
            raise ValueError(f"not the target of a link: {target!r}")
        return super().__new__(cls, f"<{target}>{_parameters(rel, attributes)}")


@lru_cache(maxsize=128)
def _parameters(rel: str, attributes: tuple[tuple[str, str], ...]) -> str:
    """Of which a service has few: its links differ in where they lead."""
    parameters = (("rel", rel), *attributes)
    for name, value in parameters:
        if not (_NAME.fullmatch(name) and _TEXT.fullmatch(value)):
            raise ValueError(f"not an attribute of a link: {name!r}, {value!r}")
    return "".join(f"; {name}={_quoted(value)}" for name, value in parameters)


def link_field(links: Iterable[Link]) -> str:
    """The value of one Link field that carries all `links` in their order."""
    return ", ".join(links)


def link_template_field(templates: Iterable[tuple[str, str, str]]) -> str:
    """Of URI templates, each with its relation and with what the names of its variables are to be put behind
    to become IRIs that tell what they mean (`var-base`)."""
    members: ListType = []
    for template, rel, base in templates:
        parameters: ParamsType = {"rel": rel, "var-base": base}
        members.append((template, parameters))
    return ser(members)


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
