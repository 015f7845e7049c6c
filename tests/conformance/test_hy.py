"""Section 7 of the conformance list: what the ApiDocumentation says of the operations."""

from __future__ import annotations

from app.contract.contract import Contract
from app.contract.documentation import documentation
from tests.contract.test_documentation import of_type


def test_hy_10_an_operation_names_the_header_fields_that_it_takes_and_gives(contract: Contract) -> None:
    for operation in of_type(documentation(contract), "Operation"):
        takes, gives = operation.get("expectsHeader", []), operation.get("returnsHeader", [])
        if operation["method"] in ("PATCH", "PUT", "DELETE"):
            assert takes == ["If-Match"], operation["@id"]
            assert gives == (["ETag"] if operation["method"] == "PATCH" else []), operation["@id"]
        elif operation["method"] == "POST":
            assert "Idempotency-Key" in takes
            creates = 201 in {status["statusCode"] for status in operation["possibleStatus"]}
            assert gives == (["ETag", "Location"] if creates else ["ETag"]), operation["@id"]
        else:
            redirects = 303 in {status["statusCode"] for status in operation["possibleStatus"]}
            assert (takes, gives) == (([], ["Location"]) if redirects else (["If-None-Match"], ["ETag"]))
