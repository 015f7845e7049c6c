"""Recipes: what is written of values at once is what is written of the nodes that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tortoise.fields import UUIDField

from app.addresses import ITEMS
from app.representation.collections import Collection
from app.representation.nodes import (
    Item,
    Members,
    OneByOne,
    Operations,
    dump,
    dump_plain,
    made,
    operation_node,
    plain,
    top_level,
)
from app.representation.recipes import Recipe
from app.storage.kinds import KINDS
from app.storage.statements import Statement, Table, of_postgres, of_sqlite, tells, value
from app.storage.tables import TIME_COLUMNS
from tests.promises import CONTRACT

# An activity is made one by one, and is no more than a node.
CLASSES = sorted(set(ITEMS) - {"Activity"})
OPERATIONS = Operations(operation_node(CONTRACT, it) for it in CONTRACT.promises["Instance"].values())
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.one_of(
    st.datetimes(), st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond // 100_000 * 100_000))
).map(lambda at: f"{at.isoformat(timespec='microseconds')}Z")


# Made once, as Hypothesis takes longer to look through a strategy than to draw from it.
@cache
def values_of(class_name: str) -> st.SearchStrategy[Mapping[str, Any]]:
    """As storage reads them: ids and times are what they are, and all else is any text; much may be missing,
    but not what its own address needs."""
    own = {name for name in KINDS[class_name].values if f"{{{name}}}" in ITEMS[class_name]}
    columns = KINDS[class_name].model._meta.fields_map

    def value(key: str) -> st.SearchStrategy[Any]:
        # What is no column under its own name is made of another one, which is an id too.
        is_id = isinstance(columns[key], UUIDField) if key in columns else key.endswith("_id")
        if is_id:
            return st.uuids().map(str)
        return TIMES if key in TIME_COLUMNS else TEXTS

    return st.fixed_dictionaries(
        {
            key: value(key) if key in own else st.one_of(value(key), value(key), st.none())
            for key in KINDS[class_name].values
        }
    )


@cache
def several(class_name: str, least: int, most: int) -> st.SearchStrategy[Sequence[Mapping[str, Any]]]:
    return st.lists(values_of(class_name), min_size=least, max_size=most)


@cache
def recipe_of(class_name: str, *hidden: str) -> Recipe:
    return Recipe(CONTRACT, class_name, hidden)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("class_name", CLASSES)
@given(data=st.data())
def test_a_page_says_in_json_what_its_nodes_say(class_name: str, hidden: bool, data: st.DataObject) -> None:
    definition = CONTRACT.classes[class_name]
    links = [key for key, it in definition.properties.items() if it.link]
    recipe = recipe_of(class_name, *(links if hidden else ()))
    values = data.draw(several(class_name, 1, 4))
    others = data.draw(several(class_name, 0, 2))
    members = Members(
        [(recipe, values), (OneByOne(CONTRACT, recipe.node), others)] if others else [(recipe, values)]
    )
    nodes = [recipe.node(it) for it in (*values, *others)]
    assert members.nodes == nodes
    assert members.addresses == [node["@id"] for node in nodes]
    assert len(members) == len(nodes)
    assert orjson.loads(f"[{members.text()}]") == nodes
    assert members.text().encode() == orjson.dumps(nodes)[1:-1]
    plain_nodes = [plain(CONTRACT, node) for node in nodes]
    assert members.plain_text().encode() == orjson.dumps(plain_nodes)[1:-1]


@pytest.mark.parametrize("operations", [Operations(), OPERATIONS])
@pytest.mark.parametrize(
    "class_name", [it for name in CLASSES if (it := f"{name}Collection") in CONTRACT.classes]
)
@given(
    total=st.none() | st.integers(0, 10**12),
    addresses=st.lists(TEXTS, min_size=3, max_size=3),
    view=st.dictionaries(st.sampled_from(["first", "last", "next", "previous"]), TEXTS),
    data=st.data(),
)
def test_a_collection_says_in_json_what_its_node_says(
    class_name: str,
    operations: Operations,
    total: int | None,
    addresses: list[str],
    view: Mapping[str, str],
    data: st.DataObject,
) -> None:
    """Its addresses may be any text here."""
    definition = CONTRACT.classes[class_name]
    member = str(definition.member)
    values = data.draw(several(member, 0, 2))
    members = Members([(recipe_of(member), values)] if values else [])
    address, whole, here = addresses
    page = Collection(
        CONTRACT,
        definition,
        address,
        operations,
        whole=whole,
        total=total,
        members=members,
        here=here,
        view=view,
    )
    node = made(page)
    assert [*node][:3] == ["@context", "@id", "@type"]
    assert (node["@id"], node["view"]["@id"], node.get("totalItems")) == (whole, here, total)
    assert node["member"] == members.nodes
    assert node["search"]["template"].startswith(f"{address}{{?")
    assert dump(page) == dump(node)
    assert dump_plain(CONTRACT, page) == dump(plain(CONTRACT, node))


@pytest.mark.parametrize("operations", [Operations(), OPERATIONS])
@pytest.mark.parametrize("class_name", CLASSES)
@given(data=st.data())
def test_an_item_says_in_json_what_its_node_says(
    class_name: str, operations: Operations, data: st.DataObject
) -> None:
    recipe, values = recipe_of(class_name), data.draw(values_of(class_name))
    node = top_level(CONTRACT, recipe.node(values), operations)
    for maker in (recipe, OneByOne(CONTRACT, recipe.node)):
        item = Item(CONTRACT, maker, values, operations)
        assert dump(item) == dump(node)
        assert dump_plain(CONTRACT, item) == dump(plain(CONTRACT, node))
        assert item.address == node["@id"]
        assert made(item) == node


@pytest.mark.parametrize("statement", [of_sqlite, of_postgres])
@pytest.mark.parametrize("class_name", CLASSES)
@given(data=st.data())
def test_rows_are_written_as_they_came_as_they_are_when_they_are_looked_at(
    class_name: str, statement: Callable[[str], Statement], data: st.DataObject
) -> None:
    """Times as both databases tell them."""

    def told(at: str) -> str:
        if statement is of_sqlite:
            return f"{at[:10]} {at[11:26]}+00:00"
        # Without noughts at the end, and without a point where no other digit follows it.
        seconds, _, fraction = at[11:26].partition(".")
        return f"{at[:10]} {'.'.join(filter(None, (seconds, fraction.rstrip('0'))))}+00"

    recipe = recipe_of(class_name)
    values = data.draw(several(class_name, 2, 4))
    names = [*KINDS[class_name].values]
    raw = [
        tuple(told(row[name]) if name in TIME_COLUMNS and row[name] else row[name] for name in names)
        for row in values
    ]
    table = statement("SELECT").decoded(raw, lambda: names)
    assert isinstance(table, Table)
    assert recipe.text(table) == recipe.text([*table]) == recipe.text(values)
    assert recipe.plain_text(table) == recipe.plain_text(values)
    assert table == [*values]
    assert tells(table, names[0])
    assert not tells(table, "other")
    assert [value(table, 1, name) for name in names] == [values[1][name] for name in names]
    assert table.different(names) == {tuple(row) for row in raw}
    assert [table[0], table[-1]] == [values[0], values[-1]]
    assert [[*table[1:]], [*table[::-1]]] == [values[1:], values[::-1]]
