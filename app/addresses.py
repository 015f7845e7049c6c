"""Where the resources of each class are, and where their links lead, below the public address."""

from __future__ import annotations

import re
from collections.abc import Mapping

ROOT = "/api"
ITEMS = {
    "Organization": "/api/organizations/{id}",
    "Instance": "/api/instances/{id}",
    "Partner": "/api/partners/{id}",
    "Member": "/api/organizations/{organization_id}/members/{id}",
    "Authorization": "/api/instances/{instance_id}/authorizations/{id}",
    "Activity": "/api/activities/{id}",
}
LINKS = {
    "Organization": {
        "instances": "/api/organizations/{id}/instances",
        "memberships": "/api/organizations/{id}/members",
        "received_authorizations": "/api/organizations/{id}/authorizations",
        "activities": "/api/organizations/{id}/activities",
    },
    "Instance": {
        "organization": "/api/organizations/{organization_id}",
        "created_by_organization": "/api/organizations/{creator_id}",
        "authorizations": "/api/instances/{id}/authorizations",
        "transfer": "/api/instances/{id}/transfer",
    },
    "Partner": {"memberships": "/api/partners/{id}/memberships"},
    "Member": {
        "partner": "/api/partners/{partner_id}",
        "organization": "/api/organizations/{organization_id}",
    },
    "Authorization": {
        "instance": "/api/instances/{instance_id}",
        "organization": "/api/organizations/{organization_id}",
    },
    "Activity": {"actor": "/api/partners/{actor_id}"},
}
ENTRYPOINT = {
    "organizations": "/api/organizations",
    "instances": "/api/instances",
    "me": "/api/me",
    "documentation": "/api/docs",
    "vocabulary": "/vocab",
    "shapes": "/shapes",
}
ACTIVITIES = "/api/activities"
SAMPLE_PEOPLE = "/explorer/people"
HANDLE = "/api/handles/{handle}"
# A 401 names it, so that it may be below the path of the public address (RFC 9728 section 5.1).
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
API_CATALOG = "/.well-known/api-catalog"
DATASET = "/.well-known/void"
SECURITY = "/.well-known/security.txt"
OPENAPI, REFERENCE = "/api/openapi.json", "/api/reference"
# What the page of the reference loads, and what each is.
REFERENCE_FILES = {
    "swagger-ui.css": "text/css;charset=utf-8",
    "page.css": "text/css;charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript;charset=utf-8",
    "start.js": "text/javascript;charset=utf-8",
}
CONTEXTS_INDEX = "/contexts"
CONTEXTS = tuple(
    f"{CONTEXTS_INDEX}/v1/{name}.jsonld" for name in ("registry", "problem", "documentation", "catalog")
)
DATA_CONTEXT, PROBLEM_CONTEXT, DOCUMENTATION_CONTEXT, CATALOG_CONTEXT = CONTEXTS
# The lists that there are, with one name for what each belongs to; and that of each class, where it is one.
_LISTS = {*ENTRYPOINT.values(), ACTIVITIES, *(it for links in LINKS.values() for it in links.values())}
COLLECTIONS = {
    name: template.rpartition("/")[0]
    for name, template in ITEMS.items()
    if re.sub(r"{\w+}", "{id}", template.rpartition("/")[0]) in _LISTS
}


def parent_path(path: str) -> str:
    """What a list belongs to: the item above it, or else the entry point."""
    return path.rpartition("/")[0]


def item_path(class_name: str, values: Mapping[str, object]) -> str:
    """Raises `KeyError` where a value is missing."""
    return ITEMS[class_name].format_map(values)
