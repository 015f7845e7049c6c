"""Logs: a line of JSON for everything, on standard error; coloured text where a person is looking."""

from __future__ import annotations

import json
import sys
from typing import Any

import orjson
import structlog
from structlog.types import Processor

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


def configure_logs() -> None:
    """For the lines of requests, which go their own way because there are so many; in every process."""
    structlog.configure(
        processors=[*_STAMPED, _renderer()],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


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
        "loggers": {
            name: {"handlers": ["lines"], "level": "INFO", "propagate": False} for name in ("uvicorn", "app")
        },
    }
