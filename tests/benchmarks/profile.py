"""Where a case's time goes: py-spy looks at a worker while it is under load. It is no dependency."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path("build")
PY_SPY = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
# What it takes to find its way in a process before it looks at it.
BEGIN_SECONDS, SECONDS = 1, 5
LOOKS_A_SECOND = 500
# What is being done, by the innermost file of the service that takes part in it; the first that fits.
PARTS: Mapping[str, str | None] = {
    "app/storage/sqlite.py": "the database",
    "app/storage/postgres": "the database",
    "app/storage/loans.py": "the database",
    "app/storage/": "rows and records",
    "app/representation/": "the representation",
    "app/logs.py": "the log",
    "app/observation.py": "the log",
    "app/connection.py": "the connection",
    "app/callers.py": "the token",
    "app/security/": "the token",
    "app/resources/": "the operation",
    "app/exchange.py": "the operation",
    "app/offers.py": "the operation",
    "app/relations.py": "the operation",
    "app/cli.py": None,
    "app/server.py": None,
    "app/": "HTTP: routes, fields, conditions, negotiation",
}


@contextmanager
def profiled(name: str, pid: int, tell: Callable[[str], None]) -> Iterator[None]:
    """For https://speedscope.app; what runs within this is what is seen."""
    FOLDER.mkdir(exist_ok=True)
    output = FOLDER / f"profile-{name}.json"
    command = [str(PY_SPY), "record", "--pid", str(pid), "--duration", str(SECONDS), "--output", str(output)]
    command += ["--format", "speedscope", "--rate", str(LOOKS_A_SECOND), "--nonblocking"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=subprocess.STDOUT, text=True) as looking:
        time.sleep(BEGIN_SECONDS)
        yield
        said, _ = looking.communicate(timeout=60)
    if looking.returncode != 0:
        tell(f"{name}: {said}")
        return
    told = ", ".join(f"{part} {share:.0%}" for part, share in shares(json.loads(output.read_text())))
    tell(f"{name}: {output}\n{name}: {told}")


def shares(profile: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Which part of the time is spent on what, the greatest first; of a profile as Speedscope wants it.

    Of the time that the service's own code and what it calls take: outside of it the loop may as well wait.
    """
    frames = [str(frame["file"]) for frame in profile["shared"]["frames"]]
    parts = [next((part for place, part in PARTS.items() if f"/{place}" in file), None) for file in frames]
    found: Counter[str] = Counter()
    for thread in profile["profiles"]:
        for stack, weight in zip(thread["samples"], thread["weights"], strict=True):
            part = next((parts[frame] for frame in reversed(stack) if parts[frame]), None)
            if part is not None:
                found[part] += weight
    return [(part, weight / found.total()) for part, weight in found.most_common()]
