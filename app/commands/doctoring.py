"""`doctor`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.running import FAILED, AsJson, run

if TYPE_CHECKING:
    from app.checks.check import Check

COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def doctor(
    host: Annotated[str, typer.Option(help="Where the service listens, or shall.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    as_json: AsJson = False,
) -> None:
    """Look whether all is there that the service needs, and say how to mend what is not.

    It changes nothing. It ends with 1 if a check failed; a warning is none.
    """
    checks = run(_every(host, port))
    healthy = all(check.state.value != "failed" for check in checks)
    if as_json:
        told = [
            {"name": it.name, "state": it.state.value, "found": it.found, "mend": it.mend or None}
            for it in checks
        ]
        typer.echo(json.dumps({"ok": healthy, "checks": told}, ensure_ascii=False))
    else:
        _show(checks)
    if not healthy:
        raise typer.Exit(FAILED)


async def _every(host: str, port: int) -> list[Check]:
    from app.checks.every import every

    return [check async for check in every(os.environ, host, port)]


def _show(checks: list[Check]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    for check in checks:
        state = check.state.value
        line = Text.assemble((f"{state:8}", COLOURS[state]), check.name, (f": {check.found}", ""))
        console.print(line)
        if check.mend:
            console.print(Text(f"{'':8}{check.mend}", "bold"))
