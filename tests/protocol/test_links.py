"""Links are written in the one form that all clients find, and nothing can end one early."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.links import Link, link_field, link_template_field

DOCUMENTATION = Link("https://registry.example/api/docs", "http://www.w3.org/ns/hydra/core#apiDocumentation")
CONTEXT = Link(
    "https://registry.example/contexts/v1/registry.jsonld",
    "http://www.w3.org/ns/json-ld#context",
    (("type", "application/ld+json"),),
)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))


def test_a_link_has_rel_first_one_space_and_double_quotes() -> None:
    """LK-06, LK-07 and H2: the spelling that clients look for."""
    assert (
        str(DOCUMENTATION)
        == '<https://registry.example/api/docs>; rel="http://www.w3.org/ns/hydra/core#apiDocumentation"'
    )
    assert str(CONTEXT).endswith('; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"')


def test_a_field_carries_links_in_their_order() -> None:
    assert link_field([DOCUMENTATION, CONTEXT]) == f"{DOCUMENTATION}, {CONTEXT}"
    assert link_field(iter([CONTEXT])) == str(CONTEXT)
    assert link_field([]) == ""


def test_quotes_and_backslashes_in_a_value_are_escaped() -> None:
    """LK-11."""
    assert (
        str(Link("/a", "up", (("title", 'a>; rel="x" \\'),))) == r'</a>; rel="up"; title="a>; rel=\"x\" \\"'
    )


@pytest.mark.parametrize(
    "target",
    ["/a>", "<a", '/a"', "/a b", "/a\r\nX-Evil: 1", "/a\n", "/a\t", "/a\x00", "/a\x7f", "/ä", "/a\ud800"],
)
def test_a_target_that_could_end_the_link_early_is_refused(target: str) -> None:
    """LK-11."""
    with pytest.raises(ValueError, match="target"):
        Link(target, "self")


@pytest.mark.parametrize(
    ("rel", "attributes"),
    [
        ("a\r\nb", ()),
        ("self", (("title", "a\r\nX-Evil: 1"),)),
        ("self", (("title", "ä"),)),
        ("self", (("a b", "c"),)),
        ("self", (("", "c"),)),
        ("self", (('a="', "c"),)),
    ],
)
def test_an_attribute_that_could_end_the_field_early_is_refused(
    rel: str, attributes: tuple[tuple[str, str], ...]
) -> None:
    """LK-11."""
    with pytest.raises(ValueError, match="attribute"):
        Link("/a", rel, attributes)


@given(PRINTABLE, PRINTABLE)
def test_a_value_reads_back_as_it_was(rel: str, title: str) -> None:
    """LK-07, LK-11: read with RFC 9110's grammar of a quoted string."""
    quoted = r'"((?:[^"\\]|\\.)*)"'
    match = re.fullmatch(rf"</a>; rel={quoted}; title={quoted}", str(Link("/a", rel, (("title", title),))))

    assert match
    assert [re.sub(r"\\(.)", r"\1", value) for value in match.groups()] == [rel, title]


def test_a_template_is_a_structured_field() -> None:
    """RFC 9652 section 2."""
    template = ("https://r.example/h/{handle}", "https://r.example/v#by_handle", "https://r.example/v#")
    assert link_template_field([template]) == (
        '"https://r.example/h/{handle}";rel="https://r.example/v#by_handle";var-base="https://r.example/v#"'
    )
    assert link_template_field([template, ("/{a}", "item", "/v#")]).endswith(
        ', "/{a}";rel="item";var-base="/v#"'
    )


@pytest.mark.parametrize("text", ["a\r\nX-Evil: 1", "ä", "\x7f"])
def test_what_would_end_the_field_is_in_no_template(text: str) -> None:
    with pytest.raises(ValueError):
        link_template_field([(text, "item", "/v#")])
