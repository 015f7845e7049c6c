"""The service beside its yardsticks: the same requests to each, round by round."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.benchmarks.bare import DATABASE, PARTNER
from tests.benchmarks.calls import CALLS, Call, World
from tests.benchmarks.cases import CASES
from tests.benchmarks.figures import Load, Spread, ratios, spread
from tests.benchmarks.fixed import ANSWERS
from tests.benchmarks.loading import CONNECTIONS, load, write_requests
from tests.benchmarks.processes import Answer, Server, service, yardstick
from tests.benchmarks.world import deep_pages, tags

STARTS, CHECKED = 3, 5
# More changes than a server makes in a second.
CHANGES = 4_000


@dataclass(frozen=True)
class Place:
    """What is measured where: `database` is its address, `name` what people call it."""

    name: str
    database: str
    workers: int
    partner: str
    folder: Path


@dataclass(frozen=True)
class Result:
    case: str
    service: Sequence[Load]
    yardstick: Sequence[Load]

    @property
    def ratio(self) -> Spread:
        return ratios(self.service, self.yardstick)

    @property
    def met(self) -> bool | None:
        target = CASES[self.case].target
        return None if target is None else self.ratio.median <= target


@dataclass(frozen=True)
class Findings:
    """Memory is that of the largest worker, in MiB: at rest, at most, and in the end."""

    place: str
    workers: int
    starts: Spread
    rest: float
    peak: float
    end: float
    results: Sequence[Result]


class Comparison:
    def __init__(self, place: Place, world: World, names: Sequence[str], seconds: int) -> None:
        self._place = place
        self._world = world
        self._names = names
        self._seconds = seconds
        self._servers: dict[str, Server] = {}

    def run(self, rounds: int, tell: Callable[[str], None]) -> Findings:
        starts = [self._start() for _ in range(STARTS - 1)]
        with self._serving() as server:
            rest = server.memory()
            loads = self._rounds(rounds, tell)
            peak, end = server.memory("VmHWM"), server.memory()
        results = [
            Result(name, loads[name, "service"], loads[name, CASES[name].yardstick]) for name in self._names
        ]
        place = self._place
        first = spread([*starts, server.first_answer])
        return Findings(place.name, place.workers, first, rest, peak, end, results)

    def _start(self) -> float:
        with service(self._place.folder, self._place.workers, self._place.database) as server:
            return server.first_answer

    @contextmanager
    def _serving(self) -> Iterator[Server]:
        """All that is compared; what the fixed yardstick answers is seen at the service first."""
        place = self._place
        with ExitStack() as stack:
            server = stack.enter_context(service(place.folder, place.workers, place.database))
            self._servers = {"service": server}
            if "304" in self._names:
                self._world.tags = tags(self._world, server)
            if "page-deep" in self._names:
                self._world.deep = deep_pages(self._world, server)
            answers = {name: self._checked(name, "service") for name in self._names}
            lengths = {name: (it.status, it.media_type, len(it.content)) for name, it in answers.items()}
            settings: Mapping[str, Mapping[str, str]] = {
                "bare": {DATABASE: place.database, PARTNER: place.partner},
                "fixed": {ANSWERS: json.dumps(lengths)},
            }
            for name in sorted({CASES[name].yardstick for name in self._names}):
                started = yardstick(place.folder, name, place.workers, settings[name])
                self._servers[name] = stack.enter_context(started)
            for name in self._names:
                self._checked(name, CASES[name].yardstick, answers[name])
            yield server

    def _checked(self, name: str, at: str, like: Answer | None = None) -> Answer:
        """Some answers to a case's requests are what they have to be: nothing is measured that fails."""
        server = self._servers[at]
        for call in CALLS[name](self._world, CHECKED)[:CHECKED]:
            fields = {"Accept": call.accept, **call.fields}
            answer = server.ask(call.method, target_at(at, name, call), fields, call.content)
            wrong = fault(call, answer, at) if at != "fixed" else unlike(answer, like)
            if wrong:
                raise RuntimeError(f"{name} at {at}: {wrong}")
        return answer

    def _rounds(self, rounds: int, tell: Callable[[str], None]) -> dict[tuple[str, str], list[Load]]:
        pairs = [(name, at) for name in self._names for at in ("service", CASES[name].yardstick)]
        loads: dict[tuple[str, str], list[Load]] = {pair: [] for pair in pairs}
        for name, at in pairs:
            self._load(name, at, warm=True)
        for number in range(rounds):
            tell(f"{self._place.name}, workers: {self._place.workers}, round {number + 1} of {rounds}")
            # Every other round the other way round, so that none always comes first.
            for name, at in pairs if number % 2 == 0 else reversed(pairs):
                loads[name, at].append(self._load(name, at))
        return loads

    def _load(self, name: str, at: str, *, warm: bool = False) -> Load:
        server, changes = self._servers[at], CASES[name].changes
        calls = CALLS[name](self._world, CHANGES * self._seconds)
        path = self._place.folder / "requests"
        write_requests(path, (call.octets(server.port, target_at(at, name, call)) for call in calls))
        seconds = 0.2 if warm else self._seconds
        # Whatever is only compared with fixed octets changes nothing there.
        status, connections = status_at(at, calls[0]), CONNECTIONS * self._place.workers
        return load(server, path, status, seconds, connections, once=changes)


def target_at(at: str, name: str, call: Call) -> str:
    if at == "fixed":
        return f"/{name}"
    return call.bare or call.target if at == "bare" else call.target


def status_at(at: str, call: Call) -> int:
    """The bare yardstick knows no conditions: it sends the item whose tag has not changed."""
    return 200 if at == "bare" and call.status == 304 else call.status


def fault(call: Call, answer: Answer, at: str) -> str | None:
    """What is wrong with an answer, if anything is."""
    if answer.status != status_at(at, call):
        return f"it answered {answer.status}: {answer.content[:300]!r}"
    if at == "service" and answer.status != 304 and call.status < 400 and not answer.media_type.startswith(call.accept):
        return f"it answered in {answer.media_type}"
    missing = [text for text in call.shows if text.encode() not in answer.content]
    if missing:
        return f"its answer does not show {missing[0]}"
    if call.members is not None and len(orjson.loads(answer.content)["member"]) != call.members:
        return f"its answer has not {call.members} members"
    return None


def unlike(answer: Answer, like: Answer | None) -> str | None:
    if like is None or (answer.status, len(answer.content)) == (like.status, len(like.content)):
        return None
    return f"it answered {answer.status} and {len(answer.content)} octets"
