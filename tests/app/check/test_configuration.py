"""callbot check: what callbot.toml says and may not mean, and alerts and help requests on which nobody may act. Pure."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.app.check.configuration import channels_named, known_extensions, overlap, review, review_alerts
from bot.app.config import Config, read_config
from bot.app.output import Mark, counted, ok, shown, some
from bot.domain.directory import Agent, Directory
from bot.domain.permissions import ExtensionPattern

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
channels = ["C0FLOOR", "C0ALERTS"]

[roles.agent]
actions = []
extensions = ["0003*2XX"]
"""
DIRECTORY = Directory((Agent("0003*310", name="Tom Other", team="sales"), Agent("0003*211", name="Bob's second")))


def config_of(more: str = "", *, old: str = "", new: str = "") -> Config:
    assert old in MAP
    return read_config((MAP.replace(old, new) + more).encode(), "callbot.toml")


def remarks(config: Config, directory: Directory | None = None) -> list[str]:
    found = review(config, config.permissions(directory))
    return [str(finding) for finding in found if finding.mark is Mark.REMARK]


def test_a_plain_configuration_has_no_remark() -> None:
    assert remarks(config_of()) == []


def test_a_configuration_is_counted() -> None:
    config = config_of()
    assert [str(finding) for finding in review(config, config.permissions())] == [
        "ok  configuration: 2 people, 2 roles, 0 alerts"
    ]


NATIONAL = "only numbers with the country code are understood"
CALLERS = '[[alerts]]\nname = "a"\nwhen = "ringing"\nlonger_than = 1\nchannel = "C0ALERTS"\ncallers = ["+15550142"]\n'


@pytest.mark.parametrize(
    ("more", "places"),
    [('[protected]\ncallers = ["+1555014XXXX"]', "protected.callers"), (CALLERS, "alerts.0.callers")],
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
            '"0003*2XX"]\nchannels',
            '"0003*2XX", "0003*9XX"]\nchannels',
            "roles.supervisor.extensions: 0003*9XX covers no extension of callbot.toml or the directory.",
        ),
        (
            '"0003*2XX"]\nchannels',
            '"team:sales"]\nchannels',
            "roles.supervisor.extensions: team:sales names no team of the directory, so it",
        ),
        ('roles = ["agent"]', "roles = []", "nobody has the role agent. Give it to somebody, or take it out."),
        ('roles = ["agent"]', "roles = []", "no role at all: users.U0BOB."),
    ],
)
def test_what_is_surely_not_meant_is_remarked(old: str, new: str, remark: str) -> None:
    assert [line for line in remarks(config_of(old=old, new=new)) if line.startswith(f"??  configuration: {remark}")]


def test_a_pattern_that_covers_only_the_directory_covers_somebody() -> None:
    assert (
        remarks(
            config_of(old='"0003*2XX"]\nchannels', new='"0003*3XX", "0003*2XX", "team:sales"]\nchannels'), DIRECTORY
        )
        == []
    )


def test_more_scopes_than_can_be_listed_in_time_are_remarked() -> None:
    scopes = ", ".join(f'{{ user = "{number}" }}' for number in range(60))
    (line,) = remarks(config_of(f"[watch]\nscopes = [{scopes}]\n"))
    assert line.startswith("??  watch: 60 scopes at 5 requests a second take 12 s for one scan of all live calls.")


def test_every_extension_is_known_with_its_place_and_callbot_toml_knows_better() -> None:
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
        "C0ALERTS": ["roles.supervisor.channels"],
        "C0HELP": ["help.channel", "alerts.0.channel"],
    }


# ── alerts ──

ALERT = """
[[alerts]]
name = "Rings unanswered"
when = "ringing"
longer_than = 20
channel = "C0ALERTS"
"""
SALES = Directory(
    (
        Agent("0003*310", name="Tom Other", team="sales"),
        Agent("0003*210", team="support"),
        Agent("0003*211", team="all"),
        Agent("0003*410", team="all"),
    )
)
TEAMS = SALES.teams


def alert_remarks(config: Config) -> list[str]:
    return [str(finding) for finding in review_alerts(config, config.permissions(SALES))]


def nobody(config: Config) -> bool:
    """Whether it is said of the first alert that nobody may act on it."""
    return any(
        line.startswith("??  configuration: alerts.0 (“Rings unanswered”): nobody may act")
        for line in alert_remarks(config)
    )


def test_what_is_right_has_no_remark() -> None:
    assert alert_remarks(config_of(ALERT + 'extensions = ["0003*2XX"]\n[help]\nchannel = "C0FLOOR"')) == []


ACTS = {
    "the role covers the alert's extensions": ("", "", 'extensions = ["0003*2XX"]'),
    "the role covers one of the alert's extensions": ("", "", 'extensions = ["0003*9XX", "0003*21X"]'),
    "the role covers a part of a pattern": ("", "", 'extensions = ["000X*X10"]'),
    "the role covers one of a team": ("", "", 'extensions = ["team:support"]'),
    "the role names a team that the alert covers": (
        '"0003*2XX"]\nchannels',
        '"team:sales"]\nchannels',
        'extensions = ["0003*3XX"]',
    ),
    "both name the same team": ('"0003*2XX"]\nchannels', '"team:sales"]\nchannels', 'extensions = ["team:sales"]'),
    "the alert is for every extension": ("", "", ""),
    "the alert is for every extension and the role for a team": (
        '"0003*2XX"]\nchannels',
        '"team:sales"]\nchannels',
        "",
    ),
    "the role works from anywhere": ('channels = ["C0FLOOR", "C0ALERTS"]', "", 'extensions = ["0003*2XX"]'),
}
ACTS_NOT = {
    "the role does not work from the channel": ('"C0FLOOR", "C0ALERTS"', '"C0FLOOR"', ""),
    "the role works from nowhere": ('"C0FLOOR", "C0ALERTS"', "", ""),
    "nobody has the role": ('["supervisor"]', "[]", ""),
    "the role allows nothing": ('["Monitor"]', "[]", ""),
    "the role covers nothing": ('"0003*2XX"]\nchannels', "]\nchannels", ""),
    "the role covers other extensions": ("", "", 'extensions = ["0003*3XX"]'),
    "the role covers extensions of another length": ("", "", 'extensions = ["0003*2XXX", "003*2XX"]'),
    "the role covers nobody of the team": ("", "", 'extensions = ["team:sales"]'),
    "the team is nobody": ("", "", 'extensions = ["team:none"]'),
    "the alert is for every extension and the role for a team that is nobody": (
        '"0003*2XX"]\nchannels',
        '"team:none"]\nchannels',
        "",
    ),
}


@pytest.mark.parametrize(("old", "new", "alert"), ACTS.values(), ids=ACTS)
def test_somebody_may_act_where(old: str, new: str, alert: str) -> None:
    assert not nobody(config_of(ALERT + alert, old=old, new=new))


@pytest.mark.parametrize(("old", "new", "alert"), ACTS_NOT.values(), ids=ACTS_NOT)
def test_nobody_may_act_where(old: str, new: str, alert: str) -> None:
    assert nobody(config_of(ALERT + alert, old=old, new=new))


def test_an_alert_that_nobody_may_act_on_is_named_on_one_line_with_its_channel_and_what_to_do() -> None:
    (line,) = alert_remarks(config_of(ALERT, old='"C0FLOOR", "C0ALERTS"', new='"C0FLOOR"'))
    assert line == (
        "??  configuration: alerts.0 (“Rings unanswered”): nobody may act from C0ALERTS on the calls that it is about. Give somebody "
        "a role with an action, with an extension of the alert, and with this channel or with none."
    )


def test_each_alert_is_looked_at_by_itself() -> None:
    config = config_of(ALERT + ALERT.replace("Rings", "Still rings").replace("C0ALERTS", "C0OTHER"))
    assert [line.split(" (")[0] for line in alert_remarks(config)] == ["??  configuration: alerts.1"]


def test_a_pattern_that_matches_nothing_is_named_with_its_key() -> None:
    (line,) = alert_remarks(config_of(ALERT + 'extensions = ["0003*2XX", "0003*9XX", "team:none"]'))
    assert line == (
        "??  configuration: alerts.0.extensions: 0003*9XX covers no extension of callbot.toml or the directory. Right, if those phones "
        "have no names here; else correct the pattern."
    )


