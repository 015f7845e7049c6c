"""Strings that cannot be stored and sent everywhere alike are refused, all of them at once."""

from __future__ import annotations

import json

import pytest

from app.problems import Problem, Violation
from app.protocol.strict_json import loads

FORBIDDEN = ["\x00", "\ud800", "\udfff", "\ufdd0", "\ufdef", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff"]


def violations(data: bytes) -> tuple[Violation, ...]:
    with pytest.raises(Problem) as caught:
        loads(data)
    assert caught.value.type == "invalid-content"
    return caught.value.violations


@pytest.mark.parametrize("character", FORBIDDEN)
def test_a_character_that_is_no_text_is_invalid_content(character: str) -> None:
    """JS-07, JS-08."""
    (violation,) = violations(json.dumps({"name": f"a{character}b"}).encode())

    assert (violation.property_path, violation.pointer, violation.code) == ("name", "#/name", "text")
    assert f"U+{ord(character):04X}" in violation.message


@pytest.mark.parametrize("character", [*FORBIDDEN[3:], "\U0003ffff"])
def test_a_noncharacter_is_found_unescaped_too(character: str) -> None:
    """JS-07."""
    assert violations(f'["{character}"]'.encode())[0].pointer == "#/0"


@pytest.mark.parametrize(
    "character", ["\x01", "\x7f", "\ufdcf", "\ufdf0", "\ufffd", "\U0001fffd", "\U00020000", "\ue000"]
)
def test_other_characters_are_text(character: str) -> None:
    """JS-07: what a name may hold is for the contract to say."""
    assert loads(json.dumps({character: character}).encode()) == {character: character}


def test_all_text_faults_are_told_at_once() -> None:
    """JS-07, JS-08."""
    document = {
        "name": "\x00",
        "fine": "x",
        "members": [{"e/mail": "\ud800\ud800"}, "\uffff"],
        "a\x00": 1,
        "b": {"\udc00": "\x00"},
    }
    found = violations(json.dumps(document).encode())

    assert [(violation.property_path, violation.pointer) for violation in found] == [
        ("name", "#/name"),
        ("members", "#/members/0/e~1mail"),
        ("members", "#/members/1"),
        ("a\ufffd", "#/a%00"),
        ("b", "#/b/%EF%BF%BD"),
        ("b", "#/b/%EF%BF%BD"),
    ]
    assert len({violation.message for violation in found}) > 1


def test_the_answer_to_countless_faults_stays_short() -> None:
    """JS-08, within IN-03's limit for a body."""
    assert len(violations(json.dumps(["\x00"] * 50_000).encode())) == 100


def test_a_document_that_is_only_a_string_is_checked_too() -> None:
    """JS-08."""
    (violation,) = violations(b'"\\u0000"')

    assert (violation.property_path, violation.pointer) == ("", "#")
