"""Heads: what is found sound once is so for whoever sends the same fields, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from app.problems import Problem
from app.protocol import heads
from app.protocol.front_door import MAX_TARGET, Hosts
from app.protocol.heads import Head, Heads

HOST, OTHER = (b"host", b"registry.example"), (b"host", b"10.0.0.1")


@pytest.fixture
def known() -> Heads:
    return Heads(Hosts("registry.example"))


def refused(
    known: Heads,
    fields: Iterable[Iterable[bytes]],
    version: str = "1.1",
    *,
    target: int = 4,
    health: bool = False,
) -> str | None:
    """The type of the problem, None where it is let through."""
    try:
        known.check(known.of(fields), target, version, any_host=health)
    except Problem as problem:
        return problem.type
    return None


def test_whoever_asks_how_the_service_is_under_any_name_has_not_been_let_in(known: Heads) -> None:
    for _ in range(2):
        assert refused(known, [OTHER], health=True) is None
        assert refused(known, [OTHER]) == "misdirected-request"
    assert refused(known, [HOST], health=True) is None
    assert refused(known, [HOST]) is None


def test_what_one_version_may_leave_out_another_may_not(known: Heads) -> None:
    for _ in range(2):
        assert refused(known, [], "1.0") is None
        assert refused(known, [], "1.1") == "invalid-parameter"
    coded = [HOST, (b"transfer-encoding", b"chunked")]
    assert refused(known, coded, "1.1") is None
    assert refused(known, coded, "1.0") == "invalid-parameter"


def test_a_server_that_tells_no_version_is_no_way_around_the_checks(known: Heads) -> None:
    for _ in range(2):
        assert refused(known, [OTHER], "") == "misdirected-request"
        assert refused(known, [HOST, HOST], "") == "invalid-parameter"
        framed = [HOST, (b"transfer-encoding", b"chunked"), (b"content-length", b"1")]
        assert refused(known, framed, "") == "invalid-parameter"


def test_a_target_is_as_long_as_it_is_whatever_the_fields(known: Heads) -> None:
    for _ in range(2):
        assert refused(known, [HOST]) is None
        assert refused(known, [HOST], target=MAX_TARGET + 1) == "uri-too-long"


def test_the_same_fields_are_looked_at_once_in_whatever_they_come(known: Heads) -> None:
    fields = [HOST, (b"accept", b"text/turtle"), (b"accept", b"*/*")]
    assert refused(known, fields) is None
    head = known.of(fields)
    assert head is known.of([list(field) for field in fields])
    assert head is not known.of(fields[::-1])
    assert head.lines[b"accept"] == [b"text/turtle", b"*/*"]
    assert head.said == ((b"text/turtle", b"*/*"), (), ())


@pytest.mark.parametrize(
    "field",
    [(b"idempotency-key", b"2"), (b"if-match", b'"1"'), (b"x", b"x" * heads.LENGTH)],
    ids=["of its own", "a condition", "long"],
)
def test_what_is_not_met_again_is_not_kept(known: Heads, field: tuple[bytes, bytes]) -> None:
    assert refused(known, [HOST, field]) is None
    assert known.of([HOST, field]) is not known.of([HOST, field])


def test_what_was_refused_is_not_kept_and_pushes_nothing_out(
    known: Heads, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused(known, [HOST]) is None
    head = known.of([HOST])
    for number in range(heads.REMEMBERED + 1):
        assert refused(known, [(b"host", b"h%d.example" % number)]) == "misdirected-request"
    assert known.of([HOST]) is head


def test_many_short_fields_are_not_kept(known: Heads) -> None:
    fields = [HOST, *((b"x%d" % number, b"") for number in range(heads.FIELDS))]
    assert refused(known, fields) is None
    assert known.of(fields) is not known.of(fields)


def test_whoever_asks_for_credentials_or_conditions_asks_for_no_plain_read() -> None:
    assert Head((HOST,)).plain
    for name in heads.DECIDING:
        assert not Head((HOST, (name, b"x"))).plain
    assert not Head((HOST, (b"accept", b"x" * (heads.SAID_LENGTH + 1)))).plain
