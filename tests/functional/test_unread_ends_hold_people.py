"""Somebody whose newest row was refused, or whose day of death or leaving, or home, cannot be read, is never listed."""

from pathlib import Path

import polars as pl
from helpers.counties import NIGHT, copy_of, listed

from ageingwell.config.load import load_config
from ageingwell.night.score import score
from ageingwell.report.words import REASON_WORDS

UNREAD = [
    ("died_on", "31/02/2026", "death_not_read"),
    ("died_on", "1900-01-01", "death_not_read"),
    ("died_recorded_on", "last week", "death_not_read"),
    ("left_on", "31/02/2026", "leaving_not_read"),
    ("left_recorded_on", "last week", "leaving_not_read"),
    ("household_id", "No 5", "home_not_read"),
    # The whole row is refused: nobody knows what else it would have told.
    ("birth_month", "in spring", "record_held"),
]


def test_each_of_them_is_held_with_the_reason_in_words(
    first_night: Path, small_county: Path, settings: Path, tmp_path: Path
) -> None:
    county = copy_of(small_county, tmp_path / "county")
    rows = pl.read_parquet(county / "gp_patients.parquet").with_columns(pl.all().cast(pl.String))
    # Of somebody whose only row is refused nothing is left to be held.
    several = set(rows.filter(pl.len().over("person_id") > 1)["person_id"])
    people = sorted(several & {row["person_id"] for row in listed(first_night / "out" / "current")})[: len(UNREAD)]
    for person, (column, text, _) in zip(people, UNREAD, strict=True):
        newest = (pl.col("person_id") == person) & (
            pl.col("recorded_on") == pl.col("recorded_on").max().over("person_id")
        )
        rows = rows.with_columns(pl.when(newest).then(pl.lit(text)).otherwise(column).alias(column))
    (county / "gp_patients.parquet").unlink()
    rows.write_csv(county / "gp_patients.csv")

    night = score(county, as_of=NIGHT, out=tmp_path / "out", config=load_config(settings))

    attrition = pl.read_parquet(night.folder / "attrition.parquet")
    told = dict(attrition.filter(pl.col("person_id").is_in(people)).select("person_id", "reason").rows())
    assert told == {person: reason for person, (_, _, reason) in zip(people, UNREAD, strict=True)}
    on_the_list = pl.read_parquet(night.folder / "list.parquet")["person_id"].to_list()
    assert on_the_list
    assert not set(people) & set(on_the_list)
    assert all(reason in REASON_WORDS for _, _, reason in UNREAD)
