"""`serve`."""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable
from typing import Annotated

import typer

from app.commands.running import AsJson, database_of, opened, run, say
from app.settings import Settings, WrongSetting, read_settings


def serve(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    sample: Annotated[
        bool, typer.Option("--sample", help="Migrate, add the sample data, and say what to do first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Answer requests until it is interrupted."""
    # Until the application is made: what a start makes stays, and looking through it for garbage takes time.
    gc.disable()
    from app.connection import Config
    from app.logs import log_config
    from app.security.issuers import trusted_issuers
    from app.server import run as run_server

    # By the environment, because that is what every worker reads.
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    os.environ.setdefault("REGISTRY_PUBLIC_URL", f"http://{authority}")
    settings = read_settings(os.environ)
    _check_free(host, port)
    # Key files are read, and the local issuer's key is made, before workers could make several.
    trusted_issuers(settings)
    if settings.metrics_port == port:
        raise WrongSetting(f"REGISTRY_METRICS_PORT is {port}, the service's own; choose another one.")
    publish = _publishing(host, settings.metrics_port) if settings.metrics_port is not None else lambda: None
    if sample:
        run(_prepare(settings))
        _welcome(settings, as_json=as_json)
    else:
        run(database_of(settings).check_migrated())
        if as_json:
            say({"entrypoint": f"{settings.public_url}/api", "token": None}, as_json=True)
    run_server(Config(settings, host, port, workers, log_config()), publish)


def _check_free(host: str, port: int) -> None:
    """Before anything is said or done; an `OSError` says what is in the way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise _taken(host, port, error) from error


def _taken(host: str, port: int, error: OSError) -> OSError:
    return OSError(f"{host}, port {port}, cannot be listened on: {error.strerror}.")


def _publishing(host: str, port: int) -> Callable[[], None]:
    """What publishes metrics. Their folder has to be known before a process counts, which those of the
    workers do later."""
    import atexit
    import shutil
    import tempfile

    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        folder = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="registry-metrics-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    from app.metrics import publish

    def publishing() -> None:
        try:
            publish(host, port)
        except OSError as error:
            raise _taken(host, port, error) from error

    _check_free(host, port)
    return publishing


async def _prepare(settings: Settings) -> None:
    from app.sample import add_sample

    await database_of(settings).migrate()
    async with opened(settings) as database:
        await add_sample(database)


def _welcome(settings: Settings, *, as_json: bool) -> None:
    """Where to look; from the local issuer a token, and a first request, to be copied as they stand."""
    base, token = settings.public_url, None if settings.issuers else _owners_token(settings)
    lines = [
        f"""
The registry answers at {base} with sample data; Ctrl+C ends it. Where to look:

  {base}/api             the entry point: linked data for programs, pages for a browser
  {base}/api/docs        what there is and what can be done (Hydra ApiDocumentation)
  {base}/api/reference   the same as OpenAPI, to be tried out
  {base}/vocab           what the words mean
"""
    ]
    if token is not None:
        from app.sample import OWNER

        lines.append(f"""A token of {OWNER.email}, good for a day:

  export TOKEN={token}

A first request:

  curl -H "Authorization: Bearer $TOKEN" {base}/api/organizations
""")
    say({"entrypoint": f"{base}/api", "token": token}, *lines, as_json=as_json)


def _owners_token(settings: Settings) -> str:
    from app.caller import WRITE
    from app.sample import OWNER
    from app.security.local_issuer import local_issuer
    from app.security.tokens import MAX_LIFETIME_SECONDS

    return local_issuer(settings.data_dir).token(
        audience=settings.audience,
        subject=OWNER.subject,
        email=OWNER.email,
        name=OWNER.name,
        scopes=[WRITE],
        lifetime=MAX_LIFETIME_SECONDS,
    )
