"""What the target of a request names."""

from __future__ import annotations

import pytest

from app.problems import Problem
from app.protocol.targets import Target, parse_target, with_host


@pytest.mark.parametrize(
    ("target", "parsed"),
    [
        (b"/", Target(b"/")),
        (b"/api?a=b?c", Target(b"/api", b"a=b?c")),
        (b"//other.example/x", Target(b"//other.example/x")),
        (b"/http://other.example/x", Target(b"/http://other.example/x")),
        (b"http://other.example:80/x%20?y", Target(b"/x%20", b"y", b"other.example:80")),
        (b"HTTPS://other.example", Target(b"/", b"", b"other.example")),
        (b"http://other.example?y=/", Target(b"/", b"y=/", b"other.example")),
        (b"http://me@other.example/", Target(b"/", b"", b"me@other.example")),
    ],
)
def test_a_target_is_a_path_or_an_address_whose_authority_counts(target: bytes, parsed: Target) -> None:
    assert parse_target("GET", target) == parsed


def test_the_whole_server_can_only_be_asked_for_its_options() -> None:
    assert parse_target("OPTIONS", b"*") == Target(b"*")
    with pytest.raises(Problem, match="invalid-parameter"):
        parse_target("GET", b"*")


@pytest.mark.parametrize(
    "target", [b"", b"/a#b", b"http://a/b#c", b"ftp://a/b", b"http:///x", b"a", b"a:1", b"**", b"*/"]
)
def test_what_is_neither_is_refused(target: bytes) -> None:
    with pytest.raises(Problem, match="invalid-parameter"):
        parse_target("OPTIONS", target)


def test_the_authority_of_the_target_takes_the_place_of_the_one_host() -> None:
    lines = [(b"accept", b"*/*"), (b"host", b"a")]
    assert with_host(lines, b"b") == [(b"accept", b"*/*"), (b"host", b"b")]
    for wrong in ([], [(b"host", b"a"), (b"host", b"a")]):
        assert with_host(wrong, b"b") == wrong
