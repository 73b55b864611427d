"""callbot.toml: the contract's example is read whole, and every error is named by its key, all at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.alerts.alert import When
from bot.app.config import Config, directory_file, read_config
from bot.domain.actions import ActionName
from bot.domain.directory import Agent, Directory, read_directory
from bot.domain.errors import ConfigErrors
from bot.domain.permissions import Scope

WHOLE = """
[users.U0ANA]                      # a Slack user id, of this workspace
name = "Ana Pop"
uapi_user = "3"
extension = "0003*024"
roles = ["supervisor"]

[users.U0BOB]
name = "Bob Ionescu"
uapi_user = "12"
extension = ["0003*210", "0003*211"]
roles = ["agent"]

[roles.supervisor]
actions = ["Monitor", "Whisper", "BargeIn", "PickUp", "StartRecording", "StopRecording"]
extensions = ["0003*2XX", "team:sales"]
channels = ["C0FLOOR", "C0ALERTS"]

[roles.agent]
actions = []

[protected]
extensions = ["0003*299"]
callers = ["+40700000XXX"]

[directory]
file = "agents.csv"

[uapi]
default_user = "@me"

[cards]
silent_in = ["C0FLOOR"]

[watch]
every = 1.0
max_requests_per_second = 5
scopes = [{ user = "@me", extension = "@self" }]

[help]
channel = "C0FLOOR"
contact = "U0ANA"

