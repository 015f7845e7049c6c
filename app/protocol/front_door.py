"""What is asked of the head of every request before anything else (RFC 9112 section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes

from app.problems import Problem

# In octets; RFC 9110 section 4.1 recommends that at least this long a target can be used.
MAX_TARGET = 8_000
MAX_FIELD_OCTETS = 32_768
MAX_FIELDS = 100

Lines = Sequence[tuple[bytes, bytes]]

_HOST = re.compile(r"([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_BROKEN = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# What no path of the service holds, and what would change which resource it leads to: a slash in disguise.
_FORBIDDEN = re.compile(rb"%(?:2[fF]|5[cC]|[01][0-9A-Fa-f]|7[fF])|[\x00-\x20\x7f]")
_VISIBLE = bytes(range(0x21, 0x7F))
_CLOSE = ("Connection", "close")


class Hosts:
    """The hosts that the service answers for, by name; the port does not matter.

    `public` is the one in its addresses. Where that is this machine's own, so is every loopback name; `*`
    among `others` is any host.
    """

    def __init__(self, public: str, others: Iterable[str] = ()) -> None:
        self._names = {_name(host) for host in (public, *others)}
        self._any = "*" in self._names
        self._loopback = is_loopback(_name(public))
        self._has = lru_cache(maxsize=64)(self._judged)

    def __contains__(self, host: str) -> bool:
        return self._has(host)

    def _judged(self, host: str) -> bool:
        name = _name(host)
        return self._any or name in self._names or (self._loopback and is_loopback(name))


def check_size(target: int, lines: Lines) -> None:
    """Raises `uri-too-long` and `header-fields-too-large`; `target` is the length of the request's target."""
    if target > MAX_TARGET:
        raise Problem("uri-too-long", f"Use an address of at most {MAX_TARGET} octets.", headers=[_CLOSE])
    if len(lines) > MAX_FIELDS:
        raise _fields(f"Send at most {MAX_FIELDS} header fields.")
    if sum([len(name) + len(value) for name, value in lines]) > MAX_FIELD_OCTETS:
        longest = max(lines, key=lambda line: len(line[0]) + len(line[1]))[0][:64].decode("latin-1")
        raise _fields(
            f"Send header fields of at most {MAX_FIELD_OCTETS} octets in all; the longest is {longest}."
        )


def check_framing(version: str, lines: Lines) -> None:
    """Raises `invalid-parameter` where whoever is in between may have read another length of the content
    (RFC 9112 section 6.1), and `not-implemented` for what would have to be decoded beside that."""
    codings = [value.strip().lower() for name, value in lines if name == b"transfer-encoding"]
    if not codings:
        return
    if version == "1.0" or any(name == b"content-length" for name, _ in lines):
        detail = "Send either Content-Length or, with HTTP/1.1, Transfer-Encoding."
        raise Problem("invalid-parameter", detail, headers=[_CLOSE])
    if codings != [b"chunked"]:
        raise Problem("not-implemented", "Use chunked as the only Transfer-Encoding.", headers=[_CLOSE])


def check_host(named: Sequence[bytes], hosts: Hosts, *, needed: bool, any_host: bool) -> None:
    """Raises `invalid-parameter` for what is no single host, `misdirected-request` for one of somebody else.

    `named` are all lines of the field, which HTTP/1.1 `needed`; `any_host` is for health checks, which know a
    machine by its number.
    """
    if not named and not needed:
        return
    host = _host(named[0]) if len(named) == 1 else None
    if host is None:
        raise Problem("invalid-parameter", "Send one Host field with a host's name.", headers=[_CLOSE])
    if not any_host and host not in hosts:
        raise Problem(
            "misdirected-request",
            "Use the address under which this service is published; Host names another one.",
        )


@lru_cache(maxsize=64)
def _host(field: bytes) -> str | None:
    """Without its port; None for what names no host. Clients say the same few over and over."""
    match = _HOST.fullmatch(field.decode("latin-1"))
    return match[1] if match else None


def can_be_a_path(raw: bytes) -> bool:
    """Whether a path, as it was sent, can be one of the service's: text in which no slash is hidden."""
    if b"%" not in raw:
        return not raw.translate(None, _VISIBLE)
    if _BROKEN.search(raw) or _FORBIDDEN.search(raw):
        return False
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


def _fields(detail: str) -> Problem:
    return Problem("header-fields-too-large", detail, headers=[_CLOSE])


def _name(host: str) -> str:
    return host.strip("[]").lower().removesuffix(".")


def is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
