"""The second yardstick: a route for each case, whose answers are always the same octets."""

from __future__ import annotations

import json
import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ANSWERS = "BENCHMARK_ANSWERS"


def application() -> Starlette:
    """By the name of each case, in JSON, the status of the service's own answer, its type and its length."""
    return Starlette(
        routes=[
            _route(f"/{name}", status, media_type, b"x" * length)
            for name, (status, media_type, length) in json.loads(os.environ[ANSWERS]).items()
        ]
    )


def _route(path: str, status: int, media_type: str, content: bytes) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(content, status, media_type=media_type)

    return Route(path, answer, methods=["GET", "POST", "PATCH"])
