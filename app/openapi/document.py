"""The OpenAPI document (3.1): what is routed and what the contract says of it, as tools for plain HTTP APIs
read it.

A new route, class, property, status or form stands in it by itself; a variable of a path that is named after
nothing here is a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.addresses import CONTEXTS, ENTRYPOINT, PROTECTED_RESOURCE
from app.contract import promises
from app.contract.class_schemas import class_schemas
from app.contract.content_schemas import content_schema
from app.contract.contract import Contract
from app.contract.definitions import Operation, Variable
from app.contract.json_schema import Schema, reference, value_schemas
from app.exchange import PARENTS, Resource
from app.openapi.answers import Answers, field_schema, header_components
from app.openapi.places import Place, named_elsewhere, places
from app.receiving import ACCEPTED
from app.representation.forms import N_QUADS, N_TRIPLES
from app.representation.writing import Writer, Writers
from app.resources.paging import DIRECTIONS
from app.security.rights import ANYONE, SCOPES, has_scope

OPENAPI = "3.1.1"
BEARER = "bearer"
# What every request for data may carry beside what the operation names.
PREFER = "Prefer"
# No query has a control character in it (app/protocol/query.py).
SEARCHED = r"^[^\u0000-\u001f\u007f-\u009f]*$"

# In any case, written so that it means the same in every dialect of regular expressions.
DIRECTION = f"^({'|'.join(''.join(f'[{it.upper()}{it}]' for it in word) for word in DIRECTIONS)})$"

# What an example is about, which the address that it is sent to tells.
HERE = "about:here"


def openapi(contract: Contract, routes: Sequence[Resource], published: Sequence[str]) -> Mapping[str, Any]:
    """`published` are the paths at which there is a document, whatever it is."""
    everything = places(contract, routes)
    answers = Answers(contract, everything, published)
    classes = class_schemas(contract)
    schemas, writer = _schemas(contract, everything, classes), Writers(contract).data
    paths: dict[str, dict[str, Any]] = {}
    for place in everything:
        item = paths.setdefault(place.path, _path_item(contract, place, classes))
        item[place.method.lower()] = _operation(contract, place, answers, _content(place, schemas, writer))
    service = promises.service(contract)
    licence = promises.license_(contract)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": service.title,
            "description": service.description,
            "version": promises.version(contract),
            **({"license": {"name": licence, "url": licence}} if licence else {}),
        },
        "servers": [{"url": contract.base}],
        "externalDocs": _elsewhere(contract, ENTRYPOINT["vocabulary"]),
        "tags": _tags(contract, everything),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": answers.problems,
            "parameters": _header_parameters(contract),
            "headers": header_components(contract),
            "links": answers.links,
            "securitySchemes": {BEARER: _bearer(contract)},
        },
    }


def _elsewhere(contract: Contract, path: str) -> Mapping[str, str]:
    return {"url": contract.base + path, "description": promises.published(contract, path).title}


def _bearer(contract: Contract) -> Mapping[str, str]:
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token (RFC 9068) of an issuer that the service trusts, as"
        f" {contract.base}{PROTECTED_RESOURCE} names them.",
    }


def _schemas(
    contract: Contract, everything: Sequence[Place], classes: Mapping[str, Schema]
) -> Mapping[str, Schema]:
    """Of classes, of what operations take, and of the values that both speak of."""
    schemas = dict(classes)
    for place in everything:
        if place.operation is not None and place.operation.expects is not None:
            one_of = named_elsewhere(place, everything)
            found = content_schema(contract, place.resource.promise, place.operation, one_of)
            schemas[_of_content(place)] = found
    return schemas | value_schemas(contract, schemas)


def _of_content(place: Place) -> str:
    """What the schema of its content is called: not as the class that an operation may be called after."""
    return f"{place.id}-content"


def _path_item(contract: Contract, place: Place, classes: Mapping[str, Schema]) -> dict[str, Any]:
    """Of the variables of its path, which all operations there share."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _variable(contract, name, classes)}
        for name in place.variables
    ]
    return {"parameters": parameters} if parameters else {}


def _variable(contract: Contract, name: str, classes: Mapping[str, Schema]) -> Schema:
    """A variable of a path has the values that the property has after which it is named."""
    if name == "type":
        return {"type": "string", "enum": list(contract.problems)}
    if name == "file":
        return {"type": "string", "enum": [path.rpartition("/")[2] for path in CONTEXTS]}
    key = {"handle": "handle", "id": "id", **dict.fromkeys(PARENTS, "id")}[name]
    schema = classes["Instance"]["properties"][key]
    return {word: value for word, value in schema.items() if word != "description"}


