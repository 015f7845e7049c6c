"""What commands import, imported once: `tests.commands.run` forks its processes from one that has this."""

from __future__ import annotations

import importlib
import pkgutil

import app

for _module in pkgutil.walk_packages(app.__path__, "app."):
    # Its library decides when it is imported, by the environment, between one process and several.
    if _module.name != "app.metrics":
        importlib.import_module(_module.name)
