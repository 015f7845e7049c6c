"""Which isolation changes need, on PostgreSQL: docs/scaling.md tells it to whoever moves to another database.

Somebody is about to delete an organization, and has looked at something already, when another one makes an
instance in it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from app.caller import ANONYMOUS
from app.storage.acts import Act, new_id, now
from app.storage.database import Database
from app.storage.ownership import EVERYTHING, delete_organization
from app.storage.records import find, find_locked
from tests.postgres_server import PostgresServer
from tests.storage.opening import opened, unavailable
from tests.storage.rows import add_instance, add_organization

pytestmark = pytest.mark.anyio


@pytest.fixture
def isolated_url(request: pytest.FixtureRequest, postgres_server: PostgresServer, postgres_url: str) -> str:
    """Of a database whose transactions have the level that the test is given."""
    name = re.search("test_[0-9a-f]+", postgres_url)
    assert name is not None
    level = request.param
    postgres_server.administer(f"ALTER DATABASE {name[0]} SET default_transaction_isolation = '{level}'")
    return postgres_url


@pytest.fixture
async def isolated(isolated_url: str) -> AsyncIterator[Database]:
    async with opened(isolated_url) as database:
        yield database


async def may_delete_what_has_an_instance(database: Database) -> bool:
    """Whether the one who deletes is not told of the instance, deletes, and is let through."""
    act = Act(ANONYMOUS, new_id(), now())
    async with database.transaction() as session:
        organization = await add_organization(session)
    async with database.transaction() as deleting:
        assert await find(deleting, "Organization", EVERYTHING, "id", organization) is not None
        async with database.transaction() as making:
            assert await find_locked(making, "Organization", EVERYTHING, "id", organization) is not None
            await add_instance(making, organization)
        record = await find_locked(deleting, "Organization", EVERYTHING, "id", organization)
        assert record is not None
        return "DELETE" not in record.withheld and await delete_organization(deleting, act, record)


@pytest.mark.parametrize("isolated_url", ["read committed"], indirect=True)
async def test_with_read_committed_who_waited_sees_what_was_done_meanwhile(isolated: Database) -> None:
    assert not await may_delete_what_has_an_instance(isolated)


@pytest.mark.parametrize("isolated_url", ["serializable"], indirect=True)
async def test_with_serializable_who_waited_is_asked_to_try_again(isolated: Database) -> None:
    with unavailable():
        await may_delete_what_has_an_instance(isolated)


@pytest.mark.parametrize("isolated_url", ["repeatable read"], indirect=True)
async def test_with_a_snapshot_for_a_whole_transaction_a_rule_is_broken(isolated: Database) -> None:
    """This is why the guide warns of it; were it mended, the guide could say so."""
    assert await may_delete_what_has_an_instance(isolated)
