"""`callbot check`: what callbot.toml and its directory say, and what they may not mean. No I/O here."""

from collections.abc import Collection, Iterable, Iterator, Mapping

from bot.app.config import Config
from bot.app.findings import Finding, counted, ok, remark, some
from bot.domain.permissions import ExtensionPattern, Permissions

LONG_LOOK = 5.0
"""Seconds for one look at all live calls that make a list or an alert late."""


def review(config: Config, rules: Permissions) -> Iterator[Finding]:
    """What is there, and what is allowed and surely not meant."""
    people, roles = counted(len(rules.people), "person", "people"), counted(len(rules.roles), "role")
    yield ok("map", f"{people}, {roles}, {counted(len(config.alerts), 'alert')}")
    if config.directory is not None:
        directory = rules.directory
        agents, teams = counted(len(directory.agents), "extension"), counted(len(directory.teams), "team")
        yield ok("directory", f"{config.directory.file}: {agents}, {teams}")
    for mistake in config.unknown_teams(rules.directory):
        yield remark("map", f"{mistake}, so it covers nobody. Correct the name, or add the team to the directory.")
    yield from _roles(rules)
    yield from _numbers(config)
    yield from _rate_limit(config, rules)


def known_extensions(rules: Permissions) -> dict[str, str]:
    """Every extension of map and directory, with where it stands."""
    known = dict.fromkeys((agent.extension for agent in rules.directory.agents), "the directory")
    for person in rules.people.values():
        known |= dict.fromkeys(person.extensions, f"[users.{person.slack_user}]")
    return known


def channels_named(config: Config) -> dict[str, list[str]]:
    """Every channel that the map names, with the keys that name it."""
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


def _roles(rules: Permissions) -> Iterator[Finding]:
    given = {role for person in rules.people.values() for role in person.roles}
    unused = [name for name in rules.roles if name not in given]
    if unused:
        yield remark("map", f"nobody has the role {some(unused)}. Give it to somebody, or take it out.")
    without = [f"users.{person.slack_user}" for person in rules.people.values() if not person.roles]
    if without:
        yield remark("map", f"no role at all: {some(without)}. They may see their own calls and ask for nothing.")
    known = known_extensions(rules)
    for name, role in rules.roles.items():
        nothing = idle(role.extensions, known, rules.directory.teams)
        if nothing:
            yield remark(
                "map",
                f"roles.{name}.extensions: {some(nothing)} covers no extension of the map or the directory. "
                "Right, if those phones have no names here; else correct the pattern.",
            )


def idle(
    patterns: Iterable[ExtensionPattern], known: Collection[str], teams: Mapping[str, frozenset[str]]
) -> list[str]:
    """The patterns that cover nothing known. Teams are spoken of elsewhere."""
    digits = [pattern for pattern in patterns if pattern.team is None]
    return [pattern.text for pattern in digits if not any(pattern.covers(extension, teams) for extension in known)]


def _numbers(config: Config) -> Iterator[Finding]:
    """Numbers of callers, where their national spelling is not understood."""
    places = {"protected.callers": config.protected.callers}
    places |= {f"alerts.{number}.callers": alert.callers or [] for number, alert in enumerate(config.alerts)}
    named = [place for place, patterns in places.items() if patterns]
    if named and config.protected.country is None:
        yield remark(
            "map",
            f"{some(named)}: only numbers with the country code are understood, as +1 555 or 001 555, not the national "
            'spelling. Set country in [protected], for example country = "+1", so that each spelling is the same number.',
        )


def _rate_limit(config: Config, rules: Permissions) -> Iterator[Finding]:
    scopes, rate_limit = len(rules.scopes()), config.watch.max_requests_per_second
    if scopes / rate_limit > LONG_LOOK:
        yield remark(
            "watch",
            f"{scopes} scopes at {rate_limit:g} requests a second take {scopes / rate_limit:.0f} s for one look at all live calls. Name "
            "fewer in [watch] scopes (default_user may see every call), or raise max_requests_per_second.",
        )
