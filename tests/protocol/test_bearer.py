"""A token is taken from one well-formed Authorization field and from nowhere else."""

from __future__ import annotations

import string
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.problems import Problem
from app.protocol.bearer import bearer_token

CHARACTERS = string.ascii_letters + string.digits + "-._~+/"
TOKENS = st.builds("{}{}".format, st.text(CHARACTERS, min_size=1), st.sampled_from(["", "=", "=="]))


def refusal(*authorization: str) -> Problem:
    with pytest.raises(Problem) as caught:
        bearer_token(authorization)
    return caught.value


def test_a_request_without_the_field_has_no_token() -> None:
    """AU-02: no credentials are no error."""
    assert bearer_token([]) is None


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    """AU-05."""
    assert bearer_token([f"{scheme} abc.DEF-_~+/123=="]) == "abc.DEF-_~+/123=="


def test_white_space_around_the_token_is_no_part_of_it() -> None:
    assert bearer_token([" Bearer   abc\t"]) == "abc"


def test_two_fields_are_an_invalid_request() -> None:
    """AU-07, AU-03."""
    problem = refusal("Bearer a", "Bearer a")

    assert problem.type == "invalid-parameter"
    assert problem.headers == (("WWW-Authenticate", 'Bearer error="invalid_request"'),)


@pytest.mark.parametrize(
    "authorization",
    [
        *(
            "",
            " ",
            "Bearer",
            "Bearer ",
            "Bearer\tabc",
            "Bearerabc",
            "abc",
            "Basic YTpi",
            "Token abc",
            "Bearer a b",
        ),
        *(
            "Bearer a, Bearer b",
            "Bearer =",
            "Bearer a=b",
            'Bearer "a"',
            'Bearer {"a":1}',
            "Bearer ä",
            "Bearer a\n",
        ),
        *("Bearer a\x00", "Xearer abc", "Bearer token=abc", "Bearer " + "a" * 8_193),
    ],
)
def test_anything_but_a_bearer_token_is_an_invalid_token(authorization: str) -> None:
    """AU-03, AU-16."""
    problem = refusal(authorization)

    assert problem.type == "not-authenticated"
    assert problem.headers == (("WWW-Authenticate", 'Bearer error="invalid_token"'),)


def test_the_answer_does_not_tell_what_was_wrong_with_the_token() -> None:
    """AU-21."""
    assert (
        len(
            {refusal(field).detail for field in ("Basic YTpi", "Bearer", "Bearer ä", "Bearer " + "a" * 9_000)}
        )
        == 1
    )


def test_a_token_has_at_most_8192_characters() -> None:
    """AU-16."""
    assert bearer_token(["Bearer " + "a" * 8_192]) == "a" * 8_192


@pytest.mark.parametrize(
    "field",
    ["Bearer " + "a" * 2_000_000, "Bearer " + "=" * 2_000_000, "Bearer" + " " * 2_000_000],
    ids=["token", "padding", "spaces"],
)
def test_a_huge_field_is_refused_at_once(field: str) -> None:
    """AU-16."""
    start = time.process_time()
    refusal(field)

    assert time.process_time() - start < 1


@given(TOKENS)
def test_a_token_is_read_as_it_was_sent(token: str) -> None:
    assert bearer_token([f"Bearer {token}"]) == token


@given(st.lists(st.text() | st.text(st.sampled_from("Bearr abc=\t")), max_size=2))
def test_any_field_is_a_token_or_a_problem(authorization: list[str]) -> None:
    """AU-16."""
    with suppress(Problem):
        token = bearer_token(authorization)
        assert token is None or token in authorization[0]
