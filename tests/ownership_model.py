"""A registry in plain Python: who owns what, who may do what to it, what the answer is, and what happened.

Small, slow, and without a line of the service's: API.md sections 2 and 3 again, to hold the service against.
Whoever acts is told by `Refused` why not; ids are given to the model, because the service makes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

READ, WRITE, READ_ALL = "registry:read", "registry:write", "registry:read-all"

Changes = Mapping[str, tuple[str | None, str | None]]


class Refused(Exception):  # noqa: N818 - an answer, not an error
    def __init__(self, status: int, problem: str) -> None:
        super().__init__(f"{status} {problem}")
        self.status, self.problem = status, problem


def not_found() -> Refused:
    return Refused(404, "not-found")


@dataclass(frozen=True)
class Caller:
    partner: str
    scopes: frozenset[str]

    @property
    def reads_all(self) -> bool:
        return READ_ALL in self.scopes


@dataclass
class Organization:
    id: str
    name: str
    version: int = 1
    deleted: bool = False


@dataclass
class Member:
    """`partner` is None until somebody comes with the e-mail address."""

    id: str
    organization: str
    email: str
    partner: str | None
    role: str
    version: int = 1


@dataclass
class Instance:
    id: str
    name: str
    handle: str
    owner: str
    creator: str
    version: int = 1
    deleted: bool = False


@dataclass
class Authorization:
    id: str
    instance: str
    organization: str
    status: str
    version: int = 1


@dataclass(frozen=True)
class Tombstone:
    """Of a member or an authorization: seen by members of `organization`, of `counterpart` by those with
    `role` or more, and by the `partner` whose it was."""

    parent: str
    organization: str
    counterpart: str | None = None
    role: str = "owner"
    partner: str | None = None


@dataclass(frozen=True)
class Activity:
    type: str
    class_name: str
    object: str
    actor: str
    organizations: frozenset[str]
    changes: Changes = field(default_factory=dict)


@dataclass
class Registry:
    """`emails` and `ids` are those of the partners who have come."""

    emails: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    organizations: dict[str, Organization] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    authorizations: dict[str, Authorization] = field(default_factory=dict)
    tombstones: dict[str, Tombstone] = field(default_factory=dict)
    history: list[Activity] = field(default_factory=list)

    # What is so

    def role(self, partner: str, organization: str) -> str | None:
        found = (
            m.role for m in self.members.values() if (m.partner, m.organization) == (partner, organization)
        )
        return next(found, None)

    def owners(self, organization: str) -> list[str]:
        """Those who have come: a role that waits for somebody is not yet anybody's."""
        of_it = (m for m in self.members.values() if m.organization == organization and m.role == "owner")
        return sorted(m.partner for m in of_it if m.partner)

    def live_instances(self) -> list[Instance]:
        return [instance for instance in self.instances.values() if not instance.deleted]

    def owned(self, organization: str) -> set[str]:
        return {instance.id for instance in self.live_instances() if instance.owner == organization}

    def of_instance(self, instance: str) -> list[Authorization]:
        return [it for it in self.authorizations.values() if it.instance == instance]

    def can_use(self, partner: str, authorization: Authorization) -> bool:
        """What is pending is for owners to know."""
        role = self.role(partner, authorization.organization)
        return role == "owner" or (role is not None and authorization.status == "accepted")

    # Who may know of what

    def sees_organization(self, caller: Caller, organization: str) -> bool:
        """Members, and whoever may see an instance or an authorization that names it, or could until it was
        deleted, which ended what it had been offered."""
        return (
            bool(caller.reads_all or self.role(caller.partner, organization))
            or any(self._names(caller.partner, instance, organization) for instance in self.live_instances())
            or any(self.role(caller.partner, it) for it in self._concerned_by_end(organization))
        )

    def _concerned_by_end(self, organization: str) -> frozenset[str]:
        ends = ("Delete", "Organization", organization)
        found = (it.organizations for it in self.history if (it.type, it.class_name, it.object) == ends)
        return next(found, frozenset())

    def _names(self, partner: str, instance: Instance, organization: str) -> bool:
        granted = self.of_instance(instance.id)
        if self.role(partner, instance.owner):
            return organization in {instance.creator, *(it.organization for it in granted)}
        used = any(self.can_use(partner, it) for it in granted)
        return used and organization in (instance.owner, instance.creator)

    def sees_instance(self, caller: Caller, instance: Instance) -> bool:
        granted = any(self.can_use(caller.partner, it) for it in self.of_instance(instance.id))
        return bool(caller.reads_all or granted or self.role(caller.partner, instance.owner))

    def lists_instance(self, caller: Caller, instance: Instance) -> bool:
        """What is only offered is not in lists."""
        accepted = [it for it in self.of_instance(instance.id) if it.status == "accepted"]
        member = [instance.owner, *(it.organization for it in accepted)]
        return caller.reads_all or any(self.role(caller.partner, organization) for organization in member)

    def sees_authorization(self, caller: Caller, authorization: Authorization) -> bool:
        owner = self.instances[authorization.instance].owner
        mine = self.role(caller.partner, owner) or self.can_use(caller.partner, authorization)
        return bool(caller.reads_all or mine)

    def sees_tombstone(self, caller: Caller, tombstone: Tombstone) -> bool:
        other = self.role(caller.partner, tombstone.counterpart) if tombstone.counterpart else None
        enough = other == "owner" or (other is not None and tombstone.role == "member")
        own = tombstone.partner == caller.partner
        return bool(caller.reads_all or own or enough or self.role(caller.partner, tombstone.organization))

    # What can be read: 404 for what one may not know of, 410 for what is gone

    def organization(self, caller: Caller, identifier: str) -> Organization:
        organization = self.organizations.get(identifier)
        if organization is None or not self.sees_organization(caller, identifier):
            raise not_found()
        if organization.deleted:
            raise Refused(410, "gone")
        return organization

    def instance(self, caller: Caller, identifier: str, under: str | None = None) -> Instance:
        instance = self.instances.get(identifier)
        if (
            instance is None
            or not self.sees_instance(caller, instance)
            or under not in (None, instance.owner)
        ):
            raise not_found()
        if instance.deleted:
            raise Refused(410, "gone")
        return instance

    def member(self, caller: Caller, organization: str, identifier: str) -> Member:
        member = self.members.get(identifier)
        if member is None:
            raise self._buried(caller, organization, identifier)
        if member.organization != organization or not (
            caller.reads_all or self.role(caller.partner, organization)
        ):
            raise not_found()
        if self.organizations[organization].deleted:
            raise Refused(410, "gone")
        return member

    def authorization(self, caller: Caller, instance: str, identifier: str) -> Authorization:
        authorization = self.authorizations.get(identifier)
        if authorization is None:
            raise self._buried(caller, instance, identifier)
        if authorization.instance != instance or not self.sees_authorization(caller, authorization):
            raise not_found()
        if self.instances[instance].deleted:
            raise Refused(410, "gone")
        return authorization

    def _buried(self, caller: Caller, parent: str, identifier: str) -> Refused:
        tombstone = self.tombstones.get(identifier)
        seen = tombstone is not None and tombstone.parent == parent and self.sees_tombstone(caller, tombstone)
        return Refused(410, "gone") if seen else not_found()

    def listed_organizations(self, caller: Caller) -> set[str]:
        live = (it for it in self.organizations.values() if not it.deleted)
        return {it.id for it in live if self.role(caller.partner, it.id)}

    def listed_instances(self, caller: Caller, owner: str | None = None) -> set[str]:
        if owner is not None:
            self.organization(caller, owner)
        of_it = (it for it in self.live_instances() if owner in (None, it.owner))
        return {it.id for it in of_it if self.lists_instance(caller, it)}

    def listed_members(self, caller: Caller, organization: str) -> set[str]:
        self.organization(caller, organization)
        self._check_reads(caller, organization, "owner", "member")
        return {it.id for it in self.members.values() if it.organization == organization}

    def listed_authorizations(self, caller: Caller, instance: str) -> set[str]:
        self.instance(caller, instance)
        return {it.id for it in self.of_instance(instance) if self.sees_authorization(caller, it)}

    def received_authorizations(self, caller: Caller, organization: str) -> set[str]:
        self.organization(caller, organization)
        self._check_reads(caller, organization, "owner", "member")
        received = (it for it in self.authorizations.values() if it.organization == organization)
        live = (it for it in received if not self.instances[it.instance].deleted)
        return {it.id for it in live if self.sees_authorization(caller, it)}

    def targets(self, caller: Caller, instance: str) -> set[str]:
        """The organizations that the instance may be transferred to."""
        self._check_reads(caller, self.instance(caller, instance).owner, "owner")
        return {it.organization for it in self.of_instance(instance) if it.status == "accepted"}

    def activities(self, caller: Caller, organization: str | None = None) -> list[Activity]:
        """What owners of an organization concerned may read, of one or of all."""
        if organization is not None:
            self.organization(caller, organization)
            self._check_reads(caller, organization, "owner")
            return [it for it in self.history if organization in it.organizations]
        owned = {it for it in self.organizations if self.role(caller.partner, it) == "owner"}
        return [it for it in self.history if caller.reads_all or it.organizations & owned]

    # What can be done

    def arrive(self, partner: str, identifier: str, email: str) -> None:
        """Memberships that wait for the e-mail address become the partner's, which has the id."""
        self.emails[partner], self.ids[partner] = email, identifier
        waiting = [it for it in self.members.values() if it.partner is None and it.email == email]
        for member in waiting:
            member.partner, member.version = partner, member.version + 1
        if waiting:
            concerned = {it.organization for it in waiting}
            self._note(partner, "Update", "Partner", identifier, concerned, {"email": (None, email)})

    def create_organization(self, caller: Caller, name: str, identifier: str, membership: str) -> None:
        self._check_writes(caller)
        self.organizations[identifier] = Organization(identifier, name)
        email = self.emails[caller.partner]
        self.members[membership] = Member(membership, identifier, email, caller.partner, "owner")
        changes = {"name": (None, name)}
        self._note(caller.partner, "Create", "Organization", identifier, {identifier}, changes)

    def rename_organization(self, caller: Caller, identifier: str, name: str, version: int | None) -> None:
        self._check_writes(caller)
        organization = self.organization(caller, identifier)
        self._check_owner(caller, identifier)
        _check_version(organization.version, version)
        self._rename(caller, organization, name, identifier)

    def delete_organization(self, caller: Caller, identifier: str, version: int | None) -> None:
        self._check_writes(caller)
        organization = self.organization(caller, identifier)
        self._check_owner(caller, identifier)
        _check_version(organization.version, version)
        if self.owned(identifier):
            raise Refused(409, "organization-not-empty")
        received = [it for it in self.authorizations.values() if it.organization == identifier]
        ended = [it for it in received if not self.instances[it.instance].deleted]
        concerned = {identifier, *(self.instances[it.instance].owner for it in ended)}
        self._end(ended)
        organization.deleted = True
        self._note(caller.partner, "Delete", "Organization", identifier, concerned)

    def add_member(self, caller: Caller, organization: str, email: str, role: str, identifier: str) -> None:
        self._check_writes(caller)
        self.organization(caller, organization)
        self._check_owner(caller, organization)
        partner = next((it for it, known in self.emails.items() if known == email), None)
        if any((it.organization, it.email) == (organization, email) for it in self.members.values()):
            raise Refused(409, "already-member")
        self.members[identifier] = Member(identifier, organization, email, partner, role)
        after = {"email": email, "role": role, "partner": self.ids.get(partner or "")}
        changes = {key: (None, value) for key, value in after.items() if value}
        self._note(caller.partner, "Add", "Member", identifier, {organization}, changes)

    def change_role(
        self, caller: Caller, organization: str, identifier: str, role: str, version: int | None
    ) -> None:
        self._check_writes(caller)
        member = self.member(caller, organization, identifier)
        self._check_owner(caller, organization)
        _check_version(member.version, version)
        if role == member.role:
            return
        self._check_not_last(member)
        changes = {"role": (member.role, role)}
        member.role, member.version = role, member.version + 1
        self._note(caller.partner, "Update", "Member", identifier, {organization}, changes)

    def remove_member(self, caller: Caller, organization: str, identifier: str, version: int | None) -> None:
        """By an owner, or by the member itself, who leaves."""
        self._check_writes(caller)
        member = self.member(caller, organization, identifier)
        if member.partner != caller.partner:
            self._check_owner(caller, organization)
        _check_version(member.version, version)
        self._check_not_last(member)
        del self.members[identifier]
        self.tombstones[identifier] = Tombstone(organization, organization, partner=member.partner)
        before = {"email": member.email, "role": member.role, "partner": self.ids.get(member.partner or "")}
        changes = {key: (value, None) for key, value in before.items() if value}
        self._note(caller.partner, "Remove", "Member", identifier, {organization}, changes)

    def create_instance(
        self, caller: Caller, organization: str, name: str, handle: str, *, below: bool, identifier: str
    ) -> None:
        """Below the organization's address, or with a member of the content that names it."""
        self._check_writes(caller)
        try:
            self.organization(caller, organization)
        except Refused as refused:
            raise refused if below else Refused(422, "invalid-content") from None
        self._check_owner(caller, organization)
        if any(instance.handle == handle for instance in self.instances.values()):
            raise Refused(409, "handle-taken")
        self.instances[identifier] = Instance(identifier, name, handle, organization, organization)
        changes = {"name": (None, name), "handle": (None, handle), "organization_id": (None, organization)}
        self._note(caller.partner, "Create", "Instance", identifier, {organization}, changes)

    def rename_instance(
        self, caller: Caller, identifier: str, name: str, version: int | None, under: str | None
    ) -> None:
        instance = self._instance_to_change(caller, identifier, version, under)
        self._rename(caller, instance, name, instance.owner)

    def delete_instance(
        self, caller: Caller, identifier: str, version: int | None, under: str | None
    ) -> None:
        """Its authorizations stay: they tell who may know that it is gone."""
        instance = self._instance_to_change(caller, identifier, version, under)
        instance.deleted = True
        concerned = {instance.owner, *(it.organization for it in self.of_instance(identifier))}
        self._note(caller.partner, "Delete", "Instance", identifier, concerned)

    def transfer(
        self, caller: Caller, identifier: str, target: str, version: int | None, under: str | None
    ) -> None:
        instance = self._instance_to_change(caller, identifier, version, under)
        if target not in self.targets(caller, identifier):
            raise Refused(422, "invalid-content")
        granted = self.of_instance(identifier)
        concerned = {instance.owner, *(it.organization for it in granted)}
        changes = {"organization_id": (instance.owner, target)}
        self._end(granted)
        instance.owner, instance.version = target, instance.version + 1
        self._note(caller.partner, "Move", "Instance", identifier, concerned, changes)

    def offer(self, caller: Caller, instance: str, organization: str, identifier: str) -> None:
        """Who owns both sides has accepted by offering."""
        self._check_writes(caller)
        owner = self.instance(caller, instance).owner
        self._check_owner(caller, owner)
        offered = self.organizations.get(organization)
        if offered is None or offered.deleted or organization == owner:
            raise Refused(422, "invalid-content")
        if any(it.organization == organization for it in self.of_instance(instance)):
            raise Refused(409, "already-authorized")
        status = "accepted" if self.role(caller.partner, organization) == "owner" else "pending"
        self.authorizations[identifier] = Authorization(identifier, instance, organization, status)
        values = {"instance_id": instance, "organization_id": organization, "status": status}
        changes = {key: (None, value) for key, value in values.items()}
        self._note(caller.partner, "Add", "Authorization", identifier, {owner, organization}, changes)

    def set_status(
        self, caller: Caller, instance: str, identifier: str, status: str, version: int | None
    ) -> None:
        """Accepting, which cannot be taken back."""
        self._check_writes(caller)
        authorization = self.authorization(caller, instance, identifier)
        self._check_owner(caller, authorization.organization)
        _check_version(authorization.version, version)
        if (authorization.status, status) == ("accepted", "pending"):
            raise Refused(422, "invalid-content")
        if authorization.status == status:
            return
        authorization.status, authorization.version = status, authorization.version + 1
        concerned = {self.instances[instance].owner, authorization.organization}
        changes = {"status": ("pending", status)}
        self._note(caller.partner, "Update", "Authorization", identifier, concerned, changes)

    def revoke(self, caller: Caller, instance: str, identifier: str, version: int | None) -> None:
        """By an owner of either side."""
        self._check_writes(caller)
        it = self.authorization(caller, instance, identifier)
        owner = self.instances[instance].owner
        if self.role(caller.partner, owner) != "owner":
            self._check_owner(caller, it.organization)
        _check_version(it.version, version)
        self._end([it])
        values = {"instance_id": instance, "organization_id": it.organization, "status": it.status}
        changes = {key: (value, None) for key, value in values.items()}
        concerned = {owner, it.organization}
        self._note(caller.partner, "Remove", "Authorization", identifier, concerned, changes)

    # What they have in common

    def _instance_to_change(
        self, caller: Caller, identifier: str, version: int | None, under: str | None
    ) -> Instance:
        self._check_writes(caller)
        instance = self.instance(caller, identifier, under)
        self._check_owner(caller, instance.owner)
        _check_version(instance.version, version)
        return instance

    def _rename(self, caller: Caller, it: Organization | Instance, name: str, owner: str) -> None:
        """Nothing happens where the name is the same."""
        if name != it.name:
            changes = {"name": (it.name, name)}
            it.name, it.version = name, it.version + 1
            self._note(caller.partner, "Update", type(it).__name__, it.id, {owner}, changes)

    def _end(self, authorizations: Iterable[Authorization]) -> None:
        for it in authorizations:
            role = "member" if it.status == "accepted" else "owner"
            owner = self.instances[it.instance].owner
            self.tombstones[it.id] = Tombstone(it.instance, owner, it.organization, role)
            del self.authorizations[it.id]

    def _note(
        self,
        actor: str,
        type_: str,
        class_name: str,
        identifier: str,
        organizations: Iterable[str],
        changes: Changes | None = None,
    ) -> None:
        concerned = frozenset(organizations)
        self.history.append(Activity(type_, class_name, identifier, actor, concerned, changes or {}))

    def _check_writes(self, caller: Caller) -> None:
        if WRITE not in caller.scopes:
            raise Refused(403, "insufficient-scope")

    def _check_owner(self, caller: Caller, organization: str) -> None:
        if self.role(caller.partner, organization) != "owner":
            raise Refused(403, "forbidden")

    def _check_reads(self, caller: Caller, organization: str, *roles: str) -> None:
        if not caller.reads_all and self.role(caller.partner, organization) not in roles:
            raise Refused(403, "forbidden")

    def _check_not_last(self, member: Member) -> None:
        """The last owner who has come has to stay one."""
        if member.role == "owner" and [member.partner] == self.owners(member.organization):
            raise Refused(409, "last-owner")


def _check_version(version: int, expected: int | None) -> None:
    if expected is not None and expected != version:
        raise Refused(412, "precondition-failed")
