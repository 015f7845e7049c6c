"""Writes docs/conformance.md from the conformance list and its tests: `make conformance-document`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from tests.conformance.assertions import LEVELS, ROOT, Assertion, by_number, collected, read_list

FILE = ROOT / "docs" / "conformance.md"
STATES = ("held by a test", "decided otherwise", "not applicable", "to come", "open")
HEAD = """\
# Conformance

What HTTP, JSON-LD, Hydra, problem details, OAuth and the most trusted services ask of a service like this, by
number, and what holds it here. `make conformance` runs the tests and prints the figure;
`make conformance-document` writes this page from `tests/conformance/`, and a test fails when it is behind.

MUST, SHOULD and MAY are a standard's own words; DEF follows from the definition of a term; DECIDE is what a
standard leaves open; HOUSE is what no standard asks for, but a trusted service does. ⚠ marks what common
libraries, as they come, were measured to fail.

In the statements `B` is the base address, `O` an organization, `I` an instance, `C` a collection, `D` the API
documentation, `X` a context; `tA` is an owner's token, `tA-ro` one that may only read, `tB` somebody else's,
`t0` none; `PJ(404)` is a problem with that status; canon() are the canonical N-Quads (RDFC-1.0).
"""


def document(
    sections: Mapping[str, str], assertions: Mapping[str, Assertion], node_ids: Sequence[str]
) -> str:
    tests = by_number(node_ids)
    lines = [HEAD, *_figures(assertions, tests)]
    for letters, title in sections.items():
        lines += ["", f"## {title} ({letters})", "", "| | level | asks | here |", "| --- | --- | --- | --- |"]
        for number, assertion in assertions.items():
            if number.startswith(f"{letters}-"):
                lines.append(_row(assertion, tests.get(number, [])))
    return "\n".join([*lines, ""])


def _figures(assertions: Mapping[str, Assertion], tests: Mapping[str, Sequence[str]]) -> list[str]:
    """How many of each level are in each state."""
    counts = Counter((it.level, it.state(tested=it.number in tests)) for it in assertions.values())
    lines = [f"| level | all | {' | '.join(STATES)} |", "| --- |" + " --- |" * (len(STATES) + 1)]
    for level in LEVELS:
        numbers = [counts[level, state] for state in STATES]
        lines.append(f"| {level} | {sum(numbers)} | {' | '.join(map(str, numbers))} |")
    return lines


def _row(assertion: Assertion, node_ids: Sequence[str]) -> str:
    functions = dict.fromkeys(node_id.partition("[")[0].rpartition("::")[2] for node_id in node_ids)
    held = ", ".join(f"`{function}`" for function in functions)
    state = assertion.state(tested=bool(held))
    reason = assertion.not_applicable or assertion.later or assertion.decided
    if state == "held by a test":
        here = f"held by {held}"
    else:
        here = f"{state}: {reason}" if reason else state
        here += f" Held by {held}" if held else ""
    level = f"{assertion.level}{' ⚠' if assertion.marked else ''}"
    cells = [cell.replace("|", "\\|") for cell in (assertion.number, level, assertion.statement, here)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    FILE.write_text(document(*read_list(), collected()), encoding="utf-8")
