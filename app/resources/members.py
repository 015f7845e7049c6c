"""What is peculiar to members: they are added by e-mail, may leave, and one of them always is an owner."""

from __future__ import annotations

from app.exchange import Exchange, Representation, not_found
from app.problems import Problem
from app.representation.content import read_content, violation
from app.resources.items import as_written, done, parent, to_change
from app.security.rights import check_role
from app.storage.failures import UniqueViolation
from app.storage.people import add_member, count_members
from app.storage.writes import change, remove_member


async def add(exchange: Exchange) -> Representation:
    organization = await parent(exchange)
    if organization is None:
        raise not_found()
    check_role(exchange.caller, exchange.operation, organization.roles)
    values = read_content(exchange.contract, exchange.document(), "Member", "Member", None)
    most = exchange.contract.classes[exchange.promise].most
    if most is not None and await count_members(exchange.session, organization.id) >= most:
        raise Problem("too-many-members", f"Remove a member first: an organization has at most {most}.")
    identifier = await _added(exchange, organization.id, values["email"], values["role"])
    return await exchange.created(await as_written(exchange, "Member", identifier))


async def change_role(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    document, current = exchange.document(), exchange.node(record)
    values = read_content(exchange.contract, document, "Member", "MemberRole", current, partial=True)
    if "PATCH" in record.withheld and values.get("role", record.values["role"]) != record.values["role"]:
        raise _last_owner()
    return await exchange.item(done(await change(exchange.session, exchange.act, record, values)))


async def remove(exchange: Exchange) -> Representation:
    record = await to_change(exchange)
    if "DELETE" in record.withheld:
        raise _last_owner()
    done(await remove_member(exchange.session, exchange.act, record))
    return Representation(status=204)


async def _added(exchange: Exchange, organization_id: str, email: str, role: str) -> str:
    try:
        return await add_member(exchange.session, exchange.act, organization_id, email, role)
    except UniqueViolation as error:
        taken = violation("email", "Who has this address is a member, or was added before.", "unique")
        raise Problem(
            "already-member", "Change the role of the member instead.", violations=[taken]
        ) from error


def _last_owner() -> Problem:
    return Problem("last-owner", "Make another member, who has come with a token, an owner first.")
