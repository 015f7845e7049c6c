"""Rows that every constraint accepts, to be changed where a test wants them otherwise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from app.storage.database import Session, insert
from app.storage.tables import (
    Activity,
    ActivityOrganization,
    Authorization,
    Instance,
    Membership,
    Organization,
    Partner,
    RememberedAnswer,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def add_organization(session: Session, **changes: Any) -> str:
    row = {"id": str(uuid4()), "name": "Acme", "name_key": "acme", **_written(), **changes}
    await insert(session, Organization, row)
    return str(row["id"])


async def add_instance(session: Session, organization_id: str, **changes: Any) -> str:
    owners = {"organization_id": organization_id, "created_by_organization_id": organization_id}
    row = {"id": str(uuid4()), **owners, "name": "Shop", "name_key": "shop", "handle": "shop", **_written()}
    await insert(session, Instance, row | changes)
    return str(row["id"])


async def add_partner(session: Session, **changes: Any) -> str:
    row = {"id": str(uuid4()), "issuer": "https://id.example", "subject": "ada", **_written(), **changes}
    await insert(session, Partner, row)
    return str(row["id"])


async def add_membership(session: Session, organization_id: str, **changes: Any) -> str:
    row = {"id": str(uuid4()), "organization_id": organization_id, "role": "owner", "joined_at": NOW}
    waiting = {} if "partner_id" in changes else {"email_key": f"{uuid4()}@id.example"}
    await insert(session, Membership, row | waiting | {"version": 1} | changes)
    return str(row["id"])


async def add_authorization(session: Session, **changes: Any) -> str:
    row: dict[str, Any] = {"id": str(uuid4()), "status": "pending", "created_at": NOW, "version": 1} | changes
    if "owner_organization_id" not in row:
        row["owner_organization_id"] = await add_organization(session)
    if "instance_id" not in row:
        row["instance_id"] = await add_instance(session, row["owner_organization_id"])
    if "organization_id" not in row:
        row["organization_id"] = await add_organization(session)
    await insert(session, Authorization, row)
    return str(row["id"])


async def add_activity(session: Session, **changes: Any) -> int:
    row = {"id": str(uuid4()), "type": "Create", "object_class": "Organization", "object_id": str(uuid4())}
    sequence = await insert(
        session, Activity, row | {"published": NOW, "changes": "[]", "request_id": "1"} | changes
    )
    assert sequence is not None
    return sequence


async def list_activity(session: Session, activity_id: int, organization_id: str) -> None:
    row = {"activity_id": activity_id, "organization_id": organization_id}
    await insert(session, ActivityOrganization, row)


async def add_remembered_answer(session: Session, partner_id: str, **changes: Any) -> None:
    row = {"partner_id": partner_id, "path": "/a", "idempotency_key": "1", "fingerprint": "f", "status": 201}
    await insert(session, RememberedAnswer, row | {"header_fields": "[]", "created_at": NOW} | changes)


def _written() -> dict[str, Any]:
    return {"created_at": NOW, "updated_at": NOW, "version": 1}
