"""At the end of a run of all tests: whatever the documentation declares was seen, or the run has failed.

Hooks of pytest, for conftest.py. With xdist each worker tells what it saw, and the process that started them
judges.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.promises import SEEN, unseen

NARROWING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "collectonly", "lf", "stepwise")
MISSING = pytest.StashKey[list[str]]()


def is_whole(config: pytest.Config) -> bool:
    """Whether all tests were asked for: of a part nothing follows."""
    folders = {config.rootpath, *(config.rootpath / path for path in config.getini("testpaths"))}
    asked = {config.invocation_params.dir / argument for argument in config.args}
    return asked <= folders and not any(config.getoption(name, None) for name in NARROWING)


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["seen"] = sorted(SEEN)
    elif session.exitstatus == pytest.ExitCode.OK and is_whole(config):
        config.stash[MISSING] = list(unseen(SEEN))
        if config.stash[MISSING]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker that has died tells nothing; the run has failed by that."""
    SEEN.update((operation, name) for operation, name in getattr(node, "workeroutput", {}).get("seen", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = terminalreporter.config.stash.get(MISSING, [])
    if missing:
        terminalreporter.section("declared in the documentation, and not seen in any test")
        for line in missing:
            terminalreporter.line(line)
