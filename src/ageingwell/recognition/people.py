"""Of whom the records tell nothing, because their codes or labels are not recognised."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.config.outreach import Floors
from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.prefixes import has_bnf_chapter
from ageingwell.errors import SourceError
from ageingwell.recognition.counting import (
    DIAGNOSES,
    ENTRIES,
    MEDICINES,
    OTHER_DIAGNOSES,
    Codelists,
    Counts,
    count_recognised,
    unrecognised,
)
from ageingwell.recognition.sums import ANY, judge
from ageingwell.spine import Tables
from ageingwell.timeline import AsOf, Lookback

# The open labels of social care that a feature, an outcome or the check for care homes asks for.
CARE_LABELS: Final = (
    "primary_support_reason",
    "service_type",
    "service_component",
    "route_of_access",
    "review_reason",
    "accommodation_status",
    "event_outcome",
    "cost_frequency",
)
UNTOLD: Final = (ENTRIES, MEDICINES, DIAGNOSES, *(f"care_events.{name}" for name in CARE_LABELS))

# The medicine features look back as far as this.
RECENT_ISSUES = Lookback(90)


@dataclass(frozen=True)
class Recognised:
    """What was counted (`COUNTED`), the labels nobody knows (`NEW_LABELS`), and whose records tell nothing.

    `untold` has a row a person and a Boolean column for each of `UNTOLD`: what rests on that column is unknown of them.
    `medicines` is what was made of the prescriptions on the way (`medicines_issued`).
    """

    counted: pl.DataFrame
    new_labels: pl.DataFrame
    untold: pl.DataFrame
    medicines: pl.DataFrame | None = None


def recognise(
    tables: Tables,
    people: pl.DataFrame,
    as_of: AsOf,
    *,
    places: Path,
    codelists: Codelists,
    floors: RecognitionSettings,
) -> Recognised:
    """Count what is recognised in the tables known on the cut-off, and say of whom nothing is told.

    `people` has a column person_id; `places` is the file of places.
    """
    counts = count_recognised(tables, places=places, codelists=codelists)
    counted = judge(counts.sums, floors)
    untold = untold_of(tables, people, as_of, counts=counts, counted=counted, floors=floors)
    return Recognised(counted, counts.sums.labels, untold, counts.medicines)


def untold_of(
    tables: Tables,
    people: pl.DataFrame,
    as_of: AsOf,
    *,
    counts: Counts,
    counted: pl.DataFrame,
    floors: RecognitionSettings,
) -> pl.DataFrame:
    """Of which people of one part the records tell nothing: person_id and a column for each of `UNTOLD`, sorted.

    `tables` and `counts` are the part's own; `counted` is what `judge` makes of the sums of all parts.
    """
    found = {
        ENTRIES: _without_readable_entries(counts, counted, minimum_rows=floors.minimum_rows),
        MEDICINES: _with_ungrouped_medicines(tables, as_of, counts.medicines),
        DIAGNOSES: _with_unknown_diagnoses(tables, counted),
        **_with_new_labels(tables, counts.sums.labels),
    }
    untold = people.select("person_id").with_columns(
        pl.col("person_id").is_in(found[column].implode()).alias(column) for column in UNTOLD
    )
    return untold.sort("person_id")


def care_homes_to_check(spine: pl.DataFrame, untold: pl.DataFrame) -> pl.DataFrame:
    """The spine with `check` for `no` where social care's words for where somebody lives are not known.

    Whether they live in a care home is then not known either; a check excludes nobody, and asks before the visit.
    """
    asked = ("care_events.service_type", "care_events.accommodation_status")
    doubtful = untold.filter(pl.any_horizontal(asked))["person_id"]
    is_open = (pl.col("care_home") == "no") & pl.col("person_id").is_in(doubtful.implode())
    return spine.with_columns(care_home=pl.when(is_open).then(pl.lit("check")).otherwise("care_home"))


def floors_to_keep(floors: Floors, counted: pl.DataFrame) -> Floors:
    """The floors of the outreach settings, without those that rest on places where next to no area is known.

    >>> no_areas = pl.DataFrame({"column": ["lsoa21"], "is_enough": [False]})
    >>> floors_to_keep(Floors(rural=0.2), no_areas).rural
    0.0
    """
    if unrecognised(counted).filter(column="lsoa21").is_empty():
        return floors
    return floors.model_copy(update={"most_deprived_fifth": 0.0, "rural": 0.0})


def stop_on_untold_outcomes(untold: pl.DataFrame, asked: tuple[str, ...], *, outcome: str, at_most: float) -> None:
    """Stop training where the records of too many people cannot tell an outcome, by the columns it rests on.

    Raises `SourceError`.
    """
    if not asked:
        return
    share = untold.select(pl.any_horizontal(asked).mean()).item() or 0.0
    if share > at_most:
        raise SourceError(
            f"{outcome}: of {share:.0%} of people it is unknown, because codes or labels are not recognised",
            "run `ageingwell check` to see which; map the labels in agencies.toml, and have the right codes sent",
        )


_NOBODY = pl.Series("person_id", [], dtype=pl.String)


def _of_column(counted: pl.DataFrame, column: str) -> pl.DataFrame:
    table, name = column.split(".")
    return counted.filter(table=table, column=name)


def _below(counted: pl.DataFrame, column: str) -> pl.DataFrame:
    return unrecognised(_of_column(counted, column))


def _without_readable_entries(counts: Counts, counted: pl.DataFrame, *, minimum_rows: int) -> pl.Series:
    """People of a practice below a floor, and whoever's own entries are mostly in no terminology that we read.

    A practice too small to be judged alone goes by all practices together.
    """
    practice = pl.col("practice_code")
    below = _below(counted, ENTRIES)["practice_code"]
    large = counted.filter((pl.col("terminology") == ANY) & (pl.col("n_rows") >= minimum_rows))
    judged = _of_column(large, ENTRIES)["practice_code"].drop_nulls()
    goes_by_all = ~practice.is_in(judged.implode()) if below.null_count() else pl.lit(value=False)
    people = counts.practices.filter(practice.is_in(below.drop_nulls().implode()) | goes_by_all)
    readable = pl.col("n_rows").filter(pl.col("terminology") == "snomed").sum()
    own = counts.entries_by_person.group_by("person_id").agg(pl.col("n_rows").sum(), readable=readable)
    mostly_not = own.filter(2 * pl.col("readable") < pl.col("n_rows"))
    return pl.concat([people["person_id"], mostly_not["person_id"]]).unique()


def _with_ungrouped_medicines(tables: Tables, as_of: AsOf, medicines: pl.DataFrame | None) -> pl.Series:
    """People with a recent medicine whose group is not told: the groups they are in cannot be all they are in."""
    if medicines is None or medicines.filter(~has_bnf_chapter()).is_empty():
        return _NOBODY
    recent = RECENT_ISSUES.holds(pl.col("issued_on"), as_of)
    rows = tables["gp_prescriptions"].filter(recent & ~has_bnf_chapter())
    return rows.select("person_id").unique().collect()["person_id"]


def _with_unknown_diagnoses(tables: Tables, counted: pl.DataFrame) -> pl.Series:
    """Where next to no diagnosis of a position is recognised: everybody with an emergency stay that has one.

    One position in another classification spoils both: what it finds is not there, and what is there it hides.
    """
    if _below(counted, DIAGNOSES).is_empty() and _below(counted, OTHER_DIAGNOSES).is_empty():
        return _NOBODY
    has_one = pl.col("icd10").is_not_null() | pl.col("other_icd10").is_not_null()
    stays = tables["hospital_events"].filter((pl.col("kind") == "emergency_admission") & has_one)
    return stays.select("person_id").unique().collect()["person_id"]


def _with_new_labels(tables: Tables, labels: pl.DataFrame) -> dict[str, pl.Series]:
    """People with a row of social care whose label nobody knows, by column: what it would tell is not known of them."""
    new = {name: labels.filter(table="care_events", column=name)["label"] for name in CARE_LABELS}
    asked = [name for name in CARE_LABELS if new[name].len()]
    found = {f"care_events.{name}": _NOBODY for name in CARE_LABELS}
    if asked:
        has_new = [pl.col(name).is_in(new[name].implode()).any() for name in asked]
        people = tables["care_events"].group_by("person_id").agg(has_new).collect()
        found |= {f"care_events.{name}": people.filter(pl.col(name))["person_id"] for name in asked}
    return found
