"""Which extensions and which callers a pattern of the authorization map means."""

import pytest

from bot.authorization import CallerPattern, ExtensionPattern


@pytest.mark.parametrize(
    ("pattern", "extension", "covered"),
    [
        ("0003*210", "0003*210", True),
        ("0003*210", "0003*211", False),
        ("0003*2XX", "0003*200", True),
        ("0003*2XX", "0003*299", True),
        ("0003*2XX", "0003*2000", False),
        ("0003*2XX", "0003*20", False),
        ("0003*2XX", "0003*310", False),
        ("0003*2XX", "0004*210", False),
        ("0003*2XX", "00030210", False),
        ("0003*2XX", "0003*2\u0661\u0661", False),
        ("000X*2XX", "0004*210", True),
        ("X*X", "1*2", True),
        ("team:sales", "0003*310", True),
        ("team:sales", "0003*210", False),
        ("team:support", "0003*310", False),
    ],
)
def test_a_pattern_means_exactly_these_extensions(pattern: str, extension: str, *, covered: bool) -> None:
    assert ExtensionPattern(pattern).covers(extension, {"sales": frozenset({"0003*310"})}) is covered


NO_PATTERNS = [
    "210",
    "0003*2*",
    "*",
    "0003*",
    "*210",
    "0003*2xx",
    "0003*2.*",
    "0003*2??",
    "team:",
    "teams:a",
    "@self",
    "0003*2XX,0003*3XX",
    "team:a:b",
]


@pytest.mark.parametrize("text", [*NO_PATTERNS, "", "team:a b", "0003*210\n", " 0003*210", "\u0661*1", "1" * 17 + "*1"])
def test_what_is_no_pattern_of_extensions_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no pattern of extensions") as caught:
        ExtensionPattern(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "number",
    [
        "+40722000111",
        "0040722000111",
        "40722000111",
        "+40 722 000 111",
        "(+40) 722-000.111",
        "+40\u00a0722\u00a0000111",
    ],
)
@pytest.mark.parametrize("pattern", ["+40722XXXXXX", "40722XXXXXX", "+40722000111", "0040722000111"])
def test_a_caller_is_the_same_however_the_number_is_written(pattern: str, number: str) -> None:
    assert CallerPattern(pattern.replace("0040", "40", 1)).covers(number)


def test_a_pattern_of_callers_may_begin_with_two_zeros() -> None:
    assert CallerPattern("0040722XXXXXX").covers("+40722000111")


@pytest.mark.parametrize("number", ["+40723000111", "+4072200011", "+407220001110", "anonymous", "", "+40722-"])
def test_another_number_is_another_caller(number: str) -> None:
    assert not CallerPattern("+40722XXXXXX").covers(number)


@pytest.mark.parametrize("text", ["", "+", "0722 000 111", "+40722xxx", "+40722*", "anonymous", "++1", "1\n", "X" * 33])
def test_what_is_no_pattern_of_numbers_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no pattern of numbers"):
        CallerPattern(text)
