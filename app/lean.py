"""Imports without what is never used here: they are a good part of a start."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, cast


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


@contextmanager
def without_sources() -> Iterator[None]:
    """Who asks within for the source of a class finds none, as where only what was compiled is installed.
    Tortoise looks in it for comments on columns, of which there are none."""
    module = cast("Any", inspect)
    getsource = inspect.getsource
    module.getsource = _no_source
    try:
        yield
    finally:
        module.getsource = getsource


def _no_source(_of: object) -> NoReturn:
    raise OSError("no source is looked for")
