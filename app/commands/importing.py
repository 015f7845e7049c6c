"""`import`."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, cast

import typer

from app.commands.formats import Taken, Written, is_compressed, named
from app.commands.running import STOPPED, AsJson, check_email, opened, run
from app.commands.telling import tell
from app.problems import Problem
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.importing import Report

LEFT = f"{STOPPED} What was imported stays; the same command goes on with the rest."


def import_(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="NDJSON, CSV, Turtle or N-Quads; .gz too.")
    ],
    owner: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Who will own the organizations of lines and rows.")
    ] = None,
    syntax: Annotated[
        Taken | None, typer.Option("--format", help="Without it what the file's name says; else NDJSON.")
    ] = None,
    exported_from: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="The public address of where it was exported.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make organizations with instances from lines of JSON or rows of CSV, or restore what was exported.

    A line is an organization with its instance, left out where the handle is known. What was exported comes
    back with its ids and times. What is there already stays as it is, so the same command may be run again.
    """
    if not file.is_file():
        # It is read more than once.
        message = f"{file} is no regular file. Write what comes from there to a file first."
        raise typer.BadParameter(message, param_hint="FILE")
    settings, chosen = read_settings(os.environ), syntax or _named(file)
    if _is_export(file, chosen):
        if owner is not None:
            raise typer.BadParameter("An export tells who owns what.", param_hint="--owner")
        base = (exported_from or settings.public_url).rstrip("/")
        report = run(_restore(settings, file, chosen, base), lambda: LEFT)
    else:
        if owner is None:
            raise typer.BadParameter("Say who will own the organizations.", param_hint="--owner")
        report = run(_import(settings, file, chosen, owner), lambda: LEFT)
    tell(report, as_json=as_json)


def _named(file: Path) -> Taken:
    name = named(file)
    if name == Written.JSON_LD.value:
        message = "JSON-LD is not imported; export NDJSON, N-Quads or Turtle."
        raise typer.BadParameter(message, param_hint="FILE")
    return Taken(name) if name else Taken.NDJSON


def _is_export(file: Path, chosen: Taken) -> bool:
    """Lines of JSON are, where the first one that can be read has an `@id`."""
    from app.protocol.lines import read_lines
    from app.protocol.strict_json import loads

    if chosen is not Taken.NDJSON:
        return chosen is not Taken.CSV
    with _lines(file) as lines:
        for line in read_lines(lines):
            with suppress(Problem):
                document = loads(line.strip())
                return isinstance(document, dict) and "@id" in document
    return False


async def _import(settings: Settings, file: Path, chosen: Taken, email: str) -> Report:
    """Who has not come yet owns the organizations as soon as a token with that e-mail comes."""
    from app.contract.contract import load_contract
    from app.importing import Report, import_lines
    from app.protocol.lines import read_lines

    contract, report = load_contract(settings.public_url), Report()
    check_email(contract, email, "--owner")
    async with opened(settings) as database:
        with _lines(file, "Importing") as lines:
            as_csv = chosen is Taken.CSV
            await import_lines(database, contract, email, read_lines(lines), report, as_csv=as_csv)
    return report


async def _restore(settings: Settings, file: Path, chosen: Taken, base: str) -> Report:
    from app.contract.contract import load_contract
    from app.representation.exported import Exported
    from app.restoring import Restored, restore

    contract = load_contract(settings.public_url)
    exported = Exported(contract, base, chosen.value)
    report = Restored()
    async with opened(settings) as database:
        await restore(database, contract, exported, lambda told: _lines(file, told), report)
    return report


@contextmanager
def _lines(file: Path, told: str = "") -> Iterator[IO[bytes]]:
    """On a terminal, where there is something to be told, with a bar of how much of the file was read."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with (
        file.open("rb") as content,
        Progress(console=console, disable=not (told and console.is_terminal)) as progress,
    ):
        read = progress.wrap_file(content, total=file.stat().st_size, description=told)
        if not is_compressed(file):
            yield _without_mark(read)
            return
        try:
            with gzip.open(read) as lines:
                yield _without_mark(cast("IO[bytes]", lines))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{file} is damaged: {error}") from error


def _without_mark(content: IO[bytes]) -> IO[bytes]:
    """Behind the byte order mark that some programs put before all that they write: it says nothing, and no
    syntax here has a place for it."""
    if content.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        content.seek(0)
    return content
