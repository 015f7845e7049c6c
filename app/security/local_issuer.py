"""The local issuer: tokens for a machine without an identity provider, by a key that lies beside the data."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from pathlib import Path
from uuid import uuid4

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.security.keys import Key, find_key

ALGORITHM = "EdDSA"
FILE = "local-issuer.pem"


class LocalIssuer:
    """Its `iss` does not depend on where the service runs, so that a partner stays the same one."""

    iss = "urn:instance-registry:local"
    audience: str | None = None

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self._private_key = private_key
        self._key = Key(None, ALGORITHM, private_key.public_key())

    async def key(self, key_id: str | None, algorithm: str) -> Key | None:
        return find_key([self._key], key_id, algorithm)

    def holds(self, key: Key) -> bool:
        return key == self._key

    def tended(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def token(
        self,
        *,
        audience: str,
        subject: str,
        email: str | None,
        name: str | None,
        scopes: Collection[str],
        lifetime: int,
    ) -> str:
        """A signed access token; `lifetime` in seconds. The e-mail counts as verified."""
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": self.iss,
            "aud": audience,
            "sub": subject,
            "client_id": "instance-registry",
            "iat": now,
            "exp": now + lifetime,
            "jti": str(uuid4()),
            "scope": " ".join(sorted(scopes)),
        }
        if email is not None:
            claims |= {"email": email, "email_verified": True}
        if name is not None:
            claims["name"] = name
        return jwt.encode(claims, self._private_key, ALGORITHM, headers={"typ": "at+jwt"})


def local_issuer(data_dir: Path) -> LocalIssuer:
    """The issuer whose key lies in `data_dir`; the key is made once, whoever comes first.

    Raises `OSError` or `ValueError` where the key cannot be read or made.
    """
    path = data_dir / FILE
    if not path.exists():
        _make_key(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # it has a password, or is of an unknown kind
        raise ValueError(f"{path} does not hold an Ed25519 key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} does not hold an Ed25519 key")  # noqa: TRY004 - the file is wrong, not a type
    return LocalIssuer(key)


def _make_key(path: Path) -> None:
    """Written beside its place and linked there: no one reads half a key or replaces a whole one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    beside = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
        with suppress(FileExistsError):
            os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
