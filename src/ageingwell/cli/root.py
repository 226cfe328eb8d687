"""The group of all commands, how it ends, and the options that several commands have."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any, Final

import click

from ageingwell.cli.entry import LOG
from ageingwell.cli.places import AS_GIVEN, DATA, SETTINGS, Told, fault_of
from ageingwell.cli.streams import let_go_of_output
from ageingwell.ending import STOPPED, ending_tidily, exit_code
from ageingwell.errors import AgeingWellError, EngineError
from ageingwell.room import failed_write, publish_error


class Stopped(click.ClickException):
    """Somebody stopped the command: 128 and the number of the signal, as a shell tells it."""

    def __init__(self, stop: KeyboardInterrupt) -> None:
        super().__init__(STOPPED)
        self.exit_code = exit_code(stop)  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        """One sentence to standard error."""
        with suppress(OSError):
            click.echo(f"\n{self.message}", err=True)


class Unheard(click.ClickException):
    """Whoever read the output has gone, such as `head`: the same, and nobody is left to tell."""

    # Windows has no SIGPIPE; its number is 13 everywhere else.
    exit_code = 128 + 13

    def show(self, file: Any = None) -> None:
        """Nothing."""
        let_go_of_output()


@contextmanager
def mending(ctx: click.Context | None = None) -> Iterator[None]:
    """End with a sentence and an exit code for what a user can mend, 130 for Ctrl-C, 141 for output nobody reads."""
    try:
        yield
    except click.ClickException:
        raise
    except AgeingWellError as fault:
        raise Told(fault) from None
    except KeyboardInterrupt as stop:
        raise Stopped(stop) from None
    except BrokenPipeError:
        raise Unheard("") from None
    except MemoryError:
        raise Told(
            EngineError(
                "the memory of this machine is used up, and nothing new was published",
                "end other programs, or give the night less at once (`memory_gib` in score.toml), and run again",
            )
        ) from None
    except OSError as error:
        # Each layer tells its own; this is for what none of them foresaw.
        params, command = (ctx.params, ctx.command) if ctx else ({}, click.Command(None))
        raise Told(fault_of(error, command, params)) from None
    except Exception as error:
        # Polars and others tell a full disk by errors of their own.
        number = failed_write(error)
        if number is None:
            raise
        raise Told(publish_error("a file cannot be written", number, place="the folder")) from None


@contextmanager
def printing() -> Iterator[None]:
    """See that all that was printed has come out; `PublishError` where its disk is full."""
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            number = error.errno
            let_go_of_output(sys.stdout)
            raise publish_error("what this command prints cannot be written", number, place="the folder") from None


@contextmanager
def for_the_owner_alone() -> Iterator[None]:
    """Whatever is written is readable by its owner alone, be it a page, a bundle, refused rows or a cache."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


class Mended(click.Command):
    """A command that ends with a sentence and an exit code, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with mending(ctx):
            return super().invoke(ctx)


class Mending(click.Group):
    """A group of such commands."""

    command_class = Mended
    group_class = type

    def make_context(self, *given: Any, **more: Any) -> click.Context:
        """Read the command line; `--help` prints here."""
        with mending(), printing():
            return super().make_context(*given, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """Find the command and run it."""
        with mending(ctx), ending_tidily(), for_the_owner_alone(), printing():
            return super().invoke(ctx)


@click.group(cls=Mending, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ageingwell")
def cli() -> None:
    """Find older people at the greatest risk, and fit offers of help to what local agencies can give."""


class Day(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic only from click 8.4 on
    """A day, written as 2026-11-22."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day, or how to write it: a day in British order is written out as it should be."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            meant = _in_british_order(value)
            remedy = f"write it as {meant}" if meant else "write year-month-day, such as 2026-11-22"
            self.fail(f"“{value}” is not a date that we can read: {remedy}", param, ctx)


def _in_british_order(text: str) -> date | None:
    """What 22/11/2026, 22.11.26 or 22 November 2026 means; nothing for what is no day either way."""
    parts = re.sub(r"[/. -]+", "-", text.strip())
    for form in ("%d-%m-%Y", "%d-%m-%y", "%d-%b-%Y", "%d-%B-%Y", "%d-%b-%y", "%Y-%m-%d"):
        with suppress(ValueError):
            return datetime.strptime(parts, form).date()
    return None


DAY = Day()
as_of_option = click.option("--as-of", required=True, type=DAY, help="The night, as 2026-11-22.")
_DATA_HELP: Final = "The folder that holds the contract tables."
_CONFIG_HELP: Final = "A settings file to use instead of the defaults."
data_option = click.option("--data", required=True, type=DATA, help=_DATA_HELP)
config_option = click.option("--config", "config_path", type=SETTINGS, help=_CONFIG_HELP)
# `score` and `withdraw` take people off the current list first, or mark it, whatever these two lead to.
night_data_option = click.option("--data", required=True, type=AS_GIVEN, help=_DATA_HELP)
night_config_option = click.option("--config", "config_path", type=AS_GIVEN, help=_CONFIG_HELP)


def _note_log(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    ctx.meta[LOG] = value


log_option = click.option(
    "--log",
    type=click.Choice(["json"]),
    envvar="AGEINGWELL_LOG",
    expose_value=False,
    callback=_note_log,
    help="Write each stage to standard error as a line of JSON. Otherwise only a terminal shows the stages.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for machines.")
recorded_up_to_option = click.option(
    "--recorded-up-to",
    type=DAY,
    help="The day the extract was taken. Without it: the day after the newest row of the GP register.",
)