[[alerts]]
name = "Rings unanswered"
when = "ringing"
longer_than = 20
channel = "C0ALERTS"
extensions = ["0003*2XX"]
callers = ["+40722XXXXXX"]
"""

SALES = Directory((Agent("0003*310", team="sales"),))
Read = Callable[[str], Config]
Errors = Callable[[str], list[str]]


@pytest.fixture
def read() -> Read:
    def written(text: str) -> Config:
        return read_config(text.encode(), "callbot.toml", SALES)

    return written


@pytest.fixture
def errors(read: Read) -> Errors:
    def found(text: str) -> list[str]:
        with pytest.raises(ConfigErrors) as caught:
            read(text)
        return caught.value.errors

    return found


# ── what is right ──


def test_people_have_their_phones_users_and_roles(read: Read) -> None:
    bob = read(WHOLE).permissions().people["U0BOB"]
    assert (bob.slack_user, bob.name, bob.extensions, bob.phone, bob.uapi_user, bob.roles) == (
        "U0BOB",
        "Bob Ionescu",
        ("0003*210", "0003*211"),
        "0003*210",
        "12",
        ("agent",),
    )


def test_a_role_has_its_actions_extensions_and_channels(read: Read) -> None:
    role = read(WHOLE).permissions().roles["supervisor"]
    assert (role.actions, [pattern.text for pattern in role.extensions], role.channels) == (
        frozenset(ActionName),
        ["0003*2XX", "team:sales"],
        frozenset({"C0FLOOR", "C0ALERTS"}),
    )


def test_a_role_without_channels_works_from_anywhere(read: Read) -> None:
    assert read(WHOLE).permissions().roles["agent"].channels is None


def test_protected_parties_the_contact_and_the_default_user_are_in_the_permissions(read: Read) -> None:
    rules = read(WHOLE.replace('"@me"\n\n[cards]', '"7"\n\n[cards]')).permissions()
    assert (
        [one.text for one in rules.protected_extensions],
        [one.text for one in rules.protected_callers],
        rules.contact,
        rules.default_user,
    ) == (["0003*299"], ["+40700000XXX"], "U0ANA", "7")


def test_the_example_allows_what_it_says(read: Read) -> None:
    rules = read(WHOLE).permissions()
    assert rules.allows(rules.people["U0ANA"], ActionName.MONITOR, "0003*210", "C0FLOOR")


def test_directory_cards_watch_and_help_are_read(read: Read) -> None:
    config = read(WHOLE)
    assert config.directory is not None
    assert config.watch.scopes is not None
    assert (config.directory.file, config.cards.silent_in, config.watch.every, config.help.channel) == (
        "agents.csv",
        ["C0FLOOR"],
        1.0,
        "C0FLOOR",
    )
    assert [(scope.user, scope.extension) for scope in config.watch.scopes] == [("@me", "@self")]


def test_an_alert_is_read(read: Read) -> None:
    (alert,) = read(WHOLE).alerts
    assert (alert.name, alert.when, alert.longer_than, alert.channel, alert.extensions, alert.callers) == (
        "Rings unanswered",
        "ringing",
        20,
        "C0ALERTS",
        ["0003*2XX"],
        ["+40722XXXXXX"],
    )


def test_an_alert_becomes_a_rule(read: Read) -> None:
    (rule,) = read(WHOLE).alert_rules()
    patterns = [one.text for one in rule.extensions or ()] + [one.text for one in rule.callers or ()]
    assert (rule.name, rule.when, rule.longer_than, rule.channel) == (
        "Rings unanswered",
        When.RINGING,
        timedelta(seconds=20),
        "C0ALERTS",
    )
    assert patterns == ["0003*2XX", "+40722XXXXXX"]


def test_an_alert_without_patterns_is_for_every_extension_and_every_caller(read: Read) -> None:
    (rule,) = read(ALERT).alert_rules()
    assert (rule.extensions, rule.callers) == (None, None)


def test_alerts_keep_their_order(read: Read) -> None:
    two = ALERT + ALERT.replace('"a"', '"b"')
    assert [rule.name for rule in read(two).alert_rules()] == ["a", "b"]


@pytest.mark.parametrize("when", [when for when in When if when is not When.HELP_REQUESTED])
def test_every_condition_can_be_written_but_that_of_a_help_request(read: Read, when: When) -> None:
    (rule,) = read(ALERT.replace("ringing", when)).alert_rules()
    assert rule.when is when


def test_a_time_may_have_parts_of_a_second(read: Read) -> None:
    (rule,) = read(ALERT.replace("= 1", "= 1.5")).alert_rules()
    assert rule.longer_than == timedelta(seconds=1.5)


def test_an_empty_file_lets_nobody_do_anything(read: Read) -> None:
    config = read("")
    rules = config.permissions()
    assert (rules.people, rules.roles, rules.default_user, config.watch.scopes) == ({}, {}, "@me", None)


def test_nothing_but_an_extension_and_a_name_is_needed_of_a_person(read: Read) -> None:
    person = read('[users.U0EVE]\nname = "Eve"\nextension = "0003*030"').permissions().people["U0EVE"]
    assert (person.uapi_user, person.roles) == (None, ())


def test_a_user_that_a_spreadsheet_wrote_is_the_user_that_was_meant(read: Read) -> None:
    text = '[users.U0EVE]\nname = "Eve"\nextension = "0003*030"\nuapi_user = "15.0"'
    assert read(text).permissions().people["U0EVE"].uapi_user == "15"


# ── what is wrong: the text, its key ──

USER = '[users.U0EVE]\nname = "Eve"\nextension = "0003*030"\n'
ALERT = '[[alerts]]\nname = "a"\nwhen = "ringing"\nlonger_than = 1\nchannel = "C0A"\n'
WRONG = {
    "a user id in small letters": ('[users.eve]\nname = "Eve"\nextension = "0003*030"', "users.eve"),
    "a name left out": ('[users.U0EVE]\nextension = "0003*030"', "users.U0EVE.name"),
    "an empty name": (USER.replace('"Eve"', '" "'), "users.U0EVE.name"),
    "a name of two lines": (USER.replace('"Eve"', '"a\\nb"'), "users.U0EVE.name"),
    "a name that turns around": (USER.replace('"Eve"', '"a\u202eb"'), "users.U0EVE.name"),
    "a name too long": (USER.replace("Eve", "E" * 81), "users.U0EVE.name"),
    "an extension left out": ('[users.U0EVE]\nname = "Eve"', "users.U0EVE.extension"),
    "a short extension": (USER.replace("0003*030", "030"), "users.U0EVE.extension.0"),
    "no extension at all": (USER.replace('"0003*030"', "[]"), "users.U0EVE.extension"),
    "a number for an extension": (USER.replace('"0003*030"', "30"), "users.U0EVE.extension"),
    "a wrong extension in a list": (USER.replace('"0003*030"', '["0003*030", "x"]'), "users.U0EVE.extension.1"),
    "a path for a user": (USER + 'uapi_user = "../3"', "users.U0EVE.uapi_user"),
    "a fraction for a user": (USER + 'uapi_user = "15.5"', "users.U0EVE.uapi_user"),
    "two dots for a user": (USER + 'uapi_user = ".."', "users.U0EVE.uapi_user"),
    "a role that nobody wrote": (USER + 'roles = ["boss"]', "users.U0EVE.roles"),
    "one role without a list": (USER + 'roles = "boss"', "users.U0EVE.roles"),
    "a key that nobody knows": (USER + "admin = true", "users.U0EVE.admin"),
    "a phone of two people": (USER + USER.replace("U0EVE", "U0EVA"), "users.U0EVA.extension"),
    "an action that nobody knows": ('[roles.a]\nactions = ["Hangup"]', "roles.a.actions.0"),
    "actions left out": ('[roles.a]\nextensions = ["0003*2XX"]', "roles.a.actions"),
    "a pattern like 0003*2*": ('[roles.a]\nactions = []\nextensions = ["0003*2*"]', "roles.a.extensions.0"),
    "a directory of two lines": ('[directory]\nfile = "a\\nb"', "directory.file"),
    "a protected team of no directory": ('[protected]\nextensions = ["team:none"]', "protected.extensions"),
    "no scope at all": ("[watch]\nscopes = []", "watch.scopes"),
    "a channel by its name": ('[roles.a]\nactions = []\nchannels = ["#floor"]', "roles.a.channels.0"),
    "a protected extension of no form": ('[protected]\nextensions = ["299"]', "protected.extensions.0"),
    "a country that is none": ('[protected]\ncountry = "+999"', "protected.country"),
    "a country without its plus": ('[protected]\ncountry = "1"', "protected.country"),
    "a country by its name": ('[protected]\ncountry = "US"', "protected.country"),
    "a protected caller of no form": ('[protected]\ncallers = ["+40 7a0"]', "protected.callers.0"),
    "a directory without a file": ("[directory]", "directory.file"),
    "a default user of no form": ('[uapi]\ndefault_user = "@self"', "uapi.default_user"),
    "a card channel of no form": ('[cards]\nsilent_in = ["floor"]', "cards.silent_in.0"),
    "scans without a pause": ("[watch]\nevery = 0", "watch.every"),
    "scans too seldom": ("[watch]\nevery = 61", "watch.every"),
    "a pause that is no number": ("[watch]\nevery = nan", "watch.every"),
    "no requests at all": ("[watch]\nmax_requests_per_second = 0", "watch.max_requests_per_second"),
    "a scope without a user": ('[watch]\nscopes = [{extension = "@self"}]', "watch.scopes.0.user"),
    "a scope of a short extension": ('[watch]\nscopes = [{user = "3", extension = "210"}]', "watch.scopes.0.extension"),
    "a help channel of no form": ('[help]\nchannel = "floor"', "help.channel"),
    "a contact of no form": ('[help]\ncontact = "Ana"', "help.contact"),
    "a contact whom nobody knows": ('[help]\ncontact = "U0ANA"', "help.contact"),
    "an alert of no kind": (ALERT.replace("ringing", "waiting"), "alerts.0.when"),
    "an alert without a time": (ALERT.replace("longer_than = 1\n", ""), "alerts.0.longer_than"),
    "an alert before its time": (ALERT.replace("= 1", "= -1"), "alerts.0.longer_than"),
    "an alert after no number of seconds": (ALERT.replace("= 1", "= nan"), "alerts.0.longer_than"),
    "an alert after a yes": (ALERT.replace("= 1", "= true"), "alerts.0.longer_than"),
    "an alert for a help request": (ALERT.replace("ringing", "help_request"), "alerts.0.when"),
    "an alert without a name": (ALERT.replace('name = "a"\n', ""), "alerts.0.name"),
    "an alert for no extension": (ALERT + "extensions = []", "alerts.0.extensions"),
    "an alert for no caller": (ALERT + "callers = []", "alerts.0.callers"),
    "an alert after a day": (ALERT.replace("= 1", "= 86401"), "alerts.0.longer_than"),
    "an alert without a channel": (ALERT.replace('channel = "C0A"', ""), "alerts.0.channel"),
    "an alert for a caller of no form": (ALERT + 'callers = ["Jane"]', "alerts.0.callers.0"),
    "an alert for a pattern of no form": (ALERT + 'extensions = ["0003*2*"]', "alerts.0.extensions.0"),
    "a table that nobody knows": ("[bogus]", "bogus"),
    "a table that is none": ("users = 3", "users"),
}


@pytest.mark.parametrize(("text", "key"), WRONG.values(), ids=WRONG)
def test_each_error_is_said_with_its_key(errors: Errors, text: str, key: str) -> None:
    assert {line.split(":")[0] for line in errors(text)} == {key}


def test_every_error_is_said_at_once(errors: Errors) -> None:
    text = "\n".join((USER, 'uapi_user = "a/b"', 'roles = ["boss"]', ALERT.replace("C0A", "x"), "[bogus]"))
    assert {line.split(":")[0] for line in errors(text)} == {
        "users.U0EVE.uapi_user",
        "users.U0EVE.roles",
        "alerts.0.channel",
        "bogus",
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            ALERT.replace("ringing", "waiting"),
            "alerts.0.when: Input should be 'ringing', 'talking', 'on_hold' or 'parked'",
        ),
        (USER + "uapi_user = 15.0", "users.U0EVE.uapi_user: is no text; put quotation marks around it"),
        (ALERT.replace("= 1", "= -1"), "alerts.0.longer_than: Input should be greater than or equal to 0"),
        (ALERT + ALERT.replace("= 1", "= -1"), "alerts.1.longer_than: Input should be greater than or equal to 0"),
        (ALERT + "extensions = []", "alerts.0.extensions: is empty"),
    ],
)
def test_an_error_in_an_alert_is_one_line(errors: Errors, text: str, line: str) -> None:
    assert errors(text) == [line]


def test_what_is_wrong_is_shown_beside_what_is_right(errors: Errors) -> None:
    (line,) = errors(WRONG["a pattern like 0003*2*"][0])
    assert ("0003*2*" in line, "0003*2XX" in line) == (True, True)


def test_a_phone_of_two_people_names_the_other(errors: Errors) -> None:
    assert errors(WRONG["a phone of two people"][0]) == [
        "users.U0EVA.extension: 0003*030 is the phone of U0EVE already"
    ]


def test_one_persons_phone_may_be_written_twice(read: Read) -> None:
    assert read(USER.replace('"0003*030"', '["0003*030", "0003*030"]')).users["U0EVE"].name == "Eve"


# ── teams ──


@pytest.mark.parametrize(
    ("directory", "why"),
    [("", "there is no [directory]"), ('[directory]\nfile = "a.csv"\n', "the directory has no such team")],
)
def test_a_protected_team_that_is_nobody_is_an_error(errors: Errors, directory: str, why: str) -> None:
    assert errors(directory + '[protected]\nextensions = ["0003*299", "team:board"]') == [
        f"protected.extensions: team:board would protect nobody, since {why}"
    ]


def test_protected_callers_are_compared_as_numbers_of_the_country(read: Read) -> None:
    (pattern,) = read('[protected]\ncountry = "+40"\ncallers = ["+40722000111"]').permissions().protected_callers
    assert pattern.covers("0722 000 111")


def test_callers_of_alerts_are_compared_as_numbers_of_the_country(read: Read) -> None:
    alert = (
        '[[alerts]]\nname = "a"\nwhen = "ringing"\nlonger_than = 1\nchannel = "C0ALERTS"\ncallers = ["+40722000111"]\n'
    )
    (rule,) = read(alert + '[protected]\ncountry = "+40"').alert_rules()
    assert [pattern.covers("0722 000 111") for pattern in rule.callers or ()] == [True]


def test_a_protected_team_of_the_directory_is_protected(read: Read) -> None:
    rules = read('[protected]\nextensions = ["team:sales"]').permissions(SALES)
    assert (rules.protects_extension("0003*310"), rules.protects_extension("0003*210")) == (True, False)


def test_where_the_directory_cannot_be_read_nothing_is_said_of_its_teams() -> None:
    assert read_config(b'[protected]\nextensions = ["team:board"]', "callbot.toml").protected.extensions == [
        "team:board"
    ]


def test_teams_that_are_nobody_are_named_with_where_they_stand(read: Read) -> None:
    role = '[roles.a]\nactions = []\nextensions = ["0003*2XX", "team:sales", "team:gone"]\n'
    config = read(role + ALERT + 'extensions = ["team:sale"]')
    assert config.unknown_teams(SALES) == (
        "roles.a.extensions: team:gone names no team of the directory",
        "alerts.0.extensions: team:sale names no team of the directory",
    )


# ── scopes ──


def test_scopes_are_those_of_the_file(read: Read) -> None:
    scopes = '[watch]\nscopes = [{ user = "7" }, { user = "@me", extension = "0003*210" }]'
    assert read(scopes).permissions().scopes == (Scope("7", "@self"), Scope("@me", "0003*210"))


def test_scopes_that_are_left_out_are_those_of_everybody_known(read: Read) -> None:
    people = USER + 'uapi_user = "8"\n[uapi]\ndefault_user = "1"'
    directory = Directory((Agent("0003*310", uapi_user="5"),))
    assert read(people).permissions(directory).scopes == (Scope("1"), Scope("5"), Scope("8"))


# ── the directory's name ──


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ('[directory]\nfile = "agents.csv"', "agents.csv"),
        ('[directory]\nfile = " lists/agents.csv "\n[bogus]', "lists/agents.csv"),
        ("", None),
        ("[directory]", None),
        ("directory = 3", None),
        ("[directory]\nfile = 3", None),
        ('[directory]\nfile = "a\\u0000b"', None),
        ("[directory", None),
    ],
)
def test_the_directory_is_found_in_whatever_else_is_wrong(text: str, file: str | None) -> None:
    assert directory_file(text.encode()) == file


# ── what is not valid TOML ──


def test_what_is_no_toml_is_said_with_its_line(errors: Errors) -> None:
    (line,) = errors("[users\n")
    assert ("is not valid TOML" in line, "line 1" in line) == (True, True)


def test_a_key_written_twice_is_said_with_its_line(errors: Errors) -> None:
    assert "line 3" in errors("[help]\nchannel = 'C0A'\nchannel = 'C0B'\n")[0]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a=" + b"[" * 5000])
def test_a_file_of_rubbish_is_refused(raw: bytes) -> None:
    with pytest.raises(ConfigErrors, match="is not valid TOML"):
        read_config(raw, "callbot.toml")


# ── two files, and how they were saved ──


def test_it_may_begin_with_a_mark_of_byte_order() -> None:
    assert read_config(
        '\ufeff[protected]\nextensions = ["0003*299"]'.encode(), "callbot.toml"
    ).protected.extensions == ["0003*299"]


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_what_is_not_utf_8_is_said_with_its_place(encoding: str) -> None:
    with pytest.raises(ConfigErrors, match=r"it is not UTF-8; save it as UTF-8 \(at line [12], column [0-9]+\)"):
        read_config('[users.U0ANA]\nname = "René"'.encode(encoding), "callbot.toml")


TWO_FILES = """
[users.U0BOB]
name = "Bob"
extension = ["0003*210", "0003*211"]

