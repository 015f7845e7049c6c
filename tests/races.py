"""Races: acts of partners who are at it at once, and a place in which they are.

What comes of acts, in whatever order they are done one after the other, the model tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from app.security.local_issuer import LocalIssuer, local_issuer
from app.storage.database import Database
from app.storage.session import Session
from app.storage.writes import new_id
from tests.ownership_model import (
    READ_ALL,
    WRITE,
    Authorization,
    Caller,
    Instance,
    Member,
    Organization,
    Refused,
    Registry,
)
from tests.service import BASE, PATCH, Service
from tests.storage.rows import (
    NOW,
    add_authorization,
    add_instance,
    add_membership,
    add_organization,
    add_partner,
)

NUMBERS = count()
OWNERS = {"acme": ("ann", "ada"), "globex": ("cat",), "initech": ("ivo",), "hooli": ("hal",)}
INSTANCES = {"shop": "acme", "lab": "acme", "site": "globex"}
AUTHORIZED = {
    ("shop", "globex"): "accepted",
    ("shop", "initech"): "accepted",
    ("lab", "globex"): "pending",
    ("lab", "initech"): "accepted",
    ("site", "acme"): "accepted",
}


@dataclass(frozen=True)
class Act:
    """What a partner asks for, and the same in the model, where what is made gets the id that is given.

    `email` is what the token tells, if it is another address than it was; `fields` are sent with it.
    """

    partner: str
    method: str
    path: str
    content: Mapping[str, Any] | None
    status: int
    in_model: Callable[[Registry, str], None]
    email: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The statuses of the acts, and type and class of each activity in order."""

    statuses: tuple[int, ...]
    activities: tuple[tuple[str, str], ...]


