"""Section 15 of the conformance list: access tokens, of two issuers whose keys are on loopback."""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from structlog.testing import capture_logs

from app.main import create_app
from app.routes import ROUTES
from app.security import tokens
from app.security.fetched_keys import PAUSE_SECONDS
from app.security.rights import ANYONE
from app.security.tokens import MAX_LIFETIME_SECONDS
from app.settings import IssuerSetting
from app.storage.database import Database
from tests.conformance.fresh import organization_of, patched
from tests.promises import CONTRACT
from tests.security.issuing import (
    Clock,
    Signer,
    claims_of,
    ec_key,
    ed_key,
    encoded,
    forged,
    key_server,
    rsa_key,
)
from tests.security.scene import (
    EDDSA,
    ES256,
    IDP,
    METADATA,
    OTHER,
    RS256,
    SECOND,
    Scene,
    check_refused,
    second_token,
    settings_of,
    stopped_clock,
    two_issuers,
)
from tests.service import BASE, Service, World, made, running
from tests.test_sweep import check_problem
from tests.visibility import ABSENT

pytestmark = pytest.mark.anyio


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return stopped_clock(monkeypatch)


@pytest.fixture
async def scene(sqlite_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Scene]:
    async with two_issuers(sqlite_url, tmp_path / "data", clock) as scene:
        yield scene


@pytest.fixture(scope="module")
async def standing_scene(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    """For what changes nothing."""
    folder = tmp_path_factory.mktemp("scene")
    url = f"sqlite://{shutil.copy(sqlite_template, folder)}"
    async with two_issuers(url, folder / "data", Clock()) as scene:
        yield scene


@pytest.mark.parametrize("signer", [RS256, ES256, EDDSA], ids=lambda signer: signer.algorithm)
@pytest.mark.parametrize(
    "header",
    [
        pytest.param({}, id="AU-11 each algorithm"),
        # Where the set has one key for the algorithm.
        pytest.param({"kid": None}, id="AU-11 without a key id"),
        pytest.param({"typ": "application/at+jwt"}, id="AU-08 the whole media type"),
        pytest.param({"typ": "AT+JWT"}, id="AU-08 in another case"),
    ],
)
async def test_a_valid_token_is_accepted(
    standing_scene: Scene, signer: Signer, header: dict[str, Any]
) -> None:
    assert (await standing_scene.ask(signer.token(header))).status_code == 200


def addresses(*, open_to_anyone: bool) -> list[tuple[str, str]]:
    """What can be asked of every route, by whether it needs a token; nothing has to be there."""
    names = {"file": "registry.jsonld", "type": "gone", "handle": "acme"}
    found = []
    for route in ROUTES:
        path = re.sub("{([a-z_]+)}", lambda name: names.get(name[1], ABSENT), route.path)
        for method in route.operations:
            promised = CONTRACT.promises[route.promise][method].roles if route.promise else {ANYONE}
            if (ANYONE in promised) is open_to_anyone:
                found.append((method, path))
    return found


async def test_au_01_whatever_needs_a_token_challenges_who_has_none(standing_scene: Scene) -> None:
    """By one line, also where nothing is."""
    asked = addresses(open_to_anyone=False)
    for method, path in [*asked, *(("HEAD", path) for method, path in asked if method == "GET")]:
        for headers in ({}, {"Authorization": "Bearer rubbish"}, {"Authorization": "Basic YTpi"}):
            answer = await standing_scene.client.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path)
            [challenge] = answer.headers.get_list("WWW-Authenticate")
            assert challenge.startswith("Bearer ")
            assert METADATA in challenge
    assert len(asked) > 30


async def test_au_02_a_request_without_token_is_challenged_without_an_error(standing_scene: Scene) -> None:
    answer = await standing_scene.client.get("/api/organizations")
    check_problem(answer, "not-authenticated")
    assert answer.headers["WWW-Authenticate"] == f"Bearer {METADATA}"


