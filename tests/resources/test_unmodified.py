"""Whoever has read an item is told that it is as it was, and only while it is."""

from __future__ import annotations

import asyncio
from itertools import product
from typing import Any

import httpx
import pytest

from app.answer_fields import OF_CONTENT
from app.answers import Answer
from app.kept import KeptAnswers
from app.security.local_issuer import local_issuer
from tests.conformance.fresh import instance_of, organization_of, patched
from tests.service import BASE, JSON, JSON_LD, TURTLE, Service, World, id_of, made

pytestmark = pytest.mark.anyio

# What tells of the request, of content, or of when.
OF_ITS_OWN = {"x-request-id", "content-length", *(name.lower() for name in OF_CONTENT)}


@pytest.fixture(scope="module")
def service(standing: tuple[Service, World]) -> Service:
    return standing[0]


async def test_a_304_says_what_the_200_said_however_often(service: Service) -> None:
    instance = await instance_of(service, await organization_of(service))
    owner = service.as_("owner")
    for form in (JSON_LD, JSON, TURTLE):
        whole = await owner.get(instance, headers={"Accept": form})
        known = {"Accept": form, "If-None-Match": whole.headers["ETag"]}
        for _ in range(3):
            told = await owner.get(instance, headers=known)
            assert (told.status_code, told.content) == (304, b"")
            assert {k: v for k, v in told.headers.items() if k not in OF_ITS_OWN} == {
                k: v for k, v in whole.headers.items() if k not in OF_ITS_OWN
            }


async def test_what_was_changed_is_shown_again(service: Service) -> None:
    instance = await instance_of(service, await organization_of(service))
    owner = service.as_("owner")
    tags = [(await owner.get(instance)).headers["ETag"]]
    for name in ("One", "Two", "One"):
        assert (await owner.get(instance, headers={"If-None-Match": tags[-1]})).status_code == 304
        assert (await patched(owner, instance, {"name": name})).status_code == 200
        again = await owner.get(instance, headers={"If-None-Match": ", ".join(tags)})
        assert (again.status_code, again.json()["name"]) == (200, name)
        tags.append(again.headers["ETag"])
    assert len(set(tags)) == len(tags)
    assert (await owner.get(instance, headers={"If-None-Match": ", ".join(tags)})).status_code == 304


async def test_a_tag_is_of_one_form_and_of_what_one_may_do(service: Service) -> None:
    """Who may do less is shown less; to nobody else is anything told by a tag."""
    organization = await organization_of(service)
    instance = await instance_of(service, organization)
    owner, reader, stranger = (
        service.as_("owner"),
        service.as_("owner", "registry:read"),
        service.as_("stranger"),
    )
    shown = {
        (client, form): await client.get(instance, headers={"Accept": form})
        for client, form in product((owner, reader), (JSON_LD, JSON, TURTLE))
    }
    for (asking, accepted), (had, whole) in product(shown, shown.items()):
        headers = {"Accept": accepted, "If-None-Match": whole.headers["ETag"]}
        answers = await asyncio.gather(*(asking.get(instance, headers=headers) for _ in range(2)))
        same = shown[asking, accepted].headers["ETag"] == whole.headers["ETag"]
        assert {it.status_code for it in answers} == {304 if same else 200}, had
    for whole in shown.values():
        answer = await stranger.get(instance, headers={"If-None-Match": whole.headers["ETag"]})
        assert answer.status_code == 404
    assert shown[owner, JSON_LD].headers["ETag"] != shown[reader, JSON_LD].headers["ETag"]


async def test_what_is_kept_of_one_address_is_not_told_at_another(service: Service) -> None:
    """Below its organization an instance tells where its place is."""
    organization = await organization_of(service)
    instance = await instance_of(service, organization)
    nested = f"{organization}/instances/{id_of(instance)}"
    for path in (instance, nested) * 3:
        answer = await service.as_("owner").get(path)
        assert answer.headers.get("Content-Location") == (BASE + instance if path == nested else None)


