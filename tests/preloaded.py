"""What commands import, imported once: `tests.commands.run` forks its processes from one that has this."""

from __future__ import annotations

import gc
import importlib
import pkgutil

from typer.main import get_command

import app

for _module in pkgutil.walk_packages(app.__path__, "app."):
    # Its library decides when it is imported, by the environment, between one process and several.
    if _module.name != "app.metrics":
        importlib.import_module(_module.name)

from app.cli import cli  # noqa: E402 - it imports the commands

# More is imported when a command line is first read.
get_command(cli).make_context("instance-registry", ["migrate"])
# What stays as it is need not be looked through, nor copied, by each process that is forked.
gc.collect()
gc.freeze()
