"""Ctrl+C at moments at which nobody can press it on purpose: in a process that sends it to itself then."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import environment

ROOT = Path(__file__).resolve().parents[1]
EXPORT = """
import asyncio, signal, sys

{moment}

from app.cli import main

sys.argv = ["instance-registry", "export", "all.nq"]
main()
"""
MOMENTS = {
    "before the settings are read": """
import app.commands.exporting

app.commands.exporting.read_settings = lambda _: signal.raise_signal(signal.SIGINT)
""",
    "while the loop is made": """
import socket

made = socket.socketpair

def socketpair(*arguments):
    signal.raise_signal(signal.SIGINT)
    return made(*arguments)

socket.socketpair = socketpair
""",
    "before anything is written": """
import app.exporting.reading

async def expected(*_):
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(30)

app.exporting.reading.expected = expected
""",
}
WHILE_THE_BAR_IS_SHOWN = """
import app.exporting.jobs

async def to_file(self, *_, **options):
    self.told(1)
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(30)

app.exporting.jobs.Job.to_file = to_file
"""


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_is_answered_by_one_word_where_there_is_nothing_to_go_on_from(
    folder: Path, moment: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXPORT.format(moment=MOMENTS[moment])],
        cwd=folder,
        env=environment({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def test_on_a_terminal_nothing_is_drawn_after_the_word_of_the_interruption(folder: Path) -> None:
    mine, its = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", EXPORT.format(moment=WHILE_THE_BAR_IS_SHOWN)],
        cwd=folder,
        env=environment({"PYTHONPATH": str(ROOT), "TERM": "xterm"}),
        stderr=its,
    ) as process:
        os.close(its)
        shown = b""
        try:
            while piece := os.read(mine, 65_536):
                shown += piece
        except OSError:  # the other side has gone away
            pass
    os.close(mine)
    assert process.returncode == 130
    assert b"1/" in shown
    assert shown.endswith(b"Interrupted.\r\n")
