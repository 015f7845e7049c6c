"""Replays: a request that is sent again with its Idempotency-Key is carried out once and answered alike."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from app.answers import Answer
from app.problems import Problem
from app.storage.acts import now
from app.storage.database import Database, Session
from app.storage.remembered_answers import Place, RememberedAnswer, claim, recall, remember

REPLAYED = ("Idempotency-Replayed", "true")


class Replays:
    """What was answered is remembered with the change itself, or neither is: who failed may try again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: set[Place] = set()

    async def answered(
        self, place: Place, fingerprint: str, make: Callable[[Session], Awaitable[Answer]]
    ) -> Answer:
        """What `make` answers in a transaction of its own, or what it has answered before.

        Raises `conflict` while it is being answered, and `invalid-content` for another request.
        """
        with self._alone(place):
            async with self._database.transaction() as session:
                if not await claim(session, place):
                    raise _running()
                found = await recall(session, place, now())
                if found is not None:
                    return _again(found, fingerprint)
                # Locks of organizations that turn out to be the wrong ones are given back, but not the claim.
                await session.begin_locking()
                answer = await make(session)
                kept = RememberedAnswer(fingerprint, answer.status, tuple(answer.fields), answer.content)
                await remember(session, place, kept, now())
                return answer

    @contextmanager
    def _alone(self, place: Place) -> Iterator[None]:
        """In this process nobody queues for a transaction only to be told that it is done."""
        if place in self._running:
            raise _running()
        self._running.add(place)
        try:
            yield
        finally:
            self._running.remove(place)


def fingerprint(*parts: bytes) -> str:
    """By which a request is known again; where one part ends and the next begins counts too."""
    digest = hashlib.blake2b(digest_size=32)
    for part in parts:
        digest.update(len(part).to_bytes(8) + part)
    return digest.hexdigest()


def _again(found: RememberedAnswer, asked: str) -> Answer:
    if found.fingerprint != asked:
        raise Problem(
            "invalid-content",
            "This Idempotency-Key was used for another request; "
            "send that request as it was, or this one with a new key.",
        )
    return Answer(found.status, (*found.fields, REPLAYED), found.content)


def _running() -> Problem:
    return Problem(
        "conflict",
        "A request with this Idempotency-Key is being answered; send it again in a moment.",
        headers=[("Retry-After", "1")],
    )
