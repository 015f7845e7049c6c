"""Caller: who is asking. A value without logic, so that storage's queries can take it."""

from __future__ import annotations

from dataclasses import dataclass

# What a token can grant. Writing includes reading; reading all is for auditors, who write nothing.
READ, WRITE, READ_ALL = "registry:read", "registry:write", "registry:read-all"


@dataclass(frozen=True)
class Caller:
    """A partner known by a verified token, with the scopes that the token grants.

    `partner_id` is the partner's UUID; None stands for a caller without a token, who has no scopes.
    """

    partner_id: str | None
    scopes: frozenset[str]

    @property
    def granted(self) -> frozenset[str] | None:
        """The scopes; None for who has no token. It is all that decides about a caller beside its roles."""
        return None if self.partner_id is None else self.scopes


ANONYMOUS = Caller(partner_id=None, scopes=frozenset())
