"""Problems as node objects (RFC 9457, with JSON-LD and Hydra inside)."""

from __future__ import annotations

from typing import Any

from app.contract.contract import Contract
from app.problems import Problem
from app.representation.reports import report_node

NodeObject = dict[str, Any]
MEDIA_TYPE = "application/problem+json"


# What only those look for who read JSON-LD.
INSIDE = ("description", "report")


def problem_node(
    contract: Contract, problem: Problem, request_id: str, operation: str | None = None
) -> NodeObject:
    """With its context inline: an error can be read when nothing else can be had from the service."""
    kind = contract.problems[problem.type]
    occurrence = f"{kind.iri}#{request_id}"
    node: NodeObject = {
        "@context": contract.sources.contexts["problem.jsonld"].document["@context"],
        "@id": occurrence,
        "@type": "Error",
        "type": kind.iri,
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        "instance": occurrence,
        "description": problem.detail,
    }
    if problem.violations:
        node["violations"] = [
            {
                "@id": f"{occurrence}-{number}",
                "@type": "Violation",
                "propertyPath": item.property_path,
                "message": item.message,
                "pointer": item.pointer,
                "code": item.code,
            }
            for number, item in enumerate(problem.violations, 1)
        ]
        # A conflict breaks no shape: another state may allow it.
        if kind.name == "invalid-content":
            node["report"] = report_node(contract, problem, occurrence, operation)
    if problem.available:
        node["available"] = [
            {
                "@id": f"{occurrence}-{number}",
                "@type": "Representation",
                "mediaType": item.media_type,
                **({"profile": list(item.profile)} if item.profile else {}),
                "address": item.address,
            }
            for number, item in enumerate(problem.available, 1)
        ]
    if problem.gone is not None:
        node["tombstone"] = {
            "@id": contract.base + problem.gone.path,
            "@type": "Tombstone",
            "formerType": contract.classes[problem.gone.former_type].iri,
            "deleted": problem.gone.deleted,
        }
    return node


def without_json_ld(value: Any) -> Any:
    """For who prefers plain JSON: the same without `@…`, and without what only other clients look for."""
    if isinstance(value, dict):
        return {
            key: without_json_ld(item)
            for key, item in value.items()
            if key not in INSIDE and (not key.startswith("@") or "formerType" in value)
        }
    return [without_json_ld(item) for item in value] if isinstance(value, list) else value
