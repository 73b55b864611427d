"""callbot check: a line for each thing that is right or wrong, with the real sandboxes, and nothing changed anywhere."""

import asyncio
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import bot as bot_package
from bot.app.check.check import check
from bot.app.check.slack import NEEDED, OPTIONAL
from bot.app.output import Finding
from bot.ledger.single_run import SingleRun
from bot.sandbox.pbx.floor import Floor
from bot.sandbox.pbx.server import Fault, SandboxPbx
from bot.sandbox.workspace.faults import SlackFault
from bot.sandbox.workspace.workspace import Workspace

ROOT = Path(bot_package.__file__).parents[1]
CONFIG = """
[users.U0ANA]
name = "Ana Pop"
uapi_user = "3"
extension = "0003*024"
roles = ["supervisor"]

[users.U0BOB]
name = "Bob Ionescu"
uapi_user = "12"
extension = "0003*210"
roles = ["agent"]

[roles.supervisor]
actions = ["Monitor"]
extensions = ["0003*2XX"]
channels = ["C0FLOOR", "C0HELP", "C0ALERTS"]

[roles.agent]
actions = []

[help]
channel = "C0HELP"

[[alerts]]
name = "Rings unanswered"
when = "ringing"
longer_than = 20
channel = "C0ALERTS"
"""


