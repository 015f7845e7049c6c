"""Who sees what (API.md sections 2 and 3), as data. What it speaks of stands in `tests.estate`.

Nothing here is taken from the service's code. A subject stands for a partner; what a token adds or takes
away stands in `ASKING`. Whoever a row does not name sees nothing: 404. The auditor's token sees all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.caller import READ, READ_ALL, WRITE

ABSENT = "01930000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Asking:
    """A token: whose, with which scopes, and whether it is expired. Without a subject there is none."""

    subject: str | None
    scopes: tuple[str, ...] = (WRITE,)
    expired: bool = False

    @property
    def sees_all(self) -> bool:
        return READ_ALL in self.scopes


ASKING: Mapping[str, Asking] = {
    "owner": Asking("owner"),
    "owner who may only read": Asking("owner", (READ,)),
    "member": Asking("member"),
    # Of Initech, which is authorized for `shop`, and was offered `lab`.
    "owner of an organization with an accepted and a pending authorization": Asking("neighbour"),
    "member of an organization with an accepted and a pending authorization": Asking("colleague"),
    # Of Umbrella, which was offered `lab` and `gift`, and gave up `shop`.
    "owner of an organization with pending authorizations alone": Asking("invitee"),
    "member of an organization with pending authorizations alone": Asking("trainee"),
    # Of Globex, which was offered `lab` until the offer was withdrawn.
    "owner of an organization that was offered something once": Asking("stranger"),
    # Of Wayne, Extinct and Bygone, which each gave an instance away.
    "owner of an organization that gave instances away": Asking("donor"),
    "member who was removed": Asking("former"),
    # Of Ended, together with `owner`.
    "member of an organization that was deleted": Asking("companion"),
    "owner of something else": Asking("outsider"),
    "partner without any organization": Asking("newcomer"),
    "auditor": Asking("auditor", (READ_ALL,)),
    # What an owner may see anyway is no less with the scope of an auditor, and nothing can be written by it.
    "owner with an auditor's token": Asking("owner", (READ_ALL,)),
    "owner whose token has no scope of ours": Asking("owner", ("openid",)),
    "no token": Asking(None),
    "owner whose token is expired": Asking("owner", expired=True),
}


@dataclass(frozen=True)
class Row:
    """What is seen of a thing, by subjects separated by spaces.

    `whole` see all of it, but for what `OWNERS_KEYS` keeps for those who may change it. `named` see what
    `NAMED_KEYS` says. Of what is `gone` both see that it was there: 410. `may` says who may do what beside
    reading; `withheld` is what its state does not allow now, and is not offered. `lacks` are keys that it has
    no value for.
    """

    thing: str
    whole: str
    named: str = ""
    may: Mapping[str, str] = field(default_factory=dict)
    withheld: str = ""
    lacks: str = ""
    gone: bool = False

    def sight(self, asking: Asking) -> str:
        """`whole`, `named`, `gone` or `nothing`, for a token that is not refused."""
        whole = asking.sees_all or asking.subject in self.whole.split()
        if not whole and asking.subject not in self.named.split():
            return "nothing"
        if self.gone:
            return "gone"
        return "whole" if whole else "named"

    def methods(self, asking: Asking) -> set[str]:
        """What the caller may do beside reading, whatever the thing's state."""
        return set(self.may.get(asking.subject or "", "").split()) if WRITE in asking.scopes else set()

    def owns(self, asking: Asking) -> bool:
        return (asking.subject or "") in self.may


def _changed_by(owner: str) -> Mapping[str, str]:
    """API.md section 3: owners rename (PATCH, PUT) and delete."""
    return {owner: "PATCH PUT DELETE"}


def _kept_by(owner: str, itself: str = "") -> Mapping[str, str]:
    """API.md section 3: owners change the role and remove; a member may leave."""
    return {owner: "PATCH DELETE"} | ({itself: "DELETE"} if itself else {})


def _agreed_by(owner: str, other: str) -> Mapping[str, str]:
    """API.md section 3: an owner of the other side accepts, and either side deletes."""
    return {owner: "DELETE", other: "PATCH DELETE"}


