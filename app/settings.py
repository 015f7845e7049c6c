"""What a deployment may set: `REGISTRY_*` environment variables, each with its default in README."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*\.?[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?"
    r"(?:/[A-Za-z0-9._~\-/]*)?"
)
# What may follow the path of a SQLite file.
PRAGMAS = {"busy_timeout": r"[0-9]{1,9}", "journal_mode": r"[A-Za-z]+", "synchronous": r"[A-Za-z]+"}
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
    data_dir = Path(environment.get("REGISTRY_DATA_DIR", Settings.data_dir))
    if data_dir.exists() and not data_dir.is_dir():
        raise WrongSetting("REGISTRY_DATA_DIR must be a folder.")
    return Settings(
        public_url=public_url,
        database_url=database_url,
        data_dir=data_dir,
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
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    (_check_sqlite if parts.scheme == "sqlite" else _check_postgres)(parts.netloc + parts.path, parameters)


def _check_sqlite(file: str, parameters: list[tuple[str, str]]) -> None:
    if file in ("", ":memory:") or Path(file).is_dir():
        raise WrongSetting("REGISTRY_DATABASE_URL must name a file: sqlite://./data/registry.sqlite3.")
    for name, value in parameters:
        if not re.fullmatch(PRAGMAS.get(name, r"\b\B"), value):
            raise WrongSetting(f"REGISTRY_DATABASE_URL: {name}={value} is not a pragma that can be set.")


def _check_postgres(_address: str, parameters: list[tuple[str, str]]) -> None:
    sizes = {name: value for name, value in parameters if name in ("minsize", "maxsize")}
    for name, value in sizes.items():
        if not re.fullmatch(r"[1-9][0-9]{0,3}", value):
            raise WrongSetting(f"REGISTRY_DATABASE_URL: {name} must be a whole number of connections.")
    if len(sizes) == 2 and int(sizes["minsize"]) > int(sizes["maxsize"]):
        raise WrongSetting("REGISTRY_DATABASE_URL: minsize must not be greater than maxsize.")


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
