"""Sections of `make soak` about time: what the conformance list says of it, measured from outside."""

from __future__ import annotations

import asyncio
import gzip
import statistics
import time
from collections import Counter
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from app.storage.acts import new_id
from tests.commands import started
from tests.hostile.linked_data import documents
from tests.load import busy, forget_peak, memory, token, until

if TYPE_CHECKING:  # which has these as its sections
    from tests.soak import Run


def client_of(run: Run, base: str, subject: str = "owner") -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token(run.folder, subject)}"}
    return httpx.AsyncClient(base_url=base, headers=headers, trust_env=False, timeout=60)


async def timed(
    client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None
) -> tuple[httpx.Response, float]:
    """The answer, and how many milliseconds it took."""
    begun = time.perf_counter()
    answer = await client.get(path, headers=headers)
    return answer, (time.perf_counter() - begun) * 1_000


def p99(milliseconds: list[float]) -> float:
    return statistics.quantiles(milliseconds, n=100)[98]


def digits(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "abcdefghij"))


async def made(client: httpx.AsyncClient, name: str) -> str:
    answer = await client.post("/api/organizations", json={"name": name})
    assert answer.status_code == 201, answer.text
    return httpx.URL(answer.headers["Location"]).path


async def starts(run: Run) -> None:
    """LC-07: from the command to the first answer of `/readyz`."""
    seconds = []
    for _ in range(5):
        begun = time.monotonic()
        with started(run.folder):
            seconds.append(time.monotonic() - begun)
    run.tell(
        "starts",
        f"{len(seconds)} starts: {min(seconds):.1f} to {max(seconds):.1f} s until it is ready",
        it_starts_within_5_s=max(seconds) < 5,
    )


async def fields(run: Run) -> None:
    """CN-14, AU-16: header fields that are as long as they may be."""
    long = {
        "Accept": ", ".join(f"a{n}/b;q=0.{n % 9 + 1}" for n in range(2_000)),
        "If-None-Match": ", ".join(f'"{n:016x}"' for n in range(1_500)),
        "Prefer": ", ".join(f"a{n}=b" for n in range(3_000)),
        "Authorization": "Bearer " + "x" * 30_000,
    }
    figures, slowest = [], 0.0
    with run.serving() as (server, *_):
        async with client_of(run, server.base) as client:
            path = await made(client, "fields")
            for name, value in long.items():
                spent = [(await timed(client, path, headers={name: value}))[1] for _ in range(30)]
                figures.append(f"{name} of {len(value) // 1_024} KiB {statistics.median(spent):.1f} ms")
                slowest = max(slowest, statistics.median(spent))
    run.tell("fields", ", ".join(figures), none_takes_50_ms=slowest < 50)


async def strangers(run: Run) -> None:
    """TN-04, TN-10: what is somebody else's takes as long as what is not there, and looks like it."""
    foreign, absent, bodies = list[float](), list[float](), Counter[str]()
    with run.serving() as (server, *_):
        async with client_of(run, server.base) as owner, client_of(run, server.base, "stranger") as stranger:
            path = await made(owner, "strangers")
            for _ in range(400):
                nowhere = f"/api/organizations/{new_id()}"
                foreign.append((await timed(stranger, path))[1])
                absent.append((await timed(stranger, nowhere))[1])
            near = UUID(path.rpartition("/")[2]).int
            for _ in range(10_000):
                # The same millisecond and version, other random bits.
                other = UUID(int=near ^ run.dice.randrange(1, 1 << 60))
                answer = await stranger.get(f"/api/organizations/{other}")
                body = {k: v for k, v in answer.json().items() if k not in ("instance", "@id")}
                bodies[f"{answer.status_code} {body}"] += 1
    medians = statistics.median(foreign), statistics.median(absent)
    run.tell(
        "strangers",
        f"400 pairs: foreign {medians[0]:.2f} ms, absent {medians[1]:.2f} ms in the median; "
        f"10000 ids beside a real one: {len(bodies)} kind of answer",
        they_take_alike_long=abs(medians[0] - medians[1]) < 0.15 * max(medians),
        they_look_alike=len(bodies) == 1 and all(body.startswith("404") for body in bodies),
    )


async def revalidation(run: Run) -> None:
    """CA-06, CN-23: what is there already is not sent again, and the rest is sent short."""
    with run.serving() as (server, *_):
        async with client_of(run, server.base) as client:
            paths = [await made(client, f"kept {n}") for n in range(200)]
            tags, sent, again = {}, 0, 0
            for path in paths:
                answer = await client.get(path)
                tags[path], sent = answer.headers["ETag"], sent + int(answer.headers["Content-Length"])
            for path in paths * 5:
                answer = await client.get(path, headers={"If-None-Match": tags[path]})
                again += len(answer.content) if answer.status_code == 304 else 10**9
            page = "/api/organizations?itemsPerPage=100"
            plain = (await client.get(page, headers={"Accept-Encoding": "identity"})).content
            lengths = {
                coding: int(
                    (await client.get(page, headers={"Accept-Encoding": coding})).headers["Content-Length"]
                )
                for coding in ("gzip", "zstd")
            }
    run.tell(
        "kept",
        f"1000 revalidations of 200 items of {sent} octets: {again} octets of content; a page of "
        f"{len(plain)} octets: gzip {lengths['gzip']} (level 9: {len(gzip.compress(plain))}), "
        f"zstd {lengths['zstd']}",
        nothing_is_sent_again=again == 0,
        coded_is_shorter=max(lengths.values()) < len(plain) / 4,
    )


