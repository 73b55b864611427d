"""callbot check: what callbot.toml says and may not mean. Pure."""

import pytest

from bot.app.check.configuration import channels_named, known_extensions, review
from bot.app.config import Config, read_config
from bot.app.output import Mark, counted, ok, shown, some
from bot.domain.directory import Agent, Directory

MAP = """
[users.U0ANA]
name = "Ana Pop"
extension = "0003*024"
roles = ["supervisor"]

[users.U0BOB]
name = "Bob Ionescu"
extension = ["0003*210", "0003*211"]
roles = ["agent"]

[roles.supervisor]
actions = ["Monitor"]
extensions = ["0003*2XX"]
channels = ["C0FLOOR"]

[roles.agent]
actions = []
"""
DIRECTORY = Directory((Agent("0003*310", name="Tom Other", team="sales"), Agent("0003*211", name="Bob's second")))


def config_of(more: str = "", *, old: str = "", new: str = "") -> Config:
    return read_config((MAP.replace(old, new) + more).encode(), "callbot.toml")


def remarks(config: Config, directory: Directory | None = None) -> list[str]:
    found = review(config, config.permissions(directory))
    return [str(finding) for finding in found if finding.mark is Mark.REMARK]


def test_a_plain_map_has_no_remark() -> None:
    assert remarks(config_of()) == []


def test_a_map_is_counted() -> None:
    config = config_of()
    assert [str(finding) for finding in review(config, config.permissions())] == [
        "ok  configuration: 2 people, 2 roles, 0 alerts"
    ]


NATIONAL = "only numbers with the country code are understood"
ALERT = '[[alerts]]\nname = "a"\nwhen = "ringing"\nlonger_than = 1\nchannel = "C0ALERTS"\ncallers = ["+15550142"]\n'


@pytest.mark.parametrize(
    ("more", "places"),
    [('[protected]\ncallers = ["+1555014XXXX"]', "protected.callers"), (ALERT, "alerts.0.callers")],
)
def test_callers_without_a_country_are_remarked(more: str, places: str) -> None:
    (line,) = remarks(config_of(more))
    assert line.startswith(f"??  configuration: {places}: {NATIONAL}")


def test_callers_with_a_country_have_no_remark() -> None:
    assert remarks(config_of('[protected]\ncallers = ["+1555014XXXX"]\ncountry = "+1"')) == []


def test_a_directory_is_counted() -> None:
    config = config_of('[directory]\nfile = "agents.csv"\n')
    lines = [str(finding) for finding in review(config, config.permissions(DIRECTORY))]
    assert lines[1] == "ok  directory: agents.csv: 2 extensions, 1 team"


@pytest.mark.parametrize(
    ("old", "new", "remark"),
    [
        (
            '"0003*2XX"',
            '"0003*2XX", "0003*9XX"',
            "roles.supervisor.extensions: 0003*9XX covers no extension of callbot.toml or the directory.",
        ),
        ('"0003*2XX"', '"team:sales"', "roles.supervisor.extensions: team:sales names no team of the directory, so it"),
        ('roles = ["agent"]', "roles = []", "nobody has the role agent. Give it to somebody, or take it out."),
        ('roles = ["agent"]', "roles = []", "no role at all: users.U0BOB."),
    ],
)
def test_what_is_surely_not_meant_is_remarked(old: str, new: str, remark: str) -> None:
    assert [line for line in remarks(config_of(old=old, new=new)) if line.startswith(f"??  configuration: {remark}")]


def test_a_pattern_that_covers_only_the_directory_covers_somebody() -> None:
    assert remarks(config_of(old='"0003*2XX"', new='"0003*3XX", "team:sales"'), DIRECTORY) == []


def test_more_scopes_than_can_be_listed_in_time_are_remarked() -> None:
    scopes = ", ".join(f'{{ user = "{number}" }}' for number in range(60))
    (line,) = remarks(config_of(f"[watch]\nscopes = [{scopes}]\n"))
    assert line.startswith("??  watch: 60 scopes at 5 requests a second take 12 s for one scan of all live calls.")


def test_every_extension_is_known_with_its_place_and_the_map_knows_better() -> None:
    assert known_extensions(config_of().permissions(DIRECTORY)) == {
        "0003*310": "the directory",
        "0003*211": "[users.U0BOB]",
        "0003*024": "[users.U0ANA]",
        "0003*210": "[users.U0BOB]",
    }


def test_every_channel_is_known_with_the_keys_that_name_it() -> None:
    config = config_of(
        '[cards]\nsilent_in = ["C0FLOOR"]\n[help]\nchannel = "C0HELP"\n'
        '[[alerts]]\nname = "A"\nwhen = "ringing"\nlonger_than = 20\nchannel = "C0HELP"\n'
    )
    assert channels_named(config) == {
        "C0FLOOR": ["roles.supervisor.channels", "cards.silent_in"],
        "C0HELP": ["help.channel", "alerts.0.channel"],
    }


# ── lines ──


def test_a_long_list_says_how_much_more_there_is() -> None:
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"


@pytest.mark.parametrize(("number", "words"), [(0, "0 people"), (1, "1 person"), (2, "2 people")])
def test_people_are_counted_as_people_say_it(number: int, words: str) -> None:
    assert counted(number, "person", "people") == words


def test_a_line_with_foreign_text_does_nothing_to_a_terminal() -> None:
    assert (
        shown(ok("Slack's bot token", "workspace \x1b[2J\n[red]")).plain
        == "ok  Slack's bot token: workspace \\x1b[2J\\n[red]"
    )
