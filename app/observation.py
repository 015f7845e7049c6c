"""Observation: one line in the log for each request, and what is counted of them."""

from __future__ import annotations

import hashlib
import logging
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from app.answers import Answer
from app.logs import REQUESTS
from app.problems import Problem
from app.request import Request
from app.storage.database import Database
from app.storage.failures import QUIET_SECONDS, kind

if TYPE_CHECKING:  # imported where something is counted at all
    from app.metrics import Metrics

LOG = logging.getLogger("app.pipeline")
ORGANIZATION = "/api/organizations/{id}"


class Observation:
    """Neither a token nor a name nor a query stands in a line: those are nobody's business (RFC 6750
    section 5.3)."""

    def __init__(self, database: Database, metrics: Metrics | None) -> None:
        self._database = database
        self._metrics = metrics
        # By the cause: until when nothing is said of it.
        self._quiet: dict[str, float] = {}

    def answered(
        self, request: Request, method: str, answer: Answer, problem: Problem | None, seconds: float
    ) -> None:
        """`method` is one of the known ones, or another word for all others."""
        line: dict[str, object] = {"request_id": request.id}
        if trace := request.trace:
            line["trace_id"] = trace
        line["method"] = method
        if request.route is not None:
            line["route"] = request.route
        line["status"] = answer.status
        line["ms"] = int(seconds * 10_000) / 10
        line["bytes"] = 0 if answer.content is None or request.is_head else len(answer.content)
        if request.caller.partner_id is not None:
            line["caller"] = _hash(request.caller.partner_id)
        if organization := _organization(request):
            line["organization"] = organization
        if problem is not None:
            line["problem"] = problem.type
        REQUESTS.info("request", **line)
        if self._metrics is not None:
            self._metrics.count(method, request.route, answer.status, seconds)

    def running(self, requests: int) -> None:
        """How many requests are being answered."""
        if self._metrics is not None:
            self._metrics.running(requests, self._database.connections)

    def refused(self, request: Request, problem: Problem) -> None:
        """What is wrong with a token stands here alone (STANDARDS AU-21); words in it may be the client's.
        So does why the service could not do what was asked."""
        if problem.type == "not-authenticated" and problem.__cause__ is not None:
            cause = str(problem.__cause__).encode("unicode_escape").decode()
            LOG.info("%s refused the token: %.200s", request.id, cause)
        elif problem.type == "unavailable":
            cause = problem.detail if problem.__cause__ is None else kind(problem.__cause__)
            now = time.monotonic()
            if now >= self._quiet.get(cause, now):
                self._quiet[cause] = now + QUIET_SECONDS
                LOG.warning("%s could not be answered: %s", request.id, cause)

    def failed(self, request: Request, error: Exception) -> None:
        LOG.error("%s failed", request.id, exc_info=error)


@lru_cache(maxsize=4_096)
def _hash(partner_id: str) -> str:
    """Tells callers apart, and nobody who they are."""
    return hashlib.blake2b(partner_id.encode(), digest_size=8).hexdigest()


def _organization(request: Request) -> str | None:
    """The organization in the path, where there is one that can be an id."""
    found = request.scope.get("path_params")
    if not found:
        return None
    identifier = found.get("organization_id") or (found.get("id") if request.route == ORGANIZATION else None)
    return identifier if identifier and len(identifier) == 36 and request.can_be() else None
