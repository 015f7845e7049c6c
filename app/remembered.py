"""What is remembered: a bounded number of things that could be made again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(dict[Key, Value]):
    """At most so many; what was kept first makes room. It is looked up as in any dictionary: an order of use
    would have to be kept at each look, which takes ten times as long."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, key: Key, value: Value) -> None:
        if len(self) >= self._most and key not in self:
            del self[next(iter(self))]
        self[key] = value
