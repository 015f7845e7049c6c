"""Collections: a page, and what the contract says of all pages of a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from json.encoder import encode_basestring
from urllib.parse import quote

import orjson

from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.representation.nodes import Members, NodeObject, Operations, Unmade, begun, top_level

# Stands where an address will, in what is written once for all lists of a class.
_SOMEWHERE = "~~somewhere~~"


@dataclass(eq=False)
class Collection(Unmade):
    """One page of a list. `address` is the list's own, `whole` that of all that was asked for, `here` that of
    the page, and `view` leads to other pages."""

    contract: Contract
    definition: ClassDefinition
    address: str
    operations: Operations
    whole: str
    total: int | None
    members: Members
    here: str
    view: Mapping[str, str]

    @cached_property
    def node(self) -> NodeObject:
        node: NodeObject = {
            "@id": self.whole,
            "@type": ["Collection", self.definition.name],
            **({} if self.total is None else {"totalItems": self.total}),
            "member": self.members.nodes,
            "view": {"@id": self.here, "@type": "PartialCollectionView", **self.view},
            **_described(self.contract, self.definition, self.address),
        }
        return top_level(self.contract, node, self.operations)

    def written(self) -> bytes:
        before, behind = _written_description(self.contract, self.definition)
        view = "".join([f',"{key}":{encode_basestring(it)}' for key, it in self.view.items()])
        return (
            f'{begun(self.contract.base)}"@id":{encode_basestring(self.whole)},'
            f'"@type":["Collection","{self.definition.name}"],'
            f'{self._counted}"member":[{self.members.text()}],'
            f'"view":{{"@id":{encode_basestring(self.here)},"@type":"PartialCollectionView"{view}}},'
            f"{before}{encode_basestring(self.address)[1:-1]}{behind}{self.operations.written}}}"
        ).encode()

    def written_plain(self) -> bytes:
        view = ",".join([f'"{key}":{encode_basestring(it)}' for key, it in self.view.items()])
        members = self.members.plain_text()
        return f'{{{self._counted}"member":[{members}],"view":{{{view}}}}}'.encode()

    @property
    def _counted(self) -> str:
        return "" if self.total is None else f'"totalItems":{self.total},'


def _described(contract: Contract, definition: ClassDefinition, address: str) -> NodeObject:
    return {
        "search": search(definition, address),
        "memberAssertion": member_assertion(contract, definition),
    }


@lru_cache(maxsize=64)
def _written_description(contract: Contract, definition: ClassDefinition) -> tuple[str, str]:
    """As `_described`: the members of an object, before the address and behind it."""
    written = orjson.dumps(_described(contract, definition, _SOMEWHERE))[1:-1].decode()
    before, _, behind = written.partition(_SOMEWHERE)
    return before, behind


def search(definition: ClassDefinition, address: str) -> NodeObject:
    """The template of a list's query, where no variable's name has brackets (RFC 6570 section 2.3)."""
    names, mapping = _variables(definition)
    return {
        "@type": "IriTemplate",
        "template": f"{address}{{?{names}}}",
        "variableRepresentation": "hydra:BasicRepresentation",
        "mapping": mapping,
    }


@lru_cache(maxsize=64)
def _variables(definition: ClassDefinition) -> tuple[str, list[NodeObject]]:
    names = ",".join(quote(variable.name, safe="") for variable in definition.variables)
    mapping: list[NodeObject] = [
        {
            "@type": "IriTemplateMapping",
            "variable": variable.name,
            "property": variable.key or f"hydra:{variable.meaning}",
            "required": variable.required,
        }
        for variable in definition.variables
    ]
    return names, mapping


def member_assertion(contract: Contract, definition: ClassDefinition) -> NodeObject:
    """Every member is of the class: the node that the vocabulary describes."""
    return _asserted(definition.iri, contract.classes[str(definition.member)].iri)


@lru_cache(maxsize=64)
def _asserted(collection: str, member: str) -> NodeObject:
    return {
        "@id": f"{collection}-assertion",
        "@type": "hydra:Resource",
        "property": "rdf:type",
        "hydra:object": {"@id": member},
    }
