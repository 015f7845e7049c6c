"""`get`."""

from __future__ import annotations

import json
import os
import re
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.running import REFUSED, AsJson, end_with_pipe, fail
from app.commands.telling import printable
from app.settings import read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from app.asking import Asked

TOKEN = "REGISTRY_TOKEN"  # noqa: S105 - the name of a variable
# Where there is no JSON-LD, whatever there is.
ELSE = "application/ld+json, */*;q=0.1"
# What a token consists of (RFC 6750 section 2.1).
CHARACTERS = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


class Shown(Enum):
    """What a representation can be asked for as, by a short name."""

    JSON_LD = "json-ld"
    JSON = "json"
    TURTLE = "turtle"
    N_TRIPLES = "n-triples"
    N_QUADS = "n-quads"
    TRIG = "trig"
    RDF_XML = "rdf-xml"


def get(
    address: Annotated[
        str, typer.Argument(metavar="IRI", help="An address of the service, a path, or an instance's handle.")
    ],
    syntax: Annotated[
        Shown | None, typer.Option("--format", help="What to ask for; JSON-LD else, if it is there.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option(metavar="FIELD", help="An Accept field instead, sent as it is.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar=TOKEN, help="An access token; it goes to the public address alone.")
    ] = None,
    links: Annotated[
        bool | None,
        typer.Option(
            "--links/--no-links", help="List where it leads: below it on a terminal, alone in a pipe."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is at an address of the running service at REGISTRY_PUBLIC_URL, and where it leads."""
    import httpx

    from app.asking import address_of, ask

    base = read_settings(os.environ).public_url
    try:
        target = address_of(base, address)
    except ValueError as error:
        raise typer.BadParameter(f"{error} REGISTRY_PUBLIC_URL says which service is asked.") from error
    try:
        asked = ask(base, target, accept or _media_type(syntax), _checked(token))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        fail(f"{target} cannot be asked: {error}.{_what_to_do(error)}")
    if as_json:
        typer.echo(json.dumps(_told(asked), ensure_ascii=False))
    else:
        _show(asked, links)
    if asked.answer.is_error:
        raise typer.Exit(REFUSED)


def _what_to_do(error: Exception) -> str:
    import httpx

    if not isinstance(error, httpx.ConnectError):
        return ""
    return " `instance-registry serve` starts the service; REGISTRY_PUBLIC_URL says where it is asked."


def _checked(token: str | None) -> str | None:
    """Without white space at its ends, which files and secrets often have. What is none is not shown: it may
    be one nearly."""
    token = token.strip() if token is not None else None
    if token and not CHARACTERS.fullmatch(token):
        raise typer.BadParameter(f"--token, or {TOKEN}, has characters that no access token has.")
    return token


def _media_type(syntax: Shown | None) -> str:
    from app.representation.forms import BY_NAME

    return BY_NAME[syntax.value] if syntax else ELSE


def _told(asked: Asked) -> dict[str, object]:
    return {
        "address": asked.address,
        "status": asked.answer.status_code,
        "mediaType": asked.media_type,
        "entityTag": asked.answer.headers.get("etag"),
        "links": [{"rel": rel, "address": address} for rel, address in asked.links],
        "content": asked.content,
    }


def _show(asked: Asked, links: bool | None) -> None:
    """To a pipe, what came as it came, or its links; a problem's line stands on the error output besides."""
    end_with_pipe()
    from rich.console import Console

    console = Console()
    if asked.answer.is_error:
        _tell_problem(asked)
    if console.is_terminal:
        _colour(console, asked)
    elif not links:
        typer.echo(asked.answer.content, nl=not asked.answer.content.endswith(b"\n"))
    if asked.links and (console.is_terminal if links is None else links):
        if console.is_terminal:
            console.print("\nLinks", style="bold")
        for rel, address in asked.links:
            typer.echo(printable(f"{rel}  {address}"))


def _colour(console: Console, asked: Asked) -> None:
    """Nothing is cut or filled up: who copies a line has what came."""
    from rich.syntax import Syntax

    from app.asking import is_json

    if is_json(asked.media_type):
        console.print_json(data=_for_people(asked))
        return
    lexer = asked.media_type.rpartition("/")[2].removeprefix("n-").removesuffix("+xml")
    text = Syntax("", lexer, background_color="default").highlight(asked.answer.text)
    console.print(text, soft_wrap=True, end="" if text.plain.endswith("\n") else "\n")


def _for_people(asked: Asked) -> Any:
    """A problem without the context that it carries, which is many times as long as what it says."""
    content = asked.content
    if asked.answer.is_error and isinstance(content, dict):
        return {key: value for key, value in content.items() if key != "@context" or isinstance(value, str)}
    return content


def _tell_problem(asked: Asked) -> None:
    content = asked.content
    told = content if isinstance(content, dict) else {}
    title = told.get("title", asked.answer.reason_phrase)
    typer.echo(f"{asked.answer.status_code} {title}. {told.get('detail', '')}".rstrip(), err=True)
