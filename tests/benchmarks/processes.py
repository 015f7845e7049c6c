"""The servers that are compared, each in processes of its own, and what those take."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commands import COMMAND, environment, free_port
from tests.load import busy, memory

ROOT = Path(__file__).parents[2]
START_SECONDS, REST_SECONDS = 30, 30
# What Uvicorn does ten times a second takes less within a fiftieth.
IDLE_MILLISECONDS = 1
# As the service runs under Uvicorn; a single process too is started by its parent where there are two.
UVICORN = (
    *("--factory", "--http", "httptools", "--ws", "none", "--lifespan", "on", "--log-level", "warning"),
    *("--no-access-log", "--no-server-header", "--no-proxy-headers"),
)


@dataclass(frozen=True)
class Answer:
    status: int
    media_type: str
    tag: str
    content: bytes


@dataclass(frozen=True)
class Server:
    """`first_answer` came after so many seconds, of which it had worked for `first_busy`."""

    port: int
    log: Path
    process_ids: tuple[int, ...]
    first_answer: float
    first_busy: float

    def busy(self) -> float:
        """How many milliseconds of processor time all its processes have had."""
        return sum(busy(pid) for pid in self.process_ids)

    def busiest(self) -> int:
        """Of its processes: its supervisor has little to do."""
        return max(self.process_ids, key=busy)

    def rest(self) -> None:
        """Waits until it has done what it was asked."""
        deadline = time.monotonic() + REST_SECONDS
        while time.monotonic() < deadline:
            before = self.busy()
            time.sleep(0.02)
            if self.busy() - before < IDLE_MILLISECONDS:
                return
        raise RuntimeError("The server does not come to rest.")

    def memory(self, kind: str = "VmRSS") -> float:
        """Of its largest process, in MiB."""
        return max(memory(pid, kind) for pid in self.process_ids)

    def ask(self, method: str, target: str, fields: Mapping[str, str], content: bytes = b"") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, content or None, dict(fields))
            answer = connection.getresponse()
            media_type, tag = answer.getheader("Content-Type", ""), answer.getheader("ETag", "")
            return Answer(answer.status, media_type, tag, answer.read())
        finally:
            connection.close()


@contextmanager
def service(folder: Path, workers: int, database: str) -> Iterator[Server]:
    """As `instance-registry serve` runs it; what it logs goes to a file."""
    port = free_port()
    command = [COMMAND, "serve", "--port", str(port), "--workers", str(workers)]
    settings = {"REGISTRY_DATABASE_URL": database, "REGISTRY_DATA_DIR": str(folder / "data")}
    with _started(folder, "service", command, settings, port, "/readyz") as server:
        yield server


@contextmanager
def yardstick(folder: Path, name: str, workers: int, settings: Mapping[str, str]) -> Iterator[Server]:
    port = free_port()
    module = f"tests.benchmarks.{name}:application"
    command = [sys.executable, "-m", "uvicorn", module, *UVICORN, "--app-dir", str(ROOT)]
    command += ["--port", str(port), "--workers", str(workers)]
    with _started(folder, name, command, settings, port, "/") as server:
        yield server


@contextmanager
def _started(
    folder: Path, name: str, command: Sequence[str], settings: Mapping[str, str], port: int, target: str
) -> Iterator[Server]:
    log = folder / f"{name}.log"
    # Python keeps what it has compiled, unless it is told not to: who starts a service does not tell it.
    variables = environment(settings)
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output) as process,
    ):
        try:
            _wait_for_answer(process, port, target, log)
            seconds = time.perf_counter() - begun
            members = family(process.pid)
            yield Server(port, log, members, seconds, sum(map(busy, members)) / 1_000)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_for_answer(process: subprocess.Popen[bytes], port: int, target: str, log: Path) -> None:
    """Whatever it is: the yardsticks have nothing at `/`, and say so."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", target)
            if connection.getresponse().status in (200, 404):
                return
        time.sleep(0.005)
    raise RuntimeError(f"The server did not start:\n{log.read_text()}")


def family(pid: int) -> tuple[int, ...]:
    """A process and all that it has begot."""
    parents = dict(_parents())
    members = {pid}
    while found := {child for child, parent in parents.items() if parent in members} - members:
        members |= found
    return tuple(sorted(members))


def _parents() -> Iterator[tuple[int, int]]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            yield int(stat.parent.name), parent_of(stat.read_text())


def parent_of(stat: str) -> int:
    """The second field after the name, which stands in brackets and may have some in it (proc(5))."""
    return int(stat.rpartition(")")[2].split()[1])
