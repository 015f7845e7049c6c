"""What a client can do that is told one address: everything.

The client knows the words of Hydra, and how JSON-LD, links and URI templates are read. Of this service it
knows no address, no key and no class: what can be asked for, where, and with which content, the service tells
it. People tell it what they see on a screen that shows no more than that: the titles of links and forms, and
what they write into a form.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import uritemplate
from pyld import jsonld
from pyld.documentloader.frozen import FrozenDocumentLoader

from tests.service import Service

pytestmark = pytest.mark.anyio

ENTRY_POINT = "/api"
HYDRA = "http://www.w3.org/ns/hydra/core#"
SUBCLASS = "http://www.w3.org/2000/01/rdf-schema#subClassOf"

# As JSON-LD is written when it is expanded: every key is an IRI, every value a list.
Node = Mapping[str, Any]


def all_of(node: Node, term: str) -> list[Node]:
    """Its values of a term of Hydra."""
    return list(node.get(HYDRA + term, ()))


def one(node: Node, term: str) -> Any:
    """Its only value: an address or a literal."""
    [value] = all_of(node, term)
    return value["@id"] if "@id" in value else value["@value"]


class Refused(Exception):  # noqa: N818 - this is what a client is told, and no error of its own
    """The title of a problem, and what to do about it."""


class Client:
    """Everything that it knows, it has read."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.classes: dict[str, Node] = {}
        self.operations: dict[str, Node] = {}
        self.contexts: dict[str, Any] = {}
        self.context_of: dict[str, Any] = {}
        self.tags: dict[str, str] = {}

    async def enter(self, address: str) -> Any:
        """The entry point, whose answer leads to the documentation."""
        answer = await self.http.get(address)
        documentation = await self.read(answer.links[f"{HYDRA}apiDocumentation"]["url"])
        self.classes = {class_["@id"]: class_ for class_ in all_of(documentation, "supportedClass")}
        found = (it for class_ in self.classes.values() for it in all_of(class_, "supportedOperation"))
        self.operations = {operation["@id"]: operation for operation in found}
        return await self.node_in(answer)

    async def read(self, address: str) -> Any:
        return await self.node_in(await self.http.get(address, follow_redirects=True))

    async def follow(self, node: Node, title: str) -> Any:
        """To where its link with this title leads."""
        [target] = node[self.property_titled(node, title)]
        return await self.read(target["@id"])

    async def look_up(self, node: Node, title: str, **said: str) -> Any:
        """By its link with this title, which has to be completed with what was said."""
        [template] = node[self.property_titled(node, title)]
        titles = {one(it, "property"): one(it, "title") for it in self.supported(self.classes)}
        meanings = {one(it, "variable"): titles[one(it, "property")] for it in all_of(template, "mapping")}
        values: Any = {variable: said[title] for variable, title in meanings.items()}
        return await self.read(uritemplate.expand(one(template, "template"), values))

    def said_by(self, node: Node, title: str) -> str:
        """The value of its property with this title."""
        [value] = node[self.property_titled(node, title)]
        return str(value["@id"] if "@id" in value else value["@value"])

    async def members(self, page: Node) -> list[Node]:
        """Of a collection, from this page on."""
        found = all_of(page, "member")
        for following in (it for view in all_of(page, "view") for it in all_of(view, "next")):
            found += await self.members(await self.read(following["@id"]))
        return found

    async def perform(self, node: Node, title: str, **said: str) -> Any:
        """What the node offers under this title, with the form filled in as was said; what there is then."""
        [offered] = [it for it in all_of(node, "operation") if one(it, "title") == title]
        operation, address, fields, content = self.operations[offered["@id"]], node["@id"], {}, None
        method = one(operation, "method")
        if "If-Match" in [header["@value"] for header in all_of(operation, "expectsHeader")]:
            fields["If-Match"] = self.tags[address]
        for form in all_of(operation, "expects"):
            content = self.filled_in(form, said, self.context_of[address])
            told = (await self.http.options(address)).headers
            fields["Content-Type"] = told[f"Accept-{method}"].partition(",")[0]
        return await self.node_in(await self.http.request(method, address, json=content, headers=fields))

    def filled_in(self, form: Node, said: Mapping[str, str], context: Any) -> Any:
        """As content: what can be written, and all that has to be."""
        fields = {one(field, "title"): field for field in self.supported([form["@id"]])}
        assert {title for title, field in fields.items() if one(field, "required")} <= set(said)
        node: dict[str, Any] = {}
        for title, value in said.items():
            assert one(fields[title], "writable")
            [property_] = all_of(fields[title], "property")
            is_link = f"{HYDRA}Link" in property_["@type"]
            node[property_["@id"]] = {"@id" if is_link else "@value": value}
        return jsonld.compact(node, context, self.offline())

    def supported(self, classes: Iterable[str]) -> Iterator[Node]:
        """The properties of classes, and of those that they are a part of."""
        for class_ in (self.classes[iri] for iri in classes if iri in self.classes):
            yield from all_of(class_, "supportedProperty")
            yield from self.supported(parent["@id"] for parent in class_.get(SUBCLASS, ()))

    def property_titled(self, node: Node, title: str) -> str:
        """The address of a property of what the node is."""
        [iri] = {one(it, "property") for it in self.supported(node["@type"]) if one(it, "title") == title}
        return str(iri)

    async def node_in(self, answer: httpx.Response) -> Any:
        """What an answer is about; None where nothing is left."""
        if answer.is_error:
            raise Refused(f"{answer.json()['title']}. {answer.json()['detail']}")
        if not answer.content:
            return None
        context = answer.json()["@context"]
        if isinstance(context, str) and context not in self.contexts:
            self.contexts[context] = (await self.http.get(context)).json()
        [node] = jsonld.expand(answer.json(), self.offline())
        self.context_of[node["@id"]] = context
        self.tags[node["@id"]] = answer.headers.get("ETag", "")
        return node

    def offline(self) -> dict[str, Any]:
        """It fetches what it needs by itself."""
        return {"documentLoader": FrozenDocumentLoader(documents=self.contexts)}


