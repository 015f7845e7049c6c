"""Statements of lists: what a page is read and counted by, each written once for all questions of its shape.

A page costs what it shows and the caller's memberships, never what the table holds: rows are found where an
index has them in order, of the caller's organizations or of all. Where no index has the order that is asked
for, what the caller can see is sorted.

`$1` is the caller's partner.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from app.storage.kinds import in_mine, role_in
from app.storage.list_counts import granted_outside, is_small, total
from app.storage.records import OWNS_ANY, selected
from app.storage.shapes import Shape, callers, entries_granted, memberships, of_parent, where
from app.storage.tables import TIME_COLUMNS
from app.storage.ways import Way

# Who has more memberships than this may see enough of all rows to find a page among them: one look at an
# organization takes as long as thirty at rows. PostgreSQL looks at so many of them at most.
MANY, WALKED = 16, 300


# As `OWNS_ANY`, of who is alone.
OWNS_SOLE = """EXISTS (SELECT 1 FROM sole CROSS JOIN membership owning CROSS JOIN organization owned
    WHERE owning.organization_id = sole.organization_id AND owning.partner_id = $1 AND owning.role = 'owner'
    AND owned.id = sole.organization_id AND owned.deleted_at IS NULL)"""
# In the order of an index, in which PostgreSQL looks for them then: it takes it that there are as many as
# people have on the average, and that it soon meets a few of those if it goes through the table.
HAS_MANY = f"""(SELECT count(*) FROM (SELECT 1 FROM membership mine WHERE mine.partner_id = $1
    ORDER BY mine.organization_id LIMIT {MANY + 1}) AS several) > {MANY}"""


@lru_cache(maxsize=1_024)
def page_statement(shape: Shape) -> str:
    """Its values: the caller, the parent, the patterns, what candidates are found by, value and tie of the
    position, the limit and the offset."""
    statement = _page(shape)
    if not shape.alone:
        return statement
    others = statement.removeprefix("WITH ")
    return f"WITH {_sole(shape)}{' ' if others == statement else ', '}{others}"


def _sole(shape: Shape) -> str:
    """The organization of a caller who has one, and was granted nothing in others: else none. The order is
    there for an index, as in `HAS_MANY`."""
    way = shape.way
    assert way is not None  # noqa: S101 - nothing else is seen by one organization
    granted = way.granted_to.format(organization="several.organization_id")
    conditions = ["(SELECT count(*) FROM several) = 1", *([f"NOT EXISTS ({granted})"] if granted else [])]
    return (
        "several AS MATERIALIZED"
        f" (SELECT mine.organization_id FROM membership mine WHERE {callers(way)}"
        " ORDER BY mine.organization_id LIMIT 2),"
        f" sole AS MATERIALIZED (SELECT organization_id FROM several WHERE {where(conditions)})"
    )


def _page(shape: Shape) -> str:
    kind, way, terms = shape.kind, shape.way, shape.terms
    columns, found = _columns(shape), ""
    if way is not None and not shape.direct:
        found, key = _chosen(shape, way), way.row_key
    elif way is None and (shape.candidates or shape.skips):
        found, key = _chosen_of_all(shape), f"{kind.row}.id"
    if found:
        source, columns = _with_own_role(shape, f"chosen CROSS JOIN {kind.source}", columns)
        return f"{found} SELECT {columns} FROM {source} WHERE {key} = chosen.key {shape.ordered(terms)}"
    seen = [*of_parent(shape, way), *shape.live()] if way is not None else [*shape.seen(), *shape.belongs()]
    conditions = where(seen, shape.searched(), shape.beyond(terms))
    return f"SELECT {columns} FROM {kind.source} WHERE {conditions} {shape.ordered(terms)} {shape.limit()}"


@lru_cache(maxsize=256)
def walk_statement(shape: Shape) -> str:
    """The page of a caller with many memberships, by looking along all rows: soon done for who sees much, and
    never for who sees little. Its values are those of `page_statement`; it finds nothing for who has few, and
    counts nothing."""
    limit = f"CASE WHEN {HAS_MANY} THEN {shape.bound} ELSE 0 END"
    source, columns, way = shape.kind.source, _columns(replace(shape, counted=False), OWNS_ANY), shape.way
    seen = where(shape.seen())
    if way is not None and way.granted:
        # What the caller is to a row is looked up once, to see whether it sees it and to tell what it is.
        source, columns = _with_own_role(shape, source, columns)
        seen = where([_listed(way, "own.role IS NOT NULL")], shape.live())
    part = f"{shape.ordered(shape.terms)} LIMIT {limit} OFFSET {shape.place('offset')}"
    return f"SELECT {columns} FROM {source} WHERE {where([seen], shape.beyond(shape.terms))} {part}"


@lru_cache(maxsize=256)
def search_statement(shape: Shape) -> str:
    """The page of a search, counted, by one look at each of all entries that the caller could find: where
    these are `small`, so few that this is soon done. Its values are those of `page_statement`. There is
    always a row, to tell that; it has no id where nothing is found."""
    kind, way = shape.kind, shape.way
    assert way is not None  # noqa: S101 - nothing else is searched in this way
    names, columns = _named(way.key, shape.terms)
    conditions = ["(SELECT small FROM size) = 1", *shape.live(), *shape.searched()]
    if shape.parent:
        own = f"SELECT {columns} FROM {way.source} WHERE {where(of_parent(shape, way), conditions)}"
    else:
        own = _of_all_of_each(shape, way, columns, where(conditions))
    found = [own]
    found += granted_outside(shape, way, columns, *conditions)
    told = f"{_columns(replace(shape, counted=False))}, size.small, (SELECT count(*) FROM found) AS total"
    return (
        f"WITH size AS MATERIALIZED ({is_small(shape, way)}),"
        f" found AS MATERIALIZED ({' UNION ALL '.join(found)}),"
        f" chosen AS MATERIALIZED (SELECT key FROM found {shape.ordered(names)} {shape.limit()})"
        f" SELECT {told} FROM size LEFT JOIN chosen ON TRUE"
        f" LEFT JOIN {kind.source} ON {way.row_key} = chosen.key {shape.ordered(shape.terms)}"
    )


@lru_cache(maxsize=512)
def count_statement(shape: Shape) -> str:
    """Of all pages. Its values: the caller, the parent, the patterns, what candidates are found by."""
    return f"SELECT ({total(replace(shape, begins=False, skips=False))}) AS total"


def _columns(shape: Shape, owns_any: str = "") -> str:
    """What is read of each row, and what each row tells of the whole: so it costs no statement of its own."""
    # PostgreSQL's sum of whole numbers would be decoded as a Decimal, for each row.
    count = f", CAST(({total(shape)}) AS bigint) AS total" if shape.counted else ""
    owned = not shape.parent or shape.alone
    owns = f", ({owns_any or _owns_any(shape)}) AS owns_any" if owned else ""
    columns = selected(shape.kind, shape.everything, shape.dialect, listed=True)
    if shape.kind.parents.get(shape.parent) == f"{shape.kind.row}.organization_id = {{id}}":
        # What the caller is to all of them is looked up once.
        whose = f"{shape.kind.row}.organization_id"
        columns = columns.replace(role_in(whose), role_in(shape.place(shape.parent)))
    # A time is told under its own name.
    position = "" if shape.order in TIME_COLUMNS else f", {shape.expression} AS position_value"
    return f"{columns}{count}{owns}{position}"


def _owns_any(shape: Shape) -> str:
    """PostgreSQL, which takes it that everybody has as many memberships as people have on the average, would
    go through those of all until it met one of the caller's. Where the statement has the caller's, and they
    are few, it goes through these; of many, one is soon met."""
    if shape.alone:
        return OWNS_SOLE
    if shape.dialect == "sqlite" or not shape.headed:
        return OWNS_ANY
    of_few = """EXISTS (SELECT 1 FROM heads WHERE (SELECT owning.role = 'owner' AND owned.deleted_at IS NULL
        FROM membership owning CROSS JOIN organization owned
        WHERE owning.organization_id = heads.organization_id AND owning.partner_id = $1
        AND owned.id = heads.organization_id))"""
    return f"CASE WHEN {HAS_MANY} THEN {OWNS_ANY} ELSE {of_few} END"


def _chosen(shape: Shape, way: Way) -> str:
    """The keys of the page's rows, from the caller's organizations and what it was granted."""
    terms = [way.key] if way.repeats else shape.terms
    names, columns = _named(way.key, terms)
    conditions = [*shape.live(), *shape.searched(), *shape.beyond(terms)]
    part = f"{shape.ordered(terms)} {shape.reach()}"
    heads = ""
    if shape.parent:
        found = f"SELECT {columns} FROM {way.source} WHERE {where(of_parent(shape, way), conditions)} {part}"
    elif way.single:
        own = [callers(way), f"{way.organization} = mine.organization_id"]
        found = (
            f"SELECT {columns} FROM membership mine CROSS JOIN {way.source}"
            f" WHERE {where(own, conditions)} {part}"
        )
    else:
        if shape.headed:
            heads = _heads(shape, way, terms, conditions)
        found = _of_each(shape, way, columns, where(conditions), part, of_foremost=bool(heads))
    branches = [f"SELECT * FROM ({found}) AS of_own"]
    if way.granted and not shape.everything and not shape.member:
        granted = entries_granted(shape, way, columns, conditions)
        branches.append(f"SELECT * FROM ({granted} {part}) AS of_granted")
    every = " UNION ".join(branches)
    chosen = (
        f"SELECT DISTINCT key, {', '.join(names)} FROM ({every}) AS every"
        f" {shape.ordered(names)} {shape.limit()}"
    )
    if shape.dialect == "postgres" and shape.walks and shape.order in way.walked and not shape.skips:
        heads = f"near AS MATERIALIZED ({_near(shape, way)}), {heads}"
        full = f"(SELECT count(*) FROM near) = {shape.bound}"
        chosen = f"SELECT * FROM near WHERE {full} UNION ALL SELECT * FROM ({chosen}) AS far WHERE NOT {full}"
    return f"WITH {heads}chosen AS MATERIALIZED ({chosen})"


def _with_own_role(shape: Shape, source: str, columns: str) -> tuple[str, str]:
    """With the caller's membership `own` of a row's organization, where its role is told: a join, of which
    PostgreSQL chooses how it is made, where it would look for each row on its own."""
    whose = f"{shape.kind.row}.organization_id"
    if role_in(whose) not in columns:
        return source, columns
    own = f"own.organization_id = {whose} AND own.partner_id = $1"
    return f"{source} LEFT JOIN membership own ON {own}", columns.replace(role_in(whose), "own.role")


def _named(key: str, terms: list[str]) -> tuple[list[str], str]:
    """What the terms are called beside the key, and all of these as columns."""
    names = [f"term_{number}" for number in range(len(terms))]
    columns = (f"{term} AS {name}" for term, name in zip(terms, names, strict=True))
    return names, ", ".join((f"{key} AS key", *columns))


def _near(shape: Shape, way: Way) -> str:
    """As `walk_statement`, for a part of PostgreSQL's statement: the page, where the caller sees enough of
    the first rows of all. Nothing stops it but their number: in an order whose index holds others too, or
    only the beginning of what is ordered by, there could be any number of those before."""
    kind, terms = shape.kind, shape.terms
    first = (
        f"SELECT {kind.row}.* FROM {kind.source} WHERE {where([HAS_MANY], shape.live(), shape.beyond(terms))}"
        f" {shape.ordered(terms)} LIMIT {WALKED}"
    )
    _, columns = _named(way.row_key, terms)
    # Row by row: of a condition that stands alone it would make a join with all that the caller sees.
    listed = f"CASE WHEN {kind.visible} THEN TRUE ELSE FALSE END"
    if way.granted:
        listed = _listed(way, in_mine(f"{kind.row}.organization_id"))
    return (
        f"SELECT {columns} FROM ({first}) AS {kind.row} WHERE {listed} {shape.ordered(terms)} {shape.reach()}"
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
    source, own = memberships(shape, way)
    first = (
        f"SELECT {way.key} FROM {way.source} WHERE {way.organization} = mine.organization_id"
        f" AND {where(conditions) or 'TRUE'} {shape.ordered(terms)} LIMIT 1"
    )
    return (
        f"heads AS MATERIALIZED (SELECT mine.organization_id, ({first}) AS key"
        f" FROM {source} WHERE {own}),"
        f" foremost AS MATERIALIZED (SELECT organization_id FROM heads WHERE key IN"
        f" (SELECT head.key FROM (SELECT DISTINCT key FROM heads WHERE key IS NOT NULL) AS head"
        f" CROSS JOIN {shape.kind.source} WHERE {way.row_key} = head.key"
        f" {shape.ordered(shape.terms)} {shape.reach()})), "
    )


def _of_each(shape: Shape, way: Way, columns: str, conditions: str, part: str, *, of_foremost: bool) -> str:
    """The first entries of each organization. SQLite has no LATERAL, and no need of it."""
    each = "foremost" if of_foremost else "mine"
    source, own = ("foremost", "TRUE") if of_foremost else memberships(shape, way)
    within = f"FROM {way.source} WHERE {way.organization} = {each}.organization_id"
    entries = f"{within} AND {conditions or 'TRUE'} {part}"
    if shape.dialect == "postgres":
        return f"SELECT part.* FROM {source} CROSS JOIN LATERAL (SELECT {columns} {entries}) part WHERE {own}"
    return (
        f"SELECT {columns} FROM {source} CROSS JOIN {way.source} WHERE {own}"
        f" AND +{way.organization} = {each}.organization_id AND {way.key} IN (SELECT {way.key} {entries})"
    )


def _of_all_of_each(shape: Shape, way: Way, columns: str, conditions: str) -> str:
    """All entries of each organization, where PostgreSQL might read the whole table for a JOIN."""
    source, own = memberships(shape, way)
    of_each = f"{way.organization} = mine.organization_id AND {conditions}"
    if shape.dialect == "postgres":
        entries = f"SELECT {columns} FROM {way.source} WHERE {of_each} OFFSET 0"
        return f"SELECT part.* FROM {source} CROSS JOIN LATERAL ({entries}) part WHERE {own}"
    return f"SELECT {columns} FROM {source} CROSS JOIN {way.source} WHERE {own} AND {of_each}"
