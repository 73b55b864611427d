"""The command line: `callbot` and `python -m bot` are the same program."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, TypeVar

import typer

from bot.errors import CallbotError, ConfigMistakes

T = TypeVar("T")

cli = typer.Typer(
    name="callbot",
    help="Interventions on live phone calls, from Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def run() -> None:
    """Run the bot, until SIGTERM or Ctrl-C."""
    from bot.assembly import Bot  # noqa: PLC0415 - the sandbox alone needs none of it
    from bot.logs import configure  # noqa: PLC0415 - the same
    from bot.settings import read_settings  # noqa: PLC0415 - the same

    async def serve() -> None:
        settings = read_settings()
        configure(settings.log_level, settings.log_format)
        bot = Bot(settings)
        stop = _stop_signal()
        await bot.start()
        try:
            await stop.wait()
        finally:
            await bot.stop()

    _run(serve())


@cli.command()
def demo(
    tour: Annotated[
        bool, typer.Option("--tour", help="Watch a supervisor at work for a quarter of a minute, then exit.")
    ] = False,
) -> None:
    """Everything on this machine, no account needed: a sandbox PBX, a local workspace, the real bot between them."""
    from bot.demo import play_tour, stay_open  # noqa: PLC0415 - only the demo needs the sandbox

    if tour:
        sys.exit(0 if _run(play_tour()) else 1)
    _run(stay_open(_stop_signal))


@cli.command()
def sandbox(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")],
    control: Annotated[bool, typer.Option("--control", help="Let calls be steered under /control/.")] = False,
) -> None:
    """Run the sandbox PBX alone."""
    from bot.demo import stay_open_as_pbx  # noqa: PLC0415 - only the demo needs the sandbox

    _run(stay_open_as_pbx(port, _stop_signal, control=control))


def _stop_signal() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end. Mistakes in the settings exit with 2, other expected failures with 1."""
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except ConfigMistakes as mistakes:
        typer.echo(str(mistakes), err=True)
        sys.exit(2)
    except CallbotError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


def _loop_factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - not on every machine
    except ImportError:
        return None
    return uvloop.new_event_loop


def main() -> None:
    """Start the command line."""
    cli()


if __name__ == "__main__":
    main()
