"""What a deployment may set: `REGISTRY_*` environment variables, each with its default in README."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EINVAL
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9](?:[A-Za-z0-9\-]*\.?[A-Za-z0-9])*|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?"
    r"(?:/[A-Za-z0-9._~\-/]*)?"
)
# What may follow the path of a SQLite file.
PRAGMAS = {
    "busy_timeout": r"[0-9]{1,9}",
    "journal_mode": r"(?i:delete|truncate|persist|memory|wal|off)",
    "synchronous": r"(?i:off|normal|full|extra)|[0-3]",
}
# What may stand in the address of a PostgreSQL and is the service's own or a limit that it sets (libpq's
# parameters may too).
CONNECTIONS, DURATION = r"[1-9][0-9]{0,3}", r"[0-9]{1,9}(us|ms|s|min|h|d)?"
MAX_CONNECTIONS = 10  # unless it says another number
POSTGRES_PARAMETERS = {
    "minsize": (CONNECTIONS, "a whole number of connections"),
    "maxsize": (CONNECTIONS, "a whole number of connections"),
    "statement_cache_size": (r"[0-9]{1,4}", "a whole number of statements, or 0"),
    "statement_timeout": (DURATION, "a time, such as 500ms or 8s, or 0 for no limit"),
    "lock_timeout": (DURATION, "a time, such as 500ms or 8s, or 0 for no limit"),
    "idle_in_transaction_session_timeout": (DURATION, "a time, such as 500ms or 8s, or 0 for no limit"),
}
# What libpq is told of a connection, and asyncpg would tell the server, which knows none of it. What
# demands nothing that is not so anyway is passed over; the rest cannot be had, and is refused.
LIBPQ_ALONE = {
    **dict.fromkeys(("gssencmode", "channel_binding"), r"disable|prefer"),
    **dict.fromkeys(("connect_timeout", "tcp_user_timeout", "sslcompression"), r"[0-9]+"),
    "sslsni": r"1",
    "load_balance_hosts": r"disable",
    "sslcertmode": r"allow",
    "fallback_application_name": r".*",
    **dict.fromkeys(("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"), r"[0-9]+"),
}
# What the address of a Redis may say beside where it is, and what of TLS.
REDIS_PARAMETERS = {"db": r"[0-9]{1,4}", "max_connections": r"[1-9][0-9]{0,5}"}
REDIS_TLS = {
    **dict.fromkeys(("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"), r".+"),
    "ssl_cert_reqs": r"none|optional|required",
    "ssl_check_hostname": r"(?i:true|false)",
}
KNOWN = {
    "REGISTRY_PUBLIC_URL",
    "REGISTRY_DATABASE_URL",
    "REGISTRY_REPLICA_URL",
    "REGISTRY_DATA_DIR",
    "REGISTRY_AUDIENCE",
    "REGISTRY_ISSUERS",
    "REGISTRY_MAX_CONTENT_LENGTH",
    "REGISTRY_MAX_CONCURRENT_REQUESTS",
    "REGISTRY_ALLOWED_HOSTS",
    "REGISTRY_REQUIRE_IF_MATCH",
    "REGISTRY_METRICS_PORT",
    "REGISTRY_RATE_LIMIT",
    "REGISTRY_RATE_LIMIT_STORAGE",
    "REGISTRY_HEAD_SECONDS",
    "REGISTRY_CONTENT_SECONDS",
    "REGISTRY_DRAIN_SECONDS",
    "REGISTRY_SECURITY_CONTACT",
    "REGISTRY_SECURITY_ENCRYPTION",
    "REGISTRY_SECURITY_POLICY",
    "REGISTRY_SECURITY_LANGUAGES",
    "REGISTRY_VOCABULARY_LICENSE",
    "REGISTRY_VOCABULARY_CREATOR",
    "REGISTRY_VOCABULARY_PUBLISHER",
}
# No setting of the service: what the command `get` sends, and others pass over.
OF_CLIENTS = {"REGISTRY_TOKEN"}
# With which keys may sign: one algorithm for each kind of key (RFC 8725 section 3.1).
ALGORITHMS = ("RS256", "ES256", "EdDSA")
MAX_PORT = 65_535
HOST = re.compile(r"\*|[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\]")
RATE_LIMIT = re.compile(r"[1-9][0-9]{0,8}/(second|minute|hour|day)")
# What a field of security.txt may lead to (RFC 9116 sections 2.5.3, 2.5.4 and 2.5.7); never by http.
SCHEMES = {
    "REGISTRY_SECURITY_CONTACT": ("https", "mailto", "tel"),
    "REGISTRY_SECURITY_ENCRYPTION": ("https", "dns", "openpgp4fpr"),
    "REGISTRY_SECURITY_POLICY": ("https",),
}
SECURITY_IRI = re.compile(r"[a-z0-9]+:[!#-;=?-\[\]_a-z~]+")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
# Without the characters that no IRI has (RFC 3987 section 2.2).
IRI = re.compile(r"https?://[^\x00-\x20<>\"{}|\\^`\x7f-\x9f]+")
MAX_ISSUER = 255  # what a partner's column holds


class WrongSetting(ValueError):  # noqa: N818 - a setting that is wrong
    """One clear line that names the variable."""


@dataclass(frozen=True)
class IssuerSetting:
    """Whose tokens count. `jwks` is the address of its key set, or the path of a file.

    Without an `audience` of its own its tokens name the service's.
    """

    issuer: str
    jwks: str | Path
    audience: str | None = None
    algorithms: tuple[str, ...] = ALGORITHMS


@dataclass(frozen=True)
class Settings:
    """`public_url` has no trailing slash; `max_content_length` is in octets.

    Clients have `head_seconds` to send the head of a request and `content_seconds` for its content; the
    service says for `drain_seconds` that it is about to stop before it does.
    Without `replica_url` all is read where it is written. Without `issuers` there is the local one; without
    `metrics_port` nothing is counted, without `rate_limit` nobody limited. The vocabulary names the IRIs of
    its licence, of who made it and of who publishes it where they are set. `allowed_hosts` are answered for
    beside that of `public_url`. Whoever finds a weakness is told what begins with `security_`, if there is a
    `security_contact`.
    """

    public_url: str = "http://127.0.0.1:8000"
    database_url: str = "sqlite://./data/registry.sqlite3"
    replica_url: str | None = None
    data_dir: Path = Path("./data")
    audience: str = "instance-registry"
    issuers: tuple[IssuerSetting, ...] = ()
    max_content_length: int = 1_048_576
    max_concurrent_requests: int = 1_000
    allowed_hosts: tuple[str, ...] = ()
    require_if_match: bool = False
    metrics_port: int | None = None
    rate_limit: str | None = None
    rate_limit_storage: str | None = None
    head_seconds: int = 10
    content_seconds: int = 30
    drain_seconds: int = 1
    security_contact: tuple[str, ...] = ()
    security_encryption: tuple[str, ...] = ()
    security_policy: tuple[str, ...] = ()
    security_languages: tuple[str, ...] = ()
    vocabulary_license: str | None = None
    vocabulary_creator: str | None = None
    vocabulary_publisher: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is somebody's own machine, where the local issuer's tokens count."""
        return not self.issuers and is_loopback(urlsplit(self.public_url).hostname or "")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Raises `WrongSetting` for a value that cannot be, and for a `REGISTRY_*` variable that is unknown."""
    known = KNOWN | OF_CLIENTS
    unknown = sorted(name for name in environment if name.startswith("REGISTRY_") and name not in known)
    if unknown:
        raise WrongSetting(f"{unknown[0]} is not a setting; there are {', '.join(sorted(KNOWN))}.")
    public_url = environment.get("REGISTRY_PUBLIC_URL", Settings.public_url).rstrip("/")
    _check_public_url(public_url)
    database_url = environment.get("REGISTRY_DATABASE_URL", Settings.database_url)
    _check_database_url("REGISTRY_DATABASE_URL", database_url)
    audience = environment.get("REGISTRY_AUDIENCE", Settings.audience)
    if not audience:
        raise WrongSetting("REGISTRY_AUDIENCE must not be empty.")
    data_dir = Path(environment.get("REGISTRY_DATA_DIR", Settings.data_dir))
    if _seen(data_dir.exists) and not _seen(data_dir.is_dir):
        raise WrongSetting("REGISTRY_DATA_DIR must be a folder.")
    return Settings(
        public_url=public_url,
        database_url=database_url,
        replica_url=_replica_url(environment, database_url),
        data_dir=data_dir,
        audience=audience,
        issuers=_issuers(environment.get("REGISTRY_ISSUERS")),
        max_content_length=_whole(environment, "REGISTRY_MAX_CONTENT_LENGTH", Settings.max_content_length),
        max_concurrent_requests=_whole(
            environment, "REGISTRY_MAX_CONCURRENT_REQUESTS", Settings.max_concurrent_requests
        ),
        allowed_hosts=_hosts(environment.get("REGISTRY_ALLOWED_HOSTS", "")),
        require_if_match=_yes(environment, "REGISTRY_REQUIRE_IF_MATCH"),
        metrics_port=_port(environment, "REGISTRY_METRICS_PORT"),
        rate_limit=_rate_limit(environment.get("REGISTRY_RATE_LIMIT")),
        rate_limit_storage=_rate_limit_storage(environment),
        head_seconds=_whole(environment, "REGISTRY_HEAD_SECONDS", Settings.head_seconds),
        content_seconds=_whole(environment, "REGISTRY_CONTENT_SECONDS", Settings.content_seconds),
        drain_seconds=_whole(environment, "REGISTRY_DRAIN_SECONDS", Settings.drain_seconds),
        security_contact=_iris(environment, "REGISTRY_SECURITY_CONTACT"),
        security_encryption=_iris(environment, "REGISTRY_SECURITY_ENCRYPTION"),
        security_policy=_iris(environment, "REGISTRY_SECURITY_POLICY"),
        security_languages=_languages(environment),
        vocabulary_license=_iri(environment, "REGISTRY_VOCABULARY_LICENSE"),
        vocabulary_creator=_iri(environment, "REGISTRY_VOCABULARY_CREATOR"),
        vocabulary_publisher=_iri(environment, "REGISTRY_VOCABULARY_PUBLISHER"),
    )


def _check_public_url(url: str) -> None:
    parts = _split("REGISTRY_PUBLIC_URL", url)
    if not ADDRESS.fullmatch(url) or not parts.hostname:
        raise WrongSetting("REGISTRY_PUBLIC_URL must be an http or https address without query or fragment.")


def _check_database_url(variable: str, url: str) -> None:
    """PostgreSQL's may name a socket instead of a host."""
    parts = _split(variable, url)
    if parts.scheme not in ("sqlite", "postgres", "postgresql"):
        raise WrongSetting(f"{variable} must begin with sqlite:// or postgres://.")
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    if parts.scheme == "sqlite":
        _check_sqlite(parts, parameters)
    else:
        _check_postgres(variable, dict(parameters))


