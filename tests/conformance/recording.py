"""What clients of the last release rely on, to be recorded when there is one: `python -m
tests.conformance.recording` writes data/recorded.json. DI-06 compares it with what is there now."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from app.contract.promises import version
from app.openapi.document import openapi
from app.routes import ROUTES
from app.storage.database import Database
from tests.promises import CONTRACT
from tests.service import JSON, JSON_LD, World, populate, running

FILE = Path(__file__).parent / "data/recorded.json"


def outline(value: Any) -> Any:
    """The members of a value and of what is in it, with the types of the others; of a list, what all have."""
    if isinstance(value, dict):
        return {key: outline(item) for key, item in value.items() if key != "@context"}
    if isinstance(value, list):
        found = [outline(item) for item in value]
        return [_common(found)] if found else []
    return type(value).__name__


def _common(outlines: list[Any]) -> Any:
    first = outlines[0]
    if not all(isinstance(it, dict) for it in outlines):
        return first
    keys = [key for key in first if all(key in it for it in outlines)]
    return {key: _common([it[key] for it in outlines]) for key in keys}


def paths(world: World) -> Mapping[str, str]:
    lists = ("/api", "/api/organizations", "/api/instances", "/api/activities")
    return {
        **{path: path for path in lists},
        "members": f"{world.acme}/members",
        "authorizations": f"{world.shop}/authorizations",
        "transfer": f"{world.shop}/transfer",
        "memberships": f"{world.partner}/memberships",
        **world.examples,
    }


async def answers(client: httpx.AsyncClient, world: World) -> Mapping[str, Any]:
    return {
        f"{name} as {form}": outline((await client.get(path, headers={"Accept": form})).json())
        for name, path in paths(world).items()
        for form in (JSON_LD, JSON)
    }


def operations() -> Mapping[str, Any]:
    """What a request needs and may be, by the names of operations."""
    document = openapi(CONTRACT, ROUTES, ())
    schemas = document["components"]["schemas"]
    return {
        operation["operationId"]: {
            "address": f"{method.upper()} {path}",
            "query": sorted(it["name"] for it in operation.get("parameters", ()) if "name" in it),
            "content": sorted(operation.get("requestBody", {}).get("content", ())),
            "needed": sorted(taken(operation, schemas).get("required", ())),
            "taken": sorted(taken(operation, schemas).get("properties", ())),
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def taken(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what it takes as JSON, if it takes anything."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "$ref" in content["schema"]:
            found: Mapping[str, Any] = schemas[content["schema"]["$ref"].rpartition("/")[2]]
            return found
    return {}


async def record() -> Mapping[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite://{folder}/registry.sqlite3"
        await Database(url).migrate()
        async with running(url, Path(folder)) as service:
            world = await populate(service)
            found = await answers(service.as_("owner"), world)
    return {"version": version(CONTRACT), "answers": found, "operations": operations()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(asyncio.run(record()), indent=1) + "\n")
