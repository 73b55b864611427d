"""What an installation holds beside the code, and what it says of itself."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

import bot
from bot.app.examples import CONFIG, ENVIRONMENT, MANIFEST, example

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PACKED = PYPROJECT["tool"]["setuptools"]["package-data"]


@pytest.mark.parametrize("name", [CONFIG, ENVIRONMENT, MANIFEST])
def test_an_example_is_the_file_at_the_root(name: str) -> None:
    assert example(name).read_bytes() == (ROOT / name).read_bytes()


def test_every_example_is_packed() -> None:
    names = {path.name for path in example(CONFIG).parent.iterdir() if path.suffix != ".py" and path.is_file()}
    assert names == set(PACKED["bot.app.examples"]) == {CONFIG, ENVIRONMENT, MANIFEST}


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(bot.__file__).with_name("py.typed").exists()
    assert "py.typed" in PACKED["bot"]


def test_the_licence_is_apache_2_and_comes_with_the_package() -> None:
    metadata = importlib.metadata.metadata("callbot")
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert (ROOT / "LICENSE").read_text().split()[:4] == ["Apache", "License", "Version", "2.0,"]


def test_the_notice_names_the_pages_that_samples_come_from() -> None:
    notice = (ROOT / "NOTICE").read_text()
    assert "by 4PSA, licensed under CC BY 4.0" in notice
    actions = ["Monitor", "Whisper", "BargeIn", "PickUp", "StartRecording"]
    assert [action for action in actions if f"{action} PhoneCalls" not in notice] == []


def test_the_classifiers_begin_with_the_oldest_python_that_is_taken() -> None:
    named = [
        line.rpartition(" ")[2]
        for line in PROJECT["classifiers"]
        if line.startswith("Programming Language :: Python :: 3.")
    ]
    assert named == ["3.11", "3.12", "3.13"]
    assert PROJECT["requires-python"] == f">={named[0]}"
