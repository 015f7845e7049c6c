"""What was found, as a page of Markdown."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.cases import CASES, MOST_GROWTH, MOST_MEMORY, MOST_SECONDS
from tests.benchmarks.comparison import Findings, Result
from tests.benchmarks.figures import median_load
from tests.benchmarks.loading import CONNECTIONS, WRK

COLUMNS = (
    "case",
    "service, ms",
    "yardstick, ms",
    "ratio: least",
    "median",
    "most",
    "target",
    "met",
    "requests/s",
    "p50, ms",
    "p99, ms",
)


def head(command: str, rounds: int, seconds: float) -> str:
    """Where, when and how: no figure is worth anything without."""
    client = "wrk, and the own client for changes" if WRK else "the own client"
    lines = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "Commit": commit(),
        "Machine": machine(Path("/proc/cpuinfo").read_text(), Path("/proc/meminfo").read_text()),
        "Load before": f"{os.getloadavg()[0]:.1f}",
        "Python": platform.python_version(),
        "Command": f"`{command}`",
        "Load": f"{rounds} rounds of {seconds} s for each case and server, by {client}",
        "Connections": f"{CONNECTIONS} for each worker",
    }
    return "\n".join(f"- {name}: {value}" for name, value in lines.items())


def commit() -> str:
    """With a mark where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def machine(processors: str, memory: str) -> str:
    """Of /proc/cpuinfo and /proc/meminfo."""
    models = [line.partition(": ")[2] for line in processors.splitlines() if line.startswith("model name")]
    total = next(line for line in memory.splitlines() if line.startswith("MemTotal:"))
    model, gibibytes = models[0] if models else platform.machine(), int(total.split()[1]) / 2**20
    return f"{os.cpu_count()} × {model}, {gibibytes:.0f} GiB"


def section(findings: Findings) -> str:
    workers = "1 worker" if findings.workers == 1 else f"{findings.workers} workers"
    rows = [_row(result) for result in findings.results]
    return "\n".join(
        (
            f"### {findings.place}, {workers}",
            "",
            _line(COLUMNS),
            _line(["---", *["---:"] * (len(COLUMNS) - 1)]),
            *map(_line, rows),
            "",
            *taken(findings),
            "",
        )
    )


def _row(result: Result) -> list[str]:
    case, service, ratio = CASES[result.case], median_load(result.service), result.ratio
    return [
        f"{case.title} (`{result.case}`)",
        f"{service.each:.3f}",
        f"{case.yardstick} {median_load(result.yardstick).each:.3f}",
        *(f"{value:.2f}" for value in (ratio.least, ratio.median, ratio.most)),
        "–" if case.target is None else f"≤ {case.target}",
        {True: "yes", False: "**no**", None: "–"}[result.met],
        f"{service.rate:,.0f}",
        f"{service.p50:.2f}",
        f"{service.p99:.2f}",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def taken(findings: Findings) -> list[str]:
    rest, first = findings.rest, findings.starts
    memory = (
        f"at rest {rest:.0f}, after half of the rounds {findings.half:.0f}, in the end {findings.end:.0f},"
        f" at most {findings.peak:.0f}"
    )
    seconds = (
        f"{first.least:.2f} / {first.median:.2f} / {first.most:.2f}, at work for {findings.first_busy:.2f}"
    )
    small, quick = _met(rest < MOST_MEMORY), _met(first.median < MOST_SECONDS)
    flat = f"in the end at most {MOST_GROWTH} times what it was after half; {_met(_is_flat(findings))}"
    targets = f"at rest under {MOST_MEMORY:.0f}; {small}; {flat}"
    return [
        f"- Memory of a worker, MiB: {memory} (targets: {targets}).",
        f"- From the command to the first answer, s: {seconds} (target: under {MOST_SECONDS}; {quick}).",
    ]


def _met(holds: bool) -> str:
    return "met" if holds else "**not met**"


def all_met(findings: Findings) -> bool:
    results = all(result.met is not False for result in findings.results)
    memory = findings.rest < MOST_MEMORY and _is_flat(findings)
    return results and memory and findings.starts.median < MOST_SECONDS


def _is_flat(findings: Findings) -> bool:
    return findings.end <= MOST_GROWTH * findings.half
