"""Rows of what was exported, by column, or why a node makes none: the shapes of the contract are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.addresses import ITEMS, item_path
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.importing import Report
from app.representation.exported import Told
from app.storage.kinds import KINDS
from app.storage.tables import TIME_COLUMNS

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


@dataclass(frozen=True)
class Row:
    line: int
    name: str
    values: Mapping[str, Any]


def rows_of(contract: Contract, class_name: str, batch: Iterable[Told], report: Report) -> Iterator[Row]:
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
    contract: Contract, class_name: str, node: Mapping[str, Any], report: Report, line: int
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
        else:
            yield from (f"{key}: {message}" for message in _messages(contract, class_name, key, value))


def _messages(contract: Contract, class_name: str, key: str, value: Any) -> list[str]:
    """A member's e-mail may be whatever a token told, as a partner's may; what that is has no shape."""
    told_by = "Partner" if (class_name, key) == ("Member", "email") else class_name
    failures = list(contract.classes[told_by].properties[key].shape.failures(value))
    if key == "name" and [it.code for it in failures] == ["not"]:
        failures = []  # It shows nothing, as a name once could: what has it comes back, to be renamed.
    messages = [it.message for it in failures]
    most = KINDS[class_name].lengths.get(key)
    if not messages and most is not None and len(value) > most:
        messages.append(f"This must have at most {most} characters.")
    return messages


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
    """In UTC, where the years 1 to 9999 may end a day sooner than elsewhere."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, TypeError, OverflowError):
        return None


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
