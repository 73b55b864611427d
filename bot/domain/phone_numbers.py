"""One phone number in all its spellings: with `+`, `00` or `011`, national, with punctuation, in digits of any script. Pure.

A number becomes the digits that it may mean, with the country code in front, and a pattern the digits that it asks for. Both
keep what stands there too: rather one number too many is protected than one missed.
"""

import re
import unicodedata
from functools import cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberFormat

LONGEST_NUMBER = 100
"""Characters of what may be one number: ITU-T E.164 allows 15 digits."""
_SHORTEST = 5
"""Digits of a number that the library is asked about: shorter ones are extensions."""
_ADDRESS = re.compile(r"(?:.*<)?(?:(?:tel|sips?|callto):)?([^@;?>,A-Z]*).*", re.IGNORECASE | re.DOTALL)
"""A number with what may stand around it: a name and `<`, a scheme, and behind it a host, parameters, an extension."""


def is_country_code(text: str) -> bool:
    """Whether it is the code of a country, as `+1` or `+40`."""
    return re.fullmatch(r"\+[1-9][0-9]{0,2}", text) is not None and _region(text) not in {"ZZ", "001"}


def in_ascii(text: str) -> str:
    """The text with the digits and plus signs of all scripts as `0` to `9` and `+`; all else stays."""
    return text if text.isascii() else "".join(map(_in_ascii, text))


def spellings(number: str, country: str | None) -> frozenset[str]:
    """The digits that a number may mean. `country` None: a national number is not understood, nor `011`."""
    kept = _bare(number)
    if len(number) > LONGEST_NUMBER:
        return frozenset({kept})
    text = _ADDRESS.sub(r"\1", unquote(in_ascii(number)), count=1)
    text = re.sub(r"^\++(?:00)?", "+", re.sub(r"[^0-9+*]", "", text))  # no country code begins with 0
    if re.fullmatch(r"\+?[0-9]+", text) is None:
        return frozenset({kept})
    found = {kept, *forms(text, country)}
    international = "+" + text.removeprefix("00") if text.startswith("00") else text
    if country is not None and len(text) >= _SHORTEST and (not text.startswith("+") or "(" in number):
        found |= {_read(text, country), _read(international, country)}  # what has its country code needs no library
    return frozenset(found - {""})


def forms(digits: str, country: str | None) -> frozenset[str]:
    """What digits, with `+` or without, may mean; X stands for any digit."""
    plain = digits.removeprefix("+")
    found = {_bare(digits), plain}
    if country is None:
        return frozenset(found)
    code, (trunk, abroad_begins) = country.removeprefix("+"), _prefixes(country)
    if plain is not digits:
        if trunk == "0" and plain.startswith(code + trunk):  # +44 (0)20
            found.add(code + plain.removeprefix(code + trunk))
        return frozenset(found)
    found.add(code + plain)
    if trunk and plain.startswith(trunk):
        found.add(code + plain.removeprefix(trunk))
    abroad = abroad_begins.match(plain)
    if abroad:
        found.add(plain[abroad.end() :])
    return frozenset(found)


def _bare(number: str) -> str:
    """A number without what people and trunks put around its digits."""
    return re.sub(r"^(?:\+|00)", "", re.sub(r"[\s().\-]", "", number))


def _in_ascii(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    return "+" if unicodedata.normalize("NFKC", character) == "+" else character


@cache
def _prefixes(country: str) -> tuple[str, re.Pattern[str]]:
    """What is dialled there before a national number, as `0`, and before an international one, as `00`."""
    metadata = PhoneMetadata.metadata_for_region(_region(country))
    if metadata is None:
        return "", re.compile("(?!)")
    return metadata.national_prefix or "", re.compile(metadata.international_prefix or "(?!)")


@cache
def _region(country: str) -> str:
    return phonenumbers.region_code_for_country_code(int(country.removeprefix("+")))


def _read(text: str, country: str) -> str:
    """What the library takes it for, which knows each country's own rules; nothing where it takes it for no number."""
    try:
        number = phonenumbers.parse(text, _region(country))
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164).removeprefix("+")
