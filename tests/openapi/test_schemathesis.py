"""Schemathesis reads the OpenAPI document and asks the service all that follows from it: in every phase,
stateful runs along the document's links among them, with every check."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import httpx

from tests import commands
from tests.commands import environment, served
from tests.service import SECURITY_CONTACT

LONG = True
PROGRAM = str(Path(sys.executable).with_name("schemathesis"))
ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = "tests/openapi/schemathesis.toml"
# It is what is read, and so known to be there.
NOT_ASKED = {"GET /api/openapi.json"}
PHASES = ("Examples", "Coverage", "Fuzzing", "Stateful")


def owned(base: str, token: str) -> str:
    """The identifiers of two organizations of the caller, who has company there."""
    with httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as client:
        made = [client.post("/api/organizations", json={"name": name}) for name in ("One", "Another")]
        identifiers = [answer.raise_for_status().json()["id"] for answer in made]
        for identifier in identifiers:
            for number in range(4):
                member = {"email": f"colleague-{number}@acme.example", "role": "member"}
                client.post(f"/api/organizations/{identifier}/members", json=member).raise_for_status()
    return " ".join(identifiers)


def test_what_the_document_says_is_what_the_service_does(tmp_path: Path) -> None:
    with served(tmp_path, "--sample", REGISTRY_SECURITY_CONTACT=SECURITY_CONTACT) as server:
        token = commands.run(tmp_path, "token", "--sub", "owner", "--email", "owner@acme.example")
        settings = {"BASE": server.base, "TOKEN": token.stdout.strip()}
        settings["ANSWERED"] = str(tmp_path / "answered")
        settings["ORGANIZATIONS"] = owned(server.base, settings["TOKEN"])
        document = httpx.get(f"{server.base}/api/openapi.json", trust_env=False).json()
        run = subprocess.run(
            [PROGRAM, "--config-file", CONFIGURATION, "run", f"{server.base}/api/openapi.json"],
            cwd=ROOT,
            env=environment(settings),
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    for phase in PHASES:
        assert f"✅ {phase}" in run.stdout
    [(selected, tested)] = re.findall(r"Selected: (\d+)/\d+\s+Tested: (\d+)", run.stdout)
    assert selected == tested
    [passed] = re.findall(r"generated, (\d+) passed", run.stdout)
    assert int(passed) > 2_000
    answered = [line.split(" ", 1) for line in (tmp_path / "answered").read_text().splitlines()]
    carried_out = {operation for status, operation in answered if status[0] in "23"}
    documented = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert {it for it in documented if not it.startswith("PARAMETERS")} - carried_out == NOT_ASKED
