"""PyLD without anything to fetch with: neither does the service ever, nor is there time to import it."""

from __future__ import annotations

from app.lean import without

with without("requests", "aiohttp"):
    from pyld import iri_resolver
    from pyld.context_resolver import ContextResolver
    from pyld.documentloader.frozen import FrozenDocumentLoader
    from pyld.jsonld import JsonLdError, JsonLdProcessor

__all__ = ["ContextResolver", "FrozenDocumentLoader", "JsonLdError", "JsonLdProcessor", "iri_resolver"]
