"""Section 14 of the conformance list: content is JSON that everybody reads alike, or is refused."""

from __future__ import annotations

import base64
import json
import shutil
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.contract.contract import Contract
from app.routes import ROUTES
from tests.conformance.fresh import fresh_handle, instance_of, organization_of, patched
from tests.service import JSON, PATCH, Service, World, id_of, running
from tests.test_sweep import check_problem, concrete

pytestmark = pytest.mark.anyio

DATA = Path(__file__).with_name("data")
SUITE: dict[str, bytes] = {
    name: zlib.decompress(base64.b64decode(packed))
    for name, packed in json.loads((DATA / "json_test_suite.json").read_text()).items()
}
NAUGHTY: list[str] = json.loads((DATA / "naughty_strings.json").read_text())
ORGANIZATIONS = "/api/organizations"


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


@pytest.fixture(scope="module")
def world(standing: tuple[Service, World]) -> World:
    return standing[1]


def type_of(method: str) -> str:
    return PATCH if method == "PATCH" else JSON


def written(world: World) -> Iterator[tuple[str, str, str, str]]:
    """Every operation that reads content: who may, its method, its path, and the promise of its route."""
    for route in ROUTES:
        for method in route.operations:
            if method in ("POST", "PUT", "PATCH"):
                subject = "neighbour" if route.promise == "Authorization" else "owner"
                yield subject, method, concrete(route, world), route.promise


async def check_refused(
    service: Service, world: World, content: bytes, type_: str, pointers: set[str] | None = None
) -> None:
    """By every operation that reads content."""
    for subject, method, path, _ in written(world):
        answer = await service.as_(subject).request(
            method, path, content=content, headers={"Content-Type": type_of(method)}
        )
        body: Any = check_problem(answer, type_)
        assert answer.status_code == (400 if type_ == "malformed-content" else 422)
        if pointers is not None:
            assert {violation["pointer"] for violation in body["violations"]} == pointers


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(content, id=f"JS-01 {content!r}")
        for content in (
            b"",
            b" ",
            b"{",
            b"{'a':1}",
            b'{"a":1}x',
            b'{"a":1}{}',
            b"name=Acme",
            b"<a/>",
            b'{"a":1,}',
        )
    ],
)
async def test_js_01_what_is_not_json_is_malformed(service: Service, world: World, content: bytes) -> None:
    await check_refused(service, world, content, "malformed-content")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param('{"name":"Acme"}'.encode("utf-16"), id="JS-02 UTF-16"),
        pytest.param('{"name":"Acme"}'.encode("utf-16-le"), id="JS-02 UTF-16 without a mark"),
        pytest.param('{"name":"Acme"}'.encode("utf-32"), id="JS-02 UTF-32"),
        pytest.param('{"name":"Acme"}'.encode("utf-8-sig"), id="JS-02 byte order mark"),
        pytest.param('{"name":"Ärger"}'.encode("latin-1"), id="JS-02 Latin-1"),
        pytest.param(b'{"name":"\xc0\xaf"}', id="JS-02 overlong"),
        pytest.param(b'{"name":"\xed\xa0\x80"}', id="JS-02 encoded surrogate"),
    ],
)
async def test_js_02_only_utf_8_is_read(service: Service, world: World, content: bytes) -> None:
    await check_refused(service, world, content, "malformed-content")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'{"name":"a","name":"b"}', id="JS-03 at the top"),
        pytest.param(b'{"name":"a","name":"a"}', id="JS-03 alike"),
        pytest.param(b'{"name":"a","name":{}}', id="JS-03 an object"),
        pytest.param(b'{"name":"a","\\u006eame":"b"}', id="JS-03 escaped"),
        pytest.param(b'{"organization":{"@id":"a","@id":"b"}}', id="JS-03 nested"),
    ],
)
async def test_js_03_a_name_stands_once_in_an_object(service: Service, world: World, content: bytes) -> None:
    await check_refused(service, world, content, "malformed-content")


async def test_js_03_two_names_for_one_thing_have_to_agree(service: Service, world: World) -> None:
    owner, identifier = service.as_("owner"), id_of(world.shop)
    for clash in ({"id": identifier, "@id": world.lab}, {"id": id_of(world.lab), "originId": identifier}):
        check_problem(await patched(owner, world.shop, clash), "invalid-content")


@pytest.mark.parametrize("depth", [pytest.param(depth, id=f"JS-04 {depth}") for depth in (33, 900, 100_000)])
async def test_js_04_deep_nesting_is_refused_before_it_is_parsed(
    service: Service, world: World, depth: int
) -> None:
    """Well-formed, so that nothing else is wrong with it; one that ends too early as well."""
    for opening, closing in ((b"[", b"]"), (b'{"name":', b"}")):
        await check_refused(service, world, opening * depth + b"1" + closing * depth, "malformed-content")
        await check_refused(service, world, opening * depth, "malformed-content")


