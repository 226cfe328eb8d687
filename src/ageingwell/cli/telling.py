"""How a command prints what came of it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ageingwell.errors import NotCurrentError

if TYPE_CHECKING:
    import polars as pl

    from ageingwell.governance.night_facts import NightFacts
    from ageingwell.jobs.checking import CheckedRecords
    from ageingwell.night.score import OutreachRun
    from ageingwell.night.withdrawing import Withdrawal


def tell_night(run: "OutreachRun", *, as_json: bool) -> None:
    """Say how many people a night lists, what the reader has to know of it, and where it lies."""
    if as_json:
        told = {"folder": str(run.folder), "changed": run.changed, "is_current": run.is_current}
        plain_facts = run.facts.plain()
        facts = {
            name: plain_facts[name] for name in ("as_of", "made_up", "is_degraded", "missing", "late", "rules_only")
        }
        warnings = _warnings(run.facts)
        click.echo(json.dumps({**told, "n_listed": run.n_listed, **facts, "warnings": warnings}))
        return
    click.echo(f"{run.n_listed:,} people on the list of {run.facts.as_of}" + ("" if run.changed else ", unchanged"))
    for warning in _warnings(run.facts):
        click.echo(warning, err=True)
    click.echo(f"For other programs: {run.folder / 'list.parquet'}")
    click.echo("Open next:")
    wide = max((len(what) for what in run.to_open), default=0)
    for what, path in run.to_open.items():
        click.echo(f"  {what:<{wide}}  {path}")


def stop_unless_current(run: "OutreachRun") -> None:
    """End with an exit code of its own where the night that was made is not the list that is used.

    Raises `NotCurrentError`, after everything else was told.
    """
    if run.is_current:
        return
    raise NotCurrentError(
        f"the night {run.facts.as_of} was made, and is not the current list: `current` leads to a later night",
        "to change the list that is used, give --as-of that night's day or a later one; if a wrong date made the "
        "current one, put its folder away and lead `current` to this one",
    )


def tell_withdrawn(done: "Withdrawal", *, err: bool = False) -> None:
    """Say how many people came off the current list, and what its readers have to know."""
    for told in done.told:
        click.echo(told, err=True)
    if done.mistake is not None and not err:
        click.echo(f"The settings have a mistake, which stopped nothing here: {done.mistake}", err=True)
    if done.folder is None:
        click.echo("There is no current list, so nobody was taken off one.", err=err)
        return
    n_off = done.n_before - done.n_after
    people = "1 person was" if n_off == 1 else f"{n_off:,} people were"
    click.echo(f"{people} taken off the current list; {done.n_after:,} are on it: {done.folder}", err=err)


def tell_check(found: "CheckedRecords") -> None:
    """Say what a check found: tables, refused rows by rule, links, what is not there, and what a night would do."""
    from ageingwell.jobs.verdicts import verdict_words, with_meaning

    if not found.tables.is_empty():
        print_table(found.tables)
        if found.refused.is_empty():
            click.echo("Nothing would be refused.")
        else:
            print_table(with_meaning(found.refused))
    if not found.recognised.is_empty():
        # Practice by practice only where one is below its floor; `--json` has them all.
        worth_a_line = found.recognised["practice_code"].is_null() | (found.recognised["verdict"] == "too few")
        print_table(found.recognised.filter(worth_a_line))
    if not found.linked.is_empty():
        print_table(found.linked)
    for name in found.missing:
        click.echo(f"missing: {name}")
    for note in found.notes:
        click.echo(f"note: {note}")
    for problem in found.problems:
        click.echo(f"problem: {problem}")
    click.echo(verdict_words(found))


def _warnings(facts: "NightFacts") -> list[str]:
    from ageingwell.report.sent import sent_notes

    told = []
    if facts.made_up:
        told.append("These are made-up people.")
    if facts.missing:
        told.append(f"Degraded: not sent: {', '.join(facts.missing)}.")
    if facts.late:
        told.append(f"Late: {', '.join(facts.late)}.")
    if facts.accepted_changes:
        told.append(f"Accepted by --accept-change: {'; '.join(facts.accepted_changes)}.")
    if facts.same_as_last:
        told.append(f"The same files as last time: {', '.join(facts.same_as_last)}.")
    if facts.rules_only:
        told.append("No usable model: people were chosen by rules alone.")
    return told + sent_notes(facts) + [f"{message}." for message in facts.messages]


def told_value(value: Any) -> Any:
    """A frame as its rows, anything else as it is."""
    return value.to_dicts() if hasattr(value, "to_dicts") else value


def plain(told: Any) -> dict[str, Any]:
    """What JSON can hold of a result."""
    return {name: value for name, value in vars(told).items() if isinstance(value, str | int | float | dict | Path)}


def print_table(table: "pl.DataFrame") -> None:
    """Print a frame as a table of text."""
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*table.columns, box=None, pad_edge=False)
    for row in table.rows():
        drawn.add_row(*map(_cell, row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    # Printed as everything else is: rich has its own idea of how to end when nobody reads.
    with console.capture() as text:
        console.print(drawn)
    click.echo(text.get(), nl=False)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
