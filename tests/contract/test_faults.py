"""A fault of the contract stops the start with one line that names the file and the term."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.contract.check import check_contract
from app.contract.contract import load_contract
from app.contract.faults import ContractFault
from tests.copied_contract import copied_contract

BASE = "http://127.0.0.1:8000"

FAULTS = [
    ("vocab/Instance.ttl", '"handle" ;', '"handle"', "vocab/Instance.ttl: line"),
    ("vocab/Instance.ttl", "sh:maxLength 30", "sh:lessThan schema:name", "vocab/Instance.ttl: <#Handle>: the constraint sh:lessThan"),
    ("vocab/Instance.ttl", '"^[a-z](', '"^[a-z', "vocab/Instance.ttl: <#Handle>: sh:pattern is not"),
    ("vocab/Instance.ttl", 'hydra:title "handle"', 'hydra:title "grip"', "contexts/v1/registry.jsonld: grip: Instance has"),
    ("vocab/Instance.ttl", '"PATCH" ; hydra:title "Rename the instance"', '"PATCH"', "<#Instance-rename>: it has no hydra:title"),
    ("vocab/Instance.ttl", 'hydra:method "PATCH"', 'hydra:method "FROB"', "<#Instance-rename>: FROB is not a method"),
    ("vocab/Instance.ttl", "hydra:returns <#Instance> ; <#allowedRole> <#owner> ;", "hydra:returns <#Instance> ;", "does not say who may"),
    ("vocab/Instance.ttl", "<#allowedRole> <#owner> ;", "<#allowedRole> <#Instance> ;", "Instance is not a role"),
    ("vocab/Instance.ttl", "hydra:expects <#InstanceRename>", "hydra:expects <#Handle>", "it expects Handle, which is not"),
    ("vocab/Instance.ttl", "<#no-content> ; <#statusesAsIn> <#EveryChange>", "<#no-content> ; <#statusesAsIn> <#Nowhere>", "<#Instance-delete>"),
    ("vocab/Instance.ttl", "<problems/handle-taken>", "<problems/handle-token>", "<#InstanceCollection-create>"),
    ("vocab/Instance.ttl", 'rdfs:label "handle" ;', "", "vocab/Instance.ttl: <#handle>: it has neither label"),
    ("vocab/Transfer.ttl", "sh:or (", "sh:xone (", "vocab/Transfer.ttl: <#Transfer>: the constraint sh:xone cannot"),
    ("vocab/Transfer.ttl", "sh:minCount 1 .", "sh:minCount 2 .", "the alternative <#OrganizationById> cannot"),
    ("vocab/Transfer.ttl", "sh:minCount 1 .", "sh:minCount 1 ; sh:nodeKind sh:IRI .", "the alternative <#OrganizationById> cannot"),
    ("vocab/Member.ttl", "<#role> a rdf:Property", "<#handle> a rdf:Property", "vocab/Member.ttl: <#handle>: it stands in vocab/Instance.ttl"),
    ("vocab/documentation.ttl", 'owl:versionInfo "0.1.0"', 'owl:versionInfo "soon"', "documentation.ttl: <>: owl:versionInfo is soon, which is not"),
    ("vocab/documentation.ttl", 'owl:versionInfo "0.1.0" ;', "", "documentation.ttl: <>: owl:versionInfo is None, which is not"),
    ("vocab/catalog.ttl", '<contexts/v1/problem.jsonld>', '<contexts/v1/problems.jsonld>', "contexts/v1/problem.jsonld: @context: no file in vocab gives it a title"),
    ("vocab/problems.ttl", "hydra:statusCode 410 ;", "", "vocab/problems.ttl: <problems/gone>: it has no hydra:statusCode"),
    ("contexts/v1/registry.jsonld", '"@context": {', '"@context": [', "contexts/v1/registry.jsonld: @context"),
    ("contexts/v1/registry.jsonld", '"registry": null,', '', "registry.jsonld: registry: it is not null"),
    ("contexts/v1/registry.jsonld", '"registry": null,', '"registry": "https://other.example/",', "registry.jsonld: registry: it is not null"),
    ("contexts/v1/registry.jsonld", '"registry": null,', '"registry": null, "@version": 1.1,', "registry.jsonld: @version"),
    ("contexts/v1/registry.jsonld", '"handle": "registry:handle"', '"handle": "registry:grip"', "registry.jsonld: handle: it stands for <#grip>"),
    ("contexts/v1/registry.jsonld", '"handle": "registry:handle"', '"handle": "rigistry:handle"', "registry.jsonld: handle: the prefix rigistry"),
    ("contexts/v1/registry.jsonld", '"handle": "registry:handle"', '"grip": "registry:handle"', "registry.jsonld: grip: it is not the local name"),
    ("contexts/v1/registry.jsonld", '"name": "schema:name"', '"name": "dcterms:title"', "registry.jsonld: name: it stands for"),
    ("contexts/v1/registry.jsonld", '"@id": "dcterms:created", "@type": "xsd:dateTime"', '"@id": "dcterms:created"', "registry.jsonld: created_at: values of"),
    ("contexts/v1/registry.jsonld", '"name": "schema:name"', '"name": {"@id": "schema:name", "@type": "@id"}', "registry.jsonld: name: values of"),
    ("contexts/v1/registry.jsonld", '"name": "schema:name"', '"name": {"@id": "schema:name", "@context": {}}', "registry.jsonld: name: JSON-LD 1.0"),
]  # fmt: skip


def test_the_published_contract_has_no_fault() -> None:
    check_contract(load_contract(BASE))


@pytest.mark.parametrize(("file", "before", "after", "line"), FAULTS)
def test_a_fault_stops_the_start_with_one_line(
    tmp_path: Path, file: str, before: str, after: str, line: str
) -> None:
    path = copied_contract(tmp_path) / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    with pytest.raises(ContractFault) as fault:
        check_contract(load_contract(BASE, tmp_path))
    assert line in str(fault.value)
    assert "\n" not in str(fault.value)


def test_a_missing_context_stops_the_start(tmp_path: Path) -> None:
    (copied_contract(tmp_path) / "contexts/v1/problem.jsonld").unlink()
    with pytest.raises(ContractFault, match=r"contexts/v1/problem\.jsonld: @context: there is no such file"):
        check_contract(load_contract(BASE, tmp_path))
