"""What is published, told to those who look for data: the list of contexts, and the dataset (VoID, DCAT)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from rdflib import Namespace
from rdflib.namespace import DCTERMS, RDFS
from rdflib.term import Literal, URIRef

from app.addresses import CONTEXTS_INDEX, DATASET, ENTRYPOINT, ROOT
from app.contract.contract import Contract, subjects, text
from app.contract.namespaces import HYDRA
from app.contract.pins import is_released
from app.contract.sources import CONTEXTS_FOLDER, Context, by_iri

NodeObject = dict[str, Any]
CONTEXT = "catalog.jsonld"
FORMATS = Namespace("http://www.w3.org/ns/formats/")
# What DCAT calls media types by.
MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"


def contexts_index(contract: Contract) -> NodeObject:
    """The contexts with the digests of what is served, by which whoever keeps one knows it again."""
    members = [_context(contract, context) for context in contract.sources.contexts.values()]
    return {
        **_described(contract, CONTEXTS_INDEX, "Collection"),
        "totalItems": len(members),
        "member": members,
    }


def _context(contract: Contract, context: Context) -> NodeObject:
    return _node(contract, f"/{CONTEXTS_FOLDER}/{context.name}", "MediaObject") | {
        "version": CONTEXTS_FOLDER.rpartition("/v")[2],
        "creativeWorkStatus": "Published" if is_released(contract.sources) else "Draft",
        "encodingFormat": "application/ld+json",
        "sha256": sha256(context.content).hexdigest(),
    }


def dataset(contract: Contract, collections: Mapping[str, str], media_types: Sequence[str]) -> NodeObject:
    """Of `collections`, the classes by their paths, each of which is to be had in `media_types`."""
    base, address = contract.base, contract.base + DATASET
    media_types = list(dict.fromkeys(media_type.partition(";")[0] for media_type in media_types))
    told = _told(contract)
    parts = [_part(contract, path, name, media_types) for path, name in collections.items()]
    addresses = [part["@id"] for part in parts]
    service = {
        "@id": base + ROOT,
        "@type": "DataService",
        **told,
        "endpointURL": base + ROOT,
        "endpointDescription": base + ENTRYPOINT["documentation"],
        "servesDataset": addresses,
    }
    topic = {
        "@id": f"{address}#registry",
        "@type": ["Catalog", "void:Dataset"],
        **told,
        "rootResource": base + ROOT,
        "uriSpace": base + ROOT,
        "vocabulary": list(_vocabularies(contract)),
        "feature": list(_formats(contract, media_types)),
        "classPartition": addresses,
        "dataset": parts,
        "service": service,
    }
    return _described(contract, DATASET, "DatasetDescription") | {"primaryTopic": topic}


def _told(contract: Contract) -> NodeObject:
    """The dataset and the service are called as the ApiDocumentation calls what it documents."""
    [node] = subjects(contract.sources, HYDRA.ApiDocumentation)
    found = {key: text(contract.sources, node, HYDRA[key]) for key in ("title", "description")}
    return {key: value for key, value in found.items() if value}


def _part(contract: Contract, path: str, class_name: str, media_types: Sequence[str]) -> NodeObject:
    """A collection is all there is of its members' class."""
    collection, address = contract.classes[class_name], contract.base + path
    comment = text(contract.sources, URIRef(collection.iri), RDFS.comment)
    return {
        "@id": address,
        "@type": ["Dataset", "void:Dataset"],
        "title": collection.label,
        **({"description": comment} if comment else {}),
        "class": contract.classes[collection.member or ""].iri,
        "distribution": [
            {
                "@id": f"{contract.base}{DATASET}#{path.rpartition('/')[2]}-{media_type.partition('/')[2]}",
                "@type": "Distribution",
                "accessURL": address,
                "accessService": contract.base + ROOT,
                "mediaType": MEDIA_TYPES + media_type,
            }
            for media_type in media_types
        ],
    }


def _vocabularies(contract: Contract) -> Iterator[str]:
    """The namespaces of the words that data is written in; of our own the ontology, which describes them."""
    sources = contract.sources
    iris = [term.iri for term in sources.contexts["registry.jsonld"].terms.values()]
    for namespace in iris:
        used = any(iri.startswith(namespace) and iri != namespace for iri in iris)
        if namespace.endswith(("#", "/")) and used:
            yield namespace if namespace != sources.namespace else f"{sources.base}/vocab"


def _formats(contract: Contract, media_types: Sequence[str]) -> Iterator[str]:
    """Of those media types that hold triples."""
    for media_type in media_types:
        found = contract.sources.graph.subjects(FORMATS.media_type, Literal(media_type))
        yield from map(str, by_iri(found))


def _described(contract: Contract, path: str, type_: str) -> NodeObject:
    address = f"{contract.base}/{CONTEXTS_FOLDER}/{CONTEXT}"
    return {"@context": address, **_node(contract, path, type_)}


def _node(contract: Contract, path: str, type_: str) -> NodeObject:
    node = URIRef(contract.base + path)
    return {
        "@id": str(node),
        "@type": type_,
        "title": title(contract, path),
        "description": text(contract.sources, node, DCTERMS.description),
    }


def title(contract: Contract, path: str) -> str | None:
    """Of what is published at a path."""
    return text(contract.sources, URIRef(contract.base + path), HYDRA.title, DCTERMS.title)
