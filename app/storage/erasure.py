"""Erasure: a person's name and e-mail are replaced wherever they stand; what the person did stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from tortoise.filters import escape_like

from app.storage.activities import lock_sequence
from app.storage.acts import Act, note_of_properties
from app.storage.database import Database
from app.storage.keys import email_key
from app.storage.remembered_answers import ERASURE_LOCK
from app.storage.session import Session, insert, update
from app.storage.statements import Rows
from app.storage.tables import Erasure, Membership, Partner

NAME, EMAIL = "Forgotten partner", "forgotten@partner.invalid"
PERSONAL = {"name": NAME, "email": EMAIL}
# How many remembered answers, each of which may be large, are looked at together.
ANSWERS = 100
# How many activities are read again at a time.
READ = 100
_IDENTIFIER = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_IDENTIFIERS = re.compile(rb"(?=(%b))" % _IDENTIFIER.pattern)  # also those that overlap


@dataclass(frozen=True)
class Erased:
    """How many memberships and activities said something of the person."""

    memberships: int
    activities: int


@dataclass
class Search:
    """Of activities, in which texts are looked for from one end to the other.

    Who has looked before anybody had to wait has `found` in which activities a text stands; of those up to
    the `last` that there was then it is true for ever, so only those since are looked through once more.
    """

    session: Session
    last: int = 0
    before: Mapping[str, Sequence[int]] = field(default_factory=dict)
    found: dict[str, list[int]] = field(default_factory=dict)

    async def telling(self, text: str) -> Rows:
        """Activities about members that hold a text, as JSON has it, in any case of A to Z."""
        by_bytes = ' COLLATE "C"' if self.session.dialect == "postgres" else ""
        rows = await self.session.rows(
            f"""SELECT sequence, object_id, changes FROM activity
                WHERE object_class IN ('Member', 'Partner') AND lower(changes{by_bytes}) LIKE $1 ESCAPE '\\'
                AND sequence > $2""",
            [f"%{escape_like(_as_json(text))}%", self.last if text in self.before else 0],
        )
        self.found[text] = [row["sequence"] for row in rows]
        return [*rows, *await self._again(self.before.get(text, ()))]

    async def _again(self, sequences: Sequence[int]) -> Rows:
        """Those that were found before, as they are now: they may have been erased since."""
        rows: list[dict[str, Any]] = []
        for begin in range(0, len(sequences), READ):
            some = sequences[begin : begin + READ]
            places = ", ".join(f"${number}" for number in range(1, len(some) + 1))
            sql = f"SELECT sequence, object_id, changes FROM activity WHERE sequence IN ({places})"
            rows += await self.session.rows(sql, some)
        return rows


async def forget(database: Database, act: Act, partner_id: str) -> Erased | None:
    """None where there is no such partner. It may be done again, and finds what has come since.

    All activities are looked through before anybody has to wait for it. While remembered answers are, who
    remembers one waits, and on SQLite whoever writes.
    """
    last, found, told = await _look(database.reading(), partner_id)
    async with database.transaction() as session:
        return await _forget(session, act, partner_id, Search(session, last, found), told)


async def _look(session: Session, partner_id: str) -> tuple[int, Mapping[str, Sequence[int]], set[str]]:
    """The last activity, which texts stand where, and what answers may tell of the person."""
    [row] = await session.rows("SELECT max(sequence) AS last FROM activity")
    search = Search(session)
    partner = await _partner(session, partner_id)
    if partner is None:
        return 0, {}, set()
    activities, addresses = await _about(search, partner)
    members = await _memberships(session, partner_id, addresses)
    return row["last"] or 0, search.found, _told(partner, activities, addresses, members)


async def _forget(
    session: Session, act: Act, partner_id: str, search: Search, looked_for: set[str]
) -> Erased | None:
    """While the erasure is open, which nobody else sees, the database lets `changes` be replaced."""
    await _keep_answers_back(session)
    await session.rows("DELETE FROM remembered_answer WHERE partner_id = $1", [partner_id])
    await _forget_answers(session, looked_for)
    partner = await _locked(session, partner_id)
    if partner is None:
        return None
    await lock_sequence(session)
    await _open(session, act, partner_id)
    activities, addresses = await _about(search, partner)
    members = await _memberships(session, partner_id, addresses)
    for activity in activities:
        sql = "UPDATE activity SET changes = $1 WHERE sequence = $2"
        await session.rows(sql, [_redacted(activity["changes"]), activity["sequence"]])
    await _forget_answers(session, _told(partner, activities, addresses, members) - looked_for)
    await _replace(session, act, partner, members)
    await update(session, Erasure, {"open": False}, where={"partner_id": partner_id})
    organizations = {row["organization_id"] for row in (*members, *await _concerned(session, activities))}
    session.notes.append(note_of_properties(act, "Update", "Partner", partner_id, organizations, PERSONAL))
    return Erased(len(members), len(activities))


async def _partner(session: Session, partner_id: str, lock: str = "") -> dict[str, Any] | None:
    sql = f"SELECT id, name, email_key, version FROM partner WHERE id = $1{lock}"
    rows = await session.rows(sql, [partner_id])
    return rows[0] if rows else None


async def _keep_answers_back(session: Session) -> None:
    """Until nothing is known of the person that a new one could tell."""
    if session.dialect == "postgres":
        await session.rows("SELECT pg_advisory_xact_lock($1)", [ERASURE_LOCK])


async def _locked(session: Session, partner_id: str) -> dict[str, Any] | None:
    """The partner, of whom no token tells anything any more; None where it has become another's meanwhile.

    Nobody removes a member either, which would tell of the person again.
    """
    condition = "id IN (SELECT organization_id FROM membership WHERE partner_id = $1 OR email_key = $2)"
    lock = " FOR NO KEY UPDATE" if session.dialect == "postgres" else ""
    while partner := await _partner(session, partner_id):
        await session.begin_locking()
        await session.lock_organizations(condition, [partner_id, partner["email_key"]])
        await session.lock_email(str(partner["email_key"]))
        now = await _partner(session, partner_id, lock)
        if now is not None and now["email_key"] == partner["email_key"]:
            return now
        await session.give_back_locks()
    return None


async def _open(session: Session, act: Act, partner_id: str) -> None:
    if not await update(session, Erasure, {"open": True}, where={"partner_id": partner_id}):
        await insert(session, Erasure, {"partner_id": partner_id, "erased_at": act.at, "open": True})


async def _about(search: Search, partner: dict[str, Any]) -> tuple[list[dict[str, Any]], set[str]]:
    """The activities that tell of the person, and the keys of all e-mail addresses that they tell.

    Those about the partner and its memberships, the past ones among them, whose end names the partner; then
    all others that tell one of these addresses.
    """
    sql = "SELECT id FROM membership WHERE partner_id = $1"
    members = await search.session.rows(sql, [partner["id"]])
    named = await search.telling(str(partner["id"]))
    found: dict[int, dict[str, Any]] = {}
    for object_id in {partner["id"], *(row["id"] for row in members), *(row["object_id"] for row in named)}:
        sql = "SELECT sequence, object_id, changes FROM activity WHERE object_id = $1"
        found |= {row["sequence"]: row for row in await search.session.rows(sql, [object_id])}
    addresses = {partner["email_key"]} | {key for row in found.values() for key in _addresses(row["changes"])}
    addresses -= {None, email_key(EMAIL)}
    for address in addresses:
        telling = await search.telling(address)
        found |= {row["sequence"]: row for row in telling if address in _addresses(row["changes"])}
    return [row for row in found.values() if _redacted(row["changes"]) != row["changes"]], addresses


def _addresses(changes: str) -> set[str]:
    """The keys of the e-mail addresses in changes."""
    told = [change for change in orjson.loads(changes) if change["property"] == "email"]
    return {email_key(change[side]) for change in told for side in ("before", "after") if side in change}


async def _memberships(session: Session, partner_id: str, addresses: Iterable[str]) -> Rows:
    """The partner's, and those that wait for one of the addresses."""
    columns = "SELECT id, organization_id, email_key, version FROM membership"
    found = [*await session.rows(f"{columns} WHERE partner_id = $1", [partner_id])]
    for address in addresses:
        found += await session.rows(f"{columns} WHERE email_key = $1", [address])
    return found


