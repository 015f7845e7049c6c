"""Recipes: how node objects of a class are made from values, worked out once, for lists make dozens of them
in a request. They are written as Python and compiled, as dataclasses are, for that reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any, Protocol, TypeAlias

import orjson
from rdflib.namespace import XSD

from app.addresses import ITEMS, LINKS, item_path
from app.contract.contract import Contract
from app.contract.definitions import Property
from app.representation.nodes import NodeObject

Values: TypeAlias = Mapping[str, Any]
Write: TypeAlias = Callable[[Sequence[Values]], str]
# Of the values that an address is made of, of those in an expression, and of those a text has as they are.
_NAMES, _VALUES = re.compile(r"{(\w+)}"), re.compile(r'values\["(\w+)"\]')
_TOLD = re.compile(r'{values\["(\w+)"\]}')


class Recipe:
    """Of the node objects of a class, for who may not follow some of its links.

    `text` and `plain_text` are of several: as JSON-LD and as plain JSON, without an array's brackets. They
    say what the nodes do, octet for octet, and sooner than these are made and written.
    """

    def __init__(self, contract: Contract, class_name: str, hidden: Collection[str] = ()) -> None:
        """`hidden` are the keys of those links."""
        properties = contract.classes[class_name].properties
        shown = [definition for key, definition in properties.items() if key not in hidden]
        own = _address("@id", contract.base + ITEMS[class_name])
        addresses = {key: contract.base + template for key, template in LINKS[class_name].items()}
        members = [
            _address(it.key, addresses[it.key], own) if it.key in addresses else _value(it) for it in shown
        ]
        linked = [own, _Member("@type", repr(class_name), f'"{class_name}"'), *members]
        plain = [it for it in members if not properties[it.key].link]
        # What is compiled is of the contract and of this service's own templates.
        self._node, self._nodes, self.addresses = eval(  # noqa: S307
            f"(lambda values, get: {_object(linked)},"
            f" lambda several: [{_object(linked)} for values in several for get in (values.get,)],"
            f" lambda several: [{own.expression} for values in several])"
        )
        self.text, self.plain_text = _Writer(linked), _Writer(plain)

    def node(self, values: Values) -> NodeObject:
        """Without a context: `@id`, `@type`, what has a value, and the links, in the contract's order."""
        node: NodeObject = self._node(values, values.get)
        return _told(node) if None in node.values() else node

    def nodes(self, several: Sequence[Values]) -> list[NodeObject]:
        """As `node`, of each."""
        return [_told(node) if None in node.values() else node for node in self._nodes(several)]


@dataclass(frozen=True)
class _Member:
    """A key; an expression of its value, None for none, and what stands for it in the text of an f-string:
    both of `values` and their method `get`. `needed` are the values without which there is none."""

    key: str
    expression: str
    written: str
    needed: tuple[str, ...] = ()


def _value(definition: Property) -> _Member:
    key = definition.key
    # What is an id or a time stands in JSON as it is.
    clear = key == "id" or key.endswith("_id") or definition.shape.value_type == str(XSD.dateTime)
    function = "quoted" if definition.shape.value_type == str(XSD.string) else "dumped"
    written = f'"{{values["{key}"]}}"' if clear else f'{{{function}(values["{key}"])}}'
    return _Member(key, f"get({key!r})", written, (key,))


def _address(key: str, template: str, own: _Member | None = None) -> _Member:
    """None where one of its values is missing that the `own` address does not need."""
    text = _NAMES.sub(r'{values["\1"]}', template)
    given = _NAMES.findall(template)
    needed = tuple(name for name in given if own is not None and f'values["{name}"]' not in own.written)
    absent = " or ".join(f"get({name!r}) is None" for name in needed)
    address = f"f'{text}'"
    return _Member(key, f"None if {absent} else {address}" if absent else address, f'"{text}"', needed)


def _object(members: Sequence[_Member]) -> str:
    return f"{{{', '.join(f'{it.key!r}: {it.expression}' for it in members)}}}"


class Columns(Protocol):
    """Of rows as a database told them: `places` of values by name, the names that `row` gives to what is
    there (`at0`, `at1`), `parts` of an f-string that tell these, in which `known` are all other names, and
    what makes values of rows."""

    @property
    def places(self) -> Mapping[str, int]: ...

    @property
    def row(self) -> str: ...

    @property
    def parts(self) -> Mapping[str, str]: ...

    @property
    def known(self) -> Mapping[str, Any]: ...

    @property
    def decode(self) -> Callable[[Sequence[Sequence[Any]]], Sequence[Values]]: ...


