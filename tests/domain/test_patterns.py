"""Which extensions and which callers a pattern of callbot.toml means."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.permissions import CallerPattern, ExtensionPattern


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


SPELLINGS = [
    "+40722000111",
    "0040722000111",
    "40722000111",
    "+40 722 000 111",
    "(+40) 722-000.111",
    "+40\u00a0722\u00a0000111",
]


@pytest.mark.parametrize("pattern", ["+40722XXXXXX", "40722XXXXXX", "+40722000111", "0040722XXXXXX"])
def test_a_caller_is_the_same_however_the_number_is_written(pattern: str) -> None:
    assert [number for number in SPELLINGS if not CallerPattern(pattern).covers(number)] == []


@pytest.mark.parametrize("number", ["+40723000111", "+4072200011", "+407220001110", "anonymous", "", "+40722-"])
def test_another_number_is_another_caller(number: str) -> None:
    assert not CallerPattern("+40722XXXXXX").covers(number)


@pytest.mark.parametrize("text", ["", "+", "+40722xxx", "+40722*", "anonymous", "++1", "1\n", "X" * 33])
def test_what_is_no_pattern_of_numbers_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no pattern of numbers"):
        CallerPattern(text)


@pytest.mark.parametrize("pattern", ["+1 (555) 014-2XXX", "+1.555.014.2000", "+1\u00a0555 014/2000"])
def test_a_pattern_may_be_written_with_what_people_put_between_digits(pattern: str) -> None:
    assert CallerPattern(pattern).covers("+15550142000")


# ── the spellings of one number ──

AMERICAN = {
    "international": "+15550142000",
    "with 00": "0015550142000",
    "with 011": "01115550142000",
    "without anything before it": "15550142000",
    "national": "5550142000",
    "national, as people write it": "(555) 014-2000",
    "national, with 1": "1-555-014-2000",
    "with dots": "555.014.2000",
    "with a slash": "555/014 2000",
    "with spaces that do not break": "+1\u00a0555\u202f014\u00a02000",
    "with dashes of other widths": "555\u2013014\u20112000",
    "in full width": "\uff0b\uff11\uff15\uff15\uff15\uff10\uff11\uff14\uff12\uff10\uff10\uff10",
    "in full width, national": "\uff15\uff15\uff15\uff10\uff11\uff14\uff12\uff10\uff10\uff10",
    "in Arabic digits": "\u0665\u0665\u0665\u0660\u0661\u0664\u0662\u0660\u0660\u0660",
    "as a link": "tel:+1-555-014-2000",
    "as an address of SIP": "sip:+15550142000@pbx.example.com;user=phone",
    "as an address of SIP, with a name": '"Carla" <sip:5550142000@pbx.example.com>',
    "as an address of SIP, percent-encoded": "sip:%2B15550142000@pbx.example.com",
    "with a host and no scheme": "15550142000@pbx.example.com",
    "with a name": "Carla <+15550142000>",
    "with an extension": "+1 555 014 2000 ext. 5",
    "with a short extension": "555-014-2000x5",
    "with digits to dial behind it": "+15550142000,,5",
    "with two plus signs": "++15550142000",
    "with a plus sign and 00": "+0015550142000",
}


@pytest.mark.parametrize("pattern", ["+15550142000", "+1555014XXXX", "555014XXXX", "1555014XXXX", "0111555014XXXX"])
def test_with_a_country_each_spelling_is_one_number(pattern: str) -> None:
    assert [kind for kind, number in AMERICAN.items() if not CallerPattern(pattern, "+1").covers(number)] == []


@pytest.mark.parametrize(
    ("country", "pattern", "number"),
    [
        ("+40", "+40722000111", "0722 000 111"),
        ("+40", "0722XXXXXX", "+40 722 000 111"),
        ("+40", "0722XXXXXX", "0040722000111"),
        ("+44", "+442079460XXX", "020 7946 0000"),
        ("+44", "+442079460XXX", "+44 (0)20 7946 0000"),
        ("+40", "+442079460XXX", "+44 (0)20 7946 0000"),
        ("+39", "+3906XXXXXXXX", "06 5550 0142"),
        ("+7", "+7495XXXXXXX", "8 (495) 555-01-42"),
        ("+7", "+1555014XXXX", "8 10 1 555 014 2000"),
        ("+55", "+5511961234567", "0 15 11 96123-4567"),
    ],
)
def test_a_country_dials_as_it_does(country: str, pattern: str, number: str) -> None:
    assert CallerPattern(pattern, country).covers(number)


@pytest.mark.parametrize(
    "number", ["555 014 2001", "+40 555 014 2000", "+5550142000", "0142000", "0003*5550142000", "anonymous", ""]
)
def test_with_a_country_another_number_is_another_caller(number: str) -> None:
    assert not CallerPattern("+15550142000", "+1").covers(number)


@given(
    st.sampled_from(["+1555014XXXX", "555014XXXX", "0040722XXXXXX", "0722XXXXXX", "XXXX", "+XX", "00X"]),
    st.text(st.sampled_from("+0124570 ()-.\u00a0X*a"), max_size=16) | st.from_regex(r"\+?[0-9]{1,14}", fullmatch=True),
    st.sampled_from([None, "+1", "+40"]),
)
def test_whatever_was_covered_before_countries_were_known_is_covered(
    pattern: str, number: str, country: str | None
) -> None:
    def bare(text: str) -> str:
        return re.sub(r"^(?:\+|00)", "", re.sub(r"[\s().\-]", "", text))

    before = re.fullmatch(re.escape(bare(pattern)).replace("X", "[0-9]"), bare(number)) is not None
    assert CallerPattern(pattern, country).covers(number) or not before
