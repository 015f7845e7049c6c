"""Access tokens: JWTs as RFC 9068 profiles them, checked against the issuers that the service trusts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from app.contract.constraints import NO_STRING
from app.problems import Problem
from app.security.keys import Key

TYPES = {"at+jwt", "application/at+jwt"}
REQUIRED_CLAIMS = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
LEEWAY_SECONDS = 60
# A token that is good for longer than this was made by mistake: it could hardly be taken back.
MAX_LIFETIME_SECONDS = 24 * 60 * 60
# What a partner's columns hold; the claims come from another service.
MAX_SUBJECT, MAX_NAME, MAX_EMAIL = 255, 255, 320


@dataclass(frozen=True)
class Claims:
    """What a token says that was verified with `key`.

    `email` is a verified one; `issued` and `expires` are in whole seconds since the epoch.
    """

    issuer: str
    subject: str
    name: str | None
    email: str | None
    scopes: frozenset[str]
    issued: int
    expires: int
    key: Key


class Issuer(Protocol):
    """Who makes tokens: its `iss`, the `aud` that they name where it is not the service's, and its keys."""

    iss: str
    audience: str | None

    async def key(self, key_id: str | None, algorithm: str) -> Key | None:
        """The key that is meant by the header of a token. Raises `unavailable` where that is not known."""
        ...

    def holds(self, key: Key) -> bool:
        """Whether the key is one of its own, as far as is known. It takes no time."""
        ...

    def tended(self) -> AbstractAsyncContextManager[None]:
        """Meanwhile its keys are kept up to date."""
        ...


def refused() -> Problem:
    """One answer for every cause, so that it tells nothing to who tries tokens (STANDARDS AU-21)."""
    return Problem(
        "not-authenticated",
        "Send a valid access token: Authorization: Bearer <token>.",
        headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
    )


async def verify(token: str, issuers: Sequence[Issuer], audience: str) -> Claims:
    """Raises `not-authenticated`, caused by what is wrong, for any token that is not a valid one of theirs.

    Raises `unavailable` where the issuer's keys are not known.
    """
    try:
        return await _verified(token, issuers, audience)
    except (jwt.PyJWTError, ValueError, OverflowError, RecursionError) as error:
        raise refused() from error


async def _verified(token: str, issuers: Sequence[Issuer], audience: str) -> Claims:
    """What the token says of itself chooses among what is configured and known, and nothing else."""
    header = jwt.get_unverified_header(token)
    if str(header.get("typ", "")).lower() not in TYPES or "crit" in header:
        raise jwt.InvalidTokenError("typ or crit is not that of an access token")
    unverified = jwt.decode(token, options={"verify_signature": False})
    issuer = next((issuer for issuer in issuers if issuer.iss == unverified.get("iss")), None)
    if issuer is None:
        raise jwt.InvalidIssuerError("no such issuer")
    key = await issuer.key(header.get("kid"), str(header.get("alg")))
    if key is None:
        raise jwt.InvalidKeyError("the issuer has no such key, or several")
    claims = jwt.decode(
        token,
        key.public,
        algorithms=[key.algorithm],
        audience=issuer.audience or audience,
        issuer=issuer.iss,
        leeway=LEEWAY_SECONDS,
        options={"require": list(REQUIRED_CLAIMS)},
    )
    return _read_claims(claims, key)


def _read_claims(claims: Mapping[str, Any], key: Key) -> Claims:
    """PyJWT takes times as text and of any size; a NumericDate is a number (RFC 7519 section 2)."""
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    if not all(type(value) in (int, float) and 0 <= value < 2**53 for value in times):
        raise jwt.InvalidTokenError("a time is not a number that can be one")
    if claims["exp"] - claims["iat"] > MAX_LIFETIME_SECONDS or claims["iat"] > time.time() + LEEWAY_SECONDS:
        raise jwt.InvalidTokenError("it is good for too long, or was made in the future")
    subject, scope = claims["sub"], claims.get("scope", "")
    texts = (subject, scope, claims["client_id"], claims["jti"])
    if not all(isinstance(value, str) for value in texts) or not _is_text(subject, MAX_SUBJECT):
        raise jwt.InvalidTokenError("a claim is not text that can be kept")
    email = claims.get("email") if claims.get("email_verified") is True else None
    return Claims(
        issuer=claims["iss"],
        subject=subject,
        name=_optional(claims.get("name"), MAX_NAME),
        email=_optional(email, MAX_EMAIL),
        scopes=frozenset(scope.split()),
        issued=int(claims["iat"]),
        expires=int(claims["exp"]),
        key=key,
    )


def _optional(value: object, limit: int) -> str | None:
    """What is shown to people has to be text in every syntax; what is not counts as not told."""
    shown = isinstance(value, str) and _is_text(value, limit) and not NO_STRING.search(value)
    return str(value) if shown else None


def _is_text(value: str, limit: int) -> bool:
    """What both databases can keep: not empty, no NUL, no lone surrogate."""
    return (
        0 < len(value) <= limit and "\x00" not in value and not any(0xD800 <= ord(c) < 0xE000 for c in value)
    )
