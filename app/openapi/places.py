"""The operations that there are: what is routed, with what the contract says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.addresses import ITEMS, LINKS
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Operation
from app.exchange import PARENTS, Resource

VARIABLE = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Place:
    """One method at one path. `operation` is None where the contract does not speak of it; `id` is its name
    in the document."""

    contract: Contract
    resource: Resource
    method: str
    operation: Operation | None
    id: str

    @property
    def path(self) -> str:
        return self.resource.path

    @cached_property
    def variables(self) -> Sequence[str]:
        return VARIABLE.findall(self.path)

    @cached_property
    def definition(self) -> ClassDefinition | None:
        """The class of what is at the path, where it is one of ours."""
        promise = self.resource.promise
        name = self.contract.ranges.get(promise, promise)
        return self.contract.classes.get(name) if self.operation else None

    @cached_property
    def returned(self) -> ClassDefinition | None:
        """The class of what is answered."""
        if self.operation is None:
            return None
        own = {it.iri: it for it in self.contract.classes.values()}
        collection = self.definition if self.definition and self.definition.member else None
        return own.get(self.operation.returns) or (collection if self.method == "GET" else None)

    @property
    def is_document(self) -> bool:
        """What is published for anybody, and the same for everybody."""
        return self.operation is None or "anyone" in self.operation.roles


def places(contract: Contract, routes: Sequence[Resource]) -> list[Place]:
    """In the order of the routes. What is at several paths is called after what stands before it there."""
    found = [
        (route, method, contract.promises[route.promise][method] if route.promise else None)
        for route in routes
        for method in route.operations
    ]
    first: dict[str, str] = {}
    for route, _, operation in sorted(found, key=lambda it: (it[0].path.count("/"), it[0].path)):
        if operation is not None:
            first.setdefault(operation.name, route.path)
    return [
        Place(contract, route, method, operation, _name(route, method, operation, first))
        for route, method, operation in found
    ]


def _name(route: Resource, method: str, operation: Operation | None, first: Mapping[str, str]) -> str:
    if operation is None:
        words = re.sub(r"[^a-z0-9]+", "-", route.path.lower()).strip("-") or "root"
        return f"{method.lower()}-{words}"
    if first[operation.name] == route.path:
        return operation.name
    within = [name.removesuffix("_id") for name in VARIABLE.findall(route.path) if name in PARENTS]
    return f"{operation.name}-in-{within[0]}"


def named_elsewhere(place: Place, all_places: Sequence[Place]) -> Sequence[str]:
    """The members of which the content needs one because the path does not say what they say, though it does
    where the operation is found too; and those of which the class says so itself."""
    operation = place.operation
    if operation is None or operation.expects is None:
        return ()
    expected = place.contract.classes[operation.expects]
    others = [it for it in all_places if it.operation is operation and it is not place]
    said = {name for it in others for name in it.variables if name in PARENTS} - {*place.variables}
    meant = {PARENTS[name] for name in said}
    return expected.alternatives or [
        key
        for key, property_ in expected.properties.items()
        if property_.writable and (key in said or property_.promise in meant)
    ]


def follow_ups(place: Place, all_places: Sequence[Place]) -> Iterator[tuple[Place, Mapping[str, str]]]:
    """Where an answer leads: each with what its path needs, as expressions of OpenAPI."""
    class_name = place.returned.name if place.returned else ""
    if class_name not in ITEMS:
        member = place.returned.member if place.returned else None
        if member in ITEMS and place.method == "GET":
            yield from _leading(place, str(member), [ITEMS[str(member)]], "/member/0", all_places)
        return
    templates = [ITEMS[class_name], *LINKS.get(class_name, {}).values()]
    yield from _leading(place, class_name, templates, "", all_places)


def _leading(
    place: Place, class_name: str, templates: Sequence[str], pointer: str, all_places: Sequence[Place]
) -> Iterator[tuple[Place, Mapping[str, str]]]:
    known = place.contract.classes[class_name].properties
    for template in dict.fromkeys(templates):
        names = VARIABLE.findall(template)
        for other in all_places:
            if re.sub(VARIABLE, "{}", other.path) != re.sub(VARIABLE, "{}", template):
                continue
            found = {
                variable: _expression(place, name, known, pointer)
                for variable, name in zip(other.variables, names, strict=True)
            }
            if all(found.values()):
                yield other, {key: str(value) for key, value in found.items()}


def _expression(place: Place, name: str, known: Mapping[str, object], pointer: str) -> str | None:
    if name in known:
        return f"$response.body#{pointer}/{name}"
    return f"$request.path.{name}" if name in place.variables else None
