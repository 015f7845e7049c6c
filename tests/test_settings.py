"""A wrong setting is one clear line that names the variable."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from app.security.issuers import trusted_issuers
from app.settings import ALGORITHMS, IssuerSetting, Settings, WrongSetting, read_settings


def test_every_setting_has_a_default() -> None:
    assert read_settings({"HOME": "/"}) == Settings()


@pytest.mark.parametrize(
    "url", ["http://[::1]:8000", "https://r.example.org:8443/base", "http://localhost", "https://a-b.example"]
)
def test_a_public_address_may_have_a_port_and_a_path(url: str) -> None:
    assert read_settings({"REGISTRY_PUBLIC_URL": url}).public_url == url


@pytest.mark.parametrize(
    "url",
    ["sqlite:///var/x.sqlite3", "postgres://u:p@[::1]:5432/db?maxsize=4", "postgres://u@/db?host=/run/pg"],
)
def test_addresses_of_either_database_are_settings(url: str) -> None:
    assert read_settings({"REGISTRY_DATABASE_URL": url}).database_url == url


def test_a_postgresql_may_have_a_replica_and_limits_of_its_own() -> None:
    named = {
        "REGISTRY_DATABASE_URL": "postgres://u@primary/db?statement_timeout=500ms&statement_cache_size=0",
        "REGISTRY_REPLICA_URL": "postgresql://u@replica/db?maxsize=4&lock_timeout=0",
    }
    settings = read_settings(named)
    assert (settings.database_url, settings.replica_url) == tuple(named.values())


@pytest.mark.parametrize(
    ("url", "replica_url", "name"),
    [
        ("postgres://u@h/db", "sqlite:///x", "REGISTRY_REPLICA_URL"),
        ("sqlite:///x", "postgres://u@h/db", "REGISTRY_REPLICA_URL"),
        ("postgres://u@h/db", "postgres://u@h:x/db", "REGISTRY_REPLICA_URL"),
        ("postgres://u@h/db", "postgres://u@h/db?maxsize=0", "REGISTRY_REPLICA_URL: maxsize"),
        ("postgres://u@h/db?statement_timeout=soon", "", "REGISTRY_DATABASE_URL: statement_timeout"),
        ("postgres://u@h/db?lock_timeout=-1", "", "REGISTRY_DATABASE_URL: lock_timeout"),
        ("postgres://u@h/db?statement_cache_size=many", "", "REGISTRY_DATABASE_URL: statement_cache_size"),
        ("postgres://u@h/db?minsize=11", "", "REGISTRY_DATABASE_URL: minsize"),
        (
            "postgres://u@h/db?idle_in_transaction_session_timeout=",
            "",
            "REGISTRY_DATABASE_URL: idle_in_transaction_session_timeout",
        ),
    ],
)
def test_what_no_postgresql_can_be_told_is_a_wrong_setting(url: str, replica_url: str, name: str) -> None:
    replica = {"REGISTRY_REPLICA_URL": replica_url} if replica_url else {}
    with pytest.raises(WrongSetting, match=f"^{name}[^\n]*\\.$"):
        read_settings({"REGISTRY_DATABASE_URL": url, **replica})


def test_a_limit_may_be_counted_in_redis() -> None:
    named = {
        "REGISTRY_RATE_LIMIT": "100/minute",
        "REGISTRY_RATE_LIMIT_STORAGE": "rediss://u:p@redis.example/1",
    }
    settings = read_settings(named)
    assert (settings.rate_limit, settings.rate_limit_storage) == tuple(named.values())


def test_the_vocabulary_may_have_a_licence_a_maker_and_a_publisher() -> None:
    named = {
        "REGISTRY_VOCABULARY_LICENSE": "https://creativecommons.org/licenses/by/4.0/",
        "REGISTRY_VOCABULARY_CREATOR": "http://maker.example/équipe#us",
        "REGISTRY_VOCABULARY_PUBLISHER": "https://publisher.example?a=b",
    }
    settings = read_settings(named)
    said = (settings.vocabulary_license, settings.vocabulary_creator, settings.vocabulary_publisher)
    assert said == tuple(named.values())


@pytest.mark.parametrize(
    "address",
    [
        "redis://h/0?foo=bar",
        "redis://h/0?max_connections=x",
        "redis://h?db=x",
        "redis://h?password=hidden",
        "rediss://h/0?ssl_cert_reqs=perhaps",
        "redis://h/abc",
        "redis://h/0#1",
        "redis://h/0?ssl_keyfile=k",
    ],
)
def test_what_a_redis_could_only_fail_by_is_a_wrong_setting(address: str) -> None:
    named = {"REGISTRY_RATE_LIMIT": "100/minute", "REGISTRY_RATE_LIMIT_STORAGE": address}
    with pytest.raises(WrongSetting, match="REGISTRY_RATE_LIMIT_STORAGE may") as wrong:
        read_settings(named)
    assert "hidden" not in str(wrong.value)


@pytest.mark.parametrize(
    "address",
    [
        "redis://h",
        "redis://h/",
        "redis://u:p@h:1/15",
        "rediss://h/0?ssl_ca_certs=c&ssl_cert_reqs=none",
        "redis://h?db=3",
    ],
)
def test_a_redis_may_be_told_with_its_database_and_files_for_tls(address: str) -> None:
    named = {"REGISTRY_RATE_LIMIT": "100/minute", "REGISTRY_RATE_LIMIT_STORAGE": address}
    assert read_settings(named).rate_limit_storage == address


def test_redis_without_what_speaks_with_it_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    named = {"REGISTRY_RATE_LIMIT": "100/minute", "REGISTRY_RATE_LIMIT_STORAGE": "redis://redis.example"}
    with pytest.raises(WrongSetting, match=r"REGISTRY_RATE_LIMIT_STORAGE needs .*instance-registry\[redis\]"):
        read_settings(named)


def test_a_public_address_loses_its_trailing_slash() -> None:
    assert read_settings({"REGISTRY_PUBLIC_URL": "https://r.example/"}).public_url == "https://r.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_PUBLIC_URL", "r.example"),
        ("REGISTRY_PUBLIC_URL", "https://r.example/?a=b"),
        ("REGISTRY_PUBLIC_URL", "http://["),
        ("REGISTRY_PUBLIC_URL", "http://:::"),
        ("REGISTRY_PUBLIC_URL", "http://x:99999999"),
        ("REGISTRY_DATABASE_URL", "mysql://x"),
        ("REGISTRY_DATABASE_URL", "sqlite://"),
        ("REGISTRY_DATABASE_URL", "sqlite://:memory:"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost:notaport/db"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?minsize=a"),
        ("REGISTRY_PUBLIC_URL", "http://.."),
        ("REGISTRY_DATABASE_URL", "sqlite://."),
        ("REGISTRY_DATABASE_URL", "sqlite://./x?busy_timeout=abc"),
        ("REGISTRY_DATABASE_URL", "sqlite://./x?writable_schema=1"),
        ("REGISTRY_DATABASE_URL", "sqlite://./x?journal_mode=bogus"),
        ("REGISTRY_DATABASE_URL", "sqlite://./x?synchronous=nonsense"),
        ("REGISTRY_DATABASE_URL", "sqlite://./x#1.sqlite3"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?channel_binding=require"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?gssencmode=require"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?sslcertmode=disable"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?sslsni=0"),
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?minsize=5&maxsize=2"),
        ("REGISTRY_DATA_DIR", __file__),
        ("REGISTRY_AUDIENCE", ""),
        ("REGISTRY_MAX_CONTENT_LENGTH", "1M"),
        ("REGISTRY_MAX_CONTENT_LENGTH", "0"),
        ("REGISTRY_MAX_CONCURRENT_REQUESTS", "none"),
        ("REGISTRY_ALLOWED_HOSTS", "registry.example/"),
        ("REGISTRY_ALLOWED_HOSTS", "registry.example:80"),
        ("REGISTRY_REQUIRE_IF_MATCH", "true"),
        ("REGISTRY_METRICS_PORT", "65536"),
        ("REGISTRY_VOCABULARY_LICENSE", ""),
        ("REGISTRY_VOCABULARY_LICENSE", "CC BY 4.0"),
        ("REGISTRY_VOCABULARY_LICENSE", "https://"),
        ("REGISTRY_VOCABULARY_LICENSE", "https://x.example/a b"),
        ("REGISTRY_VOCABULARY_CREATOR", "javascript:alert(1)"),
        ("REGISTRY_VOCABULARY_CREATOR", 'https://x.example/"'),
        ("REGISTRY_VOCABULARY_PUBLISHER", "https://x.example/<b>"),
        ("REGISTRY_VOCABULARY_PUBLISHER", "https://["),
        ("REGISTRY_RATE_LIMIT", ""),
        ("REGISTRY_RATE_LIMIT", "100"),
        ("REGISTRY_RATE_LIMIT", "0/minute"),
        ("REGISTRY_RATE_LIMIT", "100 per minute"),
        ("REGISTRY_RATE_LIMIT", "100/fortnight"),
        ("REGISTRY_RATE_LIMIT_STORAGE", "memory://"),
        ("REGISTRY_RATE_LIMIT_STORAGE", "redis://"),
        ("REGISTRY_RATE_LIMIT_STORAGE", "redis://localhost"),
        ("REGISTRY_SECURITY_CONTACT", "security@registry.example"),
        ("REGISTRY_SECURITY_CONTACT", "http://registry.example/security"),
        ("REGISTRY_SECURITY_CONTACT", "mailto:a@registry.example,mailto:<b@registry.example>"),
        ("REGISTRY_SECURITY_CONTACT", "mailto:sécurité@registry.example"),
        ("REGISTRY_SECURITY_POLICY", "https://registry.example/policy"),
        ("REGISTRY_SECURITY_LANGUAGES", "en"),
        ("REGISTRY_PUBLIC_ADDRESS", "https://r.example"),
        ("REGISTRY_ISSUERS", ""),
        ("REGISTRY_ISSUERS", "nowhere.json"),
        ("REGISTRY_ISSUERS", "[}"),
        ("REGISTRY_ISSUERS", "[" * 100_000),
        ("REGISTRY_ISSUERS", "[]"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name) as wrong:
        read_settings({name: value})
    assert "\n" not in str(wrong.value)


def test_limits_and_hosts_are_settings() -> None:
    settings = read_settings(
        {
            "REGISTRY_MAX_CONCURRENT_REQUESTS": "5",
            "REGISTRY_ALLOWED_HOSTS": "registry, [::1] ,*",
            "REGISTRY_REQUIRE_IF_MATCH": "yes",
            "REGISTRY_METRICS_PORT": "9100",
        }
    )
    assert settings.max_concurrent_requests == 5
    assert settings.allowed_hosts == ("registry", "[::1]", "*")
    assert settings.require_if_match
    assert settings.metrics_port == 9100


def test_who_finds_a_weakness_may_be_told_several_things() -> None:
    contact = "https://registry.example/security?a=b mailto:security@registry.example tel:+49-30-123"
    settings = read_settings(
        {
            "REGISTRY_SECURITY_CONTACT": contact,
            "REGISTRY_SECURITY_ENCRYPTION": "openpgp4fpr:5F2DE5521C63A801AB59CCB603D49DE44B29100F",
            "REGISTRY_SECURITY_POLICY": "https://registry.example/policy",
            "REGISTRY_SECURITY_LANGUAGES": "en, de-AT",
        }
    )
    assert settings.security_contact == tuple(contact.split())
    assert settings.security_encryption == ("openpgp4fpr:5F2DE5521C63A801AB59CCB603D49DE44B29100F",)
    assert settings.security_policy == ("https://registry.example/policy",)
    assert settings.security_languages == ("en", "de-AT")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_SECURITY_ENCRYPTION", "http://registry.example/key"),
        ("REGISTRY_SECURITY_POLICY", "mailto:policy@registry.example"),
        ("REGISTRY_SECURITY_LANGUAGES", "en, english!"),
    ],
)
def test_what_is_told_beside_the_contact_is_looked_at_too(name: str, value: str) -> None:
    contact = {"REGISTRY_SECURITY_CONTACT": "mailto:security@registry.example"}
    with pytest.raises(WrongSetting, match=rf"^{name}: .*[:!]"):
        read_settings(contact | {name: value})


def issuer(**changes: Any) -> dict[str, Any]:
    return {"issuer": "https://idp.example", "jwks": "https://idp.example/jwks.json?p=1", **changes}


def test_an_issuer_is_an_address_or_a_file_for_all_algorithms_unless_it_says_otherwise() -> None:
    members = [issuer(), issuer(issuer="x", jwks="./keys.json", audience="a", algorithms=["ES256"])]
    assert read_settings({"REGISTRY_ISSUERS": json.dumps(members)}).issuers == (
        IssuerSetting("https://idp.example", "https://idp.example/jwks.json?p=1", None, ALGORITHMS),
        IssuerSetting("x", Path("keys.json"), "a", ("ES256",)),
    )


def test_issuers_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "issuers.json"
    file.write_text(json.dumps([issuer()]))
    found = read_settings({"REGISTRY_ISSUERS": str(file)}).issuers
    assert [setting.issuer for setting in found] == ["https://idp.example"]
    file.write_text(json.dumps(issuer()))
    with pytest.raises(WrongSetting, match="REGISTRY_ISSUERS must be a JSON array"):
        read_settings({"REGISTRY_ISSUERS": str(file)})
    file.write_bytes(b"\xff")
    with pytest.raises(WrongSetting, match="REGISTRY_ISSUERS is not JSON"):
        read_settings({"REGISTRY_ISSUERS": str(file)})


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    """With somebody who waits for it to be read."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = Thread(target=path.write_bytes, args=(b"[]",))
    writer.start()
    yield path
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    writer.join()
    os.close(reader)


@pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
def test_issuers_and_their_keys_are_read_from_regular_files_alone(
    tmp_path: Path, pipe: Path, kind: str
) -> None:
    """Where nobody writes to a pipe the service would never start, nor say why."""
    place = {"pipe": pipe, "folder": tmp_path, "device": Path("/dev/null")}[kind]
    with pytest.raises(WrongSetting, match=r"^REGISTRY_ISSUERS .* read: it is no regular file\.$"):
        read_settings({"REGISTRY_ISSUERS": str(place)})
    settings = read_settings({"REGISTRY_ISSUERS": json.dumps([issuer(jwks=str(place))])})
    with pytest.raises(WrongSetting, match=rf"^REGISTRY_ISSUERS: {place} .* read: it is no regular file\.$"):
        trusted_issuers(settings)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_keys_are_fetched_by_http_on_this_machine_au_22(host: str) -> None:
    value = json.dumps([issuer(jwks=f"http://{host}:8080/jwks")])
    assert read_settings({"REGISTRY_ISSUERS": value}).issuers[0].jwks == f"http://{host}:8080/jwks"


@pytest.mark.parametrize(
    "address",
    [
        "http://idp.example/jwks",
        "http://10.0.0.1/jwks",
        "http://localhost.evil.example/jwks",
        "http://127.0.0.1@evil.example/jwks",
        "https://user:password@idp.example/jwks",
        "https:///jwks",
        "https://idp.example/a b",
        "https://idp.example/#keys",
        "https://idp.example:port/jwks",
        "ftp://idp.example/jwks",
        "file:///etc/jwks.json",
    ],
)
def test_keys_are_fetched_by_https_from_anywhere_else_au_22(address: str) -> None:
    with pytest.raises(WrongSetting, match=r"REGISTRY_ISSUERS\[0\]\.jwks"):
        read_settings({"REGISTRY_ISSUERS": json.dumps([issuer(jwks=address)])})


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("https://idp.example", "[1]"),
        (issuer(issuer=None), "[1].issuer"),
        (issuer(issuer=""), "[1].issuer"),
        (issuer(issuer="x\n"), "[1].issuer"),
        (issuer(issuer="x" * 256), "[1].issuer"),
        (issuer(jwks=None), "[1].jwks"),
        (issuer(audience=""), "[1].audience"),
        (issuer(algorithms=[]), "[1].algorithms"),
        (issuer(algorithms="RS256"), "[1].algorithms"),
        (issuer(algorithms=["RS256", "HS256"]), "[1].algorithms"),
        (issuer(algorithms=["none"]), "[1].algorithms"),
        (issuer(algorithms=[[]]), "[1].algorithms"),
        (issuer(secret="s"), "[1] has 'secret'"),
        (issuer(issuer="first"), " must name each issuer once"),
    ],
)
def test_a_wrong_issuer_is_named_with_its_member(member: Any, name: str) -> None:
    with pytest.raises(WrongSetting) as wrong:
        read_settings({"REGISTRY_ISSUERS": json.dumps([issuer(issuer="first"), member])})
    assert str(wrong.value).startswith(f"REGISTRY_ISSUERS{name}")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("sign", ["/", "?", "#", "[", "]"])
def test_nothing_of_a_password_is_told(sign: str) -> None:
    url = f"postgres://u:p4ss{sign}w0rd@h/x"
    with pytest.raises(WrongSetting) as refused:
        read_settings({"REGISTRY_DATABASE_URL": url})
    assert "p4ss" not in str(refused.value)
    assert "w0rd" not in str(refused.value)
    assert "as %2F" in str(refused.value)
