"""What is remembered is bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.remembered import Remembered


@given(st.lists(st.integers(0, 9)), st.integers(1, 4))
def test_no_more_is_kept_than_there_is_room_for_and_what_came_first_goes_first(
    keys: list[int], most: int
) -> None:
    remembered: Remembered[int, int] = Remembered(most)
    expected: list[tuple[int, int]] = []
    for turn, key in enumerate(keys):
        remembered.keep(key, turn)
        kept = [it for it in expected if it[0] == key]
        if kept:
            expected[expected.index(kept[0])] = (key, turn)
        else:
            expected = [*expected, (key, turn)][-most:]
        assert list(remembered.items()) == expected