class _Writer:
    """Writes several values, each of which becomes one formatted text where the same ones are missing as of
    the first, as it is in most lists; what is unlike that is made a node first. What has `columns` is written
    from its `raw` rows."""

    def __init__(self, members: Sequence[_Member]) -> None:
        self._members = members
        self._needed = tuple(dict.fromkeys(name for it in members for name in it.needed))
        # By what is missing, of which there is little in any class, and by columns.
        self._written: dict[tuple[Columns | None, tuple[str, ...]], Write] = {}

    def __call__(self, several: Sequence[Values]) -> str:
        columns: Columns | None = getattr(several, "columns", None)
        if columns is None:
            get = several[0].get
            missing = tuple([name for name in self._needed if get(name) is None])
        else:
            row, place = several.raw[0], columns.places.get  # type: ignore[attr-defined]  # has columns
            missing = tuple([it for it in self._needed if (at := place(it)) is None or row[at] is None])
        write = self._written.get((columns, missing))
        if write is None:
            write = self._written[columns, missing] = self._compiled(missing, columns)
        return write(several if columns is None else several.raw)  # type: ignore[attr-defined]  # has columns

    def _compiled(self, missing: Sequence[str], columns: Columns | None) -> Write:
        there = [it for it in self._members if not set(missing) & set(it.needed)]
        text = ",".join(f'"{it.key}":{it.written}' for it in there)
        made = f"told({_object(self._members)})"
        unlike = [
            f'values["{name}"] is {"not " if name in missing else ""}None'
            for name in self._needed
            if columns is None or name in columns.places
        ]
        names: dict[str, Any] = {
            "dumped": _dumped,
            "quoted": encode_basestring,
            "told": lambda node: _dumped(_told(node)),
        }
        of_each = "for values in several for get in (values.get,)"
        condition = " or ".join(unlike) or "False"
        if columns is None:
            condition = _VALUES.sub(r'get("\1")', condition)
        else:
            places, parts = columns.places, columns.parts
            text = _TOLD.sub(lambda it: parts[it[1]], text)
            text = _VALUES.sub(lambda it: f"at{places[it[1]]}", text)
            condition = _VALUES.sub(lambda it: f"at{places[it[1]]}", condition)
            made = f"[{made} {of_each.replace('several', f'decode([{columns.row}])')}][0]"
            of_each = f"for {columns.row} in several"
            names |= {**columns.known, "decode": columns.decode}
        source = f"lambda several: ','.join([{made} if {condition} else f'{{{{{text}}}}}' {of_each}])"
        write: Write = eval(source, names)  # noqa: S307 - as above
        return write


def _dumped(value: object) -> str:
    return orjson.dumps(value).decode()


def _told(node: NodeObject) -> NodeObject:
    return {key: value for key, value in node.items() if value is not None}


def activity_node(contract: Contract, recipe: Recipe, values: Values) -> NodeObject:
    """An activity: its type is one of ActivityStreams too, and each change in it a node. What another link
    leads to now is told by its address, as the link itself does."""
    parent = values["object_parent_id"]
    address = {"id": values["object_id"], "organization_id": parent, "instance_id": parent}
    own = f"{contract.base}{item_path('Activity', values)}#change-"
    changes = [
        {"@id": f"{own}{number}", "@type": "Change", **_linked(contract, values["object_class"], change)}
        for number, change in enumerate(orjson.loads(values["changes"]), 1)
    ]
    label = contract.classes[values["object_class"]].label
    told = {
        "object": contract.base + item_path(values["object_class"], address),
        "summary": f"{label} {contract.acts[values['type']]}",
        "changes": changes,
    }
    node = recipe.node({**values, **told})
    return {**node, "@type": ["Activity", values["type"]]}


def _linked(contract: Contract, class_name: str, change: Mapping[str, str]) -> Mapping[str, str]:
    template = LINKS.get(class_name, {}).get(change["property"])
    if template is None:
        return change
    before, _, behind = _NAMES.sub("~", template).partition("~")
    return {
        key: it if key == "property" else f"{contract.base}{before}{it}{behind}" for key, it in change.items()
    }
