"""The service beside its yardsticks: the same requests to each, round by round."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.bare import DATABASE, PARTNER
from tests.benchmarks.calls import CALLS, World
from tests.benchmarks.cases import CASES
from tests.benchmarks.figures import Load, Spread, ratios, spread
from tests.benchmarks.fixed import ANSWERS
from tests.benchmarks.judging import fault, status_at, target_at, unlike
from tests.benchmarks.loading import CONNECTIONS, load, write_requests
from tests.benchmarks.meanwhile import changes
from tests.benchmarks.places import Place
from tests.benchmarks.processes import Answer, Server, service, yardstick
from tests.benchmarks.profile import SECONDS, profiled
from tests.benchmarks.world import deep_pages, owners_token, tags

Tell = Callable[[str], None]
STARTS, CHECKED = 3, 5
WARM_SECONDS = 0.2
# More than a server makes in a second.
CHANGES = 5_000


@dataclass(frozen=True)
class Result:
    """Loads of the same round stand at the same place."""

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
    """`starts` are seconds until the first answer, `first_busy` how many of a processor the last one took.

    Memory is that of the largest worker, in MiB: at rest, after half of the rounds, at most, and in the end.
    """

    place: str
    workers: int
    starts: Spread
    first_busy: float
    rest: float
    half: float
    peak: float
    end: float
    results: Sequence[Result]


class Comparison:
    """`names` are cases; a round has so many `seconds` of each at each server. `folder` is for files."""

    def __init__(
        self, place: Place, workers: int, folder: Path, names: Sequence[str], seconds: float, tell: Tell
    ) -> None:
        self._place = place
        self._workers = workers
        self._folder = folder
        self._names = names
        self._seconds = seconds
        self._tell = tell
        self._world = World(owners_token(folder), place.instances)
        self._servers: dict[str, Server] = {}
        # How many requests of each case were sent to each server.
        self._sent: Counter[tuple[str, str]] = Counter()
        self._half = 0.0

    def run(self, rounds: int, *, profile: bool = False) -> Findings:
        seconds = [self._start() for _ in range(STARTS - 1)]
        with self._serving() as server:
            rest = server.memory()
            loads = self._rounds(rounds)
            peak, end = server.memory("VmHWM"), server.memory()
            if profile:
                self._profile(server)
        results = [
            Result(name, loads[name, "service"], loads[name, CASES[name].yardstick]) for name in self._names
        ]
        starts = spread([*seconds, server.first_answer])
        name, workers = self._place.name, self._workers
        busy = server.first_busy
        return Findings(name, workers, starts, busy, rest, self._half, peak, end, results)

    def _start(self) -> float:
        with service(self._folder, self._workers, self._place.database) as server:
            return server.first_answer

    @contextmanager
    def _serving(self) -> Iterator[Server]:
        """All that is compared; what the fixed yardstick answers is seen at the service first."""
        place = self._place
        with ExitStack() as stack:
            server = stack.enter_context(service(self._folder, self._workers, place.database))
            self._servers = {"service": server}
            if "304" in self._names:
                self._world.tags = tags(self._world, server)
            if any(name.startswith("page-") for name in self._names):
                self._world.deep = deep_pages(self._world, server)
            answers = {name: self._checked(name, "service") for name in self._names}
            lengths = {name: (it.status, it.media_type, len(it.content)) for name, it in answers.items()}
            settings: Mapping[str, Mapping[str, str]] = {
                "bare": {DATABASE: place.database, PARTNER: place.partner},
                "fixed": {ANSWERS: json.dumps(lengths)},
            }
            for at in sorted({CASES[name].yardstick for name in self._names}):
                started = yardstick(self._folder, at, self._workers, settings[at])
                self._servers[at] = stack.enter_context(started)
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
                raise RuntimeError(f"{name} at {at}: {wrong}\n{server.log.read_text()[-2_000:]}")
        return answer

    def _rounds(self, rounds: int) -> dict[tuple[str, str], list[Load]]:
        pairs = [(name, at) for name in self._names for at in ("service", CASES[name].yardstick)]
        loads: dict[tuple[str, str], list[Load]] = {pair: [] for pair in pairs}
        for name, at in pairs:
            self._load(name, at, WARM_SECONDS)
        for number in range(rounds):
            self._tell(f"{self._place.name}, workers: {self._workers}, round {number + 1} of {rounds}")
            # Every other round the other way round, so that none always comes first.
            for name, at in pairs if number % 2 == 0 else reversed(pairs):
                loads[name, at].append(self._load(name, at, self._seconds))
            if number == rounds // 2:
                self._half = self._servers["service"].memory()
        return loads

    def _load(self, name: str, at: str, seconds: float) -> Load:
        server, path = self._servers[at], self._folder / "requests"
        calls = CALLS[name](self._world, int(CHANGES * seconds))
        # Where the round before broke off: one that began anew would ask again for what was asked lately.
        first = self._sent[name, at] % len(calls)
        calls = [*calls[first:], *calls[:first]]
        write_requests(path, (call.octets(server.port, target_at(at, name, call)) for call in calls))
        status, connections = status_at(at, calls[0]), CONNECTIONS * self._workers
        case = CASES[name]
        with changes(self._place.database) if case.meanwhile else nullcontext():
            found = load(server, path, status, seconds, connections, once=case.changes)
        self._sent[name, at] += found.sent
        return found

    def _profile(self, server: Server) -> None:
        """The worker that has done most is the one to look at."""
        for name in self._names:
            with profiled(name, server.busiest(), self._tell):
                self._load(name, "service", SECONDS)
