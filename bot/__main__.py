"""The command line: `callbot` and `python -m bot` are the same program."""

import asyncio
import io
import signal
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

import typer

from bot.domain.errors import CallbotError, ConfigErrors, WrongUsage

T = TypeVar("T")

cli = typer.Typer(
    name="callbot",
    help="Interventions on live phone calls, from Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callbot {version('callbot')}")
        raise typer.Exit


@cli.callback()
def callbot(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Interventions on live phone calls, from Slack."""


@cli.command()
def run() -> None:
    """Run the bot, until SIGTERM or Ctrl-C."""
    run_to_the_end(serve())


async def serve(**how: Any) -> None:
    """Start the bot, and stop it in order on SIGTERM or SIGINT, also while it starts. `how`: keywords of Bot.start.

    Raises LedgerLost, after the stop, where another process has taken the ledger, or its file was removed or replaced.
    """
    from bot.app.collecting import collect_rarely, keep_for_good  # noqa: PLC0415 - the other commands do not need it

    collect_rarely()  # also while the rest is imported
    from bot.app.bot import STOP, Bot  # noqa: PLC0415 - as above
    from bot.app.connections import raise_descriptors  # noqa: PLC0415 - as above
    from bot.app.logs import configure  # noqa: PLC0415 - as above
    from bot.app.settings import read_settings  # noqa: PLC0415 - as above

    settings = read_settings()
    configure(settings.log_level, settings.log_format)
    raise_descriptors()
    stop = _stop_signal()
    starting = asyncio.create_task(Bot.start(settings, **how), name="start")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting}, timeout=STOP["all"])
        return
    bot = await starting
    keep_for_good()
    keeping = asyncio.create_task(bot.keep_ledger(), name="ledger")
    try:
        await asyncio.wait({keeping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        lost = keeping.done()
        keeping.cancel()
        await bot.stop()
    if lost:
        await keeping


@cli.command()
def check(
    extension: Annotated[
        str | None,
        typer.Option(
            "--try", metavar="EXTENSION", help="Monitor a test call on this extension; compare with the documentation."
        ),
    ] = None,
    supervisor: Annotated[
        str | None,
        typer.Option("--as", metavar="USER", help="With --try: whose phone rings, a Slack user id of callbot.toml."),
    ] = None,
    call: Annotated[
        str | None, typer.Option("--call", metavar="ID", help="With --try: which call, where there are several.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --try: go on without asking.")] = False,
) -> None:
    """Check settings, configuration, Slack, PBX and ledger; a line for each result.

    A line begins with ok; with no where something does not work; or with ??
    where something is worth a look. Changes nothing, and may run beside
    callbot. Exits with 0 if no line says no, else with 1.

    With --try EXTENSION it monitors a test call of yours on that extension,
    once, and compares each step with the documentation. It asks before
    anything is sent; the request is in the audit log. Exits with 0 if the
    supervisor was seen in the call, else with 1.
    """
    from bot.app.check.check import check_on_terminal  # noqa: PLC0415 - the other commands do not need it
    from bot.app.logs import configure  # noqa: PLC0415 - as above

    if extension is None and (supervisor is not None or call is not None or yes):
        raise typer.BadParameter("--as, --call and --yes go with --try EXTENSION.")
    configure("critical", "text")  # errors are printed once, by the command itself
    if extension is None:
        sys.exit(0 if run_to_the_end(check_on_terminal(sys.stdout)) else 1)
    from bot.app.check.probe import ProbeOptions, try_on_terminal  # noqa: PLC0415 - as above

    options = ProbeOptions(extension, supervisor=supervisor, call=call)
    probe = try_on_terminal(options, sys.stdout, lambda question: yes or _agreed(question))
    sys.exit(0 if run_to_the_end(probe) else 1)


@cli.command()
def audit(
    since: Annotated[
        str | None,
        typer.Option(
            help="How far back: a time span (30m, 2h, 7d), a day (2026-11-20), or an instant (2026-11-20T10:00+02:00). "
            "UTC if no zone is given. Default: from the beginning."
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(help="Whose requests: a Slack user id, or a name of callbot.toml, or part of the name."),
    ] = None,
    form: Annotated[
        str,
        typer.Option(
            "--format", help="table for people; csv with a header; json: one array.", metavar="table|csv|json"
        ),
    ] = "table",
) -> None:
    """List who asked for what, when, on whom, from where, by which rule it was allowed or refused, and the outcome.

    Newest last; times in UTC. Needs DATABASE_URL alone, and takes names from
    callbot.toml if there is one. Changes nothing, and may run beside callbot.

    In csv, what a spreadsheet would take for a formula begins with an
    apostrophe, and control characters are escaped, as in the table.
    """
    from bot.app.audit import Form, write_audit  # noqa: PLC0415 - the other commands do not need it
    from bot.app.logs import configure  # noqa: PLC0415 - as above
    from bot.app.settings import OwnSettings, read_part  # noqa: PLC0415 - as above

    if form not in set(Form):
        raise typer.BadParameter(f"--format is table, csv or json, not {form[:40]!r}.")
    configure("critical", "text")  # errors are printed once, by the command itself

    async def write() -> None:
        settings, now = read_part(OwnSettings), datetime.now(UTC)
        remark = partial(typer.echo, err=True)
        await write_audit(settings, sys.stdout, remark, since=since, user=user, form=Form(form), now=now)

    run_to_the_end(write())


@cli.command()
def demo(
    tour: Annotated[
        bool, typer.Option("--tour", help="Watch a supervisor at work for a quarter of a minute, then exit.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in a browser, if there is a desktop.")
    ] = True,
    story: Annotated[bool, typer.Option("--story/--no-story", help="Play a story until somebody acts.")] = True,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 takes a free port.")] = 0,
) -> None:
    """Run everything on this machine, no account needed: a sandbox PBX, a local workspace with a page, and the real bot."""
    from bot.app.demo import play_tour, stay_open  # noqa: PLC0415 - only the demo needs the sandbox

    if tour:
        sys.exit(0 if run_to_the_end(play_tour()) else 1)
    run_to_the_end(stay_open(_stop_signal, browser=browser, port=port, story=story))


@cli.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free port.")],
    control: Annotated[
        bool, typer.Option("--control", help="Serve /control/ too, to make and end calls over HTTP.")
    ] = False,
) -> None:
    """Run the sandbox PBX alone."""
    from bot.app.demo import stay_open_as_pbx  # noqa: PLC0415 - only the demo needs the sandbox

    run_to_the_end(stay_open_as_pbx(port, _stop_signal, control=control))


def _agreed(question: str) -> bool:
    """The answer at the terminal; Ctrl-C and the end of the input are a no."""
    # While the event loop runs, Ctrl-C only cancels its task, which takes no effect as long as the question waits for a line.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(question)
    except typer.Abort:
        typer.echo()
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_signal() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def run_to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Errors in settings and on the command line exit with 2, other expected failures with 1."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except (ConfigErrors, WrongUsage) as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    except CallbotError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


def _loop_factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> None:
    """Start the command line. It writes UTF-8, whatever the locale."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    cli()


if __name__ == "__main__":
    main()