async def crawls(run: Run) -> None:
    """PG-02: each that is there throughout is met once, whatever is made and deleted meanwhile."""
    rows, rounds, missed, doubled = 5_000, 20, 0, 0
    with run.serving() as (server, *_):
        async with client_of(run, server.base, "crawler") as client:
            owner = await made(client, "crawled")
            for n in range(rows):
                content = {"name": f"row {n}", "handle": f"row-{digits(n)}"}
                assert (await client.post(f"{owner}/instances", json=content)).status_code == 201
            whole = f"{owner}/instances?itemsPerPage=100&after="
            stopped, changed = asyncio.Event(), Counter[str]()

            async def change(writer: int) -> None:
                while not stopped.is_set():
                    handle = f"gone-{digits(writer)}-{digits(changed.total())}"
                    content = {"name": "Passing", "handle": handle}
                    answer = await client.post(f"{owner}/instances", json=content)
                    path = httpx.URL(answer.headers["Location"]).path
                    await client.delete(path)
                    changed["writes"] += 2

            writers = [asyncio.create_task(change(n)) for n in range(4)]
            for _ in range(rounds):
                met, address = Counter[str](), whole
                while address:
                    body = (await client.get(address)).json()
                    met.update(it["handle"] for it in body["member"] if it["handle"].startswith("row-"))
                    address = body["view"].get("next", "")
                missed += rows - len(met)
                doubled += sum(times > 1 for times in met.values())
            stopped.set()
            await asyncio.gather(*writers)
    run.tell(
        "crawls",
        f"{rounds} crawls of {rows} rows under 4 writers ({changed['writes']} writes meanwhile): "
        f"{missed} missed, {doubled} met twice",
        nothing_is_missed=missed == 0,
        nothing_is_met_twice=doubled == 0,
    )


async def neighbours(run: Run) -> None:
    """RL-05: who asks without end is refused, and somebody else does not wait for it."""
    limit = {"REGISTRY_RATE_LIMIT": "2000/minute"}
    with started(run.folder, **limit) as (server, _):
        async with client_of(run, server.base, "quiet") as quiet, client_of(run, server.base) as loud:
            alone = [(await timed(quiet, "/api/organizations"))[1] for _ in range(300)]
            stopped, statuses = asyncio.Event(), Counter[int]()

            async def flood() -> None:
                while not stopped.is_set():
                    statuses[(await loud.get("/api/organizations")).status_code] += 1

            flooding = asyncio.create_task(flood())
            await until(lambda: statuses[429] > 0, 60)
            beside = [(await timed(quiet, "/api/organizations"))[1] for _ in range(300)]
            stopped.set()
            await flooding
    run.tell(
        "beside",
        f"a caller beyond its limit ({dict(sorted(statuses.items()))}): p99 of another {p99(alone):.1f} ms "
        f"without it, {p99(beside):.1f} ms beside it",
        the_flood_is_refused=statuses[429] > 0,
        others_do_not_wait=p99(beside) < max(2 * p99(alone), 25),
    )


async def graphs(run: Run) -> None:
    """TH-04, TH-05, RD-06: linked data that is made to cost much; meanwhile others ask."""
    costs, statuses, rounds = list[tuple[float, float, str]](), Counter[int](), 3
    hostile = [(name, {"Content-Type": type_}, content) for name, type_, content in documents()]
    with run.serving() as (server, pid, _):
        async with client_of(run, server.base) as sender, client_of(run, server.base, "other") as other:
            path = await made(other, "other")
            alone = [(await timed(other, path))[1] for _ in range(300)]
            for name, headers, content in hostile:
                spent, grown = list[float](), 0.0
                for _ in range(rounds):
                    forget_peak(pid)
                    size, before = memory(pid, "VmHWM"), busy(pid)
                    answer = await sender.post("/api/organizations", content=content, headers=headers)
                    statuses[answer.status_code] += 1
                    spent.append(busy(pid) - before)
                    grown = max(grown, memory(pid, "VmHWM") - size)
                costs.append((statistics.median(spent), grown, name))
            stopped = asyncio.Event()

            async def flood() -> None:
                while not stopped.is_set():
                    _, headers, content = run.dice.choice(hostile)
                    await sender.post("/api/organizations", content=content, headers=headers)

            flooding = [asyncio.create_task(flood()) for _ in range(4)]
            beside = [(await timed(other, path))[1] for _ in range(300)]
            stopped.set()
            await asyncio.gather(*flooding)
        failed = '"level":"error"' in server.said()
    slowest, largest = max(costs), max(costs, key=lambda it: it[1])
    run.tell(
        "graphs",
        f"{len(costs)} documents made to cost much ({dict(sorted(statuses.items()))}): at most "
        f"{slowest[0]:.0f} ms of a processor ({slowest[2]}) and {largest[1]:.1f} MiB ({largest[2]}); "
        f"p99 of another {p99(alone):.1f} ms alone, {p99(beside):.1f} ms beside four who send them",
        none_takes_200_ms=slowest[0] < 200,
        none_takes_50_MiB=largest[1] < 50,
        nothing_fails=not failed and max(statuses) < 500,
    )
