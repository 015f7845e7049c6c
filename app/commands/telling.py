"""What became of an import, for people or for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from app.importing import Report


def tell(report: Report, *, as_json: bool) -> None:
    """Every line that was left out, by its number and the member that is at fault; then the sum."""
    if as_json:
        typer.echo(json.dumps(report.told(), ensure_ascii=False))
        return
    for member, number in report.unknown.items():
        shown = member.encode("unicode_escape").decode()
        typer.echo(f"{shown} (first in line {number}) is unknown to the registry and was left out.")
    for number, reason in report.bad:
        typer.echo(f"Line {number} was left out: {reason}" if number else f"Left out: {reason}")
    for line in report.sum():
        typer.echo(line)