# The keys of a body that is seen whole, but for `@context`, `@id`, `@type` and `operation`.
KEYS: Mapping[str, str] = {
    "Organization": "id name created_at updated_at owners members instances memberships"
    " received_authorizations",
    "Instance": "id name handle created_at updated_at organization_id created_by_organization_id"
    " organization created_by_organization authorizations",
    "Partner": "id name email memberships",
    # `organization` is not among API.md's links of a membership; org:organization completes org:Membership.
    "Member": "id email name role joined_at partner organization",
    "Authorization": "id instance_id organization_id status created_at accepted_at instance organization",
    "Activity": "id sequence actor object published summary changes request_id",
}
# Links that only owners, and who reads everything, could follow, and that are shown to no one else.
OWNERS_KEYS: Mapping[str, str] = {"Organization": "activities", "Instance": "transfer"}
# API.md section 3: `id` and `name` alone, for whoever may see a thing that names it. Section 2: a partner's
# e-mail is for itself and for fellow members; who reads activities learns the names of those who acted.
NAMED_KEYS: Mapping[str, str] = {"Organization": "id name", "Partner": "id name memberships"}

ROWS: Mapping[str, tuple[Row, ...]] = {
    # Members; by name whoever sees a thing that names it: an instance as its owner or its creator, an
    # authorization as the other side. What no thing names any longer is seen no longer.
    "Organization": (
        Row("acme", "owner member", "neighbour colleague invitee", _changed_by("owner"), "DELETE"),
        Row("initech", "neighbour colleague", "owner member", _changed_by("neighbour"), "DELETE"),
        Row("umbrella", "invitee trainee", "owner member", _changed_by("invitee")),
        # It created `gift`, which Acme owns and Umbrella was offered.
        Row("wayne", "donor", "owner member invitee", _changed_by("donor")),
        # What named it is gone: `bygone gift`, which Acme owned last. So it is with Wayne and Globex.
        Row("bygone", "donor", may=_changed_by("donor")),
        Row("globex", "stranger", "", _changed_by("stranger"), "DELETE"),
        Row("outside", "outsider", "", _changed_by("outsider"), "DELETE"),
        Row("past", "owner", gone=True),
        Row("ended", "owner companion", gone=True),
        # `orphan`, which Acme owns, names it as its creator still.
        Row("extinct", "donor", "owner member", gone=True),
        # It was offered `lab` when it was deleted.
        Row("lapsed", "donor", "owner member", gone=True),
    ),
    # Members of the owner, members of organizations with an accepted authorization, and owners of those
    # with a pending one.
    "Instance": (
        Row("shop", "owner member neighbour colleague", may=_changed_by("owner")),
        Row("lab", "owner member neighbour invitee", may=_changed_by("owner")),
        Row("gift", "owner member invitee", may=_changed_by("owner")),
        # The organization that created it may be gone: then its id is there, and no link.
        Row("orphan", "owner member", may=_changed_by("owner"), lacks="created_by_organization"),
        Row("moved", "neighbour colleague", may=_changed_by("neighbour")),
        Row("globex shop", "stranger", may=_changed_by("stranger")),
        Row("outside shop", "outsider", may=_changed_by("outsider")),
        Row("old", "owner member", gone=True),
        Row("bygone gift", "owner member", gone=True),
        # Of Wayne; Globex was authorized for it.
        Row("spent", "donor stranger", gone=True),
        Row("closed", "owner member neighbour colleague invitee", gone=True),
    ),
    # Itself and fellow members; without the e-mail, owners of an organization that its acts concern.
    # To come with a token for the first time is an act too where a membership waits: it concerns that
    # organization, so that `owner` knows `former` and `companion`. Of an organization that is deleted no one
    # is a member any longer.
    "Partner": (
        Row("partner owner", "owner member", "neighbour invitee stranger donor"),
        Row("partner member", "owner member"),
        Row("partner neighbour", "neighbour colleague", "owner"),
        Row("partner colleague", "neighbour colleague"),
        Row("partner invitee", "invitee trainee", "owner"),
        Row("partner trainee", "invitee trainee"),
        Row("partner stranger", "stranger", "donor"),
        Row("partner donor", "donor", "owner stranger"),
        Row("partner former", "former", "owner"),
        Row("partner companion", "companion", "owner"),
        Row("partner outsider", "outsider"),
        Row("partner newcomer", "newcomer"),
        Row("partner auditor", "auditor"),
    ),
    # Members list; whoever knows the organization only by name does not know who is in it. The last owner
    # neither goes nor changes its role. Who was removed is a stranger (AU-20), but for its own membership,
    # which is gone for it as for who stays.
    "Member": (
        Row("acme: owner", "owner member", may=_kept_by("owner"), withheld="PATCH DELETE"),
        Row("acme: member", "owner member", may=_kept_by("owner", "member")),
        # It was added by e-mail, and has not come.
        Row("acme: waiting", "owner member", may=_kept_by("owner"), lacks="name partner"),
        Row("initech: neighbour", "neighbour colleague", "", _kept_by("neighbour"), "PATCH DELETE"),
        Row("initech: colleague", "neighbour colleague", may=_kept_by("neighbour", "colleague")),
        Row("umbrella: invitee", "invitee trainee", "", _kept_by("invitee"), "PATCH DELETE"),
        Row("umbrella: trainee", "invitee trainee", may=_kept_by("invitee", "trainee")),
        Row("wayne: donor", "donor", "", _kept_by("donor"), "PATCH DELETE"),
        Row("bygone: donor", "donor", "", _kept_by("donor"), "PATCH DELETE"),
        Row("globex: stranger", "stranger", "", _kept_by("stranger"), "PATCH DELETE"),
        Row("outside: outsider", "outsider", "", _kept_by("outsider"), "PATCH DELETE"),
        Row("acme: past", "owner member", gone=True),
        Row("acme: former", "owner member former", gone=True),
        Row("ended: companion", "owner companion", gone=True),
    ),
    # The owner's members see all, the other side its own: what is pending, its owners alone.
    "Authorization": (
        # It is accepted already.
        Row(
            "shop > initech",
            "owner member neighbour colleague",
            may=_agreed_by("owner", "neighbour"),
            withheld="PATCH",
        ),
        Row(
            "lab > initech", "owner member neighbour", "", _agreed_by("owner", "neighbour"), "", "accepted_at"
        ),
        Row("lab > umbrella", "owner member invitee", "", _agreed_by("owner", "invitee"), "", "accepted_at"),
        Row("gift > umbrella", "owner member invitee", "", _agreed_by("owner", "invitee"), "", "accepted_at"),
        # Withdrawn when it was pending, and given up when it was accepted.
        Row("lab > globex", "owner member stranger", gone=True),
        Row("shop > umbrella", "owner member invitee trainee", gone=True),
        # Ended by a transfer. The new owner's members could see what their own organization had, no other.
        Row("gift > acme", "donor owner member", gone=True),
        Row("orphan > acme", "donor owner member", gone=True),
        Row("bygone gift > acme", "donor owner member", gone=True),
        Row("moved > initech", "owner member neighbour colleague", gone=True),
        Row("moved > umbrella", "owner member invitee", gone=True),
        # Gone with its instance.
        Row("closed > initech", "owner member neighbour colleague", gone=True),
        Row("closed > umbrella", "owner member invitee", gone=True),
        Row("spent > globex", "donor stranger", gone=True),
        # Gone with the organization that it was offered to.
        Row("lab > lapsed", "owner member donor", gone=True),
    ),
    # Owners of an organization concerned: the one that the thing belongs or belonged to, both sides of an
    # authorization, and all whose authorizations a transfer or a deletion has ended.
    "Activity": (
        Row("Create acme", "owner"),
        Row("Create shop", "owner"),
        Row("Add acme: member", "owner"),
        Row("Remove acme: former", "owner"),
        Row("Update partner former", "owner"),
        Row("Add shop > initech", "owner neighbour"),
        Row("Update shop > initech", "owner neighbour"),
        Row("Add lab > umbrella", "owner invitee"),
        Row("Remove lab > globex", "owner stranger"),
        Row("Remove shop > umbrella", "owner invitee"),
        Row("Move gift", "donor owner"),
        Row("Move moved", "owner neighbour invitee"),
        Row("Delete closed", "owner neighbour invitee"),
        Row("Delete ended", "owner"),
        Row("Delete extinct", "donor"),
        Row("Delete lapsed", "donor owner"),
        Row("Create outside shop", "outsider"),
    ),
}
CLASSES = {row.thing: name for name, rows in ROWS.items() for row in rows}


