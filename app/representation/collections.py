"""What the contract says of a collection, as it stands in the collection itself."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition
from app.representation.nodes import NodeObject


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
    """What all lists of a class have in common."""
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
