"""The command line: a command parses, calls one library function of the same name, and prints where the result lies.

Nothing heavy is imported before a command needs it: `--help` and a mistyped option answer at once.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ageingwell.errors import AgeingWellError, KeyFileError, NotPermittedError

if TYPE_CHECKING:
    import polars as pl

    from ageingwell.config.load import Config
    from ageingwell.config.score import Recipient
    from ageingwell.pipeline.night import OutreachRun
    from ageingwell.pipeline.surroundings import Surroundings
    from ageingwell.pseudonyms import Key

# Written out, for the settings are slow to import; a test holds it to them.
RECIPIENTS = ("group", "gp", "social_care", "housing", "fire", "voluntary", "safeguarding")
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


def _day(_: click.Context, __: click.Parameter, value: datetime | None) -> date | None:
    return None if value is None else value.date()


as_of_option = click.option(
    "--as-of", required=True, type=click.DateTime(["%Y-%m-%d"]), callback=_day, help="The night, as 2026-11-22."
)
data_option = click.option("--data", required=True, type=FOLDER, help="The folder that holds the contract tables.")
config_option = click.option("--config", "config_path", type=FILE, help="A settings file in place of the defaults.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, for machines.")


@cli.command()
@data_option
@as_of_option
@click.option("--out", required=True, type=FOLDER, help="The folder that holds the published nights.")
@config_option
@click.option("--list-key-file", type=FILE, help="The key of the rows: 32 random bytes, readable by you alone.")
@click.option(
    "--allow-made-up-bundle", is_flag=True, help="Score real records with a bundle trained on made-up people."
)
@json_option
def score(
    data: Path,
    as_of: date,
    out: Path,
    config_path: Path | None,
    list_key_file: Path | None,
    allow_made_up_bundle: bool,
    as_json: bool,
) -> None:
    """Score everyone known on the night and publish the outreach list."""
    from ageingwell.pipeline import night

    with _progress() as world:
        run = night.score(
            data,
            as_of=as_of,
            out=out,
            config=_config(config_path),
            list_key=list_key_file,
            allow_made_up_bundle=allow_made_up_bundle,
            surroundings=world,
        )
    _tell_night(run, as_json=as_json)


@cli.command()
@click.option("--out", default="demo", show_default=True, type=FOLDER, help="Where the county and its lists go.")
@click.option(
    "--people", default=5_000, show_default=True, type=click.IntRange(min=50), help="People aged 65 and over."
)
@json_option
def demo(out: Path, people: int, as_json: bool) -> None:
    """Make a small made-up county with Church Stretton in it, score it, and say what to open."""
    from ageingwell.pipeline import asking

    with _progress() as world:
        run = asking.demo(out, people=people, config=_config(None), surroundings=world)
    _tell_night(run, as_json=as_json)


@cli.command()
@click.option(
    "--people", required=True, type=click.IntRange(min=1), help="People aged 65 and over; younger ones on top."
)
@click.option("--out", required=True, type=FOLDER, help="Where to write the tables.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(min=0), help="Seed of every draw.")
@click.option(
    "--as-of",
    default="2026-11-22",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day the extracts are taken.",
)
@click.option("--raw", is_flag=True, help="The agencies' raw extracts, with made-up NHS numbers and names.")
@click.option(
    "--dirty", default=0.0, type=click.FloatRange(0, 0.5), help="Spoil this share of rows, with an answer file."
)
@click.option("--rate-shift", default=0.0, type=float, help="Add this to the log of every rate: another county.")
@click.option("--check-rates", is_flag=True, help="Print the county's rates beside published ones.")
@json_option
def synth(
    people: int,
    out: Path,
    seed: int,
    as_of: date,
    raw: bool,
    dirty: float,
    rate_shift: float,
    check_rates: bool,
    as_json: bool,
) -> None:
    """Make up a county: four agencies' records about people who do not exist, with known truth."""
    from ageingwell.synthetic import county, rates

    plan = county.CountyPlan(people=people, seed=seed, as_of=as_of, raw=raw, dirty=dirty, rate_shift=rate_shift)
    with _progress() as world:
        made = county.synthesise(plan, out, progress=lambda stage, share: world.tell(f"{stage} {share:.0%}"))
    if as_json:
        click.echo(json.dumps({"folder": str(made.folder), "n_people_65plus": made.n_people_65plus, "rows": made.rows}))
    else:
        click.echo(
            f"{made.n_people_65plus:,} people aged 65 and over ({made.n_people:,} in all) in {made.n_homes:,} homes: "
            f"{made.folder}"
        )
    if check_rates:
        _print_table(rates.check_rates(out))


