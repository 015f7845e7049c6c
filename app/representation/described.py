"""From statements to plain JSON: which node is the resource, and what is said of it, by JSON keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from app.problems import Violation
from app.protocol.strict_json import JSON
from app.representation.content import MAX_VIOLATIONS, invalid, shortened
from app.representation.keys import Keys
from app.representation.statements import TYPE, Node, Statements, Term

Description = dict[str, dict[Term, None]]


def describe(statements: Statements, keys: Keys, base: str, names: Collection[str]) -> dict[str, JSON]:
    """The resource as plain JSON has it. `base` and `names` are what it may be called: `<>`, and its IRI.

    Raises `invalid-content`, with what is said of other resources and in other graphs.
    """
    described = _Described(statements, keys, base, {base, *names})
    root, violations = described.root(), [*described.graphs()]
    document = described.document(root)
    violations += described.others(root)
    if violations:
        raise invalid(*violations[:MAX_VIOLATIONS])
    return document


@dataclass
class _Described:
    statements: Statements
    keys: Keys
    base: str
    names: set[str]

    def __post_init__(self) -> None:
        self._heeded: set[str] = set()

    def root(self) -> set[str]:
        """The names of the resource: those that it may be called or, where nothing is said of any of these,
        the only blank node that nothing refers to, or whatever alone there is something said of.

        Raises `invalid-content` where there is more than one such node.
        """
        about = self.statements.about
        named = self.names & about.keys()
        if named or not about:
            return self.names
        blank = [name for name in about if name.startswith("_:")]
        referred = self._referred() if blank else set()
        begun = [name for name in blank if name not in referred] or blank
        if len(begun) == 1:
            return {*self.names, begun[0]}
        if not begun and len(about) == 1:
            return {next(iter(about))}
        raise invalid(_unclear(begun or list(about)))

    def _referred(self) -> set[str]:
        return {
            value.name
            for subject, description in self.statements.about.items()
            for values in description.values()
            for value in values
            if isinstance(value, Node) and value.name != subject
        }

    def document(self, root: set[str]) -> dict[str, JSON]:
        """One that may be called otherwise says its name, for the contract to judge."""
        document: dict[str, JSON] = {}
        if not root & self.names:
            document["@id"] = next(iter(root))
        merged: Description = {}
        for name in root & self.statements.about.keys():
            for predicate, values in self.statements.about[name].items():
                merged.setdefault(self.keys.key(predicate), {}).update(values)
        self._heeded |= root
        for key, values in merged.items():
            found = [self._value(key, value) for value in values]
            document[key] = found[0] if len(found) == 1 and key not in self.keys.embedding else found
        return document

    def _value(self, key: str, value: Term) -> JSON:
        """Of a node of which something is said the class, and that there is more: both are judged with the
        member, and not what is said."""
        if not isinstance(value, Node) or value.name in self._heeded:
            return self.keys.value(key, value)
        said = self.statements.about.get(value.name)
        if said is None or key in self.keys.ignored - self.keys.embedding:
            return self.keys.value(key, value)
        if key in self.keys.embedding:
            self._heeded.add(value.name)
            return {"@id": value.name}
        self._heed(value.name)
        types = [self.keys.value("@type", it) for it in said.get(TYPE, ())]
        told = {self.keys.key(it): types if it == TYPE else [] for it in said}
        return {"@id": value.name, **told}

    def _heed(self, name: str) -> None:
        """It, and what it leads to."""
        waiting = [name]
        while waiting:
            name = waiting.pop()
            if name not in self._heeded and name in self.statements.about:
                self._heeded.add(name)
                values = (value for values in self.statements.about[name].values() for value in values)
                waiting += [value.name for value in values if isinstance(value, Node)]

    def others(self, root: set[str]) -> Iterator[Violation]:
        for subject, description in self.statements.about.items():
            if subject in self._heeded or subject in root:
                continue
            said = ", ".join(shortened(self.keys.key(predicate)) for predicate in list(description)[:3])
            name = "a blank node" if subject.startswith("_:") else self._shown(subject)
            message = f"Leave out what is said of {name} ({said}): only the resource itself is written here."
            yield Violation(self._shown(subject, blank=""), message, "#", "subject")

    def graphs(self) -> Iterator[Violation]:
        for name in self.statements.graphs:
            own = name == self.base
            shown = "" if own else self._shown(name, blank="")
            named = "of the resource's own name" if own else shown or "without a name"
            message = f"Leave out the graph {named}: only the default graph is read."
            yield Violation(shown, message, "#", "graph")

    def _shown(self, name: str, blank: str = "a blank node") -> str:
        """What is relative to the address of what is made is shown as it was written."""
        if name.startswith("_:"):
            return blank
        return shortened(name.removeprefix(self.base) if name != self.base else name)


def _unclear(names: list[str]) -> Violation:
    kind = "blank nodes that nothing refers to" if names[0].startswith("_:") else "nodes"
    message = f"Say which of {len(names)} {kind} is the resource: say what you say of it of <>, the null IRI."
    return Violation("", message, "#", "subject")
