"""What is kept of answers to what was asked for twice lately, found by all that they follow from."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

# Of what is kept in all, and of how many different ones it is known that they were asked for.
OCTETS, SIGHTINGS = 8 * 1_048_576, 1_024
# What is larger than this part of all is not kept.
LARGEST = OCTETS // 16
# What one takes beside its content, and beside what it follows from, which is about as long.
APIECE = 4_096

Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class Kept(Generic[Answer]):
    """What a representation was answered by, with its tag: to who has it already, and to who has not."""

    key: Hashable
    tag: str
    whole: Answer | None = None
    unmodified: Answer | None = None
    octets: int = APIECE


class KeptAnswers(Generic[Answer]):
    """By all that they follow from: what is read is read again, and what was just found of it tells whether
    it is as it was. What was kept first makes room.

    A `mark` is the hash of such a key, for which hundreds of values may have to be looked at: once.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Kept[Answer]] = {}
        self._octets = 0
        # Marks of what was asked for, and of what was before those.
        self._seen: set[int] = set()
        self._earlier: set[int] = set()

    def get(self, mark: int, key: Hashable) -> Kept[Answer] | None:
        kept = self._kept.get(mark)
        return kept if kept is not None and kept.key == key else None

    def keep(self, mark: int, key: Hashable, tag: str, answer: Answer, length: int | None) -> None:
        """Where it is asked for again: most of what is read by a crawler never is. `length` is that of the
        content; None for what says that there is no new one."""
        octets = APIECE + 2 * (length or 0)
        if octets > LARGEST or not self._seen_before(mark):
            return
        kept = self.get(mark, key) or Kept(key, tag)
        self._drop(mark)
        if length is None:
            kept.unmodified = answer
        else:
            kept.whole, kept.octets = answer, octets
        self._kept[mark] = kept
        self._octets += kept.octets
        while self._octets > OCTETS:
            self._drop(next(iter(self._kept)))

    def _drop(self, mark: int) -> None:
        kept = self._kept.pop(mark, None)
        if kept is not None:
            self._octets -= kept.octets

    def _seen_before(self, mark: int) -> bool:
        if mark in self._seen or mark in self._earlier:
            return True
        self._seen.add(mark)
        if len(self._seen) >= SIGHTINGS // 2:
            self._seen, self._earlier = set(), self._seen
        return False
