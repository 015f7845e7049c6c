"""What became of an import, for people or for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from app.importing import Report


def printable(text: str) -> str:
    """Without what terminals obey, which a file might tell."""
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)


def tell(report: Report, *, as_json: bool) -> None:
    """Every line that was left out, by its number and the member that is at fault; then the sum."""
    if as_json:
        typer.echo(json.dumps(report.told(), ensure_ascii=False))
        return
    for member, number in report.unknown.items():
        typer.echo(
            f"{printable(member)} (first in line {number}) is unknown to the registry and was left out."
        )
    for number, reason in report.bad:
        shown = printable(reason)
        typer.echo(f"Line {number} was left out: {shown}" if number else f"Left out: {shown}")
    for line in report.sum():
        typer.echo(line)
