"""Ways: how a caller comes to the rows of a list from its memberships, so that no row is read in vain.

In all of this SQL `$1` is the caller's partner, and `mine` a membership of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.storage.kinds import AUTHORIZED


@dataclass(frozen=True, eq=False)
class Way:
    """From an organization to rows of a class.

    `source` holds an entry, with `key`, for each row of an `organization`; `row_key` is the same of the row
    itself. `as_member` is what a membership has to be beside the caller's. An index of the source holds the
    entries of one organization in each of the `orders`, by the expression to order by there. `single`: there
    is one entry for an organization. `repeats`: a row may have entries for several. `granted` selects the
    keys of rows of other organizations that the caller was granted, `granted_to` whether any were to an
    `{organization}`. `tally` is a table that tells how many
    `instances` there are of each `organization_id`. `walked` are orders in which an index has all rows that
    are there, and no others, so that the first few of them are soon read.
    """

    source: str
    organization: str
    key: str
    row_key: str
    as_member: str = ""
    orders: Mapping[str, str] = field(default_factory=dict)
    single: bool = False
    repeats: bool = False
    granted: str = ""
    granted_to: str = ""
    tally: str = ""
    walked: frozenset[str] = frozenset()


WAYS: Mapping[str, Way] = {
    "Organization": Way(
        source="organization o", organization="o.id", key="o.id", row_key="o.id", single=True
    ),
    "Instance": Way(
        source="instance i",
        organization="i.organization_id",
        key="i.id",
        row_key="i.id",
        orders={"created_at": "i.created_at"},
        granted=f"SELECT DISTINCT granted.instance_id FROM {AUTHORIZED} WHERE granted.status = 'accepted'",
        granted_to="""SELECT 1 FROM instance_authorization granted
            WHERE granted.organization_id = {organization} AND granted.status = 'accepted'""",
        tally="instance_tally",
        walked=frozenset({"created_at", "updated_at"}),
    ),
    "Activity": Way(
        source="activity_organization about",
        organization="about.organization_id",
        key="about.activity_id",
        row_key="act.sequence",
        as_member=" AND mine.role = 'owner'",
        orders={"sequence": "about.activity_id"},
        repeats=True,
        walked=frozenset({"sequence"}),
    ),
}