@pytest.mark.parametrize(
    ("protected", "pattern", "hidden"),
    [
        ("0003*21X", "0003*210", True),
        ("0003*2XX", "0003*21X", True),
        ("0003*21X", "0003*2XX", False),
        ("0003*211", "0003*210", False),
        ("team:support", "0003*210", True),
        ("team:support", "0003*21X", False),
        ("0003*2XX", "team:support", True),
        ("0003*2XX", "team:sales", False),
        ("0003*2XX", "team:all", False),
        ("0003*2XX", "team:none", False),
        ("0003*2XX", "00XX*2XX", False),
        ("XXXXX*XX", "0003*2XX", False),
    ],
)
def test_an_alert_for_protected_extensions_alone_is_remarked(protected: str, pattern: str, hidden: bool) -> None:
    config = config_of(f'[protected]\nextensions = ["{protected}"]\n' + ALERT + f'extensions = ["{pattern}"]')
    line = f"??  configuration: alerts.0.extensions: {pattern} is in [protected], so no alert is raised for it. Take it out."
    assert (line in alert_remarks(config)) is hidden


def test_two_alerts_that_cannot_be_told_apart_are_remarked() -> None:
    lines = alert_remarks(config_of(ALERT + ALERT.replace("20", "60")))
    assert [line.split(":")[1].strip() for line in lines] == [
        "alerts.1 has the name, condition and channel of alerts.0"
    ]


@pytest.mark.parametrize(
    ("old", "new"), [("Rings unanswered", "Rings"), ('"ringing"', '"parked"'), ("C0ALERTS", "C0FLOOR")]
)
def test_two_alerts_that_differ_in_name_condition_or_channel_are_two(old: str, new: str) -> None:
    assert alert_remarks(config_of(ALERT + ALERT.replace(old, new))) == []


# ── help requests ──


def test_agents_whom_nobody_could_help_from_the_channel_are_named() -> None:
    (line,) = alert_remarks(config_of('[help]\nchannel = "C0HELP"'))
    assert line == (
        "??  configuration: help.channel: nobody may act from C0HELP on the calls of users.U0BOB, if they ask for help. Give somebody "
        "a role with an action, with their extensions, and with this channel or with none."
    )


@pytest.mark.parametrize("extensions", ['["0003*211"]', '["0003*2X1"]'])
def test_one_phone_of_an_agent_is_enough(extensions: str) -> None:
    old = '["0003*2XX"]\nchannels'
    assert alert_remarks(config_of('[help]\nchannel = "C0FLOOR"', old=old, new=f"{extensions}\nchannels")) == []


def test_a_phone_of_an_agent_that_only_the_directory_knows_is_enough() -> None:
    directory = Directory((Agent("0003*310", slack_user="U0BOB"),))
    config = config_of('[help]\nchannel = "C0FLOOR"', old='["0003*2XX"]\nchannels', new='["0003*3XX"]\nchannels')
    assert list(review_alerts(config, config.permissions(directory))) == []


def test_somebody_who_may_act_is_no_agent() -> None:
    config = config_of('[help]\nchannel = "C0HELP"', old='roles = ["agent"]', new='roles = ["supervisor", "agent"]')
    assert alert_remarks(config) == []


def test_without_a_channel_for_help_there_is_nothing_to_say() -> None:
    assert alert_remarks(config_of('[help]\ncontact = "U0ANA"')) == []


# ── patterns against patterns ──

SIGNS = "01X"
PATTERNS = st.tuples(st.text(SIGNS, min_size=1, max_size=3), st.text(SIGNS, min_size=1, max_size=3)).map("*".join)
EXTENSIONS = [
    f"{''.join(one)}*{''.join(other)}"
    for lengths in itertools.product((1, 2, 3), (1, 2, 3))
    for one in itertools.product("01", repeat=lengths[0])
    for other in itertools.product("01", repeat=lengths[1])
]
"""Every extension that a pattern of these signs can be about, with two digits that stand for all ten."""
SOME_TEAMS = {"some": frozenset({"0*1", "01*10"}), "none": frozenset[str]()}
ANY = st.one_of(PATTERNS, st.sampled_from(["team:some", "team:none", "team:unknown"])).map(ExtensionPattern)


@settings(max_examples=300, deadline=None)
@given(one=ANY, other=ANY)
def test_two_patterns_overlap_exactly_where_some_extension_is_covered_by_both(
    one: ExtensionPattern, other: ExtensionPattern
) -> None:
    both = any(one.covers(extension, SOME_TEAMS) and other.covers(extension, SOME_TEAMS) for extension in EXTENSIONS)
    assert overlap(one, other, SOME_TEAMS) is both


@pytest.mark.parametrize(("one", "other"), [("00X*1", "00*X1"), ("X*11", "1X*1")])
def test_a_digit_is_never_the_star(one: str, other: str) -> None:
    assert not overlap(ExtensionPattern(one), ExtensionPattern(other), TEAMS)


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
