"""A merge patch changes what it names and nothing else."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.merge_patch import merge
from app.protocol.strict_json import JSON

NAMES = st.sampled_from("abc")
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from("xyz")
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


def without_nulls(value: JSON) -> bool:
    return not isinstance(value, dict) or all(
        member is not None and without_nulls(member) for member in value.values()
    )


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_cases_of_rfc_7396_appendix_a_hold(target: JSON, patch: JSON, result: JSON) -> None:
    """PA-02."""
    assert merge(target, patch) == result


@given(VALUES, VALUES)
def test_the_arguments_stay_as_they_are(target: JSON, patch: JSON) -> None:
    """PA-01."""
    before = deepcopy((target, patch))
    merge(target, patch)

    assert (target, patch) == before


@given(VALUES, VALUES)
def test_a_patch_applied_twice_changes_nothing_more(target: JSON, patch: JSON) -> None:
    """PA-05."""
    once = merge(target, patch)

    assert merge(once, patch) == once


@given(OBJECTS)
def test_an_empty_patch_changes_nothing(target: JSON) -> None:
    """PA-05."""
    assert merge(target, {}) == target


@given(OBJECTS, OBJECTS)
def test_members_that_a_patch_does_not_name_stay(target: dict[str, JSON], patch: dict[str, JSON]) -> None:
    """PA-02."""
    merged = merge(target, patch)

    assert isinstance(merged, dict)
    assert {name: merged.get(name) for name in target.keys() - patch} == {
        name: target[name] for name in target.keys() - patch
    }
    assert not [name for name, value in patch.items() if value is None and name in merged]


@given(VALUES, VALUES)
def test_a_patch_without_nulls_is_contained_in_the_result(target: JSON, patch: JSON) -> None:
    """PA-02: merging the result into the patch adds nothing to the result."""
    merged = merge(target, patch)

    if without_nulls(patch):
        assert merge(merged, patch) == merged
        assert isinstance(patch, dict) or merged == patch
