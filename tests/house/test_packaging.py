"""The image, the compose file and the service agree with the code: its settings, its folders, how long it takes to end.

What they need of their own tools (a linter, compose, systemd) is checked in `.ci/run`, which also does the steps of
the Dockerfile in a folder and runs what comes out.
"""

import asyncio
import re
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

from bot.app.bot import STOP
from bot.app.settings import Settings, read_settings
from bot.ledger.address import Address
from bot.slack.http import web_application

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SETTINGS = {name.upper() for name in Settings.model_fields}
TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-invented",
    "SLACK_APP_TOKEN": "xapp-invented",
    "UAPI_URL": "https://pbx.example.com",
    "UAPI_ACCESS_TOKEN": "invented",
}


def instructions(name: str) -> list[str]:
    """The arguments of every instruction of that name in the Dockerfile, in order."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return re.findall(rf"^{name} +(.+)$", joined, re.MULTILINE)


def words(argument: str) -> list[str]:
    """The exec form of an instruction, `["callbot"]`."""
    return [str(word) for word in yaml.safe_load(argument)]


COPIED = [source for copy in instructions("COPY") if not copy.startswith("--from=") for source in copy.split()[:-1]]
IMAGE_ENVIRONMENT = dict(re.findall(r"(\w+)=(\S+)", " ".join(instructions("ENV"))))


# ── Dockerfile ──


def test_the_image_has_a_python_that_the_project_takes() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=").split(".")
    versions = [re.match(r"python:(\d+)\.(\d+)-slim", base) for base in instructions("FROM")]
    assert all(
        version is not None and list(map(int, version.groups())) >= list(map(int, oldest)) for version in versions
    )


def test_the_environment_is_built_by_the_python_that_it_runs_on() -> None:
    assert len({base.split()[0] for base in instructions("FROM")}) == 1


def test_the_image_does_not_run_as_root() -> None:
    (user,) = instructions("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_ledgers_folder_belongs_to_the_user_of_the_image() -> None:
    (user,) = instructions("USER")
    owner, group = user.split(":")
    assert any(f"install -d -o {owner} -g {group} -m 0700 /var/lib/callbot" in step for step in instructions("RUN"))


def test_the_container_starts_a_command_that_the_project_installs() -> None:
    (program,) = words(instructions("ENTRYPOINT")[0])
    assert program in PROJECT["scripts"]
    assert words(instructions("CMD")[0]) == ["run"]


def test_the_container_is_ended_as_callbot_ends() -> None:
    assert instructions("STOPSIGNAL") == ["SIGTERM"]


def test_the_image_sets_only_settings_that_exist() -> None:
    assert set(IMAGE_ENVIRONMENT) - {"PATH"} <= SETTINGS


def test_callbot_starts_with_what_the_image_sets() -> None:
    settings = read_settings({**TOKENS, **IMAGE_ENVIRONMENT})
    assert (settings.host, settings.metrics_host) == ("0.0.0.0", "0.0.0.0")
    assert [f"{settings.port} {settings.metrics_port}"] == instructions("EXPOSE")


def test_map_and_ledger_of_the_image_lie_in_its_volumes() -> None:
    volumes = {Path(folder) for folder in words(instructions("VOLUME")[0])}
    ledger = Address(IMAGE_ENVIRONMENT["DATABASE_URL"]).file
    assert ledger is not None
    assert {Path(IMAGE_ENVIRONMENT["CALLBOT_CONFIG"]).parent, ledger.parent} == volumes


def test_exactly_what_is_copied_gets_out_of_the_checkout() -> None:
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert first == "*"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(COPIED)


def test_everything_that_is_copied_exists() -> None:
    assert [name for name in COPIED if not (ROOT / name).exists()] == []


# ── its health check ──


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[web.Application], Awaitable[int]]]:
    """Serves an application on this machine; gives its port."""
    runners: list[web.AppRunner] = []

    async def start(application: web.Application) -> int:
        runner = web.AppRunner(application)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return int(runner.addresses[0][1])

    yield start
    for runner in runners:
        await runner.cleanup()


async def health(port: int) -> tuple[int | None, str]:
    """What the image's health check ends with, and says."""
    (command,) = (words(argument.partition(" CMD ")[2]) for argument in instructions("HEALTHCHECK"))
    script = ROOT / "packaging" / Path(command[-1]).name
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command[1:-1], str(script)), env={"PORT": str(port)}, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    return process.returncode, said.decode().strip()


async def test_the_health_check_finds_callbot_alive(serve: Callable[[web.Application], Awaitable[int]]) -> None:
    port = await serve(web_application(ready=lambda: False))
    assert await health(port) == (0, "")


async def test_the_health_check_fails_where_callbot_does_not_listen(unused_port: int) -> None:
    assert await health(unused_port) == (1, "/healthz does not answer (ConnectionRefusedError)")


