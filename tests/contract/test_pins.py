"""From release 1.0.0 on a published context stays as it is, or the service does not start."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from importlib.metadata import version
from pathlib import Path

import pytest
from rdflib import OWL, URIRef
from typer.testing import CliRunner

from app.cli import cli
from app.contract.check import check_contract
from app.contract.contract import Contract, load_contract
from app.contract.faults import ContractFault
from app.contract.pins import PINS, is_released, pin
from tests.copied_contract import copied_contract

BASE = "http://127.0.0.1:8000"
REGISTRY = "contexts/v1/registry.jsonld"


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A copy of the contract as it would be at release 1.0.0, its contexts pinned."""
    root = copied_contract(tmp_path, "1.0.0")
    pin(load_contract(BASE, root).sources)
    return root


def checked(root: Path) -> Contract:
    contract = load_contract(BASE, root)
    check_contract(contract)
    return contract


def changed(root: Path) -> None:
    """By one octet, which means nothing."""
    with (root / REGISTRY).open("ab") as file:
        file.write(b"\n")


def test_the_vocabulary_has_the_version_of_the_project(contract: Contract) -> None:
    stated = contract.sources.graph.value(URIRef(f"{contract.base}/vocab"), OWL.versionInfo)
    assert str(stated) == version("instance-registry")


@pytest.mark.parametrize(
    ("number", "released"),
    [
        *(("0.1.0", False), ("0.99.0", False), ("1.0.0rc1", False)),
        *(("1.0.0", True), ("1.1.0rc1", True), ("10.0", True)),
    ],
)
def test_a_contract_is_released_from_1_0_0_on(tmp_path: Path, number: str, *, released: bool) -> None:
    assert is_released(load_contract(BASE, copied_contract(tmp_path, number)).sources) is released


def test_before_the_first_release_a_context_may_change(tmp_path: Path) -> None:
    root = copied_contract(tmp_path, "0.9.0")
    pin(load_contract(BASE, root).sources)
    changed(root)
    checked(root)


def test_what_is_released_as_it_is_pinned_has_no_fault(released: Path) -> None:
    checked(released)


@pytest.mark.parametrize("base", [BASE, "https://registry.example/base"])
def test_the_pins_are_of_the_files_whatever_the_address_of_the_service(released: Path, base: str) -> None:
    check_contract(load_contract(base, released))


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum to ask")
def test_anybody_can_check_the_pins_without_the_service(released: Path) -> None:
    def check() -> subprocess.CompletedProcess[str]:
        command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
        folder = released / "contexts/v1"
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert check().returncode == 0
    assert len(check().stdout.splitlines()) == len(list((released / "contexts/v1").glob("*.jsonld")))
    changed(released)
    assert "registry.jsonld: FAILED" in check().stdout


def test_a_context_that_was_changed_stops_the_start(released: Path) -> None:
    changed(released)
    with pytest.raises(ContractFault, match=rf"^{REGISTRY}: @context: it was published with other bytes"):
        checked(released)


def test_a_context_without_a_pin_stops_the_start(tmp_path: Path) -> None:
    root = copied_contract(tmp_path, "1.0.0")
    with pytest.raises(ContractFault, match=rf"^contexts/v1/\w+\.jsonld: @context: {PINS} does not pin it"):
        checked(root)


def test_a_context_that_is_gone_stops_the_start(released: Path) -> None:
    pins = released / PINS
    pins.write_text(pins.read_text() + f"{'0' * 64}  older.jsonld\n")
    with pytest.raises(ContractFault, match=r"^contexts/v1/older\.jsonld: @context: .* is gone"):
        checked(released)


@pytest.mark.parametrize("line", ["nonsense", "", f"{'0' * 63}  registry.jsonld", f"{'0' * 64}  ../x y"])
def test_pins_that_cannot_be_read_stop_the_start(released: Path, line: str) -> None:
    pins = released / PINS
    number = len(pins.read_text().splitlines()) + 1
    pins.write_text(f"{pins.read_text()}{line}\n")
    with pytest.raises(ContractFault, match=rf"^{PINS}: line {number}: it is not a SHA-256"):
        checked(released)


def test_a_pin_of_a_release_is_never_written_anew(released: Path) -> None:
    before = (released / PINS).read_text()
    changed(released)
    pin(load_contract(BASE, released).sources)
    assert (released / PINS).read_text() == before


def test_a_context_that_comes_later_is_pinned_beside_the_others(released: Path) -> None:
    before = (released / PINS).read_text().splitlines()
    shutil.copy(released / REGISTRY, released / "contexts/v1/zoo.jsonld")
    with (released / "vocab/catalog.ttl").open("a") as file:
        file.write('<contexts/v1/zoo.jsonld> dcterms:title "Zoo" ; dcterms:description "Animals." .\n')
    pin(load_contract(BASE, released).sources)
    after = (released / PINS).read_text().splitlines()
    assert after[:-1] == before
    assert after[-1].endswith("  zoo.jsonld")
    checked(released)


def test_a_command_pins_and_tells_what_no_longer_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = copied_contract(tmp_path, "1.0.0")
    monkeypatch.setattr("app.contract.contract.load_contract", partial(load_contract, root=root))
    before = CliRunner().invoke(cli, ["contract"])
    assert isinstance(before.exception, ContractFault)
    assert not (root / PINS).exists()
    for arguments in (["contract", "--pin"], ["contract"]):
        assert CliRunner().invoke(cli, arguments).exit_code == 0
    changed(root)
    for arguments in (["contract", "--pin"], ["contract"]):
        assert isinstance(CliRunner().invoke(cli, arguments).exception, ContractFault)
