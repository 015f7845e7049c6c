"""README tells the truth: its tour is run as it stands, and its tables say what the code says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from app.protocol.front_door import MAX_FIELD_OCTETS, MAX_FIELDS, MAX_TARGET
from app.protocol.query import _MAX_PARAMETERS
from app.protocol.strict_json import _MAX_DEPTH, _MAX_VALUES
from app.settings import KNOWN, Settings
from tests.commands import environment, served
from tests.promises import CONTRACT

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
TOUR = README.partition("## Five minutes with curl")[2].partition("\n## ")[0]
PRINTED_BASE = "http://127.0.0.1:8000"
BLOCK = re.compile(r"```(sh|json)\n(.*?)```", re.DOTALL)
# What is another one each time: identifiers and times.
IDENTIFIER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
BETWEEN = "---- the next command ----"


def told_apart(answers: list[str], base: str) -> list[object]:
    """The answers as JSON, with the same names for what differs from run to run, in order of appearance."""
    seen: dict[str, str] = {}
    text = BETWEEN.join(answers).replace(base, PRINTED_BASE)
    text = IDENTIFIER.sub(lambda found: seen.setdefault(found[0], f"identifier {len(seen)}"), text)
    return [json.loads(answer) for answer in TIME.sub("time", text).split(BETWEEN)]


def run_tour(folder: Path, base: str) -> list[str]:
    """What each command of the tour that is followed by an answer prints, all typed into one shell."""
    (folder / ".venv").symlink_to(sys.prefix)
    blocks = BLOCK.findall(TOUR)
    script = []
    for (language, text), (following, _) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "sh":
            script.append(text.replace(PRINTED_BASE, base))
            script.append(f"echo '{BETWEEN}'\n" if following == "json" else "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="".join(script),
        cwd=folder,
        env=environment({"no_proxy": "127.0.0.1"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split(f"{BETWEEN}\n")[:-1]


def test_the_tour_prints_what_readme_says(tmp_path: Path) -> None:
    if shutil.which("curl") is None and "CI" not in os.environ:
        pytest.skip("the tour is for curl, which is not installed")
    printed = [text for language, text in BLOCK.findall(TOUR) if language == "json"]
    with served(tmp_path, "--sample") as server:
        answers = run_tour(tmp_path, server.base)
    assert len(printed) >= 6
    assert told_apart(answers, server.base) == told_apart(printed, PRINTED_BASE)


def test_every_setting_stands_in_readme_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(REGISTRY_\w+)` \| (.*?) \|", README, re.MULTILINE))
    assert set(rows) == KNOWN
    defaults = {f"REGISTRY_{field.name.upper()}": field.default for field in fields(Settings)}
    shown = {"REGISTRY_DATA_DIR": f"./{defaults['REGISTRY_DATA_DIR']}"}
    for name, cell in rows.items():
        default = shown.get(name, defaults[name])
        said = "none" if default in ((), None) else "`no`" if default is False else f"`{default}`"
        assert said in cell


def test_the_limits_that_readme_names_are_those_that_are_kept() -> None:
    [sentence] = re.findall(r"^The limits are: (.*?)\. ", README, re.MULTILINE | re.DOTALL)
    most = {it.name: it.maximum for it in CONTRACT.classes["InstanceCollection"].variables}
    assert sentence.replace("\n", " ") == (
        f"an address of {MAX_TARGET:,} octets, {MAX_FIELDS} header fields of "
        f"{MAX_FIELD_OCTETS // 1_024} KiB together, "
        f"content of {Settings.max_content_length // 1_024} KiB, "
        f"{_MAX_VALUES:,} values and {_MAX_DEPTH} levels of JSON, "
        f"{_MAX_PARAMETERS} query parameters, {most['itemsPerPage']} members a page, "
        f"pages by number that begin within the first {most['page']:,} members"
    )


def test_every_path_and_every_target_that_readme_names_is_there() -> None:
    paths = set(re.findall(r"`((?:app|vocab|contexts|tests|docs|\.ci)/[\w./-]*)`", README)) - {
        "vocab/Thing.ttl"
    }
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE))
    assert targets >= {"run", "test", "check"}
    assert [target for target in sorted(targets) if f"\n{target}:" not in makefile] == []
