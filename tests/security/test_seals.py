"""What is sealed opens for what it was sealed for and nowhere else, given just now or long ago."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.security.seals import GIVEN, Seal

KEY, OTHER = bytes(range(64)), bytes(64)


@given(text=st.binary(max_size=80), place=st.binary(max_size=40), other=st.binary(max_size=40))
def test_what_was_sealed_opens_at_its_place_alone_for_who_gave_it_and_for_others_with_the_key(
    text: bytes, place: bytes, other: bytes
) -> None:
    gave, shares, stranger = Seal(KEY), Seal(KEY), Seal(OTHER)
    sealed = gave.close(text, place)
    assert sealed == shares.close(text, place) == gave.close(text, place)
    for seal in (gave, Seal(KEY)):
        assert seal.open(sealed, place) == text
        assert seal.open(sealed, other) == (text if other == place else None)
        assert seal.open(f"{sealed}=", place) is None
        assert seal.open(sealed[:-1], place) is None
        assert seal.open(sealed.swapcase(), place) is None
    assert stranger.open(sealed, place) is None


def test_what_was_given_long_ago_opens_as_well() -> None:
    seal = Seal(KEY)
    given = [seal.close(b"%d" % number, b"place") for number in range(3 * GIVEN)]
    assert len(seal._given) == GIVEN
    assert [seal.open(sealed, b"place") for sealed in given] == [
        b"%d" % number for number in range(3 * GIVEN)
    ]
