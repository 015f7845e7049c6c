"""What the contract promises of a class, its tables have."""

from __future__ import annotations

import pytest

from app.addresses import ITEMS, LINKS
from app.contract.contract import Contract
from app.storage.kinds import KINDS

# What is made of several columns, or of other rows.
MADE = {"Organization": {"owners", "members"}, "Activity": {"object", "summary"}}


def test_every_class_that_has_an_address_has_a_table() -> None:
    assert set(KINDS) == set(ITEMS) == set(LINKS)


@pytest.mark.parametrize("name", KINDS)
def test_every_property_is_a_value_or_a_link(contract: Contract, name: str) -> None:
    kind, properties = KINDS[name], contract.classes[name].properties
    links = set(LINKS[name])
    assert set(properties) == (set(kind.values) & set(properties)) | links | MADE.get(name, set())
    assert {key for key, property_ in properties.items() if property_.link} <= links
    assert set(kind.keys) <= set(kind.values)


@pytest.mark.parametrize("name", KINDS)
def test_every_collection_has_one_default_order_and_can_be_ordered_by_values(
    contract: Contract, name: str
) -> None:
    for definition in contract.classes.values():
        if definition.member == name:
            orders = [variable for variable in definition.variables if variable.orders]
            assert len([variable for variable in orders if variable.default]) == 1
            assert {variable.key for variable in orders} <= set(KINDS[name].values)
