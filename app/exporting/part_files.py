"""Part files: a file that is written beside its place, from which writing goes on after an interruption.

`FILE.part` is what is written, `FILE.part.json` how much of it counts and what stands for the rest. Both are
for their owner alone, as an export tells of people.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

State = Mapping[str, Any]
# Fast, and as good as makes a difference to text that repeats itself so much.
COMPRESSION = 6


class PartFile:
    """A context; `finish` puts the file in its place. What is written counts once `keep` was called."""

    def __init__(self, place: Path, *, compressed: bool) -> None:
        self._place = place
        self._compressed = compressed
        self._part = place.with_name(f"{place.name}.part")
        self._told = place.with_name(f"{place.name}.part.json")
        self._file: IO[bytes] | None = None
        self._is_finished = False

    def __enter__(self) -> PartFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            if not self._is_finished and not self._told.exists():
                self._part.unlink(missing_ok=True)
            self._file.close()

    def begin(self) -> None:
        """Anew. Raises `OSError` where nothing can be written, or another process writes to it."""
        self._file = _alone(self._part)
        self._told.unlink(missing_ok=True)
        self._file.truncate(0)

    def resume(self) -> State | None:
        """Go on where the last `keep` was, with its state; None where there is nothing to go on from.

        Raises `ValueError` for a part that is not what its state tells, `OSError` as `begin`.
        """
        try:
            told = json.loads(self._told.read_bytes())
            length, state = int(told["length"]), told["state"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self._told} cannot be read: {error}. Begin anew, without --resume."
            ) from error
        self._file = _alone(self._part)
        if self._file.seek(0, os.SEEK_END) < length:
            raise ValueError(f"{self._part} is shorter than it was. Begin anew, without --resume.")
        self._file.truncate(length)
        self._file.seek(length)
        assert isinstance(state, dict)  # noqa: S101 - it was written below
        return state

    def write(self, content: bytes) -> None:
        """Compressed, each piece is a member of its own (RFC 1952 section 2.2), so that others can follow."""
        assert self._file is not None  # noqa: S101 - it was begun
        self._file.write(gzip.compress(content, COMPRESSION) if self._compressed else content)

    def keep(self, state: State) -> None:
        """What was written is on the disk before its state says so."""
        assert self._file is not None  # noqa: S101 - it was begun
        self._file.flush()
        os.fsync(self._file.fileno())
        beside = self._told.with_name(f"{self._told.name}.new")
        with _own(beside, os.O_TRUNC) as file:
            file.write(json.dumps({"length": self._file.tell(), "state": state}).encode())
        beside.replace(self._told)

    def finish(self) -> None:
        assert self._file is not None  # noqa: S101 - it was begun
        self._file.flush()
        os.fsync(self._file.fileno())
        self._part.replace(self._place)
        self._is_finished = True
        with suppress(FileNotFoundError):
            self._told.unlink()

    @property
    def part(self) -> Path:
        return self._part

    @property
    def can_go_on(self) -> bool:
        """Whether something is there from which `resume` goes on."""
        return self._told.exists() and self._part.exists()


def _alone(place: Path) -> IO[bytes]:
    """As `_own`, with a lock that lasts until it is closed: two that wrote to one file would spoil it. What
    another process has put in its place before it was locked is not it any more."""
    while True:
        file = _own(place)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file.fileno()), place.stat()):
                    return file
        except BlockingIOError as error:
            file.close()
            raise OSError(
                f"{place} is being written by another export; wait until that has ended."
            ) from error
        file.close()


def _own(place: Path, flags: int = 0) -> IO[bytes]:
    """The file for its owner alone, whatever it was before, and never another one that a link leads to."""
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return os.fdopen(descriptor, "r+b")
