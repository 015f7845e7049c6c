"""Shapes: what a statement of a list depends on but its values, and the parts that statements share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from functools import cached_property

from app.storage.kinds import ANYTHING, KINDS, Kind
from app.storage.session import Dialect
from app.storage.ways import WAYS, Way

# As many characters of a name's key stand in an index, whose rows PostgreSQL limits.
PREFIX = 64


@dataclass(frozen=True)
class Shape:
    """`parent` is the name of what the list belongs to, `member` whether that is an organization of
    which members alone are told, who see all of it. `contains` are the keys that are searched.
    `begins` tells that it begins at a position. `descending` is the direction of reading.

    `alone` is whether it is the list of a caller who sees what is in one organization and nothing else, as a
    list of that organization: which one it is, the statement finds out, as `sole`.

    `candidates` is a statement that finds what is searched for by an index, and some more, on SQLite;
    `indexed` tells that the database may have an index for that itself. `skips`: rows are passed over first.
    """

    dialect: Dialect
    class_name: str
    everything: bool
    order: str
    descending: bool
    parent: str = ""
    contains: tuple[str, ...] = ()
    begins: bool = False
    counted: bool = False
    indexed: bool = False
    candidates: str = ""
    skips: bool = False
    member: bool = False
    alone: bool = False

    def __hash__(self) -> int:
        """Worked out once: it is what statements are remembered by."""
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(astuple(self))

    @property
    def kind(self) -> Kind:
        return KINDS[self.class_name]

    @property
    def way(self) -> Way | None:
        """None where the table itself, or its index by the parent, has the rows in order."""
        way = WAYS.get(self.class_name)
        if way is None or self.parent not in ("", "organization_id"):
            return None
        return None if self.everything and not (self.parent and way.repeats) else way

    @property
    def looks_once(self) -> bool:
        """Whether what is searched for in the caller's organizations is found and counted in one go."""
        return bool(self.counted and self.contains and self.way is not None and self.way.tally)

    @property
    def walks(self) -> bool:
        """Whether it is worth a look whether the page is among the first of all rows."""
        way = self.way
        return way is not None and not (way.single or self.parent or self.contains)

    @property
    def headed(self) -> bool:
        """Whether the first entry of each of the caller's organizations is looked at before all others."""
        way = self.way
        if way is None or self.parent or self.contains:
            return False
        return self.order in way.orders and not (way.single or self.direct)

    @property
    def direct(self) -> bool:
        """Whether an index of the parent's has the rows that the caller sees in order, and no others."""
        way = self.way
        return bool(way and self.member and self.order in way.orders and not (way.repeats or self.skips))

    @cached_property
    def of_one(self) -> Shape | None:
        """As it is for a caller who is `alone`; None where that would change little."""
        way = self.way
        if way is None or way.single or self.everything or self.parent or self.contains:
            return None
        return replace(self, parent="organization_id", member=True, alone=True)

    def place(self, name: str) -> str:
        """Where a value stands among those of the statement."""
        if self.alone and name == self.parent:
            return "(SELECT sole.organization_id FROM sole)"
        names = ["caller", *([self.parent] if self.parent and not self.alone else []), *self.contains]
        names += [*(["candidates"] if self.candidates else []), *self.position, "limit", "offset"]
        return f"${names.index(name) + 1}"

    @property
    def position(self) -> list[str]:
        if not self.begins:
            return []
        return ["value"] if self.order in self.kind.unique else ["value", "tie"]

    @property
    def expression(self) -> str:
        """What is ordered by."""
        return self.kind.keys.get(self.order, self.kind.values[self.order])

    @property
    def terms(self) -> list[str]:
        """What the order consists of: as an index has it, and total."""
        if self.order in self.kind.unique:
            return [self.expression]
        prefix = [_prefix(self.expression)] if self.order in self.kind.keys else []
        return [*prefix, self.expression, f"{self.kind.row}.id"]

    def ordered(self, terms: Iterable[str]) -> str:
        return "ORDER BY " + ", ".join(f"{term} {'DESC' if self.descending else 'ASC'}" for term in terms)

    def seen(self) -> list[str]:
        """Whether the caller may see the row, and whether it is there."""
        kind = self.kind
        return [ANYTHING if self.everything else kind.visible, *self.live()]

    def live(self) -> list[str]:
        return [] if self.kind.deleted_at == "NULL" else [f"{self.kind.deleted_at} IS NULL"]

    def belongs(self) -> list[str]:
        if not self.parent:
            return []
        return [self.kind.parents[self.parent].replace("{id}", self.place(self.parent))]

    def searched(self) -> list[str]:
        keys = ((key, self.kind.keys.get(key, self.kind.values[key])) for key in self.contains)
        return [f"{expression} LIKE {self.place(key)} ESCAPE '\\'" for key, expression in keys]

    def beyond(self, terms: list[str]) -> list[str]:
        """After the position, in the direction of reading."""
        if not self.begins:
            return []
        sign, value = "<" if self.descending else ">", self.place("value")
        if len(terms) == 1:
            return [f"{terms[0]} {sign} {value}"]
        expression, identifier = terms[-2:]
        conditions = [f"({expression}, {identifier}) {sign} ({value}, {self.place('tie')})"]
        if len(terms) > 2:
            conditions.append(f"{terms[0]} {sign}= {_prefix(f'CAST({value} AS text)')}")
        return conditions

    def limit(self) -> str:
        return f"LIMIT CAST({self.place('limit')} AS bigint) OFFSET CAST({self.place('offset')} AS bigint)"

    @property
    def bound(self) -> str:
        """As many as could be in the part that is wanted."""
        return f"CAST({self.place('limit')} AS bigint) + CAST({self.place('offset')} AS bigint)"

    def reach(self) -> str:
        return f"LIMIT {self.bound}"