def _operation(
    contract: Contract, place: Place, answers: Answers, content: Mapping[str, Any]
) -> Mapping[str, Any]:
    operation = place.operation
    told = promises.published(contract, place.path)
    parameters = [*_fields(contract, place), *_query(contract, place)]
    return {
        "operationId": place.id,
        "tags": [_tag(contract, place)],
        "summary": operation.title if operation else told.title,
        "description": _description(contract, operation) if operation else told.description,
        **({"externalDocs": {"url": operation.iri}} if operation else {}),
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": {"required": True, "content": content}} if content else {}),
        "responses": answers.of(place),
        "security": _security(operation),
    }


def _description(contract: Contract, operation: Operation) -> str:
    """With who may carry it out."""
    roles = [f"- {role.title}: {role.description}" for role in promises.who(contract, operation)]
    return "\n".join([promises.description(contract, operation), "", *roles])


def _security(operation: Operation | None) -> Sequence[Mapping[str, Sequence[str]]]:
    """Any of these. What a bearer token needs is named by OpenAPI 3.1 as scopes are (Security Requirement
    Object)."""
    if operation is None or ANYONE in operation.roles:
        return []
    return [{BEARER: [scope]} for scope in SCOPES if has_scope({scope}, operation)]


def _header_parameters(contract: Contract) -> Mapping[str, Any]:
    taken = {PREFER, *(name for it in contract.operations.values() for name in _taken(contract, it))}
    return {
        field.name: {
            "name": field.name,
            "in": "header",
            "description": field.description,
            "required": False,
            "schema": field_schema(field),
        }
        for field in promises.known_fields(contract)
        if field.name in taken
    }


def _taken(contract: Contract, operation: Operation | None) -> Iterable[str]:
    return promises.fields(contract, operation, sent=True)


def _fields(contract: Contract, place: Place) -> list[Mapping[str, str]]:
    """Prefer says something about data, or about changing it."""
    if not place.resource.offers and place.operation is None:
        return []
    names = [*_taken(contract, place.operation), *([] if place.is_document else [PREFER])]
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def _query(contract: Contract, place: Place) -> list[Mapping[str, Any]]:
    if place.method != "GET" or place.definition is None:
        return []
    return [
        {
            "name": variable.name,
            "in": "query",
            "description": promises.variable(contract, place.resource.promise, variable.name),
            "required": variable.required,
            "schema": _searched(contract, place, variable),
        }
        for variable in place.definition.variables
    ]


def _searched(contract: Contract, place: Place, variable: Variable) -> Schema:
    if variable.orders:
        default = {"default": variable.default} if variable.default else {}
        return {"type": "string", "pattern": DIRECTION, "examples": [*DIRECTIONS], **default}
    if variable.maximum is not None:
        bounds = {"minimum": variable.minimum, "maximum": variable.maximum}
        return {
            "type": "integer",
            **bounds,
            **({"default": int(variable.default)} if variable.default else {}),
        }
    if variable.key is None or place.definition is None:
        return {"type": "string"}
    searched = contract.classes[str(place.definition.member)].properties[variable.key]
    longest = searched.shape.longest
    return {"type": "string", "pattern": SEARCHED, **({"maxLength": longest} if longest else {})}


def _content(place: Place, schemas: Mapping[str, Schema], writer: Writer) -> Mapping[str, Any]:
    """JSON as the schema says; in the syntaxes of RDF the same, said of `<>` or of a blank node."""
    if place.operation is None or place.operation.expects is None:
        return {}
    [example] = schemas[_of_content(place)]["examples"]
    return {
        media_type: {"schema": reference(_of_content(place))}
        if media_type.endswith("json")
        else {"schema": {"type": "string"}, "example": _said(example, media_type, writer)}
        for media_type in ACCEPTED[place.method]
    }


def _said(example: Mapping[str, Any], media_type: str, writer: Writer) -> str:
    content = writer.write({"@id": HERE, **example}, media_type).decode()
    return content.replace(f"<{HERE}>", "_:here" if media_type in (N_TRIPLES, N_QUADS) else "<>")


def _tag(contract: Contract, place: Place) -> str:
    """By the class of what is there; a collection stands with its members."""
    definition = place.definition
    name = (definition.member or definition.name) if definition else "Service"
    return promises.class_(contract, "Service" if name == "Entrypoint" else name).title


def _tags(contract: Contract, everything: Sequence[Place]) -> list[Mapping[str, str]]:
    """Data first, then what is published for anybody."""
    told = {it.title: it.description for it in (promises.class_(contract, name) for name in contract.classes)}
    ordered = sorted(everything, key=lambda place: place.is_document)
    used = dict.fromkeys(_tag(contract, place) for place in ordered)
    return [{"name": name, "description": told[name]} for name in used]
