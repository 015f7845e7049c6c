"""The entry point: where to begin, the same for every caller."""

from __future__ import annotations

from app.addresses import ACTIVITIES, ENTRYPOINT, HANDLE, ROOT
from app.contract.contract import Contract
from app.exchange import Exchange, Representation
from app.protocol.links import link_template_field
from app.representation.collections import member_assertion
from app.representation.nodes import NodeObject, operation_node, top_level

# The classes of the collections that hold everything, by their paths.
COLLECTIONS = {
    ENTRYPOINT["organizations"]: "OrganizationCollection",
    ENTRYPOINT["instances"]: "InstanceCollection",
    ACTIVITIES: "ActivityCollection",
}


async def begin(exchange: Exchange) -> Representation:
    return Representation(status=303, location=exchange.contract.base + ROOT)


def node(contract: Contract) -> NodeObject:
    """Its collections twice: by the links that the documentation describes, and as `hydra:collection`."""
    links = {key: contract.base + path for key, path in ENTRYPOINT.items()}
    entrypoint = {
        "@id": contract.base + ROOT,
        "@type": "Entrypoint",
        **links,
        "instance_by_handle": _look_up(contract),
        "collection": [
            {
                "@id": contract.base + path,
                "@type": "Collection",
                "memberAssertion": member_assertion(contract, contract.classes[name]),
            }
            for path, name in COLLECTIONS.items()
        ],
    }
    operations = [operation_node(contract, it) for it in contract.promises["Entrypoint"].values()]
    return top_level(contract, entrypoint, operations)


def link_templates(contract: Contract, node: NodeObject) -> str:
    """What is looked up from a node, for those who read header fields: the Hydra templates, under the names
    that the vocabulary has for links and variables."""
    namespace = contract.sources.namespace
    return link_template_field(
        (value["template"], namespace + key, namespace)
        for key, value in node.items()
        if isinstance(value, dict) and value.get("@type") == "IriTemplate"
    )


def _look_up(contract: Contract) -> NodeObject:
    return {
        "@type": "IriTemplate",
        "template": contract.base + HANDLE,
        "variableRepresentation": "hydra:BasicRepresentation",
        "mapping": [
            {"@type": "IriTemplateMapping", "variable": "handle", "property": "handle", "required": True}
        ],
    }
