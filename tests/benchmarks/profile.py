"""Where a case's time goes: py-spy looks at a worker while it is under load. It is no dependency."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("build")
PY_SPY = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
# What it takes to find its way in a process before it looks at it.
BEGIN_SECONDS, SECONDS = 1, 5
LOOKS_A_SECOND = 500


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
    tell(f"{name}: {output}" if looking.returncode == 0 else f"{name}: {said}")