@dataclass
class Place:
    """Organizations and what is theirs, new for every race, behind servers that share a database.

    `yan` was added to `acme` and has never come, nor has `zoe`, of whom nobody knows.
    """

    servers: Sequence[Service]
    database: Database
    number: int = field(default_factory=lambda: next(NUMBERS))
    model: Registry = field(default_factory=Registry)
    ids: dict[str, str] = field(default_factory=dict)
    sequence: int = 0

    async def populate(self) -> None:
        """Without activities, which begin with the race."""
        async with self.database.transaction() as session:
            for organization, owners in OWNERS.items():
                await self._add_organization(session, organization)
                for name in owners:
                    await self._add_partner(session, name)
                    await self._add_member(session, name, organization, "owner", self.partner(name))
            await self._add_member(session, "yan", "acme", "member", None)
            for instance, organization in INSTANCES.items():
                await self._add_instance(session, instance, organization)
            for (instance, organization), status in AUTHORIZED.items():
                await self._add_authorization(session, instance, organization, status)
        [row] = await self.database.reading().rows("SELECT max(sequence) AS last FROM activity")
        self.sequence = row["last"] or 0

    async def _add_organization(self, session: Session, name: str) -> None:
        identifier = self.ids[name] = new_id()
        await add_organization(session, id=identifier, name=name, name_key=name)
        self.model.organizations[identifier] = Organization(identifier, name)

    async def _add_partner(self, session: Session, name: str) -> None:
        partner, email = self.partner(name), self.email(name)
        identifier = self.ids[name] = await add_partner(
            session,
            id=new_id(),
            issuer=LocalIssuer.iss,
            subject=partner,
            name=partner.capitalize(),
            email=email,
            email_key=email,
        )
        self.model.arrive(partner, identifier, email)

    async def _add_member(
        self, session: Session, name: str, organization: str, role: str, partner: str | None
    ) -> None:
        identifier = self.ids[f"{name} in {organization}"] = new_id()
        email = self.email(name)
        who = {"partner_id": self.ids[name]} if partner else {"email": email, "email_key": email}
        await add_membership(session, self.ids[organization], id=identifier, role=role, **who)
        member = Member(identifier, self.ids[organization], email, partner, role)
        self.model.members[identifier] = member

    async def _add_instance(self, session: Session, name: str, organization: str) -> None:
        identifier, owner, handle = new_id(), self.ids[organization], self.handle(name)
        await add_instance(session, owner, id=identifier, name=name, name_key=name, handle=handle)
        self.ids[name] = identifier
        self.model.instances[identifier] = Instance(identifier, name, handle, owner, owner)

    async def _add_authorization(
        self, session: Session, instance: str, organization: str, status: str
    ) -> None:
        identifier = self.ids[f"{instance} for {organization}"] = new_id()
        await add_authorization(
            session,
            id=identifier,
            instance_id=self.ids[instance],
            organization_id=self.ids[organization],
            owner_organization_id=self.ids[INSTANCES[instance]],
            status=status,
            accepted_at=NOW if status == "accepted" else None,
        )
        authorization = Authorization(identifier, self.ids[instance], self.ids[organization], status)
        self.model.authorizations[identifier] = authorization

    def partner(self, name: str) -> str:
        return f"{name}-{self.number}"

    def email(self, name: str) -> str:
        return f"{self.partner(name)}@acme.example"

    def handle(self, name: str) -> str:
        return f"{str(self.number).translate(str.maketrans('0123456789', 'klmnopqrst'))}-{name}"

    def caller(self, name: str) -> Caller:
        return Caller(self.partner(name), frozenset({WRITE}))

    # Acts

    def arrive(self, name: str) -> Act:
        def in_model(model: Registry, new: str) -> None:
            if self.partner(name) not in model.emails:
                model.arrive(self.partner(name), new, self.email(name))

        return Act(self.partner(name), "GET", "/api/me", None, 303, in_model)

    def rename(self, who: str, what: str) -> Act:
        identifier, name = self.ids[what], f"Renamed by {who}"
        if what in OWNERS:
            path = f"/api/organizations/{identifier}"
            act = Registry.rename_organization
            return self._act(who, "PATCH", path, {"name": name}, 200, act, identifier, name, None)
        path = f"/api/instances/{identifier}"
        act_ = Registry.rename_instance
        return self._act(who, "PATCH", path, {"name": name}, 200, act_, identifier, name, None, None)

    def delete(self, who: str, what: str) -> Act:
        identifier = self.ids[what]
        if what in OWNERS:
            path = f"/api/organizations/{identifier}"
            return self._act(who, "DELETE", path, None, 204, Registry.delete_organization, identifier, None)
        path = f"/api/instances/{identifier}"
        return self._act(who, "DELETE", path, None, 204, Registry.delete_instance, identifier, None, None)

    def add(self, who: str, organization: str, name: str, role: str) -> Act:
        path = f"/api/organizations/{self.ids[organization]}/members"
        content = {"email": self.email(name), "role": role}

        def in_model(model: Registry, new: str) -> None:
            model.add_member(self.caller(who), self.ids[organization], **content, identifier=new)

        return Act(self.partner(who), "POST", path, content, 201, in_model)

    def set_role(self, who: str, member: str, role: str) -> Act:
        path, parent, identifier = self._member(member)
        act = Registry.change_role
        return self._act(who, "PATCH", path, {"role": role}, 200, act, parent, identifier, role, None)

    def remove(self, who: str, member: str) -> Act:
        path, parent, identifier = self._member(member)
        return self._act(who, "DELETE", path, None, 204, Registry.remove_member, parent, identifier, None)

    def create(self, who: str, organization: str, name: str, *, below: bool = True) -> Act:
        identifier = self.ids[organization]
        content = {"name": name, "handle": self.handle(name)}
        path = f"/api/organizations/{identifier}/instances" if below else "/api/instances"
        naming = {} if below else {"organization": self.link(organization)}

        def in_model(model: Registry, new: str) -> None:
            model.create_instance(self.caller(who), identifier, **content, below=below, identifier=new)

        return Act(self.partner(who), "POST", path, content | naming, 201, in_model)

    def offer(self, who: str, instance: str, organization: str, key: str = "organization_id") -> Act:
        path = f"/api/instances/{self.ids[instance]}/authorizations"

        def in_model(model: Registry, new: str) -> None:
            model.offer(self.caller(who), self.ids[instance], self.ids[organization], new)

        return Act(self.partner(who), "POST", path, self.naming(organization, key), 201, in_model)

    def accept(self, who: str, authorization: str) -> Act:
        path, parent, identifier = self._authorization(authorization)
        content, act = {"status": "accepted"}, Registry.set_status
        return self._act(who, "PATCH", path, content, 200, act, parent, identifier, "accepted", None)

    def revoke(self, who: str, authorization: str) -> Act:
        path, parent, identifier = self._authorization(authorization)
        return self._act(who, "DELETE", path, None, 204, Registry.revoke, parent, identifier, None)

    def transfer(self, who: str, instance: str, organization: str, key: str = "organization_id") -> Act:
        path = f"/api/instances/{self.ids[instance]}/transfer"
        act, content = Registry.transfer, self.naming(organization, key)
        parts = self.ids[instance], self.ids[organization], None, None
        return self._act(who, "POST", path, content, 200, act, *parts)

    def naming(self, organization: str, key: str) -> dict[str, Any]:
        """In each of the ways in which content can name an organization."""
        ways: dict[str, dict[str, Any]] = {
            "organization_id": {"organization_id": self.ids[organization]},
            "organization": {"organization": self.link(organization)},
            "@id": {"organization": {"@id": self.link(organization)}},
        }
        return ways[key]

    def link(self, organization: str) -> str:
        return f"{BASE}/api/organizations/{self.ids[organization]}"

    def _member(self, member: str) -> tuple[str, str, str]:
        parent, identifier = self.ids[member.rsplit(maxsplit=1)[-1]], self.ids[member]
        return f"/api/organizations/{parent}/members/{identifier}", parent, identifier

    def _authorization(self, authorization: str) -> tuple[str, str, str]:
        parent, identifier = self.ids[authorization.split(maxsplit=1)[0]], self.ids[authorization]
        return f"/api/instances/{parent}/authorizations/{identifier}", parent, identifier

    def _act(
        self,
        who: str,
        method: str,
        path: str,
        content: Mapping[str, Any] | None,
        status: int,
        act: Callable[..., None],
        *values: Any,
    ) -> Act:
        def in_model(model: Registry, _new: str) -> None:
            act(model, self.caller(who), *values)

        return Act(self.partner(who), method, path, content, status, in_model)

    # What comes of them

    async def ask(self, act: Act, server: int) -> int:
        service = self.servers[server]
        token = local_issuer(service.settings.data_dir).token(
            audience=service.settings.audience,
            subject=act.partner,
            email=act.email or f"{act.partner}@acme.example",
            name=act.partner.capitalize(),
            scopes=[WRITE],
            lifetime=3_600,
        )
        headers = {"Authorization": f"Bearer {token}", **act.fields}
        if act.method == "PATCH":
            headers["Content-Type"] = PATCH
        client = service.as_(None)
        answer = await client.request(act.method, act.path, json=act.content, headers=headers)
        return answer.status_code

    async def outcome(self, statuses: Sequence[int]) -> Outcome:
        auditor = self.servers[0].as_("auditor", READ_ALL)
        latest = await auditor.get("/api/activities?order[sequence]=desc&itemsPerPage=10")
        told = [it for it in reversed(latest.json()["member"]) if it["sequence"] > self.sequence]
        activities = tuple((it["@type"][1], it["summary"].split()[0]) for it in told)
        return Outcome(tuple(statuses), activities)

    def expected(self, acts: Sequence[Act], order: Sequence[Act]) -> Outcome:
        """What comes of the acts when they are done one after the other."""
        model, statuses = deepcopy(self.model), {}
        for act in order:
            try:
                act.in_model(model, new_id())
                statuses[id(act)] = act.status
            except Refused as refused:
                statuses[id(act)] = refused.status
        told = model.history[len(self.model.history) :]
        activities = tuple((it.type, it.class_name) for it in told)
        return Outcome(tuple(statuses[id(act)] for act in acts), activities)


