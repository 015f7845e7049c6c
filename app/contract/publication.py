"""What a deployment says of the vocabulary that it publishes, beside what the files say."""

from __future__ import annotations

from dataclasses import dataclass

from rdflib import Literal, URIRef
from rdflib.namespace import DCTERMS, VANN, XSD

from app.contract.sources import Sources


@dataclass(frozen=True)
class Publication:
    """The IRIs of its licence, of who made it and of who publishes it; none where nothing is said."""

    license: str | None = None
    creator: str | None = None
    publisher: str | None = None


def publish(sources: Sources, publication: Publication) -> None:
    """The graph says it afterwards, and which namespace the terms are in: that depends on the address."""
    ontology = URIRef(f"{sources.base}/vocab")
    sources.graph.add((ontology, VANN.preferredNamespaceUri, Literal(sources.namespace, datatype=XSD.anyURI)))
    said = (
        (DCTERMS.license, publication.license),
        (DCTERMS.creator, publication.creator),
        (DCTERMS.publisher, publication.publisher),
    )
    for predicate, iri in said:
        if iri is not None:
            sources.graph.add((ontology, predicate, URIRef(iri)))
