"""Imports without what is never used here: they are a good part of a start."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast


@contextmanager
def without(*names: str) -> Iterator[None]:
    """What is imported within finds none of these libraries, as where they are not installed. Each has to be
    one that can be done without. What had been imported before is as it was."""
    modules = cast("dict[str, Any]", sys.modules)
    absent = [name for name in names if name not in modules]
    modules.update(dict.fromkeys(absent))  # None is what Python has for a module that there is not
    try:
        yield
    finally:
        for name in absent:
            del modules[name]