async def test_the_health_check_fails_where_something_else_answers(
    serve: Callable[[web.Application], Awaitable[int]],
) -> None:
    assert await health(await serve(web.Application())) == (1, "/healthz answers 404")


@pytest.fixture
async def unused_port() -> int:
    """A port that was free a moment ago."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = int(server.sockets[0].getsockname()[1])
    server.close()
    await server.wait_closed()
    return port


# ── compose.yml ──


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yml").read_text())


def test_compose_sets_only_settings_that_exist(compose: Any) -> None:
    # PGPASSWORD is PostgreSQL's own ("Environment Variables"), and asyncpg reads it.
    assert set(compose["services"]["callbot"]["environment"]) - {"PGPASSWORD"} <= SETTINGS


def test_callbot_starts_with_what_compose_sets(compose: Any) -> None:
    settings = read_settings({**TOKENS, **compose["services"]["callbot"]["environment"]})
    assert Address(settings.database_url).file is None


def test_the_ledgers_address_is_that_of_the_database_beside_callbot(compose: Any) -> None:
    database = compose["services"]["postgres"]["environment"]
    address = compose["services"]["callbot"]["environment"]["DATABASE_URL"]
    assert address == f"postgresql://{database['POSTGRES_USER']}@postgres/{database['POSTGRES_DB']}"


@pytest.mark.parametrize(("service", "name"), [("callbot", "PGPASSWORD"), ("postgres", "POSTGRES_PASSWORD")])
def test_the_password_of_the_database_has_no_default(compose: Any, service: str, name: str) -> None:
    assert compose["services"][service]["environment"][name].startswith("${POSTGRES_PASSWORD:?")


def test_nobody_reaches_the_database_but_callbot(compose: Any) -> None:
    database = compose["services"]["postgres"]
    assert "ports" not in database
    assert all(compose["networks"][network]["internal"] for network in database["networks"])


def test_callbot_waits_for_a_database_that_is_ready(compose: Any) -> None:
    assert compose["services"]["callbot"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert compose["services"]["postgres"]["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]


def test_callbot_is_reached_from_this_machine_alone(compose: Any) -> None:
    environment = compose["services"]["callbot"]["environment"]
    ports = [environment[name] for name in ("PORT", "METRICS_PORT")]
    assert compose["services"]["callbot"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in ports]


def test_the_maps_folder_is_mounted_and_cannot_be_written(compose: Any) -> None:
    callbot = compose["services"]["callbot"]
    folder = Path(callbot["environment"]["CALLBOT_CONFIG"]).parent
    assert [mount.split(":")[1:] for mount in callbot["volumes"]] == [[str(folder), "ro"]]


def test_compose_gives_callbot_the_time_to_end(compose: Any) -> None:
    seconds = int(compose["services"]["callbot"]["stop_grace_period"].removesuffix("s"))
    assert seconds >= 15 > STOP["all"]


def test_callbots_container_can_write_nothing_and_become_nobody_else(compose: Any) -> None:
    callbot = compose["services"]["callbot"]
    assert callbot["read_only"] is True
    assert callbot["cap_drop"] == ["ALL"]
    assert callbot["security_opt"] == ["no-new-privileges:true"]


# ── callbot.service ──


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    """The directives of the service, each with all its values."""
    directives: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", (ROOT / "packaging" / "callbot.service").read_text(), re.MULTILINE):
        directives.setdefault(name, []).append(value)
    return directives


def test_the_service_starts_a_command_that_the_project_installs(unit: dict[str, list[str]]) -> None:
    program, *arguments = unit["ExecStart"][0].split()
    assert Path(program).name in PROJECT["scripts"]
    assert arguments == ["run"]


def test_the_service_gives_callbot_the_time_to_end(unit: dict[str, list[str]]) -> None:
    assert int(unit["TimeoutStopSec"][0]) >= 15 > STOP["all"]


def test_callbot_starts_with_what_the_service_sets(unit: dict[str, list[str]]) -> None:
    environment = dict(value.split("=", 1) for value in unit["Environment"])
    settings = read_settings({**TOKENS, **environment})
    assert (settings.metrics_port, settings.metrics_host) == (9464, "127.0.0.1")
    ledger = Address(settings.database_url).file
    assert ledger is not None
    assert ledger.parent == Path("/var/lib", unit["StateDirectory"][0])


def test_an_error_in_the_settings_does_not_start_the_service_again_and_again(unit: dict[str, list[str]]) -> None:
    assert unit["Restart"] == ["on-failure"]
    assert unit["RestartPreventExitStatus"] == ["2"]


@pytest.mark.parametrize(
    ("directive", "value"),
    [
        ("User", "callbot"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
        ("EnvironmentFile", "/etc/callbot/.env"),
        ("WorkingDirectory", "/etc/callbot"),
        ("After", "network-online.target postgresql.service"),
        ("Wants", "network-online.target"),
    ],
)
def test_the_service_is_kept_to_what_it_needs(unit: dict[str, list[str]], directive: str, value: str) -> None:
    assert unit[directive] == [value]
