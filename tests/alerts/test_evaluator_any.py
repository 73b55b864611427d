"""Any calls, in any time zones and any parts: no rule fires too early, none twice, and none is left out."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.alerts.alert import AlertRule, When
from bot.alerts.evaluator import Evaluator, RuleIndex, RuleMatch
from bot.domain.calls import EXTENSION, PhoneCall, PhoneCallView, caller_numbers
from bot.domain.permissions import CallerPattern, ExtensionPattern

quick = settings(max_examples=60, deadline=None)
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EXTENSIONS = ["0003*210", "0003*211", "0004*210", "210", ""]
ZONES = st.integers(-56, 56).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
INSTANTS = st.none() | st.integers(-90000, 7200).map(lambda second: NOON + timedelta(seconds=second))


@st.composite
def views(draw: st.DrawFn) -> dict[str, Any]:
    shown: dict[str, Any] = {name: draw(INSTANTS) for name in ("answered", "onHold", "parked")}
    return shown | {
        "id": draw(st.sampled_from(["00", "01", "02", ".", ""])),
        "extension": draw(st.sampled_from(EXTENSIONS)),
        "source": draw(st.sampled_from([[], ["+15550100"], ["0003*210", "15550101"]])),
        "callerId": draw(st.sampled_from(["", "Jane Roe <+15550100>"])),
        "status": draw(st.sampled_from([0, 3, 4, 5, 5])),
    }


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "id": draw(st.sampled_from(["c1", "c2", "c3"])),
        "published": draw(st.sampled_from([None, NOON - timedelta(hours=1)]) | INSTANTS),
        "answered": draw(INSTANTS),
        "phoneCallView": draw(st.lists(views(), max_size=3)),
    }


@st.composite
def rules(draw: st.DrawFn) -> AlertRule:
    patterns = st.sampled_from(["0003*210", "0003*2XX", "XXXX*210", "team:sales"]).map(ExtensionPattern)
    callers = st.sampled_from(["+15550100", "1555010X", "XXXXXXXX"]).map(CallerPattern)
    return AlertRule(
        name=draw(st.sampled_from(["one", "two"])),
        when=draw(st.sampled_from(When)),
        longer_than=timedelta(seconds=draw(st.integers(0, 4000))),
        channel="C0ALERTS",
        extensions=draw(st.none() | st.lists(patterns, max_size=2).map(tuple)),
        callers=draw(st.none() | st.lists(callers, max_size=2).map(tuple)),
    )


RULES = st.lists(rules(), max_size=6).map(tuple)
PAUSES = st.integers(1, 4000).map(lambda second: timedelta(seconds=second))
SCANS = st.lists(st.tuples(PAUSES, st.lists(calls(), max_size=5), st.booleans()), min_size=1, max_size=6)
TEAMS = {"sales": frozenset({"0003*211"})}


def written(shown: Any, zone: Any = UTC) -> Any:
    """As the PBX would write it: dates in that zone, or in the next of those."""
    if isinstance(shown, datetime):
        return shown.astimezone(zone if zone is UTC else next(zone)).isoformat()
    if isinstance(shown, dict):
        return {name: written(value, zone) for name, value in shown.items()}
    return [written(value, zone) for value in shown] if isinstance(shown, list) else shown


def read(shown: list[dict[str, Any]], zones: Any = UTC) -> list[PhoneCall]:
    return [PhoneCall.model_validate(written(call, zones)) for call in shown]


def played(
    alert_rules: tuple[AlertRule, ...], scans: Any, zones: Any = UTC
) -> list[tuple[datetime, list[RuleMatch], Evaluator]]:
    """Every scan: when it was, and what fired then."""
    evaluator = Evaluator()
    evaluator.use_rules(alert_rules, TEAMS)
    now, history = NOON, []
    for pause, shown, complete in scans:
        now += pause
        evaluator.begin_scan()
        due = evaluator.evaluate(read(shown, zones), now)
        list(evaluator.end_scan(now, complete=complete))
        history.append((now, due, evaluator))
    return history


# ── any calls at all ──


@quick
@given(RULES, SCANS)
def test_nothing_fires_before_its_time_by_its_own_dates(alert_rules: Any, scans: Any) -> None:
    for now, due, _ in played(alert_rules, scans):
        assert all(now - one.since >= one.rule.longer_than for one in due)


@quick
@given(RULES, SCANS)
def test_nothing_fires_twice_in_one_scan(alert_rules: Any, scans: Any) -> None:
    for _, due, _ in played(alert_rules, scans):
        keys = [(one.rule.key, one.call.id) for one in due]
        assert len(keys) == len(set(keys))


@quick
@given(RULES, SCANS)
def test_what_fires_matches(alert_rules: Any, scans: Any) -> None:
    *_, (_, due, evaluator) = played(alert_rules, scans)
    assert [evaluator.match(one.rule.key, one.call.id) for one in due] == due


@quick
@given(RULES, SCANS)
def test_what_matches_for_long_enough_fires(alert_rules: Any, scans: Any) -> None:
    *_, (now, due, evaluator) = played(alert_rules, scans)
    held = [evaluator.match(rule.key, call.id) for rule in alert_rules for call in read(scans[-1][1])]
    assert all(one in due for one in held if one is not None and one.fires_at <= now)


@quick
@given(RULES, SCANS)
def test_what_fires_is_on_a_view_that_can_be_acted_on_and_that_its_rule_is_about(alert_rules: Any, scans: Any) -> None:
    for _, due, _ in played(alert_rules, scans):
        for one in due:
            assert one.call.view(one.view.id) is one.view
            assert one.rule in alert_rules
            assert about(one.rule, one.view)


@quick
@given(RULES, SCANS, st.lists(ZONES, min_size=1))
def test_the_same_instants_in_any_zones_are_the_same(alert_rules: Any, scans: Any, zones: list[timezone]) -> None:
    mixed = iter(zones * 1000)
    assert [due for _, due, _ in played(alert_rules, scans, mixed)] == [due for _, due, _ in played(alert_rules, scans)]


@quick
@given(RULES, SCANS, st.lists(st.integers(0, 5), max_size=4))
def test_a_scan_in_parts_is_the_scan(alert_rules: Any, scans: Any, cuts: list[int]) -> None:
    evaluator, now = Evaluator(), NOON
    evaluator.use_rules(alert_rules, TEAMS)
    history = []
    for pause, shown, complete in scans:
        now += pause
        evaluator.begin_scan()
        whole = read(shown)
        ends = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
        history.append([one for start, end in pairwise(ends) for one in evaluator.evaluate(whole[start:end], now)])
        list(evaluator.end_scan(now, complete=complete))
    assert history == [due for _, due, _ in played(alert_rules, scans)]


@quick
@given(RULES, SCANS, PAUSES)
def test_to_see_the_same_again_is_to_evaluate_it_again(alert_rules: Any, scans: Any, pause: timedelta) -> None:
    evaluator, now = Evaluator(), NOON
    evaluator.use_rules(alert_rules, TEAMS)
    for before, shown, complete in scans:
        now += before
        evaluator.begin_scan()
        evaluator.evaluate(same := read(shown), now)
        list(evaluator.end_scan(now, complete=complete))
    again = played(alert_rules, [*scans, (pause, scans[-1][1], True)])[-1][1]
    evaluator.begin_scan()
    assert evaluator.evaluate(same, now + pause) == again


# ── one call, whose dates are of wrong zones ──


@quick
@given(
    st.tuples(*[st.integers(0, 900)] * 3),
    st.tuples(*[st.integers(-56, 56)] * 3),
    st.lists(st.integers(1, 600), min_size=1, max_size=20),
)
def test_nothing_counts_from_before_the_last_scan_that_showed_it_not_to_be_so(
    steps: tuple[int, int, int], zones: tuple[int, int, int], pauses: list[int]
) -> None:
    """A call comes, is answered and put on hold, and each date is wrong by its own zone."""
    evaluator = Evaluator()
    evaluator.use_rules(tuple(AlertRule(when, when, timedelta(), "C0ALERTS") for when in When), {})
    begun = {when: sum(steps[: place + 1]) for place, when in enumerate([When.RINGING, When.TALKING, When.ON_HOLD])}
    not_so: dict[When, datetime] = {}
    second = -1
    for pause in (0, *pauses):
        second += pause
        now = NOON + timedelta(seconds=second)
        not_so |= {when: now for when, at in begun.items() if at > second}
        evaluator.begin_scan()
        due = evaluator.evaluate([] if begun[When.RINGING] > second else [a_call(begun, zones, second)], now)
        list(evaluator.end_scan(now, complete=True))
        assert all(one.since >= not_so[one.rule.when] for one in due)


def a_call(begun: dict[When, int], zones: tuple[int, ...], second: int) -> PhoneCall:
    """The call as it is shown at that second."""
    fields = {When.RINGING: "published", When.TALKING: "answered", When.ON_HOLD: "onHold"}
    dates = {
        fields[when]: (NOON + timedelta(seconds=at, minutes=15 * quarters)).isoformat()
        for (when, at), quarters in zip(begun.items(), zones, strict=True)
        if at <= second
    }
    view = {"id": "01", "extension": "0003*210", "status": 5 if "answered" in dates else 3}
    return PhoneCall.model_validate({"id": "c1", **dates, "phoneCallView": [view | dates]})


# ── what a rule is about ──


def about(rule: AlertRule, view: PhoneCallView) -> bool:
    """Pattern by pattern, one rule after the other."""
    if EXTENSION.fullmatch(view.extension) is None:
        return False
    patterns = rule.extensions
    if patterns is not None and not any(pattern.covers(view.extension, TEAMS) for pattern in patterns):
        return False
    itself = {view.extension, view.extension.partition("*")[2]}
    texts = [text for text in (*view.source, view.caller_id) if not {*(caller_numbers(text) or (text,))} <= itself]
    numbers = {*texts, *(number for text in texts for number in caller_numbers(text))} - itself
    return rule.callers is None or any(caller.covers(number) for caller in rule.callers for number in numbers)


DIGITS = st.text("0123X", min_size=1, max_size=4)
SOME_EXTENSIONS = st.builds("{}*{}".format, DIGITS, DIGITS)
PATTERNS = SOME_EXTENSIONS | st.just("team:sales")
NUMBERS = st.builds("{}{}".format, st.sampled_from(["", "+", "00", "+00"]), DIGITS)
TEXTS = st.lists(st.sampled_from([*"0123", "00", "%31", "+", " ", "\u00a0", "-", "(", ")", "<", "J", "*"])).map("".join)


@example([(None, ["31"])], [("0003*211", [], "%31")], None)
@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.none() | st.lists(PATTERNS), st.none() | st.lists(NUMBERS)), max_size=5),
    st.lists(st.tuples(SOME_EXTENSIONS | st.just("0003*211"), st.lists(TEXTS, max_size=2), TEXTS), min_size=1),
    st.sampled_from([None, "+1", "+40"]),
)
def test_rules_are_covered_together_as_they_are_one_by_one(given_rules: Any, shown: Any, country: str | None) -> None:
    alert_rules = tuple(
        AlertRule(
            name=str(place),
            when=When.TALKING,
            longer_than=timedelta(),
            channel="C0ALERTS",
            extensions=None if extensions is None else tuple(map(ExtensionPattern, extensions)),
            callers=None if callers is None else tuple(CallerPattern(text, country) for text in callers),
        )
        for place, (extensions, callers) in enumerate(given_rules)
    )
    rule_index = RuleIndex(alert_rules, TEAMS)
    for extension, source, caller_id in shown:
        side = {"id": "01", "extension": extension.replace("X", "3"), "source": source, "callerId": caller_id}
        view = PhoneCallView.model_validate(side)
        places = rule_index.on_extension(view.extension).get(When.TALKING, ())
        found = [place for place in places if rule_index.is_about_caller(place, view)]
        assert found == [place for place, rule in enumerate(alert_rules) if about(rule, view)]
