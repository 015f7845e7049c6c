"""The formats of files, by the names that options have for them and by what a file's name ends with."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

COMPRESSED = ".gz"


class Written(Enum):
    """What an export can be."""

    N_QUADS = "n-quads"
    TURTLE = "turtle"
    JSON_LD = "json-ld"
    NDJSON = "ndjson"


class Taken(Enum):
    """What an import can be of. Every line of N-Triples is one of N-Quads."""

    NDJSON = "ndjson"
    CSV = "csv"
    N_QUADS = "n-quads"
    TURTLE = "turtle"


SUFFIXES = {
    ".nq": Written.N_QUADS.value,
    ".nt": Taken.N_QUADS.value,
    ".ttl": Written.TURTLE.value,
    ".jsonld": Written.JSON_LD.value,
    ".ndjson": Written.NDJSON.value,
    ".jsonl": Written.NDJSON.value,
    ".csv": Taken.CSV.value,
}


def is_compressed(file: Path) -> bool:
    return file.suffix == COMPRESSED


def named(file: Path) -> str | None:
    """The format that the file's name tells."""
    inner = file.with_suffix("") if is_compressed(file) else file
    return SUFFIXES.get(inner.suffix.lower())
