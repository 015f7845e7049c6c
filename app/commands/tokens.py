"""`token`."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from app.commands.running import AsJson, check_email, say
from app.settings import WrongSetting, read_settings


def token(
    sub: Annotated[str, typer.Option(help="The partner's name at the local issuer; any text.")],
    email: Annotated[str, typer.Option(help="Counts as verified.")],
    name: Annotated[str | None, typer.Option(help="For people to read.")] = None,
    scope: Annotated[str, typer.Option(help="Of registry:read, :write and :read-all.")] = "registry:write",
    lifetime: Annotated[int, typer.Option(min=1, max=86_400, help="In seconds.")] = 3_600,
    as_json: AsJson = False,
) -> None:
    """Print an access token of the local issuer, and nothing else."""
    from app.contract.contract import load_contract
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
    check_email(load_contract(settings.public_url), email, "--email")
    made = local_issuer(settings.data_dir).token(
        audience=settings.audience,
        subject=sub,
        email=email,
        name=name,
        scopes=scopes,
        lifetime=lifetime,
    )
    # As an OAuth 2.0 authorization server answers (RFC 6749 section 5.1).
    answer = {"access_token": made, "token_type": "Bearer", "expires_in": lifetime, "scope": scope}
    say(answer, made, as_json=as_json)
