"""Reads `.env` in the working directory."""

import io
import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Original, parse_stream

from bot.domain.errors import ConfigErrors

LARGEST = 1024 * 1024
"""The limit of the file's size, in bytes."""


def env_file() -> Mapping[str, str]:
    """The variables in `.env`; none where there is no file. Raises ConfigErrors with one sentence."""
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() does the same; only the error counts
    except OSError:
        raise _invalid("The working directory is gone. Start callbot in one that exists") from None
    text = _text(Path(".env"))
    bad = [_line(each.original) for each in parse_stream(io.StringIO(text)) if each.error]
    if bad:
        lines = ", ".join(map(str, bad[:20]))
        raise _invalid(f".env line {lines} cannot be read. Write NAME=value there, or # before it")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)  # a secret may contain ${
    return {name: value for name, value in values.items() if value is not None}


def _line(statement: Original) -> int:
    """The line on which it begins: the parser counts the empty lines before it to the statement."""
    written = statement.string.lstrip()
    return statement.line + statement.string.removesuffix(written).count("\n")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except FileNotFoundError:
        return ""
    except IsADirectoryError:
        raise _invalid(
            ".env is a directory. Put the settings into a file of that name, or into the environment"
        ) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _invalid(f".env cannot be read ({why}). Let the user who runs callbot read it and its folder") from None
    if len(raw) > LARGEST:
        raise _invalid(".env is larger than 1 MiB. Put nothing there but settings")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _invalid(f".env line {line} is not UTF-8. Save the file as UTF-8") from None


def _invalid(text: str) -> ConfigErrors:
    return ConfigErrors("Settings", [f"{text}."])
