"""Whatever partners do to organizations, members, instances and authorizations, in whatever order: the
service answers, shows and remembers what a small model of it in plain Python does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.ownership_model import (
    READ,
    READ_ALL,
    WRITE,
    Activity,
    Caller,
    Instance,
    Organization,
    Refused,
    Registry,
    Tombstone,
)
from tests.service import BASE, PATCH, Service, id_of, running

LONG = True
T = TypeVar("T")

# Who acts: somebody, or whoever now is an owner of what the act needs an owner of; with these scopes.
OWNER = "an owner"
STRANGER = "fay"
PARTNERS = ("ann", "ben", "cat", "dan", "eve", STRANGER)
BY_OWNER = (OWNER, WRITE)
WHO = st.sampled_from(
    [BY_OWNER] * 20
    + [(name, WRITE) for name in PARTNERS]
    + [(OWNER, READ), (OWNER, READ_ALL), (STRANGER, READ_ALL), (STRANGER, f"{WRITE} {READ_ALL}")]
)
# What If-Match names: nothing, the version that is there, or the one before it.
MATCHED = st.sampled_from([None] * 6 + [0, 0, -1])
# An instance is at its own address and below its owner; below another organization there is none.
UNDER = st.sampled_from([None] * 4 + ["owner"] * 2 + ["other"])
NAMES = st.sampled_from(["Acme", "Globex", "Initech"])
HANDLES = st.sampled_from("abcdef")
ROLES = st.sampled_from(["owner", "member"])
STATUSES = st.sampled_from(["accepted", "accepted", "accepted", "pending"])
METHODS = st.sampled_from(["PATCH", "PUT"])
RARELY = st.sampled_from([False] * 5 + [True])
KEYS = st.sampled_from(["organization_id", "organization"])
ABSENT = "01930000-0000-7000-8000-000000000000"
MOST_ORGANIZATIONS = 4
DONE = "done"
ACTS = {
    "create_organization",
    "rename_organization",
    "delete_organization",
    "add_member",
    "change_role",
    "remove_member",
    "create_instance",
    "rename_instance",
    "delete_instance",
    "offer",
    "set_status",
    "revoke",
    "transfer",
}
SETTINGS = settings(
    max_examples=10,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    report_multiple_bugs=False,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
NUMBERS = count()
NEWS_READER = Caller("news-reader", frozenset({READ_ALL}))


def drawn(choices: Callable[[Registry], tuple[list[Any], list[Any]]]) -> st.SearchStrategy[Any]:
    """Something of what is there or of what is gone, the first more often."""

    def of(machine: OwnershipMachine) -> st.SearchStrategy[Any]:
        there, gone = choices(machine.model)
        return st.sampled_from(there * 3 + gone)

    return st.runner().flatmap(of)


def organizations(model: Registry) -> tuple[list[str], list[str]]:
    made = model.organizations.values()
    return [it.id for it in made if not it.deleted], [it.id for it in made if it.deleted]


def instances(model: Registry) -> tuple[list[str], list[str]]:
    return [it.id for it in model.live_instances()], [it.id for it in model.instances.values() if it.deleted]


def members(model: Registry) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """With the organization that stands in the address."""
    removed = model.tombstones.items()
    return (
        [(it.organization, it.id) for it in model.members.values()],
        [(it.parent, identifier) for identifier, it in removed if it.parent in model.organizations],
    )


def authorizations(model: Registry) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """With the instance that stands in the address."""
    ended = model.tombstones.items()
    return (
        [(it.instance, it.id) for it in model.authorizations.values()],
        [(it.parent, identifier) for identifier, it in ended if it.parent in model.instances],
    )


def empty(model: Registry) -> tuple[list[str], list[str]]:
    """Organizations that can be deleted, and the others."""
    there, gone = organizations(model)
    return [it for it in there if not model.owned(it)], [it for it in there if model.owned(it)] + gone


def accepted(model: Registry) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Authorizations that allow a transfer, and the others."""
    there, gone = authorizations(model)
    usable = [it for it in there if model.authorizations[it[1]].status == "accepted"]
    return usable, [it for it in there if it not in usable] + gone


ORGANIZATION, EMPTY, INSTANCE = drawn(organizations), drawn(empty), drawn(instances)
MEMBER, AUTHORIZATION, ACCEPTED = drawn(members), drawn(authorizations), drawn(accepted)

