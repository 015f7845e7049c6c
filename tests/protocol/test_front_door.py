"""What is asked of the head of every request."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.front_door import (
    MAX_FIELD_OCTETS,
    MAX_FIELDS,
    MAX_TARGET,
    Hosts,
    can_be_a_path,
    check_framing,
    check_host,
    check_size,
)

PUBLIC = Hosts("registry.example", ["internal", "[2001:db8::1]"])
LOCAL = Hosts("127.0.0.1")


def refused(type_: str | None) -> Any:
    return pytest.raises(Problem, match=f"^{type_}: ") if type_ else nullcontext()


@pytest.mark.parametrize(
    ("hosts", "host", "problem"),
    [
        (PUBLIC, "registry.example", None),
        (PUBLIC, "Registry.EXAMPLE:8443", None),
        (PUBLIC, "registry.example.", None),
        (PUBLIC, "registry.example:", None),
        (PUBLIC, "internal:80", None),
        (PUBLIC, "[2001:db8::1]:80", None),
        (PUBLIC, "other.example", "misdirected-request"),
        (PUBLIC, "acme.registry.example", "misdirected-request"),
        (PUBLIC, "registry.example.evil.example", "misdirected-request"),
        (PUBLIC, "localhost", "misdirected-request"),
        (PUBLIC, "127.0.0.1", "misdirected-request"),
        (PUBLIC, "registry.example/../x?", "invalid-parameter"),
        (PUBLIC, "a@registry.example", "invalid-parameter"),
        (PUBLIC, "registry.example:80:80", "invalid-parameter"),
        (PUBLIC, "registry.example:http", "invalid-parameter"),
        (PUBLIC, "", "invalid-parameter"),
        (PUBLIC, " ", "invalid-parameter"),
        (LOCAL, "127.0.0.1:8000", None),
        (LOCAL, "127.1.2.3", None),
        (LOCAL, "localhost:8000", None),
        (LOCAL, "[::1]", None),
        (LOCAL, "0.0.0.0", "misdirected-request"),
        (LOCAL, "registry.example", "misdirected-request"),
        (Hosts("registry.example", ["*"]), "anything", None),
        (Hosts("registry.example", ["*"]), "any/thing", "invalid-parameter"),
    ],
)
def test_the_service_answers_for_its_own_hosts(hosts: Hosts, host: str, problem: str | None) -> None:
    """IN-04, IN-05."""
    with refused(problem):
        check_host([host.encode()], hosts, needed=True, any_host=False)


def test_a_request_names_one_host() -> None:
    """IN-04: HTTP/1.0 may name none."""
    one = b"registry.example"
    for lines in ([], [one, one], [b"registry.example, registry.example"]):
        with refused("invalid-parameter"):
            check_host(lines, PUBLIC, needed=True, any_host=False)
    check_host([], PUBLIC, needed=False, any_host=False)
    with refused("invalid-parameter"):
        check_host([one, one], PUBLIC, needed=False, any_host=False)


def test_a_health_check_may_name_any_host() -> None:
    check_host([b"10.0.0.1:8000"], PUBLIC, needed=True, any_host=True)
    with refused("invalid-parameter"):
        check_host([b"10.0.0.1/x"], PUBLIC, needed=True, any_host=True)


def test_what_is_too_long_is_refused_and_what_is_just_not_is_read() -> None:
    """IN-01, IN-02: at the limit, and one beyond it."""
    check_size(MAX_TARGET, [(b"x-a", b"x" * (MAX_FIELD_OCTETS - 3))])
    check_size(1, [(b"x", b"1")] * MAX_FIELDS)
    with refused("uri-too-long"):
        check_size(MAX_TARGET + 1, [])
    with refused("header-fields-too-large"):
        check_size(1, [(b"x", b"1")] * (MAX_FIELDS + 1))
    with pytest.raises(Problem, match="the longest is x-a"):
        check_size(1, [(b"x-a", b"x" * (MAX_FIELD_OCTETS - 2))])


@pytest.mark.parametrize(
    ("version", "type_", "lines"),
    [
        ("1.1", "invalid-parameter", [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")]),
        ("1.0", "invalid-parameter", [(b"transfer-encoding", b"chunked")]),
        ("1.1", "not-implemented", [(b"transfer-encoding", b"gzip, chunked")]),
        ("1.1", "not-implemented", [(b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")]),
    ],
)
def test_content_whose_length_others_may_read_otherwise_is_refused(
    version: str, type_: str, lines: list[tuple[bytes, bytes]]
) -> None:
    """IN-14."""
    with refused(type_) as problem:
        check_framing(version, lines)
    assert problem.value.headers == (("Connection", "close"),)


def test_one_length_is_enough() -> None:
    for lines in ([(b"content-length", b"1")], [(b"transfer-encoding", b"Chunked")], []):
        check_framing("1.1", lines)


@pytest.mark.parametrize(
    ("raw", "possible"),
    [
        (b"/api/instances", True),
        (b"/api/h%61ndles/x", True),
        (b"/%C3%A9", True),
        (b"/a%2Fb", False),
        (b"/a%2fb", False),
        (b"/a%5Cb", False),
        (b"/%00", False),
        (b"/%0a", False),
        (b"/%7F", False),
        (b"/%zz", False),
        (b"/%", False),
        (b"/%f", False),
        (b"/%FF", False),
        (b"/%C0%AF", False),
        (b"/\xc3\xa9", False),
        (b"/a\x00b", False),
    ],
)
def test_a_path_is_text_that_hides_no_slash(raw: bytes, possible: bool) -> None:
    """IN-07, IN-08."""
    assert can_be_a_path(raw) is possible


@given(st.binary(max_size=64))
def test_whatever_is_sent_as_a_path_can_be_judged(raw: bytes) -> None:
    assert can_be_a_path(raw) in (True, False)


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_whatever_is_sent_as_host_is_served_or_refused(lines: list[bytes]) -> None:
    with suppress(Problem):
        check_host(lines, PUBLIC, needed=True, any_host=False)