[directory]
file = "agents.csv"
"""


def of_both(rows: str) -> list[str]:
    directory = read_directory(f"extension,name,slack_user\n{rows}".encode(), "agents.csv")
    with pytest.raises(ConfigErrors) as caught:
        read_config(TWO_FILES.encode(), "callbot.toml", directory)
    return caught.value.errors


def test_an_extension_of_two_people_in_both_files_is_said_with_its_line() -> None:
    assert of_both("0003*310,Tom,U0TOM\n0003*211,Tom,U0TOM\n") == [
        "agents.csv line 3: extension “0003*211” is U0TOM's here, and U0BOB's in callbot.toml"
    ]


@pytest.mark.parametrize("row", ["0003*210,Bob,U0BOB", "0003*210,Bob's first,", "0003*310,Tom,U0TOM"])
def test_an_extension_of_one_person_in_both_files_is_none(row: str) -> None:
    directory = read_directory(f"extension,name,slack_user\n{row}\n".encode(), "agents.csv")
    assert read_config(TWO_FILES.encode(), "callbot.toml", directory).users["U0BOB"].name == "Bob"


def test_a_role_is_the_same_however_its_accents_are_written(read: Read) -> None:
    text = (
        '[users.U0EVE]\nname = "Eve"\nextension = "0003*030"\nroles = ["s\u0327ef"]\n[roles."\u015fef"]\nactions = []'
    )
    assert read(text).permissions().people["U0EVE"].roles == ("\u015fef",)
