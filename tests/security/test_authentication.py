"""What keys and issuers do beyond section 15 of the conformance list."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from app.settings import IssuerSetting
from tests.security.issuing import ed_key, jwk_of
from tests.security.scene import EDDSA, ES256, IDP, Scene, check_refused
from tests.service import running

pytestmark = pytest.mark.anyio


async def test_a_token_without_a_key_id_is_refused_where_it_could_mean_two_keys(scene: Scene) -> None:
    scene.idp.keys.append(jwk_of(ed_key(), kid="d2"))
    check_refused(await scene.ask(EDDSA.token({"kid": None})))
    assert (await scene.ask(EDDSA.token())).status_code == 200
    assert (await scene.ask(ES256.token({"kid": None}))).status_code == 200


async def test_the_local_issuer_is_off_and_makes_no_key(scene: Scene) -> None:
    folder = scene.service.settings.data_dir
    assert not folder.exists()
    check_refused(await scene.ask(scene.service.token("owner")))


async def test_a_key_file_is_enough_and_a_key_that_leaves_it_is_out_at_once(
    sqlite_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [EDDSA.jwk, ES256.jwk]}))
    async with running(sqlite_url, tmp_path, issuers=(IssuerSetting(IDP, path),)) as service:
        client, token = service.as_(None), EDDSA.token()
        client.headers["Authorization"] = f"Bearer {token}"
        assert (await client.get("/api/organizations")).status_code == 200
        path.write_text(json.dumps({"keys": [ES256.jwk]}))
        check_refused(await client.get("/api/organizations"))


async def test_a_token_from_before_a_change_at_the_issuer_is_good_and_takes_nothing_back(
    scene: Scene,
) -> None:
    """Neither when it is first met after a newer one, nor when both are remembered."""
    now = int(time.time())
    tokens = [
        EDDSA.token(iat=now - age, name=name, email=f"{name}@acme.example", email_verified=True)
        for age, name in ((0, "newer"), (30, "older"))
    ]
    for token in tokens * 2:
        answer = await scene.ask(token, "/api/me", follow_redirects=True)
        assert answer.status_code == 200
        partner = answer.json()
        assert (partner["name"], partner["email"]) == ("newer", "newer@acme.example")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"name": "  Ada ", "email": "ada@acme.example"}, {"name": "Ada", "email": "ada@acme.example"}),
        ({"name": "Ada\nBob", "email": "no address"}, {"name": "weird"}),
        ({"name": "Ada\u202ebdA", "email": "ada@acme.example\n"}, {"name": "weird"}),
        ({"name": " \t", "email": ""}, {"name": "weird"}),
        ({"name": "\u200b\u2060"}, {"name": "weird"}),
        ({"sub": " a\u202eb\n", "name": "\x01"}, {"name": "a\\u202eb\\n"}),
        ({"sub": "   "}, {"name": "%20%20%20"}),
        # As many characters as a name has.
        ({"sub": "\u202e" * 255}, {"name": ("\\u202e" * 43)[:255]}),
    ],
)
async def test_what_could_be_nobody_s_name_or_address_counts_as_not_told(
    scene: Scene, told: dict[str, str], shown: dict[str, str]
) -> None:
    """Other members are shown both."""
    claims: dict[str, object] = {"sub": "weird", "email_verified": True, **told}
    token = EDDSA.token(None, **claims)
    answer = await scene.ask(token, "/api/me", follow_redirects=True)
    assert {key: it for key, it in answer.json().items() if key in ("name", "email")} == shown
