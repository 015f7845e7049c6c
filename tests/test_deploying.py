"""What docs/deploying/ and docs/operating.md say of how the service is installed and run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.connection import STOP_SECONDS
from app.settings import KNOWN, read_settings
from tests.commands import environment, served
from tests.proxies import DEPLOYING

ROOT = DEPLOYING.parents[1]
UNIT = (DEPLOYING / "instance-registry.service").read_text()
CONTAINERFILE = (DEPLOYING / "Containerfile").read_text()
# What is in a wheel of the service; all else of the checkout stays where it is.
TOP_LEVEL = {"app", "contexts", "vocab"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel, made from what the Containerfile copies and from nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for copied in re.findall(r"^COPY ([^-].*) \S+$", CONTAINERFILE, re.MULTILINE):
        for name in copied.replace(". .", ".").split():
            target = source / Path(name).name
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                source.mkdir(exist_ok=True)
                shutil.copy(ROOT / name, target)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    install = [
        *pip,
        "install",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(folder / "installed"),
        ".",
    ]
    subprocess.run(install, cwd=source, check=True, timeout=120)
    return folder / "installed"


def of_the_wheel(folder: Path, installed: Path, code: str) -> str:
    """What Python prints that finds the service in the wheel before it finds the checkout."""
    known = environment({"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1"})
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=known,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_the_wheel_has_the_contract_and_the_pages(installed: Path) -> None:
    def files(top: Path) -> set[str]:
        return {
            str(path.relative_to(top))
            for name in TOP_LEVEL
            for path in (top / name).rglob("*")
            if path.is_file()
        }

    in_wheel, in_checkout = files(installed), files(ROOT)
    assert {path for path in in_wheel ^ in_checkout if not path.endswith(".pyc")} == set()
    assert len([path for path in in_wheel if path.endswith((".ttl", ".jsonld", ".html"))]) > 20


def test_the_wheel_works_without_the_checkout(tmp_path: Path, installed: Path) -> None:
    command = "import sys; from app.cli import main; sys.argv = ['instance-registry', '{}']; main()"
    where = "import app.contract.sources as it; print(it.ROOT)"
    assert of_the_wheel(tmp_path, installed, where).strip() == str(installed)
    assert "Organization" in of_the_wheel(tmp_path, installed, command.format("contract"))
    assert "0001_tables" in of_the_wheel(tmp_path, installed, command.format("migrate"))
    # The command of the checkout is a script that imports what it finds first.
    with served(tmp_path, PYTHONPATH=str(installed), PYTHONSAFEPATH="1") as server:
        page = httpx.get(f"{server.base}/vocab", headers={"Accept": "text/html"}, trust_env=False)
        assert health(server.base.rpartition(":")[2]) == 0
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html")
    assert health(server.base.rpartition(":")[2]) != 0


def health(port: str) -> int:
    """The exit code of the container's check."""
    [code] = re.findall(r'CMD \["python", "-c", "(.*)"\]', CONTAINERFILE)
    checked = [sys.executable, "-c", code.replace("8000", port)]
    return subprocess.run(checked, capture_output=True, timeout=20, check=False).returncode


def test_the_container_answers_as_nobody_special_and_takes_signals_itself() -> None:
    lines = CONTAINERFILE.splitlines()
    assert lines[-2:] == ['ENTRYPOINT ["instance-registry"]', 'CMD ["serve", "--host", "0.0.0.0"]']
    assert re.findall(r"^USER (\d+):\d+$", CONTAINERFILE, re.MULTILINE) == ["10001"]
    assert len(set(re.findall(r"^FROM (\S+)", CONTAINERFILE, re.MULTILINE))) == 1
    assert "--constraint constraints.txt" in CONTAINERFILE


def test_hadolint_finds_nothing_in_the_containerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "-"], input=CONTAINERFILE, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None and "CI" not in os.environ:
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_finds_no_fault_in_the_unit(tmp_path: Path) -> None:
    program = "/opt/instance-registry/bin/instance-registry"
    assert program in UNIT
    unit = tmp_path / "instance-registry.service"
    unit.write_text(UNIT.replace(program, "/bin/true"))
    done = systemd_analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(UNIT.replace(program, "/bin/true").replace("KillMode=mixed", "KillMode=gentle"))
    assert "kill mode" in systemd_analyze("verify", str(unit)).stderr


def test_the_unit_leaves_the_service_little_to_break() -> None:
    done = systemd_analyze(
        "security", "--offline=true", "--threshold=15", str(DEPLOYING / "instance-registry.service")
    )
    assert done.returncode == 0, done.stdout


def test_the_settings_for_production_are_read(tmp_path: Path) -> None:
    lines = [
        line for line in (DEPLOYING / "instance-registry.env").read_text().splitlines() if line[:1] != "#"
    ]
    settings = dict(line.split("=", 1) for line in lines)
    assert settings.keys() <= KNOWN
    read = read_settings(settings)
    assert read.public_url.startswith("https://")
    assert read.issuers  # so that the local issuer is off
    [seconds] = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT, re.MULTILINE)
    assert int(seconds) > read.drain_seconds + STOP_SECONDS


def test_every_setting_and_file_that_the_pages_name_is_there() -> None:
    pages = [
        DEPLOYING / "README.md",
        *(ROOT / "docs" / f"{name}.md" for name in ("operating", "backup", "upgrading")),
    ]
    for page in pages:
        text = page.read_text()
        assert set(re.findall(r"REGISTRY_[A-Z_]+", text)) <= KNOWN
        links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
        assert [link for link in links if not (page.parent / link).exists()] == []
        named = re.findall(r"`((?:app|docs|tests|contexts|vocab|\.ci)/[\w./-]+)`", text)
        assert [name for name in named if not (ROOT / name).exists()] == []
