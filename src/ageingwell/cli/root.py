"""The group of all commands, how it ends, and the options that several commands have."""

import signal
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from ageingwell.errors import AgeingWellError

FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False)


class Told(click.ClickException):
    """An error a user can mend, as the command line ends with it."""

    def __init__(self, fault: AgeingWellError) -> None:
        super().__init__(str(fault))
        self.exit_code = fault.exit_code  # type: ignore[misc]
        self.kind = type(fault).__name__

    def show(self, file: Any = None) -> None:
        """One sentence to standard error."""
        click.echo(f"{self.kind}: {self.message}", err=True)


class Stopped(click.ClickException):
    """Somebody stopped the command: 128 and the number of the signal, as a shell tells it."""

    exit_code = 128 + signal.SIGINT

    def show(self, file: Any = None) -> None:
        """One sentence to standard error."""
        click.echo(f"\n{self.message}", err=True)


class Mending(click.Group):
    """A group whose commands end with a sentence and an exit code for errors a user can mend, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; `AgeingWellError` becomes its exit code, and Ctrl-C becomes 130."""
        try:
            return super().invoke(ctx)
        except AgeingWellError as fault:
            raise Told(fault) from None
        except KeyboardInterrupt:
            raise Stopped("Stopped. What was complete before stays as it was.") from None


@click.group(cls=Mending, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ageingwell")
def cli() -> None:
    """Find older people at the greatest risk, and fit offers of help to what local agencies can give."""


def day(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    """The day of an option that names a day."""
    return None if value is None else value.date()


as_of_option = click.option(
    "--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), callback=day, help="The night, as 2026-11-22."
)
data_option = click.option("--data", required=True, type=FOLDER, help="The folder that holds the contract tables.")
config_option = click.option("--config", "config_path", type=FILE, help="A settings file in place of the defaults.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for machines.")
recorded_up_to_option = click.option(
    "--recorded-up-to",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=day,
    help="The day the extract was taken; else the day after the newest row of the GP register.",
)
