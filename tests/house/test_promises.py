"""What the files beside the code say is what the code does. The documents are in test_documents.py."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.app.live_config import LiveConfig
from bot.app.settings import Settings
from bot.domain.commands import Help
from bot.slack.command_parser import EXAMPLES, OPTIONS, Verb, parse

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "tests" / "samples" / "slack" / "manifest.schema.2.0.0.json"
SOURCES = sorted((ROOT / "bot").rglob("*.py"))


@pytest.fixture(scope="module")
def manifest() -> Any:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


def test_the_manifest_is_valid_for_slack(manifest: Any) -> None:
    jsonschema.validate(manifest, json.loads(SCHEMA.read_text()))


def test_the_manifest_has_exactly_the_commands_that_the_code_understands(manifest: Any) -> None:
    commands = {command["command"] for command in manifest["features"]["slash_commands"]}
    assert commands == {*(f"/{verb}" for verb in Verb), "/calls"}


def test_slack_escapes_what_people_type_after_every_command(manifest: Any) -> None:
    assert all(command["should_escape"] is True for command in manifest["features"]["slash_commands"])


def test_the_usage_hints_name_only_options_that_the_command_takes(manifest: Any) -> None:
    for command in manifest["features"]["slash_commands"]:
        verb = command["command"].removeprefix("/")
        if verb != "calls":
            hinted = re.findall(r"\[([a-z]+)", command["usage_hint"])
            assert set(hinted) <= set(OPTIONS[Verb(verb)])


def test_the_scopes_are_those_of_the_methods_that_the_code_calls(manifest: Any) -> None:
    needed: dict[str, set[str]] = {
        "chat_postMessage": {"chat:write"},
        "chat_update": {"chat:write"},
        "auth_test": set(),
        "command": {"commands"},
        "conversations_open": {"im:write"},
        "conversations_history": {"im:history", "channels:history", "groups:history"},
    }
    called = {
        name
        for path in SOURCES
        if "sandbox" not in path.parts
        for name in re.findall(r"\b(?:_client|client|app)\.([a-z]+_?[a-zA-Z]+)\(", path.read_text())
    }
    calls = {name for name in called if re.match(r"(?:chat|auth|conversations|users|views|files)_", name)} | {"command"}
    assert calls <= set(needed)
    assert set().union(*(needed[name] for name in calls)) == set(manifest["oauth_config"]["scopes"]["bot"])


def test_the_manifest_subscribes_to_no_event_because_the_code_listens_to_none(manifest: Any) -> None:
    assert "event_subscriptions" not in manifest["settings"]
    assert not any(re.search(r"app\.event\(", path.read_text()) for path in SOURCES)


def test_the_example_environment_has_every_setting_and_no_other() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_example_environment_shows_the_true_defaults() -> None:
    shown = dict(re.findall(r"^#([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    defaults = {name: str(Settings.model_fields[name.lower()].default) for name in shown}
    assert shown == defaults


def test_the_example_map_is_right() -> None:
    live_config = LiveConfig.read(ROOT / "callbot.example.toml")
    assert live_config.permissions().person("U0ANA").phone == "0003*024"


def test_the_example_of_a_directory_is_right(tmp_path: Path) -> None:
    """The tables that are commented out, without their marks, and beside them the lines of agents.csv."""
    text = (ROOT / "callbot.example.toml").read_text()
    lines = re.findall(r"^#     (.+)$", text, re.MULTILINE)
    (tmp_path / "agents.csv").write_text("\n".join(lines))
    (tmp_path / "callbot.toml").write_text(re.sub(r"^# (\[.*\]|\w+ = .*)$", r"\1", text, flags=re.MULTILINE))
    live_config = LiveConfig.read(tmp_path / "callbot.toml")
    directory = live_config.permissions().directory
    assert (len(directory.agents), list(directory.teams)) == (len(lines) - 1, ["sales"])
    assert live_config.config().unknown_teams(directory) == ()


@pytest.mark.parametrize("verb", Verb)
def test_every_example_that_people_are_shown_can_be_typed(verb: Verb) -> None:
    command, _, text = EXAMPLES[verb].partition(" ")
    assert parse(command, text) == parse("/calls", f"{verb} {text}")


def test_help_is_a_command() -> None:
    assert parse("/calls", "help") == Help()


def public_names(module: Path) -> set[str]:
    """The public functions, classes and constants that a module defines, without type variables."""
    names: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            stored = (each for target in targets for each in ast.walk(target))
            names |= {each.id for each in stored if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return {name for name in names if not name.startswith("_") and name != "T"}


def test_a_public_name_means_one_thing() -> None:
    """Only the bot's own modules: the sandbox is another program, and a command of `__main__` has the name of what it runs."""
    places: dict[str, list[str]] = {}
    for path in (ROOT / "bot").rglob("*.py"):
        if not {"sandbox", "migrations", "__main__.py"} & set(path.parts):
            for name in public_names(path):
                places.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: sorted(where) for name, where in places.items() if len(where) > 1} == {}


PACKAGES = sorted(
    path.parent.relative_to(ROOT)
    for path in (ROOT / "bot").rglob("__init__.py")
    if "migrations" not in path.parts  # its scripts have numbers
)
LINE_OF_A_MAP = re.compile(r"^ *(\w+\.py|\w+/)  ", re.MULTILINE)
"""The name of a module or package at the beginning of its line."""


@pytest.mark.parametrize("package", PACKAGES, ids=str)
def test_a_package_names_exactly_its_modules_and_packages(package: Path) -> None:
    modules = {path.name for path in (ROOT / package).glob("*.py")} - {"__init__.py"}
    packages = {f"{path.parent.name}/" for path in (ROOT / package).glob("*/__init__.py")}
    text = (ROOT / package / "__init__.py").read_text()
    assert set(LINE_OF_A_MAP.findall(text)) - {"page/"} == modules | packages


def test_the_tree_of_errors_names_every_expected_failure() -> None:
    """But for the kinds of PbxRefused and of SlackError, which are tables of their own."""
    classes = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }

    def descend(names: set[str]) -> set[str]:
        below = {name for name, bases in classes.items() if bases & names and name not in names}
        return descend(names | below) if below else names

    expected = descend({"CallbotError"}) - descend({"PbxRefused"}) - descend({"SlackError"})
    tree = ast.get_docstring(ast.parse((ROOT / "bot" / "domain" / "errors.py").read_text())) or ""
    assert {name for name in expected if not re.search(rf"\b{name}\b", tree)} == set()
