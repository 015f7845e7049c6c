"""Signing in as one of the people of the sample data, where somebody looks at the service on a machine of
their own. There is no such thing anywhere else: see `Resource.local`."""

from __future__ import annotations

from app.caller import WRITE
from app.exchange import Exchange, Function, Representation, not_found
from app.representation.documents import passing_document
from app.security.local_issuer import LocalIssuer, local_issuer
from app.security.sample_people import PEOPLE, Person
from app.settings import Settings
from app.storage.partners import known_subjects

LIFETIME_SECONDS = 8 * 3_600


async def people(exchange: Exchange) -> Representation:
    """Those of whom there is anything here."""
    known = await _known(exchange)
    found = [{"name": it.name, "email": it.email, "address": f"{exchange.path}/{it.subject}"} for it in known]
    return Representation(document=passing_document({"people": found}), tagged=False)


def token_of(settings: Settings) -> Function:
    """Raises 404 for anybody but those people."""

    async def token(exchange: Exchange) -> Representation:
        subject = exchange.identifiers["person"]
        person = next((it for it in await _known(exchange) if it.subject == subject), None)
        if person is None:
            raise not_found()
        written = local_issuer(settings.data_dir).token(
            audience=settings.audience,
            subject=person.subject,
            email=person.email,
            name=person.name,
            scopes=[WRITE],
            lifetime=LIFETIME_SECONDS,
        )
        return Representation(document=passing_document({"token": written}), tagged=False)

    return token


async def _known(exchange: Exchange) -> list[Person]:
    """Somebody else may be called the same: whoever has another address is nobody of the sample's."""
    emails = {it.subject: it.email for it in PEOPLE}
    subjects = await known_subjects(exchange.session, LocalIssuer.iss, emails)
    return [it for it in PEOPLE if it.subject in subjects]
