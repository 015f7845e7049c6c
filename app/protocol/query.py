"""The query of a request as parameters, strictly (RFC 3986 section 3.4, WHATWG's `+` for a space)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from app.problems import Problem

_MAX_PARAMETERS = 64
_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]*")
_PLAIN = re.compile(rb"[A-Za-z0-9\-._~]*")
_ALL_PLAIN = re.compile(rb"[A-Za-z0-9\-._~=&]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def parse_query(raw: bytes) -> tuple[tuple[str, str], ...]:
    """The parameters of a raw query string as (name, value) in the order sent; without `=` a value is empty.

    Raises invalid-parameter for broken percent-encoding, for what is no UTF-8 and for control characters.
    """
    if not raw:
        return ()
    pieces = [piece for piece in raw.split(b"&") if piece]
    if len(pieces) > _MAX_PARAMETERS:
        raise Problem("invalid-parameter", f"Send at most {_MAX_PARAMETERS} query parameters.")
    # Most have nothing to decode, which is seen sooner than it is done.
    if _ALL_PLAIN.fullmatch(raw):
        return tuple([_in_two(piece) for piece in pieces])
    return tuple(map(_parameter, pieces))


def single(parameters: Iterable[tuple[str, str]], name: str) -> str | None:
    """The value of the parameter `name`, None if it is absent; raises invalid-parameter if it is repeated."""
    values = [value for other, value in parameters if other == name]
    if len(values) > 1:
        raise Problem(
            "invalid-parameter", f"Send the query parameter {name} once; it stands {len(values)} times."
        )
    return values[0] if values else None


def encode_query(parameters: Iterable[tuple[str, str]]) -> str:
    """The query string that parses to `parameters`; all but unreserved characters are percent-encoded."""
    return "&".join([f"{_encoded(name)}={_encoded(value)}" for name, value in parameters])


def _encoded(text: str) -> str:
    """As above, the other way."""
    if text.isalnum() and text.isascii():
        return text
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def _in_two(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.decode("ascii").partition("=")
    return name, value


def _parameter(piece: bytes) -> tuple[str, str]:
    raw_name, _, raw_value = piece.partition(b"=")
    try:
        return _decode(raw_name), _decode(raw_value)
    except ValueError as error:
        raise Problem("invalid-parameter", f"Send the query parameter {_shown(raw_name)} {error}.") from None


def _decode(raw: bytes) -> str:
    """The text of a name or value; raises ValueError with what would be right."""
    if _PLAIN.fullmatch(raw):
        return raw.decode("ascii")
    if _BROKEN.search(raw):
        raise ValueError("with two hexadecimal digits after each %")
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise ValueError("as percent-encoded UTF-8") from None
    if _CONTROL.search(text):
        raise ValueError("without control characters")
    return text


def _shown(raw_name: bytes) -> str:
    """A name as it can stand in a sentence, whatever bytes are in it and however long it is."""
    name = unquote_to_bytes(raw_name[:64]).decode(errors="replace")
    return _CONTROL.sub("\ufffd", name) or "without a name"