async def test_what_is_kept_of_a_member_is_told_only_while_its_partner_is_called_so(
    service: Service,
) -> None:
    """The membership itself is in the version that it was in."""
    owner = service.as_("owner")
    path = f"{await organization_of(service)}/members"
    member = await made(owner, path, email="renamed@acme.example", role="member")
    for name in ("One", "Two"):
        token = local_issuer(service.settings.data_dir).token(
            audience=service.settings.audience,
            subject="renamed",
            email="renamed@acme.example",
            name=name,
            scopes=["registry:read"],
            lifetime=60,
        )
        headers = {"Authorization": f"Bearer {token}"}
        assert (await service.as_(None).get("/api/me", headers=headers)).status_code == 303
        for _ in range(4):
            assert (await owner.get(member)).json()["name"] == name


async def test_what_is_kept_of_a_list_is_told_only_while_the_whole_list_is_as_it_was(
    service: Service,
) -> None:
    """Also where the members of the page are the same ones."""
    owner = service.as_("somebody")

    async def read(address: str) -> dict[str, Any]:
        """As often as it takes to be kept, and once more."""
        for _ in range(4):
            answer = await owner.get(address)
        found: dict[str, Any] = answer.json()
        return found

    async def methods() -> list[str]:
        return [operation["method"] for operation in (await read("/api/instances"))["operation"]]

    assert await methods() == ["GET"]
    organization = await made(owner, "/api/organizations", name="Somebody's")
    assert await methods() == ["GET", "POST"]
    instances = f"{organization}/instances"
    names = f"{instances}?order[name]=asc&itemsPerPage=2"
    for number in range(3):
        await made(owner, instances, name=f"Shop {number}", handle=f"shop-of-somebody-{'abc'[number]}")
    first = await read(names)
    assert (first["totalItems"], len(first["member"])) == (3, 2)
    behind = f"{instances}?page=9"
    assert (await read(behind))["totalItems"] == 3
    second = (await read(f"{names}&after="))["view"]["next"]
    assert "next" not in (await read(second))["view"]
    await made(owner, instances, name="Shop 3", handle="shop-of-somebody-d")
    assert (await read(names))["totalItems"] == (await read(behind))["totalItems"] == 4
    assert "next" not in (await read(second))["view"]
    await made(owner, instances, name="Shop 4", handle="shop-of-somebody-e")
    assert "next" in (await read(second))["view"]


async def test_a_precondition_is_judged_before(service: Service) -> None:
    instance = await instance_of(service, await organization_of(service))
    owner = service.as_("owner")
    tag = (await owner.get(instance)).headers["ETag"]
    known = {"If-None-Match": tag}
    # As often as it takes until it is answered as before.
    for _ in range(4):
        assert (await owner.get(instance, headers=known)).status_code == 304
        assert (await owner.get(instance)).status_code == 200
    assert (await owner.get(instance, headers={**known, "If-Match": '"0.0"'})).status_code == 412
    assert (await owner.get(instance, headers={"If-Match": '"0.0"'})).status_code == 412
    assert (await owner.get(instance, headers={**known, "If-Match": tag})).status_code == 304
    assert (await owner.get(instance, headers={"If-None-Match": "*"})).status_code == 304
    assert (await owner.delete(instance)).status_code == 204
    assert (await owner.get(instance, headers=known)).status_code == 410


async def test_an_answer_that_is_given_again_is_the_one_that_was_given(service: Service) -> None:
    """Whole too, whether the client had it meanwhile or not; and another one as soon as anything differs."""
    instance = await instance_of(service, await organization_of(service))
    owner = service.as_("owner")
    for form, coding in product((JSON_LD, JSON, TURTLE), ("identity", "gzip")):
        fields = {"Accept": form, "Accept-Encoding": coding}
        first = await owner.get(instance, headers=fields)
        for known in ({}, {"If-None-Match": first.headers["ETag"]}, {}, {"If-None-Match": '"other"'}):
            again = await owner.get(instance, headers=fields | known)
            if again.status_code == 200:
                assert again.content == first.content
                assert [it for it in again.headers.raw if it[0] != b"x-request-id"] == [
                    it for it in first.headers.raw if it[0] != b"x-request-id"
                ]
                assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
        head = await owner.head(instance, headers=fields)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == first.headers["Content-Length"]
    assert (await patched(owner, instance, {"name": "Another"})).status_code == 200
    assert (await owner.get(instance)).json()["name"] == "Another"


