"""What strangers look for at addresses that are the same everywhere: which API there is, and whom to ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from app.addresses import (
    API_CATALOG,
    CONTEXTS_INDEX,
    DATASET,
    ENTRYPOINT,
    OPENAPI,
    PROTECTED_RESOURCE,
    REFERENCE,
    ROOT,
    SECURITY,
)
from app.contract.catalog import title
from app.contract.contract import Contract
from app.exchange import Exchange, Representation
from app.protocol.links import Link
from app.representation.documents import Document, linkset_document, text_document
from app.representation.forms import HTML, OPENAPI_JSON, TEXT
from app.security.rights import SCOPES
from app.settings import Settings

MONTHS = 7


def api_catalog(contract: Contract, offers: Mapping[str, Sequence[str]]) -> Document:
    """RFC 9727, as a set of links (RFC 9264); `offers` are the media types by path."""

    def link(path: str, *preferred: str) -> dict[str, str]:
        types = [it for it in preferred if it in offers[path]] or offers[path]
        titled = {"title": found} if (found := title(contract, path)) else {}
        return {"href": contract.base + path, "type": types[0], **titled}

    described = {
        "service-desc": [link(ENTRYPOINT["documentation"]), link(OPENAPI, OPENAPI_JSON)],
        "service-doc": [link(ENTRYPOINT["vocabulary"], HTML), link(REFERENCE, HTML)],
        "service-meta": [link(it) for it in (ENTRYPOINT["shapes"], CONTEXTS_INDEX, PROTECTED_RESOURCE)],
        "describedby": [link(DATASET)],
        "status": [link("/readyz")],
    }
    linkset = [
        {"anchor": contract.base + API_CATALOG, "item": [link(ROOT)]},
        {"anchor": contract.base + ROOT, **described},
    ]
    return linkset_document({"linkset": linkset}, links=(api_catalog_link(contract),))


def api_catalog_link(contract: Contract) -> Link:
    return Link(contract.base + API_CATALOG, "api-catalog")


def service_links(contract: Contract) -> tuple[Link, ...]:
    """RFC 8631, beside the link to Hydra's ApiDocumentation, which every answer has."""
    return (
        Link(contract.base + OPENAPI, "service-desc", (("type", OPENAPI_JSON),)),
        Link(contract.base + REFERENCE, "service-doc", (("type", HTML),)),
    )


def protected_resource(contract: Contract, authorization_servers: Sequence[str]) -> Mapping[str, object]:
    """RFC 9728 section 2; what there is none of is left out (section 3.2)."""
    documentation = ENTRYPOINT["documentation"]
    servers = {"authorization_servers": authorization_servers} if authorization_servers else {}
    return {
        "resource": contract.base,
        "resource_name": title(contract, documentation),
        "resource_documentation": contract.base + documentation,
        **servers,
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header"],
    }


def robots(base: str) -> Document:
    """RFC 9309: what needs a token is of no use to those who have none. The longest rule that fits holds; to
    older crawlers, the first."""
    path = urlsplit(base).path
    allowed = (f"Allow: {path}{it}" for it in (ENTRYPOINT["documentation"], OPENAPI, REFERENCE))
    rules = ("User-agent: *", *allowed, f"Disallow: {path}{ROOT}/")
    return text_document("".join(f"{rule}\n" for rule in rules))


def security_txt(settings: Settings) -> str | None:
    """RFC 9116, as far as it stands still; None where no contact is configured."""
    if not settings.security_contact:
        return None
    fields = (
        *(("Contact", address) for address in settings.security_contact),
        *(("Encryption", address) for address in settings.security_encryption),
        *(("Policy", address) for address in settings.security_policy),
        *(("Preferred-Languages", ", ".join(it)) for it in [settings.security_languages] if it),
        ("Canonical", settings.public_url + SECURITY),
    )
    return "".join(f"{name}: {value}\n" for name, value in fields)


async def contact(exchange: Exchange) -> Representation:
    """What is configured counts as long as the service runs, so that the time moves on with the months."""
    fields = exchange.documents[exchange.path].variant(TEXT).content
    document = _until(fields, expiry(datetime.now(UTC)))
    return Representation(document=document, address=exchange.contract.base + exchange.path)


def expiry(moment: datetime) -> datetime:
    """Half a year ahead and the rest of the month: less than a year (RFC 9116 section 2.5.5), and the same
    from every process."""
    years, month = divmod(moment.month - 1 + MONTHS, 12)
    return datetime(moment.year + years, month + 1, 1, tzinfo=UTC)


@lru_cache(maxsize=8)
def _until(fields: bytes, time: datetime) -> Document:
    return text_document(f"{fields.decode()}Expires: {time:%Y-%m-%dT%H:%M:%SZ}\n")
