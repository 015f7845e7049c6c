"""Reading `vocab/` and `contexts/`: which triples and terms there are, and which file says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from rdflib import Graph
from rdflib.namespace import RDF, RDFS
from rdflib.term import Node, URIRef

from app.contract.faults import ContractFault
from app.contract.namespaces import HYDRA, SHACL
from app.contract.turtle import Triple, read_turtle

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS_FOLDER = "contexts/v1"
# The one value that depends on the deployment.
_UNFILLED = re.compile(r'("registry"\s*:\s*)null')
# JSON-LD 1.0 processors read our contexts (API.md section 6): these came with 1.1, or fetch something.
REFUSED_KEYWORDS = {
    "@version",
    "@import",
    "@protected",
    "@propagate",
    "@context",
    "@nest",
    "@json",
    "@direction",
}


@dataclass(frozen=True)
class Term:
    """One key of a context: the IRI that it stands for and how its values are read (`@id`, a datatype)."""

    key: str
    iri: str
    coercion: str | None
    container: str | None
    reverse: bool = False


@dataclass(frozen=True)
class Context:
    """A published context: its file's name and the SHA-256 of what is written there; what is served, as bytes
    and as read, in which the vocabulary's prefix is filled in; and its terms by key."""

    name: str
    written: str
    content: bytes
    document: Mapping[str, Any]
    terms: Mapping[str, Term]

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """By the IRIs that they stand for."""
        return {term.iri: term.key for term in self.terms.values() if not term.reverse}

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """By what can be shortened with them, in the order of the file."""
        return {term.iri: term.key for term in self.terms.values() if term.iri.endswith(("#", "/"))}


@dataclass(frozen=True)
class Sources:
    """Everything the contract is made from, below `root`. `files` names the file that first describes a
    subject."""

    base: str
    root: Path
    graph: Graph
    files: Mapping[Node, str]
    contexts: Mapping[str, Context]

    @property
    def namespace(self) -> str:
        return f"{self.base}/vocab#"

    def fault(self, subject: Node, fault: str) -> ContractFault:
        return ContractFault(self.files.get(subject, "vocab"), self.shorten(subject), fault)

    def shorten(self, subject: Node) -> str:
        """As the files write it: `<#Instance>`."""
        text = str(subject)
        return f"<{text.removeprefix(f'{self.base}/').removeprefix('vocab')}>"


def read_sources(base: str, root: Path = ROOT) -> Sources:
    """Read every file of both folders. Raises `ContractFault` for what cannot be read."""
    # The store that knows one graph only takes half as long.
    graph = Graph("SimpleMemory", bind_namespaces="none")
    files: dict[Node, str] = {}
    for path in sorted((root / "vocab").glob("*.ttl")):
        name = f"vocab/{path.name}"
        triples, prefixes = _parse(path, name, base)
        for subject in by_iri(subject for subject, _, _ in triples):
            if str(subject).startswith(f"{base}/") and subject in files:
                term = str(subject).removeprefix(f"{base}/").removeprefix("vocab")
                raise ContractFault(name, f"<{term}>", f"it stands in {files[subject]} already")
            files.setdefault(subject, name)
        for triple in triples:
            graph.add(triple)
        for prefix, namespace in prefixes.items():
            graph.bind(prefix, namespace)
    _add_shapes(graph)
    _add_descriptions(graph)
    contexts = {
        path.name: _read_context(path, base) for path in sorted((root / CONTEXTS_FOLDER).glob("*.jsonld"))
    }
    sources = Sources(base, root, graph, files, contexts)
    _check_references(sources)
    return sources


def _parse(path: Path, name: str, base: str) -> tuple[list[Triple], Mapping[str, str]]:
    try:
        return read_turtle(path.read_bytes(), f"{base}/vocab")
    except SyntaxError as error:
        raise ContractFault(name, f"line {error.lineno}", "this is not Turtle") from error


def _add_shapes(graph: Graph) -> None:
    """A supported property that is a property shape holds for its class: said once, meant twice."""
    for owner, supported in list(graph.subject_objects(HYDRA.supportedProperty)):
        if (supported, RDF.type, SHACL.PropertyShape) in graph:
            graph.add((owner, SHACL.property, supported))


