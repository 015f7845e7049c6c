"""Lines of a file, however long somebody has made one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

# The longest that is told, an organization with as many members as it can have, takes a quarter of it.
LONGEST = 4 * 1_024 * 1_024
TOO_LONG = f"It is longer than {LONGEST // 1_024**2} MiB."


def read_lines(file: IO[bytes]) -> Iterator[bytes]:
    """A line that is longer than `LONGEST` is cut one octet behind that, and no more of it is kept."""
    while line := file.readline(LONGEST + 1):
        yield line
        while len(line) > LONGEST and not line.endswith(b"\n"):
            line = file.readline(LONGEST + 1)