@cli.command()
@data_option
@click.option("--refused-to", type=FOLDER, help="Write every refused row here: file, row number, column, rules.")
@config_option
@json_option
def check(data: Path, refused_to: Path | None, config_path: Path | None, as_json: bool) -> None:
    """Check the records against their contracts: what would be refused and why. Nothing is scored."""
    from ageingwell.pipeline import asking

    with _progress() as world:
        found = asking.check(data, config=_config(config_path), refused_to=refused_to, surroundings=world)
    if as_json:
        told = {"tables": found.tables.to_dicts(), "refused": found.refused.to_dicts(), "problems": found.problems}
        click.echo(json.dumps({**told, "missing": found.missing, "made_up": found.made_up}, default=str))
    else:
        _print_table(found.tables)
        _print_table(found.refused)
        for name in found.missing:
            click.echo(f"missing: {name}")
        for problem in found.problems:
            click.echo(f"problem: {problem}")
    if found.problems:
        sys.exit(5)


@cli.command()
@data_option
@click.option("--out", required=True, type=FOLDER, help="The bundle folder to write.")
@click.option(
    "--recorded-up-to",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day the extract was taken; else the day after the newest row of the GP register.",
)
@config_option
@json_option
def train(data: Path, out: Path, recorded_up_to: date | None, config_path: Path | None, as_json: bool) -> None:
    """Train a model bundle on records of several years."""
    from ageingwell.pipeline import training

    with _progress() as world:
        run = training.train(
            data, out=out, config=_config(config_path), recorded_up_to=recorded_up_to, surroundings=world
        )
    if as_json:
        click.echo(json.dumps({"folder": str(run.folder), **run.facts}))
        return
    for outcome, found in run.facts["evaluation"].items():
        rivals = ", ".join(f"{name} {rival['value']:.3f}" for name, rival in found["rivals"].items())
        click.echo(f"{outcome}: AUROC {found['auroc']['value']:.3f} on {found['n']:,} people ({rivals})")
    click.echo(f"verdict: {run.facts['verdict']['reason']}")
    click.echo(f"bundle: {run.folder}, its card: {run.folder / 'card.md'}")


@cli.group()
def views() -> None:
    """What each recipient may see of a night."""


@views.command("explain")
@click.argument("recipient", type=click.Choice(RECIPIENTS))
@config_option
@click.option("--rows", default=5, show_default=True, type=click.IntRange(min=0), help="Made-up rows to print.")
@json_option
def explain_view(recipient: "Recipient", config_path: Path | None, rows: int, as_json: bool) -> None:
    """Print what a recipient's row in the ledger lets it see, on made-up people, and that the rest is absent."""
    from ageingwell.pipeline import viewing

    with _progress() as world:
        view = viewing.explain_view(recipient, config=_config(config_path), n_rows=rows, surroundings=world)
    if as_json:
        click.echo(json.dumps({name: _told(value) for name, value in vars(view).items()}, default=str))
    else:
        click.echo(viewing.view_text(view))
    if view.n_found:
        raise NotPermittedError(
            f"{view.n_found} things that the ledger keeps from `{recipient}` are in its files",
            "send nobody these files, and report the fault with the text above",
        )


@cli.command()
@data_option
@click.option("--bundle", help="The parent: a shipped name or a bundle folder; else that of the settings.")
@click.option("--out", required=True, type=FOLDER, help="The folder of the place's bundle.")
@click.option(
    "--recorded-up-to",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day the extract was taken; else the day after the newest row of the GP register.",
)
@config_option
@json_option
def recalibrate(
    data: Path, bundle: str | None, out: Path, recorded_up_to: date | None, config_path: Path | None, as_json: bool
) -> None:
    """Move a bundle's calibration to one place, as far as the place's own events can say."""
    from ageingwell.pipeline import recalibrating

    config = _config(config_path)
    with _progress() as world:
        run = recalibrating.recalibrate(
            data,
            bundle=bundle or config.score.bundle,
            out=out,
            config=config,
            recorded_up_to=recorded_up_to,
            surroundings=world,
        )
    click.echo(json.dumps({"folder": str(run.folder), **run.facts}) if as_json else recalibrating.moves_text(run))


@cli.command()
@click.argument("person_id")
@data_option
@as_of_option
@click.option("--page", type=FILE, help="Write the explanation to this file as a page instead.")
@config_option
@json_option
def explain(
    person_id: str, data: Path, as_of: date, page: Path | None, config_path: Path | None, as_json: bool
) -> None:
    """Explain one person's risk in full: every fact's contribution."""
    from ageingwell.pipeline import asking
    from ageingwell.publish.faults import explained

    with _progress() as world:
        person = asking.explain(person_id, data, as_of=as_of, config=_config(config_path), surroundings=world)
    if page is not None:
        with explained("the page cannot be written"):
            page.write_bytes(asking.explanation_page(person))
        click.echo(page)
    elif as_json:
        told = {"risk": person.risk, "risk_low": person.risk_low, "risk_high": person.risk_high, "base": person.base}
        beside = {"outcomes": person.outcomes, "compared": person.compared, "reasons": person.reasons.to_dicts()}
        click.echo(json.dumps({**told, **beside}, default=str))
    else:
        click.echo(asking.explanation_text(person))


