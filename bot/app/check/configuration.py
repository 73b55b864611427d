"""`callbot check`: what is in callbot.toml and its directory, and what of it is valid and probably not meant. No I/O here."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from bot.app.config import Config
from bot.app.output import Finding, counted, ok, remark, some
from bot.domain.permissions import ExtensionPattern, Permissions

LONG_SCAN = 5.0
"""Seconds for one scan of all live calls after which lists and alerts come late."""


def review(config: Config, permissions: Permissions) -> Iterator[Finding]:
    """What is there, and what is valid and probably not meant."""
    people, roles = counted(len(permissions.people), "person", "people"), counted(len(permissions.roles), "role")
    yield ok("configuration", f"{people}, {roles}, {counted(len(config.alerts), 'alert')}")
    if config.directory is not None:
        directory = permissions.directory
        agents, teams = counted(len(directory.agents), "extension"), counted(len(directory.teams), "team")
        yield ok("directory", f"{config.directory.file}: {agents}, {teams}")
    for unknown in config.unknown_teams(permissions.directory):
        yield remark(
            "configuration", f"{unknown}, so it covers nobody. Correct the name, or add the team to the directory."
        )
    yield from _roles(permissions)
    yield from _numbers(config)
    yield from _rate_limit(config, permissions)


def known_extensions(permissions: Permissions) -> dict[str, str]:
    """Every extension in callbot.toml and the directory, with the place where it is."""
    known = dict.fromkeys((agent.extension for agent in permissions.directory.agents), "the directory")
    for person in permissions.people.values():
        known |= dict.fromkeys(person.extensions, f"[users.{person.slack_user}]")
    return known


def channels_named(config: Config) -> dict[str, list[str]]:
    """Every channel in callbot.toml, with the keys that name it."""
    named: dict[str, list[str]] = {}
    for role, table in config.roles.items():
        for channel in table.channels or ():
            named.setdefault(channel, []).append(f"roles.{role}.channels")
    for channel in config.cards.silent_in:
        named.setdefault(channel, []).append("cards.silent_in")
    if config.help.channel is not None:
        named.setdefault(config.help.channel, []).append("help.channel")
    for number, alert in enumerate(config.alerts):
        named.setdefault(alert.channel, []).append(f"alerts.{number}.channel")
    return named


def _roles(permissions: Permissions) -> Iterator[Finding]:
    given = {role for person in permissions.people.values() for role in person.roles}
    unused = [name for name in permissions.roles if name not in given]
    if unused:
        yield remark("configuration", f"nobody has the role {some(unused)}. Give it to somebody, or take it out.")
    without = [f"users.{person.slack_user}" for person in permissions.people.values() if not person.roles]
    if without:
        yield remark(
            "configuration", f"no role at all: {some(without)}. They may see their own calls and ask for nothing."
        )
    known = known_extensions(permissions)
    for name, role in permissions.roles.items():
        nothing = idle(role.extensions, known, permissions.directory.teams)
        if nothing:
            yield remark(
                "configuration",
                f"roles.{name}.extensions: {some(nothing)} covers no extension of callbot.toml or the directory. "
                "Right, if those phones have no names here; else correct the pattern.",
            )


def idle(
    patterns: Iterable[ExtensionPattern], known: Collection[str], teams: Mapping[str, frozenset[str]]
) -> list[str]:
    """The patterns of digits that cover no known extension. Unknown teams are reported by `review`."""
    digits = [pattern for pattern in patterns if pattern.team is None]
    return [pattern.text for pattern in digits if not any(pattern.covers(extension, teams) for extension in known)]


def _numbers(config: Config) -> Iterator[Finding]:
    """Warns about patterns of callers without a country: national spellings are not understood then."""
    places = {"protected.callers": config.protected.callers}
    places |= {f"alerts.{number}.callers": alert.callers or [] for number, alert in enumerate(config.alerts)}
    named = [place for place, patterns in places.items() if patterns]
    if named and config.protected.country is None:
        yield remark(
            "configuration",
            f"{some(named)}: only numbers with the country code are understood, as +1 555 or 001 555, not the national "
            'spelling. Set country in [protected], for example country = "+1", so that each spelling is the same number.',
        )


def _rate_limit(config: Config, permissions: Permissions) -> Iterator[Finding]:
    scopes, rate_limit = len(permissions.scopes()), config.watch.max_requests_per_second
    if scopes / rate_limit > LONG_SCAN:
        yield remark(
            "watch",
            f"{scopes} scopes at {rate_limit:g} requests a second take {scopes / rate_limit:.0f} s for one scan of all live calls. Name "
            "fewer in [watch] scopes (default_user may see every call), or raise max_requests_per_second.",
        )
