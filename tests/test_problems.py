"""Failures of every origin leave as the same kind of problem."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.contract.contract import Contract
from app.logs import Lines
from app.problems import Problem
from app.resources import instances, items
from app.storage.failures import unavailable
from tests.service import ACCEPT_POST, BASE, JSON, JSON_LD, PATCH, Service, World, running
from tests.test_sweep import check_problem

pytestmark = pytest.mark.anyio
DATABASES = ["sqlite"]


@pytest.mark.parametrize(
    "type_", [None, "", "text/plain", "application/xml", "json", PATCH, "application/json,"]
)
async def test_content_of_another_media_type_is_refused_with_those_that_are_read(
    service: Service, type_: str | None
) -> None:
    """CR-04: Accept-Post (RFC 9110 section 15.5.16)."""
    headers = {"Content-Type": type_} if type_ is not None else {}
    answer = await service.as_("owner").post("/api/organizations", content=b'{"name": "x"}', headers=headers)
    check_problem(answer, "unsupported-media-type")
    assert answer.headers["Accept-Post"] == ACCEPT_POST


async def test_a_patch_is_a_merge_patch(service: Service, world: World) -> None:
    """PA-01, PA-02."""
    for type_ in (JSON, "application/json-patch+json"):
        headers = {"Content-Type": type_}
        answer = await service.as_("owner").patch(world.shop, content=b"{}", headers=headers)
        check_problem(answer, "unsupported-media-type")
        assert answer.headers["Accept-Patch"] == PATCH
    tolerated = {"Content-Type": JSON_LD}
    answer = await service.as_("owner").patch(world.shop, content=b'{"name": "New"}', headers=tolerated)
    assert answer.json()["name"] == "New"
    put = await service.as_("owner").put(world.shop, content=b"{}", headers={"Content-Type": PATCH})
    check_problem(put, "unsupported-media-type")


@pytest.mark.parametrize(
    "type_", [JSON, JSON_LD, "APPLICATION/JSON; charset=utf-8", f'{JSON_LD};profile="x"']
)
async def test_parameters_of_a_media_type_change_nothing(service: Service, type_: str) -> None:
    headers = {"Content-Type": type_}
    answer = await service.as_("owner").post("/api/organizations", content=b'{"name":"x"}', headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{'name': 1}",
        b'{"name": "x"} {}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'{"name":1,"name":2}',
        b"[" * 99,
        b"NaN",
    ],
)
async def test_content_that_is_no_json_is_malformed(service: Service, content: bytes) -> None:
    headers = {"Content-Type": JSON}
    answer = await service.as_("owner").post("/api/organizations", content=content, headers=headers)
    assert check_problem(answer, "malformed-content")["status"] == 400


async def test_content_that_is_too_large_is_refused_whether_it_is_announced_or_not(
    sqlite_url: str, tmp_path: Any
) -> None:
    """IN-05, IN-06."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100

    async with running(sqlite_url, tmp_path, max_content_length=1_000) as service:
        owner, headers = service.as_("owner"), {"Content-Type": JSON}
        for content in (b" " * 1_001, pieces()):
            answer = await owner.post("/api/organizations", content=content, headers=headers)
            check_problem(answer, "content-too-large")
        exactly = b'{"name":"x"}'.ljust(1_000)
        answer = await owner.post("/api/organizations", content=exactly, headers=headers)
        assert answer.status_code == 201


