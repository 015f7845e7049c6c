"""Answers that leave together leave in their order, soon, and whatever becomes of the others."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.lingering import LINGER_SECONDS, LONG, STALLED_SECONDS, Lingering
from app.protocol.outbox import TOGETHER, Outbox, Parts

pytestmark = pytest.mark.anyio


class Client:
    """What was sent to it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def send(self, parts: Parts) -> None:
        self.heard.append(b"".join(map(bytes, parts)))


@given(
    st.lists(st.tuples(st.sampled_from(["more", "last", "turn", "empty"]), st.integers(0, 2)), max_size=60)
)
def test_each_client_hears_its_answers_in_their_order_and_in_the_next_turn_at_the_latest(
    acts: list[tuple[str, int]],
) -> None:
    async def tried() -> None:
        loop, outbox, clients, numbers = (
            asyncio.get_running_loop(),
            Outbox(),
            [Client() for _ in "abc"],
            count(),
        )
        told: list[list[bytes]] = [[] for _ in clients]
        for act, which in acts:
            if act in ("more", "last"):
                answer = b"%d" % next(numbers)
                told[which].append(answer)
                outbox.put(clients[which], [answer[:1], answer[1:]], loop, more=act == "more")
            elif act == "turn":
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            else:
                outbox.empty()
            waiting = sum(map(len, told)) - sum(len(it.heard) for it in clients)
            assert 0 <= waiting < TOGETHER
            assert act == "more" or waiting == 0
            for client, answers in zip(clients, told, strict=True):
                assert client.heard == answers[: len(client.heard)]

    asyncio.run(tried())


async def test_so_many_answers_leave_together_and_no_more_wait_for_each_other() -> None:
    loop, outbox, client = asyncio.get_running_loop(), Outbox(), Client()
    for number in range(1, 3 * TOGETHER):
        outbox.put(client, [b"%d" % number], loop, more=True)
        assert len(client.heard) == number // TOGETHER * TOGETHER


class Transport:
    """One that is closed by others."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closing = False
        self.left = 0

    def is_closing(self) -> bool:
        return self.closing

    def writelines(self, parts: Parts) -> None:
        assert not self.closing
        self.heard.append(b"".join(map(bytes, parts)).decode())

    def write(self, part: bytes) -> None:
        self.heard.append(part.decode())

    def write_eof(self) -> None:
        self.heard.append("end")

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return self.left

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.heard.append("abort")


async def test_whoever_has_gone_is_sent_nothing_and_all_others_their_answers() -> None:
    loop, outbox, transports = asyncio.get_running_loop(), Outbox(), [Transport() for _ in range(4)]
    connections = [Lingering(cast("asyncio.Transport", it), loop, outbox) for it in transports]
    for number, connection in enumerate(connections):
        connection.answer([b"answer ", b"%d" % number], more=True)
    connections[0].lose()
    transports[1].closing = True
    assert [it.heard for it in transports] == [[]] * 4
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [it.heard for it in transports] == [[], [], ["answer 2"], ["answer 3"]]


@pytest.mark.parametrize("end", ["close", "close_at_once"])
async def test_what_waits_is_sent_before_a_connection_ends(end: str) -> None:
    loop, outbox, transports = asyncio.get_running_loop(), Outbox(), [Transport() for _ in range(2)]
    one, other = (Lingering(cast("asyncio.Transport", it), loop, outbox) for it in transports)
    for connection in (one, other):
        connection.answer([b"answer"], more=True)
    getattr(one, end)()
    assert transports[1].heard == ["answer"]
    assert transports[0].heard == (["answer", "end"] if end == "close" else ["answer"])
    one.look_away()


async def test_behind_the_end_of_a_connection_nothing_is_sent_to_it_and_all_others_their_answers() -> None:
    loop, outbox, transports = asyncio.get_running_loop(), Outbox(), [Transport() for _ in range(2)]
    one, other = (Lingering(cast("asyncio.Transport", it), loop, outbox) for it in transports)
    one.close()
    for connection in (one, other):
        connection.answer([b"answer"], more=True)
    outbox.empty()
    assert [it.heard for it in transports] == [["end"], ["answer"]]
    one.look_away()


async def test_what_is_long_is_sent_whole_behind_its_head() -> None:
    loop, outbox, transport = asyncio.get_running_loop(), Outbox(), Transport()
    connection = Lingering(cast("asyncio.Transport", transport), loop, outbox)
    connection.answer([b"head", b"x" * LONG], more=True)
    connection.answer([b"next head", b"y"], more=False)
    assert transport.heard == ["head", "x" * LONG, "next heady"]


async def test_what_is_written_by_others_comes_behind_what_waits() -> None:
    loop, outbox, transport = asyncio.get_running_loop(), Outbox(), Transport()
    connection = Lingering(cast("asyncio.Transport", transport), loop, outbox)
    connection.answer([b"answer"], more=True)
    connection.write(b"more")
    assert transport.heard == ["answer", "more"]


@pytest.mark.parametrize("left", [0, 1])
async def test_at_the_end_who_still_has_to_take_something_is_given_longer_to_do_so(left: int) -> None:
    loop, transport = asyncio.get_running_loop(), Transport()
    connection = Lingering(cast("asyncio.Transport", transport), loop, Outbox())
    transport.left = left
    begun = loop.time()
    connection.close()
    assert connection._timer is not None
    seconds = STALLED_SECONDS if left else LINGER_SECONDS
    assert begun + seconds <= connection._timer.when() <= loop.time() + seconds
    connection.look_away()


@pytest.mark.parametrize(("left", "let_go"), [(5, True), (4, False), (0, True)])
async def test_at_the_end_who_takes_some_has_more_time_and_who_takes_nothing_or_has_all_is_let_go(
    left: int, let_go: bool
) -> None:
    transport = Transport()
    connection = Lingering(cast("asyncio.Transport", transport), asyncio.get_running_loop(), Outbox())
    transport.left = 5
    connection.close()
    connection.look_away()
    transport.left = left
    connection._look(5)
    assert (transport.heard, connection._timer is None) == (["end", "abort"] if let_go else ["end"], let_go)
    connection.look_away()


async def test_a_connection_is_watched_by_one_timer_and_by_none_once_its_client_has_gone() -> None:
    transport = Transport()
    connection = Lingering(cast("asyncio.Transport", transport), asyncio.get_running_loop(), Outbox())
    connection.watch()
    first = connection._timer
    connection.close()
    second = connection._timer
    connection.lose()
    assert first is not None
    assert second is not None
    assert first.when() - second.when() > (STALLED_SECONDS - LINGER_SECONDS) / 2
    assert (first.cancelled(), second.cancelled(), connection._timer) == (True, True, None)
