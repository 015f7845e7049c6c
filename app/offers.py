"""Offers: what a caller may do and follow, worked out once for each combination of what it is and may."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from app.contract.contract import Contract
from app.representation.nodes import Operations, operation_node
from app.representation.recipes import Recipe
from app.security.rights import may

# Of a caller's token, None where there is none; and what it is to a resource, or methods.
Scopes: TypeAlias = frozenset[str] | None
Names: TypeAlias = frozenset[str]
# Beyond any number of combinations of roles, scopes and states that there are.
_REMEMBERED = 4_096


class Offers:
    """Of one contract. Nothing here depends on a record but by the roles and the state that it is given."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._nodes = {name: operation_node(contract, it) for name, it in contract.operations.items()}
        self.operations = lru_cache(_REMEMBERED)(self._operations)
        self.recipe = lru_cache(_REMEMBERED)(self._recipe)
        self.unlinked = lru_cache(_REMEMBERED)(self._unlinked)
        self.reads = lru_cache(_REMEMBERED)(self._reads)

    def _operations(
        self, promise: str, granted: Scopes, roles: Names, withheld: Names = frozenset()
    ) -> Operations:
        """What the caller may do now, being this to the resource; its state may withhold methods."""
        return Operations(
            self._nodes[it.name]
            for it in self._contract.promises[promise].values()
            if it.method not in withheld and may(granted, it, roles)
        )

    def _recipe(self, class_name: str, granted: Scopes, roles: Names) -> Recipe:
        """Of node objects without the links that the caller could not follow."""
        properties = self._contract.classes[class_name].properties
        hidden = [key for key in properties if not self._reads(properties[key].promise or "", granted, roles)]
        return Recipe(self._contract, class_name, hidden)

    def _unlinked(self, class_name: str) -> Recipe:
        """Of node objects for who could follow none of the links."""
        properties = self._contract.classes[class_name].properties
        return Recipe(self._contract, class_name, [key for key in properties if properties[key].link])

    def _reads(self, promise: str, granted: Scopes, roles: Names) -> bool:
        """Whether the caller may read what is there, or nothing is promised of it."""
        reading = self._contract.promises.get(promise, {}).get("GET")
        return reading is None or may(granted, reading, roles)
