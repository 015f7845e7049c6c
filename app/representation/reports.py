"""Violations as a SHACL engine reports them (SHACL section 3.6)."""

from __future__ import annotations

import re
from typing import Any

from app.contract.contract import Contract
from app.contract.shapes import content_shape
from app.problems import Problem, Violation

NodeObject = dict[str, Any]
# What was made shorter is none.
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\x00-\x20<>\"{}|\\^`…]+")


def report_node(contract: Contract, problem: Problem, occurrence: str, operation: str | None) -> NodeObject:
    """By the problem's context. What was to be made has no address yet: the occurrence gives it a name."""
    focus = problem.focus or f"{occurrence}-content"
    results = [
        {
            "@id": f"{occurrence}-result-{number}",
            "@type": "ValidationResult",
            "focusNode": focus,
            **_where(contract, item, operation),
            "resultSeverity": "sh:Violation",
            "sourceConstraintComponent": component(contract, item.code),
            "resultMessage": item.message,
        }
        for number, item in enumerate(problem.violations, 1)
    ]
    return {"@id": f"{occurrence}-report", "@type": "ValidationReport", "conforms": False, "result": results}


def component(contract: Contract, code: str) -> str:
    """A code that is a parameter of SHACL gives its constraint component a name: `maxLength`, the component
    `sh:MaxLengthConstraintComponent`. Of other codes the vocabulary tells it."""
    return f"sh:{contract.components.get(code) or f'{code[0].upper()}{code[1:]}ConstraintComponent'}"


def _where(contract: Contract, item: Violation, operation: str | None) -> NodeObject:
    """The property, where it is one of ours or told by its whole IRI, and the published shape that speaks of
    it; where none speaks of the property, that of the whole content."""
    key = item.property_path
    path = "rdf:type" if key == "@type" else contract.keys.get(key)
    if path is None and item.code == "unknown" and _IRI.fullmatch(key):
        path = key
    found = {"resultPath": path} if path else {}
    promised = contract.operations.get(operation or "")
    if promised is None or promised.expects is None:
        return found
    property_ = contract.classes[promised.expects].properties.get(key)
    spoken_of = key == "@type" or (property_ is not None and property_.writable)
    return found | {"sourceShape": content_shape(contract.base, promised.name, key if spoken_of else None)}
