"""The requests of each case, as octets, and what an answer to them has to show."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from app.storage.acts import new_id
from tests.service import JSON, JSON_LD, PATCH, TURTLE

# So many different ones are sent one after the other, again and again.
READS, PAGES = 500, 100
# Pages by cursor there are so many of each series, which are pages of other instances: more than the service
# keeps answers of.
DEPTH, DEEP, SERIES = 20, 310, 3
PAGE = 30
INSTANCES = "/api/instances"


@dataclass(frozen=True)
class Call:
    """A request. `shows` stands in the answer to it, which has so many `members`, if it is a page.

    `bare` is the target that the bare yardstick knows this by, where it is another one.
    """

    target: str
    status: int = 200
    method: str = "GET"
    accept: str = JSON_LD
    fields: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    shows: tuple[str, ...] = ()
    members: int | None = None
    bare: str = ""

    def octets(self, port: int, target: str) -> bytes:
        fields = {"Host": f"127.0.0.1:{port}", "Accept": self.accept, **self.fields}
        if self.content:
            fields["Content-Length"] = str(len(self.content))
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join((*lines, "", "")).encode() + self.content


@dataclass(frozen=True)
class Instance:
    id: str
    organization_id: str
    name: str
    handle: str

    @property
    def path(self) -> str:
        return f"{INSTANCES}/{self.id}"


@dataclass
class World:
    """What is there, as the requests name it. `tags` are entity tags by path, `deep` pages by their cursor,
    each with what the bare yardstick knows it by."""

    token: str
    instances: list[Instance]
    tags: Mapping[str, str] = field(default_factory=dict)
    deep: list[tuple[str, str]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def some(self) -> list[Instance]:
        """From everywhere in the tables."""
        return self.instances[:: self._step]

    @property
    def others(self) -> list[Instance]:
        """Those that are changed, whose tags and names nobody else relies upon."""
        return self.instances[1 :: self._step]

    @property
    def unchanged(self) -> list[Instance]:
        changed = {it.id for it in self.others}
        return [it for it in self.instances if it.id not in changed]

    @property
    def _step(self) -> int:
        return max(2, len(self.instances) // READS)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def letters(number: int) -> str:
    """For handles, which have no digits; all of one length, so that none is found within another."""
    return f"{number:06}".translate(str.maketrans("0123456789", "abcdefghij"))


def items(world: World, accept: str, instances: Sequence[Instance] = ()) -> list[Call]:
    return [
        Call(it.path, accept=accept, fields=world.authorization, shows=(it.id, it.name, it.handle))
        for it in instances or world.some
    ]


def not_modified(world: World) -> list[Call]:
    return [
        Call(it.path, 304, fields={**world.authorization, "If-None-Match": world.tags[it.path]})
        for it in world.some
    ]


def first_page(world: World) -> list[Call]:
    return [Call(f"{INSTANCES}?itemsPerPage={PAGE}", fields=world.authorization, members=PAGE)]


def deep_pages(world: World, number: int | None = None) -> list[Call]:
    """All, or so many of them, from everywhere in the list."""
    step = max(1, len(world.deep) // number) if number else 1
    pages = world.deep[::step][:number]
    return [Call(target, fields=world.authorization, members=PAGE, bare=bare) for target, bare in pages]


def pages_of_organizations(world: World) -> list[Call]:
    ids = dict.fromkeys(it.organization_id for it in world.instances)
    return [
        Call(f"/api/organizations/{it}/instances", fields=world.authorization, shows=(it,), members=PAGE)
        for it in ids
    ]


def searches(world: World) -> list[Call]:
    return [
        Call(f"{INSTANCES}?handle={it.handle}", fields=world.authorization, shows=(it.id,), members=1)
        for it in world.some
    ]


def creations(world: World, number: int) -> list[Call]:
    owners = itertools.cycle(dict.fromkeys(it.organization_id for it in world.instances))
    calls = []
    for n in itertools.islice(world.numbers, number):
        content = {"name": f"Made {n}", "handle": f"made-{letters(n)}"}
        calls.append(
            _write(world, "POST", f"/api/organizations/{next(owners)}/instances", JSON, content, 201)
        )
    return calls


def renamings(world: World, number: int) -> list[Call]:
    instances = itertools.cycle(world.others)
    numbers = itertools.islice(world.numbers, number)
    return [
        _write(world, "PATCH", next(instances).path, PATCH, {"name": f"Renamed {n}"}, 200) for n in numbers
    ]


def _write(
    world: World, method: str, path: str, media_type: str, content: Mapping[str, str], status: int
) -> Call:
    fields = {**world.authorization, "Content-Type": media_type}
    octets = json.dumps(content).encode()
    return Call(path, status, method, fields=fields, content=octets, shows=tuple(content.values()))


def absent(world: World) -> list[Call]:
    return [Call(f"{INSTANCES}/{new_id()}", 404, fields=world.authorization) for _ in range(READS)]


def document(target: str, shows: str, accept: str = JSON_LD) -> Callable[[World, int], list[Call]]:
    """Documents are for everybody, and so are asked for without a token."""
    return lambda _world, _number: [Call(target, accept=accept, shows=(shows,))]


# By the case's name: what is there, and how many changes at most, to requests.
CALLS: Mapping[str, Callable[[World, int], list[Call]]] = {
    "item-json-ld": lambda world, _: items(world, JSON_LD),
    # More of them than the service keeps answers of, as below.
    "item-any": lambda world, _: items(world, JSON_LD, world.unchanged),
    "item-meanwhile": lambda world, _: items(world, JSON_LD),
    "item-json": lambda world, _: items(world, JSON),
    "item-turtle": lambda world, _: items(world, TURTLE),
    "304": lambda world, _: not_modified(world),
    "page-first": lambda world, _: first_page(world),
    "page-deep": lambda world, _: deep_pages(world, PAGES),
    "page-any": lambda world, _: deep_pages(world),
    "page-meanwhile": lambda world, _: deep_pages(world, PAGES),
    "page-organization": lambda world, _: pages_of_organizations(world),
    "search-handle": lambda world, _: searches(world),
    "create": creations,
    "rename": renamings,
    "404": lambda world, _: absent(world),
    "documentation": document("/api/docs", "ApiDocumentation"),
    "entry-point": document("/api", "Entrypoint"),
    "vocabulary": document("/vocab", "owl:Ontology", TURTLE),
    "context": document("/contexts/v1/registry.jsonld", "@context"),
}
