"""Every path, the class or link that promises what can be done there, and what does it."""

from __future__ import annotations

from app.exchange import Resource
from app.representation.documents import JSON, JSON_LD, TURTLE
from app.resources import entrypoint, instances, items, lists, organizations, partners, published

DATA, GRAPH, NOTHING = (JSON_LD, JSON), (JSON_LD, TURTLE), ()
ITEM = {"GET": items.read, "PATCH": items.rename, "PUT": items.replace, "DELETE": items.remove}
ORGANIZATIONS = {"GET": lists.read, "POST": organizations.create}
INSTANCES = {"GET": lists.read, "POST": instances.create}
PUBLISHED = {"GET": published.read}

ROUTES = (
    Resource("/", "", {"GET": entrypoint.begin}, NOTHING),
    Resource("/api", "Entrypoint", PUBLISHED, DATA),
    Resource("/api/docs", "documentation", PUBLISHED, GRAPH),
    Resource("/vocab", "vocabulary", PUBLISHED, GRAPH),
    Resource("/contexts/v1/{file}", "", PUBLISHED, DATA),
    Resource("/problems", "", PUBLISHED, GRAPH),
    Resource("/problems/{type}", "", PUBLISHED, GRAPH),
    Resource("/api/organizations", "OrganizationCollection", ORGANIZATIONS, DATA),
    Resource("/api/organizations/{id}", "Organization", ITEM, DATA),
    Resource("/api/organizations/{organization_id}/instances", "InstanceCollection", INSTANCES, DATA),
    Resource("/api/organizations/{organization_id}/instances/{id}", "Instance", ITEM, DATA),
    Resource("/api/instances", "InstanceCollection", INSTANCES, DATA),
    Resource("/api/instances/{id}", "Instance", ITEM, DATA),
    Resource("/api/partners/{id}", "Partner", {"GET": items.read}, DATA),
    Resource("/api/me", "me", {"GET": partners.me}, NOTHING),
    Resource("/api/handles/{handle}", "instance_by_handle", {"GET": instances.find_by_handle}, NOTHING),
    Resource("/livez", "", PUBLISHED, (JSON,)),
    Resource("/readyz", "", {"GET": published.ready}, (JSON,)),
)
