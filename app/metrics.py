"""Metrics, as Prometheus collects them: of all processes together, at an address of their own."""

from __future__ import annotations

import os
import struct
import time
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

# Where the processes leave what they count, by the name that the library reads.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Seconds: from a read that is answered at once to a write that waits for the database.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# After which times files are read again that could not be read.
AGAIN_SECONDS = (0.01, 0.05, 0.2)


class Metrics:
    """What one process counts."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._requests = Counter(
            "registry_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "registry_request_duration_seconds",
            "From the first octet of a request's head to the last of its answer.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._running = Gauge(
            "registry_requests_in_progress",
            "Requests that are being answered.",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._connections = Gauge(
            "registry_database_connections",
            "Connections to the database, as the last request of each process left them.",
            ("state",),
            registry=registry,
            multiprocess_mode="livesum",
        )

    def count(self, method: str, route: str | None, status: int, seconds: float) -> None:
        path = route or "none"
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def running(self, requests: int, connections: tuple[int, int]) -> None:
        """How many requests are being answered; how many connections there are, and how many of them work."""
        self._running.set(requests)
        there, working = connections
        self._connections.labels("working").set(working)
        self._connections.labels("idle").set(there - working)

    def leave(self) -> None:
        """This process counts no more: what it has counted stays, and what it was doing does not."""
        left(os.getpid())


def left(process_id: int) -> None:
    """As `leave`, of a process that could not say so itself."""
    if FOLDER in os.environ:
        mark_process_dead(process_id)  # type: ignore[no-untyped-call]  # the library has no types for it


class Collector(MultiProcessCollector):
    """The library's, which takes a file for damaged that a process has begun at this moment: it is empty, or
    says that it holds what it does not yet."""

    def collect(self) -> Any:
        for seconds in AGAIN_SECONDS:
            with suppress(struct.error, RuntimeError):
                return super().collect()  # type: ignore[no-untyped-call]  # the library has no types for it
            time.sleep(seconds)
        return super().collect()  # type: ignore[no-untyped-call]  # as above


def publish(host: str, port: int) -> None:
    """Serve what all processes have counted; `FOLDER` must stand in the environment. Raises `OSError`."""
    registry = CollectorRegistry()
    Collector(registry)  # type: ignore[no-untyped-call]  # the library has no types for it
    start_http_server(port, host, registry)
