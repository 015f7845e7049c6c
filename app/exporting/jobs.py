"""A job: one export from its beginning, or from where it was interrupted, to a pipe or a file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.contract.contract import Contract
from app.exporting.part_files import PartFile
from app.exporting.reading import Batch, Bounds, Export, Place, Scope, bounds_of
from app.representation.streams import Stream
from app.storage.database import Session


@dataclass
class Job:
    """`told` is called with how many were written, members not counted. `counts` are by class, members among
    them; `earlier` is how many of them an interrupted run had written."""

    contract: Contract
    scope: Scope
    form: str
    told: Callable[[int], None] = lambda _: None
    counts: dict[str, int] = field(default_factory=dict)
    earlier: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def rate(self) -> int:
        """How many in a second, this time."""
        return round((self.total - self.earlier) / max(self.seconds, 0.001))

    async def to_pipe(self, session: Session, write: Callable[[bytes], object]) -> None:
        stream = Stream(self.contract, self.form)
        write(stream.head)
        async for _, content in self._pieces(session, stream, await bounds_of(session, self.scope), None):
            write(content)
        write(stream.tail)

    async def to_file(self, session: Session, part: PartFile, *, resume: bool) -> None:
        """Raises `ValueError` for a part of another export."""
        stream = Stream(self.contract, self.form)
        state = part.resume() if resume else None
        after: Place | None = None
        if state is None:
            bounds = await bounds_of(session, self.scope)
            part.begin()
            part.write(stream.head)
        else:
            if state["of"] != self._of:
                raise ValueError(f"{part.part} is of another export. Begin anew, without --resume.")
            bounds, self.counts, after = state["bounds"], state["counts"], Place(**state["place"])
            self.earlier = self.total
            self.told(_shown(self.counts))
        async for batch, content in self._pieces(session, stream, bounds, after):
            part.write(content)
            place = asdict(batch.place)
            part.keep({"of": self._of, "bounds": bounds, "counts": self.counts, "place": place})
        part.write(stream.tail)
        part.finish()

    @property
    def _of(self) -> dict[str, Any]:
        return {"base": self.contract.base, "form": self.form, **asdict(self.scope)}

    async def _pieces(
        self, session: Session, stream: Stream, bounds: Bounds, after: Place | None
    ) -> AsyncIterator[tuple[Batch, bytes]]:
        """They are counted already."""
        async for batch in Export(self.contract, self.scope, bounds).batches(session, after):
            content = stream.piece(batch.nodes, first=not self.counts)
            for name, number in batch.counts.items():
                self.counts[name] = self.counts.get(name, 0) + number
            self.told(_shown(batch.counts))
            yield batch, content
            # Reads of SQLite wait for nothing: here Ctrl+C is heard.
            await asyncio.sleep(0)


def _shown(counts: Mapping[str, int]) -> int:
    return sum(number for name, number in counts.items() if name != "Member")
