"""What is measured, against which yardstick, and how near to it the service has to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Yardstick = Literal["bare", "fixed"]


@dataclass(frozen=True)
class Case:
    """`target` is the most that the median of the ratios may be; None where nothing is promised.

    What changes is sent by the client of this folder, for each request has to be another one. `meanwhile`
    somebody else changes something all the time, which is another thing for reads on SQLite alone.
    """

    title: str
    yardstick: Yardstick
    target: float | None
    changes: bool = False
    meanwhile: bool = False


CASES = {
    "item-json-ld": Case("item, JSON-LD", "bare", 1.4),
    "item-any": Case("item, JSON-LD, of 9,500 in turn", "bare", 1.4),
    "item-meanwhile": Case("item, JSON-LD, while others write", "bare", 1.4, meanwhile=True),
    "item-json": Case("item, JSON", "bare", 1.4),
    "item-turtle": Case("item, Turtle", "bare", 1.8),
    "304": Case("item, not modified (304)", "bare", 1.2),
    "page-first": Case("page of 30, first", "bare", 1.5),
    "page-deep": Case("page of 30, deep, by cursor", "bare", 1.5),
    "page-any": Case("page of 30, deep, by cursor, of 930 in turn", "bare", 1.5),
    "page-meanwhile": Case("page of 30, deep, by cursor, while others write", "bare", 1.5, meanwhile=True),
    "page-organization": Case("page of 30 of one organization", "bare", 1.5),
    "search-handle": Case("search by handle", "bare", 1.5),
    "create": Case("create", "bare", 2.0, changes=True),
    "rename": Case("rename", "bare", 2.0, changes=True),
    "404": Case("problem (404)", "bare", None),
    "documentation": Case("documentation", "fixed", 1.3),
    "entry-point": Case("entry point", "fixed", 1.3),
    "vocabulary": Case("vocabulary, Turtle", "fixed", 1.3),
    "context": Case("context", "fixed", 1.3),
}

# What a worker may take: MiB at rest, how many times what it had after half of the rounds in the end, and
# seconds from the command to the first answer.
MOST_MEMORY, MOST_GROWTH, MOST_SECONDS = 120.0, 1.1, 1.5
