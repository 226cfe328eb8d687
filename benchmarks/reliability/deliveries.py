"""Deliveries that lost something, a county of 1,500: who that opted out, died or left would be scored, and what stops.

    python -m benchmarks.reliability deliveries [--people 1500] [--seed 11]

Each table is also halved, and each column of the GP register emptied and halved, or dropped where nobody may go on
without it. The tests do the same to every column of every table. The figure goes to docs/evidence/full.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ageingwell.config.load import load_config
from ageingwell.context import Surroundings
from ageingwell.contracts.registry import MUST_BE_TOLD, TABLES, columns
from ageingwell.errors import AgeingWellError
from ageingwell.night.score import score
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.losing import lose

NIGHT = date(2026, 11, 22)
FIGURES = Path(__file__).resolve().parents[2] / "docs" / "evidence" / "full"
Change = Callable[[Path], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a first night, then each delivery that lost something; 0 where none was taken in silence."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=1_500)
    asked.add_argument("--seed", type=int, default=11)
    given = asked.parse_args(arguments)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="ageingwell-deliveries-") as place:
        here = Path(place)
        synthesise(CountyPlan(people=given.people, seed=given.seed), here / "county")
        world = Surroundings(cache=here / "cache")
        score(here / "county", as_of=NIGHT, out=here / "out", config=load_config(), surroundings=world)
        barred = _barred(here / "county")
        changes = deliveries()
        for name, change in changes.items():
            said, n_scored = _try(here, change, barred, world)
            is_silent = said is None or n_scored > 0
            bad += is_silent
            print(
                f"{'SILENT' if is_silent else 'told':<7}{name:<48}{n_scored:>4} barred people scored  {said or ''}"[
                    :200
                ]
            )
    print(f"{len(changes)} deliveries, {bad} taken in silence")
    FIGURES.mkdir(parents=True, exist_ok=True)
    command = "python -m benchmarks.reliability deliveries"
    figure = {"goal": "P7.shrunken_opt_outs", "n": len(changes), "bad": bad, "seed": given.seed, "command": command}
    (FIGURES / "P7.shrunken_opt_outs.json").write_text(json.dumps(figure, indent=2) + "\n", encoding="utf-8")
    return int(bad > 0)


def deliveries() -> Mapping[str, Change]:
    """What each delivery lost, by name."""
    found: dict[str, Change] = {
        f"permissions: {share:.1%} of rows": _losing("permissions", keep=share) for share in (0.9, 0.5, 0.1, 0.002)
    }
    for table in TABLES:
        found[f"{table}: half of the rows"] = _losing(table, keep=0.5)
    for table, names in MUST_BE_TOLD.items():
        found |= {f"{table}.{name}: dropped": _dropping(table, name) for name in names}
        for column in columns(table):
            found[f"{table}.{column.name}: emptied"] = _losing(table, keep=0.0, column=column.name)
            found[f"{table}.{column.name}: halved"] = _losing(table, keep=0.5, column=column.name)
    return found


def _losing(table: str, *, keep: float, column: str | None = None) -> Change:
    return lambda county: lose(county, table, keep=keep, column=column, seed=3)


def _dropping(table: str, column: str) -> Change:
    def drop(county: Path) -> None:
        path = county / f"{table}.parquet"
        pl.read_parquet(path).rename({column: f"other_{column}"}, strict=False).write_parquet(path)

    return drop


def _barred(county: Path) -> set[str]:
    """Who opted out, died or left, by the tables as they were sent first."""
    opted = pl.read_parquet(county / "permissions.parquet").filter(
        pl.col("kind").is_in(["objection", "restriction", "type_1"])
        & (pl.col("to_on").is_null() | (pl.col("to_on") >= NIGHT))
    )
    newest = pl.read_parquet(county / "gp_patients.parquet").sort("recorded_on").unique("person_id", keep="last")
    gone = newest.filter(pl.col("died_on").is_not_null() | (pl.col("left_on") < NIGHT))
    return {*opted["person_id"].drop_nulls(), *gone["person_id"]}


def _try(here: Path, change: Change, barred: set[str], world: Surroundings) -> tuple[str | None, int]:
    """What a night said of a delivery, None where it said nothing; and how many of the barred it scored."""
    sent, out = here / "sent", here / "again"
    for folder in (sent, out):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(here / "county", sent)
    shutil.copytree(here / "out", out, symlinks=True)
    before = _what(sent)
    change(sent)
    if _what(sent) == before:
        return "nothing to lose", 0
    try:
        night = score(sent, as_of=NIGHT + timedelta(days=1), out=out, config=load_config(), surroundings=world)
    except AgeingWellError as fault:
        return f"exit {fault.exit_code}: {fault.found}", 0
    scored = night.frames.scores.lazy().select("person_id").collect()["person_id"]
    told = [
        *(f"{table}: {', '.join(names)}" for table, names in night.facts.columns_gone.items()),
        *night.facts.missing,
    ]
    told += [note for note in night.facts.notes if "missing now" in note]
    return "; ".join(told) or None, len(barred & set(scored))


def _what(county: Path) -> list[bytes]:
    """What the tables say, to see whether a change took anything."""
    return [pl.read_parquet(path).write_csv().encode() for path in sorted(county.glob("*.parquet"))]
