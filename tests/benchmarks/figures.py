"""Arithmetic of what was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What a client did to a server in one round.

    `sent` are all requests that the server had to answer; `milliseconds` are of its processors, `seconds` of
    the clock. `p50` and `p99` are milliseconds of waiting.
    """

    sent: int
    milliseconds: float
    seconds: float
    p50: float
    p99: float

    @property
    def each(self) -> float:
        """Milliseconds of a processor for one request."""
        return self.milliseconds / self.sent

    @property
    def rate(self) -> float:
        return self.sent / self.seconds


@dataclass(frozen=True)
class Spread:
    least: float
    median: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(min(values), statistics.median(values), max(values))


def ratios(of: Sequence[Load], to: Sequence[Load]) -> Spread:
    """Of loads of the same round, so that what disturbed the one has disturbed the other."""
    return spread([one.each / other.each for one, other in zip(of, to, strict=True)])


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that is not exceeded by `share` of all: one that was measured, never one between."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def median_load(loads: Sequence[Load]) -> Load:
    """Each figure's median on its own."""
    names = ("sent", "milliseconds", "seconds", "p50", "p99")
    medians = {name: statistics.median(getattr(load, name) for load in loads) for name in names}
    return Load(int(medians["sent"]), *(medians[name] for name in names[1:]))