@dataclass(frozen=True)
class List:
    """What a list holds, by subject; `everything` is what it holds for who reads everything.

    Those who are `refused` may see what it belongs to, but not the list: 403. For `gone` what it belongs to
    is gone: 410. All others find nothing, 404, or an `open` list without anything in it. `adds` are those who
    may POST, where that can be done.
    """

    path: str
    holds: Mapping[str, str]
    everything: str | None
    refused: str = ""
    gone: str = ""
    open: bool = False
    adds: str | None = None

    def found(self, asking: Asking) -> tuple[int, set[str]]:
        """The status of the list and the things that it holds."""
        if asking.sees_all:
            missing = 410 if self.gone else 404
            return (missing, set()) if self.everything is None else (200, _things(self.everything))
        subject = asking.subject or ""
        if subject in self.holds:
            return 200, _things(self.holds[subject])
        for status, subjects in ((403, self.refused), (410, self.gone)):
            if subject in subjects.split():
                return status, set()
        return (200 if self.open else 404), set()


def _things(text: str) -> set[str]:
    return {name.strip() for name in text.split(",")} - {""}


def _live(class_name: str) -> str:
    return ", ".join(row.thing for row in ROWS[class_name] if not row.gone)


def _each(subjects: str, things: str) -> Mapping[str, str]:
    return dict.fromkeys(subjects.split(), things)


