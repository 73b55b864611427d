"""The page's files: whole, small, and fetching and building nothing that the policy of the page forbids."""

import os
import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from bot.sandbox.console.server import KINDS, PAGE
from bot.sandbox.console.shown import SLASH_COMMANDS
from bot.sandbox.scenario import CONFIG, PAGE_CONFIG

ROOT = Path(__file__).parents[3]
SCRIPTS = sorted(PAGE.glob("*.js"))
STYLES = sorted(PAGE.glob("*.css"))
NAMESPACE = "http://www.w3.org/2000/svg"


def names(files: list[Path]) -> list[str]:
    return [file.name for file in files]


class Elements(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements() -> list[tuple[str, dict[str, str | None]]]:
    parser = Elements()
    parser.feed((PAGE / "index.html").read_text())
    return parser.found


def found(pattern: str, files: list[Path]) -> list[tuple[str, str]]:
    """What matches in the files, comments left out, each with the file's name."""
    texts = {file.name: re.sub(r"^\s*(?://|/?\*).*$", "", file.read_text(), flags=re.MULTILINE) for file in files}
    return [(name, each) for name, text in texts.items() for each in re.findall(pattern, text, re.MULTILINE)]


def test_no_markup_is_built_from_strings() -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc|\beval\b|new Function|setHTML"
    assert found(forbidden, SCRIPTS) == []


def test_no_style_is_set_by_script() -> None:
    assert found(r"\.style(?:\.|\[| ?=)|cssText|\"style\"", SCRIPTS) == []


def test_nothing_is_fetched_from_elsewhere() -> None:
    elsewhere = found(r"https?://[\w./]+|@import|url\(", [*SCRIPTS, *STYLES])
    assert [each for _, each in elsewhere if each != NAMESPACE] == []


def test_every_module_is_small_and_checked() -> None:
    lines = {script.name: script.read_text().splitlines() for script in SCRIPTS}
    assert [name for name, each in lines.items() if len(each) >= 300 or each[0] != "// @ts-check"] == []


def test_every_module_that_is_imported_is_there() -> None:
    imported = [each for _, each in found(r'^(?:import .*|\} )from "([^"]+)"', SCRIPTS)]
    assert imported
    assert [each for each in imported if not (each.startswith("./") and (PAGE / each).exists())] == []


def test_every_module_is_used() -> None:
    imported = set(re.findall(r'from "\./([^"]+)"', "".join(script.read_text() for script in SCRIPTS)))
    assert set(names(SCRIPTS)) == imported | {"main.js"}


def test_the_page_has_no_script_and_no_style_of_its_own() -> None:
    inline = [
        attributes for tag, attributes in elements() if tag == "style" or (tag == "script" and "src" not in attributes)
    ]
    attributes = [name for _, found in elements() for name in found if name == "style" or name.startswith("on")]
    assert (inline, attributes) == ([], [])


def test_everything_that_the_page_names_is_there() -> None:
    addresses = [found.get("src") or found.get("href") or "" for _, found in elements()]
    files = [each for each in addresses if each and not each.startswith("#")]
    assert files
    assert [each for each in files if not (each.startswith("/page/") and (PAGE / Path(each).name).exists())] == []


def test_everything_that_is_served_goes_into_a_wheel() -> None:
    packed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    patterns = packed["bot.sandbox.console"]
    served = [file for file in PAGE.iterdir() if file.suffix in KINDS]
    left = [file.name for file in served if not any(Path("page", file.name).match(each) for each in patterns)]
    assert left == []


def test_the_composer_knows_the_commands_of_the_manifest() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    commands = manifest["features"]["slash_commands"]
    assert [each._asdict() for each in SLASH_COMMANDS] == [
        {name: each[name] for name in ("command", "description", "usage_hint")} for each in commands
    ]


def test_the_page_has_the_tours_map_with_time_to_read_and_one_rule_more() -> None:
    tours, pages = tomllib.loads(CONFIG), tomllib.loads(PAGE_CONFIG)
    assert [rule["longer_than"] for rule in pages["alerts"]] == [5, 20]
    assert {name: part for name, part in pages.items() if name != "alerts"} == {
        name: part for name, part in tours.items() if name != "alerts"
    }


def test_the_tests_of_the_scripts_pass() -> None:
    node = shutil.which("node")
    if node is None:
        how_to = "The tests of the page's scripts need Node 18 or newer: apt-get install nodejs."
        if os.environ.get("CALLBOT_NO_SKIP"):
            pytest.fail(how_to)
        pytest.skip(how_to)
    tests = sorted(str(file) for file in (Path(__file__).parent / "page").glob("*.test.mjs"))
    done = subprocess.run([node, "--test", *tests], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
