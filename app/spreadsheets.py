"""Rows of CSV (RFC 4180) as the documents that lines of JSON would be: a column is named as its member is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from app.problems import Problem
from app.protocol.strict_json import JSON

COLUMNS = ("organization.name", "instance.name", "instance.handle")
# What spreadsheets of one country or another separate with.
SEPARATORS = ",;\t"


def read_rows(lines: Iterable[bytes]) -> Iterator[tuple[int, Callable[[], JSON]]]:
    """The line in which each row begins, from 1, and how to read it, which raises `malformed-content`.

    Raises `ValueError` where the first line does not name the columns.
    """
    text = _text(lines)
    first = next(text, "")
    if _is_torn(first):
        raise ValueError("The first line is not UTF-8.")
    separator = max(SEPARATORS, key=first.count)
    try:
        columns = [name.strip() for name in next(csv.reader([first], delimiter=separator), [])]
    except csv.Error as error:
        raise ValueError(f"The first line is not CSV: {error}.") from error
    missing = [name for name in COLUMNS if name not in columns]
    if missing or len(set(columns)) < len(columns):
        raise ValueError(
            f"The first line must name the columns {', '.join(COLUMNS)}, each once;"
            f" it lacks {', '.join(missing) or 'nothing, but names one twice'}."
        )
    rows = csv.reader(text, delimiter=separator, strict=True)
    while True:
        number = rows.line_num + 2
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            last = rows.line_num + 1
            # Whatever follows a quotation mark that is not closed belongs to the same field.
            lost = f" It goes on to line {last:,}: nothing of these lines was read." if last > number else ""
            yield number, partial(_refuse, f"It is not CSV: {error}.{lost}")
            continue
        if row:
            yield number, partial(_document, columns, row)


def _text(lines: Iterable[bytes]) -> Iterator[str]:
    """What is not UTF-8 stays in its row."""
    for line in lines:
        yield line.decode(errors="surrogateescape")


def _is_torn(text: str) -> bool:
    """Whether it was not UTF-8, whose characters none of these is."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def _document(columns: list[str], row: list[str]) -> JSON:
    if any(map(_is_torn, row)):
        _refuse("It is not UTF-8.")
    if len(row) != len(columns):
        _refuse(f"It has {len(row)} fields, and the first line {len(columns)}.")
    document: dict[str, JSON] = {}
    for name, value in zip(columns, row, strict=True):
        member, dot, key = name.partition(".")
        inner = document.setdefault(member, {}) if dot else document
        if isinstance(inner, dict):
            inner[key if dot else member] = value
    return document


def _refuse(reason: str) -> JSON:
    raise Problem("malformed-content", reason)
