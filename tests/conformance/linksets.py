"""Sets of links as RFC 9264 section 4.2 has them, read strictly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from app.protocol.media_types import parse_media_type

# Those of IANA's registry that a catalogue of APIs may have (RFC 9727 section 3, RFC 8631, RFC 6573).
REGISTERED = {
    *("api-catalog", "item", "service-desc", "service-doc", "service-meta", "status", "describedby"),
    *("license", "terms-of-service", "profile"),
}
# Beside its address, what a target may say of itself: a text, or a list of texts.
TEXTS, LISTS = {"type", "title", "media"}, {"hreflang"}


def links(linkset: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The anchor, relation and target of each link. Fails for whatever the format does not have."""
    assert set(linkset) == {"linkset"}
    assert isinstance(linkset["linkset"], list)
    for context in linkset["linkset"]:
        anchor = context["anchor"]
        assert urlsplit(anchor).scheme, anchor
        relations = {key: targets for key, targets in context.items() if key != "anchor"}
        assert relations
        for relation, targets in relations.items():
            assert relation in REGISTERED or re.match("https?:", relation), relation
            assert isinstance(targets, list)
            assert targets
            for target in targets:
                _check_target(target)
                yield anchor, relation, target


def _check_target(target: dict[str, Any]) -> None:
    assert urlsplit(target["href"]).scheme, target
    assert set(target) <= {"href", *TEXTS, *LISTS}
    assert all(isinstance(target[key], str) for key in TEXTS & set(target))
    assert all(isinstance(target[key], list) for key in LISTS & set(target))
    assert parse_media_type(target["type"]) is not None