async def test_js_04_nesting_to_the_limit_is_read(service: Service, world: World) -> None:
    await check_refused(service, world, b"[" * 32 + b"]" * 32, "invalid-content", {"#"})


async def test_js_05_a_number_with_thousands_of_digits_is_malformed(service: Service, world: World) -> None:
    await check_refused(service, world, b'{"name":' + b"9" * 5_000 + b"}", "malformed-content")


@pytest.mark.parametrize(
    "number", [pytest.param(number, id=f"JS-05 {number}") for number in (2**63, -(2**63) - 1, 2**64, 10**299)]
)
async def test_js_05_a_number_beyond_what_databases_hold_is_invalid(service: Service, number: int) -> None:
    owner, organization = service.as_("owner"), await organization_of(service)
    for key in ("name", "handle", "organization_id"):
        content = {"name": "Shop", "handle": fresh_handle()} | {key: number}
        answer = await owner.post(f"{organization}/instances", content=json.dumps(content), headers=typed())
        body: Any = check_problem(answer, "invalid-content")
        assert {violation["pointer"] for violation in body["violations"]} == {f"#/{key}"}


def typed(type_: str = JSON) -> dict[str, str]:
    return {"Content-Type": type_}


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(n, id=f"JS-06 {n}")
        for n in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "[1e400]")
    ],
)
async def test_js_06_a_number_that_json_does_not_have_is_malformed(
    service: Service, world: World, number: str
) -> None:
    await check_refused(service, world, f'{{"name":{number}}}'.encode(), "malformed-content")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=f"JS-07 {text}")
        for text in (r"\ud800", r"\udfff", r"\ud800\ud800", r"\uffff", r"\ufdd0", r"\ud83f\udffe")
    ],
)
async def test_js_07_what_is_no_character_is_invalid(service: Service, world: World, text: str) -> None:
    await check_refused(service, world, f'{{"name":"a{text}b"}}'.encode(), "invalid-content", {"#/name"})


async def test_js_08_nul_is_invalid_in_every_string_on_both_databases(service: Service, world: World) -> None:
    await check_refused(service, world, b'{"name":"a\\u0000b"}', "invalid-content", {"#/name"})
    await check_refused(service, world, b'{"a":["\\u0000"]}', "invalid-content", {"#/a/0"})
    await check_refused(service, world, b'{"\\u0000":1}', "invalid-content", {"#/%00"})


async def test_js_09_no_value_is_taken_for_one_of_another_type(
    service: Service, world: World, contract: Contract
) -> None:
    """Each member that can be written, by each operation that writes it."""
    valid = {
        "name": "Name", "handle": "some-handle", "organization_id": id_of(world.initech), "role": "member",
        "email": "new@acme.example", "status": "accepted",
    }  # fmt: skip
    wrong = [1, 0, -1.5, True, False, [], ["x"], {}, {"@value": "x"}, {"name": "x"}]
    checked = 0
    for subject, method, path, promise in written(world):
        expected = contract.classes[str(contract.promises[promise][method].expects)]
        writable = {key for key, property_ in expected.properties.items() if property_.writable}
        for key in writable:
            for value in wrong:
                content = {name: valid[name] for name in valid.keys() & writable}
                if path.startswith(f"{world.acme}/instances"):
                    content.pop("organization_id", None)
                answer = await service.as_(subject).request(
                    method, path, json=content | {key: value}, headers=typed(type_of(method))
                )
                body: Any = check_problem(answer, "invalid-content")
                pointers = {violation["pointer"] for violation in body["violations"]}
                assert pointers == {f"#/{key}"}, (method, path, value, body)
                checked += 1
    assert checked > 200


