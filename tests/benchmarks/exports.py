"""What an export takes in memory and time, by how much there is: `python -m tests.benchmarks.exports`."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from app.storage.database import Database
from tests.benchmarks.scale_rows import Estate, load_sqlite
from tests.commands import COMMAND, environment

SIZES = (10_000, 200_000)
FORMATS = ("n-quads", "turtle", "json-ld", "ndjson")


class Measured(NamedTuple):
    """`peak` is the greatest resident set of the process in KiB, `size` what was written, in octets."""

    peak: int
    seconds: float
    size: int


# A process takes over the peak of the one that it was forked from: what measures has to be small itself.
SMALL = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
if done.returncode:
    sys.exit(done.stderr.decode())
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def filled(folder: Path, instances: int) -> str:
    """The address of a database with so many instances, a hundred in an organization."""
    file = folder / f"{instances}.sqlite3"
    asyncio.run(Database(f"sqlite://{file}").migrate())
    load_sqlite(str(file), Estate(instances), lambda _: None)
    return f"sqlite://{file}"


def measured(url: str, file: Path, syntax: str) -> Measured:
    """Of one export in a process of its own."""
    arguments = [COMMAND, "export", str(file), "--format", syntax]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", SMALL, *arguments],
        env=environment({"REGISTRY_DATABASE_URL": url}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Measured(int(done.stdout), time.monotonic() - began, file.stat().st_size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    chosen = parser.parse_args()
    print("| instances | format | peak memory | time | instances a second | written |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- |")  # noqa: T201
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for instances in chosen.instances:
            url = filled(folder, instances)
            for syntax in chosen.formats:
                it = measured(url, folder / "export", syntax)
                print(  # noqa: T201
                    f"| {instances:,} | {syntax} | {it.peak / 1_024:.0f} MiB | {it.seconds:.1f} s"
                    f" | {instances / it.seconds:,.0f} | {it.size / 1_000_000:,.0f} MB |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
