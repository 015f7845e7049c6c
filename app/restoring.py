"""Restoring what was exported: whole resources, with their ids and times, class after class (decision 34).

The file is read once for each class, in the order in which one refers to another: so in whatever order it
has them, nothing has to be remembered. What is there already is left as it is.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from app.addresses import item_path
from app.caller import ANONYMOUS
from app.contract.contract import Contract
from app.exported_rows import COLUMNS, Row, rows_of
from app.importing import LINES_IN_A_TRANSACTION, Report, counted
from app.protocol.lines import read_lines
from app.representation.exported import Exported, Told
from app.storage.acts import Act, new_id, now
from app.storage.database import Database, Session, UniqueViolation
from app.storage.failures import unavailable
from app.storage.ownerless import with_more_members, without_owner
from app.storage.partners import imported_twice
from app.storage.restoring import Fault, Result
from app.storage.restoring import restore as write

TRIES = 8
# So many that what they cost counts, and so few that Ctrl+C is heard at once.
READ_IN_A_TURN = 1_000
OTHERS = "resource"  # of whichever other class
WHY_PASSED_OVER = {
    "Activity": "an import writes what is, as acts of its own, and no history.",
    OTHERS: "they are of no class of this service; does --from say where they were exported?",
}
NO_OWNER = (
    "has no owner who has come or can come with an e-mail address."
    " Import a member of it whose role is owner, with an e-mail address."
)
# An export of the service tells of two partners where one person came from two issuers.
ONE_EMAIL = "have one e-mail address: whoever comes with it is all of them, and gets what each of them has."
Open = Callable[[str], AbstractContextManager[IO[bytes]]]
T = TypeVar("T")


@dataclass
class Restored(Report):
    """`restored` are counted by class, and so are those `passed_over`: history, and what is foreign.

    `notes` are about what was not left out, but is not as the service would have made it.
    """

    restored: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        by_class = {"restored": dict(self.restored), "passedOver": dict(self.passed_over)}
        return {**super().told(), **by_class, "notes": self.notes}

    def sum(self) -> list[str]:
        by_class = ", ".join(counted(self.restored))
        passed = [
            f"{number} were left out: {WHY_PASSED_OVER[name]}"
            for name, number in zip(self.passed_over, counted(self.passed_over), strict=True)
        ]
        restored = f"{self.imported:,} restored{f' ({by_class})' if by_class else ''}"
        return [
            *self.notes,
            *passed,
            f"{self.lines:,} resources: {restored}, {self.present:,} there already, {len(self.bad):,} bad.",
        ]


async def restore(
    database: Database, contract: Contract, exported: Exported, opening: Open, report: Restored
) -> None:
    """`opening` opens the file once more, with a word about what is read. Raises `malformed-content`."""
    found = await _survey(exported, opening, report)
    for class_name in COLUMNS:
        if found[class_name]:
            with opening(class_name) as file:
                async for batch in _batches(exported.nodes(file, class_name)):
                    rows = list(rows_of(contract, class_name, batch, report))
                    if rows:
                        await _restore_batch(database, class_name, rows, report)
    if found["Partner"]:
        for ids in await imported_twice(database.reading()):
            names = [contract.base + item_path("Partner", {"id": it}) for it in ids]
            report.notes.append(f"{' and '.join(names)} {ONE_EMAIL}")
    if found["Organization"]:
        with opening("Looking for owners") as file:
            async for batch in _batches(exported.nodes(file, "Organization")):
                report.notes += await _notes(database.reading(), contract, batch)
    await _find_lines(opening, report)


async def _notes(session: Session, contract: Contract, batch: list[Told]) -> list[str]:
    """About organizations, once all of their members that the file tells of are there."""
    names = {row.values["id"]: row.name for row in rows_of(contract, "Organization", batch, Restored())}
    if not names:
        return []
    most, ids = contract.classes["MemberCollection"].most or 0, list(names)
    ownerless, crowded = await without_owner(session, ids), await with_more_members(session, ids, most)
    return [
        *(f"{names[it]} {NO_OWNER}" for it in ids if it in ownerless),
        *(
            f"{names[it]} has more than {most:,} members: no more can be added."
            for it in ids
            if it in crowded
        ),
    ]


async def _batches(nodes: Iterable[Told | None]) -> AsyncIterator[list[Told]]:
    batch: list[Told] = []
    async for told in _heard(nodes):
        if told is not None:
            batch.append(told)
        if len(batch) == LINES_IN_A_TRANSACTION:
            yield batch
            batch = []
    if batch:
        yield batch


async def _heard(items: Iterable[T]) -> AsyncIterator[T]:
    """The same, with a moment now and then in which Ctrl+C is heard: reading alone waits for nothing."""
    for number, item in enumerate(items):
        if number % READ_IN_A_TURN == 0:
            await asyncio.sleep(0)
        yield item


async def _survey(exported: Exported, opening: Open, report: Restored) -> Counter[str]:
    """How many there are by class; what cannot be read is told of here alone, before anything is written."""
    found: Counter[str] = Counter()
    with opening("Looking through") as file:
        async for it in _heard(exported.nodes(file)):
            if it is None:
                continue
            if it.reason:
                report.bad.append((it.line, f"{it.name}: {it.reason}" if it.name else it.reason))
            else:
                found[it.class_name or OTHERS] += 1
    # A change is a part of its activity, and an operation of what it is offered for.
    report.passed_over.update({name: found[name] for name in ("Activity", OTHERS) if found[name]})
    return found


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


async def _find_lines(opening: Open, report: Restored) -> None:
    """Where the bad ones of Turtle begin, as exports write it: the parser does not tell."""
    sought = {f"<{reason.partition(': ')[0]}>".encode() for number, reason in report.bad if not number}
    found: dict[str, int] = {}
    if sought:
        with opening("") as file:
            async for number, line in _heard(enumerate(read_lines(file), 1)):
                name = line.split(None, 1)[0] if line.startswith(b"<") else b""
                if name in sought:
                    found.setdefault(name[1:-1].decode(), number)
    report.bad = [
        (number or found.get(reason.partition(": ")[0], 0), reason) for number, reason in report.bad
    ]
