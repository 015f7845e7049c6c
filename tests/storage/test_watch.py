"""What takes too long is ended as by `asyncio.timeout`, and nothing else is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

import pytest

from app.storage.watch import Watch

pytestmark = pytest.mark.anyio
SECONDS = 0.05
Done = TypeVar("Done")


async def said_after(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


async def over(watch: Watch, act: Awaitable[Done]) -> Done:
    with watch:
        return await act


async def test_what_is_in_time_is_let_be_and_what_takes_too_long_is_ended() -> None:
    watch, begun = Watch(SECONDS), time.monotonic()
    outcomes = await asyncio.gather(
        *(over(watch, said_after(seconds)) for seconds in (0, SECONDS / 5, 30, 60)), return_exceptions=True
    )
    assert outcomes[:2] == ["done", "done"]
    assert [type(outcome) for outcome in outcomes[2:]] == [TimeoutError, TimeoutError]
    assert SECONDS <= time.monotonic() - begun < 5
    # Whoever was ended can go on, and is not ended again.
    assert await over(watch, said_after(0)) == "done"


async def test_one_after_the_other_each_has_its_own_time() -> None:
    watch = Watch(SECONDS)
    for _ in range(4):
        assert await over(watch, said_after(SECONDS / 2)) == "done"
    await asyncio.sleep(2 * SECONDS)
    with pytest.raises(TimeoutError):
        await over(watch, said_after(30))


@pytest.mark.parametrize(("taken", "ended"), [(9, False), (10.5, True)])
async def test_who_looks_ends_what_has_taken_a_little_too_long_and_nothing_sooner(
    taken: float, ended: bool
) -> None:
    watch = Watch(10)
    waiting = asyncio.create_task(over(watch, said_after(30)))
    await asyncio.sleep(0)
    since, before = watch._since[waiting]
    watch._since[waiting] = since - taken, before
    watch._look(10)
    assert waiting.cancelling() == ended
    waiting.cancel()
    await asyncio.wait([waiting])


async def test_who_is_cancelled_by_others_is_cancelled_also_at_the_same_moment() -> None:
    watch = Watch(SECONDS)
    for late in (False, True):
        waiting = asyncio.create_task(over(watch, said_after(30)))
        await asyncio.sleep(0)
        if late:
            # It is told to end by the watch, and by somebody else before it has heard of it.
            since, before = watch._since[waiting]
            watch._since[waiting] = since - 2 * SECONDS, before
            watch._look(SECONDS)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert waiting.cancelled()


async def test_who_was_cancelled_before_is_ended_as_by_a_timeout_of_its_own() -> None:
    """As what is done at last by a task that is cancelled."""
    watch = Watch(SECONDS)

    async def cleaning() -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            with pytest.raises(TimeoutError):
                await over(watch, said_after(30))
            return "cleaned"
        return "never"

    task = asyncio.create_task(cleaning())
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "cleaned"


async def test_what_fails_when_it_is_told_to_end_leaves_nobody_cancelled() -> None:
    watch = Watch(SECONDS)

    async def failing() -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            raise LookupError from None

    async def several() -> int:
        with pytest.raises(LookupError):
            await over(watch, failing())
        with pytest.raises(TimeoutError):
            await over(watch, said_after(30))
        task = asyncio.current_task()
        return task.cancelling() if task else -1

    assert await asyncio.create_task(several()) == 0


async def test_who_was_told_to_end_may_take_a_while_for_it_and_is_not_told_again() -> None:
    watch, told = Watch(SECONDS), list[str]()

    async def leaving() -> None:
        try:
            await asyncio.sleep(30)
        finally:
            told.append(await said_after(2 * SECONDS))

    with pytest.raises(TimeoutError):
        await asyncio.create_task(over(watch, leaving()))
    assert told == ["done"]


async def test_what_is_not_in_a_hurry_takes_what_it_takes() -> None:
    assert await over(Watch(None), said_after(SECONDS)) == "done"


async def test_for_all_that_is_going_on_one_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, looking, look_later = Watch(SECONDS), list[float](), Watch._look_later

    def noted(watch: Watch, seconds: float) -> None:
        looking.append(seconds)
        look_later(watch, seconds)

    monkeypatch.setattr(Watch, "_look_later", noted)
    await asyncio.gather(*(over(watch, said_after(0)) for _ in range(5)))
    assert looking == [SECONDS]


async def test_nobody_looks_where_nothing_is_going_on() -> None:
    watch = Watch(SECONDS)
    await over(watch, said_after(0))
    await asyncio.sleep(2 * SECONDS)
    assert not watch._looking
    assert not watch._since