def _told(
    partner: dict[str, Any],
    activities: Iterable[dict[str, Any]],
    addresses: Iterable[str],
    members: Iterable[dict[str, Any]],
) -> set[str]:
    """What an answer to somebody else that tells of the person has in it, as JSON has it."""
    name = {f'"name":"{_as_json(partner["name"])}"'} if partner["name"] else set()
    about = {partner["id"], *(row["id"] for row in members), *(row["object_id"] for row in activities)}
    return {*name, *about, *addresses, *map(_as_json, addresses)}


def _as_json(text: str) -> str:
    """A text without the quotation marks around it."""
    return orjson.dumps(text).decode()[1:-1]


async def _forget_answers(session: Session, told: Iterable[str]) -> None:
    """Those that hold one of some texts, in any case of A to Z: each is looked at once, however many these
    are, most of which are identifiers."""
    texts = {text.encode().lower() for text in told}
    identifiers = {text for text in texts if _IDENTIFIER.fullmatch(text)}
    others = texts - identifiers
    sql = (
        f"SELECT id, header_fields, content FROM remembered_answer WHERE id > $1 ORDER BY id LIMIT {ANSWERS}"
    )
    last = 0
    while texts and (rows := await session.rows(sql, [last])):
        for row in rows:
            last = row["id"]
            answer = (row["header_fields"] + (row["content"] or "")).encode().lower()
            if not identifiers.isdisjoint(_IDENTIFIERS.findall(answer)) or any(it in answer for it in others):
                await session.rows("DELETE FROM remembered_answer WHERE id = $1", [last])


def _redacted(changes: str) -> str:
    """The same changes, without what they tell of a person."""
    redacted = [
        {
            key: PERSONAL[change["property"]]
            if key != "property" and change["property"] in PERSONAL
            else value
            for key, value in change.items()
        }
        for change in orjson.loads(changes)
    ]
    return orjson.dumps(redacted).decode()


async def _replace(
    session: Session, act: Act, partner: dict[str, Any], members: Iterable[dict[str, Any]]
) -> None:
    """No token brings a membership again that waited for the e-mail."""
    nothing = {"email_key": None, "token_iat": None}
    written = PERSONAL | nothing | {"updated_at": act.at, "version": partner["version"] + 1}
    await update(session, Partner, written, where={"id": partner["id"]})
    for row in members:
        if row["email_key"] is not None:
            placeholder = {
                "email": EMAIL,
                "email_key": f"forgotten {row['id']}",
                "version": row["version"] + 1,
            }
            await update(session, Membership, placeholder, where={"id": row["id"]})


async def _concerned(session: Session, activities: Iterable[dict[str, Any]]) -> Rows:
    found: list[dict[str, Any]] = []
    for activity in activities:
        sql = "SELECT organization_id FROM activity_organization WHERE activity_id = $1"
        found += await session.rows(sql, [activity["sequence"]])
    return found
