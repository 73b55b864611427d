"""`callbot check`: what is in callbot.toml and its directory, and what of it is valid and probably not meant. No I/O here."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from bot.alerts.alert import AlertRule
from bot.app.config import Config
from bot.app.output import Finding, counted, ok, remark, some
from bot.domain.permissions import ExtensionPattern, Permissions, Person, Role

Teams: TypeAlias = Mapping[str, frozenset[str]]
"""The extensions of each team of the directory."""
LONG_SCAN = 5.0
"""Seconds for one scan of all live calls after which lists and alerts come late."""
GIVE = "Give somebody a role with an action, with {}, and with this channel or with none."


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
        nothing = _idle(role.extensions, known, permissions.directory.teams)
        if nothing:
            yield remark(
                "configuration",
                f"roles.{name}.extensions: {some(nothing)} covers no extension of callbot.toml or the directory. "
                "Right, if those phones have no names here; else correct the pattern.",
            )


def _idle(patterns: Iterable[ExtensionPattern], known: Collection[str], teams: Teams) -> list[str]:
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
    scopes, rate_limit = len(permissions.scopes), config.watch.max_requests_per_second
    if scopes / rate_limit > LONG_SCAN:
        yield remark(
            "watch",
            f"{scopes} scopes at {rate_limit:g} requests a second take {scopes / rate_limit:.0f} s for one scan of all live calls. Name "
            "fewer in [watch] scopes (default_user may see every call), or raise max_requests_per_second.",
        )


# ── alerts and help requests ──


def review_alerts(config: Config, permissions: Permissions) -> Iterator[Finding]:
    """What is valid and probably not meant: in the alert rules in their order, then in `[help]`."""
    known = known_extensions(permissions)
    first: dict[str, int] = {}
    for number, rule in enumerate(config.alert_rules()):
        same = first.setdefault(rule.key, number)
        if same != number:
            yield remark(
                "configuration",
                f"alerts.{number} has the name, condition and channel of alerts.{same}: on one call the two are one alert. "
                "Give it another name.",
            )
        yield from _patterns(number, rule, known, permissions)
        if not _anybody_for(rule, permissions):
            yield remark(
                "configuration",
                f"alerts.{number} (“{rule.name}”): nobody may act from {rule.channel} on the calls that it is about. "
                + GIVE.format("an extension of the alert"),
            )
    yield from _help(config, permissions)


def _patterns(number: int, rule: AlertRule, known: Mapping[str, str], permissions: Permissions) -> Iterator[Finding]:
    key, patterns, teams = f"alerts.{number}.extensions", rule.extensions or (), permissions.directory.teams
    nothing = _idle(patterns, known, teams)
    if nothing:
        yield remark(
            "configuration",
            f"{key}: {some(nothing)} covers no extension of callbot.toml or the directory. "
            "Right, if those phones have no names here; else correct the pattern.",
        )
    hidden = [pattern.text for pattern in patterns if _lies_within(pattern, permissions.protected_extensions, teams)]
    if hidden:
        yield remark(
            "configuration", f"{key}: {some(hidden)} is in [protected], so no alert is raised for it. Take it out."
        )


def _anybody_for(rule: AlertRule, permissions: Permissions) -> bool:
    """Whether somebody may act, from the channel of the rule, on any extension that the rule is about."""
    teams, covered = permissions.directory.teams, _acted_on_from(rule.channel, permissions)
    if rule.extensions is None:
        return any(pattern.team is None or teams.get(pattern.team) for pattern in covered)
    return any(overlap(one, pattern, teams) for one in rule.extensions for pattern in covered)


def _help(config: Config, permissions: Permissions) -> Iterator[Finding]:
    """The agents whose help requests nobody may act on. Without a channel for them nobody can ask for help."""
    channel = config.help.channel
    if channel is None:
        return
    teams, covered = permissions.directory.teams, _acted_on_from(channel, permissions)
    agents = [person for person in permissions.people.values() if not _acting(person, permissions)]
    alone = [
        f"users.{agent.slack_user}"
        for agent in agents
        if not any(
            pattern.covers(extension, teams)
            for extension in permissions.extensions_of(agent.slack_user)
            for pattern in covered
        )
    ]
    if alone:
        yield remark(
            "configuration",
            f"help.channel: nobody may act from {channel} on the calls of {some(alone)}, if they ask for help. "
            + GIVE.format("their extensions"),
        )


def _acted_on_from(channel: str, permissions: Permissions) -> frozenset[ExtensionPattern]:
    """The extensions on which somebody may act from this channel."""
    roles = (role for person in permissions.people.values() for role in _acting(person, permissions))
    return frozenset(
        pattern for role in roles if role.channels is None or channel in role.channels for pattern in role.extensions
    )


def _acting(person: Person, permissions: Permissions) -> list[Role]:
    """The roles of a person that permit any action, in whatever channel."""
    return [
        permissions.roles[name]
        for name in person.roles
        if name in permissions.roles and permissions.roles[name].actions
    ]


# ── patterns against patterns ──


def overlap(one: ExtensionPattern, other: ExtensionPattern, teams: Teams) -> bool:
    """Whether both patterns cover some extension."""
    if one.team is not None:
        return any(other.covers(extension, teams) for extension in teams.get(one.team, ()))
    if other.team is not None:
        return any(one.covers(extension, teams) for extension in teams.get(other.team, ()))
    return len(one.text) == len(other.text) and all(map(_same_sign, one.text, other.text))


def _same_sign(one: str, other: str) -> bool:
    return one == other or ("X" in {one, other} and "*" not in {one, other})


def _lies_within(pattern: ExtensionPattern, others: Iterable[ExtensionPattern], teams: Teams) -> bool:
    """Whether the other patterns cover every extension that this one covers."""
    if pattern.team is not None:
        members = teams.get(pattern.team, frozenset())
        return bool(members) and all(any(other.covers(each, teams) for other in others) for each in members)
    return any(_contains(other, pattern, teams) for other in others)


def _contains(wide: ExtensionPattern, narrow: ExtensionPattern, teams: Teams) -> bool:
    """Whether `wide` covers every extension of `narrow`, a pattern of digits. No team covers a pattern with an X."""
    if "X" not in narrow.text:
        return wide.covers(narrow.text, teams)
    if wide.team is not None or len(wide.text) != len(narrow.text):
        return False
    return all(a in {b, "X"} for a, b in zip(wide.text, narrow.text, strict=True))
