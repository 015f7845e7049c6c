"""What the address of a PostgreSQL tells beside where it is: the pool, timeouts, and whether to prepare."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from app.settings import LIBPQ_ALONE, MAX_CONNECTIONS

POOL_SIZES = {"minsize": 1, "maxsize": MAX_CONNECTIONS}
# Of the server, in the order in which they come: below what the service itself waits, so that the server
# stops what nobody waits for any longer. A lock that is not had in time, a statement, a transaction that
# somebody holds and does nothing in.
TIMEOUTS = {"lock_timeout": "5s", "statement_timeout": "8s", "idle_in_transaction_session_timeout": "15s"}
CACHE_SIZE = "statement_cache_size"
OWN = {*POOL_SIZES, *TIMEOUTS, CACHE_SIZE}


@dataclass(frozen=True)
class Address:
    """`dsn` is what is left for asyncpg, which would send what it does not know to the server as a setting.

    `pooled` is whether connections lead through a pooler that gives each transaction another connection of
    the server, as PgBouncer does in transaction mode: without a cache of prepared statements.
    """

    dsn: str
    sizes: dict[str, int]
    timeouts: dict[str, str]
    cache_size: int | None

    @property
    def pooled(self) -> bool:
        return self.cache_size == 0

    @property
    def timeouts_in_transaction(self) -> str:
        """For who meets a pooler, which takes no such setting for a whole connection."""
        return "".join(f"SET LOCAL {name} = '{value}'; " for name, value in self.timeouts.items())


def read_address(url: str, *, hurried: bool = True) -> Address:
    """Who is not `hurried` may take as long as it takes, whatever the address says."""
    parts = urlsplit(url)
    parameters = parse_qsl(parts.query)
    own = {name: value for name, value in parameters if name in OWN}
    elsewhere = OWN | LIBPQ_ALONE.keys()
    left = urlencode([(name, value) for name, value in parameters if name not in elsewhere])
    return Address(
        dsn=urlunsplit(parts._replace(query=left)),
        sizes={name: int(own.get(name, default)) for name, default in POOL_SIZES.items()},
        timeouts={name: own.get(name, default) if hurried else "0" for name, default in TIMEOUTS.items()},
        cache_size=int(own[CACHE_SIZE]) if CACHE_SIZE in own else None,
    )