async def test_it_creates_reads_changes_transfers_and_deletes(service: Service) -> None:
    ada, alan, grace = (Client(service.as_(name)) for name in ("ada", "alan", "grace"))
    adas, alans, graces = [await client.enter(ENTRY_POINT) for client in (ada, alan, grace)]

    # Ada makes an organization with an instance, and a colleague of hers an owner of both.
    organizations = await ada.follow(adas, "organizations")
    acme = await ada.perform(organizations, "Create an organization", name="Acme")
    memberships = await ada.follow(acme, "memberships")
    await ada.perform(memberships, "Add a member", email="alan@acme.example", role="owner")
    instances = await ada.follow(acme, "instances")
    shop = await ada.perform(instances, "Create an instance", name="Shop", handle="corner-shop")

    # Alan finds it by its handle. Ada renames it, and he cannot overwrite what he has not seen.
    seen = await alan.look_up(alans, "instance_by_handle", handle="corner-shop")
    assert seen == shop
    shop = await ada.perform(shop, "Rename the instance", name="Läden")
    with pytest.raises(Refused, match="Precondition failed"):
        await alan.perform(seen, "Rename the instance", name="Shops")
    shop = await alan.perform(await alan.read(shop["@id"]), "Rename the instance", name="Shops")

    # Grace has an organization too. Alan offers to authorize it, and she accepts.
    organizations = await grace.follow(graces, "organizations")
    globex = await grace.perform(organizations, "Create an organization", name="Globex")
    authorizations = await alan.follow(shop, "authorizations")
    await alan.perform(authorizations, "Offer an authorization", organization=globex["@id"])
    [offer] = await grace.members(await grace.follow(globex, "received_authorizations"))
    await grace.perform(await grace.read(offer["@id"]), "Accept the authorization", status="accepted")

    # Now it can be transferred to her. Nobody else has any business with it any more.
    targets = await alan.follow(shop, "transfer")
    [target] = await alan.members(targets)
    assert target["@id"] == globex["@id"]
    await alan.perform(targets, "Transfer the instance", organization=target["@id"])
    with pytest.raises(Refused, match="Not found"):
        await alan.read(shop["@id"])
    hers = await grace.read(shop["@id"])
    assert (await grace.follow(hers, "organization"))["@id"] == globex["@id"]

    # Both sides can read what was done, and by whom.
    for client, organization in ((ada, acme), (grace, globex)):
        activities = await client.members(await client.follow(organization, "activities"))
        [moved] = [it for it in activities if client.said_by(it, "summary") == "Instance transferred"]
        assert client.said_by(moved, "object") == shop["@id"]
        assert client.said_by(moved, "actor") == (await alan.follow(alans, "me"))["@id"]

    # Grace deletes it, and it is gone for good.
    assert await grace.perform(hers, "Delete the instance") is None
    with pytest.raises(Refused, match="Gone"):
        await grace.read(shop["@id"])
    globex = await grace.read(globex["@id"])
    assert await grace.members(await grace.follow(globex, "instances")) == []
    assert await grace.perform(globex, "Delete the organization") is None


def test_it_has_no_address_of_its_own_but_one() -> None:
    """Nor a term of the service, which is an address too: whatever has a slash is Hydra's, or RDF's."""
    constants = [
        it.value for it in ast.walk(ast.parse(Path(__file__).read_text())) if isinstance(it, ast.Constant)
    ]
    assert {it for it in constants if isinstance(it, str) and "/" in it} == {
        ENTRY_POINT,
        HYDRA,
        SUBCLASS,
        "/",
    }
