"""A wrong setting is one clear line that names the variable."""

from __future__ import annotations

import pytest

from app.settings import Settings, WrongSetting, read_settings


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
        ("REGISTRY_DATABASE_URL", "postgres://u@localhost/db?minsize=5&maxsize=2"),
        ("REGISTRY_DATA_DIR", __file__),
        ("REGISTRY_AUDIENCE", ""),
        ("REGISTRY_MAX_CONTENT_LENGTH", "1M"),
        ("REGISTRY_MAX_CONTENT_LENGTH", "0"),
        ("REGISTRY_PUBLIC_ADDRESS", "https://r.example"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(WrongSetting, match=name) as wrong:
        read_settings({name: value})
    assert "\n" not in str(wrong.value)
