"""What a database says when a statement fails, read into what the service can act upon."""

from __future__ import annotations

from collections.abc import Callable
from errno import errorcode
from types import TracebackType

from app.problems import Problem

# How long nothing more is said in the log of what goes on.
QUIET_SECONDS = 60.0


class UniqueViolation(Exception):  # noqa: N818 - the SQL standard's own name for it
    """A value is taken. `column` is `handle`, or `issuer,subject` where several are unique together."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"{table}.{column} is taken")
        self.table = table
        self.column = column


def unavailable(detail: str = "The database cannot be reached at the moment; try again.") -> Problem:
    return Problem("unavailable", detail, headers=(("Retry-After", "1"),))


def unable() -> Problem:
    """Of a database that answers."""
    return unavailable("The database cannot do this at the moment; try again.")


def kind(error: BaseException) -> str:
    """What a failure is, without what it says, in which values may stand: `SerializationError (40001)`. Of a
    right that is not given it says what that would be for."""
    named = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    code = named or errorcode.get(getattr(error, "errno", None) or 0)
    said = f": {error}" if code == "42501" else ""
    return f"{type(error).__name__} ({code}){said}" if code else type(error).__name__


class Translated:
    """Where exceptions are raised as what `translation` makes of them, or as they are where it makes nothing.

    One for all statements: a context manager made anew for each costs more than the rest of its way.
    """

    def __init__(self, translation: Callable[[Exception], Exception | None]) -> None:
        self._translation = translation

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            meaning = self._translation(error)
            if meaning is not None:
                raise meaning from error
