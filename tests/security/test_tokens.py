"""Bearer tokens, as STANDARDS AU-08 to AU-13 (and 16, 17, 21) say."""

from __future__ import annotations

import time
from base64 import encodebytes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from app.problems import Problem
from app.security import local_issuer as local_issuer_module
from app.security.local_issuer import FILE, LocalIssuer, local_issuer
from app.security.tokens import MAX_LIFETIME_SECONDS, verify

pytestmark = pytest.mark.anyio

AUDIENCE = "instance-registry"
KEY = Ed25519PrivateKey.generate()
ISSUER = LocalIssuer(KEY)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {
        "iss": ISSUER.iss,
        "aud": AUDIENCE,
        "sub": "owner",
        "client_id": "c",
        "iat": now,
        "exp": now + 60,
        "jti": "j",
        "scope": "registry:read registry:write",
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def signed(payload: dict[str, Any], key: Any = KEY, algorithm: str = "EdDSA", **header: Any) -> str:
    return jwt.encode(payload, key, algorithm, headers={"typ": "at+jwt"} | header)


async def test_a_valid_token_tells_who_is_calling() -> None:
    token = signed(claims(email="o@acme.example", email_verified=True, name="O"))
    found = await verify(token, [ISSUER], AUDIENCE)
    assert (found.issuer, found.subject, found.name, found.email) == (
        ISSUER.iss,
        "owner",
        "O",
        "o@acme.example",
    )
    assert found.scopes == {"registry:read", "registry:write"}


async def test_of_when_a_token_was_issued_whole_seconds_count() -> None:
    issued = int(time.time()) - 5
    for told in (issued, issued + 0.9):
        found = await verify(signed(claims(iat=told)), [ISSUER], AUDIENCE)
        assert (found.issued, type(found.issued)) == (issued, int)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT"])
@pytest.mark.parametrize("audience", [AUDIENCE, ["other", AUDIENCE]])
async def test_both_names_of_the_type_and_lists_of_audiences_are_accepted(typ: str, audience: Any) -> None:
    await verify(signed(claims(aud=audience), typ=typ), [ISSUER], AUDIENCE)


@pytest.mark.parametrize("verified", [None, False, "false", "true", 1, [True]])
async def test_an_email_that_is_not_verified_is_not_taken(verified: Any) -> None:
    """Nor one of which something else is said than that it is."""
    said = claims(email="o@acme.example", email_verified=verified)
    assert (await verify(signed(said), [ISSUER], AUDIENCE)).email is None


async def test_a_token_may_be_good_for_a_day() -> None:
    """As long as the command line makes one for."""
    now = int(time.time())
    token = signed(claims(iat=now, exp=now + MAX_LIFETIME_SECONDS))
    assert (await verify(token, [ISSUER], AUDIENCE)).expires == now + 24 * 60 * 60


BAD: dict[str, Callable[[], str]] = {
    "AU-08 another type": lambda: signed(claims(), typ="JWT"),
    "AU-08 logout token": lambda: signed(claims(), typ="logout+jwt"),
    "AU-08 no type": lambda: signed(claims(), typ=None),
    "AU-09 another case of iss": lambda: signed(claims(iss=ISSUER.iss.upper())),
    "AU-09 iss with a slash": lambda: signed(claims(iss=ISSUER.iss + "/")),
    "AU-09 prefix of iss": lambda: signed(claims(iss=ISSUER.iss[:-1])),
    "AU-10 another audience": lambda: signed(claims(aud="other")),
    "AU-10 empty audience": lambda: signed(claims(aud="")),
    "AU-10 empty list of audiences": lambda: signed(claims(aud=[])),
    "AU-11 another key": lambda: signed(claims(), Ed25519PrivateKey.generate()),
    "AU-11 another curve": lambda: signed(claims(), ec.generate_private_key(ec.SECP256R1()), "ES256"),
    "AU-11 a shared secret": lambda: signed(claims(), b"s" * 32, "HS256"),
    "AU-11 no signature": lambda: signed(claims(), None, "none"),
    "AU-11 signature cut off": lambda: signed(claims()).rpartition(".")[0] + ".",
    "AU-12 expired": lambda: signed(claims(iat=int(time.time()) - 600, exp=int(time.time()) - 300)),
    "AU-12 exp is text": lambda: signed(claims(exp=str(int(time.time()) + 60))),
    "AU-12 exp is 1e308": lambda: signed(claims(exp=1e308)),
    "AU-12 nbf is text": lambda: signed(claims(nbf=str(int(time.time())))),
    "AU-12 good for too long": lambda: signed(claims(exp=int(time.time()) + MAX_LIFETIME_SECONDS + 60)),
    "AU-12 not yet valid": lambda: signed(claims(nbf=int(time.time()) + 600)),
    "AU-12 issued in the future": lambda: signed(
        claims(iat=int(time.time()) + 600, exp=int(time.time()) + 900)
    ),
    "AU-14 an unknown key id": lambda: signed(claims(), kid="' OR 1=1--"),
    "AU-14 a key id of a path": lambda: signed(claims(), kid="../../etc/passwd"),
    "AU-16 JSON form": lambda: '{"payload":"x","signatures":[]}',
    "AU-16 not a token": lambda: "a.b.c",
    "AU-17 crit": lambda: signed(claims(), crit=["x"], x=1),
    "subject with NUL": lambda: signed(claims(sub="a\x00b")),
    "subject with a lone surrogate": lambda: signed(claims(sub="\ud800")),
    "subject too long": lambda: signed(claims(sub="s" * 256)),
    "scope is a list": lambda: signed(claims(scope=["registry:read"])),
    **{
        f"AU-13 no {name}": (lambda name=name: signed(claims(**{name: None})))  # type: ignore[misc]  # mypy has no type for a default of a lambda
        for name in ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
    },
}


@pytest.mark.parametrize("cause", BAD)
async def test_every_other_token_is_refused_with_one_answer(cause: str) -> None:
    with pytest.raises(Problem) as refused:
        await verify(BAD[cause](), [ISSUER], AUDIENCE)
    assert refused.value.type == "not-authenticated"
    assert refused.value.detail == "Send a valid access token: Authorization: Bearer <token>."
    assert refused.value.headers == (("WWW-Authenticate", 'Bearer error="invalid_token"'),)


async def test_the_local_issuers_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with ThreadPoolExecutor(8) as pool:
        issuers = list(pool.map(lambda _: local_issuer(folder), range(8)))
    asked: dict[str, Any] = {
        "audience": AUDIENCE,
        "subject": "s",
        "email": None,
        "name": None,
        "scopes": [],
        "lifetime": 60,
    }
    for maker in issuers:
        verified = await verify(maker.token(**asked), [issuers[0]], AUDIENCE)
        assert verified.subject == "s"
    # Who found none a moment ago does not replace it.
    local_issuer_module._make_key(folder / FILE)
    await verify(issuers[0].token(**asked), [local_issuer(folder)], AUDIENCE)
    assert [file.name for file in folder.iterdir()] == [FILE]
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def written(key: Any, encryption: KeySerializationEncryption) -> bytes:
    done: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return done


def of_unknown_curve() -> bytes:
    """P-256 under a name that nobody has given to any."""
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    other = der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d03017f"))
    return b"-----BEGIN PRIVATE KEY-----\n" + encodebytes(other) + b"-----END PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    "content",
    [
        b"not a key",
        written(ec.generate_private_key(ec.SECP256R1()), NoEncryption()),
        written(KEY, BestAvailableEncryption(b"password")),
        of_unknown_curve(),
    ],
)
def test_a_file_without_the_right_key_is_said_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(ValueError):
        local_issuer(tmp_path)
