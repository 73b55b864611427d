"""The README and the pages in docs/ name what there is: every setting, key, metric, command and state, and no other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from bot.__main__ import cli
from bot.app.config import KEYS
from bot.app.metrics import Metrics
from bot.app.settings import Settings
from bot.domain.intervention import State
from bot.slack.command_parser import OPTIONS
from bot.slack.intervention_card import STATE

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of each row of a table, without its head."""
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in cells][2:]


def codes(text: str) -> list[str]:
    """What stands in code font."""
    return re.findall(r"`([^`\n]+)`", text)


def test_the_settings_are_all_listed_and_no_other() -> None:
    table = rows(section(page("configuration.md"), "Settings"))
    named = [name for row in table for name in codes(row[0])]
    assert sorted(named) == sorted(name.upper() for name in Settings.model_fields)


def test_the_settings_are_listed_with_their_true_defaults() -> None:
    table = rows(section(page("configuration.md"), "Settings"))
    shown = {pair for setting, default, _ in table for pair in zip(codes(setting), codes(default), strict=False)}
    fields = {name.upper(): field for name, field in Settings.model_fields.items() if not field.is_required()}
    assert shown == {(name, str(field.default)) for name, field in fields.items() if field.default is not None}


def test_every_key_of_the_configuration_is_explained() -> None:
    words = set(re.findall(r"\w+", " ".join(codes(section(page("configuration.md"), "callbot.toml")))))
    assert words >= KEYS


def test_the_metrics_are_all_listed_and_no_other() -> None:
    kept = re.findall(r"^# TYPE (callbot_\w+) ", Metrics().exposition().decode(), re.MULTILINE)
    listed = [codes(row[0])[0].partition("{")[0] for row in rows(section(page("operations.md"), "Metrics"))]
    assert sorted(listed) == sorted(kept)


def test_every_metric_that_is_named_anywhere_exists() -> None:
    kept = set(re.findall(r"^# TYPE (callbot_\w+) ", Metrics().exposition().decode(), re.MULTILINE))
    assert {name for each in PAGES for name in re.findall(r"callbot_\w+", each.read_text())} <= kept


def test_every_command_of_the_command_line_is_listed() -> None:
    names = {re.sub("_", "-", command.callback.__name__) for command in cli.registered_commands if command.callback}
    listed = set(re.findall(r"^\.venv/bin/callbot (\w+)", page("operations.md"), re.MULTILINE))
    assert listed == names


@pytest.mark.parametrize("text", [(ROOT / "README.md").read_text(), page("supervisors.md")], ids=["README", "docs"])
def test_every_slash_command_is_listed_and_no_other(text: str) -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    commands = {command["command"] for command in manifest["features"]["slash_commands"]}
    assert set(re.findall(r"^\| `(/\w+)", text, re.MULTILINE)) == commands


def test_every_option_is_explained_with_the_commands_that_take_it() -> None:
    table = "| option |" + page("supervisors.md").partition("\n| option |")[2].partition("\n\n")[0]
    explained = {codes(option)[0].partition("=")[0]: takers for option, _, takers in rows(table)}
    options = {option for taken in OPTIONS.values() for option in taken}
    assert explained == {option: takers_in_words(option) for option in options}


def takers_in_words(option: str) -> str:
    """Which commands take the option: “all five”, “all but `/record`”, or the one that does."""
    verbs = [verb for verb in OPTIONS if option in OPTIONS[verb]]
    if len(verbs) == 1:
        return f"`/{verbs[0]}`"
    others = [f"`/{verb}`" for verb in OPTIONS if verb not in verbs]
    return "all but " + ", ".join(others) if others else "all five"


def test_every_state_of_a_card_is_explained() -> None:
    text = section(page("supervisors.md"), "What happens then")
    assert [row[0] for row in rows(text)] == [STATE[state] for state in State]


@pytest.mark.parametrize("map_", ["docs/architecture.md", "bot/__init__.py"])
def test_a_map_of_the_code_names_every_package_and_module_of_it(map_: str) -> None:
    modules = {path.name for path in (ROOT / "bot").glob("*.py")} - {"__init__.py"}
    packages = {f"{path.parent.name}/" for path in (ROOT / "bot").glob("*/__init__.py")}
    named = set(re.findall(r"^ +(\w+\.py|\w+/)  ", (ROOT / map_).read_text(), re.MULTILINE))
    assert named == modules | packages


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[\[<>=;~ ]", line)[0].lower() for line in project["dependencies"]}
    named = {
        name.lower() for row in rows(section(page("architecture.md"), "Dependencies")) for name in row[0].split(", ")
    }
    assert named == names


def test_the_readme_names_every_page() -> None:
    assert {name for name in codes((ROOT / "README.md").read_text()) if name.startswith("docs/")} >= {
        f"docs/{each.name}" for each in DOCS
    }


def test_the_readme_has_no_link_that_breaks_on_a_package_index() -> None:
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"\]\((?!https://)[^)]*\)|(?:src|href)=\S+", text) == []


@pytest.mark.parametrize("each", PAGES, ids=lambda path: path.name)
def test_every_file_that_a_page_names_exists(each: Path) -> None:
    text = each.read_text()
    named = [
        ROOT / name for name in codes(text) if re.fullmatch(r"(?:\.ci|bench|bot|docs|packaging|tests)/[\w./-]*", name)
    ]
    linked = [each.parent / link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    assert [path for path in (*named, *linked) if not path.exists()] == []
