"""Wishes: how a client wants to be answered."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from app.protocol.conditions import Conditions
from app.protocol.preferences import Preferences


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """What the fields of a request and the resource decide, whatever there is: as a `page`; in the `form`,
    one of `forms`, None where there is nothing to represent or none of them is acceptable; in the `coding`,
    None for none; with the preferences. `varies` are the fields that decided about it. HEAD is a GET here.

    One for all requests that are to be answered alike, for answers are remembered by it.
    """

    method: str
    page: bool
    form: str | None
    forms: Sequence[str]
    acceptable: bool
    coding: str | None
    preferences: Preferences
    varies: str


@dataclass(eq=False, slots=True)
class Wish:
    """`asked` is the address that the request was sent to, without its query.

    `question` is all that a read asks for, and who asks, but for the conditions; `moment` is when it was
    asked, where that matters (`Database.moment`).
    """

    asked: str
    choice: Choice
    conditions: Conditions
    question: Hashable | None = None
    moment: Hashable | None = None
