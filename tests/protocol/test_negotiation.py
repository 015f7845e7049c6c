"""The client's preference decides, then the server's order."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.negotiation import negotiate

LD = "application/ld+json"
JSON = "application/json"
TURTLE = "text/turtle"
QUADS = "application/n-quads"
HTML = "text/html"
OFFERED = (LD, JSON, TURTLE, QUADS, HTML)
PROFILE = 'profile="http://www.w3.org/ns/json-ld#expanded"'

FRAGMENTS = st.sampled_from(
    [
        *(
            "application/ld+json",
            "application/json",
            "text/turtle",
            "text/*",
            "*/*",
            "a/",
            "*",
            "/",
            " ",
            "\t",
        ),
        *(";", ",", "=", "q", '"', "\\", ";q=0", ";q=0.5", ";q=1", ";q=2", ";q=", ' ;profile="a,b"'),
    ]
)
LINES = st.lists(st.text() | st.lists(FRAGMENTS, max_size=12).map("".join), max_size=4)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        pytest.param(f"{JSON};q=0.4, {LD};q=0.9", LD, id="CN-03"),
        pytest.param(f"{JSON};q=0.9, {LD};q=0.4", JSON, id="CN-03 swapped"),
        pytest.param(f"*/*;q=0.9, {LD};q=0.1, {JSON};q=0.1, {TURTLE};q=0.5", QUADS, id="CN-04"),
        pytest.param(f"*/*;q=0.3, text/*;q=0.2, {HTML};q=0.9", HTML, id="CN-04 three levels"),
        pytest.param(
            f"*/*, application/*;q=0, text/*;q=0, {JSON};q=0.1", JSON, id="CN-04 a type in an excluded range"
        ),
        pytest.param(f"{LD};q=0, */*", JSON, id="CN-05"),
        pytest.param("*/*;q=0", None, id="CN-06"),
        pytest.param("text/*", TURTLE, id="CN-07"),
        pytest.param("application/*", LD, id="CN-07 default"),
        pytest.param("*/json", None, id="CN-07 no wildcard type alone"),
        pytest.param("application/*+json", None, id="CN-08"),
        pytest.param("APPLICATION/LD+JSON;Q=0.5", LD, id="CN-09"),
        pytest.param(f"{LD};Q=0, {JSON};q=0.001", JSON, id="CN-09 name of the weight"),
        pytest.param(f"{LD};q=0.2;{PROFILE}, {JSON};q=0.1", LD, id="CN-11"),
        pytest.param(f"{LD};q=0.1;{PROFILE}, {JSON};q=0.2", JSON, id="CN-11 lower"),
        pytest.param('application/ld+json;profile="urn:a,b;c=\\"d\\""', LD, id="CN-12"),
        pytest.param(f'image/png;x="{LD},{JSON}"', None, id="CN-12 a type in quotes is none"),
        pytest.param(f",,;,a/,/,{JSON};q=zz,{JSON}", JSON, id="CN-13"),
        pytest.param("image/png", None, id="CN-15"),
        pytest.param(f"{JSON};charset=utf-8", JSON, id="CN-21"),
        pytest.param(f'{LD};profile="urn:x:unknown"', LD, id="PF-06"),
        pytest.param(f"{LD};profile=http://www.w3.org/ns/json-ld#context", LD, id="PF-07"),
        pytest.param(f"{LD};q=0.1, {LD};{PROFILE}, {JSON};q=0.5", LD, id="PF-10"),
        pytest.param(f"{LD};{PROFILE}, {JSON};q=0.5, {LD};q=0.1", LD, id="PF-10 in any order"),
        pytest.param(f"{LD};{PROFILE};q=0, {LD}", LD, id="CN-04 a profile that is not wanted"),
        pytest.param(f"{JSON};q=0.1, {JSON};q=0.7, {HTML};q=0.5", JSON, id="the highest of equal ranges"),
        pytest.param(f"{HTML}, {JSON}, {LD}", LD, id="ties go by the server's order"),
        pytest.param("*/*", LD, id="no preference"),
        pytest.param(
            f"{QUADS}, application/trig;q=0.95, {LD};q=0.9, {TURTLE};q=0.6, {HTML};q=0.2",
            QUADS,
            id="H7 Comunica",
        ),
        pytest.param(
            "application/hal+json;q=1.0, application/vnd.siren+json, text/html;q=0.5", HTML, id="H7 ketting"
        ),
    ],
)
def test_the_most_specific_range_gives_the_weight_and_the_highest_weight_wins(
    accept: str, chosen: str | None
) -> None:
    assert negotiate([accept], OFFERED) == chosen


@pytest.mark.parametrize("accept", [[], [""], [" \t"], ["", ","], [" , ,"]])
def test_a_client_without_a_preference_gets_the_default(accept: list[str]) -> None:
    """CN-01."""
    assert negotiate(accept, OFFERED) == LD
    assert negotiate(accept, (HTML, LD)) == HTML


@pytest.mark.parametrize(
    "weight", ["2", "-1", "NaN", "1.0000", "", "1.1", "0.0001", ".5", "1e0", "zz", "٠", "0,5"]
)
def test_a_range_with_a_weight_that_is_none_is_skipped(weight: str) -> None:
    """CN-13."""
    assert negotiate([f"{LD};q={weight}"], OFFERED) is None
    assert negotiate([f"{LD};q={weight}, {HTML};q=0.1"], OFFERED) == HTML


@pytest.mark.parametrize(
    ("weight", "chosen"), [("1", JSON), ("1.", JSON), ("1.000", JSON), ("0.999", JSON), ("0.", HTML)]
)
def test_a_weight_has_up_to_three_decimals(weight: str, chosen: str) -> None:
    """CN-03, RFC 9110 section 12.4.2."""
    assert negotiate([f"{JSON};q={weight}, {HTML};q=0.5"], OFFERED) == chosen


def test_several_lines_are_one_list() -> None:
    """CN-10."""
    assert negotiate([f"{TURTLE};q=0.1", JSON], OFFERED) == JSON
    assert negotiate([JSON, f"{TURTLE};q=0.1"], OFFERED) == JSON


def test_a_quote_that_is_never_closed_spoils_its_own_line_only() -> None:
    """CN-13."""
    assert negotiate([f'{LD};profile="x, {JSON}', TURTLE], OFFERED) == TURTLE


def test_a_choice_that_is_remembered_is_the_choice_that_is_made() -> None:
    for offered in ((LD, JSON), (JSON, LD), (LD, JSON)):
        assert negotiate(["*/*"], offered) == offered[0]


@given(LINES)
def test_whatever_is_sent_the_answer_is_an_offer_or_none(accept: list[str]) -> None:
    """CN-13."""
    assert negotiate(accept, OFFERED) in (*OFFERED, None)


@given(LINES)
def test_lines_mean_what_they_mean_joined(accept: list[str]) -> None:
    """CN-10, for lines whose quotes are closed."""
    closed = [line for line in accept if '"' not in line]

    assert negotiate(closed, OFFERED) == negotiate([",".join(closed)], OFFERED)


@given(
    st.permutations(
        [f"{LD};q=0.2", f"{JSON};q=0.3", "text/*;q=0.3", f"{HTML};q=0.4", "*/*;q=0.1", f"{LD};{PROFILE}"]
    )
)
def test_the_order_of_the_ranges_never_matters(ranges: list[str]) -> None:
    """CN-04, PF-10."""
    assert negotiate([", ".join(ranges)], OFFERED) == LD


@pytest.mark.parametrize(
    "line",
    [
        "a/b;q=0," * 75_000,
        '"' * 600_001,
        '"\\' * 300_000,
        "a/b" + " " * 600_000 + "x",
        "," * 600_000,
        "a/b;c=d" * 80_000,
    ],
    ids=["ranges", "quotes", "escapes", "spaces", "commas", "parameters"],
)
def test_time_grows_no_faster_than_the_field(line: str) -> None:
    """CN-14, with ten times its length: quadratic work would take minutes here."""
    start = time.process_time()
    negotiate([line], OFFERED)

    assert time.process_time() - start < 3


def test_parameters_of_what_is_offered_narrow_nothing() -> None:
    """As those of a range: there is one form of each type."""
    offered = ('application/linkset+json;profile="https://www.rfc-editor.org/info/rfc9727"', JSON)
    for accept in ("application/linkset+json", f"{offered[0]}, {JSON};q=0.9", "application/*", "*/*"):
        assert negotiate([accept], offered) == offered[0]
    assert negotiate([f"application/linkset+json;q=0.1, {JSON}"], offered) == JSON
    assert (
        negotiate(["text/plain;charset=ascii"], ("text/plain;charset=utf-8",)) == "text/plain;charset=utf-8"
    )
    assert negotiate(["text/turtle"], offered) is None
