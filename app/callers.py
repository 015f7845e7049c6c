"""Callers: from the Authorization field to the partner who asks, remembered while the token is good."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import quote

from app.caller import ANONYMOUS, Caller
from app.contract.contract import Contract
from app.problems import Problem
from app.protocol.bearer import bearer_token
from app.remembered import Remembered
from app.security.rights import SCOPES
from app.security.tokens import Claims, Issuer, verify
from app.storage.database import Database
from app.storage.partners import Identity, partner_of

REMEMBERED_TOKENS = 4_096


class Callers:
    """What is remembered is who a token stands for, never what the partner may do."""

    def __init__(
        self, contract: Contract, database: Database, issuers: Sequence[Issuer], audience: str
    ) -> None:
        self._name = contract.classes["Organization"].properties["name"].shape
        self._email = contract.classes["Member"].properties["email"].shape
        self._database = database
        self._issuers = {issuer.iss: issuer for issuer in issuers}
        self._audience = audience
        # By the value of the field.
        self._known: Remembered[str, tuple[Caller, Claims]] = Remembered(REMEMBERED_TOKENS)

    def known(self, authorization: Sequence[str]) -> Caller | None:
        """Who sends a token that was verified already, and still is good."""
        known = self._known.get(authorization[0]) if len(authorization) == 1 else None
        return known[0] if known is not None and self._is_good(known[1]) else None

    async def caller(self, authorization: Sequence[str], request_id: str, *, needed: bool) -> Caller:
        """The caller, anonymous without a token or where none is `needed`; a bad token is refused anywhere.

        Raises `not-authenticated`, `invalid-parameter`, and `unavailable` for a token that cannot be checked.
        """
        token = bearer_token(authorization)
        if token is None:
            return ANONYMOUS
        try:
            claims = await verify(token, tuple(self._issuers.values()), self._audience)
        except Problem as problem:
            # What is published is there for anyone, also while an issuer is away.
            if needed or problem.type != "unavailable":
                raise
            return ANONYMOUS
        if not needed:
            return ANONYMOUS
        partner_id = await partner_of(self._database, self._told(claims), request_id)
        caller = Caller(partner_id, claims.scopes.intersection(SCOPES))
        self._known.keep(authorization[0], (caller, claims))
        return caller

    def _told(self, claims: Claims) -> Identity:
        """Others are shown it: what could not be the name of an organization or the address of a member
        counts as not told."""
        name, email = (claims.name or "").strip(), claims.email or ""
        subject = claims.subject
        escaped = subject.encode("unicode_escape").decode().strip() or quote(subject)
        return Identity(
            issuer=claims.issuer,
            subject=subject,
            name=name if self._name.holds(name) else None,
            email=email if self._email.holds(email) else None,
            issued=claims.issued,
            stand_in=None if self._name.holds(subject) else escaped[:255],
        )

    def _is_good(self, claims: Claims) -> bool:
        """A remembered token outlives neither its time nor its key: one whose key is gone is verified anew,
        and fails."""
        return claims.expires > time.time() and self._issuers[claims.issuer].holds(claims.key)
