"""What holds a visit back tonight, whatever the risk: deaths, moves, hospital, end of life, markers, doubts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from ageingwell.config.outreach import Thresholds
from ageingwell.spine import left_by
from ageingwell.timeline import AsOf, Lookback


@dataclass(frozen=True)
class Markers:
    """People and homes under a marker: each a frame of person_id or household_id."""

    safeguarding: pl.DataFrame
    staff_safety: pl.DataFrame


def exits(versions: pl.DataFrame, *, told_dead: pl.Series, on: date) -> pl.DataFrame:
    """Who has died or left, however late it was recorded: person_id, died, left, household_id as last recorded.

    `versions` is the newest version of each person in all records, not only those known on the cut-off; `told_dead`
    are those (person_id) whom another agency's records tell to have died, whatever the register says. A leaving
    announced for a day after `on` is no leaving yet.
    """
    return versions.select(
        "person_id",
        died=pl.col("died_on").is_not_null() | pl.col("person_id").is_in(told_dead.implode()),
        left=left_by(on),
        last_household_id="household_id",
    )


def under_safeguarding(markers: pl.DataFrame, versions: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """The marked people and homes, and the homes of marked people of any age: person_id or household_id.

    `versions` is the newest version of each person in all records.
    """
    homes = (
        _living(versions, on)
        .join(markers.drop_nulls("person_id"), on="person_id", how="semi")
        .select("household_id")
        .drop_nulls()
    )
    return pl.concat(
        [markers, homes.select(person_id=pl.lit(None, dtype=pl.String), household_id="household_id")]
    ).unique()


def with_people_at(marks: pl.DataFrame, unsure: pl.DataFrame) -> pl.DataFrame:
    """The marked people and homes, with everybody who may live in a marked home: person_id or household_id.

    `unsure` are the people whose address was matched with low certainty (person_id, household_id): for help the home
    is not theirs, and for a marker it may be.

    >>> marks = pl.DataFrame({"person_id": [None, "p9"], "household_id": ["h1", None]})
    >>> unsure = pl.DataFrame({"person_id": ["p1", "p2"], "household_id": ["h1", "h2"]})
    >>> with_people_at(marks, unsure).rows()
    [(None, 'h1'), ('p9', None), ('p1', None)]
    """
    homes = marks.select("household_id").drop_nulls().unique()
    there = unsure.join(homes, on="household_id", how="semi", maintain_order="left").select("person_id")
    return pl.concat([marks, there], how="diagonal")


def _living(versions: pl.DataFrame, on: date) -> pl.DataFrame:
    return versions.filter(pl.col("died_on").is_null() & ~left_by(on))


SAFEGUARDED = pl.Schema({"person_id": pl.String, "household_id": pl.String, "reason": pl.String})


def safeguarded(markers: pl.DataFrame, versions: pl.DataFrame, left: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Whom the safeguarding lead hears of: person_id, household_id, reason.

    `safeguarding` is a marked person of any age who is alive and registered, `safeguarding_at_home` somebody held
    because of a marker at their home (`left` says who), `home` a marked home, whoever lives there.
    """
    where = _living(versions, on).select("person_id", "household_id")
    people = markers.select("person_id").drop_nulls().unique().join(where, on="person_id")
    at_home = left.filter(pl.col("reason").str.starts_with("safeguarding")).select("person_id").unique()
    others = at_home.join(people, on="person_id", how="anti").join(where, on="person_id", how="left")
    homes = markers.select("household_id").drop_nulls().unique()
    told = [
        people.with_columns(reason=pl.lit("safeguarding")),
        others.with_columns(reason=pl.lit("safeguarding_at_home")),
        homes.select(person_id=pl.lit(None, dtype=pl.String), household_id="household_id", reason=pl.lit("home")),
    ]
    return pl.concat(part.select(SAFEGUARDED.names()) for part in told).sort(SAFEGUARDED.names())


def homes_under_markers(needs: pl.DataFrame, markers: Markers, *, note: str) -> pl.DataFrame:
    """The needs with what markers say of homes that nobody is linked to.

    A home under safeguarding is left to the safeguarding lead (`outcome`), and `note` stands first where a marker
    warns of danger to a visitor.
    """
    of_home = pl.col("person_id").is_null()
    guarded = of_home & _is_among(markers.safeguarding, "household_id")
    warned = of_home & _is_among(markers.staff_safety, "household_id")
    return needs.with_columns(
        outcome=pl.when(guarded).then(pl.lit("safeguarding")).otherwise("outcome"),
        action=pl.when(warned).then(pl.format("{}. {}", pl.lit(note), "action")).otherwise("action"),
    )


def flagged(
    people: pl.DataFrame,
    *,
    tables: Mapping[str, pl.LazyFrame],
    gone: pl.DataFrame,
    markers: Markers,
    held: pl.DataFrame,
    as_of: AsOf,
    codelists: Mapping[str, tuple[str, ...]],
    thresholds: Thresholds,
) -> pl.DataFrame:
    """Add to each person the flags that `eligible` asks for.

    `tables` are the tables known on the cut-off, `gone` is what `exits` gives, `held` the people (person_id) whose
    newest row of the GP register was refused, or leaves in doubt whether they died or left, or where they live.
    `thresholds` say how long a stay without an end, and a code for the end of life, hold a visit back.
    """
    end_of_life = _near_the_end(tables, as_of, codelists, days=thresholds.end_of_life_days)
    moved_home = ~pl.col("household_id").eq_missing(pl.col("last_household_id"))
    return (
        people.join(gone, on="person_id", how="left", maintain_order="left")
        .with_columns(
            is_deceased=pl.col("died").fill_null(value=False),
            has_moved=pl.col("left").fill_null(value=False) | moved_home,
            is_end_of_life=_is_among(end_of_life, "person_id"),
            is_in_hospital=_is_among(_in_hospital(tables, as_of, days=thresholds.open_stay_days), "person_id"),
            is_safeguarded=_is_marked(markers.safeguarding),
            has_staff_safety_marker=_is_marked(markers.staff_safety),
            is_record_held=_is_among(held, "person_id"),
        )
        .drop("died", "left", "last_household_id")
    )


def _is_among(frame: pl.DataFrame, column: str) -> pl.Expr:
    return pl.col(column).is_in(frame[column].drop_nulls().unique().implode()).fill_null(value=False)


def _is_marked(marked: pl.DataFrame) -> pl.Expr:
    return _is_among(marked, "person_id") | _is_among(marked, "household_id")


def _near_the_end(
    tables: Mapping[str, pl.LazyFrame], as_of: AsOf, codelists: Mapping[str, tuple[str, ...]], *, days: int
) -> pl.DataFrame:
    codes = codelists.get("end_of_life", ())
    day = pl.coalesce("happened_on", "recorded_on")
    coded = tables["gp_events"].filter((pl.col("code_system") == "snomed") & pl.col("code").is_in(codes))
    return coded.filter(Lookback(days).holds(day, as_of)).select("person_id").unique().collect()


def _in_hospital(tables: Mapping[str, pl.LazyFrame], as_of: AsOf, *, days: int) -> pl.DataFrame:
    """Who is in hospital; a stay that began longer ago and never ended was never closed in the record."""
    if "hospital_events" not in tables:
        return pl.DataFrame(schema={"person_id": pl.String})
    still_open = pl.col("ended_on").is_null() | (pl.col("ended_on") >= as_of.day)
    stays = tables["hospital_events"].filter(
        (pl.col("kind") != "ae_attendance") & still_open & Lookback(days).holds(pl.col("started_on"), as_of)
    )
    return stays.select("person_id").unique().collect()