@pytest.fixture(scope="module")
async def sqlite_service(
    tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> AsyncIterator[Service]:
    """What has not reached the database, the databases cannot tell apart: one of them is enough."""
    folder = tmp_path_factory.mktemp("json")
    file = shutil.copy(sqlite_template, folder / "registry.sqlite3")
    async with running(f"sqlite://{file}", folder) as service:
        yield service


# What JSONTestSuite leaves to the reader: read, without being an organization; all else is malformed.
READ = {
    "i_number_double_huge_neg_exp",
    "i_number_real_underflow",
    "i_number_too_big_neg_int",
    "i_number_too_big_pos_int",
    "i_number_very_big_negative_int",
    # Surrogates without their other half are named one by one.
    "i_object_key_lone_2nd_surrogate",
    "i_string_1st_surrogate_but_2nd_missing",
    "i_string_1st_valid_surrogate_2nd_invalid",
    "i_string_incomplete_surrogate_and_escape_valid",
    "i_string_incomplete_surrogate_pair",
    "i_string_incomplete_surrogates_escape_valid",
    "i_string_invalid_lonely_surrogate",
    "i_string_invalid_surrogate",
    "i_string_inverted_surrogates_U+1D11E",
    "i_string_lone_second_surrogate",
}
# What it has to be read by others is ambiguous: JS-03 refuses it.
AMBIGUOUS = {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}


async def test_js_10_the_318_files_of_jsontestsuite_are_read_or_refused(sqlite_service: Service) -> None:
    """None of those that are read is an organization: invalid content, but no malformed one."""
    owner, found = sqlite_service.as_("owner"), {}
    for name, content in SUITE.items():
        answer = await owner.post(ORGANIZATIONS, content=content, headers=typed())
        found[name] = str(answer.json()["type"]).rpartition("/")[2]
        check_problem(answer, found[name])
    read = {name for name, type_ in found.items() if type_ == "invalid-content"}
    expected = {name for name in SUITE if name.startswith("y_")} - AMBIGUOUS | READ
    assert read == expected
    assert set(found.values()) == {"invalid-content", "malformed-content"}
    counts = [sum(name.startswith(letter) for name in SUITE) for letter in ("y_", "n_", "i_")]
    assert counts == [95, 188, 35]


async def test_js_11_naughty_strings_are_stored_as_they_are_or_refused(service: Service) -> None:
    """As names: in the answer and read again, from a list."""
    owner, stored = service.as_("scribe"), {}
    for text in NAUGHTY:
        answer = await owner.post(ORGANIZATIONS, json={"name": text})
        if answer.status_code == 201:
            assert answer.json()["name"] == text
            stored[answer.json()["id"]] = text
        else:
            check_problem(answer, "invalid-content")
    assert len(stored) > 400
    following: str | None = f"{ORGANIZATIONS}?itemsPerPage=100"
    met: dict[str, str] = {}
    while following:
        page = (await owner.get(following)).json()
        met |= {member["id"]: member["name"] for member in page["member"]}
        following = page["view"].get("next")
    assert met == stored


async def test_js_11_naughty_strings_are_handles_or_none(sqlite_service: Service) -> None:
    owner = sqlite_service.as_("scribe")
    path, given = f"{await organization_of(sqlite_service, 'scribe')}/instances", set()
    for text in NAUGHTY:
        answer = await owner.post(path, json={"name": "Name", "handle": text})
        if answer.status_code == 201:
            assert answer.json()["handle"] == text
            given.add(text)
        elif text in given:
            check_problem(answer, "handle-taken")
        else:
            body: Any = check_problem(answer, "invalid-content")
            assert {violation["pointer"] for violation in body["violations"]} == {"#/handle"}
    assert {"undef", "nil", "evaluate"} <= given


async def test_js_11_naughty_strings_may_be_searched_for(sqlite_service: Service) -> None:
    owner = sqlite_service.as_("scribe")
    for text in NAUGHTY:
        for name in ("name", "after", text):
            answer = await owner.get(f"{ORGANIZATIONS}?{quote(name, safe='')}={quote(text, safe='')}")
            if answer.status_code != 200:
                check_problem(answer, "invalid-parameter")


async def test_js_11_naughty_strings_lead_nowhere(sqlite_service: Service) -> None:
    """For who may see nothing. A client would take dots for a way to go up."""
    client, led = sqlite_service.as_("nobody"), set()
    for text in NAUGHTY:
        for path in ("/api/handles/", "/api/instances/", "/problems/", "/"):
            answer = await client.get(path + quote(text, safe="").replace(".", "%2E"))
            if answer.status_code == 303:
                led.add((path, text))
            else:
                assert answer.status_code in (400, 404, 414), (path, text)
                check_problem(answer, str(answer.json()["type"]).rpartition("/")[2])
    assert led == {("/", "")}


async def test_js_12_text_is_stored_as_sent_and_found_however_it_is_composed(service: Service) -> None:
    owner = service.as_("typist")
    composed, decomposed = "Caf\u00e9", "Cafe\u0301"
    for name in (composed, decomposed):
        answer = await owner.post(ORGANIZATIONS, json={"name": name})
        assert (answer.status_code, answer.json()["name"]) == (201, name)
        assert (await owner.get(answer.headers["Location"])).json()["name"] == name
    for name in (composed, decomposed, composed.upper()):
        found = (await owner.get(ORGANIZATIONS, params={"name": name})).json()["member"]
        assert {member["name"] for member in found} == {composed, decomposed}
    path = await instance_of(service, subject="typist")
    assert (await owner.get(path)).json()["handle"].isascii()
    instances = f"{await organization_of(service, 'typist')}/instances"
    for handle in ("caf\u00e9", "cafe\u0301", "\uff43afe"):
        refused = await owner.post(instances, json={"name": "Name", "handle": handle})
        check_problem(refused, "invalid-content")