async def test_au_03_every_failure_has_the_error_code_of_rfc_6750(scene: Scene) -> None:
    check_refused(await scene.ask("rubbish"))
    answer = await scene.ask(EDDSA.token(scope="openid"))
    check_problem(answer, "insufficient-scope")
    expected = 'Bearer error="insufficient_scope", scope="registry:read"'
    assert answer.headers["WWW-Authenticate"] == expected
    lines = [("Authorization", f"Bearer {EDDSA.token()}")] * 2
    answer = await scene.client.get("/api/organizations", headers=lines)
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_request"'


async def test_au_04_a_challenge_names_the_document_that_tells_where_tokens_come_from(scene: Scene) -> None:
    challenge = (await scene.client.get("/api/organizations")).headers["WWW-Authenticate"]
    address = challenge.partition('resource_metadata="')[2].removesuffix('"')
    answer = await scene.client.get(address)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "resource": BASE,
        "resource_name": "Instance registry",
        "resource_documentation": f"{BASE}/api/docs",
        "authorization_servers": [IDP, OTHER],
        "scopes_supported": ["registry:read", "registry:write", "registry:read-all"],
        "bearer_methods_supported": ["header"],
    }


async def test_au_04_the_local_issuer_is_no_authorization_server(sqlite_url: str, tmp_path: Path) -> None:
    async with running(sqlite_url, tmp_path) as service:
        answer = await service.as_(None).get("/.well-known/oauth-protected-resource")
        assert "authorization_servers" not in answer.json()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_au_05_the_name_of_the_scheme_has_no_case(scene: Scene, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {EDDSA.token()}"}
    assert (await scene.client.get("/api/organizations", headers=headers)).status_code == 200


async def test_au_06_a_token_elsewhere_is_none_and_in_no_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    token = EDDSA.token()
    with caplog.at_level(logging.INFO, logger="app"), capture_logs() as lines:
        for answer in (
            await scene.client.get(f"/api/organizations?access_token={token}"),
            await scene.client.get("/api/organizations", headers={"Cookie": f"access_token={token}"}),
            await scene.client.post("/api/organizations", data={"access_token": token}),
        ):
            check_problem(answer, "not-authenticated")
            assert "error" not in answer.headers["WWW-Authenticate"]
    assert token not in caplog.text + str(lines)


async def test_au_07_two_authorization_lines_are_a_malformed_request(scene: Scene) -> None:
    lines = [("Authorization", f"Bearer {token}") for token in (EDDSA.token(), ES256.token())]
    for _, credentials in lines:
        answer = await scene.client.get("/api/organizations", headers=lines)
        check_problem(answer, "invalid-parameter")
        # Also where each of them is remembered.
        assert (await scene.ask(credentials.removeprefix("Bearer "))).status_code == 200


@pytest.mark.parametrize("audience", ["instance-registry", ["x", "instance-registry"]], ids=str)
async def test_au_10_this_service_is_among_the_audience(scene: Scene, audience: Any) -> None:
    assert (await scene.ask(EDDSA.token(aud=audience))).status_code == 200


async def test_au_10_an_issuer_may_have_an_audience_of_its_own(scene: Scene) -> None:
    assert (await scene.ask(second_token())).status_code == 200
    check_refused(await scene.ask(SECOND.token()))


def by_hmac(key: Any, algorithm: str = "HS256", form: str = "PEM") -> str:
    """CVE-2016-10555: the public key, which everybody knows, as the secret."""
    encoding = serialization.Encoding.PEM if form == "PEM" else serialization.Encoding.DER
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": algorithm, "typ": "at+jwt", "kid": "r"}
    return forged(header, claims_of(IDP), lambda content: hmac.digest(public, content, "sha256"))


def by_curve(curve: type[ec.EllipticCurve], algorithm: str) -> str:
    signer = Signer(IDP, ec_key(curve), algorithm, "e")
    return signer.token({"alg": "ES256"})


def by_pss() -> str:
    """The right key in another scheme."""
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    header = {"alg": "PS256", "typ": "at+jwt", "kid": "r"}
    return forged(header, claims_of(IDP), lambda content: RS256.key.sign(content, pss, hashes.SHA256()))


def nothing(alg: Any, **header: Any) -> str:
    return forged({"alg": alg, "typ": "at+jwt", "kid": "d", **header}, claims_of(IDP))


def at(seconds: float) -> int:
    return int(time.time() + seconds)


REFUSED = (
    {"Authorization": "Bearer rubbish"},
    {"Host": "evil.example"},
    {"Host": "a b"},
)
# Good for the first issuer but for what is named.
FORGED: dict[str, Callable[[], str]] = {
    "AU-03 rubbish": lambda: "rubbish",
    "AU-08 typ JWT": lambda: EDDSA.token({"typ": "JWT"}),
    "AU-08 typ logout+jwt": lambda: EDDSA.token({"typ": "logout+jwt"}),
    "AU-08 typ is no text": lambda: EDDSA.token({"typ": ["at+jwt"]}),
    "AU-08 no typ": lambda: EDDSA.token({"typ": None}),
    "AU-09 iss in another case": lambda: EDDSA.token(iss="https://IDP.example"),
    "AU-09 iss with a slash": lambda: EDDSA.token(iss=f"{IDP}/"),
    "AU-09 prefix of iss": lambda: EDDSA.token(iss=IDP[:-1]),
    "AU-09 iss as a list": lambda: EDDSA.token(iss=[IDP]),
    "AU-09 the key of another issuer": lambda: Signer(IDP, SECOND.key, "EdDSA", "d").token(),
    "AU-09 the local issuer": lambda: EDDSA.token(iss="urn:instance-registry:local"),
    "AU-10 another aud": lambda: EDDSA.token(aud="other"),
    "AU-10 the aud of another issuer": lambda: EDDSA.token(aud="other-audience"),
    "AU-10 prefix of aud": lambda: EDDSA.token(aud="instance"),
    "AU-10 others as aud": lambda: EDDSA.token(aud=["a", "b"]),
    "AU-10 empty list as aud": lambda: EDDSA.token(aud=[]),
    "AU-10 aud is no text": lambda: EDDSA.token(aud={"instance-registry": 1}),
    "AU-11 none": lambda: nothing("none"),
    "AU-11 noNE": lambda: nothing("noNE"),
    "AU-11 no alg": lambda: forged({"typ": "at+jwt", "kid": "d"}, claims_of(IDP)),
    "AU-11 alg is no text": lambda: nothing(["EdDSA"]),
    "AU-11 no signature": lambda: nothing("EdDSA"),
    "AU-11 HS256 by the public key as PEM": lambda: by_hmac(RS256.key),
    "AU-11 HS256 by the public key as DER": lambda: by_hmac(RS256.key, form="DER"),
    "AU-11 RS256 by the public key": lambda: by_hmac(RS256.key, "RS256"),
    "AU-11 PS256": by_pss,
    "AU-11 RS512": lambda: Signer(IDP, RS256.key, "RS512", "r").token(),
    "AU-11 P-384 as ES256": lambda: by_curve(ec.SECP384R1, "ES384"),
    "AU-11 secp256k1 as ES256": lambda: by_curve(ec.SECP256K1, "ES256K"),
    "AU-11 another key with the same id": lambda: Signer(IDP, ec_key(), "ES256", "e").token(),
    "AU-11 the id of another key": lambda: EDDSA.token({"kid": "e"}),
    "AU-11 other claims than were signed": lambda: ".".join(
        (
            *EDDSA.token(sub="eve").split(".")[:2],
            EDDSA.token().split(".")[2],
        )
    ),
    "AU-12 expired": lambda: EDDSA.token(iat=at(-600), exp=at(-61)),
    "AU-12 exp is text": lambda: EDDSA.token(exp=str(at(600))),
    "AU-12 exp is 1e308": lambda: EDDSA.token(exp=1e308),
    "AU-12 exp is infinite": lambda: EDDSA.token(exp=float("inf")),
    "AU-12 exp is true": lambda: EDDSA.token(exp=True),
    "AU-12 good for too long": lambda: EDDSA.token(exp=at(MAX_LIFETIME_SECONDS + 60)),
    "AU-12 not yet good": lambda: EDDSA.token(nbf=at(600)),
    "AU-12 made in the future": lambda: EDDSA.token(iat=at(600), exp=at(900)),
    **{
        f"AU-13 no {name}": (lambda name=name: EDDSA.token(**{name: None}))  # type: ignore[misc]  # mypy has no type for a default of a lambda
        for name in ("iss", "exp", "aud", "sub", "client_id", "iat", "jti")
    },
    "AU-13 sub is empty": lambda: EDDSA.token(sub=""),
    "AU-13 client_id is no text": lambda: EDDSA.token(client_id=1),
    "AU-14 kid is SQL": lambda: EDDSA.token({"kid": "' OR 1=1--"}),
    "AU-14 kid is a path": lambda: EDDSA.token({"kid": "../../etc/passwd"}),
    "AU-14 kid is an address": lambda: EDDSA.token({"kid": "http://127.0.0.1/"}),
    "AU-14 kid is no text": lambda: EDDSA.token({"kid": {"$ne": 1}}),
    "AU-14 kid with a line break": lambda: EDDSA.token({"kid": "d\nx"}),
    "AU-16 JSON form": lambda: '{"payload":"e30","signatures":[]}',
    "AU-16 braces": lambda: "{" + EDDSA.token() + "}",
    "AU-16 quotes": lambda: f'"{EDDSA.token()}"',
    "AU-16 five parts": lambda: f"{EDDSA.token()}.e30.e30",
    "AU-16 header is no object": lambda: f"{encoded(b'[]')}.{encoded(b'{}')}.e30",
    "AU-16 claims are no object": lambda: (
        EDDSA.token().replace(".", f".{encoded(b'[]')}.", 1).rpartition(".")[0]
    ),
    "AU-16 claims nested without end": lambda: (
        f"{nothing('EdDSA').split('.')[0]}.{encoded(b'[' * 5_000)}.e30"
    ),
    "AU-16 twenty kilobytes": lambda: EDDSA.token(padding="x" * 15_000),
    "AU-17 crit": lambda: EDDSA.token({"crit": ["x"], "x": 1}),
    "AU-17 crit that is known": lambda: EDDSA.token({"crit": ["b64"], "b64": True}),
    "AU-17 crit that is empty": lambda: EDDSA.token({"crit": []}),
}


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_refused(standing_scene: Scene, name: str) -> None:
    """Also where none is needed."""
    token = FORGED[name]()
    check_refused(await standing_scene.ask(token))
    check_refused(await standing_scene.ask(token, "/api/docs"))


async def test_au_18_a_bad_token_is_refused_also_where_none_is_needed(standing_scene: Scene) -> None:
    asked = addresses(open_to_anyone=True)
    expired = EDDSA.token(iat=at(-600), exp=at(-61))
    for method, path in asked:
        assert method == "GET"
        assert (await standing_scene.client.get(path)).status_code < 400, path
        for token in (expired, "rubbish", SECOND.token()):
            check_refused(await standing_scene.ask(token, path))
    assert len(asked) > 8


async def test_au_21_every_refusal_looks_the_same_and_its_cause_is_in_the_log_alone(
    standing_scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    bodies = []
    for forge in FORGED.values():
        caplog.clear()
        with caplog.at_level(logging.INFO, logger="app.pipeline"):
            body = check_refused(await standing_scene.ask(forge()))
        occurrence = str(body.pop("instance")).partition("#")[2]
        assert str(body.pop("@id")).endswith(occurrence)
        bodies.append(body)
        [cause] = [record.getMessage() for record in caplog.records if occurrence in record.getMessage()]
        assert cause.startswith(f"{occurrence} refused the token: ")
        assert cause.isprintable()
        assert len(cause) < 300
    assert all(body == bodies[0] for body in bodies)


async def test_au_16_a_token_may_have_eight_kilobytes(standing_scene: Scene) -> None:
    spare = (8_192 - len(EDDSA.token(padding=""))) * 3 // 4
    accepted = []
    for length in range(spare - 4, spare + 5):
        token = EDDSA.token(padding="x" * length)
        answer = await standing_scene.ask(token)
        accepted.append(answer.status_code == 200)
        assert accepted[-1] is (len(token) <= 8_192)
        if not accepted[-1]:
            check_refused(answer)
    assert set(accepted) == {True, False}


async def test_au_16_a_token_of_two_megabytes_is_refused_before_it_is_looked_at(
    standing_scene: Scene,
) -> None:
    answer = await standing_scene.ask(EDDSA.token(padding="x" * 2_000_000))
    check_problem(answer, "header-fields-too-large")


async def test_au_12_times_may_be_a_minute_off_and_fractions(scene: Scene) -> None:
    for times in ({"exp": at(-30)}, {"iat": at(30)}, {"nbf": at(30)}, {"exp": time.time() + 60.5}):
        assert (await scene.ask(EDDSA.token(**times))).status_code == 200


async def test_au_12_a_token_that_is_remembered_is_good_no_longer_than_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = EDDSA.token(exp=at(-30))
    for _ in range(2):
        assert (await scene.ask(token)).status_code == 200
    monkeypatch.setattr(tokens, "LEEWAY_SECONDS", 0)
    check_refused(await scene.ask(token))


async def test_au_14_nothing_that_a_token_names_is_followed(scene: Scene) -> None:
    attacker = Signer(IDP, rsa_key(), "RS256", "evil")
    async with key_server(attacker.jwk) as evil:
        chain = {"x5u": evil.address, "x5c": ["MIIB"], "x5t": "AAAA"}
        for header in (
            {"jku": evil.address},
            chain,
            {"jwk": attacker.jwk},
            {"jku": evil.address, "kid": "r"},
        ):
            check_refused(await scene.ask(attacker.token(header)))
            check_refused(await scene.ask(attacker.token(header, iss=evil.address)))
        assert evil.hits == 0
        # They do no harm either to a token that is good.
        assert (await scene.ask(EDDSA.token({"jku": evil.address, "jwk": attacker.jwk}))).status_code == 200
        assert evil.hits == 0


async def test_au_15_a_thousand_tokens_with_unknown_keys_are_two_fetches(scene: Scene) -> None:
    async def ask(_: int) -> None:
        check_refused(await scene.ask(EDDSA.token({"kid": str(uuid4())})))

    await asyncio.gather(*map(ask, range(500)))
    scene.clock.seconds += PAUSE_SECONDS
    await asyncio.gather(*map(ask, range(500)))
    assert scene.idp.hits == 2
    assert (await scene.ask(EDDSA.token())).status_code == 200
    assert scene.idp.hits == 2


async def test_au_15_a_new_key_works_after_30_seconds_and_a_removed_one_no_more(scene: Scene) -> None:
    """Also for a token that is remembered."""
    old, new = EDDSA.token(), Signer(IDP, ed_key(), "EdDSA", "new")
    assert (await scene.ask(old)).status_code == 200
    scene.idp.keys = [new.jwk]
    check_refused(await scene.ask(new.token()))
    assert (await scene.ask(old)).status_code == 200
    scene.clock.seconds += PAUSE_SECONDS
    assert (await scene.ask(new.token())).status_code == 200
    for _ in range(2):
        check_refused(await scene.ask(old))
    assert scene.idp.hits == 2


async def test_au_15_a_key_that_was_replaced_under_its_id_is_another_key(scene: Scene) -> None:
    old, new = EDDSA.token(), Signer(IDP, ed_key(), "EdDSA", "d")
    assert (await scene.ask(old)).status_code == 200
    scene.idp.keys = [new.jwk]
    scene.clock.seconds += PAUSE_SECONDS
    check_refused(await scene.ask(EDDSA.token({"kid": "unknown"})))
    check_refused(await scene.ask(old))
    assert (await scene.ask(new.token())).status_code == 200


async def test_au_15_an_issuer_that_is_away_leaves_the_known_keys(scene: Scene) -> None:
    remembered = EDDSA.token()
    assert (await scene.ask(remembered)).status_code == 200
    scene.idp.status = 500
    for _ in range(3):
        scene.clock.seconds += PAUSE_SECONDS
        check_refused(await scene.ask(EDDSA.token({"kid": "unknown"})))
        assert (await scene.ask(remembered)).status_code == 200
        assert (await scene.ask(EDDSA.token())).status_code == 200
    scene.clock.seconds += 24 * 60 * 60
    for token in (remembered, EDDSA.token()):
        answer = await scene.ask(token)
        check_problem(answer, "unavailable")
        assert answer.headers["Retry-After"] == str(PAUSE_SECONDS)


async def test_au_15_a_token_of_an_issuer_that_was_never_reached_cannot_be_checked_yet(
    sqlite_url: str, tmp_path: Path, clock: Clock
) -> None:
    async with key_server(EDDSA.jwk) as idp, key_server(SECOND.jwk) as other:
        idp.status = 500
        async with running(sqlite_url, tmp_path, issuers=settings_of(idp, other)) as service:
            scene = Scene(service, idp, other, clock)
            answer = await scene.ask(EDDSA.token())
            check_problem(answer, "unavailable")
            assert answer.headers["Retry-After"] == str(PAUSE_SECONDS)
            assert "WWW-Authenticate" not in answer.headers
            for path in ("/api/docs", "/livez"):
                assert (await scene.ask(EDDSA.token(), path)).status_code == 200
            assert idp.hits == 1
            assert (await scene.ask(second_token())).status_code == 200
            idp.status = 200
            clock.seconds += PAUSE_SECONDS
            assert (await scene.ask(EDDSA.token())).status_code == 200


async def test_au_15_a_slow_issuer_holds_up_nobody_elses_request(scene: Scene) -> None:
    assert (await scene.ask(EDDSA.token())).status_code == 200
    scene.idp.free.clear()
    scene.idp.asked.clear()
    scene.clock.seconds += PAUSE_SECONDS
    unknown = asyncio.create_task(scene.ask(EDDSA.token({"kid": "unknown"})))
    await scene.idp.asked.wait()
    for token in (EDDSA.token(), ES256.token(), second_token()):
        assert (await scene.ask(token)).status_code == 200
    assert not unknown.done()
    scene.idp.free.set()
    check_refused(await unknown)


async def test_au_19_the_same_subject_of_another_issuer_is_another_partner(scene: Scene) -> None:
    headers = {"Authorization": f"Bearer {EDDSA.token(sub='ada')}"}
    created = await scene.client.post("/api/organizations", json={"name": "Acme"}, headers=headers)
    path = created.headers["Location"].removeprefix(BASE)
    assert (await scene.ask(EDDSA.token(sub="ada"), path)).status_code == 200
    check_problem(await scene.ask(second_token(sub="ada"), path), "not-found")
    addresses = {
        (await scene.ask(token, "/api/me")).headers["Location"]
        for token in (EDDSA.token(sub="ada"), second_token(sub="ada"))
    }
    assert len(addresses) == 2


async def test_au_19_the_client_id_is_nobody(scene: Scene) -> None:
    """Neither a client named as somebody, nor two people with one client, are taken for each other."""
    ada, eve = EDDSA.token(sub="ada", client_id="c"), EDDSA.token(sub="eve", client_id="ada")
    same_client = EDDSA.token(sub="bob", client_id="c")
    locations = [(await scene.ask(t, "/api/me")).headers["Location"] for t in (ada, eve, same_client)]
    assert len(set(locations)) == 3


async def test_au_20_a_removed_member_is_out_at_the_next_request(
    database_url: str, tmp_path: Path, clock: Clock
) -> None:
    """With the token that is remembered; nothing that the token says of roles counts."""
    token = EDDSA.token(roles=["owner"], groups=["owner"])
    async with (
        key_server(EDDSA.jwk) as idp,
        running(database_url, tmp_path, issuers=(IssuerSetting(IDP, idp.address),)) as service,
    ):
        client = service.as_(None)
        client.headers["Authorization"] = f"Bearer {token}"
        path = await made(client, "/api/organizations", name="Acme")
        assert (await client.get(path)).status_code == 200
        database = Database(database_url)
        await database.open()
        try:
            await database.reading().rows("DELETE FROM membership")
        finally:
            await database.close()
        check_problem(await client.get(path), "not-found")
        assert (await client.get("/api/organizations")).json()["totalItems"] == 0


async def test_au_20_a_change_of_role_counts_at_the_next_request(
    on_sqlite: tuple[Service, World],
) -> None:
    """With one token all the time, which is remembered."""
    service, _ = on_sqlite
    owner, promoted = service.as_("owner"), service.as_("promoted")
    acme = await organization_of(service)
    member = await made(owner, f"{acme}/members", email="promoted@acme.example", role="member")
    statuses = []
    for role in ("member", "owner", "member", None):
        if role is None:
            assert (await owner.delete(member)).status_code == 204
        else:
            assert (await patched(owner, member, {"role": role})).status_code == 200
        changed = await patched(promoted, acme, {"name": "Renamed"})
        statuses.append((changed.status_code, (await promoted.get(acme)).status_code))
    assert statuses == [(403, 200), (200, 200), (403, 200), (404, 404)]


async def test_au_22_browsers_are_told_to_come_by_tls_alone_where_the_public_address_is_https(
    on_sqlite: tuple[Service, World],
) -> None:
    """On every answer, refusals included; and on none where the public address is http."""
    service, world = on_sqlite
    for base in ("https://registry.example", BASE):
        app = create_app(replace(service.settings, public_url=base))
        async with (
            app.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url=base, headers=service.as_("owner").headers
            ) as client,
        ):
            asked = ("/", "/api", world.acme, world.absent, "/nowhere", "/livez", "/" + "a" * 9_000)
            answers = [await client.get(path) for path in asked]
            answers += [await client.get("/api", headers=headers) for headers in REFUSED]
            answers += [await client.request(method, "/api") for method in ("OPTIONS", "PUT", "FROB")]
        assert {answer.status_code for answer in answers} >= {200, 204, 400, 401, 404, 405, 414, 421, 501}
        told = {answer.headers.get("Strict-Transport-Security") for answer in answers}
        assert told == ({"max-age=31536000"} if base.startswith("https:") else {None})


async def test_au_11_an_issuer_may_be_bound_to_fewer_algorithms(
    sqlite_url: str, tmp_path: Path, clock: Clock
) -> None:
    async with key_server(RS256.jwk, EDDSA.jwk) as idp:
        setting = IssuerSetting(IDP, idp.address, algorithms=("RS256",))
        async with running(sqlite_url, tmp_path, issuers=(setting,)) as service:
            scene = Scene(service, idp, idp, clock)
            assert (await scene.ask(RS256.token())).status_code == 200
            check_refused(await scene.ask(EDDSA.token()))
