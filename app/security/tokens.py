"""Access tokens: JWTs as RFC 9068 profiles them, checked against the issuers that the service trusts."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.problems import Problem

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
TYPES = {"at+jwt", "application/at+jwt"}
REQUIRED_CLAIMS = ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
LEEWAY_SECONDS = 60
# A token that is good for longer than this was made by mistake: it could hardly be taken back.
MAX_LIFETIME_SECONDS = 24 * 60 * 60
# What a partner's columns hold; the claims come from another service.
MAX_SUBJECT, MAX_NAME, MAX_EMAIL = 255, 255, 320


@dataclass(frozen=True)
class Claims:
    """What a verified token says. `email` is a verified one; `expires` is in seconds since the epoch."""

    issuer: str
    subject: str
    name: str | None
    email: str | None
    scopes: frozenset[str]
    expires: int


class Issuer(Protocol):
    """Who makes tokens: its `iss`, and for a key id the key with the one algorithm that it is for."""

    iss: str

    def key(self, key_id: str | None) -> tuple[PublicKey, str] | None: ...


def refused() -> Problem:
    """One answer for every cause, so that it tells nothing to who tries tokens (STANDARDS AU-21)."""
    return Problem(
        "not-authenticated",
        "Send a valid access token: Authorization: Bearer <token>.",
        headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
    )


def verify(token: str, issuers: Sequence[Issuer], audience: str) -> Claims:
    """Raises `Problem("not-authenticated")` for any token that is not a valid one of these issuers."""
    try:
        header = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise refused() from error
    issuer = next((issuer for issuer in issuers if issuer.iss == unverified.get("iss")), None)
    key_id = header.get("kid")
    key = issuer.key(key_id) if issuer is not None and isinstance(key_id, str | None) else None
    if issuer is None or key is None or str(header.get("typ", "")).lower() not in TYPES or "crit" in header:
        raise refused()
    try:
        claims = jwt.decode(
            token,
            key[0],
            algorithms=[key[1]],
            audience=audience,
            issuer=issuer.iss,
            leeway=LEEWAY_SECONDS,
            options={"require": list(REQUIRED_CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError, OverflowError) as error:
        raise refused() from error
    return _read_claims(claims)


def _read_claims(claims: Mapping[str, Any]) -> Claims:
    """PyJWT takes times as text and of any size; a NumericDate is a number (RFC 7519 section 2)."""
    times = [claims[name] for name in ("exp", "iat", "nbf") if name in claims]
    if not all(type(value) in (int, float) and 0 <= value < 2**53 for value in times):
        raise refused()
    if claims["exp"] - claims["iat"] > MAX_LIFETIME_SECONDS or claims["iat"] > time.time() + LEEWAY_SECONDS:
        raise refused()
    subject, scope = claims["sub"], claims.get("scope", "")
    texts = (subject, scope, claims["client_id"], claims["jti"])
    if not all(isinstance(value, str) for value in texts) or not _is_text(subject, MAX_SUBJECT):
        raise refused()
    email = claims.get("email") if claims.get("email_verified") is True else None
    return Claims(
        issuer=claims["iss"],
        subject=subject,
        name=_optional(claims.get("name"), MAX_NAME),
        email=_optional(email, MAX_EMAIL),
        scopes=frozenset(scope.split()),
        expires=int(claims["exp"]),
    )


def _optional(value: object, limit: int) -> str | None:
    return value if isinstance(value, str) and _is_text(value, limit) else None


def _is_text(value: str, limit: int) -> bool:
    """What both databases can keep: not empty, no NUL, no lone surrogate."""
    return (
        0 < len(value) <= limit and "\x00" not in value and not any(0xD800 <= ord(c) < 0xE000 for c in value)
    )
