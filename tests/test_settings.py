"""A wrong setting is one clear line that names the variable."""

from __future__ import annotations

import pytest

from app.settings import Settings, WrongSetting, read_settings


def test_every_setting_has_a_default() -> None:
    assert read_settings({"HOME": "/"}) == Settings()


def test_a_public_address_loses_its_trailing_slash() -> None:
    assert read_settings({"REGISTRY_PUBLIC_URL": "https://r.example/"}).public_url == "https://r.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_PUBLIC_URL", "r.example"),
        ("REGISTRY_PUBLIC_URL", "https://r.example/?a=b"),
        ("REGISTRY_DATABASE_URL", "mysql://x"),
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