@cli.command()
@click.option("--raw", required=True, type=FOLDER, help="The folder of this agency's raw extracts.")
@click.option("--out", required=True, type=FOLDER, help="Where to write the contract tables.")
@click.option("--key-file", type=FILE, help="The key of the pseudonyms: 32 random bytes, readable by you alone.")
@click.option("--key-fd", type=int, help="An open file descriptor to read the key from.")
@click.option("--made-up-key", type=int, help="The public key of made-up county number N, for made-up records only.")
@click.option("--lsoa-lookup", type=FILE, help="Postcodes and their areas: columns postcode, lsoa21.")
@config_option
@json_option
def pseudonymise(
    raw: Path,
    out: Path,
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    lsoa_lookup: Path | None,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Turn an agency's raw extracts into contract tables; run it at the agency."""
    from ageingwell import pseudonyms
    from ageingwell.contracts.registry import TABLES

    config = _config(config_path)
    made = pseudonyms.pseudonymise(
        raw,
        out=out,
        key=_needed_key(key_file, key_fd, made_up_key),
        contract_columns={table: list(model.to_schema().columns) for table, model in TABLES.items()},
        lsoa_lookup=lsoa_lookup,
        column_names={table: settings.columns for table, settings in config.tables.items() if settings.columns},
        max_refused_share=config.score.max_refused_share,
    )
    click.echo(json.dumps(_plain(made), default=str) if as_json else str(out))


@cli.command()
@click.option("--list", "listed", required=True, type=FILE, help="The list to match, with person_id or row_key.")
@click.option("--register", required=True, type=FILE, help="This agency's own register, with nhs_number.")
@click.option("--out", required=True, type=FILE, help="Where to write the matched rows.")
@click.option("--key-file", type=FILE, help="The key of the pseudonyms.")
@click.option("--key-fd", type=int, help="An open file descriptor to read the key from.")
@click.option("--made-up-key", type=int, help="The public key of made-up county number N, for made-up records only.")
@click.option("--keep", multiple=True, help="A column of the register to keep; again for more.")
@json_option
def reidentify(
    listed: Path,
    register: Path,
    out: Path,
    key_file: Path | None,
    key_fd: int | None,
    made_up_key: int | None,
    keep: tuple[str, ...],
    as_json: bool,
) -> None:
    """Match a list to the agency's own register; run it at the agency."""
    from ageingwell import pseudonyms

    found = pseudonyms.reidentify(
        listed,
        register=register,
        out=out,
        key=_needed_key(key_file, key_fd, made_up_key),
        register_columns=list(keep) or None,
    )
    click.echo(json.dumps(_plain(found), default=str) if as_json else str(out))


@cli.command()
@data_option
@click.option("--bundle", help="The bundle to evaluate, a shipped name or a folder; else that of the settings.")
@click.option("--out", required=True, type=FOLDER, help="Where to write the tables.")
@click.option(
    "--recorded-up-to",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day the extract was taken; else the day after the newest row of the GP register.",
)
@click.option(
    "--weeks", default=13, show_default=True, type=click.IntRange(1, 52), help="The list is as long as these weeks."
)
@click.option("--cost-gbp", type=click.FloatRange(min=0), help="What one event costs: adds the spend ceiling.")
@click.option("--without-machine", is_flag=True, help="Leave the explainable boosting machine off the wall.")
@config_option
@json_option
def evaluate(
    data: Path,
    bundle: str | None,
    out: Path,
    recorded_up_to: date | None,
    weeks: int,
    cost_gbp: float | None,
    without_machine: bool,
    config_path: Path | None,
    as_json: bool,
) -> None:
    """Measure a model bundle on the latest year, on households it never saw, beside every simple rival."""
    from ageingwell.pipeline import evaluating

    config = _config(config_path)
    with _progress() as world:
        run = evaluating.evaluate(
            data,
            config=config,
            bundle=bundle or config.score.bundle,
            out=out,
            recorded_up_to=recorded_up_to,
            weeks=weeks,
            cost_gbp=cost_gbp,
            machine=not without_machine,
            surroundings=world,
        )
    click.echo(json.dumps({"folder": str(run.folder), **run.facts}) if as_json else evaluating.summary_text(run))
    if not as_json:
        click.echo(f"tables: {run.folder}")


@cli.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--out", required=True, type=FOLDER, help="The folder that holds the published nights and the ledger.")
@click.option("--dry-run", is_flag=True, help="Say what would be recorded, row by row; write nothing.")
@click.option(
    "--role", default="not stated", show_default=True, help='Who records, as a role: "meeting chair". No names.'
)
@click.option("--fix-to", type=FOLDER, help="Where files to mend go; else beside each file.")
@click.option(
    "--recorded-on",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=_day,
    help="The day of recording in place of today; for made-up nights alone.",
)
@config_option
@click.option("--list-key-file", type=FILE, help="The key of the rows, as `score` had it.")
@json_option
def record(
    files: tuple[Path, ...],
    out: Path,
    dry_run: bool,
    role: str,
    fix_to: Path | None,
    recorded_on: date | None,
    config_path: Path | None,
    list_key_file: Path | None,
    as_json: bool,
) -> None:
    """Take the group's decisions back from filled lists: workbooks or CSV."""
    from ageingwell.pipeline import recorded, recording

    with _progress() as world:
        done = recording.record(
            files,
            out=out,
            config=_config(config_path),
            role=role,
            list_key=list_key_file,
            fix_to=fix_to,
            recorded_on=recorded_on,
            dry_run=dry_run,
            surroundings=world,
        )
    click.echo(json.dumps(recorded.as_plain(done)) if as_json else recorded.summary_text(done))
    recorded.stop_on_open_rows(done)


def _config(path: Path | None) -> "Config":
    from ageingwell.config.load import load_config

    return load_config(path)


def _needed_key(path: Path | None, descriptor: int | None, made_up: int | None) -> "Key":
    from ageingwell.pseudonyms import Key

    given = [way for way in (path, descriptor, made_up) if way is not None]
    if len(given) != 1:
        raise KeyFileError("one key is needed", "give --key-file, --key-fd or, for made-up records, --made-up-key")
    if path is not None:
        return Key.read(path)
    return Key.read_fd(descriptor) if descriptor is not None else Key.made_up(made_up or 0)


def _told(value: Any) -> Any:
    """A frame as its rows, anything else as it is."""
    return value.to_dicts() if hasattr(value, "to_dicts") else value


def _plain(told: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(told).items() if isinstance(value, str | int | float | dict | Path)}


@contextmanager
def _progress() -> Iterator["Surroundings"]:
    """Tell each stage: a moving line when a person watches, a line of JSON each when output is piped."""
    from rich.console import Console

    from ageingwell.pipeline.surroundings import Surroundings, user_cache

    cache = user_cache(os.environ, sys.platform)
    console = Console(stderr=True)
    if not console.is_terminal:
        log = _log()
        yield Surroundings(tell=lambda stage: log.info("stage", stage=stage), cache=cache)
        return
    with console.status("") as status:
        yield Surroundings(tell=lambda stage: status.update(f"{stage} …"), cache=cache)


def _log() -> Any:
    """One line of JSON a stage on standard error, for a job scheduler; only fixed names of stages and tables."""
    import structlog

    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )


