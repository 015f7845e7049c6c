"""The service in process behind a real socket, for what an HTTP client would add to a request or fold."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from tests.service import Service


@asynccontextmanager
async def listening(service: Service) -> AsyncIterator[int]:
    """The port that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


async def exchanged(port: int, *lines: str) -> bytes:
    """All that comes back for a request of these lines alone."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer
