"""Answers are kept for what is asked for again, by all that they follow from, and no more than have room."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import kept
from app.kept import APIECE, LARGEST, Kept, KeptAnswers, weight

# So many, of ten octets each, take as much as there is room for.
MANY = kept.OCTETS // (APIECE + 20) + 1


def kept_of(answers: KeptAnswers[str], key: str) -> str | None:
    found = answers.get(hash(key), key)
    return None if found is None else found.whole


def keep(answers: KeptAnswers[str], key: str, length: int | None = 10) -> None:
    answers.keep(hash(key), key, f"tag of {key}", f"{key} {length}", length)


def test_what_is_asked_for_once_is_not_kept_and_what_is_asked_for_again_is() -> None:
    answers = KeptAnswers[str]()
    assert not answers.knows(hash("page"))
    keep(answers, "page")
    assert answers.knows(hash("page"))
    assert kept_of(answers, "page") is None
    keep(answers, "page")
    assert kept_of(answers, "page") == "page 10"
    for number in range(2 * MANY):
        keep(answers, f"other {number}")
    assert answers.knows(hash("page"))
    assert kept_of(answers, "page") == "page 10"
    assert kept_of(answers, "other 0") is None


def test_what_was_asked_for_long_ago_is_asked_for_as_for_the_first_time() -> None:
    answers = KeptAnswers[str]()
    keep(answers, "page")
    for number in range(MANY):
        keep(answers, f"other {number}")
    assert not answers.knows(hash("page"))
    keep(answers, "page")
    assert kept_of(answers, "page") is None
    keep(answers, "soon again")
    for number in range(MANY // 2):
        keep(answers, f"yet another {number}")
    assert answers.knows(hash("soon again"))
    keep(answers, "soon again")
    assert kept_of(answers, "soon again") is not None


def test_a_round_of_more_than_has_room_does_not_go_on_pushing_out_what_it_will_ask_for_next() -> None:
    answers, kept_anew = KeptAnswers[str](), list[str]()
    # It breaks off and begins anew, so that a part of it comes again soon.
    for key in map(str, [*range(MANY // 2), *list(range(3 * MANY // 2)) * 4]):
        if kept_of(answers, key) is None:
            keep(answers, key)
            kept_anew += [key] if kept_of(answers, key) else []
    assert 0 < len(kept_anew) <= MANY


def test_what_is_asked_for_all_the_time_keeps_nothing_else_out() -> None:
    answers, missed = KeptAnswers[str](), 0
    for key in [f"some {number}" for number in range(100)] * 3:
        for asked in (key, *["often"] * 50):
            if kept_of(answers, asked) is None:
                keep(answers, asked, LARGEST // 40)
                missed += 1
    assert missed == 2 * (100 + 1)


def test_both_that_there_is_something_new_and_that_there_is_not_are_kept_of_one() -> None:
    answers = KeptAnswers[str]()
    for length in (10, 10, None, 10, None):
        keep(answers, "page", length)
    found = answers.get(hash("page"), "page")
    assert found is not None
    assert (found.tag, found.whole, found.unmodified) == ("tag of page", "page 10", "page None")
    assert found.octets == weight("page") + 2 * APIECE + 10


def test_what_is_told_in_another_way_too_stays_longer_than_what_was_kept_meanwhile() -> None:
    answers, number = KeptAnswers[str](), 0
    first, second = kept_page(answers, "first"), kept_page(answers, "second")
    keep(answers, "first", None)
    while second.mark in answers._kept:
        kept_page(answers, f"other {number}")
        number += 1
    assert first.mark in answers._kept


def test_what_has_the_mark_of_another_is_not_taken_for_it() -> None:
    answers = KeptAnswers[str]()
    for _ in range(2):
        answers.keep(1, "one", '"1"', "of one", 10)
    assert answers.get(1, "other") is None
    answers.keep(1, "other", '"2"', "of other", 10)
    assert answers.get(1, "one") is None
    found = answers.get(1, "other")
    assert found is not None
    assert (found.tag, found.whole) == ('"2"', "of other")


def test_what_is_too_large_is_not_kept() -> None:
    answers = KeptAnswers[str]()
    for _ in range(3):
        keep(answers, "large", LARGEST)
        keep(answers, "less large", LARGEST - APIECE - 1_000)
    assert kept_of(answers, "large") is None
    assert kept_of(answers, "less large") is not None


def kept_page(answers: KeptAnswers[str], key: str = "page") -> Kept[str]:
    for _ in range(2):
        keep(answers, key)
    page = answers.get(hash(key), key)
    assert page is not None
    return page


def asked(answers: KeptAnswers[str], question: str) -> tuple[str | None, object] | None:
    found = answers.lead(question)
    return None if found is None else (found.kept.whole, found.moment)


def test_a_question_leads_to_what_it_was_answered_by_while_that_is_kept() -> None:
    answers = KeptAnswers[str]()
    found = kept_page(answers)
    assert asked(answers, "page?") is None
    answers.remember("page?", found, None)
    assert asked(answers, "page?") == ("page 10", None)
    answers.remember("page?", found, 1)
    # Another answer by the same key does not make it another one.
    keep(answers, "page", None)
    assert asked(answers, "page?") == ("page 10", 1)
    assert found.unmodified == "page None"
    # The same is asked for, and tells something else now.
    answers.keep(hash("page"), "another page", "tag", "another", 10)
    assert asked(answers, "page?") is None


def test_no_question_leads_to_what_was_pushed_out() -> None:
    answers, many = KeptAnswers[str](), [f"other {number}" for number in range(MANY)]
    answers.remember("page?", kept_page(answers), 1)
    for key in (it for other in many for it in [other] * 2):
        keep(answers, key)
    assert asked(answers, "page?") is None


def test_what_is_asked_for_as_before_counts_as_asked_for() -> None:
    """Else who asks for one thing all the time would be as if nobody did."""
    answers = KeptAnswers[str]()
    answers.remember("page?", kept_page(answers), 1)
    seen = [0, 0]
    for number in range(3 * MANY):
        keep(answers, f"other {number}")
        if number > MANY:
            seen[answers.lead("page?") is not None and hash("page") in answers._seen] += 1
    assert seen == [0, 2 * MANY - 1]


def test_questions_take_of_the_room_that_there_is_for_answers() -> None:
    """Long ones too: who asks for one thing in many ways holds no more than who asks for many."""
    answers = KeptAnswers[str]()
    for number in range(500):
        page = kept_page(answers, f"page {number // 10}")
        question = (f"{number}" + "?" * 8_000, b"?" * 8_000, None)
        answers.remember(question, page, number)
    there = answers._kept.values()
    assert sum(it.octets for it in there) == answers._octets <= kept.OCTETS
    assert {it for page in there for it in page.questions} == answers._leads.keys()
    assert 0 < len(answers._leads) * 16_000 < kept.OCTETS


def test_what_is_asked_for_in_new_ways_pushes_out_what_was_kept_first() -> None:
    """As if something new were kept."""
    answers, number = KeptAnswers[str](), 0
    pages = [kept_page(answers, f"page {n}") for n in range(2 * kept.OCTETS // LARGEST)]
    while pages[0].mark in answers._kept:
        answers.remember((number, "?" * (LARGEST // 8)), pages[number % len(pages)], 1)
        number += 1
        assert answers._octets <= kept.OCTETS
    assert len(answers._kept) == len(pages) - 1


def test_what_is_asked_for_as_before_all_the_time_keeps_nothing_else_out() -> None:
    answers = KeptAnswers[str]()
    answers.remember("page?", kept_page(answers), 1)
    keep(answers, "other")
    for _ in range(2 * MANY):
        assert answers.lead("page?") is not None
    keep(answers, "other")
    assert kept_of(answers, "other") is not None


def test_what_has_too_many_questions_is_found_by_the_first_ones_of_them() -> None:
    answers = KeptAnswers[str]()
    page = kept_page(answers)
    for number in range(3_000):
        answers.remember(number, page, 1)
    assert page.octets <= LARGEST
    assert answers.lead(0) is not None
    assert answers.lead(2_999) is None


def test_a_question_that_is_answered_by_something_else_leads_there_alone() -> None:
    answers = KeptAnswers[str]()
    one, other = kept_page(answers, "one"), kept_page(answers, "other")
    taken = answers._octets
    for page in (one, other, one, other):
        answers.remember("question", page, 1)
    found = answers.lead("question")
    assert found is not None
    assert found.kept is other
    assert (one.questions, other.questions) == (set(), {"question"})
    assert answers._octets == taken + weight("question") + kept.LEAD == one.octets + other.octets


class Model:
    """As `KeptAnswers` says it, with 50 octets for a key and 100 for an answer beside its content."""

    def __init__(self) -> None:
        # By the key: what a whole answer takes, and what one takes that says that there is no new one.
        self.kept: dict[str, dict[bool, int]] = {}
        self._seen, self._earlier, self._passed = set[str](), set[str](), 0

    def see(self, key: str, octets: int) -> None:
        if key in self._seen:
            return
        self._seen.add(key)
        self._passed += octets
        if self._passed >= 500:
            self._seen, self._earlier, self._passed = set(), self._seen, 0

    def taken(self, key: str) -> int:
        return 50 + sum(self.kept[key].values())

    def keep(self, key: str, length: int | None) -> None:
        if key in self._seen | self._earlier:
            there = self.kept.get(key, {})
            both = {length is None: 100 + (length or 0)} | there
            if both != there and 50 + sum(both.values()) <= 400:
                self.kept.pop(key, None)
                self.kept[key] = both
        self.see(key, min(100 + 2 * (length or 0), 400))
        while sum(map(self.taken, self.kept)) > 1_000:
            del self.kept[next(iter(self.kept))]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.none() | st.integers(0, 400)), max_size=60))
def test_what_is_kept_has_room(asked: list[tuple[str, int | None]]) -> None:
    """As the sum of what each takes, the latest ones of what was asked for before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "OCTETS", 1_000)
        patch.setattr(kept, "LARGEST", 400)
        patch.setattr(kept, "APIECE", 100)
        patch.setattr(kept, "weight", lambda _key: 50)
        answers, model = KeptAnswers[str](), Model()
        for key, length in asked:
            keep(answers, key, length)
            model.keep(key, length)
            for it in "abcdef":
                assert (answers.get(hash(it), it) is not None) == (it in model.kept)
                # What is told from what is kept was asked for too.
                if it in model.kept:
                    model.see(it, model.taken(it))


def test_what_keys_take_has_room_too() -> None:
    """A page has a long one, and that there is no other one is kept by it as well."""
    answers = KeptAnswers[str]()
    keys = [(str(number), tuple(f"{number} {part}" * 10 for part in range(2_000))) for number in range(80)]
    for key in keys:
        for _ in range(2):
            answers.keep(hash(key), key, "tag", "unmodified", None)
    there = [key for key in keys if answers.get(hash(key), key)]
    assert kept.OCTETS * 0.8 < sum(map(weight, there)) < kept.OCTETS
    assert there == keys[-len(there) :]


def test_the_weight_of_a_key_is_that_of_all_in_it() -> None:
    values = ["x" * 100, "y" * 200, "é" * 300]
    assert weight(tuple(values)) == sys.getsizeof(tuple(values)) + sum(map(sys.getsizeof, values))
    assert weight((frozenset(values), (1, None))) > 900
