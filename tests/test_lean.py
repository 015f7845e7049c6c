"""What is imported for a start, and what is not."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from app.lean import without, without_sources

UNUSED = ("requests", "aiohttp", "rich", "pydantic", "pyshacl", "playwright")


def test_a_start_imports_nothing_that_is_never_used() -> None:
    program = f"import app.main, app.connection, sys; print(set({UNUSED}) & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_start_reads_no_source() -> None:
    """What is compiled needs none; parsing that of all tables would take as long as the contract does."""
    program = "import inspect; inspect.getsourcelines = None\nimport app.main, app.connection"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sources_are_there_again() -> None:
    with without_sources(), pytest.raises(OSError, match="no source"):
        inspect.getsource(without)
    assert "def without" in inspect.getsource(without)


def test_json_ld_has_nothing_to_fetch_with() -> None:
    """Whatever is named, nobody is asked for it."""
    program = (
        "import app.representation.processor\n"
        "from pyld import jsonld\n"
        "try:\n    jsonld.get_document_loader()('http://127.0.0.1:1/', {})\n"
        "except jsonld.JsonLdError as error:\n    print(error.code)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "no default document loader\n"


def test_a_library_is_absent_only_within(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with without("colorsys", "sys"):
        with pytest.raises(ImportError):
            __import__("colorsys")
        __import__("sys")
    __import__("colorsys")
