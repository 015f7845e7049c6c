"""Where the resources of each class are, and where their links lead, below the public address."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

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
}
ACTIVITIES = "/api/activities"
HANDLE = "/api/handles/{handle}"
# A 401 names it, so that it may be below the path of the public address (RFC 9728 section 5.1).
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
DATA_CONTEXT = "/contexts/v1/registry.jsonld"
PROBLEM_CONTEXT = "/contexts/v1/problem.jsonld"
# What stands in a template, as `id` and `organization_id` do.
VARIABLES = {
    template: tuple(name for _, name, _, _ in Formatter().parse(template) if name)
    for links in LINKS.values()
    for template in links.values()
}


def item_path(class_name: str, values: Mapping[str, object]) -> str:
    return ITEMS[class_name].format_map(values)


def link_paths(class_name: str, values: Mapping[str, object]) -> dict[str, str]:
    """The addresses that a record's links lead to, by JSON key; no link where a value is missing."""
    return {
        key: template.format_map(values)
        for key, template in LINKS[class_name].items()
        if all(values.get(name) is not None for name in VARIABLES[template])
    }
