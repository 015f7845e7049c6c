"""Statements of lists: what a page is read and counted by, each written once for all questions of its shape.

A page costs what it shows and the caller's memberships, never what the table holds: rows are found where an
index has them in order, of the caller's organizations or of all. Where no index has the order that is asked
for, what the caller can see is sorted.

`$1` is the caller's partner.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from app.storage.kinds import ANYTHING, in_mine, role_in
from app.storage.records import OWNS_ANY, selected
from app.storage.shapes import Shape, where
from app.storage.tables import TIME_COLUMNS
from app.storage.ways import WAYS, Way

# How many entries are looked at to count a list; one where there are more of them is not counted.
COUNTED = 10_000
# Of how many organizations the tallies are added up, one's own or, for who reads all, all that there are;
# where they are more, entries are counted.
TALLIED, TALLIED_OF_ALL = 1_000, 250
# Who has more memberships than this may see enough of all rows to find a page among them: one look at an
# organization takes as long as thirty at rows. PostgreSQL looks at so many of them at most.
MANY, WALKED = 16, 300


HAS_MANY = f"""(SELECT count(*) FROM
    (SELECT 1 FROM membership mine WHERE mine.partner_id = $1 LIMIT {MANY + 1}) AS several) > {MANY}"""


@lru_cache(maxsize=1_024)
def page_statement(shape: Shape) -> str:
    """Its values: the caller, the parent, the patterns, what candidates are found by, value and tie of the
    position, the limit and the offset."""
    kind, way, terms = shape.kind, shape.way, shape.terms
    columns, found = _columns(shape), ""
    if way is not None and not shape.direct:
        found, key = _chosen(shape, way), way.row_key
    elif way is None and (shape.candidates or shape.skips):
        found, key = _chosen_of_all(shape), f"{kind.row}.id"
    if found:
        source = f"chosen CROSS JOIN {kind.source}"
        return f"{found} SELECT {columns} FROM {source} WHERE {key} = chosen.key {shape.ordered(terms)}"
    seen = [*_own(shape, way), *shape.live()] if way is not None else [*shape.seen(), *shape.belongs()]
    conditions = where(seen, shape.searched(), shape.beyond(terms))
    return f"SELECT {columns} FROM {kind.source} WHERE {conditions} {shape.ordered(terms)} {shape.limit()}"


@lru_cache(maxsize=256)
def walk_statement(shape: Shape) -> str:
    """The page of a caller with many memberships, by looking along all rows: soon done for who sees much, and
    never for who sees little. Its values are those of `page_statement`; it finds nothing for who has few, and
    counts nothing."""
    limit = f"CASE WHEN {HAS_MANY} THEN {shape.bound} ELSE 0 END"
    source, columns, way = shape.kind.source, _columns(replace(shape, counted=False)), shape.way
    seen, whose = where(shape.seen()), f"{shape.kind.row}.organization_id"
    if way is not None and way.granted:
        # What the caller is to a row is looked up once, to see whether it sees it and to tell what it is.
        source += f" LEFT JOIN membership own ON own.organization_id = {whose} AND own.partner_id = $1"
        columns = columns.replace(role_in(whose), "own.role")
        seen = where([_listed(way, "own.role IS NOT NULL")], shape.live())
    part = f"{shape.ordered(shape.terms)} LIMIT {limit} OFFSET {shape.place('offset')}"
    return f"SELECT {columns} FROM {source} WHERE {where([seen], shape.beyond(shape.terms))} {part}"


@lru_cache(maxsize=512)
def count_statement(shape: Shape) -> str:
    """Of all pages. Its values: the caller, the parent, the patterns, what candidates are found by."""
    return f"SELECT ({_count(replace(shape, begins=False, skips=False))}) AS total"


def _columns(shape: Shape) -> str:
    """What is read of each row, and what each row tells of the whole: so it costs no statement of its own."""
    count = f", ({_count(shape)}) AS total" if shape.counted else ""
    owns = "" if shape.parent else f", ({OWNS_ANY}) AS owns_any"
    columns = selected(shape.kind, shape.everything, shape.dialect)
    if shape.kind.parents.get(shape.parent) == f"{shape.kind.row}.organization_id = {{id}}":
        # What the caller is to all of them is looked up once.
        whose = f"{shape.kind.row}.organization_id"
        columns = columns.replace(role_in(whose), role_in(shape.place(shape.parent)))
    # A time is told under its own name.
    position = "" if shape.order in TIME_COLUMNS else f", {shape.expression} AS position_value"
    return f"{columns}{count}{owns}{position}"


def _chosen(shape: Shape, way: Way) -> str:
    """The keys of the page's rows, from the caller's organizations and what it was granted."""
    terms = [way.key] if way.repeats else shape.terms
    names = [f"term_{number}" for number in range(len(terms))]
    columns = ", ".join((f"{way.key} AS key", *(f"{t} AS {n}" for t, n in zip(terms, names, strict=True))))
    conditions = [*shape.live(), *shape.searched(), *shape.beyond(terms)]
    part = f"{shape.ordered(terms)} {shape.reach()}"
    heads = ""
    if shape.parent:
        found = f"SELECT {columns} FROM {way.source} WHERE {where(_own(shape, way), conditions)} {part}"
    elif way.single:
        own = [_mine(way), f"{way.organization} = mine.organization_id"]
        found = (
            f"SELECT {columns} FROM membership mine CROSS JOIN {way.source}"
            f" WHERE {where(own, conditions)} {part}"
        )
    else:
        if shape.order in way.orders and not shape.contains:
            heads = _heads(shape, way, terms, conditions)
        found = _of_each(shape, way, columns, where(conditions), part, of_foremost=bool(heads))
    branches = [f"SELECT * FROM ({found}) AS of_own"]
    if way.granted and not shape.everything and not shape.member:
        granted = _granted(shape, way, columns, conditions)
        branches.append(f"SELECT * FROM ({granted} {part}) AS of_granted")
    every = " UNION ".join(branches)
    chosen = (
        f"SELECT DISTINCT key, {', '.join(names)} FROM ({every}) AS every"
        f" {shape.ordered(names)} {shape.limit()}"
    )
    if shape.dialect == "postgres" and shape.walks and not shape.skips:
        heads = f"near AS MATERIALIZED ({_near(shape, way, names)}), {heads}"
        full = f"(SELECT count(*) FROM near) = {shape.bound}"
        chosen = f"SELECT * FROM near WHERE {full} UNION ALL SELECT * FROM ({chosen}) AS far WHERE NOT {full}"
    return f"WITH {heads}chosen AS MATERIALIZED ({chosen})"


def _near(shape: Shape, way: Way, names: list[str]) -> str:
    """As `walk_statement`, for a part of PostgreSQL's statement: the page, where the caller sees enough of
    the first rows of all."""
    kind, terms = shape.kind, shape.terms
    first = (
        f"SELECT {kind.row}.* FROM {kind.source} WHERE {where([HAS_MANY], shape.live(), shape.beyond(terms))}"
        f" {shape.ordered(terms)} LIMIT {WALKED}"
    )
    columns = ", ".join(f"{term} AS {name}" for term, name in zip(terms, names, strict=True))
    # Row by row: of a condition that stands alone it would make a join with all that the caller sees.
    listed = f"CASE WHEN {kind.visible} THEN TRUE ELSE FALSE END"
    if way.granted:
        listed = _listed(way, in_mine(f"{kind.row}.organization_id"))
    return (
        f"SELECT {way.row_key} AS key, {columns} FROM ({first}) AS {kind.row}"
        f" WHERE {listed} {shape.ordered(terms)} {shape.reach()}"
    )


def _listed(way: Way, own: str) -> str:
    """What is only offered to the caller stands in no list."""
    return f"({own} OR EXISTS ({way.granted} AND {way.key} = granted.instance_id))"


def _chosen_of_all(shape: Shape) -> str:
    """The keys alone: of rows that are sorted or passed over, nothing else has to be made out."""
    kind = shape.kind
    conditions = where(shape.seen(), shape.belongs(), shape.searched(), shape.beyond(shape.terms))
    found, source = "", kind.source
    if shape.candidates:
        found = f"candidate AS MATERIALIZED (SELECT DISTINCT id FROM ({shape.candidates})), "
        source, conditions = (
            f"candidate CROSS JOIN {source}",
            f"{kind.row}.id = candidate.id AND {conditions}",
        )
    return (
        f"WITH {found}chosen AS MATERIALIZED (SELECT {kind.row}.id AS key FROM {source}"
        f" WHERE {conditions} {shape.ordered(shape.terms)} {shape.limit()})"
    )


def _heads(shape: Shape, way: Way, terms: list[str], conditions: list[str]) -> str:
    """Of a caller with thousands of organizations: one look at each, and then only at those whose first entry
    is among the first; the page cannot have any of the others."""
    memberships, own = _memberships(shape, way)
    first = (
        f"SELECT {way.key} FROM {way.source} WHERE {way.organization} = mine.organization_id"
        f" AND {where(conditions) or 'TRUE'} {shape.ordered(terms)} LIMIT 1"
    )
    return (
        f"heads AS MATERIALIZED (SELECT mine.organization_id, ({first}) AS key"
        f" FROM {memberships} WHERE {own}),"
        f" foremost AS MATERIALIZED (SELECT organization_id FROM heads WHERE key IN"
        f" (SELECT head.key FROM (SELECT DISTINCT key FROM heads WHERE key IS NOT NULL) AS head"
        f" CROSS JOIN {shape.kind.source} WHERE {way.row_key} = head.key"
        f" {shape.ordered(shape.terms)} {shape.reach()})), "
    )


def _of_each(shape: Shape, way: Way, columns: str, conditions: str, part: str, *, of_foremost: bool) -> str:
    """The first entries of each organization. SQLite has no LATERAL, and no need of it."""
    each = "foremost" if of_foremost else "mine"
    source, own = ("foremost", "TRUE") if of_foremost else _memberships(shape, way)
    within = f"FROM {way.source} WHERE {way.organization} = {each}.organization_id"
    entries = f"{within} AND {conditions or 'TRUE'} {part}"
    if shape.dialect == "postgres":
        return f"SELECT part.* FROM {source} CROSS JOIN LATERAL (SELECT {columns} {entries}) part WHERE {own}"
    return (
        f"SELECT {columns} FROM {source} CROSS JOIN {way.source} WHERE {own}"
        f" AND +{way.organization} = {each}.organization_id AND {way.key} IN (SELECT {way.key} {entries})"
    )


def _granted(shape: Shape, way: Way, columns: str, conditions: list[str]) -> str:
    within = [f"{way.organization} = {shape.place(shape.parent)}"] if shape.parent else []
    return (
        f"SELECT {columns} FROM ({way.granted}) AS others CROSS JOIN {way.source}"
        f" WHERE {where([f'{way.key} = others.instance_id'], within, conditions)}"
    )


def _memberships(shape: Shape, way: Way) -> tuple[str, str]:
    """What the caller's organizations are read from, as `mine`, and where.

    For PostgreSQL they are an array, of which it takes that it is short: of a membership it would take that
    everybody has as many as people have on the average, and plan anew a statement that is the same for who
    has one and for who has thousands.
    """
    if shape.dialect == "sqlite":
        return "membership mine", _mine(way)
    own = f"SELECT mine.organization_id FROM membership mine WHERE {_mine(way)}"
    return f"unnest(ARRAY({own})) AS mine(organization_id)", "TRUE"


def _mine(way: Way) -> str:
    return f"mine.partner_id = $1{way.as_member}"


def _own(shape: Shape, way: Way) -> list[str]:
    """What belongs to the organization that is the parent, for whoever is a member of it."""
    parent = shape.place(shape.parent)
    mine = f"SELECT 1 FROM membership mine WHERE mine.organization_id = {parent} AND {_mine(way)}"
    return [f"{way.organization} = {parent}", ANYTHING if shape.everything else f"EXISTS ({mine})"]


def _count(shape: Shape) -> str:
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
        few = f"SELECT organization_id FROM membership WHERE partner_id = $1 LIMIT {most + 1}"
        # One look for each, where PostgreSQL might read all tallies for a JOIN.
        kept = f"SELECT kept.instances FROM {way.tally} kept WHERE kept.organization_id = few.organization_id"
        own = f"(SELECT ({kept}) AS instances FROM ({few}) AS few) AS few"
    parts = [f"SELECT {_more_than(most)} AS more, coalesce(sum(instances), 0) AS found FROM {own}"]
    granted = f"SELECT {_more_than(COUNTED)} AS more, count(*) AS found FROM"
    return parts + [f"{granted} ({it} LIMIT {COUNTED + 1}) AS entries" for it in _granted_entries(shape, way)]


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
        own = f"SELECT {columns} FROM {way.source} WHERE {where(_own(shape, way), shape.live())}"
    else:
        joined = [_mine(way), f"{way.organization} = mine.organization_id"]
        source = f"membership mine CROSS JOIN {way.source}"
        own = f"SELECT {columns} FROM {source} WHERE {where(joined, shape.live())}"
    return [own, *_granted_entries(shape, way, columns)]


def _granted_entries(shape: Shape, way: Way, columns: str = "1") -> list[str]:
    """Of other organizations' than the caller's."""
    if not way.granted or shape.everything or shape.member:
        return []
    outside = (
        "NOT EXISTS (SELECT 1 FROM membership mine"
        f" WHERE mine.organization_id = {way.organization} AND mine.partner_id = $1)"
    )
    return [_granted(shape, way, columns, [*shape.live(), outside])]
