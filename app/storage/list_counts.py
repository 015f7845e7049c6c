"""How many there are in a list: by tallies where they tell it, else one by one, and not where that is much.

`$1` is the caller's partner.
"""

from __future__ import annotations

from app.storage.kinds import ANYTHING
from app.storage.shapes import Shape, callers, entries_granted, few_memberships, of_parent, where
from app.storage.ways import WAYS, Way

# How many entries are looked at to count a list; one where there are more of them is not counted. A search
# that finds its page among more than that, by looking at each once, counts them by the way.
COUNTED, LOOKED_AT_ONCE = 10_000, 20_000
# Of how many organizations the tallies are added up, one's own or, for who reads all, all that there are;
# where they are more, entries are counted.
TALLIED, TALLIED_OF_ALL = 1_000, 250


def total(shape: Shape) -> str:
    """How many match, NULL where more entries than are counted would have to be looked at."""
    way, counted = WAYS.get(shape.class_name), _counted(shape)
    if way is None or not way.tally or shape.contains or shape.parent not in ("", "organization_id"):
        return counted
    parts = " UNION ALL ".join(_tallied(shape, way))
    # What some of the organizations have may be too much already.
    told = f"CASE WHEN sum(more) = 0 THEN sum(found) WHEN sum(found) <= {COUNTED} THEN ({counted}) END"
    return f"SELECT {told} FROM ({parts}) AS tallied"


def _tallied(shape: Shape, way: Way) -> list[str]:
    """As the tallies of the caller's organizations tell it, and what it was granted in others; with 1 in
    `more` where there are more than are looked at."""
    mine, most = "SELECT 1 FROM membership mine WHERE mine.partner_id = $1", TALLIED
    if shape.parent:
        parent = shape.place(shape.parent)
        member = ANYTHING if shape.everything else f"EXISTS ({mine} AND mine.organization_id = {parent})"
        own = f"{way.tally} AS kept WHERE kept.organization_id = {parent} AND {member}"
    elif shape.everything:
        most = TALLIED_OF_ALL
        own = f"(SELECT instances FROM {way.tally} WHERE {ANYTHING} LIMIT {most + 1}) AS few"
    else:
        few = few_memberships(shape, most + 1)
        # One look for each, where PostgreSQL might read all tallies for a JOIN.
        kept = f"SELECT kept.instances FROM {way.tally} kept WHERE kept.organization_id = few.organization_id"
        own = f"(SELECT ({kept}) AS instances FROM {few}) AS few"
    parts = [f"SELECT {_more_than(most)} AS more, coalesce(sum(instances), 0) AS found FROM {own}"]
    granted = f"SELECT {_more_than(COUNTED)} AS more, count(*) AS found FROM"
    return parts + [f"{granted} ({it} LIMIT {COUNTED + 1}) AS entries" for it in granted_outside(shape, way)]


def is_small(shape: Shape, way: Way) -> str:
    """Whether what the tallies tell of is no more than may be looked at once: 1 or 0."""
    told = f"CASE WHEN sum(more) = 0 AND sum(found) <= {LOOKED_AT_ONCE} THEN 1 ELSE 0 END"
    return f"SELECT {told} AS small FROM ({' UNION ALL '.join(_tallied(shape, way))}) AS tallied"


def _more_than(bound: int) -> str:
    return f"CASE WHEN count(*) > {bound} THEN 1 ELSE 0 END"


def _counted(shape: Shape) -> str:
    """One by one."""
    # What an index finds is looked at alone; else all that is there, in whatever order.
    searched = where(shape.searched())
    narrowed, matches = ([searched], "") if searched and shape.indexed else ([], searched)
    way, columns, counted = shape.way, "1", "*"
    if matches:
        columns, counted = f"{matches} AS matches", "CASE WHEN matches THEN 1 END"
    elif way is not None and way.repeats and not shape.parent:
        columns, counted = f"{way.key} AS key", "DISTINCT key"
    entries = _entries(shape, columns, narrowed) if way is None else _entries_of(shape, way, columns)
    parts = " UNION ALL ".join(
        f"SELECT count(*) AS looked, count({counted}) AS found FROM ({part} LIMIT {COUNTED + 1}) AS entries"
        for part in entries
    )
    return f"SELECT CASE WHEN sum(looked) <= {COUNTED} THEN sum(found) END FROM ({parts}) AS counted"


def _entries(shape: Shape, columns: str, narrowed: list[str]) -> list[str]:
    """Of all rows."""
    kind = shape.kind
    if shape.candidates:
        found = f"(SELECT DISTINCT id FROM ({shape.candidates})) AS chosen CROSS JOIN {kind.source}"
        conditions = where([f"{kind.row}.id = chosen.id"], shape.seen(), narrowed)
        return [f"SELECT {columns} FROM {found} WHERE {conditions}"]
    entries = f"SELECT {columns} FROM {kind.source} WHERE {where(shape.seen(), shape.belongs(), narrowed)}"
    if shape.everything and not shape.parent and not shape.contains and "created_at" in kind.values:
        # So that PostgreSQL reads an index, and not as many pages of the table.
        entries += f" ORDER BY {kind.row}.created_at"
    return [entries]


def _entries_of(shape: Shape, way: Way, columns: str) -> list[str]:
    """Of the caller's organizations, and of what it was granted in others."""
    if shape.parent:
        own = f"SELECT {columns} FROM {way.source} WHERE {where(of_parent(shape, way), shape.live())}"
    else:
        joined = [callers(way), f"{way.organization} = mine.organization_id"]
        source = f"membership mine CROSS JOIN {way.source}"
        own = f"SELECT {columns} FROM {source} WHERE {where(joined, shape.live())}"
    return [own, *granted_outside(shape, way, columns)]


def granted_outside(shape: Shape, way: Way, columns: str = "1", *conditions: str) -> list[str]:
    """Of other organizations' than the caller's."""
    if not way.granted or shape.everything or shape.member:
        return []
    outside = (
        "NOT EXISTS (SELECT 1 FROM membership mine"
        f" WHERE mine.organization_id = {way.organization} AND mine.partner_id = $1)"
    )
    return [entries_granted(shape, way, columns, [*shape.live(), *conditions, outside])]
