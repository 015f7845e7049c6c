"""What every answer to a hostile request has to be."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from functools import lru_cache, partial
from urllib.parse import unquote_to_bytes

import httpx
import orjson
import pyoxigraph

from app.protocol.front_door import can_be_a_path
from app.representation.forms import HTML, LINKSET, TEXT
from app.request import METHODS
from tests.hostile.estate import Estate
from tests.hostile.requests import Request
from tests.judges import SYNTAXES
from tests.promises import CONTRACT, check_kept
from tests.service import BASE, JSON, JSON_LD, PROBLEM
from tests.test_sweep import check_common, check_problem

XSD = "http://www.w3.org/2001/XMLSchema#"
CURSOR = re.compile(rb"(?:after|before)=([\w-]{8,})")
# Who may be told of everybody.
TOLD = ("auditor",)


@lru_cache(maxsize=64)
def _graph(media_type: str, content: bytes) -> tuple[pyoxigraph.Quad, ...]:
    quads = tuple(pyoxigraph.parse(content, SYNTAXES[media_type][1]))
    assert quads
    return quads


READERS: dict[str, Callable[[bytes], object]] = {
    JSON: orjson.loads,
    JSON_LD: lambda content: orjson.loads(content)["@context"],
    **{media_type: partial(_graph, media_type) for media_type in SYNTAXES},
    LINKSET: lambda content: orjson.loads(content)["linkset"],
    TEXT: bytes.decode,
    HTML: lambda content: content.decode().index("</html>"),
}


def _read(media_type: str, content: bytes) -> object:
    """A profile of JSON-LD may have no context. Raises whatever the reader of the media type raises."""
    profiled = media_type.startswith(f"{JSON_LD};profile=")
    return READERS[JSON if profiled else media_type](content)


@dataclass
class Judge:
    """Of the answers of one copy of the world; `said` are marks that a caller has put there itself."""

    estate: Estate
    said: set[str] = field(default_factory=set)

    def judge(self, request: Request, answer: httpx.Response) -> None:
        """Raises AssertionError, or whatever the reader of a media type raises."""
        check_answer(answer, strange=_is_strange(request), is_head=request.method == "HEAD")
        if can_be_a_path(request.target) and b"%" not in request.target:
            check_kept(request.method, request.target.decode("ascii"), answer)
        sent = self.marks(request.head + b"\n" + request.content)
        if request.method in ("POST", "PUT", "PATCH") and answer.is_success:
            self.let(sent)
        self._check_marks(request, sent, answer)

    def judge_octets(self, request: Request, sent: Set[str], answer: httpx.Response) -> None:
        """As `judge`, where it is not certain what was asked; `sent` are the marks in it."""
        check_answer(answer, strange=True)
        self._check_marks(request, sent, answer)

    def let(self, sent: Set[str]) -> None:
        """From now on these marks may be met, for they may have been stored."""
        self.said |= sent | {self.estate.named[mark] for mark in sent if mark in self.estate.named}

    def _check_marks(self, request: Request, sent: Set[str], answer: httpx.Response) -> None:
        lines = b"\n".join(b": ".join(line) for line in answer.headers.raw)
        leaked = self.marks(lines + b"\n" + answer.content) - sent - self.said
        assert not leaked or request.caller in TOLD, f"{request.caller} was told of {sorted(leaked)}"

    def marks(self, octets: bytes) -> set[str]:
        """Also those in escapes and in cursors."""
        texts = [octets, unquote_to_bytes(octets), *map(_decoded, CURSOR.findall(octets))]
        text = b"\n".join(texts).lower().decode("latin-1")
        return {mark for mark in self.estate.marks if mark in text}


def _is_strange(request: Request) -> bool:
    """Whether 501 may be the answer, as it may be to a method or a transfer coding that is not known."""
    codings = [value for name, value in request.fields if name == b"transfer-encoding"]
    return request.method not in METHODS or (codings != [] and codings != [b"chunked"])


def check_answer(answer: httpx.Response, *, strange: bool, is_head: bool = False) -> None:
    """A failure of the service's own is none that a client may bring about."""
    status = answer.status_code
    assert status < 500 or (status == 501 and strange), f"status {status}"
    if status >= 400:
        _check_refusal(answer, is_head=is_head)
        return
    check_common(answer)
    if is_head or status in (204, 304):
        assert answer.content == b""
    elif status == 303:
        assert answer.headers["Location"].startswith(f"{BASE}/api")
    elif answer.content:
        _read(answer.headers["Content-Type"], answer.content)
    else:
        # Nothing but the address, for who prefers that.
        assert (status, answer.headers.get("Preference-Applied", "")[:14]) == (201, "return=minimal")


def _check_refusal(answer: httpx.Response, *, is_head: bool) -> None:
    status = answer.status_code
    if status == 405:
        assert answer.headers["Allow"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    if is_head:
        check_common(answer)
        assert answer.content == b""
        assert answer.headers["Content-Type"] in (PROBLEM, HTML, *SYNTAXES)
        return
    if answer.headers["Content-Type"] == HTML:
        # What is wrong is told by what its scripts ask for; it tells nothing itself.
        check_common(answer)
        assert answer.content.startswith(b"<!DOCTYPE html>")
        assert status in (401, 404, 405, 412, 429)
        return
    if answer.headers["Content-Type"] in SYNTAXES:
        check_common(answer)
        told = {str(quad.object) for quad in _graph(answer.headers["Content-Type"], answer.content)}
        [name] = [name for name, problem in CONTRACT.problems.items() if f"<{problem.iri}>" in told]
        assert f'"{CONTRACT.problems[name].status}"^^<{XSD}integer>' in told
        assert CONTRACT.problems[name].status == status
        return
    name = answer.json()["type"].removeprefix(f"{BASE}/problems/")
    check_problem(answer, name)
    assert CONTRACT.problems[name].status == status
    if status == 422:
        assert answer.json().get("violations") or "Idempotency-Key" in answer.json()["detail"]


def _decoded(cursor: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(cursor + b"=" * (-len(cursor) % 4))
    except binascii.Error:
        return b""
