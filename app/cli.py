"""The command `instance-registry`."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from app.problems import Problem
from app.settings import Settings, WrongSetting, read_settings

if TYPE_CHECKING:  # each command imports the rest when it is called, so that the others start at once
    from app.importing import Report
    from app.storage.database import Database
    from app.storage.erasure import Erased

cli = typer.Typer(
    help="The registry of organizations and the instances that they own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """A wrong setting is one line and exit code 2; what else stops a command, one line and exit code 1."""
    from app.contract.faults import ContractFault

    try:
        cli()
    except WrongSetting as error:
        _fail(str(error), 2)
    except Problem as problem:
        _fail(problem.detail, 1)
    except (ContractFault, OSError, ValueError) as error:
        _fail(str(error), 1)


def _fail(line: str, code: int) -> None:
    typer.echo(line, err=True)
    sys.exit(code)


@cli.command()
def serve(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    sample: Annotated[
        bool, typer.Option("--sample", help="Migrate, add the sample data, and say what to do first.")
    ] = False,
) -> None:
    """Answer requests until it is interrupted."""
    # Until the application is made: what a start makes stays, and looking through it for garbage takes time.
    gc.disable()
    from app.connection import Config
    from app.logs import log_config
    from app.security.issuers import trusted_issuers
    from app.server import run

    # By the environment, because that is what every worker reads.
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    os.environ.setdefault("REGISTRY_PUBLIC_URL", f"http://{authority}")
    settings = read_settings(os.environ)
    _check_free(host, port)
    # Key files are read, and the local issuer's key is made, before workers could make several.
    trusted_issuers(settings)
    if settings.metrics_port is not None:
        _publish_metrics(host, settings.metrics_port)
    if sample:
        _run(_prepare(settings))
        _welcome(settings)
    else:
        _run(_database(settings).check_migrated())
    run(Config(settings, host, port, workers, log_config()))


def _check_free(host: str, port: int) -> None:
    """Before anything is said or done; an `OSError` says what is in the way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise OSError(f"{host}, port {port}, cannot be listened on: {error.strerror}.") from error


def _publish_metrics(host: str, port: int) -> None:
    """The folder has to be known before a process counts, which those of the workers do later."""
    import atexit
    import shutil
    import tempfile

    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="registry-metrics-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    from app.metrics import publish

    try:
        publish(host, port)
    except OSError as error:
        raise OSError(f"{host}, port {port}, cannot be listened on: {error.strerror}.") from error


async def _prepare(settings: Settings) -> None:
    from app.sample import add_sample

    await _database(settings).migrate()
    async with _open(settings) as database:
        await add_sample(database)


def _welcome(settings: Settings) -> None:
    """Where to look; from the local issuer a token, and a first request, to be copied as they stand."""
    base = settings.public_url
    typer.echo(f"""
The registry answers at {base} with sample data; Ctrl+C ends it. Where to look:

  {base}/api        the entry point
  {base}/api/docs   what there is and what can be done (Hydra ApiDocumentation)
  {base}/vocab      what the words mean
""")
    if not settings.issuers:
        _welcome_owner(settings)


def _welcome_owner(settings: Settings) -> None:
    from app.caller import WRITE
    from app.sample import OWNER
    from app.security.local_issuer import local_issuer
    from app.security.tokens import MAX_LIFETIME_SECONDS

    token = local_issuer(settings.data_dir).token(
        audience=settings.audience,
        subject=OWNER.subject,
        email=OWNER.email,
        name=OWNER.name,
        scopes=[WRITE],
        lifetime=MAX_LIFETIME_SECONDS,
    )
    typer.echo(f"""A token of {OWNER.email}, good for a day:

  export TOKEN={token}

A first request:

  curl -H "Authorization: Bearer $TOKEN" {settings.public_url}/api/organizations
""")


@cli.command()
def migrate() -> None:
    """Make the database, or bring it up to date."""
    names = _run(_database(read_settings(os.environ)).migrate())
    typer.echo(f"Applied {', '.join(names)}." if names else "There was nothing to apply.")


@cli.command()
def sample() -> None:
    """Add a small data set; what is there already stays as it is."""
    added = _run(_add_sample(read_settings(os.environ)))
    typer.echo(f"Added {added} organizations with their instances.")


async def _add_sample(settings: Settings) -> int:
    from app.sample import add_sample

    async with _open(settings) as database:
        return await add_sample(database)


@cli.command(name="import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Lines of JSON.")],
    owner: Annotated[str, typer.Option(metavar="EMAIL", help="Who will own the organizations.")],
) -> None:
    """Make an organization with its instance from each line; lines whose handle is known are left out."""
    report = _run(_import(read_settings(os.environ), file, owner))
    for member, number in report.unknown.items():
        shown = member.encode("unicode_escape").decode()
        typer.echo(f"{shown} (first in line {number}) is unknown to the registry and was left out.")
    for number, reason in report.bad:
        typer.echo(f"Line {number} was left out: {reason}")
    typer.echo(
        f"{report.lines} lines: {report.imported} imported, {report.present} there already, "
        f"{len(report.bad)} bad."
    )


