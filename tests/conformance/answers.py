"""Answers of every kind that the service has, to look at together; and Link fields, read strictly."""

from __future__ import annotations

import re
from typing import NamedTuple

import httpx

from app.routes import ROUTES
from tests.conformance.fresh import MERGE, instance_of
from tests.conformance.problems import ASKED
from tests.service import Service, World, kinds
from tests.test_sweep import concrete

# RFC 3986, appendix A, and RFC 8288 section 3.
_REFERENCE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*")
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'[ \t]*;[ \t]*({_TOKEN})[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")')
_NEXT = re.compile(r"[ \t]*(?:,[ \t]*|\Z)")


class LinkValue(NamedTuple):
    """`parameters` in their order, with their values unquoted."""

    target: str
    parameters: tuple[tuple[str, str], ...]

    @property
    def rel(self) -> str:
        [rel] = [value for name, value in self.parameters if name.lower() == "rel"]
        return rel


def link_values(answer: httpx.Response) -> list[LinkValue]:
    """Of all lines of the field. Fails for anything that the grammar does not have."""
    found = []
    for line in answer.headers.get_list("Link"):
        at = 0
        while at < len(line):
            assert line[at] == "<", line
            end = line.index(">", at)
            target = line[at + 1 : end]
            assert _REFERENCE.fullmatch(target), target
            at, parameters = end + 1, []
            while match := _PARAMETER.match(line, at):
                name, token, quoted = match.groups()
                parameters.append((name, token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)))
                at = match.end()
            ended = _NEXT.match(line, at)
            assert ended, line[at:]
            at = ended.end()
            found.append(LinkValue(target, tuple(parameters)))
    return found


async def every_kind(service: Service, world: World) -> list[httpx.Response]:
    """Every route in each kind of its forms, to GET, HEAD and OPTIONS; every change; every problem."""
    owner, neighbour = service.as_("owner"), service.as_("neighbour")
    answers = []
    for route in ROUTES:
        path = concrete(route, world)
        for accept in kinds(route) or ("*/*",):
            got = await owner.get(path, headers={"Accept": accept})
            answers += [got, await owner.head(path, headers={"Accept": accept}), await owner.options(path)]
            if "ETag" in got.headers:
                fields = {"Accept": accept, "If-None-Match": got.headers["ETag"]}
                answers.append(await owner.get(path, headers=fields))
    for query in ("page=1&itemsPerPage=1", "page=2&itemsPerPage=1", "itemsPerPage=1&after=&name=%C3%A9"):
        answers.append(await owner.get(f"/api/instances?{query}"))
    answers.append(await owner.get(world.nested_shop))
    answers.append(await neighbour.get("/api/me"))
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    answers.append(await owner.options("/api", headers=preflight))
    answers += await _changes(service)
    answers += [await asked.of(service, world) for asked in ASKED]
    return answers


async def _changes(service: Service) -> list[httpx.Response]:
    owner, minimal = service.as_("owner"), {"Prefer": "return=minimal"}
    path, deleted = await instance_of(service), await instance_of(service)
    return [
        await owner.post("/api/organizations", json={"name": "Made"}),
        await owner.post("/api/organizations", json={"name": "Made"}, headers=minimal),
        await owner.patch(path, json={"name": "New"}, headers=MERGE),
        await owner.patch(path, json={"name": "Newer"}, headers=MERGE | minimal),
        await owner.put(path, json={"name": "Newest"}),
        await owner.delete(deleted),
    ]
