"""Whom a person is compared with: people of the same sex and age band in the same place, and enough of them.

A contribution says something only beside somebody else's. Where fewer than a hundred people are alike, the place is
widened to all places, then the age band to ten years, then to everybody; the words say who is compared. People in care
homes are in no group: the outcome is none for them.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.model.contributions import UNITS_IN_ONE, Contributions

ENOUGH: Final = 100
# A single oldest person is the easiest to single out: one band from here on.
OLDEST: Final = 90
OLDEST_OF_TEN: Final = 85
UNKNOWN_PLACE: Final = "not known"
SEX_WORDS: Final = {"female": "women", "male": "men"}
_LEVELS: Final = ("place", "everywhere", "ten_years", "everybody")
_CELL: Final = ("sex", "five", "place")
# A risk as a whole number: sums of 10 million stay within 63 bits, and 1 part in 10^12 is lost.
RISK_UNITS: Final = 2**38


@dataclass(frozen=True)
class Alike:
    """Who is alike: `cells` (sex, five, place, cell, who, n_peers), `groups` (who, cell), `people` (with their cell).

    A cell is one sex, five years of age and one place. Everybody of a cell is compared with one group, told by `who`;
    a group is made of cells. Of whom `people` does not hold, nothing is asked by name.
    """

    cells: pl.DataFrame
    groups: pl.DataFrame
    people: pl.DataFrame

    def members(self, person_id: str) -> pl.Series:
        """The people whom somebody is compared with."""
        theirs = self.people.filter(pl.col("person_id") == person_id).join(self.cells, on="cell")
        cells = self.groups.join(theirs, on="who", how="semi")
        return self.people.filter("counts").join(cells, on="cell", how="semi")["person_id"]


@dataclass(frozen=True)
class Peers:
    """What the groups of some people are like: `groups` a row a person, `means` a row a group.

    `groups` has person_id, who (the group in words), n_peers, peers_risk (their mean risk) and row, the group's row of
    `means` (its mean contributions, a column a feature in the model's order).
    """

    groups: pl.DataFrame
    means: NDArray[np.float64]

    def means_of(self, person_ids: pl.Series) -> NDArray[np.float64]:
        """The mean contributions of each person's group: a row a person, in their order."""
        asked = pl.DataFrame({"person_id": person_ids})
        rows = asked.join(self.groups, on="person_id", how="left", maintain_order="left")["row"]
        return np.asarray(self.means[rows.to_numpy()])


# Where no figure is told, nobody is compared.
NOBODY: Final = Peers(
    pl.DataFrame(
        schema={
            "person_id": pl.String,
            "who": pl.String,
            "n_peers": pl.Int64,
            "peers_risk": pl.Float64,
            "row": pl.Int64,
        }
    ),
    np.zeros((0, 0)),
)


@dataclass(frozen=True)
class PeerGroups:
    """What every group is like: `cells` has sex, five, place and the columns of `Peers.groups` but person_id."""

    cells: pl.DataFrame
    means: NDArray[np.float64]

    def of(self, spine: pl.DataFrame) -> Peers:
        """The peers of these people: person_id, sex, age, place, care_home."""
        return self.of_people(in_cells(spine))

    def of_people(self, people: pl.DataFrame) -> Peers:
        """The peers of people whose cells are known, as `in_cells` gives them."""
        found = people.join(self.cells, on=_CELL)
        return Peers(found.select(NOBODY.groups.columns).sort("person_id"), self.means)


def in_cells(spine: pl.DataFrame) -> pl.DataFrame:
    """The cell of each person: person_id, place, sex, five, counts (false in a care home)."""
    sex = pl.when(pl.col("sex").is_in(list(SEX_WORDS))).then("sex").otherwise(pl.lit("any"))
    five = pl.min_horizontal(pl.col("age") // 5 * 5, OLDEST)
    return spine.select("person_id", "place", sex=sex, five=five, counts=pl.col("care_home") != "yes")


def cell_label() -> pl.Expr:
    """The cell as one text, for sums by cell; missing for people who do not count."""
    return pl.when("counts").then(pl.format("{}|{}|{}", "sex", "five", "place")).alias("label")


def count_cells(spine: pl.DataFrame) -> pl.DataFrame:
    """How many people count in each cell: sex, five, place, n. The counts of parts of a spine add up."""
    return in_cells(spine).group_by(_CELL).agg(n=pl.col("counts").sum().cast(pl.Int64)).sort(_CELL)


def sum_risks(people: pl.DataFrame, risks: pl.DataFrame) -> pl.DataFrame:
    """The risks of each cell added up as whole numbers, so that sums of parts are the sums of all: label, units.

    `people` is what `in_cells` gives; `risks` has person_id and risk, a row for each of them.
    """
    labelled = people.select("person_id", cell_label()).drop_nulls("label")
    units = (pl.col("risk") * RISK_UNITS).round().cast(pl.Int64)
    with_risk = labelled.join(risks.select("person_id", units=units), on="person_id")
    return with_risk.group_by("label").agg(pl.col("units").sum()).sort("label")


def find_alike(spine: pl.DataFrame, *, minimum_age: int, enough: int = ENOUGH) -> Alike:
    """Find the narrowest group of at least `enough` people for everybody of the spine; see `alike_in`.

    >>> spine = pl.DataFrame({"person_id": ["a", "b", "c"], "sex": ["female", "female", "unknown"], "age": [81, 83, 99],
    ...     "place": ["Ludlow"] * 3, "care_home": ["no"] * 3})
    >>> find_alike(spine, minimum_age=65, enough=2).cells.sort("n_peers").select("who", "n_peers").rows()
    [('women aged 80 to 84 in Ludlow', 2), ('everyone aged 65 and over in all places', 3)]
    """
    found = alike_in(count_cells(spine), minimum_age=minimum_age, enough=enough)
    people = in_cells(spine).join(found.cells.select(*_CELL, "cell"), on=_CELL, how="left", maintain_order="left")
    return replace(found, people=people)


def alike_in(counts: pl.DataFrame, *, minimum_age: int, enough: int = ENOUGH) -> Alike:
    """Find the narrowest group of at least `enough` people for every cell; `counts` as `count_cells` gives them, or
    those of several parts one after another.

    Somebody whose sex is not known is compared with people of any sex.
    """
    cells = counts.group_by(_CELL).agg(pl.col("n").sum()).sort(_CELL).with_row_index("cell")
    by_sex, of_any = _worded(cells, pl.col("sex"), minimum_age), _worded(cells, pl.lit("any"), minimum_age)
    groups = pl.concat([by_sex, of_any]).select("who", "cell", "n").unique()
    sizes = groups.group_by("who").agg(n_peers=pl.col("n").sum())
    open_to = by_sex.filter((pl.col("level") != 0) | (pl.col("place") != UNKNOWN_PLACE)).join(sizes, on="who")
    is_enough = (pl.col("n_peers") >= enough) | (pl.col("level") == len(_LEVELS) - 1)
    chosen = open_to.filter(is_enough).sort("cell", "level").unique("cell", keep="first", maintain_order=True)
    told = cells.drop("n").join(chosen.select("cell", "who", "n_peers"), on="cell")
    nobody = pl.DataFrame(
        schema={"person_id": pl.String, "place": pl.String, "sex": pl.String, "five": pl.Int64, "counts": pl.Boolean}
    )
    return Alike(told, groups.select("who", "cell").sort("who", "cell"), nobody)


def compare(alike: Alike, explained: Contributions, risks: pl.DataFrame) -> Peers:
    """The mean risk and the mean contributions of each group whose people all have features in `explained`.

    `risks` has person_id and risk.
    """
    asked = explained.features.select("person_id")
    rows = asked.join(alike.people, on="person_id", how="left", maintain_order="left")
    sums = explained.sums_by(rows.select(cell_label())["label"])
    found = compare_cells(alike, sums, sum_risks(alike.people.join(asked, on="person_id", how="semi"), risks))
    return found.of_people(alike.people)


def compare_cells(alike: Alike, contributions: pl.DataFrame, risks: pl.DataFrame) -> PeerGroups:
    """The mean risk and the mean contributions of each group whose people all have features.

    `contributions` are the sums by cell (`Contributions.sums_by`, labels as `cell_label` gives them), `risks` what
    `sum_risks` gives, each of everybody.
    """
    labelled = alike.cells.with_columns(label=pl.format("{}|{}|{}", "sex", "five", "place"))
    features = [name for name in contributions.columns if name not in ("label", "n")]
    of_cell = labelled.select("cell", "label").join(contributions, on="label").join(risks, on="label")
    of_groups = alike.groups.join(of_cell, on="cell").group_by("who").agg(pl.col("n", "units", *features).sum())
    told = of_groups.sort("who").with_row_index("row")
    means = told.select(pl.col(features) / UNITS_IN_ONE / pl.col("n")).to_numpy()
    named = told.select(
        "who",
        pl.col("row").cast(pl.Int64),
        _n="n",
        peers_risk=pl.col("units") / RISK_UNITS / pl.col("n"),
    )
    cells = alike.cells.join(named, on="who").filter(pl.col("_n") == pl.col("n_peers"))
    return PeerGroups(cells.select(*_CELL, "who", "n_peers", "peers_risk", "row").sort(_CELL), np.asarray(means))


def _worded(cells: pl.DataFrame, sex: pl.Expr, minimum_age: int) -> pl.DataFrame:
    """The groups of each cell in words, a row a cell and level: cell, place, n, level, who."""
    who = sex.replace_strict(SEX_WORDS, default="people", return_dtype=pl.String)
    ten = pl.min_horizontal((pl.col("five") + 5) // 10 * 10 - 5, OLDEST_OF_TEN)
    five_words, ten_words = _ages(pl.col("five"), 5, OLDEST), _ages(ten, 10, OLDEST_OF_TEN)
    words = (
        pl.format("{} aged {} in {}", who, five_words, "place"),
        pl.format("{} aged {} in all places", who, five_words),
        pl.format("{} aged {} in all places", who, ten_words),
        pl.lit(f"everyone aged {minimum_age} and over in all places"),
    )
    return pl.concat(
        cells.select("cell", "place", "n", level=pl.lit(level), who=said) for level, said in enumerate(words)
    )


def five_years(age: pl.Expr) -> pl.Expr:
    """The five-year band of an age in the words that name the groups.

    >>> pl.DataFrame({"age": [82.0, 97.0, None]}).select(band=five_years(pl.col("age")))["band"].to_list()
    ['80 to 84', '90 and over', None]
    """
    five = pl.min_horizontal(age.cast(pl.Int64) // 5 * 5, OLDEST)
    return pl.when(age.is_not_null()).then(_ages(five, 5, OLDEST))


def _ages(low: pl.Expr, years: int, oldest: int) -> pl.Expr:
    closed = pl.format("{} to {}", low, low + years - 1)
    return pl.when(low >= oldest).then(pl.lit(f"{oldest} and over")).otherwise(closed)
