"""What a deployment may set: `REGISTRY_*` environment variables, each with its default in README."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-:\[\]]+(/[A-Za-z0-9._~\-/]*)?")
KNOWN = {
    "REGISTRY_PUBLIC_URL",
    "REGISTRY_DATABASE_URL",
    "REGISTRY_DATA_DIR",
    "REGISTRY_AUDIENCE",
    "REGISTRY_MAX_CONTENT_LENGTH",
}


class WrongSetting(ValueError):  # noqa: N818 - a setting that is wrong
    """One clear line that names the variable."""


@dataclass(frozen=True)
class Settings:
    """`public_url` has no trailing slash; `max_content_length` is in octets."""

    public_url: str = "http://127.0.0.1:8000"
    database_url: str = "sqlite://./data/registry.sqlite3"
    data_dir: Path = Path("./data")
    audience: str = "instance-registry"
    max_content_length: int = 1_048_576


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises `WrongSetting` for a value that cannot be, and for a `REGISTRY_*` variable that is unknown."""
    unknown = sorted(name for name in environment if name.startswith("REGISTRY_") and name not in KNOWN)
    if unknown:
        raise WrongSetting(f"{unknown[0]} is not a setting; there are {', '.join(sorted(KNOWN))}.")
    public_url = environment.get("REGISTRY_PUBLIC_URL", Settings.public_url).rstrip("/")
    _check_public_url(public_url)
    database_url = environment.get("REGISTRY_DATABASE_URL", Settings.database_url)
    _check_database_url(database_url)
    audience = environment.get("REGISTRY_AUDIENCE", Settings.audience)
    if not audience:
        raise WrongSetting("REGISTRY_AUDIENCE must not be empty.")
    return Settings(
        public_url=public_url,
        database_url=database_url,
        data_dir=Path(environment.get("REGISTRY_DATA_DIR", str(Settings.data_dir))),
        audience=audience,
        max_content_length=_octets(environment.get("REGISTRY_MAX_CONTENT_LENGTH")),
    )


def _check_public_url(url: str) -> None:
    parts = _split("REGISTRY_PUBLIC_URL", url)
    if not ADDRESS.fullmatch(url) or not parts.hostname:
        raise WrongSetting("REGISTRY_PUBLIC_URL must be an http or https address without query or fragment.")


def _check_database_url(url: str) -> None:
    """PostgreSQL's may name a socket instead of a host, and the size of the pool."""
    parts = _split("REGISTRY_DATABASE_URL", url)
    if parts.scheme not in ("sqlite", "postgres", "postgresql"):
        raise WrongSetting("REGISTRY_DATABASE_URL must begin with sqlite:// or postgres://.")
    if parts.scheme == "sqlite" and parts.netloc + parts.path in ("", ":memory:"):
        raise WrongSetting("REGISTRY_DATABASE_URL must name a file: sqlite://./data/registry.sqlite3.")
    for name, value in parse_qsl(parts.query):
        if name in ("minsize", "maxsize") and not re.fullmatch(r"[1-9][0-9]{0,3}", value):
            raise WrongSetting(f"REGISTRY_DATABASE_URL: {name} must be a whole number of connections.")


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Read for what it raises: whether it is a port at all.
        _ = parts.port if parts.scheme != "sqlite" else None
    except ValueError as error:
        raise WrongSetting(f"{name} is not an address: {error}.") from error
    return parts


def _octets(value: str | None) -> int:
    if value is None:
        return Settings.max_content_length
    if not re.fullmatch(r"[1-9][0-9]{0,9}", value):
        raise WrongSetting("REGISTRY_MAX_CONTENT_LENGTH must be a whole number of octets, from 1.")
    return int(value)
