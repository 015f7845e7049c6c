"""A copy of the contract to break or to release, which leaves the one in the repository alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.contract.sources import ROOT

VERSION = 'owl:versionInfo "0.1.0"'


def copied_contract(folder: Path, version: str | None = None) -> Path:
    for name in ("vocab", "contexts"):
        shutil.copytree(ROOT / name, folder / name)
    if version is not None:
        path = folder / "vocab/documentation.ttl"
        text = path.read_text("utf-8")
        assert VERSION in text
        path.write_text(text.replace(VERSION, f'owl:versionInfo "{version}"'), "utf-8")
    return folder
