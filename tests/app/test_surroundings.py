"""What callbot is started in: `.env`, the working directory, the home and the user, whatever is wrong with each."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bot as bot_package
from bot.app.settings import read_settings
from bot.domain.errors import ConfigErrors

ROOT = Path(bot_package.__file__).parents[1]
NOBODY = 54321
"""A user id that has no name, as containers are given."""
ENOUGH = {
    "SLACK_BOT_TOKEN": "xoxb-invented",
    "SLACK_SIGNING_SECRET": "invented-secret",
    "UAPI_URL": "https://127.0.0.1:9",
    "UAPI_ACCESS_TOKEN": "invented-token",
}
COMMANDS = {"run": 2, "check": 1, "audit": 2}
"""With what each ends where its settings are wrong."""
IMPORTED = """
import contextlib, io, sys
import encodings.idna, uvloop, bot.__main__, bot.app.bot, bot.app.audit, bot.app.check.check, bot.app.collecting, bot.ledger.postgresql
asked = sys.argv[1:]
for words in (["check"], ["audit"], ["run", "--help"]):
    sys.argv[1:] = words
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        bot.__main__.main()
sys.argv[1:] = asked
"""
"""What goes before another user is set, who may read neither the interpreter nor callbot, as where root keeps both at home:
commands that change nothing import all that is imported only where it is needed."""
START = "import sys; sys.argv[0] = 'callbot'; from bot.__main__ import main; main()"


def started(
    *words: str, cwd: Path, before: str = "", uid: int | None = None, environ: dict[str, str]
) -> tuple[int, str]:
    """The exit code, and what is printed. `before`: Python that is executed first; `uid`: who callbot runs as.

    `-P`: as with the installed program, nothing is imported from the working directory, which may be gone.
    """
    other = "" if uid is None else f"{IMPORTED}import os; os.setgroups([]); os.setgid({uid}); os.setuid({uid})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{before}\n{other}\n{START}", *words],
        check=False,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def somebody() -> int | None:
    """A user who may not read everything: this one, or, where this is root, one without a name."""
    return NOBODY if os.geteuid() == 0 else None


def one_sentence(command: str, came: tuple[int, str], said: str) -> bool:
    """Whether the command ended in order, saying this once."""
    code, text = came
    return (code, text.count(said), "Traceback" in text) == (COMMANDS[command], 1, False)


# ── .env ──


def as_directory(file: Path) -> None:
    file.mkdir()


def as_latin_1(file: Path) -> None:
    file.write_bytes("PORT=3000\n# für alle\n".encode("latin-1"))


def as_utf_16(file: Path) -> None:
    file.write_text("PORT=3000\n", encoding="utf-16")


def as_prose(file: Path) -> None:
    file.write_text("PORT=3000\n\nUAPI_URL='https://pbx.example.com\n")


def as_huge(file: Path) -> None:
    file.write_bytes(b"#" * (1024 * 1024 + 1))


BROKEN: dict[Callable[[Path], None], str] = {
    as_directory: ".env is a directory. Put the settings into a file of that name, or into the environment.",
    as_latin_1: ".env line 2 is not UTF-8. Save the file as UTF-8.",
    as_utf_16: ".env line 1 is not UTF-8. Save the file as UTF-8.",
    as_prose: ".env line 3 cannot be read. Write NAME=value there, or # before it.",
    as_huge: ".env is larger than 1 MiB. Put nothing there but settings.",
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_an_env_file_that_is_none_is_one_error(
    broken: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(tmp_path / ".env")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigErrors) as caught:
        read_settings()
    assert caught.value.errors == [BROKEN[broken]]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_directory_in_the_place_of_the_env_file_is_one_sentence(command: str, tmp_path: Path) -> None:
    as_directory(tmp_path / ".env")
    came = started(command, cwd=tmp_path, environ=ENOUGH)
    assert one_sentence(command, came, BROKEN[as_directory]), came


@pytest.mark.parametrize("command", ["run", "check"])
def test_an_env_file_that_may_not_be_read_is_one_sentence(command: str, place: Path, somebody: int | None) -> None:
    (place / ".env").touch(0o000)
    came = started(command, cwd=place, uid=somebody, environ=ENOUGH)
    said = ".env cannot be read (Permission denied). Let the user who runs callbot read it and its folder."
    assert one_sentence(command, came, said), came


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=ascii)
def test_an_env_file_may_begin_with_a_mark_of_byte_order(
    line_end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"{name}={value}" for name, value in ({"PORT": "3001"} | ENOUGH).items()]
    (tmp_path / ".env").write_bytes(("\ufeff" + line_end.join([*lines, ""])).encode())
    monkeypatch.chdir(tmp_path)
    assert read_settings().port == 3001


def test_a_value_of_the_env_file_is_taken_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ENOUGH | {"UAPI_CLIENT_ID": "app", "UAPI_CLIENT_SECRET": "a${HOME}b$c"}
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    monkeypatch.chdir(tmp_path)
    assert read_settings().credentials()[1] == "a${HOME}b$c"


# ── the working directory, the home, the user ──


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_working_directory_that_may_not_be_entered_is_one_sentence(
    command: str, place: Path, somebody: int | None
) -> None:
    inside = place / "inside"
    inside.mkdir()
    came = started(command, cwd=inside, before="import os; os.chmod('.', 0)", uid=somebody, environ=ENOUGH)
    said = ".env cannot be read (Permission denied). Let the user who runs callbot read it and its folder."
    assert one_sentence(command, came, said), came


@pytest.mark.parametrize("command", COMMANDS)
def test_a_working_directory_that_is_gone_is_one_sentence(command: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    came = started(command, cwd=gone, before=f"import os; os.rmdir({str(gone)!r})", environ=ENOUGH)
    said = "The working directory is gone. Start callbot in one that exists."
    assert one_sentence(command, came, said), came


HOMES: dict[str, dict[str, str]] = {
    "none": {},
    "one that may not be read": {"HOME": "locked"},
    "one that is not there": {"HOME": "/none"},
}


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_a_user_without_a_name_learns_no_more_than_others_whatever_the_home_is(
    home: dict[str, str], place: Path, somebody: int | None
) -> None:
    (place / "locked").mkdir(mode=0o700)
    (place / "callbot.toml").touch()
    environ = ENOUGH | {name: str(place / where) for name, where in home.items()}
    _, text = started("check", cwd=place, uid=somebody, environ=environ | {"SLACK_API_URL": "http://127.0.0.1:9"})
    assert ("ok  settings" in text, "ok  configuration" in text, "Traceback" in text) == (True, True, False), text


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_configuration_that_may_not_be_read_is_one_sentence(command: str, place: Path, somebody: int | None) -> None:
    (place / "callbot.toml").touch(0o000)
    came = started(command, cwd=place, uid=somebody, environ=ENOUGH)
    said = "cannot be read: Permission denied. CALLBOT_CONFIG names the file"
    assert one_sentence(command, came, said), came


@pytest.mark.parametrize("command", COMMANDS)
def test_the_ledgers_folder_that_may_not_be_entered_is_one_sentence(
    command: str, place: Path, somebody: int | None
) -> None:
    (place / "callbot.toml").touch()
    (place / "locked").mkdir(mode=0o000)
    url = f"sqlite:///{place}/locked/callbot.db"
    environ = ENOUGH | {"DATABASE_URL": url, "SLACK_API_URL": "http://127.0.0.1:9"}
    came = started(command, cwd=place, uid=somebody, environ=environ)
    assert one_sentence(command, came, "The ledger cannot be opened"), came


def test_a_folder_of_the_ledger_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "callbot.toml").touch()
    came = started("run", cwd=tmp_path, environ=ENOUGH | {"DATABASE_URL": f"sqlite:///{tmp_path}/none/callbot.db"})
    assert one_sentence("run", came, "no such file or folder"), came


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python follows such links to no end, and SQLite says it")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_ledger_behind_links_that_lead_to_each_other_is_one_sentence(command: str, tmp_path: Path) -> None:
    (tmp_path / "callbot.toml").touch()
    (tmp_path / "loop").symlink_to("loop")
    environ = ENOUGH | {"DATABASE_URL": "sqlite:///loop/callbot.db", "SLACK_API_URL": "http://127.0.0.1:9"}
    came = started(command, cwd=tmp_path, environ=environ)
    assert one_sentence(command, came, "symbolic links that lead to each other"), came


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without a name")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_without_a_user_for_a_user_without_a_name_is_one_sentence(command: str, place: Path) -> None:
    (place / "callbot.toml").touch()
    environ = ENOUGH | {"DATABASE_URL": "postgresql://127.0.0.1:9/callbot", "SLACK_API_URL": "http://127.0.0.1:9"}
    came = started(command, cwd=place, uid=NOBODY, environ=environ)
    assert one_sentence(command, came, "no user in DATABASE_URL, and the user who runs callbot has no name"), came


# ── what `run` would say, `check` says ──


@pytest.mark.parametrize(
    "environ",
    [
        {"HOST": "x86_64-conda-linux-gnu"},
        {"HOST": "127.0.0.1:3000"},
        {"SLACK_BOT_TOKEN": "xapp-invented"},
        {"UAPI_ACCESS_TOKEN": "invented\nhunter2"},
        {"PORT": "http"},
    ],
    ids=str,
)
def test_check_says_of_a_wrong_setting_what_run_says(environ: dict[str, str], tmp_path: Path) -> None:
    code, text = started("run", cwd=tmp_path, environ=ENOUGH | environ)
    (line,) = [line.removeprefix("  - ") for line in text.splitlines() if line.startswith("  - ")]
    checked = started("check", cwd=tmp_path, environ=ENOUGH | environ)
    assert (code, *checked[:1], f"no  settings: {line}" in checked[1]) == (2, 1, True), checked


def test_check_says_of_a_host_of_another_machine_that_it_cannot_be_listened_on(tmp_path: Path) -> None:
    _, text = started("check", cwd=tmp_path, environ=ENOUGH | {"HOST": "192.0.2.1"})
    assert "no  settings: HOST 192.0.2.1 cannot be listened on (" in text


def test_check_says_nothing_of_a_host_of_this_machine(tmp_path: Path) -> None:
    assert "HOST" not in started("check", cwd=tmp_path, environ=ENOUGH | {"HOST": "[::]"})[1]


# ── files ──


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_directory_in_the_place_of_the_configuration_is_one_sentence(command: str, tmp_path: Path) -> None:
    (tmp_path / "callbot.toml").mkdir()
    came = started(command, cwd=tmp_path, environ=ENOUGH)
    assert one_sentence(command, came, "cannot be read: it is a directory. CALLBOT_CONFIG names the file"), came


@pytest.mark.parametrize(
    "locale", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}]
)
def test_what_is_printed_is_utf_8_whatever_the_locale_is(locale: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "callbot.toml").write_text('[users.U0ANA]\nname = "Ștefan"\nextension = "210"', encoding="utf-8")
    _, text = started("check", cwd=tmp_path, environ=ENOUGH | locale)
    assert ("“210” is no extension" in text, "Traceback" in text) == (True, False), text
