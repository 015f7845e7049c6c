"""Public keys of issuers, as JWK sets (RFC 7517) hold them, each bound to its one algorithm."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.settings import ALGORITHMS

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey
MIN_RSA_BITS = 2_048  # RFC 7518 section 3.3


@dataclass(frozen=True)
class Key:
    """Two are equal if they are the same key for the same use, whenever they were read."""

    id: str | None
    algorithm: str
    public: PublicKey


def read_keys(content: bytes, algorithms: Collection[str]) -> tuple[Key, ...]:
    """The keys of a JWK set that can check signatures with one of `algorithms`; others are left out.

    Raises `ValueError` for what is no JWK set.
    """
    document = orjson.loads(content)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("it is not a JWK set")  # noqa: TRY004 - the content is wrong, not a type
    keys = (_key(member) for member in document["keys"])
    return tuple(key for key in keys if key is not None and key.algorithm in algorithms)


def find_key(keys: Iterable[Key], key_id: str | None, algorithm: str) -> Key | None:
    """The one key that a token can mean: without a key id, the only one for its algorithm."""
    found = [key for key in keys if key.algorithm == algorithm and key_id in (None, key.id)]
    return found[0] if len(found) == 1 else None


def _key(member: Any) -> Key | None:
    try:
        parsed = jwt.PyJWK(member) if _is_for_signatures(member) else None
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):  # PyJWT promises its own alone
        return None
    if parsed is None or parsed.algorithm_name != _algorithm(parsed.key):
        return None
    return Key(member.get("kid"), parsed.algorithm_name, parsed.key)


def _is_for_signatures(member: Any) -> bool:
    """As far as the issuer says; a private key in a set is one that anybody may have."""
    return (
        isinstance(member, dict)
        and isinstance(member.get("kid"), str | None)
        and member.get("use", "sig") == "sig"
        and "verify" in member.get("key_ops", ["verify"])
        and member.get("alg", ALGORITHMS[0]) in ALGORITHMS
        and "d" not in member
    )


def _algorithm(key: Any) -> str | None:
    """What a key is for; None for one that is too weak, of another curve, or a shared secret."""
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_BITS:
            return "RS256"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ES256"
        case Ed25519PublicKey():
            return "EdDSA"
        case _:
            return None