class Site:
    """A right installation; what a test changes is what is wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = CONFIG
        self.floor = Floor()
        self.pbx = SandboxPbx(self.floor)
        self.workspace = Workspace(scopes=frozenset({"chat:write", "commands", "channels:read"}))
        self.floor.add_extension("0003*024", user="3", name="Ana Pop")
        self.floor.add_extension("0003*210", user="12", name="Bob Ionescu")
        self.furnish()

    def furnish(self) -> None:
        """The bot is in every channel in callbot.toml."""
        for channel, name in (("C0FLOOR", "floor"), ("C0HELP", "help"), ("C0ALERTS", "alerts")):
            self.workspace.add_channel(channel, name)

    def environment(self, **more: str) -> dict[str, str]:
        """The settings; an empty one takes it away."""
        (self.folder / "callbot.toml").write_text(self.config)
        return {
            "SLACK_BOT_TOKEN": self.workspace.bot_token,
            "SLACK_APP_TOKEN": self.workspace.app_token,
            "SLACK_API_URL": self.workspace.api_url,
            "UAPI_URL": self.pbx.url,
            "UAPI_CLIENT_ID": "sandbox-app",
            "UAPI_CLIENT_SECRET": "sandbox-secret",
            "CALLBOT_CONFIG": str(self.folder / "callbot.toml"),
            "DATABASE_URL": f"sqlite:///{self.folder}/callbot.db",
            **more,
        }

    async def install_with(self, *scopes: str) -> None:
        """The app has these scopes and no others."""
        await self.workspace.stop()
        self.workspace = Workspace(scopes=frozenset(scopes))
        self.furnish()
        await self.workspace.start()

    async def check(self, *, patience: float = 5.0, **more: str) -> list[str]:
        """The lines of one check; it says that all is well exactly where no line says no."""
        found: list[Finding] = []
        right = await check(found.append, self.environment(**more), patience=patience)
        lines = [str(finding) for finding in found]
        assert right is not any(line.startswith("no ") for line in lines)
        return lines


@pytest.fixture
async def site(tmp_path: Path, empty_ledger: Path) -> AsyncIterator[Site]:
    shutil.copy(empty_ledger, tmp_path)
    site = Site(tmp_path)
    await site.pbx.start()
    await site.workspace.start()
    yield site
    await site.workspace.stop()
    await site.pbx.stop()


def manifest_scopes() -> set[str]:
    """What the app has where it was made from manifest.yml."""
    return {*yaml.safe_load((ROOT / "manifest.yml").read_text())["oauth_config"]["scopes"]["bot"]}


def wrong(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("no ")]


# ── metrics ──


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, []),
        ({"METRICS_PORT": "9464"}, ["ok  metrics: on 127.0.0.1:9464"]),
        (
            {"METRICS_PORT": "9464", "METRICS_HOST": "0.0.0.0"},
            [
                "??  metrics: 0.0.0.0:9464 may be read by other machines. Set METRICS_TOKEN, or METRICS_HOST to 127.0.0.1."
            ],
        ),
        (
            {"METRICS_PORT": "9464", "METRICS_HOST": "0.0.0.0", "METRICS_TOKEN": "invented"},
            ["ok  metrics: on 0.0.0.0:9464"],
        ),
    ],
    ids=str,
)
async def test_who_may_read_the_metrics_is_a_line(site: Site, more: dict[str, Any], line: list[str]) -> None:
    assert [each for each in await site.check(**more) if each[4:].startswith("metrics")] == line


# ── what is right ──


async def test_a_right_installation_has_nothing_wrong(site: Site) -> None:
    assert wrong(await site.check()) == []


async def test_each_thing_has_its_line_in_a_fixed_order(site: Site) -> None:
    lines = await site.check()
    assert [line[4:].split(":")[0] for line in lines if line.startswith("ok ")] == [
        "settings",
        "configuration",
        "Slack's bot token",
        "Slack's scopes",
        "Slack's way in",
        "channel C0FLOOR",
        "channel C0HELP",
        "channel C0ALERTS",
        "PBX token",
        "PBX clock",
        "scope @me @self",
        "scope 12 @self",
        "scope 3 @self",
        "extensions",
        "ledger",
    ]


async def test_the_workspace_is_named(site: Site) -> None:
    assert "ok  Slack's bot token: workspace Local (T0LOCAL), bot B0LOCAL" in await site.check()


async def test_a_scope_says_how_many_calls_are_live(site: Site) -> None:
    site.floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")
    assert [line for line in await site.check() if line.startswith("ok  scope 12 @self: 1 live call (")]


@pytest.mark.parametrize(("ahead", "side"), [(90.0, "ahead of"), (-90.0, "behind")])
async def test_a_clock_of_the_pbx_that_is_off_is_said(site: Site, ahead: float, side: str) -> None:
    site.pbx.forms.clock_ahead = ahead
    (line,) = [line for line in await site.check() if "PBX clock" in line]
    assert re.search(rf"PBX clock: (89|90|91) s {side} that of this machine", line)


async def test_no_caller_and_no_secret_is_printed(site: Site) -> None:
    site.floor.talk(caller="+15550142", caller_name="Carla Caller", to="0003*210")
    said = "\n".join(await site.check())
    secrets = [site.workspace.bot_token, site.workspace.app_token, "sandbox-secret", "15550142", "Carla"]
    assert [secret for secret in secrets if secret in said] == []


async def test_only_what_changes_nothing_is_asked(site: Site) -> None:
    await site.check()
    pbx = {(request.method, request.path.split("/")[1]) for request in site.pbx.requests}
    slack = {call.method for call in site.workspace.calls}
    assert pbx == {("POST", "oauth"), ("GET", "uapi")}
    assert slack == {"auth.test", "apps.connections.open", "conversations.info"}
    assert site.workspace.sockets == 0


async def test_a_running_callbot_is_not_in_the_way(site: Site) -> None:
    async with SingleRun(site.environment()["DATABASE_URL"]):
        assert [line for line in await site.check() if line.startswith("ok  ledger")]


async def test_over_http_the_signing_secret_cannot_be_proven(site: Site) -> None:
    lines = await site.check(SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="invented")
    assert "ok  Slack's way in: HTTP: SLACK_SIGNING_SECRET is set; only a request from Slack can prove it" in lines


async def test_a_fixed_token_is_worth_a_word(site: Site) -> None:
    site.pbx.accept_token("fixed-token")
    lines = await site.check(UAPI_CLIENT_ID="", UAPI_CLIENT_SECRET="", UAPI_ACCESS_TOKEN="fixed-token")
    assert wrong(lines) == []
    assert [line for line in lines if line.startswith("??  PBX token: UAPI_ACCESS_TOKEN is set, and nothing renews it")]


async def test_where_the_channels_cannot_be_read_nothing_is_wrong(site: Site) -> None:
    await site.install_with("chat:write", "commands")
    lines = await site.check()
    assert wrong(lines) == []
    assert [line for line in lines if line.startswith("??  channels: C0FLOOR, C0HELP, C0ALERTS not checked: the app")]


def test_every_scope_of_the_manifest_is_looked_for() -> None:
    assert manifest_scopes() <= {*NEEDED, *OPTIONAL}


# ── what is wrong ──

WRONG: dict[str, tuple[Callable[[Site], object], dict[str, str], str]] = {
    "a bot token that Slack does not know": (
        lambda site: None,
        {"SLACK_BOT_TOKEN": "xoxb-invented"},
        "no  Slack's bot token: refused with invalid_auth. Copy SLACK_BOT_TOKEN anew",
    ),
    "an app token that Slack does not know": (
        lambda site: None,
        {"SLACK_APP_TOKEN": "xapp-invented"},
        "no  Slack's way in: Socket Mode: refused with invalid_auth. Make a new SLACK_APP_TOKEN",
    ),
    "Slack answers with a page": (
        lambda site: site.workspace.faults.add(SlackFault(method="auth.test", kind="500")),
        {},
        "no  Slack's bot token: something answers there that is not Slack",
    ),
    "Slack answers with text": (
        lambda site: site.workspace.faults.add(SlackFault(method="auth.test", kind="garbage")),
        {},
        "no  Slack's bot token: something answers there that is not Slack",
    ),
    "Slack cuts the connection": (
        lambda site: site.workspace.faults.add(SlackFault(method="auth.test", kind="lost", times=None)),
        {},
        "no  Slack's bot token: cannot be reached (ServerDisconnectedError). Check SLACK_API_URL and the network.",
    ),
    "Slack is slow": (
        lambda site: site.workspace.faults.add(SlackFault(method="auth.test", kind="slow", seconds=2.0)),
        {},
        "no  Slack's bot token: no answer in 0.5 s",
    ),
    "Slack is down": (
        lambda site: None,
        {"SLACK_API_URL": "http://127.0.0.1:9/api/"},
        "no  Slack's bot token: cannot be reached (ClientConnectorError). Check SLACK_API_URL and the network.",
    ),
    "Slack's way in is down": (
        lambda site: None,
        {"SLACK_API_URL": "http://127.0.0.1:9/api/"},
        "no  Slack's way in: Socket Mode: cannot be reached (ClientConnectorError). Check SLACK_API_URL and the network.",
    ),
    "a channel that is archived": (
        lambda site: site.workspace.add_channel("C0FLOOR", "floor", archived=True),
        {},
        "no  channel C0FLOOR: is archived; named by roles.supervisor.channels",
    ),
    "a secret that the PBX does not know": (
        lambda site: None,
        {"UAPI_CLIENT_SECRET": "invented"},
        "no  PBX token: the App is refused (invalid_client). Check UAPI_CLIENT_ID",
    ),
    "a fixed token that the PBX does not know": (
        lambda site: None,
        {"UAPI_CLIENT_ID": "", "UAPI_CLIENT_SECRET": "", "UAPI_ACCESS_TOKEN": "invented"},
        "no  scope @me @self: the token is not accepted (access_denied). Check the App, or UAPI_ACCESS_TOKEN.",
    ),
    "the PBX answers with a page": (
        lambda site: site.pbx.faults.add(Fault("html 502", path_contains="/oauth/", times=None)),
        {},
        "no  PBX token: no answer that can be read (token: HTTP 502). Check that UAPI_URL is the PBX",
    ),
    "the PBX answers with half of what it means": (
        lambda site: site.pbx.faults.add(Fault("half json", path_contains="/phoneCalls/12/", times=None)),
        {},
        "no  scope 12 @self: no answer that can be read (unreadable answer)",
    ),
    "the PBX is slow": (
        lambda site: site.pbx.faults.add(Fault("slow", path_contains="/phoneCalls/12/", seconds=2.0, times=None)),
        {},
        "no  scope 12 @self: no answer in 0.5 s",
    ),
    "the PBX is down": (
        lambda site: None,
        {"UAPI_URL": "http://127.0.0.1:9"},
        "no  PBX token: no answer that can be read (not connected (ConnectionRefusedError))",
    ),
    "a user whom the PBX does not know": (
        lambda site: site.floor.add_extension("0003*024", user="33", name="Ana Pop"),
        {},
        "no  scope 3 @self: the PBX knows no user 3 (user_invalid). Correct the uapi_user of [users.U0ANA].",
    ),
    "a database that is none": (
        lambda site: (site.folder / "callbot.db").write_text("no database, and long enough to be looked at" * 20),
        {},
        "no  ledger: The ledger cannot be opened",
    ),
    "a ledger in a folder that does not exist": (
        lambda site: None,
        {"DATABASE_URL": "sqlite:////nowhere/at/all/callbot.db"},
        "no  ledger: /nowhere/at/all/callbot.db cannot be made. Make the folder",
    ),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_has_a_line_that_says_what_to_do(site: Site, case: str) -> None:
    spoil, settings, line = WRONG[case]
    spoil(site)
    assert [said for said in wrong(await site.check(patience=0.5, **settings)) if said.startswith(line)]


async def test_missing_scopes_are_named(site: Site) -> None:
    await site.install_with("commands")
    lines = await site.check()
    assert [
        line for line in lines if line.startswith("no  Slack's scopes: missing: chat:write (to post cards). Add it")
    ]


async def test_an_extension_that_no_scope_shows_is_named(site: Site) -> None:
    site.config = CONFIG.replace('extension = "0003*210"', 'extension = ["0003*210", "0003*219"]')
    lines = await site.check()
    assert [line for line in lines if line.startswith("no  extensions: no scope shows 0003*219 of [users.U0BOB]")]


async def test_an_extension_that_its_own_users_list_lacks_is_missing_whatever_other_lists_say(site: Site) -> None:
    site.config = CONFIG.replace('extension = "0003*210"', 'extension = ["0003*210", "0003*219"]')
    site.floor.add_extension("0003*024", user="33", name="Ana Pop")
    lines = await site.check()
    assert [line for line in lines if line.startswith("no  extensions: no scope shows 0003*219 of [users.U0BOB]:")]


async def test_a_channel_that_the_bot_is_not_in_is_worth_a_look(site: Site) -> None:
    site.workspace.add_channel("C0HELP", "help", bot_is_member=False)
    lines = await site.check()
    assert wrong(lines) == []
    keys = "roles.supervisor.channels, help.channel"
    assert f"??  channel C0HELP: the bot is not in it, so it cannot post there; named by {keys}. /invite it." in lines


async def test_an_alerts_channel_that_the_bot_is_not_in_is_found_with_the_scopes_of_the_manifest(site: Site) -> None:
    await site.install_with(*manifest_scopes())
    site.workspace.add_channel("C0ALERTS", "alerts", bot_is_member=False)
    says = "??  channel C0ALERTS: the bot is not in it, so it cannot post there; named by alerts.0.channel. /invite it."
    assert [line for line in await site.check() if "channel C0" in line] == [
        "ok  channel C0FLOOR: the bot is in it; named by roles.supervisor.channels",
        "ok  channel C0HELP: the bot is in it; named by roles.supervisor.channels, help.channel",
        says.replace("by alerts", "by roles.supervisor.channels, alerts"),
    ]


async def test_no_message_of_a_channel_is_read(site: Site) -> None:
    await site.install_with(*manifest_scopes())
    site.workspace.add_person("U0ANA", "ana")
    site.workspace.say("U0ANA", "C0ALERTS", "Good morning")
    await site.check()
    read = [call for call in site.workspace.calls if call.method == "conversations.history"]
    assert [(call.args["latest"], call.args["limit"]) for call in read] == [("1", "1")] * 3


async def test_an_alerts_channel_that_does_not_exist_is_named(site: Site) -> None:
    await site.install_with(*manifest_scopes())
    site.config = CONFIG.replace('channel = "C0ALERTS"', 'channel = "C0ALERT"')
    says = "??  channel C0ALERT: refused with channel_not_found; named by alerts.0.channel. Check the id"
    assert [line for line in await site.check() if line.startswith(says)]


async def test_a_private_channel_whose_history_is_closed_to_the_app_is_not_looked_at(site: Site) -> None:
    await site.install_with("chat:write", "commands", "channels:history")
    site.config = CONFIG.replace("C0ALERTS", "G0ALERTS")
    lines = [line for line in await site.check() if "G0ALERTS" in line]
    assert [line.split(":")[0] for line in lines] == ["??  channels"]


async def test_an_alert_that_nobody_may_act_on_from_its_channel_is_named(site: Site) -> None:
    site.config = CONFIG.replace('"C0HELP", "C0ALERTS"', '"C0HELP"')
    says = (
        "??  configuration: alerts.0 (“Rings unanswered”): nobody may act from C0ALERTS on the calls that it is about."
    )
    assert [line for line in await site.check() if line.startswith(says)]


async def test_an_error_in_an_alert_is_told_as_it_is_at_the_start(site: Site) -> None:
    site.config = CONFIG.replace('when = "ringing"', 'when = "waiting"').replace("longer_than = 20", "longer_than = -1")
    assert [line for line in await site.check() if line.startswith("no  configuration:")] == [
        "no  configuration: callbot.toml: alerts.0.when: Input should be 'ringing', 'talking', 'on_hold' or 'parked'",
        "no  configuration: callbot.toml: alerts.0.longer_than: Input should be greater than or equal to 0",
    ]


async def test_where_the_phones_cannot_be_listed_nobody_is_said_to_be_missing(site: Site) -> None:
    site.config = CONFIG.replace('extension = "0003*210"', 'extension = ["0003*210", "0003*219"]')
    site.pbx.faults.add(Fault("html 500", path_contains="/presence", times=None))
    lines = await site.check(patience=3.0)
    assert [line for line in lines if line.startswith("??  extensions: not known for")]


async def test_every_error_of_the_settings_is_told_and_the_rest_is_looked_at(site: Site) -> None:
    lines = await site.check(SLACK_BOT_TOKEN="", PORT="70000")
    assert len([line for line in lines if line.startswith("no  settings:")]) == 2
    assert [line[:11] for line in lines if line.startswith("ok  PBX")] == ["ok  PBX tok", "ok  PBX clo"]


async def test_every_error_of_the_configuration_is_told_and_the_rest_is_looked_at(site: Site) -> None:
    site.config = CONFIG.replace("0003*2XX", "0003*2*").replace('roles = ["agent"]', 'roles = ["agnet"]')
    lines = await site.check()
    assert len([line for line in lines if line.startswith("no  configuration:")]) == 2
    assert [line for line in lines if line.startswith("ok  scope @me @self")]


async def test_a_ledger_that_is_not_there_yet_is_not_made(site: Site) -> None:
    (site.folder / "callbot.db").unlink()
    lines = await site.check()
    assert [line for line in lines if line.startswith("??  ledger")]
    assert [path.name for path in site.folder.iterdir()] == ["callbot.toml"]


@pytest.mark.parametrize(
    ("revision", "begins"), [("9999", "no  ledger: The ledger was written by a newer"), ("0001", "??  ledger")]
)
async def test_a_ledger_of_another_version_is_not_migrated(site: Site, revision: str, begins: str) -> None:
    with sqlite3.connect(site.folder / "callbot.db") as ledger:
        ledger.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    ledger.close()
    assert [line for line in await site.check() if line.startswith(begins)]


# ── the command itself ──


@pytest.mark.parametrize(
    ("settings", "code"), [({}, 0), ({"UAPI_CLIENT_SECRET": "invented"}, 1)], ids=["right", "wrong"]
)
async def test_the_exit_code_says_whether_anything_is_wrong(site: Site, settings: dict[str, str], code: int) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "check"),
        cwd=site.folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | site.environment(**settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await asyncio.wait_for(process.communicate(), 20))[0].decode()
    assert process.returncode == code, said
    assert [line for line in said.splitlines() if line[:4] not in {"ok  ", "no  ", "??  "}] == []
