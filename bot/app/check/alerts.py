"""`callbot check`: what `[[alerts]]` and `[help]` may not mean, and whether anybody may act on what they post. No I/O here."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from bot.alerts.alert import AlertRule
from bot.app.check.configuration import idle, known_extensions
from bot.app.config import Config
from bot.app.findings import Finding, remark, some
from bot.domain.permissions import ExtensionPattern, Permissions, Person, Role

Teams: TypeAlias = Mapping[str, frozenset[str]]
"""The extensions of each team of the directory."""
GIVE = "Give somebody a role with an action, with {}, and with this channel or with none."


def review_alerts(config: Config, rules: Permissions) -> Iterator[Finding]:
    """What is allowed and surely not meant: the alert rules in their order, then `[help]`."""
    known = known_extensions(rules)
    first: dict[str, int] = {}
    for number, rule in enumerate(config.alert_rules()):
        same = first.setdefault(rule.key, number)
        if same != number:
            yield remark(
                "map",
                f"alerts.{number} has the name, condition and channel of alerts.{same}: on one call the two are one alert. "
                "Give it another name.",
            )
        yield from _patterns(number, rule, known, rules)
        if not _anybody_for(rule, rules):
            yield remark(
                "map",
                f"alerts.{number} (“{rule.name}”): nobody may act from {rule.channel} on the calls that it is about. "
                + GIVE.format("an extension of the alert"),
            )
    yield from _help(config, rules)


def _patterns(number: int, rule: AlertRule, known: Mapping[str, str], rules: Permissions) -> Iterator[Finding]:
    key, patterns, teams = f"alerts.{number}.extensions", rule.extensions or (), rules.directory.teams
    nothing = idle(patterns, known, teams)
    if nothing:
        yield remark(
            "map",
            f"{key}: {some(nothing)} covers no extension of the map or the directory. "
            "Right, if those phones have no names here; else correct the pattern.",
        )
    hidden = [pattern.text for pattern in patterns if _lies_within(pattern, rules.protected_extensions, teams)]
    if hidden:
        yield remark("map", f"{key}: {some(hidden)} is in [protected], so no alert is raised for it. Take it out.")


def _anybody_for(rule: AlertRule, rules: Permissions) -> bool:
    """Whether some person has a role that lets them do something, from the alert's channel, on some extension of it."""
    teams, covered = rules.directory.teams, _acted_on_from(rule.channel, rules)
    if rule.extensions is None:
        return any(pattern.team is None or teams.get(pattern.team) for pattern in covered)
    return any(overlap(one, pattern, teams) for one in rule.extensions for pattern in covered)


def _help(config: Config, rules: Permissions) -> Iterator[Finding]:
    """The agents whose raised hand nobody could take. Without a channel nobody can raise one, and is told so."""
    channel = config.help.channel
    if channel is None:
        return
    teams, covered = rules.directory.teams, _acted_on_from(channel, rules)
    agents = [person for person in rules.people.values() if not _acting(person, rules)]
    alone = [
        f"users.{agent.slack_user}"
        for agent in agents
        if not any(
            pattern.covers(extension, teams)
            for extension in rules.extensions_of(agent.slack_user)
            for pattern in covered
        )
    ]
    if alone:
        yield remark(
            "map",
            f"help.channel: nobody may act from {channel} on the calls of {some(alone)}, if they ask for help. "
            + GIVE.format("their extensions"),
        )


def _acted_on_from(channel: str, rules: Permissions) -> frozenset[ExtensionPattern]:
    """The extensions that somebody may do something to from this channel."""
    roles = (role for person in rules.people.values() for role in _acting(person, rules))
    return frozenset(
        pattern for role in roles if role.channels is None or channel in role.channels for pattern in role.extensions
    )


def _acting(person: Person, rules: Permissions) -> list[Role]:
    """Those roles of somebody that allow any action, wherever they ask."""
    return [rules.roles[name] for name in person.roles if name in rules.roles and rules.roles[name].actions]


# ── patterns against patterns ──


def overlap(one: ExtensionPattern, other: ExtensionPattern, teams: Teams) -> bool:
    """Whether some extension is covered by both."""
    if one.team is not None:
        return any(other.covers(extension, teams) for extension in teams.get(one.team, ()))
    if other.team is not None:
        return any(one.covers(extension, teams) for extension in teams.get(other.team, ()))
    return len(one.text) == len(other.text) and all(map(_same_sign, one.text, other.text))


def _same_sign(one: str, other: str) -> bool:
    return one == other or ("X" in {one, other} and "*" not in {one, other})


def _lies_within(pattern: ExtensionPattern, others: Iterable[ExtensionPattern], teams: Teams) -> bool:
    """Whether all that the pattern covers, and that is somebody, is covered by one of the others."""
    if pattern.team is not None:
        members = teams.get(pattern.team, frozenset())
        return bool(members) and all(any(other.covers(each, teams) for other in others) for each in members)
    return any(_contains(other, pattern, teams) for other in others)


def _contains(wide: ExtensionPattern, narrow: ExtensionPattern, teams: Teams) -> bool:
    """Whether a pattern covers every extension of a pattern of digits. A team has no room for one with an X."""
    if "X" not in narrow.text:
        return wide.covers(narrow.text, teams)
    if wide.team is not None or len(wide.text) != len(narrow.text):
        return False
    return all(a in {b, "X"} for a, b in zip(wide.text, narrow.text, strict=True))
