"""The forms that a representation can have: media types, profiles of JSON-LD, and suffixes of addresses."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from app.addresses import CONTEXTS
from app.protocol.media_types import MediaType, parse_media_type

JSON_LD, JSON, TURTLE = "application/ld+json", "application/json", "text/turtle"
N_TRIPLES, N_QUADS, TRIG = "application/n-triples", "application/n-quads", "application/trig"
RDF_XML = "application/rdf+xml"
HTML, TEXT = "text/html", "text/plain;charset=utf-8"
SCRIPT, STYLE, IMAGE = "text/javascript;charset=utf-8", "text/css;charset=utf-8", "image/svg+xml"
LINKSET = 'application/linkset+json;profile="https://www.rfc-editor.org/info/rfc9727"'
OPENAPI_JSON = "application/openapi+json"
_JSON_LD_PROFILES = "http://www.w3.org/ns/json-ld#"


def _profiled(*profiles: str) -> str:
    return str(MediaType("application", "ld+json", (("profile", " ".join(profiles)),)))


EXPANDED, COMPACTED, FLATTENED, FRAMED = (
    _profiled(_JSON_LD_PROFILES + name) for name in ("expanded", "compacted", "flattened", "framed")
)
FLATTENED_AND_COMPACTED = _profiled(f"{_JSON_LD_PROFILES}flattened", f"{_JSON_LD_PROFILES}compacted")

# In the order of preference, which settles ties: also between profiles that contradict each other.
SYNTAXES = (TURTLE, N_TRIPLES, N_QUADS, TRIG, RDF_XML)
PROFILES = (EXPANDED, FLATTENED_AND_COMPACTED, FLATTENED, FRAMED, COMPACTED)
EVERY_FORM = (JSON_LD, JSON, *SYNTAXES, *PROFILES)
# A page for people comes last: whoever does not ask for one is a program (docs/clients.md H1).
EVERY_FORM_AND_A_PAGE = (*EVERY_FORM, HTML)
# For people: an address that ends so is that of one form.
SUFFIXES = {
    ".jsonld": JSON_LD,
    ".json": JSON,
    ".ttl": TURTLE,
    ".nt": N_TRIPLES,
    ".nq": N_QUADS,
    ".trig": TRIG,
    ".rdf": RDF_XML,
}
# As people call them.
BY_NAME = {
    "json-ld": JSON_LD,
    "json": JSON,
    "turtle": TURTLE,
    "n-triples": N_TRIPLES,
    "n-quads": N_QUADS,
    "trig": TRIG,
    "rdf-xml": RDF_XML,
}
_SUFFIX_OF = {media_type: suffix for suffix, media_type in SUFFIXES.items()}


@lru_cache(maxsize=64)
def offered(forms: tuple[str, ...], base: str) -> tuple[str, ...]:
    """`forms`, and JSON-LD compacted with each context of the service, before the form that names none."""
    if COMPACTED not in forms:
        return tuple(forms)
    contexts = (_profiled(base + path) for path in CONTEXTS)
    before = forms.index(COMPACTED)
    return (*forms[:before], *contexts, *forms[before:])


def profile_of(form: str) -> Sequence[str]:
    """The IRIs of its profile."""
    media_type = parse_media_type(form)
    parameters = media_type.parameters if media_type else ()
    return next((value.split() for name, value in parameters if name == "profile"), [])


def without_profile(form: str) -> str:
    """The media type with its other parameters."""
    media_type = parse_media_type(form)
    assert media_type is not None  # noqa: S101 - it is one of those above
    others = tuple(it for it in media_type.parameters if it[0] != "profile")
    return str(MediaType(media_type.type, media_type.subtype, others))


def essence_of(form: str) -> str:
    return form.partition(";")[0]


def split_suffix(path: str) -> tuple[str, str]:
    """The path without the suffix that names a form, and the suffix; empty where there is none."""
    _, dot, last = path.rpartition(".")
    suffix = dot + last
    return (path[: -len(suffix)], suffix) if suffix in SUFFIXES else (path, "")


def with_suffix(address: str, form: str) -> str:
    """Where one form of what is at `address` is, which may have a query; `address` where that has none."""
    path, mark, query = address.partition("?")
    return path + _SUFFIX_OF.get(form, "") + mark + query
