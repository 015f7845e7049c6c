"""An answer that was not promised is noticed, and a promise that no test has seen kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from tests.promises import ANYWHERE, BASE, DECLARED, check_kept, unseen
from tests.service import PROBLEM
from tests.whole_runs import is_whole

ROOT = Path(__file__).parents[1]
INSTANCE = "/api/instances/01930000-0000-7000-8000-000000000000"
EVERYTHING = [(operation, name) for operation, names in DECLARED.items() for name in names]


def answer(status: int, problem: str = "") -> httpx.Response:
    content = {"type": f"{BASE}/problems/{problem}", "status": status} if problem else {}
    return httpx.Response(status, json=content, headers={"Content-Type": PROBLEM, "ETag": '"1"'})


@pytest.mark.parametrize(
    ("method", "status", "problem"),
    [
        ("GET", 201, ""),
        ("GET", 403, "forbidden"),
        ("DELETE", 409, "conflict"),
        ("PATCH", 400, "not-found"),
        ("DELETE", 400, "malformed-content"),
    ],
    ids=["no such status", "another of the same status", "no conflict", "type and status", "a type too many"],
)
def test_an_answer_that_was_not_promised_is_noticed(method: str, status: int, problem: str) -> None:
    with pytest.raises(AssertionError, match="Instance-"):
        check_kept(method, INSTANCE, answer(status, problem))


def test_a_success_without_a_field_that_was_promised_is_noticed() -> None:
    with pytest.raises(AssertionError, match="Instance-read"):
        check_kept("GET", INSTANCE, httpx.Response(200, json={}))


@pytest.mark.parametrize(
    ("method", "path", "kept"),
    [
        ("GET", INSTANCE, answer(200)),
        ("HEAD", INSTANCE, httpx.Response(410)),
        ("GET", INSTANCE, answer(503, "unavailable")),
        ("PATCH", INSTANCE, answer(400, "malformed-content")),
        ("POST", INSTANCE, answer(405, "method-not-allowed")),
        ("GET", "/nothing", answer(404, "not-found")),
    ],
    ids=["success", "head", "anywhere", "problem", "no operation", "nothing there"],
)
def test_what_was_promised_is_let_pass(method: str, path: str, kept: httpx.Response) -> None:
    check_kept(method, path, kept)


def test_what_no_test_has_seen_is_named() -> None:
    assert list(unseen(EVERYTHING)) == []
    assert "Instance-delete never answered with 410 gone" in list(unseen([]))
    assert len(list(unseen([]))) == len(EVERYTHING) > 300
    left = [it for it in EVERYTHING if it != ("InstanceCollection-create", "handle-taken")]
    assert list(unseen(left)) == ["InstanceCollection-create never answered with 409 handle-taken"]


def test_what_is_said_of_all_operations_is_not_said_of_each() -> None:
    """But that the database may fail: the documents are there without one."""
    said = {name for names in DECLARED.values() for name in names}
    assert said & set(ANYWHERE) == {"unavailable"}
    without = {operation for operation, names in DECLARED.items() if "unavailable" not in names}
    assert without == {"Entrypoint-read", "documentation-read", "shapes-read", "vocabulary-read"}


def test_a_run_of_all_tests_fails_for_what_it_did_not_see(tmp_path: Path) -> None:
    """A project of its own, whose one test, in a worker, saw one answer."""
    hooks = "pytest_sessionfinish, pytest_terminal_summary, pytest_testnodedown"
    folder = tmp_path / "checks"
    folder.mkdir()
    (folder / "conftest.py").write_text(f"from tests.whole_runs import {hooks}\n")
    seen = '("Instance-read", "ok")'
    (folder / "test_one.py").write_text(
        f"from tests.promises import SEEN\n\ndef test_one():\n    SEEN.add({seen})\n"
    )
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\naddopts = --import-mode=importlib\ntestpaths = checks\npythonpath = {ROOT}\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "xdist", "-n", "1"]
    # Others of the plugins that are installed take seconds to come, in either process.
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    run = subprocess.run(
        command, cwd=tmp_path, env=alone, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 1, run.stdout + run.stderr
    assert "1 passed" in run.stdout
    assert "Instance-read never answered with 410 gone" in run.stdout
    assert "Instance-read never answered with 200 ok" not in run.stdout


@pytest.mark.parametrize(
    ("arguments", "options", "whole"),
    [
        (["tests"], {}, True),
        ([str(ROOT)], {"keyword": "", "ignore": None, "lf": False}, True),
        (["tests/test_promises.py"], {}, False),
        (["tests", "tests/test_promises.py::test_x"], {}, False),
        (["tests"], {"keyword": "hy_09"}, False),
        (["tests"], {"deselect": ["tests/test_promises.py"]}, False),
        (["tests"], {"lf": True}, False),
    ],
    ids=["all", "the folder", "a file", "a test", "by name", "but one", "what failed"],
)
def test_of_a_part_of_the_tests_nothing_follows(
    arguments: list[str], options: dict[str, Any], whole: bool
) -> None:
    config = SimpleNamespace(
        args=arguments,
        rootpath=ROOT,
        invocation_params=SimpleNamespace(dir=ROOT),
        getini={"testpaths": ["tests"]}.__getitem__,
        getoption=options.get,
    )
    assert is_whole(cast("pytest.Config", config)) is whole