def _replica_url(environment: Mapping[str, str], database_url: str) -> str | None:
    variable = "REGISTRY_REPLICA_URL"
    url = environment.get(variable)
    if url is None:
        return None
    for it in (url, database_url):
        if urlsplit(it).scheme not in ("postgres", "postgresql"):
            raise WrongSetting(f"{variable} must begin with postgres://, as REGISTRY_DATABASE_URL must then.")
    _check_database_url(variable, url)
    return url


def _check_sqlite(parts: SplitResult, parameters: list[tuple[str, str]]) -> None:
    file = parts.netloc + parts.path
    if parts.fragment:
        raise WrongSetting("REGISTRY_DATABASE_URL must name a file that has no # in its path.")
    if file in ("", ":memory:") or _seen(Path(file).is_dir):
        raise WrongSetting("REGISTRY_DATABASE_URL must name a file: sqlite://./data/registry.sqlite3.")
    for name, value in parameters:
        if not re.fullmatch(PRAGMAS.get(name, r"\b\B"), value):
            raise WrongSetting(f"REGISTRY_DATABASE_URL: {name}={value} is not a pragma that can be set.")


def _seen(look: Callable[[], bool]) -> bool:
    """What this user may not look at is no wrong setting: it is told where it is opened."""
    try:
        return look()
    except OSError:
        return False


