"""`export`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.commands.formats import SUFFIXES, Written, is_compressed, named
from app.commands.running import CLOSED, STOPPED, AsJson, opened, run
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.exporting.jobs import Job
    from app.exporting.reading import Scope

STDOUT = Path("-")
NOT_WHOLE = f"{STOPPED} A pipe cannot be resumed: what came out of it is not whole."


def export(
    file: Annotated[
        Path, typer.Argument(help="Where to; - is standard output. With .gz at its end it is compressed.")
    ] = STDOUT,
    organization: Annotated[
        str | None, typer.Option(metavar="IRI", help="One organization alone, by its address or id.")
    ] = None,
    syntax: Annotated[
        Written | None,
        typer.Option(
            "--format",
            help="Without it what the file's name says; N-Quads to standard output."
            " JSON-LD is for others to read: import does not.",
        ),
    ] = None,
    activities: Annotated[bool, typer.Option("--activities", help="With what was done, by whom.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted; files only.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write what is there as linked data, to a file or a pipe.

    A file is written beside its place and put there when it is whole; Ctrl+C leaves a part, with which
    --resume goes on. A pipe cannot be resumed.
    """
    from app.exporting.reading import Scope

    settings, to_pipe = read_settings(os.environ), file == STDOUT
    if resume and to_pipe:
        raise typer.BadParameter("A pipe cannot be resumed; name a file.", param_hint="--resume")
    if not to_pipe:
        _check_place(file)
    chosen = syntax or (Written.N_QUADS if to_pipe else _named(file))
    scope = Scope(_identifier(settings, organization), activities)
    job = _to_pipe(settings, scope, chosen) if to_pipe else _to_file(settings, scope, chosen, file, resume)
    _tell(job, "standard output" if to_pipe else str(file), as_json=as_json, err=to_pipe)


def _check_place(file: Path) -> None:
    """What would be found out at the end only, or told as that of the part."""
    if file.is_dir():
        raise typer.BadParameter(f"{file} is a folder; name a file.", param_hint="FILE")
    if not file.parent.is_dir():
        raise typer.BadParameter(f"There is no folder {file.parent}; make it first.", param_hint="FILE")


def _named(file: Path) -> Written:
    name = named(file)
    try:
        return Written(name)
    except ValueError:
        known = ", ".join(suffix for suffix, it in SUFFIXES.items() if it in {each.value for each in Written})
        message = f"{file.name} names no format that is written ({known}); say --format."
        raise typer.BadParameter(message, param_hint="FILE") from None


def _identifier(settings: Settings, given: str | None) -> str | None:
    """By an address of this service, or the id alone."""
    if given is None:
        return None
    path = f"{settings.public_url}/api/organizations/"
    try:
        return str(UUID(given.removeprefix(path)))
    except ValueError:
        message = f"{given!r} is neither an id nor an address that begins with {path}."
        raise typer.BadParameter(message, param_hint="--organization") from None


def _to_pipe(settings: Settings, scope: Scope, chosen: Written) -> Job:
    out = sys.stdout.buffer
    try:
        made: Job = run(_write(settings, scope, chosen), lambda: NOT_WHOLE)
        out.flush()
    except BrokenPipeError:
        # What is still held has nowhere to go, at the end of the process neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise typer.Exit(CLOSED) from None
    return made


def _to_file(settings: Settings, scope: Scope, chosen: Written, file: Path, resume: bool) -> Job:
    from app.exporting.part_files import PartFile

    def left() -> str:
        part = PartFile(file, compressed=is_compressed(file))
        return (
            f"{STOPPED} The same command with --resume goes on with {part.part}."
            if part.can_go_on
            else STOPPED
        )

    made: Job = run(_write(settings, scope, chosen, file, resume=resume), left)
    return made


async def _write(
    settings: Settings,
    scope: Scope,
    chosen: Written,
    file: Path | None = None,
    *,
    resume: bool = False,
) -> Job:
    from app.contract.contract import load_contract
    from app.exporting.jobs import Job
    from app.exporting.part_files import PartFile
    from app.exporting.reading import expected
    from app.representation.streams import BY_NAME

    form = BY_NAME[chosen.value]
    # The progress ends within, before anything is said of an interruption.
    async with opened(settings) as database:
        session = database.reading()
        total = await expected(session, scope)
        contract = load_contract(settings.public_url)
        with _progress() as told:
            job = Job(contract, scope, form, told=lambda number: told(number, total))
            if file is None:
                await job.to_pipe(session, sys.stdout.buffer.write)
            else:
                with PartFile(file, compressed=is_compressed(file)) as part:
                    await job.to_file(session, part, resume=resume)
        return job


@contextmanager
def _progress() -> Iterator[Callable[[int, int | None], None]]:
    """On a terminal, how many there are, of how many, and how many in a second."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None, rate="")

        def told(number: int, total: int | None) -> None:
            speed = progress.tasks[0].speed or 0
            progress.update(task, advance=number, total=total, rate=f"{speed:,.0f}/s")

        yield told


def _tell(job: Job, to: str, *, as_json: bool, err: bool) -> None:
    """On the error output: the other one may be where the export goes. As JSON only then."""
    result = {
        "counts": job.counts,
        "earlier": job.earlier,
        "seconds": round(job.seconds, 3),
        "rate": job.rate,
    }
    from app.importing import counted

    by_class = ", ".join(counted(job.counts))
    before = f", {job.earlier:,} of them before the interruption" if job.earlier else ""
    line = f"{by_class or 'Nothing'} to {to} in {job.seconds:.1f} s ({job.rate:,}/s){before}."
    typer.echo(json.dumps(result) if as_json else line, err=err or not as_json)
