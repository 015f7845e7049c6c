"""Restoring what was exported: whole resources, with their ids and times, class after class (decision 34).

The file is read once for each class, in the order in which one refers to another: so in whatever order it
has them, nothing has to be remembered. What is there already is left as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Any

from app.addresses import ITEMS, item_path
from app.caller import ANONYMOUS
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.importing import LINES_IN_A_TRANSACTION, Report, counted
from app.representation.exported import Exported, Told
from app.storage.acts import Act, new_id, now
from app.storage.database import Database, UniqueViolation
from app.storage.failures import unavailable
from app.storage.restoring import Fault, Result
from app.storage.restoring import restore as write
from app.storage.tables import TIME_COLUMNS

TRIES = 8
# By class, in the order of writing: the columns that a row must have, and those that it may have.
COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Partner": (("id",), ("name", "email")),
    "Organization": (("id", "name", "created_at", "updated_at"), ()),
    "Member": (("id", "role", "joined_at", "organization_id"), ("partner_id", "email")),
    "Instance": (
        (
            *("id", "name", "handle", "created_at", "updated_at"),
            *("organization_id", "created_by_organization_id"),
        ),
        (),
    ),
    "Authorization": (("id", "instance_id", "organization_id", "status", "created_at"), ("accepted_at",)),
}
# Columns that only a link tells.
LINKED = {"Member": {"organization_id": "organization", "partner_id": "partner"}}
CLASS_OF_LINK = {"organization": "Organization", "partner": "Partner"}
OTHERS = "resource"  # of whichever other class
WHY_PASSED_OVER = {
    "Activity": "an import writes what is, as acts of its own, and no history.",
    OTHERS: "they are of no class of this service; does --from say where they were exported?",
}
Open = Callable[[str], AbstractContextManager[IO[bytes]]]


@dataclass
class Restored(Report):
    """`restored` are counted by class, and so are those `passed_over`: history, and what is foreign."""

    restored: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        return {**super().told(), "restored": dict(self.restored), "passedOver": dict(self.passed_over)}

    def sum(self) -> list[str]:
        by_class = ", ".join(counted(self.restored))
        passed = [
            f"{number} were left out: {WHY_PASSED_OVER[name]}"
            for name, number in zip(self.passed_over, counted(self.passed_over), strict=True)
        ]
        restored = f"{self.imported} restored{f' ({by_class})' if by_class else ''}"
        return [
            *passed,
            f"{self.lines} resources: {restored}, {self.present} there already, {len(self.bad)} bad.",
        ]


@dataclass(frozen=True)
class Row:
    line: int
    name: str
    values: Mapping[str, Any]


async def restore(
    database: Database, contract: Contract, exported: Exported, opening: Open, report: Restored
) -> None:
    """`opening` opens the file once more, with a word about what is read. Raises `malformed-content`."""
    found = _survey(exported, opening, report)
    for class_name in COLUMNS:
        if found[class_name]:
            with opening(class_name) as file:
                nodes = exported.nodes(file, class_name)
                while batch := list(islice(nodes, LINES_IN_A_TRANSACTION)):
                    rows = list(_rows(contract, class_name, batch, report))
                    if rows:
                        await _restore_batch(database, class_name, rows, report)
    _find_lines(opening, report)


def _survey(exported: Exported, opening: Open, report: Restored) -> Counter[str]:
    """How many there are by class; what cannot be read is told of here alone, before anything is written."""
    found: Counter[str] = Counter()
    with opening("Looking through") as file:
        for it in exported.nodes(file):
            if it.reason:
                report.bad.append((it.line, f"{it.name}: {it.reason}" if it.name else it.reason))
            else:
                found[it.class_name or OTHERS] += 1
    # A change is a part of its activity, and an operation of what it is offered for.
    report.passed_over.update({name: found[name] for name in ("Activity", OTHERS) if found[name]})
    return found


def _rows(contract: Contract, class_name: str, batch: Iterable[Told], report: Restored) -> Iterator[Row]:
    """In the order of their ids, in which they are written."""
    rows = []
    for told in batch:
        faults = list(_faults(contract, class_name, told.node or {}, report, told.line))
        values = _values(contract, class_name, told.node or {})
        if not faults:
            faults = list(_lacking(contract, class_name, told.name, values))
        if faults:
            report.bad.append((told.line, f"{told.name}: {' '.join(faults)}"))
        else:
            rows.append(Row(told.line, told.name, values))
    yield from sorted(rows, key=lambda row: str(row.values["id"]))


def _faults(
    contract: Contract, class_name: str, node: Mapping[str, Any], report: Restored, line: int
) -> Iterator[str]:
    """What does not keep the shapes of the class; members that it does not have are noted alone."""
    definition: ClassDefinition = contract.classes[class_name]
    for key, value in node.items():
        if key.startswith("@") or key == "operation":
            continue
        property_ = definition.properties.get(key)
        if property_ is None:
            report.note(line, f"{class_name}.{key}")
        elif property_.shape.links and not property_.link:
            continue  # members, who are read apart
        elif isinstance(value, list):
            yield f"{key}: This must be one value."
        elif key in TIME_COLUMNS and _instant(value) is None:
            yield f"{key}: This must be a date and time with its zone."
        elif not (class_name == "Member" and key == "email"):
            yield from (f"{key}: {failure.message}" for failure in property_.shape.failures(value))


def _values(contract: Contract, class_name: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """By column; None for what is not told."""
    needed, optional = COLUMNS[class_name]
    links = LINKED.get(class_name, {})
    return {
        column: _linked(contract, links[column], node) if column in links else _read(column, node.get(column))
        for column in (*needed, *optional)
    }


def _linked(contract: Contract, key: str, node: Mapping[str, Any]) -> str | None:
    """The id at the end of an address of the class."""
    path, _, identifier = str(node.get(key, "")).rpartition("/")
    shape = contract.classes[CLASS_OF_LINK[key]].properties["id"].shape
    there = contract.base + ITEMS[CLASS_OF_LINK[key]].rpartition("/")[0]
    return identifier if path == there and shape.holds(identifier) else None


def _read(column: str, value: Any) -> Any:
    return _instant(value) if column in TIME_COLUMNS else value


def _instant(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo is not None else None


def _lacking(contract: Contract, class_name: str, name: str, values: Mapping[str, Any]) -> Iterator[str]:
    missing = [column for column in COLUMNS[class_name][0] if values[column] is None]
    yield from (f"{LINKED.get(class_name, {}).get(it, it)}: This is required." for it in missing)
    address = "" if missing else contract.base + item_path(class_name, values)
    if address and name != address:
        yield f"@id: This must be {address}; does --from say where it was exported?"
    if class_name == "Authorization" and (values["status"] == "accepted") != (
        values["accepted_at"] is not None
    ):
        yield "accepted_at: This is there if and only if the status is accepted."


async def _restore_batch(database: Database, class_name: str, rows: list[Row], report: Restored) -> None:
    """All of them or none; again where somebody wrote one of them at the same moment."""
    results: list[Result] = []
    for _ in range(TRIES):
        try:
            async with database.transaction() as session:
                act = Act(ANONYMOUS, new_id(), now())
                results = await write(session, act, class_name, [row.values for row in rows])
            break
        except UniqueViolation:
            continue
    else:
        raise unavailable("Others are writing the same at the moment; run the command again.")
    for row, result in zip(rows, results, strict=True):
        if isinstance(result, Fault):
            report.bad.append((row.line, f"{row.name}: {result.key}: {result.message}"))
        else:
            report.imported += result
            report.present += not result
            report.restored[class_name] += result


def _find_lines(opening: Open, report: Restored) -> None:
    """Where the bad ones of Turtle begin, as exports write it: the parser does not tell."""
    sought = {f"<{reason.partition(': ')[0]}>".encode() for number, reason in report.bad if not number}
    found: dict[str, int] = {}
    if sought:
        with opening("") as file:
            for number, line in enumerate(file, 1):
                name = line.split(None, 1)[0] if line.startswith(b"<") else b""
                if name in sought:
                    found.setdefault(name[1:-1].decode(), number)
    report.bad = [
        (number or found.get(reason.partition(": ")[0], 0), reason) for number, reason in report.bad
    ]
