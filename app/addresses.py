"""Where the resources of each class are, and where their links lead, below the public address."""

from __future__ import annotations

from collections.abc import Mapping

ROOT = "/api"
ITEMS = {
    "Organization": "/api/organizations/{id}",
    "Instance": "/api/instances/{id}",
    "Partner": "/api/partners/{id}",
}
LINKS = {
    "Organization": {"instances": "/api/organizations/{id}/instances"},
    "Instance": {
        "organization": "/api/organizations/{organization_id}",
        "created_by_organization": "/api/organizations/{created_by_organization_id}",
    },
    "Partner": {},
}
ENTRYPOINT = {
    "organizations": "/api/organizations",
    "instances": "/api/instances",
    "me": "/api/me",
    "documentation": "/api/docs",
    "vocabulary": "/vocab",
}
HANDLE = "/api/handles/{handle}"
DATA_CONTEXT = "/contexts/v1/registry.jsonld"
PROBLEM_CONTEXT = "/contexts/v1/problem.jsonld"


def item_path(class_name: str, identifier: str) -> str:
    return ITEMS[class_name].replace("{id}", identifier)


def link_paths(class_name: str, values: Mapping[str, str | None]) -> dict[str, str]:
    """The addresses that a record's links lead to, by JSON key."""
    return {key: template.format_map(values) for key, template in LINKS[class_name].items()}