def _tell_night(run: "OutreachRun", *, as_json: bool) -> None:
    if as_json:
        told = {"folder": str(run.folder), "changed": run.changed, "is_current": run.is_current}
        facts = {name: run.facts[name] for name in ("as_of", "made_up", "is_degraded", "missing", "late", "rules_only")}
        click.echo(json.dumps({**told, "n_listed": run.n_listed, **facts}))
        return
    for warning in _warnings(run.facts):
        click.echo(warning, err=True)
    click.echo(f"{run.n_listed:,} people on the list of {run.facts['as_of']}" + ("" if run.changed else ", unchanged"))
    click.echo(f"list:   {run.folder / 'list.parquet'}")
    click.echo(f"report: {run.folder / 'report.html'}")


def _warnings(facts: dict[str, Any]) -> list[str]:
    told = []
    if facts["made_up"]:
        told.append("These are made-up people.")
    if facts["missing"]:
        told.append(f"Degraded: not sent: {', '.join(facts['missing'])}.")
    if facts["late"]:
        told.append(f"Late: {', '.join(facts['late'])}.")
    if facts["rules_only"]:
        told.append("No usable model: people were chosen by rules alone.")
    return told + [f"{message}." for message in facts["messages"]]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _print_table(table: "pl.DataFrame") -> None:
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*table.columns, box=None, pad_edge=False)
    for row in table.rows():
        drawn.add_row(*map(_cell, row))
    Console(width=None if sys.stdout.isatty() else 160).print(drawn)
