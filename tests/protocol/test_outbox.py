"""Answers that leave together leave in their order, soon, and whatever becomes of the others."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.lingering import LONG, Lingering
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


class Transport:
    """One that is closed by others."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closing = False

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
        return 0

    def close(self) -> None:
        self.closing = True


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
