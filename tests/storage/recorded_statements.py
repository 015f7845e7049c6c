"""Every statement that reaches a PostgreSQL database, as the server's own log tells it, and where the
service runs statements."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import app.storage
from app.storage.attempts import Attempt
from app.storage.session import Session
from app.storage.statements import Rows

STORAGE = Path(app.storage.__file__).parent
# What runs a statement: the three of a `Session`, that of an `Attempt`, and what they are wrapped in.
RUNNING = frozenset({"rows", "point", "brief", "write", "insert", "update"})
_SESSIONS = ("session", "self", ".reading()")
# An entry begins with the time and the number of the process; lines that go on begin with a tab.
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \S+ \[\d+\] (\w+):  (.*)$")
_RUN = re.compile(r"(?:execute (?:<unnamed>|[^:]+)|statement): (.*)", re.DOTALL)

Place = tuple[str, int]


class ServerLog:
    """What is written to the log of a server after this was made."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._begin = file.stat().st_size

    def statements(self) -> list[str]:
        """In the order in which they came."""
        with self._file.open("rb") as file:
            file.seek(self._begin)
            lines = file.read().decode().splitlines()
        runs = (_RUN.fullmatch(message) for level, message in _entries(lines) if level == "LOG")
        return [run[1] for run in runs if run is not None]


def _entries(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    level, message = "", ""
    for line in lines:
        entry = _ENTRY.match(line)
        if entry is None:
            message += "\n" + line.removeprefix("\t")
            continue
        yield level, message
        level, message = entry[1], entry[2]
    yield level, message


def calls() -> dict[Place, tuple[int, str]]:
    """Where a statement is run in app/storage, by file and line: the last line, and the code's own words."""
    found = {}
    for file in sorted(STORAGE.glob("*.py")):
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and _name(node.func) in RUNNING:
                words = ast.get_source_segment(text, node) or ""
                found[file.name, node.lineno] = (node.end_lineno or node.lineno, words)
    return found


def _name(called: ast.expr) -> str:
    """Of a function as it is, or of a method of a session, which is no client of a database itself."""
    if isinstance(called, ast.Name):
        return called.id
    of_session = isinstance(called, ast.Attribute) and ast.unparse(called.value).endswith(_SESSIONS)
    return called.attr if of_session and isinstance(called, ast.Attribute) else ""


@contextmanager
def reached(patch: pytest.MonkeyPatch) -> Iterator[set[Place]]:
    """The lines of app/storage from which sessions were asked to run a statement meanwhile."""
    lines: set[Place] = set()

    def noting(method: Any) -> Any:
        async def run(self: Session, sql: str, values: Sequence[Any] = ()) -> Rows:
            frame = sys._getframe(1)
            while frame is not None and Path(frame.f_code.co_filename).parent == STORAGE:
                lines.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
                frame = frame.f_back  # type: ignore[assignment]
            rows: Rows = await method(self, sql, values)
            return rows

        return run

    with patch.context() as patched:
        for owner, name in ((Session, "rows"), (Session, "point"), (Session, "brief"), (Attempt, "write")):
            patched.setattr(owner, name, noting(getattr(owner, name)))
        yield lines
