"""What is kept of answers to what was asked for twice lately, found by all that they follow from."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

# Of what is kept in all.
OCTETS = 20 * 1_048_576
# What is larger than this part of all is not kept.
LARGEST = OCTETS // 16
# What an answer takes beside its content and what it follows from: its fields above all.
APIECE = 1_536
# What a question takes that leads to it, beside what it asks.
LEAD = 512

Answer = TypeVar("Answer")


@dataclass(eq=False, slots=True)
class Kept(Generic[Answer]):
    """What a representation was answered by, with its tag: to who has it already, and to who has not.
    `questions` lead to it."""

    mark: int
    key: Hashable
    tag: str
    octets: int
    whole: Answer | None = None
    unmodified: Answer | None = None
    questions: set[Hashable] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Lead(Generic[Answer]):
    """What a question was answered by, and when that was found to be as it was, if it was since."""

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
        self._leads: dict[Hashable, Lead[Answer]] = {}

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
        kept = self._found(mark, key) or Kept(mark, key, tag, weight(key))
        there = kept.unmodified if length is None else kept.whole
        octets = kept.octets + APIECE + (length or 0)
        if there is not None or octets > LARGEST:
            return
        if self._kept.get(mark) is kept:
            # It stands behind all others again.
            del self._kept[mark]
            self._octets -= kept.octets
        else:
            self._drop(mark)
        kept.octets = octets
        if length is None:
            kept.unmodified = answer
        else:
            kept.whole = answer
        self._kept[mark] = kept
        self._octets += octets
        self._make_room()

    def lead(self, question: Hashable) -> Lead[Answer] | None:
        """To what it was answered by, if that is kept."""
        lead = self._leads.get(question)
        if lead is not None and lead.kept.mark not in self._seen:
            self._see(lead.kept.mark, lead.kept.octets)
        return lead

    def remember(self, question: Hashable, kept: Kept[Answer], moment: Hashable | None) -> None:
        """It is answered by what is kept, which was as it is at this moment, or later."""
        lead = self._leads.get(question)
        if lead is not None and lead.kept is kept:
            lead.moment = moment
            return
        octets = weight(question) + LEAD
        if lead is not None:
            del self._leads[question]
            lead.kept.questions.remove(question)
            lead.kept.octets -= octets
            self._octets -= octets
        if kept.octets + octets > LARGEST:
            return
        self._leads[question] = Lead(kept, moment)
        kept.questions.add(question)
        kept.octets += octets
        self._octets += octets
        self._make_room()

    def _make_room(self) -> None:
        while self._octets > OCTETS:
            self._drop(next(iter(self._kept)))

    def _drop(self, mark: int) -> None:
        kept = self._kept.pop(mark, None)
        if kept is not None:
            self._octets -= kept.octets
            for question in kept.questions:
                del self._leads[question]

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
