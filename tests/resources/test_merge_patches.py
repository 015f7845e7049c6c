"""Whatever patch is sent, what is accepted is merged as RFC 7396 says, and nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.conformance.fresh import instance_of, organization_of, patched
from tests.conformance.merge_patch import merged
from tests.service import BASE, Service, World
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

# What the service writes itself, whatever is sent.
ITS_OWN = {
    *("updated_at", "operation", "owners", "members", "authorizations", "transfer", "instances"),
    *("memberships", "received_authorizations", "activities"),
}
# What only a client keeps.
A_CLIENTS = {"originId"}
NAMES = st.sampled_from(["New", "Shop", "", " x", "\x00", "ä" * 256]) | st.text(max_size=12)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
KEYS = [
    *("@context", "@id", "@type", "id", "name", "handle", "created_at", "updated_at", "organization_id"),
    *("created_by_organization_id", "organization", "created_by_organization", "authorizations", "transfer"),
    *("operation", "originId", "owners", "members", "instances", "role", "colour", "__class__"),
]
CHANGES = st.dictionaries(st.just("name"), NAMES) | st.dictionaries(
    st.sampled_from(KEYS), NAMES | JUNK, max_size=2
)


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
async def organization(service: Service) -> str:
    return await organization_of(service)


@pytest.fixture(scope="module")
async def instance(service: Service, organization: str) -> str:
    return await instance_of(service, organization)


def known(body: dict[str, Any]) -> dict[str, Any]:
    """What a patch can be compared with: links as addresses, ids as ids, and a class by one name."""
    kept = {key: value for key, value in body.items() if key not in ITS_OWN | A_CLIENTS}
    for key, value in kept.items():
        if key in ("organization", "created_by_organization") and isinstance(value, dict):
            kept[key] = value["@id"]
        if key == "@type":
            kept[key] = (value if isinstance(value, str) else value[0]).removeprefix(f"{BASE}/vocab#")
    if kept["id"] == kept["@id"]:
        kept["id"] = kept["@id"].rpartition("/")[2]
    return kept


@given(kept=st.sets(st.sampled_from(KEYS)), changes=CHANGES, of_instance=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_is_accepted_is_merged_and_what_is_not_changes_nothing(
    service: Service,
    organization: str,
    instance: str,
    kept: set[str],
    changes: dict[str, Any],
    of_instance: bool,
) -> None:
    owner, path = service.as_("owner"), instance if of_instance else organization
    before = (await owner.get(path)).json()
    patch = {key: before[key] for key in kept & before.keys()} | changes
    answer = await patched(owner, path, patch)
    after = (await owner.get(path)).json()
    event(str(answer.status_code))
    if answer.status_code == 200:
        expected = merged(before, patch)
        # The null relative IRI is the address itself.
        assert known(after) == known({**expected, "@id": expected["@id"] or before["@id"]})
        assert answer.json() == after
    else:
        check_problem(answer, "invalid-content")
        assert after == before
