"""The command `instance-registry`: which commands there are, with an example of each, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app.commands.doctoring import doctor
from app.commands.exporting import export
from app.commands.getting import get
from app.commands.importing import import_
from app.commands.keeping import forget, migrate, sample
from app.commands.promises import contract
from app.commands.running import FAILED, INTERRUPTED, MISUSED, STOPPED, epilog, example, fail
from app.commands.serving import serve
from app.commands.tokens import token
from app.problems import Problem
from app.settings import WrongSetting


class Commands(TyperGroup):
    """Ctrl+C is answered wherever it comes; what is wrong is told without pydantic's own words."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            fail(STOPPED, INTERRUPTED)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


cli = typer.Typer(
    cls=Commands,
    help="The registry of organizations and the instances that they own.",
    epilog=epilog(),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "serve": (serve, ("instance-registry serve --sample --port 8080",)),
    "migrate": (migrate, ("instance-registry migrate",)),
    "sample": (sample, ("instance-registry sample",)),
    "export": (
        export,
        (
            "instance-registry export everything.nq.gz",
            "instance-registry export --format turtle | less",
            "instance-registry export --organization 01a21092-40d8-75f9-aca2-633f95063343 acme.ttl",
        ),
    ),
    "import": (
        import_,
        (
            "instance-registry import schools.csv --owner owner@acme.example",
            "instance-registry import everything.nq.gz",
        ),
    ),
    "get": (
        get,
        (
            "instance-registry get acme-eu --token $TOKEN",
            "instance-registry get /api/organizations --format turtle",
        ),
    ),
    "doctor": (doctor, ("instance-registry doctor", "instance-registry doctor --json | jq .ok")),
    "forget": (forget, ("instance-registry forget --partner 01a21092-3ca3-73bd-ba9f-1be4d1424fae",)),
    "token": (token, ("instance-registry token --sub owner --email owner@acme.example",)),
    "contract": (contract, ("instance-registry contract",)),
}
for _name, (_command, _examples) in COMMANDS.items():
    cli.command(name=_name, epilog=example(*_examples))(_command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("instance-registry"))
        raise typer.Exit


@cli.callback()
def _of_all(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and end."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """A wrong setting is one line and exit code 2; what else stops a command, one line and exit code 1."""
    from app.contract.faults import ContractFault

    try:
        cli()
    except WrongSetting as error:
        _end(str(error), MISUSED)
    except Problem as problem:
        _end(problem.with_cause, FAILED)
    except (ContractFault, OSError, ValueError) as error:
        _end(_told(error), FAILED)


def _told(error: Exception) -> str:
    """The system's own words about a file, without its number of them."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename is not None else f"{error.strerror}."
    return str(error)


def _end(line: str, code: int) -> None:
    typer.echo(line, err=True)
    sys.exit(code)