def _check_postgres(variable: str, parameters: Mapping[str, str]) -> None:
    for name, (pattern, what) in POSTGRES_PARAMETERS.items():
        if name in parameters and not re.fullmatch(pattern, parameters[name]):
            raise WrongSetting(f"{variable}: {name} must be {what}.")
    for name, pattern in LIBPQ_ALONE.items():
        if name in parameters and not re.fullmatch(pattern, parameters[name]):
            raise WrongSetting(f"{variable}: {name}={parameters[name]} cannot be had here; leave it out.")
    if int(parameters.get("minsize", 1)) > int(parameters.get("maxsize", MAX_CONNECTIONS)):
        raise WrongSetting(f"{variable}: minsize must not be greater than maxsize.")


def regular(path: Path) -> Path:
    """The path. Raises `OSError` for what is no regular file: a pipe or a device may never come to an end."""
    if path.exists() and not path.is_file():
        raise OSError(EINVAL, "it is no regular file")
    return path


def _issuers(value: str | None) -> tuple[IssuerSetting, ...]:
    """Of a JSON array, or of the file that holds it."""
    if value is None:
        return ()
    try:
        text = value if value.lstrip().startswith("[") else regular(Path(value)).read_text()
        members = json.loads(text)
    except OSError as error:
        raise WrongSetting(
            f"REGISTRY_ISSUERS is neither a JSON array nor a file that can be read: {error.strerror}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise WrongSetting(f"REGISTRY_ISSUERS is not JSON: {error}.") from error
    # An empty list is hardly meant to let the local issuer's tokens in, which leaving the variable out does.
    if not isinstance(members, list) or not members:
        raise WrongSetting("REGISTRY_ISSUERS must be a JSON array of one issuer or more.")
    issuers = tuple(_issuer(f"REGISTRY_ISSUERS[{n}]", member) for n, member in enumerate(members))
    if len({issuer.issuer for issuer in issuers}) < len(issuers):
        raise WrongSetting("REGISTRY_ISSUERS must name each issuer once.")
    return issuers


def _issuer(name: str, member: Any) -> IssuerSetting:
    if not isinstance(member, dict):
        raise WrongSetting(f"{name} must be an object with issuer and jwks.")
    unknown = sorted(member.keys() - {"issuer", "jwks", "audience", "algorithms"})
    if unknown:
        raise WrongSetting(f"{name} has {unknown[0]!r}; there are issuer, jwks, audience and algorithms.")
    algorithms = member.get("algorithms", list(ALGORITHMS))
    if not isinstance(algorithms, list) or not algorithms or not all(a in ALGORITHMS for a in algorithms):
        raise WrongSetting(f"{name}.algorithms must be an array of some of {', '.join(ALGORITHMS)}.")
    issuer = _text(f"{name}.issuer", member.get("issuer"))
    if len(issuer) > MAX_ISSUER:
        raise WrongSetting(f"{name}.issuer must have at most {MAX_ISSUER} characters.")
    return IssuerSetting(
        issuer=issuer,
        jwks=_jwks(f"{name}.jwks", _text(f"{name}.jwks", member.get("jwks"))),
        audience=_text(f"{name}.audience", member["audience"]) if "audience" in member else None,
        algorithms=tuple(algorithms),
    )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise WrongSetting(f"{name} must be text, and not empty.")
    return value


def _jwks(name: str, value: str) -> str | Path:
    """Whoever can change the keys on their way can be anyone: so TLS, or this machine alone."""
    if "://" not in value:
        return Path(value)
    parts = _split(name, value)
    trusted = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not trusted or not parts.hostname or parts.username is not None or parts.fragment or " " in value:
        raise WrongSetting(f"{name} must be an https address, an http one of this machine, or a file.")
    return value


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _split(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        # Read for what it raises: whether it is a port at all.
        _ = parts.port if parts.scheme != "sqlite" else None
    except ValueError:
        # What it says of the address may be a part of the password.
        reason = "write / as %2F, ? as %3F, # as %23, [ as %5B and ] as %5D in its user and password"
        raise WrongSetting(f"{name} is not an address with a port that is a number; {reason}.") from None
    return parts


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name)
    if value is None:
        return default
    if not re.fullmatch(r"[1-9][0-9]{0,9}", value):
        raise WrongSetting(f"{name} must be a whole number from 1.")
    return int(value)


def _port(environment: Mapping[str, str], name: str) -> int | None:
    port = _whole(environment, name, 0)
    if port > MAX_PORT:
        raise WrongSetting(f"{name} must be a port from 1 to {MAX_PORT}.")
    return port or None


def _yes(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "no")
    if value not in ("yes", "no"):
        raise WrongSetting(f"{name} must be yes or no.")
    return value == "yes"


def _iri(environment: Mapping[str, str], name: str) -> str | None:
    """What can be named in RDF and followed by people."""
    value = environment.get(name)
    if value is not None and not (IRI.fullmatch(value) and _split(name, value).hostname):
        raise WrongSetting(f"{name} must be an http or https address.")
    return value


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(host.strip() for host in value.split(",") if host.strip())
    for host in hosts:
        if not HOST.fullmatch(host):
            raise WrongSetting(f"REGISTRY_ALLOWED_HOSTS: {host} is not the name of a host; or *, for any.")
    return hosts


def _iris(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """With spaces between, which no IRI has."""
    iris = tuple(environment.get(name, "").split())
    for iri in iris:
        if not SECURITY_IRI.fullmatch(iri) or iri.partition(":")[0] not in SCHEMES[name]:
            schemes = " or ".join(f"{scheme}:" for scheme in SCHEMES[name])
            raise WrongSetting(f"{name}: {iri} is not an address that begins with {schemes}.")
    _check_contact(environment, name)
    return iris


def _languages(environment: Mapping[str, str]) -> tuple[str, ...]:
    name = "REGISTRY_SECURITY_LANGUAGES"
    languages = tuple(environment.get(name, "").replace(",", " ").split())
    for language in languages:
        if not LANGUAGE.fullmatch(language):
            raise WrongSetting(f"{name}: {language} is not the tag of a language, as en or pt-BR are.")
    _check_contact(environment, name)
    return languages


def _check_contact(environment: Mapping[str, str], name: str) -> None:
    if environment.get(name) and not environment.get("REGISTRY_SECURITY_CONTACT"):
        raise WrongSetting(f"{name} is of no use without REGISTRY_SECURITY_CONTACT.")


def _rate_limit(value: str | None) -> str | None:
    if value is not None and not RATE_LIMIT.fullmatch(value):
        raise WrongSetting(
            "REGISTRY_RATE_LIMIT must be a number per second, minute, hour or day: 100/minute."
        )
    return value


def _rate_limit_storage(environment: Mapping[str, str]) -> str | None:
    name = "REGISTRY_RATE_LIMIT_STORAGE"
    value = environment.get(name)
    if value is None:
        return None
    parts = _split(name, value)
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise WrongSetting(f"{name} must be the address of a Redis: redis:// or rediss:// and a host.")
    if not re.fullmatch(r"/?|/[0-9]{1,4}", parts.path) or parts.fragment:
        raise WrongSetting(
            f"{name} may end with the number of a database, as in redis://host/0, and no other path."
        )
    known = REDIS_PARAMETERS | (REDIS_TLS if parts.scheme == "rediss" else {})
    for parameter, told in parse_qsl(parts.query, keep_blank_values=True):
        if not re.fullmatch(known.get(parameter, r"\b\B"), told):
            # Not with its value, which may be a password.
            raise WrongSetting(f"{name} may not say this of {parameter}; there are {', '.join(known)}.")
    if "REGISTRY_RATE_LIMIT" not in environment:
        raise WrongSetting(f"{name} is of no use without REGISTRY_RATE_LIMIT.")
    if find_spec("redis") is None:
        raise WrongSetting(f"{name} needs what speaks with Redis: pip install 'instance-registry[redis]'.")
    return value
