"""What the commands share: how they end, how they reach the database, and how they say what came of it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.settings import Settings

if TYPE_CHECKING:  # each command imports the rest when it is called, so that the others start at once
    from app.contract.contract import Contract
    from app.storage.database import Database

STOPPED = "Interrupted."
DONE, FAILED, MISUSED, REFUSED, INTERRUPTED, CLOSED = 0, 1, 2, 3, 130, 141
# What docs/command-line.md says as well.
EXIT_CODES: Mapping[int, str] = {
    DONE: "done",
    FAILED: "it could not be done, or `doctor` found something wrong",
    MISUSED: "wrong option, argument or setting",
    REFUSED: "the service answered `get` with a problem, or `serve` could not start",
    INTERRUPTED: "interrupted with Ctrl+C",
    CLOSED: "whoever read from the pipe went away",
}

AsJson = Annotated[bool, typer.Option("--json", help="Say what came of it as JSON, for programs.")]


def epilog() -> str:
    """Below the list of the commands."""
    codes = "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
    return f"Exit codes: {codes}."


def example(*lines: str) -> str:
    """Below the help of a command: typer shows what stands between empty lines as a line of its own."""
    return "\n\n".join(["Example:" if len(lines) == 1 else "Examples:", *lines])


def fail(line: str, code: int = FAILED) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)


def say(result: Mapping[str, Any], *lines: str, as_json: bool) -> None:
    """The result for programs, or the lines for people."""
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
        return
    for line in lines:
        typer.echo(line)


def check_email(contract: Contract, email: str, option: str) -> None:
    """What the service would show nobody counts as not told, and nobody could come with it."""
    if not contract.classes["Member"].properties["email"].shape.holds(email):
        raise typer.BadParameter(f"{email!r} is not an e-mail address.", param_hint=option)


def run(coroutine: Coroutine[Any, Any, Any], interrupted: Callable[[], str] = lambda: STOPPED) -> Any:
    """What it answers; on Ctrl+C the line that tells how things stand then."""
    # Ctrl+C has to wait until there is a loop that can end the coroutine: half a loop cannot be closed.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return asyncio.run(_heard(coroutine))
    except KeyboardInterrupt:
        fail(interrupted(), INTERRUPTED)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


async def _heard(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """From here on Ctrl+C is heard. What came before ends it where it first waits."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    return await coroutine


def end_with_pipe() -> None:
    """From here on whoever reads from a pipe may go away, and ends the command by it, as other commands are
    ended: by a signal, which shells tell as 141. Not while a network connection is open: that would, too."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def database_of(settings: Settings) -> Database:
    from app.storage.database import Database

    return Database(settings.database_url, hurried=False)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database, if it is up to date."""
    database = database_of(settings)
    await database.check_migrated()
    await database.open()
    try:
        yield database
    finally:
        await database.close()
