"""Key sets: which keys they give, how they are fetched, how long they are known (STANDARDS AU-11, AU-15)."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from app.problems import Problem
from app.security import fetched_keys
from app.security.fetched_keys import (
    MAX_AGE_SECONDS,
    MAX_LENGTH,
    PAUSE_SECONDS,
    FetchedKeys,
    fetch,
    key_client,
)
from app.security.issuers import trusted_issuers
from app.security.key_file import KeyFile
from app.security.keys import Key, find_key, read_keys
from app.settings import ALGORITHMS, WrongSetting, read_settings
from tests.commands import free_port
from tests.security.issuing import Clock, ec_key, ed_key, encoded, jwk_of, key_server, rsa_key

pytestmark = pytest.mark.anyio

RSA, EC, ED = rsa_key(), ec_key(), ed_key()
GOOD = [jwk_of(RSA, kid="r"), jwk_of(EC, kid="e"), jwk_of(ED, kid="d")]


def set_of(*keys: Any) -> bytes:
    return json.dumps({"keys": keys}).encode()


def ids(keys: Any) -> list[str | None]:
    return [key.id for key in keys]


def test_each_kind_of_key_is_for_one_algorithm_au_11() -> None:
    keys = read_keys(set_of(*GOOD), ALGORITHMS)
    assert [(key.id, key.algorithm) for key in keys] == [("r", "RS256"), ("e", "ES256"), ("d", "EdDSA")]
    assert ids(read_keys(set_of(*GOOD), ["ES256"])) == ["e"]


UNUSABLE: dict[str, Any] = {
    "a shared secret": {"kty": "oct", "k": encoded(b"s" * 32)},
    "a shared secret that says otherwise": {"kty": "oct", "k": encoded(b"s" * 32), "alg": "RS256"},
    "a key for encryption": jwk_of(RSA, use="enc"),
    "a key to sign with": jwk_of(RSA, key_ops=["sign"]),
    "key_ops that are none": jwk_of(RSA, key_ops=5),
    "a shared secret that is left out": {"kty": "oct"},
    "a private key": {**jwk_of(ED), "d": encoded(ED.private_bytes_raw())},
    "a short RSA key": jwk_of(rsa_key(1_024)),
    "an RSA key for another algorithm": jwk_of(RSA, alg="RS512"),
    "an RSA key for PSS": jwk_of(RSA, alg="PS256"),
    "an RSA key for HMAC": jwk_of(RSA, alg="HS256"),
    "a key for none": jwk_of(RSA, alg="none"),
    "a key for another kind's algorithm": jwk_of(EC, alg="RS256"),
    "P-384": jwk_of(ec_key(ec.SECP384R1)),
    "P-384 that says ES256": jwk_of(ec_key(ec.SECP384R1), alg="ES256"),
    "secp256k1": jwk_of(ec_key(ec.SECP256K1)),
    "Ed448": {
        "kty": "OKP",
        "crv": "Ed448",
        "alg": "EdDSA",
        "x": encoded(ed448.Ed448PrivateKey.generate().public_key().public_bytes_raw()),
    },
    "a point that is not on the curve": {**jwk_of(EC), "x": encoded(b"\x01" * 32)},
    "numbers that are none": {**jwk_of(RSA), "n": 5},
    "an algorithm that is none": jwk_of(RSA, alg=["RS256"]),
    "an id that is none": jwk_of(RSA, kid=1),
    "no kind": {"kid": "x"},
    "no object": "key",
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_is_no_public_key_of_an_allowed_kind_is_left_out_au_11(name: str) -> None:
    assert ids(read_keys(set_of(UNUSABLE[name], GOOD[2]), ALGORITHMS)) == ["d"]


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"keys": {}}', b"\xff", b"[" * 100_000])
def test_what_is_no_key_set_is_said_so(content: bytes) -> None:
    with pytest.raises(ValueError):
        read_keys(content, ALGORITHMS)


def test_a_token_means_one_key_or_none() -> None:
    keys = read_keys(set_of(*GOOD, jwk_of(rsa_key(), kid="r2")), ALGORITHMS)
    by_id, only = find_key(keys, "r", "RS256"), find_key(keys, None, "ES256")
    assert by_id is not None
    assert only is not None
    assert (by_id.id, only.id) == ("r", "e")
    assert find_key(keys, None, "RS256") is None
    assert find_key(keys, "r", "ES256") is None
    assert find_key(keys, "x", "RS256") is None
    assert find_key(read_keys(set_of(GOOD[0], jwk_of(rsa_key(), kid="r")), ALGORITHMS), "r", "RS256") is None


def test_a_key_is_the_same_one_whenever_it_was_read() -> None:
    first, again = (read_keys(set_of(*GOOD), ALGORITHMS) for _ in range(2))
    assert first == again
    assert read_keys(set_of(jwk_of(rsa_key(), kid="r")), ALGORITHMS)[0] not in first


def test_a_key_file_is_read_again_when_it_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(set_of(*GOOD))
    file = KeyFile(path, ALGORITHMS)
    assert ids(file.known()) == ["r", "e", "d"]
    path.write_bytes(set_of(GOOD[2]))
    assert ids(file.known()) == ["d"]
    # As Kubernetes changes a file: another one takes its place, of the same size and time.
    (tmp_path / "next").write_bytes(set_of({**GOOD[2], "kid": "n"}))
    os.utime(tmp_path / "next", ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))
    (tmp_path / "next").replace(path)
    assert ids(file.known()) == ["n"]
    assert caplog.records == []


async def test_a_key_file_that_broke_leaves_the_known_keys_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(set_of(*GOOD))
    file = KeyFile(path, ALGORITHMS)
    async with file.tended():
        for times in (1, 2):
            path.write_text("{") if times == 1 else path.unlink()
            assert ids(file.known()) == ids(await file.renewed()) == ["r", "e", "d"]
            assert len(caplog.records) == times
        path.write_bytes(set_of(GOOD[0]))
        assert ids(await file.renewed()) == ["r"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"{}", "is not a JWK set: it is not a JWK set"),
        (set_of(), "holds no public key for RS256, ES256, EdDSA"),
        (set_of(UNUSABLE["secp256k1"]), "holds no public key for RS256, ES256, EdDSA"),
    ],
)
def test_a_key_file_by_which_no_token_could_be_checked_is_said_so_at_the_start(
    tmp_path: Path, content: bytes | None, fault: str
) -> None:
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_bytes(content)
    settings = read_settings(
        {"REGISTRY_ISSUERS": json.dumps([{"issuer": "https://idp.example", "jwks": str(path)}])}
    )
    with pytest.raises(WrongSetting, match=re.escape(f"REGISTRY_ISSUERS: {path} {fault}.")):
        trusted_issuers(settings)


async def test_concurrent_requests_share_one_fetch_even_if_one_is_given_up_au_15(clock: Clock) -> None:
    async with key_server(*GOOD) as server:
        server.free.clear()
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            waiting = [asyncio.create_task(keys.renewed()) for _ in range(20)]
            await server.asked.wait()
            waiting[0].cancel()
            server.free.set()
            found = await asyncio.gather(*waiting[1:])
        assert [ids(each) for each in found] == [["r", "e", "d"]] * 19
        assert waiting[0].cancelled()
        assert server.hits == 1


async def test_an_issuer_is_asked_every_30_seconds_at_most_au_15(clock: Clock) -> None:
    async with key_server(*GOOD) as server:
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            for fetches in range(1, 4):
                for _ in range(10):
                    await keys.renewed()
                clock.seconds += PAUSE_SECONDS - 1
                await keys.renewed()
                assert server.hits == fetches
                clock.seconds += 1


async def test_keys_are_fetched_anew_every_10_minutes_without_being_asked_for_au_15(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: asyncio.Queue[None] = asyncio.Queue()
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await turns.get()

    monkeypatch.setattr(fetched_keys, "sleep", sleep)
    async with key_server(*GOOD) as server:
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            assert ids(await keys.renewed()) == ["r", "e", "d"]
            server.keys = [GOOD[1]]
            server.asked.clear()
            clock.seconds += 600
            turns.put_nowait(None)
            await server.asked.wait()
            assert ids(await keys.renewed()) == ["e"]
        assert (server.hits, set(pauses)) == (2, {600})


async def test_an_issuer_that_is_away_leaves_the_known_keys_for_a_day_au_15(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with key_server(*GOOD) as server:
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            await keys.renewed()
            server.status = 500
            clock.seconds += MAX_AGE_SECONDS
            assert ids(await keys.renewed()) == ids(keys.known()) == ["r", "e", "d"]
            assert "500" in caplog.text
            clock.seconds += 1
            assert keys.known() == ()
            with pytest.raises(Problem, match="unavailable"):
                await keys.renewed()
            server.status = 200
            clock.seconds += PAUSE_SECONDS
            assert ids(await keys.renewed()) == ["r", "e", "d"]


async def test_a_key_set_that_was_emptied_holds_no_key(clock: Clock) -> None:
    async with key_server() as server:
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            assert await keys.renewed() == ()


async def test_keys_are_asked_for_plainly_and_taken_from_nowhere_else_au_14(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a proxy of the environment, nor a redirect, nor what is packed or too long."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    async with key_server(*GOOD) as server, key_server(*GOOD) as elsewhere:
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            for status, fields, content in (
                (302, {"Location": elsewhere.address}, None),
                (200, {"Content-Encoding": "gzip"}, gzip.compress(set_of(*GOOD))),
                (200, {}, set_of(*GOOD).ljust(MAX_LENGTH + 1)),
                (200, {"Content-Length": "9" * 30}, b"{}"),
                (200, {"Content-Length": "9999"}, b"{}"),
                (200, {}, b"<html>"),
            ):
                server.status, server.fields, server.content = status, fields, content
                caplog.clear()
                with pytest.raises(Problem, match="unavailable"):
                    await keys.renewed()
                assert len(caplog.records) == 1
                clock.seconds += PAUSE_SECONDS
            server.fields, server.content = {}, set_of(*GOOD).ljust(MAX_LENGTH)
            assert ids(await keys.renewed()) == ["r", "e", "d"]
        assert elsewhere.hits == 0
        assert b"Accept-Encoding: identity" in server.request


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://\u2603..b/"]
)
async def test_an_address_where_nobody_answers_is_told_with_when_to_try_again(
    clock: Clock, address: str
) -> None:
    keys = FetchedKeys(address.format(port=free_port()), ALGORITHMS)
    async with keys.tended():
        for passed in (0, 20):
            clock.seconds += passed
            with pytest.raises(Problem, match="unavailable") as problem:
                await keys.renewed()
            assert problem.value.headers == (("Retry-After", str(PAUSE_SECONDS - passed)),)


async def test_an_issuer_that_does_not_answer_is_given_up(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 0.01)
    async with key_server(*GOOD) as server:
        server.free.clear()
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            with pytest.raises(Problem, match="unavailable"):
                await keys.renewed()


async def test_an_issuer_that_answers_an_octet_at_a_time_is_given_up_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetched_keys, "TIMEOUT_SECONDS", 0.5)

    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 -\r\nContent-Length: 30\r\n\r\n")
        with suppress(ConnectionError):
            for _ in range(30):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.1)
            writer.close()
            await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server, key_client() as client:
        port = server.sockets[0].getsockname()[1]
        try:
            with pytest.raises(TimeoutError):
                await fetch(client, f"http://127.0.0.1:{port}/")
        finally:
            await left.wait()


async def test_the_end_of_the_service_does_not_wait_for_an_issuer(clock: Clock) -> None:
    async with key_server(*GOOD) as server:
        server.free.clear()
        keys = FetchedKeys(server.address, ALGORITHMS)
        async with keys.tended():
            await server.asked.wait()
        assert server.hits == 1
        assert not [task for task in asyncio.all_tasks() if "FetchedKeys" in repr(task)]


def test_a_key_that_was_read_can_be_compared_with_one_that_was_made() -> None:
    [key] = read_keys(set_of(jwk_of(ED)), ["EdDSA"])
    assert key == Key(None, "EdDSA", ED.public_key())


async def test_a_log_line_names_the_address_and_the_reason(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with key_server() as server:
        server.content = b"x"
        keys = FetchedKeys(server.address, ALGORITHMS)
        with caplog.at_level(logging.WARNING):
            async with keys.tended():
                with pytest.raises(Problem):
                    await keys.renewed()
    [record] = caplog.records
    assert server.address in record.getMessage()
    assert "\n" not in record.getMessage()
