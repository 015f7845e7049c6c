"""Asking a running service by HTTP: what is at an address of it, and where that leads.

A token goes to the origin of the public address alone, whatever the service answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.addresses import HANDLE
from app.settings import is_loopback

_HANDLE = re.compile(r"[a-z](?:[a-z-]{0,28}[a-z])?")
MOST_REDIRECTS = 5
TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Asked:
    """What came, and the links of it by what they are: from its content and its Link field."""

    address: str
    answer: httpx.Response
    links: tuple[tuple[str, str], ...]

    @property
    def media_type(self) -> str:
        return str(self.answer.headers.get("content-type", "")).partition(";")[0].strip()

    @property
    def content(self) -> Any:
        """As JSON where it is JSON, else as text."""
        return self.answer.json() if is_json(self.media_type) else self.answer.text


def is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def address_of(base: str, given: str) -> str:
    """Of an address of the service, a path below it, or the handle of an instance. Raises `ValueError`."""
    if given == base or given.startswith(f"{base}/"):
        return given
    if given.startswith("/"):
        return base + given
    if _HANDLE.fullmatch(given):
        return base + HANDLE.format(handle=given)
    raise ValueError(f"{given} is neither an address that begins with {base}/, nor a path, nor a handle.")


def ask(base: str, address: str, accept: str, token: str | None) -> Asked:
    """Raises `httpx.HTTPError`, and `ValueError` for a redirect that leads elsewhere."""
    headers = {"Accept": accept, **({"Authorization": f"Bearer {token}"} if token else {})}
    # What runs on this machine is asked past any proxy.
    with httpx.Client(
        timeout=TIMEOUT_SECONDS, trust_env=not is_loopback(urlsplit(base).hostname or "")
    ) as client:
        answer = client.get(address, headers=headers)
        for _ in range(MOST_REDIRECTS):
            if not answer.has_redirect_location:
                break
            address = _led_to(base, answer)
            answer = client.get(address, headers=headers)
        return Asked(address, answer, tuple(dict.fromkeys(_links(base, client, answer))))


def _led_to(base: str, answer: httpx.Response) -> str:
    target = str(answer.url.join(answer.headers["location"]))
    if not target.startswith(f"{base}/"):
        raise ValueError(f"The service leads on to {target}, which is not below {base}: it was not followed.")
    return target


def _links(base: str, client: httpx.Client, answer: httpx.Response) -> Iterator[tuple[str, str]]:
    media_type = str(answer.headers.get("content-type", "")).partition(";")[0]
    node = answer.json() if is_json(media_type) and answer.content else None
    if isinstance(node, dict) and str(node.get("@context", "")).startswith(f"{base}/"):
        yield from _of_node(node, _link_keys(client, node["@context"]), "")
    for link in answer.links.values():
        target = link.get("url", "")
        yield link.get("rel", ""), str(answer.url.join(target))


def _link_keys(client: httpx.Client, context: str) -> set[str]:
    """Those whose values are addresses, as the context tells, which needs no token."""
    answer = client.get(context, headers={"Accept": "application/ld+json"})
    terms = answer.json().get("@context", {}) if answer.is_success else {}
    return {key for key, term in terms.items() if isinstance(term, dict) and term.get("@type") == "@id"}


def _of_node(node: dict[str, Any], keys: set[str], before: str) -> Iterator[tuple[str, str]]:
    """Of nodes in a list only where they are; of one alone where it leads too."""
    for key, value in node.items():
        if key not in keys:
            continue
        for item in value if isinstance(value, list) else [value]:
            address = item.get("@id") if isinstance(item, dict) else item
            if isinstance(address, str):
                yield f"{before}{key}", address
        if isinstance(value, dict):
            yield from _of_node(value, keys, f"{before}{key}.")
