"""What a request costs, beside what the least that could answer it costs. `make bench` runs it.

    python -m tests.benchmarks [--cases NAME,NAME] [--database sqlite|postgres] [--workers N] [--rounds N]
        [--seconds N] [--json FILE] [--profile] [--strict]

Prints tables in Markdown. Without --cases it measures all of them, on both databases, with one worker and
with two; with it, unless told otherwise, on SQLite with one worker.
"""

from __future__ import annotations

import argparse
import dataclasses
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from tests.benchmarks.cases import CASES
from tests.benchmarks.comparison import Comparison, Findings
from tests.benchmarks.places import PLACES
from tests.benchmarks.profile import PY_SPY
from tests.benchmarks.report import all_met, head, section

WORKERS = (1, 2)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=_names, help=f"of {', '.join(CASES)}")
    parser.add_argument("--database", choices=PLACES)
    parser.add_argument("--workers", type=int, choices=WORKERS)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument(
        "--seconds", type=float, default=0.3, help="of load in a round, for each case and server"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where every load goes as it was measured")
    parser.add_argument("--strict", action="store_true", help="fail where a target is not met")
    parser.add_argument("--profile", action="store_true", help="let py-spy write build/profile-CASE.json")
    chosen = parser.parse_args(given)
    alone = [name for name in chosen.cases or () if CASES[name].meanwhile]
    if alone and chosen.database == "postgres":
        parser.error(f"{alone[0]} is measured on SQLite only")
    if chosen.profile and PY_SPY is None:
        parser.error("--profile needs py-spy: .venv/bin/pip install py-spy")
    return chosen


def _names(value: str) -> list[str]:
    names = value.split(",")
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no case {unknown[0]}; there are {', '.join(CASES)}")
    return names


def measure(chosen: argparse.Namespace, folder: Path) -> Iterator[Findings]:
    whole = chosen.cases is None
    databases = [chosen.database] if chosen.database else list(PLACES)[: None if whole else 1]
    workers = [chosen.workers] if chosen.workers else list(WORKERS)[: None if whole else 1]
    for database in databases:
        names = cases_of(database, chosen.cases, first=database == databases[0])
        with PLACES[database](folder) as place:
            for number in workers:
                comparison = Comparison(place(number), number, folder, names, chosen.seconds, _tell)
                yield comparison.run(chosen.rounds, profile=chosen.profile)


def cases_of(database: str, chosen: Sequence[str] | None, *, first: bool) -> list[str]:
    """Documents ask no database: they are measured beside the first one. What somebody writes meanwhile is
    another thing on SQLite alone."""
    asking = [name for name, case in CASES.items() if case.yardstick == "bare" and not case.meanwhile]
    if chosen is None and not first:
        return asking
    return [name for name in chosen or CASES if database == "sqlite" or not CASES[name].meanwhile]


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    chosen = arguments(sys.argv[1:])
    command = shlex.join(sys.argv[1:])
    sys.stdout.write(
        head(f"make bench ARGS='{command}'" if command else "make bench", chosen.rounds, chosen.seconds)
    )
    sys.stdout.write("\n\n")
    # Whoever is told to end, ends what it has started before.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = []
    folder = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    try:
        for findings in measure(chosen, folder):
            found.append(findings)
            sys.stdout.write(section(findings) + "\n")
            sys.stdout.flush()
    finally:
        shutil.rmtree(folder)
    if chosen.json:
        chosen.json.parent.mkdir(parents=True, exist_ok=True)
        chosen.json.write_bytes(orjson.dumps([dataclasses.asdict(findings) for findings in found]))
    return 1 if chosen.strict and not all(map(all_met, found)) else 0


if __name__ == "__main__":
    sys.exit(main())
