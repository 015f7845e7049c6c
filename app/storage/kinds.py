"""Kinds: how each class lies in its tables, and who may see a row: one condition for each class.

In all of this SQL `$1` is the caller's partner, and `:all` is whether the caller may read everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import itemgetter
from typing import Any

from tortoise.fields import CharField
from tortoise.models import Model

from app.storage.tables import Activity, Authorization, Instance, Membership, Organization, Partner

MINE = "SELECT mine.organization_id FROM membership mine WHERE mine.partner_id = $1"
OWNED = f"{MINE} AND mine.role = 'owner'"
# For who may read everything; a statement has to use all of its values.
ANYTHING = "CAST($1 AS uuid) IS NOT NULL"
# Memberships, `theirs`, by which the caller may use an instance of another organization. What is pending is
# for owners to know.
AUTHORIZED = """instance_authorization granted JOIN membership theirs
    ON theirs.organization_id = granted.organization_id AND theirs.partner_id = $1
    AND (granted.status = 'accepted' OR theirs.role = 'owner')"""


def in_mine(organization: str, condition: str = "") -> str:
    """A look at one row of an index, where `IN` would first read all that the caller is a member of."""
    return (
        "EXISTS (SELECT 1 FROM membership mine"
        f" WHERE mine.organization_id = {organization} AND mine.partner_id = $1{condition})"
    )


def role_in(organization: str) -> str:
    return (
        "(SELECT mine.role FROM membership mine"
        f" WHERE mine.organization_id = {organization} AND mine.partner_id = $1)"
    )


@dataclass(frozen=True, eq=False)
class Kind:
    """A class in its tables.

    `values` are expressions by JSON key, or by the names that addresses need. `roles` are expressions for
    what the caller is to a row, each the local name of a role or NULL; of what concerns one organization,
    the first is the caller's role in that. `visible` says which rows the caller
    may read; `parents`, which of them belong to something, whose id is `{id}`. `keys` are what a value is
    compared by, `unique` the values that no two rows share. `withheld`
    says by method when a row's state does not allow what a role would allow. `concerned` names the values
    that are organizations to be locked before a row is changed; `within`, the one that its address tells
    beside its id.
    """

    class_name: str
    model: type[Model]
    source: str
    row: str
    values: Mapping[str, str]
    roles: tuple[str, ...]
    visible: str
    deleted_at: str = "NULL"
    version: str = ""
    within: str = ""
    concerned: tuple[str, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ("id",)
    parents: Mapping[str, str] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def role_columns(self) -> tuple[str, ...]:
        """The names that its roles are selected under."""
        return tuple(f"role_{number}" for number, _ in enumerate(self.roles))

    @cached_property
    def roles_in(self) -> Callable[[Mapping[str, Any]], Any]:
        """What stands in those columns of a row."""
        return itemgetter(*self.role_columns)

    @cached_property
    def alone(self) -> bool:
        """Whether a record is one row, and nothing that it is told by depends on other rows of its table."""
        return self.source == f"{self.model._meta.db_table} {self.row}"  # noqa: SLF001 - as below

    @cached_property
    def lengths(self) -> Mapping[str, int]:
        """How many characters its columns hold."""
        columns = self.model._meta.fields_map.items()  # noqa: SLF001 - Tortoise's public place for it
        return {name: field.max_length for name, field in columns if isinstance(field, CharField)}

    @cached_property
    def withheld_columns(self) -> tuple[tuple[str, str], ...]:
        """The methods that a state may not allow, and the names that this is selected under."""
        return tuple((method, f"withheld_{method}") for method in self.withheld)


def _columns(row: str, *names: str) -> dict[str, str]:
    return {name: f"{row}.{name}" for name in names}


ORGANIZATION = Kind(
    "Organization",
    Organization,
    source="organization o",
    row="o",
    values=_columns("o", "id", "name", "created_at", "updated_at"),
    roles=(role_in("o.id"),),
    # Members, and whoever may see an instance or an authorization that names it, or could until it was
    # deleted, which has ended what it was offered.
    visible=f"""({in_mine("o.id")}
        OR EXISTS (SELECT 1 FROM instance named WHERE named.created_by_organization_id = o.id
            AND named.deleted_at IS NULL AND {in_mine("named.organization_id")})
        OR EXISTS (SELECT 1 FROM {AUTHORIZED}
            JOIN instance named ON named.id = granted.instance_id AND named.deleted_at IS NULL
            WHERE o.id IN (named.organization_id, named.created_by_organization_id))
        OR EXISTS (SELECT 1 FROM instance_authorization offered
            JOIN instance named ON named.id = offered.instance_id AND named.deleted_at IS NULL
            WHERE offered.organization_id = o.id AND {in_mine("offered.owner_organization_id")})
        OR (o.deleted_at IS NOT NULL AND EXISTS (SELECT 1 FROM activity act
            JOIN activity_organization about ON about.activity_id = act.sequence
            WHERE act.object_id = o.id AND act.type = 'Delete' AND {in_mine("about.organization_id")})))""",
    deleted_at="o.deleted_at",
    version="o.version",
    concerned=("id",),
    keys={"name": "o.name_key"},
    parents={
        # Where an instance may be transferred to.
        "instance_id": """o.id IN (SELECT accepted.organization_id FROM instance_authorization accepted
            WHERE accepted.instance_id = {id} AND accepted.status = 'accepted')"""
    },
    # For EXISTS, PostgreSQL would first read the owners of all instances, where it is asked of many rows.
    withheld={
        "DELETE": """(SELECT owned.id FROM instance owned
            WHERE owned.organization_id = o.id AND owned.deleted_at IS NULL LIMIT 1) IS NOT NULL"""
    },
)
INSTANCE = Kind(
    "Instance",
    Instance,
    source="instance i",
    row="i",
    values={
        **_columns(
            "i",
            "id",
            "name",
            "handle",
            "created_at",
            "updated_at",
            "organization_id",
            "created_by_organization_id",
        ),
        # The one that created it may be gone, and then there is nothing that a link could lead to; but not
        # while it owns it.
        "creator_id": """CASE WHEN i.created_by_organization_id = i.organization_id THEN i.organization_id
            ELSE (SELECT creator.id FROM organization creator
            WHERE creator.id = i.created_by_organization_id AND creator.deleted_at IS NULL) END""",
    },
    roles=(
        role_in("i.organization_id"),
        # One look tells that nobody else may use it, as of most. For EXISTS, see `withheld` above.
        f"""CASE WHEN (SELECT given.instance_id FROM instance_authorization given
            WHERE given.instance_id = i.id LIMIT 1) IS NOT NULL
            THEN 'authorized_' || (SELECT max(theirs.role) FROM {AUTHORIZED}
            WHERE granted.instance_id = i.id) END""",
    ),
    visible=f"""({in_mine("i.organization_id")}
        OR EXISTS (SELECT 1 FROM {AUTHORIZED} WHERE granted.instance_id = i.id))""",
    deleted_at="i.deleted_at",
    version="i.version",
    concerned=("organization_id",),
    keys={"name": "i.name_key"},
    unique=("id", "handle"),
    parents={"organization_id": "i.organization_id = {id}"},
)
PARTNER = Kind(
    "Partner",
    Partner,
    source="partner p",
    row="p",
    values={
        **_columns("p", "id", "name"),
        # For the partner itself and for fellow members.
        "email": """CASE WHEN :all OR p.id = $1 OR EXISTS (SELECT 1 FROM membership theirs
            JOIN membership mine ON mine.organization_id = theirs.organization_id AND mine.partner_id = $1
            JOIN organization common ON common.id = mine.organization_id AND common.deleted_at IS NULL
            WHERE theirs.partner_id = p.id) THEN p.email END""",
    },
    roles=("CASE WHEN p.id = $1 THEN 'self' END",),
    # Itself, fellow members, and those whose acts concern an organization that the caller owns. Of what is
    # deleted no one is a member any longer, though the rows stay, to tell who could see it.
    visible=f"""(p.id = $1
        OR p.id IN (SELECT theirs.partner_id FROM membership theirs
            JOIN organization common ON common.id = theirs.organization_id AND common.deleted_at IS NULL
            WHERE theirs.organization_id IN ({MINE}))
        OR EXISTS (SELECT 1 FROM activity act
            CROSS JOIN activity_organization about CROSS JOIN membership mine
            WHERE act.actor_id = p.id AND about.activity_id = act.sequence
            AND mine.organization_id = about.organization_id AND mine.partner_id = $1
            AND mine.role = 'owner'))""",
    version="p.version",
)
MEMBER = Kind(
    "Member",
    Membership,
    source="""membership m JOIN organization o ON o.id = m.organization_id
        LEFT JOIN partner p ON p.id = m.partner_id""",
    row="m",
    values={
        **_columns("m", "id", "role", "joined_at", "organization_id", "partner_id"),
        "name": "p.name",
        "email": "COALESCE(p.email, m.email)",
    },
    roles=(role_in("m.organization_id"), "CASE WHEN m.partner_id = $1 THEN 'self' END"),
    visible=in_mine("m.organization_id"),
    deleted_at="o.deleted_at",
    version="m.version",
    concerned=("organization_id",),
    within="organization_id",
    parents={"organization_id": "m.organization_id = {id}", "partner_id": "m.partner_id = {id}"},
    withheld=dict.fromkeys(
        ("PATCH", "DELETE"),
        # The last owner who is known by a token has to stay one.
        """(m.role = 'owner' AND m.partner_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM membership other
            WHERE other.organization_id = m.organization_id AND other.id <> m.id
            AND other.role = 'owner' AND other.partner_id IS NOT NULL))""",
    ),
)
AUTHORIZATION = Kind(
    "Authorization",
    Authorization,
    source="instance_authorization a JOIN instance i ON i.id = a.instance_id",
    row="a",
    values=_columns(
        "a",
        "id",
        "instance_id",
        "organization_id",
        "owner_organization_id",
        "status",
        "created_at",
        "accepted_at",
    ),
    roles=(
        role_in("a.owner_organization_id"),
        f"'authorized_' || {role_in('a.organization_id')}",
    ),
    # The owner's members see all, the other side its own.
    visible=f"""({in_mine("a.owner_organization_id")}
        OR {in_mine("a.organization_id", " AND (mine.role = 'owner' OR a.status = 'accepted')")})""",
    deleted_at="i.deleted_at",
    version="a.version",
    concerned=("owner_organization_id", "organization_id"),
    within="instance_id",
    parents={"instance_id": "a.instance_id = {id}", "organization_id": "a.organization_id = {id}"},
    # What is accepted has nothing left to be accepted.
    withheld={"PATCH": "(a.status = 'accepted')"},
)
ACTIVITY = Kind(
    "Activity",
    Activity,
    source="activity act",
    row="act",
    values=_columns(
        "act",
        "id",
        "sequence",
        "type",
        "object_class",
        "object_id",
        "object_parent_id",
        "actor_id",
        "published",
        "changes",
        "request_id",
    ),
    # SQLite would begin with the caller's memberships, which may be thousands; CROSS keeps the order.
    roles=(
        """(SELECT max(mine.role) FROM activity_organization about CROSS JOIN membership mine
        WHERE about.activity_id = act.sequence
        AND mine.organization_id = about.organization_id AND mine.partner_id = $1)""",
    ),
    # Owners of an organization concerned.
    visible="""EXISTS (SELECT 1 FROM activity_organization about CROSS JOIN membership mine
        WHERE about.activity_id = act.sequence
        AND mine.organization_id = about.organization_id AND mine.partner_id = $1 AND mine.role = 'owner')""",
    version="1",
    unique=("sequence",),
)
KINDS = {kind.class_name: kind for kind in (ORGANIZATION, INSTANCE, PARTNER, MEMBER, AUTHORIZATION, ACTIVITY)}
