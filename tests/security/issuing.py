"""Issuers for tests: their keys, their tokens, and the address of their key sets on this machine."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "instance-registry"


def ed_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def rsa_key(bits: int = 2_048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


def jwk_of(key: Any, **members: Any) -> dict[str, Any]:
    """The public half of a private key."""
    algorithms: dict[type, Any] = {
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
    }
    kind = next(algorithm for type_, algorithm in algorithms.items() if isinstance(key, type_))
    found: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    return {name: value for name, value in (found | members).items() if value is not None}


def claims_of(iss: Any, **changes: Any) -> dict[str, Any]:
    """Those of a valid token; None leaves one out."""
    now = int(time.time())
    said = {
        "iss": iss, "aud": AUDIENCE, "sub": "ada", "client_id": "c", "iat": now, "exp": now + 600, "jti": "j",
        "scope": "registry:write",
    }  # fmt: skip
    return {name: value for name, value in (said | changes).items() if value is not None}


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def forged(
    header: Mapping[str, Any], claims: Mapping[str, Any], sign: Callable[[bytes], bytes] = lambda _: b""
) -> str:
    """A token of any header, claims and signature, also of what PyJWT would not make."""
    signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{encoded(sign(signed.encode()))}"


@dataclass(frozen=True)
class Signer:
    """One key of an issuer."""

    iss: str
    key: Any
    algorithm: str
    kid: str | None

    @property
    def jwk(self) -> dict[str, Any]:
        return jwk_of(self.key, kid=self.kid)

    def token(self, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A valid token but for what is said; None leaves a member of the header or a claim out."""
        fields = {"alg": self.algorithm, "typ": "at+jwt", "kid": self.kid, **(header or {})}
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        said = {name: value for name, value in fields.items() if value is not None}
        return forged(
            said, claims_of(**{"iss": self.iss} | claims), lambda content: algorithm.sign(content, self.key)
        )


class KeyServer:
    """A key set on loopback. `free` holds answers back while it is not set; `asked` is set by a request."""

    def __init__(self, *keys: Mapping[str, Any]) -> None:
        self.keys = list(keys)
        self.hits = 0
        self.status = 200
        self.fields: dict[str, str] = {}
        self.content: bytes | None = None
        self.address = ""
        self.request = b""
        self.asked = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.request = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # given up before it was asked
            writer.close()
            return
        self.hits += 1
        self.asked.set()
        await self.free.wait()
        content = self.content if self.content is not None else json.dumps({"keys": self.keys}).encode()
        fields = {"Content-Length": str(len(content)), "Connection": "close"} | self.fields
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {self.status} -\r\n{head}\r\n".encode() + content)
        try:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            writer.close()


@asynccontextmanager
async def key_server(*keys: Mapping[str, Any]) -> AsyncIterator[KeyServer]:
    served = KeyServer(*keys)
    answering: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        answering.add(task)
        await served.answer(reader, writer)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    served.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
    try:
        yield served
    finally:
        served.free.set()
        server.close()
        await server.wait_closed()
        await asyncio.gather(*answering)


class Clock:
    """Stands still until it is put forward."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds
