"""`contract`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.running import AsJson, end_with_pipe, say
from app.settings import read_settings

if TYPE_CHECKING:
    from app.contract.contract import Contract


def contract(
    pin: Annotated[
        bool, typer.Option("--pin", help="Pin the contexts, which do not change from release 1.0.0 on.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check the vocabulary and the contexts, and show what they promise."""
    from app.contract.check import check_contract
    from app.contract.contract import load_contract
    from app.contract.pins import pin as pin_contexts

    loaded = load_contract(read_settings(os.environ).public_url)
    if pin:
        pin_contexts(loaded.sources)
    check_contract(loaded)
    end_with_pipe()
    if as_json:
        say(_told(loaded), as_json=True)
    else:
        _show(loaded)


def _told(loaded: Contract) -> dict[str, Any]:
    return {
        "classes": {it.name: list(it.properties) for it in loaded.classes.values()},
        "operations": [
            {
                "of": name,
                "method": operation.method,
                "title": operation.title,
                "roles": sorted(operation.roles),
                "expects": operation.expects,
            }
            for name, promised in loaded.promises.items()
            for operation in promised.values()
        ],
        "problems": [
            {"type": it.name, "status": it.status, "title": it.title} for it in loaded.problems.values()
        ],
    }


def _show(loaded: Contract) -> None:
    from rich.console import Console
    from rich.table import Table

    told = _told(loaded)
    classes = Table("class", "properties", title="Classes", title_justify="left")
    for name, properties in told["classes"].items():
        classes.add_row(name, ", ".join(properties))
    operations = Table("of", "method", "title", "roles", "expects", title="Operations", title_justify="left")
    for it in told["operations"]:
        roles = ", ".join(it["roles"])
        operations.add_row(it["of"], it["method"], it["title"], roles, it["expects"] or "")
    problems = Table("problem type", "status", "title", title="Problem types", title_justify="left")
    for it in told["problems"]:
        problems.add_row(it["type"], str(it["status"]), it["title"])
    console = Console()
    for table in (classes, operations, problems):
        console.print(table)
