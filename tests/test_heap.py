"""What a request gives back is there for the next one, and not asked of the system again, page by page."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = str(Path(__file__).resolve().parents[1])

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="others keep what is freed as they do"
)

# As a list takes it for SQLite's tables, a dozen times; and how many pages the system was asked for.
SCRIPT = """
import resource, sys
from app.heap import keep_what_is_freed

if sys.argv[1] == "kept":
    assert keep_what_is_freed()

def request():
    blocks = [bytearray(int(sys.argv[2])) for _ in range(8)]

def asked():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(10):
    request()
before = asked()
for _ in range(10):
    request()
print(asked() - before)
"""


def pages_asked_for(what: str, octets: int = 100_000) -> int:
    # Nothing else says how memory is had.
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": ROOT}
    command = [sys.executable, "-c", SCRIPT, what, str(octets)]
    return int(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)


def test_what_is_freed_is_kept_for_the_next_request() -> None:
    assert pages_asked_for("as it comes") > 1_000
    assert pages_asked_for("kept") < 100


def test_larger_blocks_are_kept_too() -> None:
    assert pages_asked_for("kept", 500_000) < 100
