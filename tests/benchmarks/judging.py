"""What each server is asked for a case, and whether it answers what it has to."""

from __future__ import annotations

import orjson

from tests.benchmarks.calls import Call
from tests.benchmarks.processes import Answer


def target_at(at: str, name: str, call: Call) -> str:
    if at == "fixed":
        return f"/{name}"
    return call.bare or call.target if at == "bare" else call.target


def status_at(at: str, call: Call) -> int:
    """The bare yardstick knows no conditions: it sends the item whose tag has not changed."""
    return 200 if at == "bare" and call.status == 304 else call.status


def fault(call: Call, answer: Answer, at: str) -> str | None:
    """What is wrong with an answer of the service or of the bare yardstick, if anything is."""
    if answer.status != status_at(at, call):
        return f"it answered {answer.status}: {answer.content[:300]!r}"
    if at == "service" and answer.status < 300 and not answer.media_type.startswith(call.accept):
        return f"it answered in {answer.media_type}"
    missing = [text for text in call.shows if text.encode() not in answer.content]
    if missing:
        return f"its answer does not show {missing[0]}"
    if call.members is not None and len(orjson.loads(answer.content)["member"]) != call.members:
        return f"its answer has not {call.members} members"
    return None


def unlike(answer: Answer, like: Answer | None) -> str | None:
    """The fixed yardstick answers as long as the service."""
    if like is None or (answer.status, len(answer.content)) == (like.status, len(like.content)):
        return None
    return f"it answered {answer.status} and {len(answer.content)} octets"
