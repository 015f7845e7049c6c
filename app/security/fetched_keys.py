"""The keys of an issuer whose JWK set has an address: fetched beside the requests, and kept."""

from __future__ import annotations

import logging
from asyncio import Task, create_task, gather, shield, sleep, timeout
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from math import ceil, inf
from time import monotonic

import httpx

from app.problems import Problem
from app.security.keys import Key, read_keys

LOG = logging.getLogger(__name__)
# A removed key is known for this long at most, as long as the issuer can be reached.
REFRESH_SECONDS = 10 * 60
# Whatever tokens say, an issuer is not asked more often.
PAUSE_SECONDS = 30
# An issuer that is away may be for a day; then nobody knows any more which of its keys are good.
MAX_AGE_SECONDS = 24 * 60 * 60
TIMEOUT_SECONDS = 5
MAX_LENGTH = 256 * 1_024
# As it comes over the wire, so that nothing small can become large.
FIELDS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


def key_client() -> httpx.AsyncClient:
    """Neither by a proxy of the environment nor after a redirect: from the configured address alone."""
    return httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False)


async def fetch(
    client: httpx.AsyncClient, address: str, heard: Callable[[httpx.Headers], object] = lambda _: None
) -> bytes:
    """The document at an address; `heard` is told the fields of whatever answers there.

    It has to come within a time of its own, for that of the client begins anew with every octet. Raises
    `httpx.HTTPError`, `httpx.InvalidURL`, `OSError` or `ValueError`.
    """
    async with timeout(TIMEOUT_SECONDS), client.stream("GET", address, headers=FIELDS) as answer:
        heard(answer.headers)
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"the status is {answer.status_code}")
        content = bytearray()
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > MAX_LENGTH:
                raise ValueError(f"there are more than {MAX_LENGTH} octets")
    return bytes(content)


class FetchedKeys:
    """One fetch serves all requests that wait for it; while it fails, the known keys go on working."""

    _client: httpx.AsyncClient

    def __init__(self, address: str, algorithms: Collection[str]) -> None:
        self._address = address
        self._algorithms = algorithms
        self._keys: Sequence[Key] = ()
        self._fetched_at = self._asked_at = -inf
        self._fetching: Task[None] | None = None

    @asynccontextmanager
    async def tended(self) -> AsyncIterator[None]:
        """The keys are fetched now and again and again, until the end; what is under way then is given up."""
        async with key_client() as client:
            self._client = client
            tending = create_task(self._tend())
            try:
                yield
            finally:
                tasks = [task for task in (tending, self._fetching) if task is not None]
                for task in tasks:
                    task.cancel()
                await gather(*tasks, return_exceptions=True)

    def known(self) -> Sequence[Key]:
        return self._keys if monotonic() - self._fetched_at <= MAX_AGE_SECONDS else ()

    async def renewed(self) -> Sequence[Key]:
        """What is known after a fetch, where one may be made now.

        Raises `unavailable` where no set is known: a token may be good then, and a 401 would make its client
        throw it away.
        """
        fetching = self._begin_fetch()
        if fetching is not None:
            await shield(fetching)  # a request that is given up does not take the fetch away from others
        if monotonic() - self._fetched_at > MAX_AGE_SECONDS:
            wait = max(1, ceil(self._asked_at + PAUSE_SECONDS - monotonic()))
            raise Problem(
                "unavailable",
                "The keys of the token's issuer cannot be fetched at the moment; try again.",
                headers=(("Retry-After", str(wait)),),
            )
        return self._keys

    async def _tend(self) -> None:
        while True:
            self._begin_fetch()
            await sleep(REFRESH_SECONDS)

    def _begin_fetch(self) -> Task[None] | None:
        """The fetch under way, or a new one; None in the pause after it."""
        if self._fetching is not None and not self._fetching.done():
            return self._fetching
        if monotonic() - self._asked_at < PAUSE_SECONDS:
            return None
        self._asked_at = monotonic()
        self._fetching = create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            content = await fetch(self._client, self._address)
            self._keys = read_keys(content, self._algorithms)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            LOG.warning(
                "The keys at %s cannot be fetched; those known go on working: %r", self._address, error
            )
        else:
            self._fetched_at = monotonic()