Who = tuple[str, str]


def letters(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "klmnopqrst"))


def path_of(class_name: str, parent: str, identifier: str) -> str:
    below = {"Member": "organizations/{}/members", "Authorization": "instances/{}/authorizations"}
    return f"/api/{below[class_name].format(parent)}/{identifier}"


class Client:
    """The service as all partners speak to it, on one event loop.

    `met` is what acts met with, in all examples together: a problem's type, or that they were done.
    """

    def __init__(self, runner: asyncio.Runner, service: Service) -> None:
        self._runner, self._service = runner, service
        self._tokens: dict[Caller, str] = {}
        self._news = "/api/activities?after=&itemsPerPage=20"
        self._sequence = 0
        self.met: set[tuple[str, str]] = set()

    def ask(
        self, caller: Caller, method: str, path: str, content: Any = None, match: int | None = None
    ) -> httpx.Response:
        """`match` is the version in If-Match."""
        if caller not in self._tokens:
            self._tokens[caller] = self._service.token(caller.partner, *caller.scopes)
        headers = {"Authorization": f"Bearer {self._tokens[caller]}"}
        if method == "PATCH":
            headers["Content-Type"] = PATCH
        if match is not None:
            headers["If-Match"] = f'"{match}.0"'
        client = self._service.as_(None)
        return self._runner.run(client.request(method, path, json=content, headers=headers))

    def news(self) -> list[dict[str, Any]]:
        """What was done since the last time, by reading the last page again and the pages after it, always as
        the same auditor: a cursor is good for no other."""
        found: list[dict[str, Any]] = []
        following: str | None = self._news
        while following is not None:
            self._news = following
            body = self.ask(NEWS_READER, "GET", following).json()
            for activity in body["member"]:
                if activity["sequence"] > self._sequence:
                    self._sequence = activity["sequence"]
                    found.append(activity)
            following = body["view"].get("next")
        return found


