"""The command line itself: what is said without doing anything, and what is wrong usage."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import bot as bot_package
from bot.__main__ import cli

ROOT = Path(bot_package.__file__).parents[1]


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})
    return result.exit_code, re.sub(r"\s+", " ", result.output)


def test_it_says_which_version_it_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert said("--version") == (0, f"callbot {project['version']} ")


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", ["run", "demo", "sandbox", "check", "audit"])
def test_every_command_explains_itself(command: str, option: str) -> None:
    code, text = said(command, option)
    assert (code, f"Usage: callbot {command}" in text or f"Usage: root {command}" in text) == (0, True)


def test_a_shell_completes_the_names_of_the_commands() -> None:
    asked = {"_CALLBOT_COMPLETE": "complete_bash", "COMP_WORDS": "callbot au", "COMP_CWORD": "1"}
    assert CliRunner().invoke(cli, prog_name="callbot", env=asked).output.split() == ["audit"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("check", "--as", "U0ANA"), "--as, --call and --yes go with --try EXTENSION."),
        (("check", "--yes"), "--as, --call and --yes go with --try EXTENSION."),
        (("audit", "--format", "xml"), "--format is table, csv or json, not 'xml'."),
        (("audit", "--since"), "--since"),
        (("nothing",), "nothing"),
    ],
)
def test_wrong_usage_is_refused_with_2(words: tuple[str, ...], problem: str) -> None:
    code, text = said(*words)
    assert (code, problem in text) == (2, True), text


def test_check_without_any_setting_names_them_all_and_fails(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    missing = ("SLACK_BOT_TOKEN", "UAPI_URL", "SLACK_APP_TOKEN", "UAPI_CLIENT_ID", "callbot.toml")
    assert (done.returncode, [name for name in missing if name not in done.stdout], done.stderr) == (1, [], "")


def test_check_makes_nothing(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        check=False,
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=20,
    )
    assert list(tmp_path.iterdir()) == []
