"""What content may be sent as, and what it is about."""

from __future__ import annotations

from app.addresses import item_path
from app.answer_fields import Fields
from app.contract.contract import Contract
from app.exchange import Resource
from app.problems import Problem
from app.protocol.media_types import MediaType, parse_media_type
from app.representation.forms import JSON, JSON_LD
from app.representation.incoming import Target
from app.representation.syntaxes import PARSED
from app.request import Request

MERGE_PATCH = MediaType("application", "merge-patch+json", ())
# The media types of content, by method, and the fields that tell them (RFC 9110 section 12.5.1, RFC 5789).
ACCEPTED = {
    "POST": (JSON_LD, JSON, *PARSED),
    "PUT": (JSON_LD, JSON, *PARSED),
    "PATCH": (str(MERGE_PATCH),),
}
# Read as a merge patch too, though not advertised: API Platform's admin sends it once it is given a token.
TOLERATED = {"PATCH": (JSON_LD,)}
ACCEPTED_FIELDS = {"POST": "Accept-Post", "PATCH": "Accept-Patch"}
# In the place of the id that what is made has not got yet.
UNNAMED = "~"


def accepted(resource: Resource) -> Fields:
    fields = ACCEPTED_FIELDS.items()
    return [(name, ", ".join(ACCEPTED[method])) for method, name in fields if method in resource.operations]


def content_type(request: Request) -> MediaType:
    """What the content is to be read as. Raises 415."""
    if any(line.strip().lower() not in ("", "identity") for line in request.lines("content-encoding")):
        raise Problem(
            "unsupported-media-type",
            "Send the content as it is, without Content-Encoding.",
            headers=[("Accept-Encoding", "identity")],
        )
    method = request.method
    types = [parse_media_type(line) for line in request.lines("content-type")]
    sent = types[0] if len(types) == 1 else None
    if sent is None or sent.essence not in (*ACCEPTED[method], *TOLERATED.get(method, ())):
        # RFC 9110 section 15.5.16, where no field says it of the method.
        known, field = ACCEPTED[method], ACCEPTED_FIELDS.get(method, "Accept")
        raise Problem(
            "unsupported-media-type",
            f"Send the content as {' or '.join(known)} and say so in Content-Type.",
            headers=[(field, ", ".join(known))],
        )
    return MERGE_PATCH if method == "PATCH" else sent


def target(contract: Contract, resource: Resource, request: Request) -> Target:
    """What a PUT replaces is at the address, maybe at its own too; what a POST makes will be below it."""
    address = contract.base + request.path
    if request.method == "POST":
        made = contract.promises[resource.promise]["POST"].expects or resource.promise
        return Target(made, f"{address}/{UNNAMED}")
    path = item_path(resource.promise, request.scope["path_params"])
    return Target(resource.promise, address, [contract.base + path])
