"""Requests are counted for each caller, and for all processes where Redis is there to do it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from app import rate_limits
from app.problems import Problem
from app.protocol.quotas import Standing
from app.rate_limits import RateLimits, Windows
from tests.commands import free_port
from tests.redis_server import redis_server

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def limited(limit: str, redis_url: str | None = None) -> AsyncIterator[RateLimits]:
    limits = RateLimits(limit, redis_url)
    try:
        yield limits
    finally:
        await limits.close()


@pytest.fixture(params=["memory", "redis"])
def redis_url(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    if request.param == "memory":
        yield None
    else:
        with redis_server(tmp_path) as url:
            yield url


async def test_what_is_left_is_counted_down_and_then_refused(redis_url: str | None) -> None:
    async with limited("2/minute", redis_url) as limits:
        standings = [await limits.take("a") for _ in range(2)]
        assert [(it.quota, it.window, it.remaining) for it in standings] == [(2, 60, 1), (2, 60, 0)]
        assert all(59 <= it.seconds <= 60 for it in standings)
        with pytest.raises(Problem, match="too-many-requests: There are 2 requests in 60") as caught:
            await limits.take("a")
        fields = dict(caught.value.headers)
        assert fields["RateLimit"].startswith('"default";r=0;t=')
        assert int(fields["Retry-After"]) >= int(fields["RateLimit"].rpartition("=")[2])
        assert (await limits.take("b")).remaining == 1


async def test_after_the_time_that_was_told_there_is_everything_again(redis_url: str | None) -> None:
    async with limited("1/second", redis_url) as limits:
        await limits.take("a")
        with pytest.raises(Problem) as caught:
            await limits.take("a")
        await asyncio.sleep(int(dict(caught.value.headers)["Retry-After"]))
        assert (await limits.take("a")).remaining == 0


async def test_who_goes_on_sending_waits_no_longer_than_others(redis_url: str | None) -> None:
    async with limited("1/second", redis_url) as limits:
        await limits.take("a")
        for _ in range(5):
            await asyncio.sleep(0.25)
            try:
                await limits.take("a")
            except Problem:
                continue
            return
        raise AssertionError("the window does not end")


async def test_of_many_at_once_as_many_pass_as_may(redis_url: str | None) -> None:
    async with limited("20/minute", redis_url) as limits:
        taken = await asyncio.gather(*(limits.take("a") for _ in range(50)), return_exceptions=True)
    passed = [it for it in taken if isinstance(it, Standing)]
    assert sorted(it.remaining for it in passed) == list(range(20))


async def test_processes_count_together_in_redis(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url:
        async with limited("2/minute", url) as one, limited("2/minute", url) as other:
            assert (await one.take("a")).remaining == 1
            assert (await other.take("a")).remaining == 0
            with pytest.raises(Problem):
                await one.take("a")


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Where everything is taken and nothing answered."""
    ends = asyncio.Event()

    async def wait(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ends.wait()
        writer.close()

    async with await asyncio.start_server(wait, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        ends.set()


@pytest.mark.parametrize("away", ["nobody there", "silent"])
async def test_while_redis_is_away_a_process_counts_by_itself_and_says_so_once(
    away: str, silent_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    port = silent_port if away == "silent" else free_port()
    async with limited("3/minute", f"redis://127.0.0.1:{port}") as limits:
        started = asyncio.get_running_loop().time()
        with caplog.at_level(logging.WARNING):
            assert [(await limits.take("a")).remaining for _ in range(3)] == [2, 1, 0]
            with pytest.raises(Problem, match="too-many-requests"):
                await limits.take("a")
        assert asyncio.get_running_loop().time() - started < 2 * rate_limits.WAIT_SECONDS
    assert len([it for it in caplog.messages if "Redis cannot be reached" in it]) == 1


async def test_that_redis_is_away_is_told_once_in_a_while_however_often_it_is_asked(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rate_limits, "PAUSE_SECONDS", 0)
    async with limited("3/minute", f"redis://127.0.0.1:{free_port()}") as limits:
        for _ in range(3):
            await limits.take("a")
        assert len([it for it in caplog.messages if "Redis cannot be reached" in it]) == 1
        monkeypatch.setattr(limits, "_told_again_at", 0)
        with pytest.raises(Problem):
            await limits.take("a")
        assert len([it for it in caplog.messages if "Redis cannot be reached" in it]) == 2


async def test_redis_is_asked_again_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "PAUSE_SECONDS", 0.1)
    port = free_port()
    async with limited("10/minute", f"redis://127.0.0.1:{port}") as limits:
        assert (await limits.take("a")).remaining == 9
        assert (await limits.take("a")).remaining == 8
        with redis_server(tmp_path, port) as url:
            await asyncio.sleep(0.1)
            assert (await limits.take("a")).remaining == 9
            async with limited("10/minute", url) as other:
                assert (await other.take("a")).remaining == 8
        assert (await limits.take("a")).remaining == 7


class Clock:
    """In the place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return 1_700_000_000 + self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    return clock


@pytest.mark.parametrize(("left", "told"), [(0.0, 1), (0.2, 1), (59.2, 60), (60.0, 60), (60.2, 60)])
async def test_who_is_told_when_to_come_back_comes_when_the_window_is_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, left: float, told: int
) -> None:
    """In whole seconds, of which there is always one, and never more than the window has."""
    monkeypatch.setattr(Windows, "count", lambda *_: (2, clock.time() + left))
    async with limited("1/minute") as limits:
        with pytest.raises(Problem) as caught:
            await limits.take("a")
    assert caught.value.headers[0] == ("Retry-After", str(told))


async def taken(limits: RateLimits, callers: int) -> int:
    """How many lines and calls of Python one more request takes when so many have come."""
    for number in range(callers):
        await limits.take(f"caller {number}")
    steps = 0

    def count(_frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal steps
        steps += 1
        return count

    traced = sys.gettrace()
    sys.settrace(count)
    try:
        await limits.take("one more")
        # What it leaves to be done later is its own, too.
        for _ in range(5):
            await asyncio.sleep(0)
    finally:
        sys.settrace(traced)
    return steps


async def test_rl_05_a_request_costs_the_same_however_many_callers_there_are() -> None:
    """RL-05: who floods from many addresses must not make the requests of others dear."""
    async with limited("5/hour") as few, limited("5/hour") as many:
        assert await taken(many, 2_000) < 2 * await taken(few, 1)


async def test_what_is_kept_is_of_those_who_have_a_window_and_each_request_drops_a_little(
    clock: Clock,
) -> None:
    windows = Windows(60)
    for second in range(100):
        clock.now += 1
        for caller in range(50):
            windows.count(f"{second} {caller}")
        assert len(windows) <= 60 * 50
    clock.now += 60
    for number in range(1, 100):
        windows.count(f"later {number}")
        assert len(windows) == 60 * 50 - number
    for _ in range(1_450):
        windows.count("later 1")
    assert len(windows) == 99


async def test_a_window_begins_with_the_first_request_of_a_caller_and_ends_after_its_time(
    clock: Clock,
) -> None:
    windows = Windows(60)
    began = clock.time()
    assert windows.count("a") == (1, began + 60)
    clock.now += 59
    assert windows.count("b") == (1, began + 119)
    assert windows.count("a") == (2, began + 60)
    clock.now += 1
    assert windows.count("a") == (1, began + 120)
    assert windows.count("b") == (2, began + 119)


async def test_a_window_that_is_over_counts_no_more_though_others_are_dropped_first(clock: Clock) -> None:
    windows = Windows(60)
    for number in range(10):
        windows.count(f"caller {number}")
    clock.now += 60
    assert windows.count("caller 9")[0] == 1
    assert windows.count("caller 9")[0] == 2
    assert [windows.count(f"caller {number}")[0] for number in range(9)] == [1] * 9
    assert len(windows) == 10


async def test_a_window_that_is_begun_again_keeps_no_other_from_being_dropped(clock: Clock) -> None:
    windows = Windows(60)
    for caller in "abcd":
        windows.count(caller)
    clock.now += 60
    windows.count("c")
    windows.count("e")
    assert len(windows) == 2
