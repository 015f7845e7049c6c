"""How the service is run: by Uvicorn, in one process or several, with an end that cuts nobody off."""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any, ClassVar, cast

import uvicorn
from uvicorn._subprocess import subprocess_started
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from app.connection import STOP_SECONDS, Config
from app.main import prepare

# How long one looks whether a process is alive before one looks whether a signal has come; and how long one
# may take to end when what it had begun has ended.
LOOK_SECONDS, LEFT_SECONDS = 0.2, 5
# How long after one that could not start the next one is tried.
AGAIN_SECONDS = 3


class Server(uvicorn.Server):
    """Tells the application of the end before it comes, so that whoever asks `/readyz` sends no more."""

    config: Config
    # The process that has started this one, where that looks after it.
    parent: int | None = None
    _interrupted = False
    _end: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A stop that was asked for is no failure: Uvicorn would raise the signal anew after it."""
        self._interrupted = self._interrupted or sig == signal.SIGINT
        super().handle_exit(sig, frame)
        self._captured_signals.clear()

    async def on_tick(self, counter: int) -> bool:
        """Who would look after it may have been killed: then it holds the port for nobody."""
        if self.parent is not None and os.getppid() != self.parent:
            return True
        if not await super().on_tick(counter):
            return False
        if self._end is None:
            self.lifespan.state["draining"] = True
            self._end = time.monotonic() + self.config.settings.drain_seconds
        return self._interrupted or time.monotonic() >= self._end


class Worker(multiprocess.Process):
    """One of several processes: a fork of the one that has imported and made what all have in common, and not
    one that does it again. Of a process that has threads, whose locks nobody would open in the fork, Uvicorn
    starts a new one."""

    # Signals that the process that started it has to look at; and whether any worker has begun to answer.
    signals: ClassVar[Sequence[int]] = ()
    has_begun: ClassVar[bool] = False

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._forks = can_fork()
        if self._forks:
            given = config, self.target, sockets, None
            fork = multiprocessing.get_context("fork")
            self.process = fork.Process(target=_forked, args=given)  # type: ignore[assignment]  # of another kind

    def ping(self, timeout: float = 5) -> bool:
        """Whether it answers; in short looks, so that one that has ended is noticed, and a signal does not
        wait until one that is stuck has had its time."""
        deadline = time.monotonic() + timeout
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            self.parent_conn.send(b"ping")
            while self.process.is_alive() and time.monotonic() < deadline:
                if self.parent_conn.poll(LOOK_SECONDS):
                    Worker.has_begun |= self.parent_conn.recv() is True
                    return True
                if self.signals:
                    return True
        return False

    def start(self) -> None:
        """A signal that comes at once waits until the fork does by it what its own parent would not."""
        if not self._forks:
            super().start()
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, multiprocess.SIGNALS)
        try:
            super().start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)

    def join(self) -> None:
        super().join()
        if cast("Config", self.config).settings.metrics_port is not None and self.pid is not None:
            from app.metrics import left  # its library is imported only where something is counted

            left(self.pid)

    @property
    def could_not_start(self) -> bool:
        return super().exitcode == STARTUP_FAILURE

    @property
    def exitcode(self) -> int | None:
        """Where others answer, one that cannot start now may be able to later: Uvicorn would end all of them
        because of what this tells."""
        return 1 if Worker.has_begun and self.could_not_start else super().exitcode

    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = Server(self.config)
            self._server.parent = os.getppid()
        return self._server


def can_fork() -> bool:
    """Other systems than Linux have libraries that a fork cannot use."""
    return sys.platform == "linux" and threading.active_count() == 1


def _forked(*given: Any) -> None:
    for number in multiprocess.SIGNALS:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, multiprocess.SIGNALS)
    subprocess_started(*given)


class Workers(multiprocess.Multiprocess):
    """The process that started the others."""

    def __init__(self, config: Config, sockets: list[socket.socket], then: Callable[[], object]) -> None:
        """`then` comes after the forks, which have to come before there is any thread."""
        super().__init__(config, sockets)
        self._then = then
        self._again = 0.0
        self._stop_seconds = config.settings.drain_seconds + STOP_SECONDS + LEFT_SECONDS
        Worker.signals = self.signal_queue

    def init_processes(self) -> None:
        super().init_processes()
        try:
            self._then()
        except BaseException:
            self.terminate_all()
            self.join_all()
            raise

    def keep_subprocess_alive(self) -> None:
        """One that cannot start at the moment, as without a database, is not tried again at once."""
        if self.signal_queue or time.monotonic() < self._again:
            return
        if any(cast("Worker", it).could_not_start for it in self.processes):
            self._again = time.monotonic() + AGAIN_SECONDS
        super().keep_subprocess_alive()

    def join_all(self) -> None:
        """Who comes now is refused at once, rather than left waiting in a queue that nobody looks at. Who has
        not ended when it had to is stuck."""
        for listener in self.sockets:
            listener.close()
        deadline = time.monotonic() + self._stop_seconds
        for process in self.processes:
            process.process.join(max(0, deadline - time.monotonic()))
            if process.process.is_alive():
                process.process.kill()
        super().join_all()


def run(config: Config, then: Callable[[], object] = lambda: None) -> None:
    """Until it is told to stop. `then` is what else the first process does meanwhile, in a thread. Exits with
    `STARTUP_FAILURE` where it could not start."""
    if config.workers == 1:
        then()
        server = Server(config)
        server.run()
        started = server.started
    else:
        if can_fork():
            prepare(config.settings)
            # What is there now stays as it is, so that forks can share it.
            gc.freeze()
        gc.enable()
        # Uvicorn has no other way to choose what its processes run.
        multiprocess.Process = Worker  # type: ignore[misc]
        supervisor = Workers(config, [config.bind_socket()], then)
        supervisor.run()
        started = not any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    if not started:
        sys.exit(STARTUP_FAILURE)
