"""Help, completion, colours and exit codes of the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.cli import COMMANDS
from app.commands.running import EXIT_CODES
from tests.commands import run

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "command-line.md").read_text()
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_of_itself_and_json_for_programs(
    tmp_path: Path, name: str
) -> None:
    done = run(tmp_path, name, "--help")
    assert done.returncode == 0
    _, colon, examples = done.stdout.partition("Example")
    assert colon
    assert f"instance-registry {name}" in examples
    assert "--json" in done.stdout


def test_the_exit_codes_that_the_guide_and_the_help_tell_are_those_that_there_are(tmp_path: Path) -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", GUIDE, re.MULTILINE)
    assert {int(code): meaning for code, meaning in rows} == EXIT_CODES
    shown = " ".join(run(tmp_path, "--help").stdout.split())
    for code, meaning in EXIT_CODES.items():
        assert f"{code} {meaning}" in shown


def test_readme_and_the_guide_name_every_command_and_every_option_is_in_its_help(tmp_path: Path) -> None:
    section = README.partition("## The command line")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)(.*?)` \| ", section, re.MULTILINE))
    assert set(rows) == set(COMMANDS)
    for name, options in rows.items():
        shown = run(tmp_path, name, "--help").stdout
        assert all(option in shown for option in re.findall(r"--[a-z-]+", options)), name
    assert set(re.findall(r"^## ([a-z]+)$", GUIDE, re.MULTILINE)) == {"export", "import", "get", "doctor"}


def test_the_commands_in_readme_say_what_stands_there(tmp_path: Path) -> None:
    """But for how long it took. `get` asks a service, which `tests/test_cli_get.py` does."""
    for name in ("migrate", "sample"):
        run(tmp_path, name)
    block = README.partition("## The command line")[2].partition("```console\n")[2].partition("```")[0]
    entries = [entry.splitlines() for entry in block.split("$ instance-registry ")[1:]]
    told = {command.split()[0]: (command.split(), lines) for command, *lines in entries}
    for name in ("export", "doctor"):
        arguments, lines = told[name]
        done = run(tmp_path, *arguments)
        said = set(map(without_times, (done.stdout + done.stderr).splitlines()))
        expected = {without_times(line) for line in lines if line != "…"}
        assert expected
        assert expected <= said, said


def without_times(line: str) -> str:
    return re.sub(r"in [\d.]+ s \([\d,]+/s\)", "in … s", line)


def test_there_are_no_colours_in_a_pipe(tmp_path: Path) -> None:
    for arguments in (("--help",), ("contract",), ("doctor",), ("export", "--bad")):
        done = run(tmp_path, *arguments)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("shell", "settings"),
    [
        ("bash", {"COMP_WORDS": "instance-registry ex", "COMP_CWORD": "1"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "instance-registry ex"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "instance-registry ex", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_shells_complete_the_commands(tmp_path: Path, shell: str, settings: dict[str, str]) -> None:
    completed = run(tmp_path, **{**settings, "_INSTANCE_REGISTRY_COMPLETE": f"complete_{shell}"})
    assert completed.returncode == 0, completed.stderr
    assert "export" in completed.stdout
    assert "import" not in completed.stdout
    script = run(tmp_path, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert script.returncode == 0, script.stderr
    assert "_INSTANCE_REGISTRY_COMPLETE" in script.stdout
