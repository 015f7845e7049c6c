"""The keys of an issuer whose JWK set lies in a file."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path

from app.security.keys import Key, read_keys
from app.settings import regular

LOG = logging.getLogger(__name__)


class KeyFile:
    """Read again whenever it was changed; while it cannot be, the known keys go on working."""

    def __init__(self, path: Path, algorithms: Collection[str]) -> None:
        """Raises `OSError`, and `ValueError` for what is no JWK set."""
        self._path = path
        self._algorithms = algorithms
        # Before the content, so that what is written in between is seen the next time.
        self._written = self._last_written()
        self._keys = self._read()

    def tended(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def known(self) -> Sequence[Key]:
        """Asking a file system costs a microsecond; fetching would be slow, this is not."""
        written = self._last_written()
        if written != self._written:
            self._written = written
            try:
                self._keys = self._read()
            except (OSError, ValueError) as error:
                LOG.warning("The keys in %s cannot be read; those known go on working: %s", self._path, error)
        return self._keys

    async def renewed(self) -> Sequence[Key]:
        return self.known()

    def _read(self) -> Sequence[Key]:
        return read_keys(regular(self._path).read_bytes(), self._algorithms)

    def _last_written(self) -> tuple[int, int, int] | None:
        """With size and inode, because two changes may come within one tick of the file system's clock."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
