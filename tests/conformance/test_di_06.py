"""DI-06 of the conformance list: what was recorded of the last release is still there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from packaging.version import Version

from app.contract.promises import version
from app.routes import ROUTES
from tests.conformance.recording import FILE, answers, operations
from tests.promises import CONTRACT
from tests.service import Service, World

pytestmark = pytest.mark.anyio

RECORDED = json.loads(FILE.read_text())


def missing(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """What clients know of and would not find, or find as something else."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key, value in before.items():
            if key not in now:
                yield f"{where}/{key}"
            else:
                yield from missing(value, now[key], f"{where}/{key}")
    elif isinstance(before, list) and isinstance(now, list):
        if before and now:
            yield from missing(before[0], now[0], f"{where}/*")
    elif before != now:
        yield where


def test_di_06_no_address_has_a_version_but_those_of_contexts() -> None:
    versioned = {route.path for route in ROUTES if re.search(r"/v\d", route.path)}
    assert versioned == {"/contexts/v1/{file}"}


def test_di_06_what_was_recorded_is_of_this_version_or_of_one_before() -> None:
    assert Version(RECORDED["version"]) <= Version(version(CONTRACT))


async def test_di_06_answers_have_all_that_recorded_ones_have(on_sqlite: tuple[Service, World]) -> None:
    service, world = on_sqlite
    assert len(RECORDED["answers"]) > 20
    assert list(missing(RECORDED["answers"], await answers(service.as_("owner"), world))) == []


def test_di_06_requests_that_were_right_still_are() -> None:
    """Every operation is where it was, takes what it took, and needs no more."""
    now = operations()
    assert len(RECORDED["operations"]) > 50
    for name, before in RECORDED["operations"].items():
        assert now[name]["address"] == before["address"]
        assert set(now[name]["needed"]) <= set(before["needed"])
        for key in ("query", "content", "taken"):
            assert set(before[key]) <= set(now[name][key]), (name, key)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"a": "str"}, {}),
        ({"a": "str"}, {"a": "int"}),
        ({"a": [{"b": "str"}]}, {"a": [{}]}),
        ({"a": {}}, {"a": "str"}),
    ],
)
def test_di_06_what_is_taken_away_or_changed_would_be_noticed(before: Any, now: Any) -> None:
    assert list(missing(before, now))
    assert not list(missing(before, before | {"more": "str"}))
