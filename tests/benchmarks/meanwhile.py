"""Changes by somebody else while reads are measured, so that for no answer nothing was written since."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from threading import Event, Thread

# Nothing that anybody asks for is another one afterwards. SQLite writes nothing where all is as it was.
CHANGE = "PRAGMA user_version={number}"
PAUSE_SECONDS = 0.005


@contextmanager
def changes(database: str) -> Iterator[None]:
    """Some 200 a second to a SQLite database, by a process of none of the servers."""
    over, failures = Event(), list[sqlite3.Error]()

    def change() -> None:
        path = database.removeprefix("sqlite://")
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                # What the disk takes is no matter of who reads.
                connection.execute("PRAGMA synchronous=OFF")
                for number in count(1):
                    if over.wait(PAUSE_SECONDS):
                        break
                    connection.execute(CHANGE.format(number=number))
        except sqlite3.Error as error:
            failures.append(error)

    thread = Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise failures[0]
