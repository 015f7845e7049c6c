"""The answers of each operation: statuses, header fields, media types, and where they lead."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from app.contract import promises
from app.contract.class_schemas import LINKED, NODE
from app.contract.contract import Contract
from app.contract.json_schema import Schema, reference
from app.contract.promises import Field, Status
from app.openapi.places import Place, follow_ups
from app.representation.forms import HTML, JSON, JSON_LD, SYNTAXES, offered
from app.representation.problems import MEDIA_TYPE as PROBLEM_JSON

Answer = dict[str, Any]
EVERY, REPRESENTED, CALLERS = (
    ("Link", "X-Request-Id", "Cache-Control"),
    ("Vary",),
    ("RateLimit", "RateLimit-Policy"),
)
OF_PROBLEMS = {
    401: ("WWW-Authenticate",),
    403: ("WWW-Authenticate",),
    409: ("Retry-After",),
    415: ("Accept", "Accept-Encoding", "Accept-Patch", "Accept-Post"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
# Fields that come with some answers of a status only.
SOMETIMES = {
    *(*CALLERS, *OF_PROBLEMS[415]),
    *("Content-Location", "Idempotency-Replayed", "Preference-Applied", "Retry-After"),
}
GIVEN = {*EVERY, *REPRESENTED, *SOMETIMES, "ETag", "Location", "WWW-Authenticate"}
CONTENT = {200, 201}


class Answers:
    """Of all operations of a document; `problems` becomes the answers that many of them share, by name."""

    def __init__(self, contract: Contract, everything: Sequence[Place], published: Sequence[str]) -> None:
        """`published` are the paths at which there is a document."""
        self._contract = contract
        self._everything = everything
        self._published = {*published}
        self._of_every_request = promises.of_every_request(contract)
        self._of_documents = promises.of_documents(contract)
        self.problems: dict[str, Answer] = {}
        self.links: dict[str, Answer] = {}

    def of(self, place: Place) -> dict[str, Answer]:
        by_code: dict[int, list[Status]] = defaultdict(list)
        found = [*self._statuses(place), *self._of_every_request]
        if _is_page(place) and not place.resource.offers:
            # Where programs are led on, people are shown what is there.
            found.append(promises.status(self._contract, "ok"))
        for status in found:
            if status not in by_code[status.code]:
                by_code[status.code].append(status)
        return {str(code): self._answer(place, code, by_code[code]) for code in sorted(by_code)}

    def _statuses(self, place: Place) -> Sequence[Status]:
        if place.operation is not None:
            return promises.possible(self._contract, place.operation)
        if not place.resource.offers:
            kept = {"invalid-parameter", "not-authenticated"}
            led = promises.status(self._contract, "see-other")
            return [led, *(it for it in self._of_documents if it.name in kept)]
        maybe = "{" in place.path or place.path not in self._published
        return [*self._of_documents, *([promises.status(self._contract, "not-found")] if maybe else [])]

    def _answer(self, place: Place, code: int, statuses: Sequence[Status]) -> Answer:
        if any(status.problem for status in statuses):
            return self._problem(statuses)
        [status] = statuses
        answer: Answer = {
            "description": f"{status.title}. {status.description}",
            "headers": {name: self._field(name) for name in self._fields(place, code)},
        }
        if code in CONTENT and (place.resource.offers or place.resource.explored):
            answer["content"] = self._content(place)
            links = self._links(place)
            if links:
                answer["links"] = links
        return answer

    def _problem(self, statuses: Sequence[Status]) -> Answer:
        """One answer for all problems of a status."""
        name = ".".join(status.name for status in statuses)
        if name not in self.problems:
            types = [self._contract.problems[status.name].iri for status in statuses]
            schema: Schema = {
                "allOf": [
                    reference("Problem"),
                    {"properties": {"type": {"enum": types}, "status": {"const": statuses[0].code}}},
                ]
            }
            told = [f"{status.title} (`{status.name}`): {status.description}" for status in statuses]
            fields = (*EVERY, *REPRESENTED, *OF_PROBLEMS.get(statuses[0].code, ()), *CALLERS)
            self.problems[name] = {
                "description": "\n\n".join(told),
                "headers": {it: self._field(it) for it in fields if self._comes(it, statuses)},
                "content": {
                    PROBLEM_JSON: {"schema": schema},
                    **{form: {"schema": {"type": "string"}} for form in (*SYNTAXES, HTML)},
                },
            }
        return {"$ref": f"#/components/responses/{name}"}

    @staticmethod
    def _comes(field: str, statuses: Sequence[Status]) -> bool:
        """A role is nothing that a token could be asked for."""
        return field != "WWW-Authenticate" or any(it.name != "forbidden" for it in statuses)

    def _field(self, name: str) -> Answer:
        return {"$ref": f"#/components/headers/{name}"}

    def _fields(self, place: Place, code: int) -> list[str]:
        given = promises.fields(self._contract, place.operation, sent=False) if place.resource.offers else []
        tagged = [it for it in given if it == "ETag" and code in (200, 201, 304)]
        led = ["Location"] if code in (201, 303) else []
        varied = REPRESENTED if place.resource.offers and place.method != "DELETE" else ()
        more = [*(["Content-Location"] if code == 200 else []), *([] if place.is_document else CALLERS)]
        if place.method == "POST":
            more.append("Idempotency-Replayed")
        if not place.is_document and place.resource.offers:
            more.append("Preference-Applied")
        return [*EVERY, *varied, *tagged, *led, *more]

    def _content(self, place: Place) -> Answer:
        """Where people get the explorer's page, that too."""
        forms = offered(tuple(place.resource.offers), self._contract.base)
        page = [HTML] if _is_page(place) else []
        return {form: {"schema": _schema(place, form)} for form in (*forms, *page)}

    def _links(self, place: Place) -> Answer:
        links = {}
        for other, parameters in follow_ups(place, self._everything):
            assert place.returned is not None  # noqa: S101 - otherwise nothing follows
            whose = "path" if any(it.startswith("$request") for it in parameters.values()) else "content"
            name = f"{place.returned.name}.{other.id}.{whose}"
            self.links[name] = {
                "operationId": other.id,
                "parameters": dict(parameters),
                **({"description": other.operation.title} if other.operation else {}),
            }
            links[other.id] = {"$ref": f"#/components/links/{name}"}
        return links


def _is_page(place: Place) -> bool:
    return place.method == "GET" and place.resource.explored


def _schema(place: Place, form: str) -> Schema:
    """What is said by JSON Schema: of JSON, and of JSON-LD in the form in which it is written here."""
    essence = form.partition(";")[0]
    if place.returned is not None and form in (JSON, JSON_LD):
        return reference(place.returned.name + (LINKED if form == JSON_LD else ""))
    if form == JSON_LD:
        return reference(NODE)
    if essence == JSON_LD:
        return {"type": ["object", "array"]}
    return {"type": "object"} if essence.endswith("json") else {"type": "string"}


def header_components(contract: Contract) -> Mapping[str, Answer]:
    return {
        field.name: {
            "description": field.description,
            "required": field.name not in SOMETIMES,
            "schema": field_schema(field),
        }
        for field in promises.known_fields(contract)
        if field.name in GIVEN
    }


def field_schema(field: Field) -> Schema:
    return {
        "type": "integer" if field.numeric else "string",
        **({"pattern": field.pattern} if field.pattern else {}),
        **({"examples": list(field.examples)} if field.examples else {}),
    }
