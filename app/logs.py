"""Logs: a line of JSON for everything, on standard error; coloured text where a person is looking."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TextIO, cast

import orjson

from app.lean import without

# Faults are shown by it, where a person is looking.
with without(*([] if sys.stderr.isatty() else ["rich"])):
    import structlog
    from structlog.types import BindableLogger, Processor

_STAMPED: list[Processor] = [
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    structlog.processors.add_log_level,
]


def _json(line: Any, **_options: Any) -> str:
    """In ASCII, whatever a fault says: to some readers U+2028 ends a line, and terminals obey U+009B."""
    text = orjson.dumps(line, default=str).decode()
    return text if text.isascii() else json.dumps(line, default=str)


def _watched() -> bool:
    return sys.stderr.isatty()


def _renderer() -> Processor:
    if _watched():
        return structlog.dev.ConsoleRenderer(timestamp_key="time")
    return structlog.processors.JSONRenderer(_json)


class Requests:
    """What writes the lines of requests, looked for once and not for every line."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(structlog.get_logger("app.requests").bind(), name)
        setattr(self, name, found)
        return found


REQUESTS = Requests()


@cache
def configure_logs() -> None:
    """For the lines of requests, which go their own way because there are so many; once in every process."""
    watched = _watched()
    structlog.configure(
        processors=[*_STAMPED, _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger("info")
        if watched
        else cast("type[BindableLogger]", Lines),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr) if watched else lambda *_: sys.stderr,
        cache_logger_on_first_use=True,
    )
    vars(REQUESTS).clear()


class Lines:
    """What a logger of structlog does with these processors, in one step, for every request pays for it. The
    lines are written in one piece when the event loop comes round: the system takes as long for one as for a
    dozen. Without a loop each is written at once."""

    def __init__(self, stream: TextIO, **_options: Any) -> None:
        self._stream = stream
        self._lines: list[bytes] = []

    def info(self, event: str, **line: Any) -> None:
        line["event"] = event
        now = time.time_ns() // 1_000
        line["time"] = f"{_second(now // 1_000_000)}.{now % 1_000_000:06d}Z"
        line["level"] = "info"
        written = orjson.dumps(line, default=str)
        self._lines.append(written if written.isascii() else _json(line).encode())
        if len(self._lines) == 1:
            try:
                asyncio.get_running_loop().call_soon(self._flush)
            except RuntimeError:
                self._flush()

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        octets = b"\n".join([*lines, b""])
        # Whatever stands in the place of standard error may know text alone.
        written = getattr(self._stream, "buffer", None)
        if written is None:
            self._stream.write(octets.decode())
        else:
            written.write(octets)
        self._stream.flush()


@lru_cache(maxsize=2)
def _second(number: int) -> str:
    """Written once for all lines of it."""
    return datetime.fromtimestamp(number, UTC).isoformat()[:19]


def log_config() -> dict[str, Any]:
    """For `logging`, which everything else goes through."""
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *([] if _watched() else [structlog.processors.format_exc_info]),
            _renderer(),
        ],
        "foreign_pre_chain": [*_STAMPED, structlog.stdlib.add_logger_name],
    }
    handler = {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": formatter},
        "handlers": {"lines": handler},
        # Libraries too: each line is an object, whoever has something to say.
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {
            **{
                name: {"handlers": ["lines"], "level": "INFO", "propagate": False}
                for name in ("uvicorn", "app")
            },
            # While the server is away it tells each second, with a traceback, what requests tell too.
            "asyncpg.pool": {"level": "ERROR"},
        },
    }
