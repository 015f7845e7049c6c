"""Expanded JSON-LD, arranged otherwise: flattened, and compacted with a context (JSON-LD 1.1 section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.representation.terms import NodeObject, Terms


def flattened(expanded: NodeObject) -> list[NodeObject]:
    """Every node once, by its identifier; inside are references only. Unnamed nodes get labels in order."""
    nodes: dict[str, NodeObject] = {}
    _Flattening(nodes).reference(expanded)
    return [nodes[name] for name in sorted(nodes) if len(nodes[name]) > 1]


class _Flattening:
    def __init__(self, nodes: dict[str, NodeObject]) -> None:
        self._nodes = nodes
        self._labels = 0

    def reference(self, node: NodeObject) -> NodeObject:
        if "@id" not in node:
            name = f"_:b{self._labels}"
            self._labels += 1
        else:
            name = node["@id"]
        found = self._nodes.setdefault(name, {"@id": name})
        for key, values in node.items():
            if key == "@type":
                _add(found, key, values)
            elif key == "@reverse":
                for predicate, others in values.items():
                    for other in others:
                        subject = self._nodes[self.reference(other)["@id"]]
                        _add(subject, predicate, [{"@id": name}])
            elif key != "@id":
                _add(found, key, [self._value(value) for value in values])
        return {"@id": name}

    def _value(self, value: NodeObject) -> NodeObject:
        if "@list" in value:
            return {"@list": [self._value(item) for item in value["@list"]]}
        return value if "@value" in value else self.reference(value)


def _add(node: NodeObject, key: str, values: Iterable[Any]) -> None:
    known = node.setdefault(key, [])
    known += [value for value in values if value not in known]


class Compaction:
    """With one context, of which it knows which key a value can stand under."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._keys: dict[tuple[str, bool], dict[str | None, str]] = {}
        for key, term in terms.terms.items():
            if key not in terms.prefixes:
                kind = f"@list {term.coercion}" if term.container == "@list" else term.coercion
                self._keys.setdefault((term.iri, term.reverse), {})[kind] = key

    def document(self, nodes: list[NodeObject]) -> NodeObject:
        """One node at the top, or all in a graph."""
        context = {"@context": self._terms.address}
        return {**context, "@graph": [self._node(node) for node in nodes]}

    def top_level(self, node: NodeObject) -> NodeObject:
        return {"@context": self._terms.address, **self._node(node)}

    def _node(self, node: NodeObject) -> NodeObject:
        result: NodeObject = {}
        for name, value in node.items():
            if name == "@id":
                result[name] = value
            elif name == "@type":
                types = [self._short(item) for item in value]
                result[name] = types[0] if len(types) == 1 else types
            elif name == "@reverse":
                for predicate, others in value.items():
                    self._put_reversed(result, predicate, others)
            else:
                for item in value:
                    self._put(result, name, item)
                if not value:
                    result[self._key_of(name)] = []
        return result

    def _put(self, node: NodeObject, iri: str, value: NodeObject) -> None:
        key, told = self._way(iri, value)
        present = node.get(key)
        if present is None or isinstance(told, list):
            node[key] = told
        else:
            node[key] = [*(present if isinstance(present, list) else [present]), told]

    def _way(self, iri: str, value: NodeObject) -> tuple[str, Any]:
        """The key to put a value under, and how it looks there."""
        keys = self._keys.get((iri, False), {})
        if "@list" in value:
            for coercion in ("@id", "@vocab", None):
                if f"@list {coercion}" in keys:
                    return keys[f"@list {coercion}"], [self._item(coercion, it) for it in value["@list"]]
        for kind, shown in self._ways(value) if keys else ():
            if kind in keys:
                return keys[kind], shown
        return self._short(iri, term=False), self._whole(value)

    def _item(self, coercion: str | None, value: NodeObject) -> Any:
        """Of a list whose term has this coercion."""
        ways = (shown for kind, shown in self._ways(value) if kind == coercion)
        found = next(ways, None)
        return self._whole(value) if found is None else found

    def _ways(self, value: NodeObject) -> Iterator[tuple[str | None, Any]]:
        """The coercions under which a value can stand, the best first, and how it looks there."""
        if "@list" in value:
            yield None, self._whole(value)
        elif "@value" in value:
            yield value.get("@type"), value["@value"]
            yield None, self._whole(value)
        else:
            whole = self._whole(value)
            is_reference = list(value) == ["@id"]
            yield "@id", value["@id"] if is_reference else whole
            yield "@vocab", self._short(value["@id"]) if is_reference else whole
            yield None, whole

    def _whole(self, value: NodeObject) -> Any:
        """As it says itself how it is read."""
        if "@list" in value:
            return {"@list": [self._whole(item) for item in value["@list"]]}
        if "@type" in value and "@value" in value:
            return {**value, "@type": self._short(value["@type"])}
        return value if "@value" in value else self._node(value)

    def _put_reversed(self, node: NodeObject, iri: str, others: list[NodeObject]) -> None:
        keys = self._keys.get((iri, True))
        told = [self._node(other) for other in others]
        if keys:
            node[next(iter(keys.values()))] = told
        else:
            node.setdefault("@reverse", {})[self._short(iri, term=False)] = told

    def _key_of(self, iri: str) -> str:
        keys: Mapping[str | None, str] = self._keys.get((iri, False), {})
        return next(iter(keys.values())) if keys else self._short(iri, term=False)

    def _short(self, iri: str, *, term: bool = True) -> str:
        keys = self._keys.get((iri, False), {}) if term else {}
        if keys:
            return next(iter(keys.values()))
        for prefix, namespace in self._terms.prefixes.items():
            if iri.startswith(namespace) and iri != namespace:
                return f"{prefix}:{iri.removeprefix(namespace)}"
        return iri
