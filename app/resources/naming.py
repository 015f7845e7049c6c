"""Content that names an organization, by `organization_id` or by the link `organization`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.addresses import ITEMS
from app.contract.contract import Contract
from app.problems import Violation
from app.protocol.strict_json import JSON
from app.representation.content import Rule, one_of, reference, violation

LINK, KEY = "organization", "organization_id"


def names_one(contract: Contract, parent: str | None = None, *, needed: bool = False) -> Rule:
    """The path and both members name one organization, if they name any; one has to where that is `needed`
    though the class does not say so."""

    def disagreements(values: Mapping[str, Any]) -> Iterator[Violation]:
        named = _identifiers(contract, values)
        if needed:
            yield from one_of((KEY, LINK), values)
        first, expected = "the address", parent
        for key, identifier in named.items():
            if identifier is None:
                yield _no_address(contract, key)
            elif expected is None:
                first, expected = key, identifier
            elif identifier != expected:
                yield violation(key, f"This names another organization than {first} does.", "reference")

    return disagreements


def named_id(contract: Contract, values: Mapping[str, Any]) -> str:
    """The organization that values, which `names_one` has passed, name."""
    return str(next(iter(_identifiers(contract, values).values())))


def likely_id(contract: Contract, document: JSON) -> list[str]:
    """The organizations that content not yet judged seems to name: what to lock before it is judged."""
    named = _identifiers(contract, document) if isinstance(document, dict) else {}
    return [str(identifier) for identifier in named.values() if _is_identifier(contract, identifier)]


def _no_address(contract: Contract, key: str) -> Violation:
    address = contract.base + ITEMS["Organization"]
    return violation(key, f"This must be the address of an organization, {address}.", "reference")


def not_usable(key: str) -> Violation:
    return violation(key, "This does not name an organization that can be used here.", "reference")


def key_used(values: Mapping[str, Any]) -> str:
    return KEY if KEY in values else LINK


def _identifiers(contract: Contract, values: Mapping[str, Any]) -> dict[str, str | None]:
    """The organizations that the members name, by key."""
    named: dict[str, str | None] = {}
    if KEY in values:
        named[KEY] = values[KEY] if _is_identifier(contract, values[KEY]) else None
    if LINK in values:
        named[LINK] = _identifier(contract, reference(values[LINK]))
    return named


def _identifier(contract: Contract, address: object) -> str | None:
    """The id in the address of an organization; None for anything else."""
    if not isinstance(address, str):
        return None
    before, after = (contract.base + ITEMS["Organization"]).split("{id}")
    identifier = address.removeprefix(before).removesuffix(after)
    is_one = address == f"{before}{identifier}{after}" and _is_identifier(contract, identifier)
    return identifier if is_one else None


def _is_identifier(contract: Contract, value: object) -> bool:
    return not any(contract.classes["Organization"].properties["id"].shape.failures(value))