def _add_descriptions(graph: Graph) -> None:
    """A supported property of which nothing peculiar is said means what its property means."""
    for supported, property_ in list(graph.subject_objects(HYDRA.property)):
        meaning = graph.value(property_, RDFS.comment)
        is_supported = (supported, RDF.type, HYDRA.SupportedProperty) in graph
        if is_supported and meaning is not None and (supported, HYDRA.description, None) not in graph:
            graph.add((supported, HYDRA.description, meaning))


def _check_references(sources: Sources) -> None:
    """Every own term that is used is also described."""
    described = {str(subject) for subject in sources.graph.subjects()}
    own = (sources.namespace, f"{sources.base}/problems/")
    dangling = [
        (subject, node)
        for subject, predicate, object_ in sources.graph
        for node in (predicate, object_)
        if isinstance(node, URIRef) and str(node).startswith(own) and str(node) not in described
    ]
    for subject, node in sorted(dangling, key=str)[:1]:
        raise sources.fault(subject, f"it refers to {sources.shorten(node)}, which no file describes")


def _read_context(path: Path, base: str) -> Context:
    name, written, namespace = f"{CONTEXTS_FOLDER}/{path.name}", path.read_bytes(), f"{base}/vocab#"
    try:
        content = _UNFILLED.sub(rf'\g<1>"{namespace}"', written.decode(), count=1)
        document = json.loads(content)
        entries = document["@context"]
    except (ValueError, KeyError, TypeError) as error:
        raise ContractFault(name, "@context", f"this is not a JSON-LD context ({error})") from error
    if not isinstance(entries, dict):
        raise ContractFault(name, "@context", "only one object, without remote contexts, is published")
    if entries.get("registry") != namespace:
        raise ContractFault(
            name, "registry", "it is not null, in whose place the vocabulary's address is set"
        )
    terms = {key: _read_term(name, key, value, entries) for key, value in entries.items()}
    return Context(path.name, sha256(written).hexdigest(), content.encode(), document, terms)


def _read_term(file: str, key: str, value: object, entries: dict[str, Any]) -> Term:
    if key.startswith("@"):
        raise ContractFault(
            file, key, "JSON-LD 1.0 processors do not know it, or it changes what all terms mean"
        )
    if isinstance(value, str):
        return Term(key, _expand(file, key, value, entries), None, None)
    if not isinstance(value, dict):
        raise ContractFault(file, key, "a term is an IRI or an object")
    refused = sorted((set(value) | set(map(str, value.values()))) & REFUSED_KEYWORDS)
    if refused:
        raise ContractFault(file, key, f"JSON-LD 1.0 processors do not know {refused[0]} in a term")
    reverse = "@reverse" in value
    iri = value.get("@reverse" if reverse else "@id")
    if not isinstance(iri, str):
        raise ContractFault(file, key, "it has no @id")
    coercion = value.get("@type")
    if coercion is not None and not coercion.startswith("@"):
        coercion = _expand(file, key, coercion, entries)
    return Term(key, _expand(file, key, iri, entries), coercion, value.get("@container"), reverse)


def _expand(file: str, key: str, value: str, entries: dict[str, Any]) -> str:
    prefix, colon, local = value.partition(":")
    if not colon:
        raise ContractFault(file, key, f"{value} is not an IRI")
    if local.startswith("//"):
        return value
    namespace = entries.get(prefix)
    if not isinstance(namespace, str):
        raise ContractFault(file, key, f"the prefix {prefix} is not defined")
    return namespace + local


def local_name(iri: Node | str) -> str:
    """`Instance` of `…/vocab#Instance`, `handle-taken` of `…/problems/handle-taken`."""
    return str(iri).rpartition("#")[2].rpartition("/")[2]


def by_iri(nodes: Iterable[Node]) -> list[Node]:
    """Each once, in an order that is the same in every process."""
    return sorted(set(nodes), key=str)


def as_iri(node: Node) -> URIRef:
    return URIRef(str(node))