ACMES, MEMBERS = "shop, lab, gift, orphan", "acme: owner, acme: member, acme: waiting"
INITECHS = "initech: neighbour, initech: colleague"
UMBRELLAS = "umbrella: invitee, umbrella: trainee"
# Those who know Acme by name.
BY_NAME = "neighbour colleague invitee"
ANYONE = " ".join(asking.subject for asking in ASKING.values() if asking.subject)
GOES_TO = {"owner": "initech"}
OF_LAB = {
    **_each("owner member", "lab > initech, lab > umbrella"),
    "neighbour": "lab > initech",
    "invitee": "lab > umbrella",
}
LISTS: tuple[List, ...] = (
    # Any partner sees those that it is a member of; what it knows by name is in no list.
    List(
        "/api/organizations",
        {
            **_each("owner member", "acme"),
            **_each("neighbour colleague", "initech"),
            **_each("invitee trainee", "umbrella"),
            "donor": "wayne, bygone",
            "stranger": "globex",
            "outsider": "outside",
        },
        _live("Organization"),
        open=True,
        adds=ANYONE,
    ),
    # Members of the owner and of organizations with an accepted authorization: not with a pending one.
    # What is posted here has to name an organization first.
    List(
        "/api/instances",
        {
            **_each("owner member", ACMES),
            **_each("neighbour colleague", "shop, moved"),
            "stranger": "globex shop",
            "outsider": "outside shop",
        },
        _live("Instance"),
        open=True,
        adds=ANYONE,
    ),
    List(
        "{acme}/instances",
        {
            **_each("owner member", ACMES),
            **_each("neighbour colleague", "shop"),
            "invitee": "",
        },
        ACMES,
        adds="owner",
    ),
    List(
        "{initech}/instances",
        {**_each("neighbour colleague", "moved"), **_each("owner member", "")},
        "moved",
        adds="neighbour",
    ),
    List("{acme}/members", _each("owner member", MEMBERS), MEMBERS, refused=BY_NAME, adds="owner"),
    List(
        "{initech}/members",
        _each("neighbour colleague", INITECHS),
        INITECHS,
        "owner member",
        adds="neighbour",
    ),
    List(
        "{umbrella}/members", _each("invitee trainee", UMBRELLAS), UMBRELLAS, "owner member", adds="invitee"
    ),
    # What an organization was offered: its own members, and of what is pending its owners.
    List("{acme}/authorizations", {"owner": "", "member": ""}, "", "neighbour colleague invitee"),
    List(
        "{initech}/authorizations",
        {"neighbour": "shop > initech, lab > initech", "colleague": "shop > initech"},
        "shop > initech, lab > initech",
        "owner member",
    ),
    List(
        "{umbrella}/authorizations",
        {"invitee": "lab > umbrella, gift > umbrella", "trainee": ""},
        "lab > umbrella, gift > umbrella",
        "owner member",
    ),
    List(
        "{shop}/authorizations",
        _each("owner member neighbour colleague", "shop > initech"),
        "shop > initech",
        adds="owner",
    ),
    List("{lab}/authorizations", OF_LAB, "lab > initech, lab > umbrella", adds="owner"),
    List("{moved}/authorizations", {"neighbour": "", "colleague": ""}, "", adds="neighbour"),
    # Owners of the owning organization; the others could not do anything with it.
    List("{shop}/transfer", GOES_TO, "initech", "member neighbour colleague", adds="owner"),
    List("{acme/shop}/transfer", GOES_TO, "initech", "member neighbour colleague", adds="owner"),
    List("{lab}/transfer", {"owner": ""}, "", "member neighbour invitee", adds="owner"),
    List("{moved}/transfer", {"neighbour": ""}, "", "colleague", adds="neighbour"),
    # The former address of an instance is nowhere.
    List("{acme/moved}/transfer", {}, None, adds=""),
    # Memberships that the caller may see, of a partner that it may see.
    List(
        "{partner owner}/memberships",
        {
            **_each("owner member", "acme: owner"),
            **_each("neighbour invitee stranger donor", ""),
        },
        "acme: owner",
    ),
    List(
        "{partner colleague}/memberships",
        _each("neighbour colleague", "initech: colleague"),
        "initech: colleague",
    ),
    List("{partner former}/memberships", {"former": "", "owner": ""}, ""),
    List("{partner companion}/memberships", {"companion": "", "owner": ""}, ""),
    # Below what is gone there is nothing but that.
    List("{past}/members", {}, None, gone="owner", adds=""),
    List("{past}/activities", {}, None, gone="owner"),
    List("{ended}/instances", {}, None, gone="owner companion", adds=""),
    List("{extinct}/authorizations", {}, None, gone="donor owner member"),
    List("{closed}/authorizations", {}, None, gone="owner member neighbour colleague invitee", adds=""),
    List("{closed}/transfer", {}, None, gone="owner member neighbour colleague invitee", adds=""),
    List(f"/api/organizations/{ABSENT}/members", {}, None, adds=""),
    List(f"/api/organizations/{ABSENT}/instances", {}, None, adds=""),
    List(f"/api/organizations/{ABSENT}/authorizations", {}, None),
    List(f"/api/organizations/{ABSENT}/activities", {}, None),
    List(f"/api/instances/{ABSENT}/authorizations", {}, None, adds=""),
    List(f"/api/instances/{ABSENT}/transfer", {}, None, adds=""),
    List(f"/api/partners/{ABSENT}/memberships", {}, None),
)
# Who may read `{organization}/activities`; whoever else sees the organization is refused. `/api/activities`
# is open to any partner, and holds what concerns an organization that it owns, or owned at its end.
ACTIVITIES_OF: Mapping[str, tuple[str, str]] = {
    "acme": ("owner", "member neighbour colleague invitee"),
    "initech": ("neighbour", "colleague owner member"),
    "umbrella": ("invitee", "trainee owner member"),
    "wayne": ("donor", "owner member invitee"),
    "bygone": ("donor", ""),
    "globex": ("stranger", ""),
    "outside": ("outsider", ""),
}
