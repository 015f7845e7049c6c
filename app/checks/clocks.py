"""Clocks: tokens are good for a time, which is told by the clock of this machine."""

from __future__ import annotations

from datetime import datetime

from app.checks.check import Check, failed, ok, warning
from app.security.tokens import LEEWAY_SECONDS

# An HTTP date has whole seconds, and an answer is under way for a while.
UNNOTICED_SECONDS = 5
MEND = "Let this machine keep its time by NTP: `timedatectl set-ntp true`."


def compared(name: str, theirs: datetime, ours: datetime, whose: str) -> Check:
    """How far the clock of this machine is from another one."""
    ahead = (ours - theirs).total_seconds()
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} {whose}"
    if abs(ahead) <= UNNOTICED_SECONDS:
        return ok(name, f"within {UNNOTICED_SECONDS} s of {whose}")
    if abs(ahead) <= LEEWAY_SECONDS:
        return warning(name, found, MEND)
    return failed(name, f"{found}: tokens count as too old, or as made in the future.", MEND)
