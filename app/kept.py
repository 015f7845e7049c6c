"""What is kept of answers to what was asked for twice lately, found by all that they follow from."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.remembered import Remembered

# Of what is kept in all.
OCTETS = 20 * 1_048_576
# What is larger than this part of all is not kept.
LARGEST = OCTETS // 16
# What an answer takes beside its content and what it follows from: its fields above all.
APIECE = 1_536
# Of how many questions it is known what they were answered by.
QUESTIONS = 4_096

Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class Kept(Generic[Answer]):
    """What a representation was answered by, with its tag: to who has it already, and to who has not."""

    key: Hashable
    tag: str
    octets: int
    whole: Answer | None = None
    unmodified: Answer | None = None

    def empty(self) -> None:
        """It is kept no longer, also where a question still leads to it."""
        self.key = self.whole = self.unmodified = None


@dataclass(eq=False, slots=True)
class Asked(Generic[Answer]):
    """What a question was answered by, and when that was found to be as it was; None for not since."""

    mark: int
    kept: Kept[Answer]
    moment: Hashable | None


def weight(key: object) -> int:
    """How many octets a key takes, with all that is in it."""
    within = sum(map(weight, key)) if isinstance(key, tuple | frozenset) else 0
    return sys.getsizeof(key) + within


class KeptAnswers(Generic[Answer]):
    """By all that they follow from: what is read is read again, and what was just found of it tells whether
    it is as it was. What was kept first makes room.

    A `mark` is the hash of what can be told sooner, without the hundreds of values that there may be: of two
    keys that have the same, the later one is kept.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Kept[Answer]] = {}
        self._octets = 0
        # Marks of what was asked for, half as much as can be kept, and of as much before that.
        self._seen: set[int] = set()
        self._earlier: set[int] = set()
        self._seen_octets = 0
        self._asked: Remembered[Hashable, Asked[Answer]] = Remembered(QUESTIONS)

    def asked(self, question: Hashable) -> Asked[Answer] | None:
        """What it was answered by, if that is kept."""
        asked = self._asked.get(question)
        if asked is None or asked.kept.key is None:
            return None
        if asked.mark not in self._seen:
            self._see(asked.mark, asked.kept.octets)
        return asked

    def answered(self, question: Hashable, mark: int, kept: Kept[Answer], moment: Hashable | None) -> None:
        """By what is kept, and is as it was at this moment, or later."""
        self._asked.keep(question, Asked(mark, kept, moment))

    def knows(self, mark: int) -> bool:
        """Whether something has been asked for by it lately, so that its key matters."""
        return mark in self._kept or mark in self._seen or mark in self._earlier

    def get(self, mark: int, key: Hashable) -> Kept[Answer] | None:
        kept = self._found(mark, key)
        if kept is not None and mark not in self._seen:
            self._see(mark, kept.octets)
        return kept

    def _found(self, mark: int, key: Hashable) -> Kept[Answer] | None:
        kept = self._kept.get(mark)
        return kept if kept is not None and kept.key == key else None

    def keep(self, mark: int, key: Hashable, tag: str, answer: Answer, length: int | None) -> None:
        """Where it is asked for again before there was no room for it any more: most of what is read by a
        crawler never is. `length` is that of the content; None for what says that there is no new one."""
        if not self._seen_before(mark, min(APIECE + 2 * (length or 0), LARGEST)):
            return
        kept = self._found(mark, key) or Kept(key, tag, weight(key))
        there = kept.unmodified if length is None else kept.whole
        octets = kept.octets + APIECE + (length or 0)
        if there is not None or octets > LARGEST:
            return
        self._drop(mark, kept)
        kept.octets = octets
        if length is None:
            kept.unmodified = answer
        else:
            kept.whole = answer
        self._kept[mark] = kept
        self._octets += kept.octets
        while self._octets > OCTETS:
            self._drop(next(iter(self._kept)))

    def _drop(self, mark: int, to_be_kept: Kept[Answer] | None = None) -> None:
        kept = self._kept.pop(mark, None)
        if kept is not None:
            self._octets -= kept.octets
            if kept is not to_be_kept:
                kept.empty()

    def _seen_before(self, mark: int, octets: int) -> bool:
        if mark in self._seen:
            return True
        earlier = mark in self._earlier
        self._see(mark, octets)
        return earlier

    def _see(self, mark: int, octets: int) -> None:
        """Whatever is asked for makes all else that was seen before it older, also what is kept: a round of
        more than has room would push out, all the time, what it asks for next. It does so once, however often
        it is asked for meanwhile."""
        self._seen.add(mark)
        self._seen_octets += octets
        if self._seen_octets >= OCTETS // 2:
            self._seen, self._earlier, self._seen_octets = set(), self._seen, 0
