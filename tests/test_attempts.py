"""What clients see of changes that are tried by one statement first: nothing."""

from __future__ import annotations

from typing import Any

import pytest

from app.storage.attempts import Attempt
from app.storage.database import Database
from tests.service import PATCH, Service, World, id_of
from tests.storage.opening import opened

pytestmark = pytest.mark.anyio

DATABASES = ["postgres"]
MERGE = {"Content-Type": PATCH}


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> list[Attempt | None]:
    """Those that were begun."""
    begun: list[Attempt | None] = []
    attempt = Database.attempt

    def noted(database: Database) -> Attempt | None:
        begun.append(attempt(database))
        return begun[-1]

    monkeypatch.setattr(Database, "attempt", noted)
    return begun


async def test_a_change_that_was_overtaken_is_timed_anew(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its activity, which comes after that of the other one, tells no earlier time."""
    owner, write, other = service.as_("owner"), Attempt.write, list[Any]()

    async def overtaken(attempt: Attempt, sql: str, values: Any) -> Any:
        if not other:
            other.append(None)
            other[0] = await owner.patch(world.shop, json={"name": "Second"}, headers=MERGE)
        return await write(attempt, sql, values)

    monkeypatch.setattr(Attempt, "write", overtaken)
    first = await owner.patch(world.shop, json={"name": "First"}, headers=MERGE)
    assert (first.status_code, other[0].status_code) == (200, 200)
    assert first.json()["updated_at"] > other[0].json()["updated_at"]
    sql = """SELECT CAST(published AS text) AS published, changes
        FROM activity WHERE object_id = $1 ORDER BY sequence DESC LIMIT 2"""
    async with opened(service.settings.database_url) as database:
        last, before = await database.reading().rows(sql, [id_of(world.shop)])
    assert ("First" in last["changes"], "Second" in before["changes"]) == (True, True)
    assert last["published"] > before["published"]


async def test_a_creation_that_has_conditions_on_its_list_is_not_attempted(
    service: Service, world: World, attempts: list[Attempt | None]
) -> None:
    """Nothing would keep the list as it was when the condition was looked at."""
    owner, path = service.as_("owner"), f"{world.acme}/instances"
    tag = (await owner.get(path)).headers["ETag"]
    for fields, status in (({"If-Match": '"another"'}, 412), ({"If-Match": tag}, 201)):
        content = {"name": "Mill", "handle": "acme-mill"}
        assert (await owner.post(path, json=content, headers=fields)).status_code == status
    assert not attempts
    assert (await owner.post(path, json={"name": "Mine", "handle": "acme-mine"})).status_code == 201
    shop = await owner.get(world.shop)
    fields = MERGE | {"If-Match": shop.headers["ETag"]}
    assert (await owner.patch(world.shop, json={"name": "New"}, headers=fields)).status_code == 200
    assert (await owner.patch(world.shop, json={"name": "Old"}, headers=fields)).status_code == 412
    assert len(attempts) == 3


@pytest.mark.parametrize("strange", ["?strange=1", "?page=2"])
async def test_an_unknown_parameter_is_refused_before_anything_is_written(
    service: Service, world: World, attempts: list[Attempt | None], strange: str
) -> None:
    owner, strictly = service.as_("owner"), {"Prefer": "handling=strict"}
    async with opened(service.settings.database_url) as database:
        before = await database.reading().rows("SELECT max(sequence) AS last FROM activity")
        content = {"name": "Mill", "handle": "acme-mill", "organization_id": world.acme_id}
        refused = [
            await owner.patch(f"{world.shop}{strange}", json={"name": "New"}, headers=MERGE | strictly),
            await owner.post(f"/api/instances?strange={strange[1:]}", json=content, headers=strictly),
        ]
        assert [it.status_code for it in refused] == [400, 400]
        assert await database.reading().rows("SELECT max(sequence) AS last FROM activity") == before
    assert len(attempts) == 2