def _prefix(text: str) -> str:
    return f"substr({text}, 1, {PREFIX})"


def where(*conditions: Iterable[str]) -> str:
    return " AND ".join(condition for some in conditions for condition in some)


def entries_granted(shape: Shape, way: Way, columns: str, conditions: list[str]) -> str:
    within = [f"{way.organization} = {shape.place(shape.parent)}"] if shape.parent else []
    return (
        f"SELECT {columns} FROM ({way.granted}) AS others CROSS JOIN {way.source}"
        f" WHERE {where([f'{way.key} = others.instance_id'], within, conditions)}"
    )


def memberships(shape: Shape, way: Way) -> tuple[str, str]:
    """What the caller's organizations are read from, as `mine`, and where.

    For PostgreSQL they are an array, of which it takes that it is short: of a membership it would take that
    everybody has as many as people have on the average, and plan anew a statement that is the same for who
    has one and for who has thousands.
    """
    if shape.dialect == "sqlite":
        return "membership mine", callers(way)
    own = f"SELECT mine.organization_id FROM membership mine WHERE {callers(way)}"
    return f"unnest(ARRAY({own})) AS mine(organization_id)", "TRUE"


def few_memberships(shape: Shape, most: int) -> str:
    """So many of them at most, as `few`, whatever they are; as above, and in an index's order, so that the
    table is not looked through for them."""
    few = (
        f"SELECT organization_id FROM membership WHERE partner_id = $1 ORDER BY organization_id LIMIT {most}"
    )
    if shape.dialect == "sqlite":
        return f"({few}) AS few"
    return f"unnest(ARRAY({few})) AS few(organization_id)"


def callers(way: Way) -> str:
    return f"mine.partner_id = $1{way.as_member}"


def of_parent(shape: Shape, way: Way) -> list[str]:
    """What belongs to the organization that is the parent, for whoever is a member of it."""
    parent = shape.place(shape.parent)
    mine = f"SELECT 1 FROM membership mine WHERE mine.organization_id = {parent} AND {callers(way)}"
    return [f"{way.organization} = {parent}", ANYTHING if shape.everything else f"EXISTS ({mine})"]
