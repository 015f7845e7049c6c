"""Import: lines of JSON or rows of CSV, each an organization with its instance, known by its handle."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from operator import attrgetter
from typing import Any

from app.caller import ANONYMOUS
from app.contract.contract import Contract
from app.problems import Problem, Violation
from app.protocol.lines import LONGEST, TOO_LONG
from app.protocol.strict_json import JSON, loads
from app.representation.content import invalid, read_content
from app.spreadsheets import read_rows
from app.storage.database import Database, Session, UniqueViolation
from app.storage.keys import email_key
from app.storage.people import who_has
from app.storage.records import taken_handles
from app.storage.writes import Act, create_instance, create_organization, new_id, now

# So many that a transaction's own cost does not count, so few that other writers do not wait for long.
LINES_IN_A_TRANSACTION = 200
MEMBERS = {"organization": ("Organization", ("name",)), "instance": ("Instance", ("name", "handle"))}


@dataclass
class Report:
    """What became of the lines; `bad` and `unknown` tell numbers of lines, from 1."""

    imported: int = 0
    present: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return self.imported + self.present + len(self.bad)

    def told(self) -> dict[str, Any]:
        """For programs."""
        return {
            "imported": self.imported,
            "present": self.present,
            "bad": [{"line": number or None, "reason": reason} for number, reason in self.bad],
            "unknown": [{"member": member, "line": number} for member, number in self.unknown.items()],
        }

    def sum(self) -> list[str]:
        counts = f"{self.imported:,} imported, {self.present:,} there already, {len(self.bad):,} bad"
        return [f"{self.lines:,} lines: {counts}."]

    def note(self, number: int, *members: str) -> None:
        """That they are unknown, and where that was first seen."""
        for member in members:
            self.unknown.setdefault(member, number)


def counted(counts: Mapping[str, int]) -> list[str]:
    """How many there are of each class, as people say it."""
    return [f"{number:,} {_plural(name) if number != 1 else name.lower()}" for name, number in counts.items()]


def _plural(class_name: str) -> str:
    word = class_name.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"


@dataclass(frozen=True)
class Line:
    organization: str
    name: str
    handle: str


# The number of a line, and how to read what stands there: that may raise `malformed-content`.
Source = tuple[int, Callable[[], JSON]]


async def import_lines(
    database: Database,
    contract: Contract,
    email: str,
    lines: Iterable[bytes],
    report: Report,
    *,
    as_csv: bool = False,
) -> None:
    """Each good line makes an organization of its own, unless its handle is, or once was, an instance's.

    Its owner is who has the e-mail; who has not come yet may come at any moment of an import.

    Raises `ValueError` for CSV whose first line does not name its columns.
    """
    sources = iter(read_rows(lines) if as_csv else _read_lines(lines))
    while batch := list(islice(sources, LINES_IN_A_TRANSACTION)):
        await _import_batch(database, email, _read_batch(contract, batch, report), report)


def _read_lines(lines: Iterable[bytes]) -> Iterator[Source]:
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            yield number, _refuse
        elif line.strip():
            yield number, partial(loads, line.strip())


def _refuse() -> JSON:
    raise Problem("malformed-content", TOO_LONG)


def _read_batch(contract: Contract, batch: Iterable[Source], report: Report) -> list[Line]:
    read = []
    for number, source in batch:
        try:
            read.append(_read_line(contract, source(), number, report))
        except Problem as problem:
            report.bad.append((number, _reason(problem)))
    return read


def _read_line(contract: Contract, document: JSON, number: int, report: Report) -> Line:
    """Raises `malformed-content` or `invalid-content`. Only an import trims names."""
    if not isinstance(document, dict) or not all(isinstance(document.get(name), dict) for name in MEMBERS):
        raise Problem("malformed-content", f"The line must be an object with {' and '.join(MEMBERS)}.")
    parts: dict[str, Mapping[str, Any]] = {}
    violations: list[Violation] = []
    for member, value in document.items():
        if member not in MEMBERS or not isinstance(value, dict):
            report.note(number, member)
            continue
        class_name, keys = MEMBERS[member]
        report.note(number, *(f"{member}.{key}" for key in value if key not in keys))
        known = {key: _trimmed(value[key]) for key in keys if key in value}
        try:
            parts[member] = read_content(contract, known, class_name, class_name, None)
        except Problem as problem:
            paths = [(f"{member}.{item.property_path}", item) for item in problem.violations]
            violations += [dataclasses.replace(item, property_path=path) for path, item in paths]
    if violations:
        raise invalid(*violations)
    return Line(parts["organization"]["name"], parts["instance"]["name"], parts["instance"]["handle"])


def _trimmed(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _reason(problem: Problem) -> str:
    found = (f"{item.property_path}: {item.message}" for item in problem.violations)
    return " ".join(found) or problem.detail


async def _import_batch(database: Database, email: str, lines: list[Line], report: Report) -> None:
    """All of them or none; again where somebody took one of the handles at the same moment."""
    while True:
        try:
            async with database.transaction() as session:
                written = await _write(session, email, lines)
        except UniqueViolation:
            continue
        report.imported += written
        report.present += len(lines) - written
        return


async def _write(session: Session, email: str, lines: list[Line]) -> int:
    # Before all else, so that nobody waits for these locks who has a handle that others wait for.
    await session.lock_coming(email_key(email))
    owner = await who_has(session, email)
    taken = await taken_handles(session, [line.handle for line in lines])
    # In one order, so that two imports never wait for each other.
    new = sorted(_first_of_each(lines, taken), key=attrgetter("handle"))
    for line in new:
        # The acts of a command have no actor.
        act = Act(ANONYMOUS, new_id(), now())
        organization = await create_organization(session, act, line.organization, owner)
        await create_instance(session, act, organization, line.name, line.handle)
    return len(new)


def _first_of_each(lines: Iterable[Line], taken: set[str]) -> Iterator[Line]:
    for line in lines:
        if line.handle not in taken:
            taken.add(line.handle)
            yield line