PAIRS: dict[str, Callable[[Place], list[Act]]] = {
    "a transfer and a rename by the old owner": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.rename("ada", "shop"),
    ],
    "a transfer and a deletion by the old owner": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.delete("ada", "shop"),
    ],
    "a transfer and a rename by the new owner": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.rename("cat", "shop"),
    ],
    "two transfers to different organizations": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.transfer("ada", "shop", "initech"),
    ],
    "two transfers to one organization": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.transfer("ada", "shop", "globex"),
    ],
    "two transfers that cross": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.transfer("cat", "site", "acme"),
    ],
    "two transfers that cross, on condition": lambda it: [
        replace(it.transfer("ann", "shop", "globex"), fields={"If-Match": "*"}),
        replace(it.transfer("cat", "site", "acme"), fields={"If-Match": "*"}),
    ],
    "a transfer and a revocation by the new owner": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.revoke("cat", "shop for globex"),
    ],
    "a transfer and a revocation by the old owner": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.revoke("ada", "shop for globex"),
    ],
    "a transfer and a revocation by a third organization": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.revoke("ivo", "shop for initech"),
    ],
    "a transfer and a deletion of its target": lambda it: [
        it.transfer("ann", "shop", "initech"),
        it.delete("ivo", "initech"),
    ],
    "a transfer by a link and a deletion of its target": lambda it: [
        it.transfer("ann", "shop", "initech", "organization"),
        it.delete("ivo", "initech"),
    ],
    "a transfer by a node and a deletion of its target": lambda it: [
        it.transfer("ann", "shop", "initech", "@id"),
        it.delete("ivo", "initech"),
    ],
    "a transfer and a deletion of a third organization": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.delete("ivo", "initech"),
    ],
    "an acceptance and a revocation by who offered": lambda it: [
        it.accept("cat", "lab for globex"),
        it.revoke("ann", "lab for globex"),
    ],
    "an acceptance and a transfer to another organization": lambda it: [
        it.accept("cat", "lab for globex"),
        it.transfer("ann", "lab", "initech"),
    ],
    "an acceptance and a transfer that it allows": lambda it: [
        it.accept("cat", "lab for globex"),
        it.transfer("ann", "lab", "globex"),
    ],
    "an acceptance and a deletion of the instance": lambda it: [
        it.accept("cat", "lab for globex"),
        it.delete("ann", "lab"),
    ],
    "two revocations": lambda it: [
        it.revoke("ann", "shop for globex"),
        it.revoke("cat", "shop for globex"),
    ],
    "two offers to one organization": lambda it: [
        it.offer("ann", "shop", "hooli"),
        it.offer("ada", "shop", "hooli"),
    ],
    "an offer and a deletion of who gets it": lambda it: [
        it.offer("ann", "shop", "hooli"),
        it.delete("hal", "hooli"),
    ],
    "an offer by a node and a deletion of who gets it": lambda it: [
        it.offer("ann", "shop", "hooli", "@id"),
        it.delete("hal", "hooli"),
    ],
    "deletions of an instance and of who is authorized for it": lambda it: [
        it.delete("ann", "shop"),
        it.delete("ivo", "initech"),
    ],
    "a creation in an organization and its deletion": lambda it: [
        it.create("ivo", "initech", "mill"),
        it.delete("ivo", "initech"),
    ],
    "a creation by a link to an organization and its deletion": lambda it: [
        it.create("ivo", "initech", "mill", below=False),
        it.delete("ivo", "initech"),
    ],
    "two creations with one handle": lambda it: [
        it.create("ann", "acme", "mill"),
        it.create("cat", "globex", "mill"),
    ],
    "a removal of an owner and a rename by it": lambda it: [
        it.remove("ann", "ada in acme"),
        it.rename("ada", "acme"),
    ],
    "a removal of an owner and a transfer by it": lambda it: [
        it.remove("ann", "ada in acme"),
        it.transfer("ada", "shop", "globex"),
    ],
    "a demotion of an owner and a transfer by it": lambda it: [
        it.set_role("ann", "ada in acme", "member"),
        it.transfer("ada", "shop", "globex"),
    ],
    "a removal of an owner and a creation by it": lambda it: [
        it.remove("ann", "ada in acme"),
        it.create("ada", "acme", "mill"),
    ],
    "a demotion of an owner and a creation by it": lambda it: [
        it.set_role("ann", "ada in acme", "member"),
        it.create("ada", "acme", "mill", below=False),
    ],
    "a removal of an owner and a rename of an instance by it": lambda it: [
        it.remove("ann", "ada in acme"),
        it.rename("ada", "shop"),
    ],
    "a demotion of an owner and a rename of an instance by it": lambda it: [
        it.set_role("ann", "ada in acme", "member"),
        it.rename("ada", "shop"),
    ],
    "two renames of an instance": lambda it: [
        it.rename("ann", "shop"),
        it.rename("ada", "shop"),
    ],
    "a rename of an instance and its deletion": lambda it: [
        it.rename("ann", "shop"),
        it.delete("ada", "shop"),
    ],
    "a rename of an instance and of its organization": lambda it: [
        it.rename("ann", "shop"),
        it.rename("ada", "acme"),
    ],
    "two owners who demote each other": lambda it: [
        it.set_role("ann", "ada in acme", "member"),
        it.set_role("ada", "ann in acme", "member"),
    ],
    "two owners who remove each other": lambda it: [
        it.remove("ann", "ada in acme"),
        it.remove("ada", "ann in acme"),
    ],
    "two owners who leave": lambda it: [
        it.remove("ann", "ann in acme"),
        it.remove("ada", "ada in acme"),
    ],
    "one who is added twice": lambda it: [
        it.add("ann", "acme", "zoe", "member"),
        it.add("ada", "acme", "zoe", "owner"),
    ],
    "one who comes and is added": lambda it: [
        it.arrive("zoe"),
        it.add("ann", "acme", "zoe", "member"),
    ],
    "one who comes and is removed": lambda it: [
        it.arrive("yan"),
        it.remove("ann", "yan in acme"),
    ],
    "one who comes and becomes an owner": lambda it: [
        it.arrive("yan"),
        it.set_role("ann", "yan in acme", "owner"),
    ],
    "one who comes twice": lambda it: [
        it.arrive("yan"),
        it.arrive("yan"),
    ],
}
TRIPLES: dict[str, Callable[[Place], list[Act]]] = {
    "a transfer, a rename by the old owner and a revocation": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.rename("ada", "shop"),
        it.revoke("cat", "shop for globex"),
    ],
    "a transfer, a rename by the new owner and a removal of the old one": lambda it: [
        it.transfer("ann", "shop", "globex"),
        it.rename("cat", "shop"),
        it.remove("ada", "ann in acme"),
    ],
    "one who is added to two organizations and comes": lambda it: [
        it.add("ann", "acme", "zoe", "member"),
        it.add("cat", "globex", "zoe", "owner"),
        it.arrive("zoe"),
    ],
}
RACES = PAIRS | TRIPLES
