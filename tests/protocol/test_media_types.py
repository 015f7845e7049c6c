"""Media types are read forgivingly enough for real clients, and written so that they read back."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.media_types import MediaType, parse_media_type

EXPANDED = "http://www.w3.org/ns/json-ld#expanded"
CONTEXT = "http://www.w3.org/ns/json-ld#context"

TOKENS = st.from_regex(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", fullmatch=True)
LOWER_TOKENS = TOKENS.map(str.lower)
VALUES = st.text(st.sampled_from([chr(code) for code in (0x09, *range(0x20, 0x7F), *range(0x80, 0x100))]))


@pytest.mark.parametrize(
    ("text", "essence", "parameters"),
    [
        ("application/ld+json", "application/ld+json", ()),
        ("APPLICATION/LD+JSON;Profile=X", "application/ld+json", (("profile", "X"),)),
        (f'application/ld+json; profile="{EXPANDED}"', "application/ld+json", (("profile", EXPANDED),)),
        (
            f"application/ld+json;profile={CONTEXT};q=0.5",
            "application/ld+json",
            (("profile", CONTEXT), ("q", "0.5")),
        ),
        ('a/b;p="urn:a,b;c=\\"d\\""', "a/b", (("p", 'urn:a,b;c="d"'),)),
        ('a/b;p=""', "a/b", (("p", ""),)),
        ("\t text/html ; charset=utf-8 ", "text/html", (("charset", "utf-8"),)),
        ("a/b;;a=1; ;b=2;", "a/b", (("a", "1"), ("b", "2"))),
        ("*/*;q=0.1", "*/*", (("q", "0.1"),)),
    ],
    ids=[
        "plain",
        "CN-09",
        "quoted",
        "PF-07",
        "CN-12",
        "empty string",
        "white space",
        "lone semicolons",
        "range",
    ],
)
def test_a_media_type_is_its_essence_and_its_parameters(
    text: str, essence: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    media_type = parse_media_type(text)

    assert media_type is not None
    assert media_type.essence == essence
    assert media_type.parameters == parameters


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "a",
            "a/",
            "/",
            "/b",
            "a/b/c",
            "a b/c",
            "a/b c",
            "a /b",
            "ä/b",
            ";",
            "a/b;c",
            "a/b;=c",
            "a/b;c=",
        ),
        *(
            "a/b;c =d",
            "a/b;c= d",
            'a/b;c="d',
            'a/b;c="d"e',
            'a/b;c="d\\',
            "a/b,c/d",
            "a/b\n",
            "a/b;c=d\n",
            'a/b;c="\x00"',
        ),
        *("a/b;c=d/e", "a/b;xprofile=d/e", "a/b;profile=", 'a/b;profile=x"y'),
    ],
)
def test_rubbish_is_no_media_type(text: str) -> None:
    """CN-13. Only `profile` may have a value that is neither a token nor quoted (PF-07)."""
    assert parse_media_type(text) is None


@given(LOWER_TOKENS, LOWER_TOKENS, st.lists(st.tuples(LOWER_TOKENS, VALUES), max_size=4))
def test_a_media_type_written_out_reads_back(
    type_: str, subtype: str, parameters: list[tuple[str, str]]
) -> None:
    media_type = MediaType(type_, subtype, tuple(parameters))

    assert parse_media_type(str(media_type)) == media_type


@given(st.text() | st.text(st.sampled_from('a/b;q= \t"\\,')))
def test_what_reads_at_all_reads_the_same_once_written_out(text: str) -> None:
    media_type = parse_media_type(text)

    assert media_type is None or parse_media_type(str(media_type)) == media_type


@pytest.mark.parametrize(
    "text",
    [
        "a" * 600_000,
        "a/b" + ";" * 600_000,
        "a/b" + " " * 600_000 + "x",
        'a/b;c="' + '\\"' * 300_000,
        "a/b" + ";c=d" * 150_000,
    ],
    ids=["token", "semicolons", "spaces", "escapes", "parameters"],
)
def test_time_grows_no_faster_than_the_text(text: str) -> None:
    """CN-14: quadratic work would take minutes here."""
    start = time.process_time()
    parse_media_type(text)

    assert time.process_time() - start < 3
