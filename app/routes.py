"""Every path, the class or link that promises what can be done there, and what does it."""

from __future__ import annotations

from app.addresses import (
    API_CATALOG,
    CONTEXTS_INDEX,
    DATASET,
    OPENAPI,
    PROTECTED_RESOURCE,
    REFERENCE,
    REFERENCE_FILES,
    SAMPLE_PEOPLE,
    SECURITY,
)
from app.exchange import Resource
from app.representation.forms import (
    EVERY_FORM,
    EVERY_FORM_AND_A_PAGE,
    HTML,
    IMAGE,
    JSON,
    JSON_LD,
    LINKSET,
    OPENAPI_JSON,
    SCRIPT,
    STYLE,
    TEXT,
)
from app.resources import (
    authorizations,
    discovery,
    entrypoint,
    instances,
    items,
    lists,
    members,
    organizations,
    partners,
    published,
    sample_people,
    transfers,
)
from app.settings import Settings

GRAPH, PAGE, CONTEXT, NOTHING = EVERY_FORM, EVERY_FORM_AND_A_PAGE, (JSON_LD, JSON), ()
PUBLISHED, ITEM, LIST = {"GET": published.read}, {"GET": items.read}, {"GET": lists.read}
RENAMED = ITEM | {"PATCH": items.rename, "PUT": items.replace}
ORGANIZATION, ORGANIZATIONS = (
    RENAMED | {"DELETE": organizations.remove},
    LIST | {"POST": organizations.create},
)
INSTANCE, INSTANCES = RENAMED | {"DELETE": instances.remove}, LIST | {"POST": instances.create}
MEMBER = ITEM | {"PATCH": members.change_role, "DELETE": members.remove}
AUTHORIZATION = ITEM | {"PATCH": authorizations.change_status, "DELETE": authorizations.remove}
WRITTEN_AT_ONCE = frozenset({"POST", "PATCH", "PUT"})
TRANSFER = LIST | {"POST": transfers.carry_out}
OF_ORGANIZATION, OF_INSTANCE = "/api/organizations/{organization_id}", "/api/instances/{instance_id}"

ROUTES = (
    Resource("/", "", {"GET": entrypoint.begin}, NOTHING),
    Resource("/api", "Entrypoint", PUBLISHED, GRAPH),
    Resource("/api/docs", "documentation", PUBLISHED, GRAPH),
    Resource(OPENAPI, "", PUBLISHED, (JSON, OPENAPI_JSON)),
    Resource(REFERENCE, "", PUBLISHED, (HTML,)),
    Resource("/vocab", "vocabulary", PUBLISHED, PAGE),
    Resource("/shapes", "shapes", PUBLISHED, GRAPH),
    Resource(CONTEXTS_INDEX, "", PUBLISHED, GRAPH),
    Resource("/contexts/v1/{file}", "", PUBLISHED, CONTEXT),
    Resource("/problems", "", PUBLISHED, PAGE),
    Resource("/problems/{type}", "", PUBLISHED, PAGE),
    Resource("/api/organizations", "OrganizationCollection", ORGANIZATIONS, GRAPH),
    Resource("/api/organizations/{id}", "Organization", ORGANIZATION, GRAPH),
    Resource(f"{OF_ORGANIZATION}/members", "MemberCollection", LIST | {"POST": members.add}, GRAPH),
    Resource(f"{OF_ORGANIZATION}/members/{{id}}", "Member", MEMBER, GRAPH),
    Resource(
        f"{OF_ORGANIZATION}/instances", "InstanceCollection", INSTANCES, GRAPH, attempted=WRITTEN_AT_ONCE
    ),
    Resource(f"{OF_ORGANIZATION}/instances/{{id}}", "Instance", INSTANCE, GRAPH, attempted=WRITTEN_AT_ONCE),
    Resource(f"{OF_ORGANIZATION}{OF_INSTANCE[4:]}/transfer", "TransferTargetCollection", TRANSFER, GRAPH),
    Resource(f"{OF_ORGANIZATION}/authorizations", "received_authorizations", LIST, GRAPH),
    Resource(f"{OF_ORGANIZATION}/activities", "activities", LIST, GRAPH),
    Resource("/api/instances", "InstanceCollection", INSTANCES, GRAPH, attempted=WRITTEN_AT_ONCE),
    Resource("/api/instances/{id}", "Instance", INSTANCE, GRAPH, attempted=WRITTEN_AT_ONCE),
    Resource(f"{OF_INSTANCE}/transfer", "TransferTargetCollection", TRANSFER, GRAPH),
    Resource(
        f"{OF_INSTANCE}/authorizations",
        "AuthorizationCollection",
        LIST | {"POST": authorizations.create},
        GRAPH,
    ),
    Resource(f"{OF_INSTANCE}/authorizations/{{id}}", "Authorization", AUTHORIZATION, GRAPH),
    Resource("/api/activities", "ActivityCollection", LIST, GRAPH),
    Resource("/api/activities/{id}", "Activity", ITEM, GRAPH),
    Resource("/api/partners/{id}", "Partner", ITEM, GRAPH),
    Resource("/api/partners/{partner_id}/memberships", "Partner-memberships", LIST, GRAPH),
    Resource("/api/me", "me", {"GET": partners.me}, NOTHING),
    Resource("/api/handles/{handle}", "instance_by_handle", {"GET": instances.find_by_handle}, NOTHING),
    Resource(API_CATALOG, "", PUBLISHED, (LINKSET, JSON)),
    Resource(DATASET, "", PUBLISHED, GRAPH),
    Resource(PROTECTED_RESOURCE, "", PUBLISHED, (JSON,)),
    Resource(SECURITY, "", {"GET": discovery.contact}, (TEXT,)),
    Resource("/robots.txt", "", PUBLISHED, (TEXT,)),
    Resource("/livez", "", PUBLISHED, (JSON,)),
    Resource("/readyz", "", {"GET": published.ready}, (JSON,)),
)
# What the pages of the explorer and the reference load: no resources, but files with an address.
FILES = (
    *(Resource(f"{REFERENCE}/{name}", "", PUBLISHED, (form,)) for name, form in REFERENCE_FILES.items()),
    Resource("/explorer/{version}/scripts/{file}", "", PUBLISHED, (SCRIPT,)),
    Resource("/explorer/{version}/styles/{file}", "", PUBLISHED, (STYLE,)),
    Resource("/explorer/{version}/images/{file}", "", PUBLISHED, (IMAGE,)),
)


def local_routes(settings: Settings) -> tuple[Resource, ...]:
    """What is there only for somebody at a machine of their own."""
    one = f"{SAMPLE_PEOPLE}/{{person}}"
    return (
        Resource(SAMPLE_PEOPLE, "", {"GET": sample_people.people}, (JSON,), local=True),
        Resource(one, "", {"POST": sample_people.token_of(settings)}, (JSON,), local=True),
    )