class OwnershipMachine(RuleBasedStateMachine):
    """Each example has organizations, partners and handles of its own; the database is everybody's."""

    client: Client

    def __init__(self) -> None:
        super().__init__()
        self.number = next(NUMBERS)
        self.model = Registry()
        self.partner_ids: dict[str, str] = {}
        self.auditor = Caller(f"auditor-{self.number}", frozenset({READ_ALL}))
        self.heard = self.turn = 0
        self.client.news()

    # Who acts, and what comes of it

    def partner(self, name: str) -> str:
        """The partner of this name in this example; it comes when it first acts."""
        partner = f"{name}-{self.number}"
        if partner not in self.partner_ids:
            answer = self.client.ask(Caller(partner, frozenset({READ})), "GET", "/api/me")
            assert answer.status_code == 303
            self.partner_ids[partner] = id_of(answer.headers["Location"])
            self.model.arrive(partner, self.partner_ids[partner], self.email(name))
        return partner

    def email(self, name: str) -> str:
        return f"{name}-{self.number}@acme.example"

    def caller(self, who: Who, organization: str | None = None) -> Caller:
        """`organization` is the one that the act needs an owner of."""
        name, scopes = who
        owners = self.model.owners(organization) if organization and name == OWNER else []
        found = (
            owners[self.turn % len(owners)] if owners else self.partner(STRANGER if name == OWNER else name)
        )
        return Caller(found, frozenset(scopes.split()))

    def agreed(
        self, answer: httpx.Response, status: int, call: Callable[..., T], *values: Any, **named: Any
    ) -> tuple[bool, T | None]:
        """Whether the model does what the service was asked, and with which result; if it refuses, so did
        the service, for the same reason."""
        asked = f"{answer.request.method} {answer.request.url.path} answered {answer.text}"
        try:
            result = call(*values, **named)
        except Refused as refused:
            told = answer.json()["type"] if answer.status_code >= 400 else ""
            expected = (refused.status, f"{BASE}/problems/{refused.problem}")
            assert (answer.status_code, told) == expected, asked
            self.client.met.add((call.__name__, refused.problem))
            return False, None
        assert answer.status_code == status, asked
        self.client.met.add((call.__name__, DONE))
        return True, result

    def version(self, records: Mapping[str, Any], identifier: str, match: int | None) -> int | None:
        record = records.get(identifier)
        return record.version + match if record is not None and match is not None else None

    # Organizations and their members

    @initialize()
    def begin(self) -> None:
        """Two organizations, each with an owner, one who waits, and an instance that was offered to the
        other and to a third one."""
        for name, other, role in (("ann", "ben", "member"), ("cat", "dan", "owner")):
            organization = self.founded(name, "Acme")
            self.add_member(BY_OWNER, organization, other, role)
            self.create_instance(BY_OWNER, organization, "Shop", name[0], True)
        self.founded("eve", "Initech")
        for instance in self.model.live_instances():
            for organization in [it for it in self.model.organizations if it != instance.owner]:
                self.offer(BY_OWNER, instance.id, organization)
        self.accept(BY_OWNER, authorizations(self.model)[0][0], "accepted", None)

    @precondition(lambda self: len(self.model.organizations) < MOST_ORGANIZATIONS)
    @rule(who=st.sampled_from(PARTNERS), name=NAMES)
    def create_organization(self, who: str, name: str) -> None:
        self.founded(who, name)

    def founded(self, who: str, name: str) -> str:
        caller = Caller(self.partner(who), frozenset({WRITE}))
        answer = self.client.ask(caller, "POST", "/api/organizations", {"name": name})
        body = answer.json()
        membership = body["owners"][0]["id"]
        self.agreed(answer, 201, self.model.create_organization, caller, name, body["id"], membership)
        return str(body["id"])

    @rule(who=WHO, organization=ORGANIZATION, name=NAMES, method=METHODS, match=MATCHED)
    def rename_organization(
        self, who: Who, organization: str, name: str, method: str, match: int | None
    ) -> None:
        caller = self.caller(who, organization)
        version = self.version(self.model.organizations, organization, match)
        path = f"/api/organizations/{organization}"
        answer = self.client.ask(caller, method, path, {"name": name}, version)
        self.agreed(answer, 200, self.model.rename_organization, caller, organization, name, version)

    @rule(who=WHO, organization=EMPTY, match=MATCHED)
    def delete_organization(self, who: Who, organization: str, match: int | None) -> None:
        caller = self.caller(who, organization)
        version = self.version(self.model.organizations, organization, match)
        answer = self.client.ask(caller, "DELETE", f"/api/organizations/{organization}", match=version)
        self.agreed(answer, 204, self.model.delete_organization, caller, organization, version)

    @rule(who=WHO, organization=ORGANIZATION, added=st.sampled_from(PARTNERS), role=ROLES)
    def add_member(self, who: Who, organization: str, added: str, role: str) -> None:
        caller, email = self.caller(who, organization), self.email(added)
        path = f"/api/organizations/{organization}/members"
        answer = self.client.ask(caller, "POST", path, {"email": email, "role": role})
        new = new_id(answer)
        self.agreed(answer, 201, self.model.add_member, caller, organization, email, role, new)

    @rule(who=WHO, member=MEMBER, role=ROLES, match=MATCHED)
    def change_role(self, who: Who, member: tuple[str, str], role: str, match: int | None) -> None:
        caller = self.caller(who, member[0])
        version = self.version(self.model.members, member[1], match)
        answer = self.client.ask(caller, "PATCH", path_of("Member", *member), {"role": role}, version)
        self.agreed(answer, 200, self.model.change_role, caller, *member, role, version)

    @rule(who=WHO, member=MEMBER, match=MATCHED)
    def remove_member(self, who: Who, member: tuple[str, str], match: int | None) -> None:
        self.removed(self.caller(who, member[0]), member, match)

    @rule(who=st.sampled_from(PARTNERS), organization=ORGANIZATION, match=MATCHED)
    def leave(self, who: str, organization: str, match: int | None) -> None:
        partner = self.partner(who)
        mine = (it for it in self.model.members.values() if it.partner == partner)
        member = next((it.id for it in mine if it.organization == organization), ABSENT)
        self.removed(Caller(partner, frozenset({WRITE})), (organization, member), match)

    def removed(self, caller: Caller, member: tuple[str, str], match: int | None) -> None:
        version = self.version(self.model.members, member[1], match)
        answer = self.client.ask(caller, "DELETE", path_of("Member", *member), match=version)
        self.agreed(answer, 204, self.model.remove_member, caller, *member, version)

    # Instances

    @rule(who=WHO, organization=ORGANIZATION, name=NAMES, handle=HANDLES, below=st.booleans())
    def create_instance(self, who: Who, organization: str, name: str, handle: str, below: bool) -> None:
        caller = self.caller(who, organization)
        content = {"name": name, "handle": f"{letters(self.number)}-{handle}"}
        parent = f"/api/organizations/{organization}" if below else "/api"
        naming = {} if below else {"organization_id": organization}
        answer = self.client.ask(caller, "POST", f"{parent}/instances", content | naming)
        new = new_id(answer)
        self.agreed(
            answer,
            201,
            self.model.create_instance,
            caller,
            organization,
            **content,
            below=below,
            identifier=new,
        )

    @rule(who=WHO, instance=INSTANCE, name=NAMES, method=METHODS, under=UNDER, match=MATCHED)
    def rename_instance(
        self, who: Who, instance: str, name: str, method: str, under: str | None, match: int | None
    ) -> None:
        caller = self.caller(who, self.model.instances[instance].owner)
        version = self.version(self.model.instances, instance, match)
        path, below = self.address(instance, under)
        answer = self.client.ask(caller, method, path, {"name": name}, version)
        self.agreed(answer, 200, self.model.rename_instance, caller, instance, name, version, below)

    @rule(who=WHO, instance=INSTANCE, under=UNDER, match=MATCHED)
    def delete_instance(self, who: Who, instance: str, under: str | None, match: int | None) -> None:
        caller = self.caller(who, self.model.instances[instance].owner)
        version = self.version(self.model.instances, instance, match)
        path, below = self.address(instance, under)
        answer = self.client.ask(caller, "DELETE", path, match=version)
        self.agreed(answer, 204, self.model.delete_instance, caller, instance, version, below)

    def address(self, instance: str, under: str | None) -> tuple[str, str | None]:
        """Its own address, or that below its owner or below another organization; and which one that is."""
        owner = self.model.instances[instance].owner
        others = [it for it in self.model.organizations if it != owner]
        below = {None: None, "owner": owner, "other": others[self.turn % len(others)]}[under]
        parent = f"/api/organizations/{below}" if below else "/api"
        return f"{parent}/instances/{instance}", below

    # Authorizations and transfers

    @rule(who=WHO, instance=INSTANCE, organization=ORGANIZATION | st.just(ABSENT))
    def offer(self, who: Who, instance: str, organization: str) -> None:
        caller = self.caller(who, self.model.instances[instance].owner)
        path = f"/api/instances/{instance}/authorizations"
        answer = self.client.ask(caller, "POST", path, {"organization_id": organization})
        new = new_id(answer)
        self.agreed(answer, 201, self.model.offer, caller, instance, organization, new)

    @rule(who=WHO, authorization=AUTHORIZATION, status=STATUSES, match=MATCHED)
    def accept(self, who: Who, authorization: tuple[str, str], status: str, match: int | None) -> None:
        found = self.model.authorizations.get(authorization[1])
        caller = self.caller(who, found.organization if found else None)
        version = self.version(self.model.authorizations, authorization[1], match)
        path = path_of("Authorization", *authorization)
        answer = self.client.ask(caller, "PATCH", path, {"status": status}, version)
        self.agreed(answer, 200, self.model.set_status, caller, *authorization, status, version)

    @rule(who=WHO, authorization=AUTHORIZATION, by_other_side=st.booleans(), match=MATCHED)
    def revoke(
        self, who: Who, authorization: tuple[str, str], by_other_side: bool, match: int | None
    ) -> None:
        instance, identifier = authorization
        found = self.model.authorizations.get(identifier)
        side = found.organization if found and by_other_side else self.model.instances[instance].owner
        caller = self.caller(who, side)
        version = self.version(self.model.authorizations, identifier, match)
        answer = self.client.ask(caller, "DELETE", path_of("Authorization", *authorization), match=version)
        self.agreed(answer, 204, self.model.revoke, caller, *authorization, version)

    @rule(who=WHO, authorization=ACCEPTED, elsewhere=RARELY, key=KEYS, under=UNDER, match=MATCHED)
    def transfer(
        self,
        who: Who,
        authorization: tuple[str, str],
        elsewhere: bool,
        key: str,
        under: str | None,
        match: int | None,
    ) -> None:
        """To the organization that is authorized, or to any."""
        instance, identifier = authorization
        found = self.model.authorizations.get(identifier)
        organization = found.organization if found and not elsewhere else self.some(self.model.organizations)
        caller = self.caller(who, self.model.instances[instance].owner)
        version = self.version(self.model.instances, instance, match)
        path, below = self.address(instance, under)
        value = organization if key == "organization_id" else f"{BASE}/api/organizations/{organization}"
        answer = self.client.ask(caller, "POST", f"{path}/transfer", {key: value}, version)
        done, _ = self.agreed(
            answer, 200, self.model.transfer, caller, instance, organization, version, below
        )
        if done:
            assert answer.json()["@id"] == f"{BASE}/api/instances/{instance}"
            assert answer.json()["organization_id"] == organization

    # What holds after every act

    @invariant()
    def agrees_with_the_model(self) -> None:
        """Every other time, one partner after another is asked for what it sees; at the end, all are."""
        self.check_news()
        self.check_owners()
        self.turn += 1
        organization = self.some(self.model.organizations)
        if self.turn % 2:
            self.check_organization(self.auditor, self.model.organizations[organization])
        else:
            caller = Caller(self.some(self.partner_ids), frozenset({READ}))
            self.check_lists(caller, [organization], [self.some(self.model.instances)])

    def some(self, records: Mapping[str, object]) -> str:
        """One after another."""
        return list(records)[self.turn // 2 % len(records)]

    def check_news(self) -> None:
        """What was done is told once, and in its order."""
        told = [facts_of(activity) for activity in self.client.news()]
        assert told == [self.facts(it) for it in self.model.history[self.heard :]]
        self.heard = len(self.model.history)

    def check_owners(self) -> None:
        """Every instance has exactly one. The youngest are listed first, and an example has few."""
        listed = self.client.ask(self.auditor, "GET", "/api/instances?itemsPerPage=20").json()["member"]
        found = [(it["id"], it["organization_id"]) for it in listed if it["id"] in self.model.instances]
        assert sorted(found) == sorted((it.id, it.owner) for it in self.model.live_instances())

    def teardown(self) -> None:
        """Lists, to everybody; every single thing, to some."""
        partners = [Caller(partner, frozenset({READ})) for partner in self.partner_ids]
        for caller in partners:
            self.check_lists(caller, self.model.organizations, self.model.instances)
        for caller in (partners[self.turn % len(partners)], partners[0], self.auditor):
            self.check_items(caller)

    def check_lists(self, caller: Caller, organizations: Iterable[str], instances: Iterable[str]) -> None:
        model = self.model
        if not caller.reads_all:
            self.check_list(caller, "/api/organizations", model.listed_organizations)
            self.check_list(caller, "/api/instances", model.listed_instances)
            self.check_activities(caller, "/api/activities")
        for organization in organizations:
            path = f"/api/organizations/{organization}"
            self.check_list(caller, f"{path}/members", model.listed_members, organization)
            self.check_list(caller, f"{path}/instances", model.listed_instances, organization)
            self.check_list(caller, f"{path}/authorizations", model.received_authorizations, organization)
            self.check_activities(caller, f"{path}/activities", organization)
        for instance in instances:
            path = f"/api/instances/{instance}"
            self.check_list(caller, f"{path}/authorizations", model.listed_authorizations, instance)
            self.check_list(caller, f"{path}/transfer", model.targets, instance)

    def check_list(self, caller: Caller, path: str, listed: Callable[..., set[str]], *parent: str) -> None:
        answer = self.client.ask(caller, "GET", f"{path}?itemsPerPage=100")
        done, expected = self.agreed(answer, 200, listed, caller, *parent)
        if done:
            assert ids(answer) == expected, path
            assert answer.json()["totalItems"] == len(expected or ()), path

    def check_activities(self, caller: Caller, path: str, *organization: str) -> None:
        answer = self.client.ask(caller, "GET", f"{path}?itemsPerPage=100")
        done, expected = self.agreed(answer, 200, self.model.activities, caller, *organization)
        if done:
            told = answer.json()["member"]
            sequences = [activity["sequence"] for activity in told]
            assert sequences == sorted(set(sequences))
            assert [facts_of(it) for it in told] == [self.facts(it) for it in (expected or [])]

    def check_items(self, caller: Caller) -> None:
        model = self.model
        for organization in model.organizations.values():
            self.check_organization(caller, organization)
        for instance in model.instances.values():
            answer = self.client.ask(caller, "GET", f"/api/instances/{instance.id}")
            done, _ = self.agreed(answer, 200, model.instance, caller, instance.id)
            if done:
                self.check_instance(answer, instance)
        for member in model.members.values():
            answer = self.client.ask(caller, "GET", path_of("Member", member.organization, member.id))
            self.agreed(answer, 200, model.member, caller, member.organization, member.id)
        for it in model.authorizations.values():
            answer = self.client.ask(caller, "GET", path_of("Authorization", it.instance, it.id))
            done, _ = self.agreed(answer, 200, model.authorization, caller, it.instance, it.id)
            if done:
                assert answer.json()["status"] == it.status
                assert version_of(answer) == it.version
        for identifier, tombstone in model.tombstones.items():
            self.check_buried(caller, identifier, tombstone)

    def check_organization(self, caller: Caller, organization: Organization) -> None:
        """Who only knows it by name is told of no members; there always is an owner who has come."""
        answer = self.client.ask(caller, "GET", f"/api/organizations/{organization.id}")
        done, _ = self.agreed(answer, 200, self.model.organization, caller, organization.id)
        if not done:
            return
        body = answer.json()
        assert (body["name"], version_of(answer)) == (organization.name, organization.version)
        told = {
            (it["id"], it["email"], it["role"], key)
            for key in ("owners", "members")
            for it in body.get(key, [])
        }
        of_it = [it for it in self.model.members.values() if it.organization == organization.id]
        if caller.reads_all or self.model.role(caller.partner, organization.id):
            assert told == {(it.id, it.email, it.role, f"{it.role}s") for it in of_it}
            assert any("partner" in owner for owner in body["owners"])
        else:
            assert not told

    def check_instance(self, answer: httpx.Response, instance: Instance) -> None:
        body = answer.json()
        assert (body["name"], body["handle"]) == (instance.name, instance.handle)
        owners = (instance.owner, instance.creator)
        assert (body["organization_id"], body["created_by_organization_id"]) == owners
        assert version_of(answer) == instance.version

    def check_buried(self, caller: Caller, identifier: str, tombstone: Tombstone) -> None:
        of_member = tombstone.parent in self.model.organizations
        find = self.model.member if of_member else self.model.authorization
        path = path_of("Member" if of_member else "Authorization", tombstone.parent, identifier)
        answer = self.client.ask(caller, "GET", path)
        done, _ = self.agreed(answer, 410, find, caller, tombstone.parent, identifier)
        assert not done

    def facts(self, activity: Activity) -> tuple[object, ...]:
        actor = self.partner_ids[activity.actor]
        return activity.type, activity.class_name, activity.object, actor, activity.changes


CLASSES = {
    "organizations": "Organization",
    "members": "Member",
    "instances": "Instance",
    "authorizations": "Authorization",
    "partners": "Partner",
}


def facts_of(activity: Mapping[str, Any]) -> tuple[object, ...]:
    """What the service tells of an activity, as the model tells it."""
    changes = {
        it["property"]: (of_change(it, "before"), of_change(it, "after")) for it in activity["changes"]
    }
    _, segment, identifier = activity["object"].rsplit("/", 2)
    return activity["@type"][1], CLASSES[segment], identifier, id_of(activity["actor"]), changes


def of_change(change: Mapping[str, str], key: str) -> str | None:
    """The model knows a partner by its id, the service tells its address."""
    value = change.get(key)
    if value is None or change["property"] != "partner":
        return value
    assert value.startswith(f"{BASE}/api/partners/")
    return id_of(value)


def ids(answer: httpx.Response) -> set[str]:
    return {member["id"] for member in answer.json()["member"]}


def version_of(answer: httpx.Response) -> int:
    return int(answer.headers["ETag"].strip('"').partition(".")[0])


def new_id(answer: httpx.Response) -> str:
    return id_of(answer.headers.get("Location", ""))


@contextmanager
def connected(database_url: str, data_dir: Path) -> Iterator[Client]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        service = runner.run(stack.enter_async_context(running(database_url, data_dir)))
        try:
            yield Client(runner, service)
        finally:
            runner.run(stack.aclose())


def test_the_service_does_what_a_model_of_it_does(database_url: str, tmp_path: Path) -> None:
    """And enough of it: every act succeeds somewhere."""
    with connected(database_url, tmp_path) as client:

        class Machine(OwnershipMachine):
            pass

        Machine.client = client
        run_state_machine_as_test(Machine, settings=SETTINGS)
        assert {act for act, outcome in client.met if outcome == DONE} >= ACTS