async def test_what_is_kept_takes_of_the_room_what_its_content_does(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where the client has it already, no more than its fields."""
    instance = await instance_of(service, await organization_of(service))
    owner, counted, keep = service.as_("owner"), list[int | None](), KeptAnswers.keep

    def noted(self: KeptAnswers[Answer], mark: int, *of: Any) -> None:
        counted.append(of[-1])
        keep(self, mark, *of)

    monkeypatch.setattr(KeptAnswers, "keep", noted)
    whole = await owner.get(instance)
    assert (await owner.get(instance, headers={"If-None-Match": whole.headers["ETag"]})).status_code == 304
    assert counted == [int(whole.headers["Content-Length"]), None]


async def test_a_page_that_is_given_again_is_the_one_that_was_given(service: Service) -> None:
    """In each form, as often as it is asked for, at the start, by cursor and by number."""
    organization = await organization_of(service)
    for _ in range(4):
        await instance_of(service, organization)
    owner, instances = service.as_("owner"), f"{organization}/instances"
    first = await owner.get(f"{instances}?itemsPerPage=2")
    for path in (
        f"{instances}?itemsPerPage=2",
        first.json()["view"]["next"],
        f"{instances}?itemsPerPage=2&page=2",
    ):
        for form, coding in product((JSON_LD, JSON, TURTLE), ("identity", "gzip")):
            fields = {"Accept": form, "Accept-Encoding": coding}
            answers = [await owner.get(path, headers=fields) for _ in range(4)]
            assert {it.status_code for it in answers} == {200}
            assert len({it.content for it in answers}) == 1
            assert len({it.headers["X-Request-Id"] for it in answers}) == 4
            told = [[it for it in answer.headers.raw if it[0] != b"x-request-id"] for answer in answers]
            assert told == [told[0]] * 4
            known = fields | {"If-None-Match": answers[0].headers["ETag"]}
            for _ in range(3):
                assert (await owner.get(path, headers=known)).status_code == 304


def methods_of(answer: httpx.Response) -> set[str]:
    return {it["method"] for it in answer.json()["operation"]}


async def test_a_page_is_another_one_as_soon_as_anything_of_it_is(service: Service) -> None:
    """What stands in it, how many there are beside, what follows, and what one may do there."""
    organization = await organization_of(service)
    paths = [await instance_of(service, organization) for _ in range(3)]
    owner, page = service.as_("owner"), f"{organization}/instances?itemsPerPage=2"

    async def polled() -> dict[str, object]:
        answers = [await owner.get(page) for _ in range(3)]
        assert len({it.content for it in answers}) == 1
        known = {"If-None-Match": answers[0].headers["ETag"]}
        assert (await owner.get(page, headers=known)).status_code == 304
        return dict(answers[0].json())

    seen = [await polled()]
    assert seen[-1]["totalItems"] == 3
    await patched(owner, paths[-1], {"name": "Another"})
    seen.append(await polled())
    assert [it["name"] for it in seen[-1]["member"]] == ["Another", "Shop"]  # type: ignore[attr-defined]  # members
    # The two that are shown stay the same.
    assert (await owner.delete(paths[0])).status_code == 204
    seen.append(await polled())
    assert (seen[-1]["totalItems"], seen[-1]["member"]) == (2, seen[-2]["member"])
    assert "next" not in seen[-1]["view"]  # type: ignore[operator]  # a node object
    members = f"{organization}/members"
    member = await service.as_("owner").post(members, json={"email": "helper@acme.example", "role": "owner"})
    assert member.status_code == 201
    helper = service.as_("helper")
    pages = [await helper.get(page) for _ in range(3)]
    assert [it.json()["member"] for it in pages] == [seen[-1]["member"]] * 3
    assert [methods_of(it) for it in pages] == [{"GET", "POST"}] * 3
    reader = service.as_("helper", "registry:read")
    assert [methods_of(await reader.get(page)) for _ in range(3)] == [{"GET"}] * 3
    changed = await patched(owner, member.headers["Location"], {"role": "member"})
    assert changed.status_code == 200
    assert methods_of(await helper.get(page)) == {"GET"}
    assert (await owner.delete(member.headers["Location"])).status_code == 204
    assert (await helper.get(page)).status_code == 404
