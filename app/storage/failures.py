"""What a database says when a statement fails, read into what the service can act upon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.problems import Problem


class UniqueViolation(Exception):  # noqa: N818 - the SQL standard's own name for it
    """A value is taken. `column` is `handle`, or `issuer,subject` where several are unique together."""

    def __init__(self, table: str, column: str) -> None:
        super().__init__(f"{table}.{column} is taken")
        self.table = table
        self.column = column


def unavailable(detail: str = "The database cannot be reached at the moment; try again.") -> Problem:
    return Problem("unavailable", detail, headers=(("Retry-After", "1"),))


@contextmanager
def translated(translation: Callable[[Exception], Exception | None]) -> Iterator[None]:
    """Raise what `translation` makes of an exception; the exception itself where it makes nothing of it."""
    try:
        yield
    except Exception as error:
        meaning = translation(error)
        if meaning is None:
            raise
        raise meaning from error
