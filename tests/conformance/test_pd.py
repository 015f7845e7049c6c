"""Section 8 of the conformance list: one problem for every failure, for all kinds of clients."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from pyld import jsonld
from structlog.testing import capture_logs

from app.contract.contract import Contract
from tests.conformance.problems import ASKED, SECRET, Asked
from tests.service import BASE, JSON, JSON_LD, PROBLEM, TURTLE, Service, World
from tests.test_graphs import by_pyld, contexts, keys
from tests.test_sweep import BROWSER, CONTEXT_REL, DOCUMENTATION, check_problem

pytestmark = pytest.mark.anyio

Problems = Mapping[Asked, httpx.Response]

HYDRA, RDFS = "http://www.w3.org/ns/hydra/core#", "http://www.w3.org/2000/01/rdf-schema#"
RDF, DCTERMS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://purl.org/dc/terms/"
STANDARD = {"type": str, "title": str, "status": int, "detail": str, "instance": str}
EXTENSION = re.compile(r"[A-Za-z][A-Za-z0-9_]{2,}")
INSIDE = re.compile(
    r"Traceback|File \"|sqlite|asyncpg|postgres|tortoise|starlette|SELECT |/usr/|0x[0-9a-f]{8}", re.IGNORECASE
)
# What no request alone leads to here: a slow one, one at the same moment, a thousand members.
ELSEWHERE = {"request-timeout", "conflict", "too-many-members"}


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def problems(service: Service, world: World) -> Problems:
    """Every problem, with JSON-LD inside."""
    return {asked: await asked.of(service, world) for asked in ASKED}


@pytest.fixture(scope="module")
async def plain_problems(service: Service, world: World) -> Problems:
    """Every problem, without JSON-LD."""
    accept = f"{PROBLEM}, {JSON_LD};q=0.1"
    return {asked: await asked.of(service, world, Accept=accept) for asked in ASKED if asked.status != 406}


async def test_pd_01_the_status_in_the_body_is_the_answer_s(
    problems: Problems, plain_problems: Problems
) -> None:
    for asked, answer in [*problems.items(), *plain_problems.items()]:
        assert answer.json()["status"] == answer.status_code == asked.status, asked


async def test_pd_02_a_type_is_an_absolute_uri_that_leads_to_its_description(
    service: Service, problems: Problems
) -> None:
    anonymous = service.as_(None)
    for address in sorted({answer.json()["type"] for answer in problems.values()}):
        assert urlsplit(address).scheme == "http"
        described = (await anonymous.get(address, headers={"Accept": JSON_LD})).json()
        assert described["@id"] == address
        assert described["title"]
        assert described["description"]
        assert described["subClassOf"] in (f"{BASE}/vocab#Problem", f"{BASE}/problems/conflict")
        turtle = await anonymous.get(address, headers={"Accept": TURTLE})
        assert f"<{address}>" in turtle.text
        page = await anonymous.get(address, headers={"Accept": BROWSER})
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
        assert f"<code>{address}</code>" in page.text


async def test_pd_03_a_type_has_one_title(
    problems: Problems, plain_problems: Problems, contract: Contract
) -> None:
    titles: dict[str, set[str]] = {}
    details: dict[str, set[str]] = {}
    for answer in (*problems.values(), *plain_problems.values()):
        body = answer.json()
        titles.setdefault(body["type"], set()).add(body["title"])
        details.setdefault(body["type"], set()).add(body["detail"])
    assert titles == {
        problem.iri: {problem.title} for name, problem in contract.problems.items() if name not in ELSEWHERE
    }
    assert any(len(found) > 1 for found in details.values())


async def test_pd_04_a_detail_helps_and_tells_nothing_of_the_inside_or_of_others(
    problems: Problems, world: World
) -> None:
    for asked, answer in problems.items():
        text = answer.text.replace(answer.json()["@context"]["registry"], "")
        assert not INSIDE.search(text), asked
        assert len(answer.json()["detail"].split()) > 2, asked
        # The stranger's organization and instance: the path asked for may stand there, nothing else may.
        for foreign in ("Globex", world.globex):
            assert foreign not in text, asked


async def test_pd_05_an_occurrence_is_unique_and_stands_in_the_log(service: Service) -> None:
    with capture_logs() as lines:
        answers = [await service.as_(None).get("/nope") for _ in range(2)]
    occurrences = [answer.json()["instance"] for answer in answers]
    assert len(set(occurrences)) == 2
    for occurrence, line in zip(occurrences, lines, strict=True):
        assert urlsplit(occurrence).scheme == "http"
        assert urlsplit(occurrence).fragment == line["request_id"]
        assert (await service.as_(None).get(occurrence)).status_code == 200


async def test_pd_06_an_extension_has_a_plain_name(problems: Problems, plain_problems: Problems) -> None:
    for answer in (*problems.values(), *plain_problems.values()):
        body = answer.json()
        for key in keys({key: value for key, value in body.items() if key != "@context"}):
            assert key.startswith("@") or EXTENSION.fullmatch(key), key


async def test_pd_07_invalid_content_is_told_all_at_once_with_pointers(
    service: Service, world: World
) -> None:
    content = {"name": "", "handle": "Not a handle", "colour": "red", "organization_id": world.acme_id}
    answer = await service.as_("owner").post("/api/instances", json=content)
    violations: Any = check_problem(answer, "invalid-content")["violations"]
    assert [violation["pointer"] for violation in violations] == ["#/name", "#/handle", "#/colour"]
    assert [violation["propertyPath"] for violation in violations] == ["name", "handle", "colour"]
    assert all(violation["message"] for violation in violations)


async def test_pd_08_every_member_has_the_type_that_rfc_9457_gives_it(
    problems: Problems, plain_problems: Problems
) -> None:
    """The schema of its Appendix A; a boolean is no integer."""
    for answer in (*problems.values(), *plain_problems.values()):
        body = answer.json()
        assert {key: type(body[key]) for key in STANDARD} == STANDARD
        assert 100 <= body["status"] <= 599
        for key in ("type", "instance"):
            assert urlsplit(body[key]).netloc == urlsplit(BASE).netloc


@pytest.mark.parametrize("asked", [pytest.param(asked, id=f"PD-09 {asked}"[:60]) for asked in ASKED])
async def test_every_failure_is_a_problem(problems: Problems, asked: Asked) -> None:
    answer = problems[asked]
    assert answer.status_code == asked.status
    check_problem(answer, asked.problem)


async def test_pd_09_every_type_of_problem_was_met(problems: Problems, contract: Contract) -> None:
    assert {asked.problem for asked in problems} == set(contract.problems) - ELSEWHERE


async def test_pd_10_the_linked_context_makes_a_plain_problem_a_hydra_error(service: Service) -> None:
    answer = await service.as_(None).get("/nope", headers={"Accept": PROBLEM})
    body = answer.json()
    [link] = [it for it in answer.headers["Link"].split(", ") if CONTEXT_REL in it]
    context = await service.as_(None).get(link.partition(">")[0].removeprefix("<"))
    [node] = jsonld.expand(body, {"expandContext": context.json(), "base": f"{BASE}/nope"})
    assert node == {
        f"{RDF}type": [{"@id": f"{BASE}/problems/not-found"}],
        f"{HYDRA}title": [{"@value": "Not found"}],
        f"{HYDRA}statusCode": [{"@value": 404}],
        f"{RDFS}comment": [{"@value": body["detail"]}],
        f"{DCTERMS}identifier": [
            {"@type": "http://www.w3.org/2001/XMLSchema#anyURI", "@value": body["instance"]}
        ],
    }


async def test_pd_11_every_member_of_a_problem_has_a_meaning(
    service: Service, problems: Problems, plain_problems: Problems
) -> None:
    documents = await contexts(service.as_(None))
    linked = documents[f"{BASE}/contexts/v1/problem.jsonld"]["@context"]
    for answer in problems.values():
        assert answer.json()["@context"] == linked
    used = {key for answer in (*problems.values(), *plain_problems.values()) for key in keys(answer.json())}
    assert {"violations", "pointer", "available", "mediaType", "tombstone", "formerType"} <= used
    for answer in problems.values():
        body = {key: value for key, value in answer.json().items() if key != "@context"}
        assert {key for key in keys(body) if not key.startswith("@")} <= set(linked)
    for answer in plain_problems.values():
        assert {key for key in keys(answer.json()) if not key.startswith("@")} <= set(linked)


async def test_pd_12_a_problem_has_json_ld_inside_unless_plain_json_is_preferred(service: Service) -> None:
    client = service.as_(None)
    plain = {"type", "title", "status", "detail", "instance"}
    for accept in (JSON, PROBLEM, f"{JSON}, {JSON_LD};q=0.5", f"{PROBLEM}, {JSON}"):
        body = check_problem(await client.get("/nothing", headers={"Accept": accept}), "not-found")
        assert set(body) == plain, accept
    for accept in ("*/*", JSON_LD, "image/png", f"{JSON}, {JSON_LD}"):
        body = check_problem(await client.get("/nothing", headers={"Accept": accept}), "not-found")
        assert set(body) == plain | {"@context", "@id", "@type", "description"}, accept
        assert (body["@id"], body["@type"]) == (body["instance"], "Error")
        assert body["description"] == body["detail"]


async def test_pd_12_a_problem_says_the_same_in_both_forms(
    problems: Problems, plain_problems: Problems
) -> None:
    """But for what only clients of Hydra and SHACL look for, and for the occurrence, which is another one. Of
    a head that is too large Accept is not read; 429 tells how long to wait, which is less a moment later."""
    forms = {asked: answer for asked, answer in plain_problems.items() if asked.status not in (429, 431)}
    for asked, answer in forms.items():
        inside = problems[asked].json()
        body = answer.json()
        added = {"@context", "@id", "@type", "description"}
        reported = {"report"} if body["type"].endswith("invalid-content") and "violations" in body else set()
        assert set(inside) - set(body) == added | reported
        for key in ("type", "title", "status", "detail"):
            assert body[key] == inside[key]
        lines = by_pyld({**body, "@context": inside["@context"], "@id": body["instance"]}, {})
        assert len(lines) >= 5


async def test_pd_13_what_may_be_tried_again_says_when(problems: Problems) -> None:
    answers = [answer for asked, answer in problems.items() if asked.status in (429, 503)]
    assert {answer.status_code for answer in answers} == {429, 503}
    for answer in answers:
        assert 0 < int(answer.headers["Retry-After"]) <= 3_600


async def test_pd_14_a_fault_of_the_service_tells_nothing_but_its_occurrence(problems: Problems) -> None:
    faults = [answer for asked, answer in problems.items() if asked.status == 500]
    assert len(faults) > 1
    for answer in faults:
        body = check_problem(answer, "internal-error")
        assert set(body) == {*STANDARD, "@context", "@id", "@type", "description"}
        assert body["detail"] == "Try again later."
        assert DOCUMENTATION in answer.headers["Link"].split(", ")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        for word in SECRET.split():
            assert word not in str(answer.headers)


async def test_pd_15_no_problem_is_stored(problems: Problems, plain_problems: Problems) -> None:
    statuses = set()
    for answer in (*problems.values(), *plain_problems.values()):
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"ETag", "Last-Modified", "Expires"} & set(answer.headers)
        statuses.add(answer.status_code)
    assert {404, 405, 410, 414, 428, 429, 431, 501} <= statuses


async def test_pd_16_a_problem_for_head_is_that_for_get_without_its_content(
    service: Service, world: World, problems: Problems
) -> None:
    heads = [asked for asked in ASKED if asked.method == "GET" and asked.status != 429]
    assert len(heads) > 15
    for asked in heads:
        answer = await replace(asked, method="HEAD").of(service, world)
        get = problems[asked]
        assert (answer.status_code, answer.content) == (get.status_code, b"")
        assert fields(answer) == fields(get), asked


def fields(answer: httpx.Response) -> dict[str, str]:
    passing = ("x-request-id", "traceresponse")
    return {name: value for name, value in answer.headers.items() if name not in passing}
