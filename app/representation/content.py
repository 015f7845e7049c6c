"""What a client sends: read by the contract's keys, checked against its shapes, every fault named at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.addresses import DATA_CONTEXT, item_path
from app.contract.contract import Contract
from app.contract.definitions import ClassDefinition, Property
from app.problems import Problem, Violation
from app.protocol.json_pointer import pointer
from app.protocol.strict_json import JSON

# What JSON-LD and Hydra clients send back beside the properties of the class.
IGNORED = {"operation"}
# An answer stays short, whatever was sent.
MAX_VIOLATIONS, SHOWN_LENGTH, NAMED = 100, 64, 10
REMOVED = "This is required and cannot be removed."

Rule = Callable[[Mapping[str, Any]], Iterable[Violation]]


def read_content(
    contract: Contract,
    document: JSON,
    class_name: str,
    expects: str,
    current: Mapping[str, Any] | None,
    *,
    partial: bool = False,
    rule: Rule | None = None,
) -> dict[str, Any]:
    """The writable values by key, those that are null left out. `current` is the node object that is changed.

    With `partial` a required member may be missing, as in a merge patch. `rule` tells what is wrong with the
    values taken together. Raises `invalid-content` with all that is wrong.
    """
    if not isinstance(document, dict):
        raise _invalid([Violation("", "This must be a JSON object.", "#", "type")], current)
    definition, expected = contract.classes[class_name], contract.classes[expects]
    violations: list[Violation] = []
    values: dict[str, Any] = {}
    for key, value in document.items():
        if len(violations) >= MAX_VIOLATIONS:
            break
        property_ = expected.properties.get(key)
        if property_ is None or not property_.writable:
            violations += _unwritable(contract, definition, expects, key, value, current)
        elif value is None:
            if property_.required:
                violations.append(violation(key, REMOVED, "required"))
        else:
            given = values[key] = reference(value) if property_.link else value
            violations += _said_beside(contract, property_, value) if property_.link else ()
            if not property_.shape.holds(given):
                violations += _failures(property_, given)
    if not partial:
        violations += [
            violation(key, "This is required.", "required")
            for key, property_ in expected.properties.items()
            if property_.required and key not in document
        ]
        violations += one_of(expected.alternatives, values)
    # What is wrong by itself is told as that.
    failed = {it.property_path for it in violations}
    violations += [it for it in (rule(values) if rule else ()) if it.property_path not in failed]
    if violations:
        raise _invalid(violations, current)
    return values


def _failures(property_: Property, value: JSON) -> list[Violation]:
    """Each once. Several values are told as such, and not as one of another type."""
    key = property_.key
    if isinstance(value, list) and len(value) > 1:
        return [violation(key, "Send one value, and not several.", "maxCount")]
    if isinstance(value, dict) and "@language" in value:
        return [violation(key, "Send it without a language.", "datatype")]
    failures = {failure.message: failure for failure in property_.shape.failures(value)}
    return [violation(key, failure.message, failure.code) for failure in failures.values()]


def one_of(keys: Sequence[str], values: Mapping[str, Any]) -> Iterator[Violation]:
    """Where there are keys, one of them has to have a value."""
    if keys and not any(key in values for key in keys):
        yield violation(keys[0], f"One of {' and '.join(keys)} is required.", "required")


def violation(key: str, message: str, code: str) -> Violation:
    shown = shortened(key)
    return Violation(shown, message, pointer(shown), code)


def shortened(text: str) -> str:
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


def invalid(*violations: Violation, current: Mapping[str, Any] | None = None) -> Problem:
    return _invalid(list(violations), current)


def _invalid(violations: list[Violation], current: Mapping[str, Any] | None) -> Problem:
    named = sorted({item.property_path for item in violations if item.property_path})
    named = named if len(named) <= NAMED else [*named[:NAMED], "others"]
    detail = f"Correct {', '.join(named)} and send it again." if named else violations[0].message
    focus = str(current["@id"]) if current is not None else None
    return Problem("invalid-content", detail, violations=violations, focus=focus)


def reference(value: JSON) -> JSON:
    """A link is the address that it leads to, alone or as the `@id` of a node."""
    return value["@id"] if isinstance(value, dict) and "@id" in value else value


def _said_beside(contract: Contract, property_: Property, value: JSON) -> Iterator[Violation]:
    """Of the node that a link leads to nothing may be said here but what class it has, as it is."""
    if not isinstance(value, dict) or "@id" not in value:
        return
    class_ = _class_led_to(contract, property_)
    names = {class_.name, class_.iri} if class_ else set[str]()
    types = value.get("@type", [])
    of_class = all(
        isinstance(it, str) and it in names for it in (types if isinstance(types, list) else [types])
    )
    if not of_class:
        known = class_.name if class_ else "its class"
        yield violation(property_.key, f"Leave its class out, or say {known}.", "type")
    said = [key for key in value if key not in ("@id", "@type")]
    if said:
        shown = ", ".join(shortened(key) for key in said[:3])
        message = f"Leave out what is said of it ({shown}): only the resource itself is written here."
        yield violation(property_.key, message, "subject")


def _class_led_to(contract: Contract, property_: Property) -> ClassDefinition | None:
    promise = property_.promise or ""
    return contract.classes.get(contract.ranges.get(promise, promise))


def _unwritable(
    contract: Contract,
    definition: ClassDefinition,
    expects: str,
    key: str,
    value: JSON,
    current: Mapping[str, Any] | None,
) -> Iterator[Violation]:
    """Members that only the service writes must say what is so, or are ignored; all others are unknown."""
    property_ = definition.properties.get(key)
    if key in IGNORED or (property_ is not None and property_.ignored):
        return
    if key == "@context":
        if value != contract.base + DATA_CONTEXT:
            address = contract.base + DATA_CONTEXT
            yield violation(key, f"Leave it out, or name this service's own: {address}.", "context")
    elif key == "@type":
        names = {definition.name, definition.iri, expects, contract.classes[expects].iri}
        given = value if isinstance(value, list) else [value]
        if not given or not all(isinstance(name, str) and name in names for name in given):
            yield violation(key, f"This must be {definition.name}.", "type")
    elif value is None and property_ is not None and property_.required and key in (current or {key}):
        yield violation(key, REMOVED, "required")
    elif property_ is not None and (beside := [*_said_beside(contract, property_, value)]):
        yield from beside
    elif key in ("@id", "originId") or property_ is not None:
        said = reference(value)
        so = _says_what_is_so(key, said, current) or _led_there(contract, property_, said, current)
        if (value is not None or current is not None) and not so:
            message = "The service sets this; leave it out." if current is None else "This cannot be changed."
            yield violation(key, message, "readOnly")
    else:
        yield violation(key, f"{definition.name} has no such member.", "unknown")


def _led_there(
    contract: Contract, property_: Property | None, value: JSON, current: Mapping[str, Any] | None
) -> bool:
    """Whether a link led there until that was gone: whoever read it before may send it back, for its id is
    as it was."""
    class_ = _class_led_to(contract, property_) if property_ is not None else None
    if class_ is None or property_ is None or current is None or property_.key in current:
        return False
    identifier = current.get(f"{property_.key}_id")
    return identifier is not None and value == contract.base + item_path(class_.name, {"id": identifier})


def _says_what_is_so(key: str, value: JSON, current: Mapping[str, Any] | None) -> bool:
    """What the record does not have, or what only a client keeps, may be null.

    The null relative IRI is the address of the resource, of one that is created too (LDP section 5.2.3.7).
    """
    if current is None or (key, value) == ("@id", ""):
        return (key, value) == ("@id", "")
    if value is None:
        return key not in current
    if key in ("id", "originId"):
        return value in (current["id"], current["@id"])
    return bool(value == current.get(key))
