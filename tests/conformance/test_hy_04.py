"""HY-04 of the conformance list: what is required and writable is so, by experiment; so is what is readable,
where it is written, and in every answer by HY-03.

For each operation that expects content, and each property of what it expects or is about, requests that
differ in this property alone from one that succeeds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest
from _pytest.mark import ParameterSet

from app.caller import READ_ALL
from app.contract.documentation import documentation
from tests.conformance.operations import Request, request_of
from tests.promises import CONTRACT, OPERATIONS
from tests.service import BASE, Service, World
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio

DOCUMENTATION = documentation(CONTRACT)
# The supported properties of each class, by key.
SUPPORTED: Mapping[str, Mapping[str, Any]] = {
    class_["@id"].rpartition("#")[2]: {it["title"]: it for it in class_["supportedProperty"]}
    for class_ in DOCUMENTATION["supportedClass"]
}
EXPECTED = {name: SUPPORTED[it.expects] for name, it in OPERATIONS.items() if it.expects}
# Either of these is enough, so that neither is required.
TWINS = {"organization": "organization_id", "organization_id": "organization"}
UNTRUE = "what is not so"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


def class_changed(operation: str) -> str:
    """A transfer returns the instance, but it is not what is sent."""
    expected, returned = OPERATIONS[operation].expects, OPERATIONS[operation].returns.rpartition("#")[2]
    return "Transfer" if expected == "Transfer" else returned


def cases(*, written: bool) -> list[ParameterSet]:
    """Operations with the keys of what they expect or, where not `written`, with the others of what they are
    about."""
    return [
        pytest.param(name, key, id=f"{name} {key}")
        for name, expected in EXPECTED.items()
        for key in {**expected, **SUPPORTED[class_changed(name)]}
        if written == (key in expected and expected[key]["writable"])
    ]


def sent(request: Request, content: Mapping[str, Any]) -> Request:
    """Also with `null`, for which the client's own `json` sends nothing."""
    return replace(request, content=None, octets=json.dumps(content).encode())


def without(request: Request, key: str) -> dict[str, Any]:
    """What would be sent but for this key; its twin says the same."""
    content = {it: value for it, value in (request.content or {}).items() if it != key}
    identifier = request.organization.rpartition("/")[2]
    named = {"organization": BASE + request.organization, "organization_id": identifier}
    return content | ({TWINS[key]: named[TWINS[key]]} if key in TWINS else {})


def refused(answer: httpx.Response) -> list[str]:
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    return [violation["pointer"] for violation in violations]


async def shown(service: Service, answer: httpx.Response, key: str) -> Any:
    """By who reads everything: what there is now."""
    assert answer.is_success, answer.text
    return (await service.as_("auditor", READ_ALL).get(answer.json()["@id"])).json().get(key)


async def test_hy_04_what_is_served_is_what_these_experiments_are_made_of(service: Service) -> None:
    assert (await service.as_(None).get("/api/docs")).json() == DOCUMENTATION
    assert len(cases(written=True)) > 10
    assert len(cases(written=False)) > 50


@pytest.mark.parametrize(("name", "key"), cases(written=True))
async def test_hy_04_what_is_required_cannot_be_left_out_and_the_rest_can(
    service: Service, world: World, name: str, key: str
) -> None:
    """A merge patch leaves what it does not name as it is; nothing that is required can be taken away."""
    request = await request_of(name, service, world)
    required = EXPECTED[name][key]["required"]
    answer = await sent(request, without(request, key)).of(service)
    if required and request.method != "PATCH":
        assert refused(answer) == [f"#/{key}"]
    else:
        assert answer.is_success, answer.text
    request = await request_of(name, service, world)
    answer = await sent(request, without(request, key) | {key: None}).of(service)
    if required:
        assert refused(answer) == [f"#/{key}"]
    else:
        assert answer.is_success, answer.text


@pytest.mark.parametrize(("name", "key"), cases(written=True))
async def test_hy_04_what_is_writable_is_written_and_can_be_read(
    service: Service, world: World, name: str, key: str
) -> None:
    request = await request_of(name, service, world)
    content = dict(request.content or {})
    if key not in content:  # a twin, which the request does without
        content = without(request, TWINS[key])
    assert await shown(service, await sent(request, content).of(service), key) == content[key]


@pytest.mark.parametrize(("name", "key"), cases(written=False))
async def test_hy_04_what_is_not_writable_is_not_written(
    service: Service, world: World, name: str, key: str
) -> None:
    """Links, times and members that a form sends back are ignored; of the rest only the truth is taken."""
    request = await request_of(name, service, world)
    answer = await sent(request, {**(request.content or {}), key: UNTRUE}).of(service)
    if CONTRACT.classes[class_changed(name)].properties[key].ignored:
        assert await shown(service, answer, key) not in (UNTRUE, [UNTRUE])
    else:
        assert refused(answer) == [f"#/{key}"]
