"""What a caller may do: scopes and roles must both allow it."""

from __future__ import annotations

from collections.abc import Collection, Set

from app.caller import READ, READ_ALL, WRITE, Caller
from app.contract.definitions import Operation
from app.problems import Problem

SCOPES = (READ, WRITE, READ_ALL)
ANYONE, PARTNER = "anyone", "any_partner"
# Whether an operation reads, and which scopes allow it.
_NEEDED = {True: frozenset(SCOPES), False: frozenset({WRITE})}


def reads(operation: Operation) -> bool:
    return operation.method == "GET"


def check_scope(caller: Caller, operation: Operation) -> None:
    """Raises 401 for a caller without a token, 403 for a token without the scope."""
    if ANYONE in operation.roles:
        return
    if caller.partner_id is None:
        raise Problem(
            "not-authenticated",
            "Send an access token: Authorization: Bearer <token>.",
            headers=(("WWW-Authenticate", "Bearer"),),
        )
    if not has_scope(caller.scopes, operation):
        scope = READ if reads(operation) else WRITE
        raise Problem(
            "insufficient-scope",
            f"Ask for a token with the scope {scope}.",
            headers=(("WWW-Authenticate", f'Bearer error="insufficient_scope", scope="{scope}"'),),
        )


def has_scope(scopes: Set[str], operation: Operation) -> bool:
    return not _NEEDED[reads(operation)].isdisjoint(scopes)


def may(granted: Set[str] | None, operation: Operation, roles: Collection[str]) -> bool:
    """`granted` are the scopes of the caller's token, None where there is none; `roles` are what the caller
    is to the resource."""
    if ANYONE in operation.roles:
        return True
    if granted is None or not has_scope(granted, operation):
        return False
    if PARTNER in operation.roles or (reads(operation) and READ_ALL in granted):
        return True
    return not operation.roles.isdisjoint(roles)


def check_role(caller: Caller, operation: Operation, roles: Collection[str]) -> None:
    """Raises 403 for a caller that may see the resource but not do this to it."""
    if not may(caller.granted, operation, roles):
        needed = " or the ".join(operation.role_labels)
        raise Problem("forbidden", f'Ask the {needed} to do this; "{operation.title}" is not for you.')