async def _import(settings: Settings, file: Path, email: str) -> Report:
    """Who has not come yet owns the organizations as soon as a token with that e-mail comes."""
    from app.contract.contract import load_contract
    from app.importing import Report, import_lines
    from app.storage.partners import partner_by_email
    from app.storage.writes import Owner

    contract, report = load_contract(settings.public_url), Report()
    if any(contract.classes["Member"].properties["email"].shape.failures(email)):
        raise typer.BadParameter(f"{email!r} is not an e-mail address.", param_hint="--owner")
    async with _open(settings) as database:
        partner_id = await partner_by_email(database.reading(), email)
        owner = Owner(partner_id, None if partner_id else email)
        await import_lines(database, contract, owner, _lines(file), report)
    return report


def _lines(file: Path) -> Iterator[bytes]:
    """On a terminal, with a bar that tells how much of the file has been read."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with file.open("rb") as lines, Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=file.stat().st_size)
        for line in lines:
            yield line
            progress.advance(task, len(line))


@cli.command()
def token(
    sub: Annotated[str, typer.Option(help="The partner's name at the local issuer; any text.")],
    email: Annotated[str, typer.Option(help="Counts as verified.")],
    name: Annotated[str | None, typer.Option(help="For people to read.")] = None,
    scope: Annotated[str, typer.Option(help="Of registry:read, :write and :read-all.")] = "registry:write",
    lifetime: Annotated[int, typer.Option(min=1, max=86_400, help="In seconds.")] = 3_600,
) -> None:
    """Print an access token of the local issuer, and nothing else."""
    from app.security.local_issuer import local_issuer
    from app.security.rights import SCOPES

    settings = read_settings(os.environ)
    if settings.issuers:
        raise WrongSetting(
            "The local issuer is off, because REGISTRY_ISSUERS is set: ask one of those for a token."
        )
    scopes = scope.split()
    unknown = [value for value in scopes if value not in SCOPES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(SCOPES)}.", param_hint="--scope")
    if not 1 <= len(sub) <= 255:
        raise typer.BadParameter("It has 1 to 255 characters.", param_hint="--sub")
    issuer = local_issuer(settings.data_dir)
    typer.echo(
        issuer.token(
            audience=settings.audience,
            subject=sub,
            email=email,
            name=name,
            scopes=scopes,
            lifetime=lifetime,
        )
    )


@cli.command()
def forget(
    partner: Annotated[str, typer.Option(metavar="ID", help="The partner's id, or its address.")],
) -> None:
    """Replace the name and e-mail of a partner wherever they stand; what it did stays."""
    from app.storage.erasure import EMAIL, NAME

    given = partner.rpartition("/")[2]
    try:
        identifier = str(UUID(given))
    except ValueError as error:
        raise typer.BadParameter(f"{given!r} is not a partner's id.", param_hint="--partner") from error
    erased = _run(_forget(read_settings(os.environ), identifier))
    if erased is None:
        _fail(f"There is no partner {identifier}.", 1)
    typer.echo(
        f"Forgot partner {identifier}, now {NAME} <{EMAIL}>, in {erased.memberships} memberships"
        f" and {erased.activities} activities."
    )


async def _forget(settings: Settings, identifier: str) -> Erased | None:
    from app.caller import ANONYMOUS
    from app.storage.acts import Act, new_id, now
    from app.storage.erasure import forget

    async with _open(settings) as database:
        async with database.transaction() as session:
            erased = await forget(session, Act(ANONYMOUS, new_id(), now()), identifier)
        await database.leave_nothing_beside()
        return erased


@cli.command()
def contract(
    pin: Annotated[
        bool, typer.Option("--pin", help="Pin the contexts, which do not change from release 1.0.0 on.")
    ] = False,
) -> None:
    """Check the vocabulary and the contexts, and show what they promise."""
    from rich.console import Console
    from rich.table import Table

    from app.contract.check import check_contract
    from app.contract.contract import load_contract
    from app.contract.pins import pin as pin_contexts

    loaded = load_contract(read_settings(os.environ).public_url)
    if pin:
        pin_contexts(loaded.sources)
    check_contract(loaded)
    classes = Table("class", "properties", title="Classes", title_justify="left")
    for definition in loaded.classes.values():
        classes.add_row(definition.name, ", ".join(definition.properties))
    operations = Table("of", "method", "title", "roles", "expects", title="Operations", title_justify="left")
    for name, promised in loaded.promises.items():
        for operation in promised.values():
            roles = ", ".join(sorted(operation.roles))
            operations.add_row(name, operation.method, operation.title, roles, operation.expects or "")
    problems = Table("problem type", "status", "title", title="Problem types", title_justify="left")
    for problem in loaded.problems.values():
        problems.add_row(problem.name, str(problem.status), problem.title)
    console = Console()
    for table in (classes, operations, problems):
        console.print(table)


def _database(settings: Settings) -> Database:
    from app.storage.database import Database

    return Database(settings.database_url, hurried=False)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    """Open, if it is up to date."""
    database = _database(settings)
    await database.check_migrated()
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)
