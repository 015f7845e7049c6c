"""Attempts: changes of one statement on PostgreSQL, which need no transaction if nobody is faster."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from app.storage.session import Ended, Session
from app.storage.statements import Rows


class Overtaken(Exception):  # noqa: N818 - no error: the same is done once more, in a transaction
    """Nothing was written: what an attempt depends on has changed, or it needs a transaction after all."""


@dataclass(frozen=True)
class Grounds:
    """By what a change was allowed: the role that who acts has in the organization concerned."""

    organization_id: str
    role: str


class Attempt(Session):
    """A single change of one statement, without a transaction: two ways to PostgreSQL instead of five.

    What it depends on is found once, without a lock. The statement locks that, looks whether it is still so,
    and writes nothing where it is not (`app.storage.telling`). Points are read as ever; all else that a
    transaction may do raises `Overtaken`. Once something is written that would write it twice, and anything
    more is a fault.
    """

    looked = False
    grounds: Grounds | None = None

    def overtaken(self) -> NoReturn:
        if isinstance(self._client, Ended):
            raise RuntimeError("The change is written, and nothing may come after it.")  # noqa: TRY004 - no wrong type
        raise Overtaken

    def rows(self, *_asked: Any, **_by_name: Any) -> NoReturn:
        self.overtaken()

    brief = rows

    def write(self, sql: str, values: Sequence[Any]) -> Awaitable[Rows]:
        """By a statement that returns a row if, and only if, it has written what it was for."""
        return self._client.read(sql, values)
