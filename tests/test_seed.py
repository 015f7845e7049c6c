"""The reference page that the service was begun from: *rename an instance*, property for property."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from app.contract.contract import Contract
from app.contract.documentation import documentation
from tests.service import BASE, JSON, PATCH, PROBLEM, Service, World

pytestmark = pytest.mark.anyio

ORGANIZATION_ID = "Identifier of the organization that currently owns the instance."
INSTANCE = {
    "id": "Unique identifier of the instance.",
    "name": "Human-readable display name of the instance.",
    "handle": (
        "Stable, URL-safe identifier of the instance. Used as the tenant subdomain when addressing the "
        "per-instance product services (e.g. https://acme-eu.product-management.flowkiwi.net). Lowercase "
        "letters and hyphens only, no leading or trailing hyphen, unique across all instances."
    ),
    "created_at": "Date and time the instance was created (ISO 8601, UTC).",
    "updated_at": "Date and time the instance was last updated (ISO 8601, UTC).",
    "organization_id": ORGANIZATION_ID,
    "created_by_organization_id": (
        "Identifier of the organization that originally created the instance. Immutable, it does not change "
        "when the instance is transferred to another organization."
    ),
}
PROBLEM_MEMBERS = {
    "title": "A short, human-readable summary of the problem.",
    "detail": "A human-readable explanation specific to this occurrence of the problem.",
    "status": None,
    "instance": (
        "A URI reference that identifies the specific occurrence of the problem. "
        "It may or may not yield further information if dereferenced."
    ),
    "type": "A URI reference that identifies the problem type",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


async def test_renaming_answers_with_the_seed_s_members(service: Service, world: World) -> None:
    """At the seed's own address, in JSON-LD and in plain JSON; every value a string."""
    headers = {"Content-Type": PATCH}
    owner = service.as_("owner")
    plain = await owner.patch(world.nested_shop, json={"name": "One"}, headers=headers | {"Accept": JSON})
    assert list(plain.json()) == list(INSTANCE)
    linked = (await owner.patch(world.nested_shop, json={"name": "One"}, headers=headers)).json()
    assert list(linked)[:3] == ["@context", "@id", "@type"]
    assert {key: linked[key] for key in INSTANCE} == plain.json()
    for key, value in plain.json().items():
        assert isinstance(value, str), key
        if key.endswith("_at"):
            assert TIME.fullmatch(value)
            assert datetime.fromisoformat(value).tzinfo is not None
        if key.endswith("id"):
            assert str(UUID(value)) == value
            assert UUID(value).version == 7


def test_the_documentation_gives_the_seed_s_descriptions(contract: Contract) -> None:
    classes = {class_["title"]: class_ for class_ in documentation(contract)["supportedClass"]}
    for title, members in (("Instance", INSTANCE), ("Problem", PROBLEM_MEMBERS)):
        described = {s["title"]: s.get("description") for s in classes[title]["supportedProperty"]}
        for key, text in members.items():
            assert key in described
            if text is not None:
                assert described[key] == text


@pytest.mark.parametrize("status", [400, 403, 404])
async def test_the_errors_of_a_rename_have_the_seed_s_members(
    service: Service, world: World, status: int
) -> None:
    """`@context` an object, `@id` and `@type` strings, and all five of RFC 9457."""
    headers = {"Content-Type": PATCH}
    client, path, content = service.as_("owner"), world.nested_shop, b'{"name": "New"}'
    if status == 400:
        content = b"{"
    elif status == 403:
        client = service.as_("member")
    else:
        path = f"{world.acme}/instances/{world.globex_shop[-36:]}"
    answer = await client.patch(path, content=content, headers=headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
    body: dict[str, Any] = answer.json()
    kinds = {"@context": dict, "@id": str, "@type": str, "status": int}
    for key in ("@context", "@id", "@type", *PROBLEM_MEMBERS):
        assert isinstance(body[key], kinds.get(key, str)), key
    assert body["type"].startswith(f"{BASE}/problems/")
    plain = await client.patch(path, content=content, headers=headers | {"Accept": JSON})
    assert set(plain.json()) == set(PROBLEM_MEMBERS)
    for address in (body["type"], body["instance"]):
        assert (await service.as_(None).get(address.partition("#")[0])).status_code == 200
