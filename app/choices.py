"""How a request wants to be answered, as far as its fields say it whatever there is: worked out once for all
who say the same."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

from app.exchange import Resource
from app.protocol.codings import negotiate_coding
from app.protocol.negotiation import negotiate
from app.protocol.preferences import parse_preferences
from app.representation.forms import HTML, JSON_LD, offered
from app.request import Request
from app.wishes import Choice

REMEMBERED = 1_024


class Choices:
    """Of the service at `base`."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._remembered = lru_cache(REMEMBERED)(self._choose)

    def of(self, resource: Resource | None, request: Request) -> Choice:
        choose = self._remembered if request.head.brief else self._choose
        has_query = bool(request.scope["query_string"])
        return choose(resource, request.method, request.form, has_query, *request.head.said)

    def forms(self, resource: Resource | None) -> Sequence[str]:
        """What may be chosen from."""
        return offered(tuple(resource.offers), self._base) if resource is not None else ()

    def _choose(
        self,
        resource: Resource | None,
        method: str,
        of_address: str | None,
        has_query: bool,
        *said: tuple[bytes, ...],
    ) -> Choice:
        accept, codings, preferences = ([line.decode("latin-1") for line in lines] for lines in said)
        forms = self.forms(resource)
        represented = bool(forms) and method != "DELETE"
        # The address says it: what is accepted besides does not count (RFC 9110 section 12.5.1).
        form = (of_address or negotiate(accept, forms)) if represented else None
        # Only a query can be read strictly, and only a change be answered minimally.
        preferring = method != "GET" or has_query
        leads_on = method == "GET" and resource is not None and resource.explored
        negotiated = of_address is None and (form is not None or leads_on)
        return _alike(
            method=method,
            page=method == "GET" and of_address is None and _wants_page(resource, accept, forms),
            form=form,
            forms=forms,
            acceptable=form is not None or not represented,
            coding=negotiate_coding(codings),
            preferences=parse_preferences(preferences),
            varies=_varies(form is not None, negotiated, preferring),
        )


# There are few, however many ways there are to say the same.
_alike = lru_cache(REMEMBERED)(Choice)


def _wants_page(resource: Resource | None, accept: Sequence[str], forms: Sequence[str]) -> bool:
    """Whether people are to be shown something there rather than programs."""
    # Said by browsers and hardly by anybody else.
    if not any("html" in line.lower() for line in accept):
        return False
    if resource is not None and not resource.explored and HTML not in resource.offers:
        return False
    return negotiate(accept, (*(forms or (JSON_LD,)), HTML)) == HTML


@cache
def _varies(represented: bool, negotiated: bool, preferring: bool) -> str:
    """The fields that decide about an answer; also about that which leads on, instead of which there is a
    page for people."""
    varies = [*(["Accept"] if negotiated else []), *(["Accept-Encoding"] if represented else [])]
    return ", ".join([*varies, *(["Prefer"] if preferring else [])])