async def test_a_fault_of_the_service_tells_nothing_but_its_occurrence(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """PD-04, PD-09, CO-05: what happened stands in the log alone, under the number that the client has."""

    async def fail(*_: object) -> None:
        raise RuntimeError("SELECT secret FROM table")

    monkeypatch.setattr(items, "find", fail)
    with caplog.at_level(logging.ERROR):
        answer = await service.as_("owner").get(world.shop)
    body = check_problem(answer, "internal-error")
    assert "secret" not in answer.text
    assert str(body["instance"]).partition("#")[2] in caplog.text
    assert "SELECT secret" in caplog.text


async def test_trouble_with_the_database_says_when_to_try_again(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RL-09, PD-13."""

    async def fail(*_: object) -> None:
        raise unavailable()

    monkeypatch.setattr(items, "find", fail)
    answer = await service.as_("owner").get(world.shop)
    check_problem(answer, "unavailable")
    assert int(answer.headers["Retry-After"]) >= 0


async def test_a_write_that_loses_against_another_is_to_be_sent_again(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> bool:
        return False

    monkeypatch.setattr(items, "change", lose)
    monkeypatch.setattr(instances, "delete_instance", lose)
    owner = service.as_("owner")
    check_problem(await owner.put(world.shop, json={"name": "New"}), "unavailable")
    check_problem(await owner.delete(world.shop), "unavailable")


async def test_a_database_that_is_away_leaves_what_is_published(service: Service) -> None:
    """LC-01: alive, but not ready."""
    await service.app.default.pipeline._database.close()  # type: ignore[attr-defined]  # it is an Endpoint
    client = service.as_(None)
    for path in ("/api", "/api/docs", "/vocab", "/livez", "/contexts/v1/registry.jsonld"):
        assert (await client.get(path)).status_code == 200
    check_problem(await client.get("/readyz"), "unavailable")
    check_problem(await service.as_("owner").get("/api/organizations"), "unavailable")


async def test_two_authorization_lines_are_a_malformed_request(service: Service) -> None:
    """AU-07."""
    token = service.token("owner")
    lines = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    answer = await service.as_(None).get("/api/organizations", headers=lines)
    check_problem(answer, "invalid-parameter")
    assert 'error="invalid_request"' in answer.headers["WWW-Authenticate"]


async def test_a_token_counts_in_the_authorization_field_alone(service: Service) -> None:
    """AU-06."""
    token = service.token("owner")
    client = service.as_(None)
    answer = await client.get(
        f"/api/organizations?access_token={token}", headers={"Cookie": f"access_token={token}"}
    )
    check_problem(answer, "not-authenticated")


async def test_a_token_for_another_service_or_without_scope_is_refused(service: Service) -> None:
    """AU-03, AU-10."""
    foreign = service.token("owner", audience="https://other.example")
    answer = await service.as_(None).get("/api/me", headers={"Authorization": f"Bearer {foreign}"})
    check_problem(answer, "not-authenticated")
    for scopes, method, scope in (
        (("openid",), "GET", "registry:read"),
        (("registry:read",), "POST", "registry:write"),
        (("registry:read-all",), "POST", "registry:write"),
    ):
        answer = await service.as_("owner", *scopes).request(method, "/api/organizations")
        check_problem(answer, "insufficient-scope")
        assert answer.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'


@pytest.mark.parametrize("length", ["0" * 5_000 + "2", "9" * 5_000, "9" * 16, "00000000000002000"])
async def test_an_announced_length_is_read_whatever_it_is(service: Service, length: str) -> None:
    """IN-07: on a field that servers hand over as it came."""
    scope = {
        "type": "http", "method": "POST", "path": "/api/organizations", "query_string": b"", "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {service.token('owner')}".encode()),
            (b"content-type", b"application/json"),
            (b"content-length", length.encode()),
        ],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await service.app(scope, receive, send)
    assert sent[0]["status"] in (413, 422)


async def test_two_content_types_are_none(service: Service) -> None:
    """IN-12."""
    headers = [("Content-Type", JSON), ("Content-Type", JSON_LD)]
    answer = await service.as_("owner").post("/api/organizations", content=b'{"name":"x"}', headers=headers)
    check_problem(answer, "unsupported-media-type")


async def test_an_answer_stays_short_whatever_was_sent(service: Service) -> None:
    members = {f"member{n}": n for n in range(5_000)} | {"x" * 100_000: 1}
    answer = await service.as_("owner").post("/api/organizations", json=members)
    violations = check_problem(answer, "invalid-content")["violations"]
    assert isinstance(violations, list)
    assert len(violations) <= 101
    long = await service.as_("owner").post("/api/organizations", json={"name": "x", "y" * 100_000: 1})
    assert len(answer.content) + len(long.content) < 80_000


async def test_health_is_asked_for_each_time(service: Service) -> None:
    for path in ("/livez", "/readyz"):
        answer = await service.as_(None).get(path)
        assert (answer.json(), answer.headers["Cache-Control"]) == ({"status": "pass"}, "no-store")


async def test_a_request_is_one_line_of_the_log_and_its_query_is_not_in_it(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LO-01 to LO-04: the route and not the path; who asked, but no name."""
    trace, written = "0af7651916cd43dd8448eb211c80319c", io.BytesIO()
    monkeypatch.setattr("app.observation.REQUESTS", Lines(io.TextIOWrapper(written)))
    await service.as_(None).get("/x%0aINFO:forged%20%1b[31m%c3%a9?access_token=secret")
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    answer = await service.as_("owner").get(f"{world.acme}/instances?name=secret", headers=headers)
    await asyncio.sleep(0)
    nowhere, found = map(json.loads, written.getvalue().splitlines())
    for line in (nowhere, found):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
    assert nowhere.pop("ms") >= 0
    assert nowhere == {
        "event": "request", "level": "info", "request_id": nowhere["request_id"], "method": "GET",
        "status": 404, "bytes": nowhere["bytes"], "problem": "not-found",
    }  # fmt: skip
    assert found.pop("ms") > 0
    assert len(found.pop("caller")) == 16
    assert found == {
        "event": "request", "level": "info", "request_id": answer.headers["X-Request-Id"],
        "trace_id": trace, "method": "GET", "route": "/api/organizations/{organization_id}/instances",
        "status": 200, "bytes": int(answer.headers["Content-Length"]), "organization": world.acme_id,
    }  # fmt: skip
    assert answer.headers["Traceresponse"].startswith(f"00-{trace}-")
    assert b"secret" not in written.getvalue()


async def test_every_problem_type_dereferences(service: Service, contract: Contract) -> None:
    client = service.as_(None)
    listed = {member["@id"] for member in (await client.get("/problems")).json()["member"]}
    assert listed == {f"{BASE}/problems/{name}" for name in contract.problems}
    for name, problem in contract.problems.items():
        body = (await client.get(f"/problems/{name}")).json()
        assert body["@id"] == f"{BASE}/problems/{name}"
        assert (body["statusCode"], body["title"]) == (problem.status, problem.title)


async def test_a_client_that_leaves_in_the_middle_is_not_answered(service: Service, world: World) -> None:
    sent: list[Any] = []
    scope = {
        "type": "http", "method": "PUT", "path": world.shop, "query_string": b"", "root_path": "",
        "headers": [
            (b"authorization", f"Bearer {service.token('owner')}".encode()),
            (b"content-type", b"application/json"),
        ],
    }  # fmt: skip

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await service.app(scope, receive, send)
    assert sent == []
    await service.app({"type": "websocket", "path": "/api", "root_path": ""}, receive, send)
    assert sent == [{"type": "websocket.close"}]


def test_a_problem_tells_its_type_and_detail() -> None:
    assert str(Problem("gone", "Forget it.")) == "gone: Forget it."
