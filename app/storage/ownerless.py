"""Organizations as the service leaves none, and an import may: the file says who their members are."""

from __future__ import annotations

from collections.abc import Sequence

from app.storage.erasure import EMAIL
from app.storage.partners import IMPORTED
from app.storage.session import Session


async def without_owner(session: Session, ids: Sequence[str]) -> set[str]:
    """Those of which nobody is an owner, nor becomes one by coming with an e-mail address."""
    rows = await session.rows(
        f"""SELECT o.id FROM organization o
            WHERE o.deleted_at IS NULL AND o.id IN ({_places(ids, 3)}) AND NOT EXISTS (
                SELECT 1 FROM membership m LEFT JOIN partner p ON p.id = m.partner_id
                WHERE m.organization_id = o.id AND m.role = 'owner'
                AND (p.issuer <> $1 OR p.email_key IS NOT NULL OR m.email <> $2))""",
        [IMPORTED, EMAIL, *ids],
    )
    return {row["id"] for row in rows}


async def with_more_members(session: Session, ids: Sequence[str], most: int) -> set[str]:
    rows = await session.rows(
        f"""SELECT o.id FROM organization o WHERE o.id IN ({_places(ids, 2)})
            AND (SELECT count(*) FROM membership m WHERE m.organization_id = o.id) > $1""",
        [most, *ids],
    )
    return {row["id"] for row in rows}


def _places(ids: Sequence[str], first: int) -> str:
    return ", ".join(f"${number}" for number in range(first, first + len(ids)))
