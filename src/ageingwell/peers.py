"""Whom a person is compared with: people of the same sex and age band in the same place, and enough of them.

A contribution says something only beside somebody else's. Where fewer than a hundred people are alike, the place is
widened to all places, then the age band to ten years, then to everybody; the words say who is compared. People in care
homes are in no group: the outcome is none for them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ageingwell.model.contributions import Contributions

ENOUGH: Final = 100
# A single oldest person is the easiest to single out: one band from here on.
OLDEST: Final = 90
OLDEST_OF_TEN: Final = 85
UNKNOWN_PLACE: Final = "not known"
SEX_WORDS: Final = {"female": "women", "male": "men"}
_LEVELS: Final = ("place", "everywhere", "ten_years", "everybody")
_CELL: Final = ("sex", "five", "place")


@dataclass(frozen=True)
class Alike:
    """Who is alike: `people` (person_id, cell, counts), `cells` (cell, who, n_peers), `groups` (who, cell).

    A cell is one sex, five years of age and one place. Everybody of a cell is compared with one group, told by `who`;
    a group is made of cells. `counts` is false in a care home.
    """

    people: pl.DataFrame
    cells: pl.DataFrame
    groups: pl.DataFrame

    def members(self, person_id: str) -> pl.Series:
        """The people whom somebody is compared with."""
        theirs = self.people.filter(pl.col("person_id") == person_id).join(self.cells, on="cell")
        cells = self.groups.join(theirs, on="who", how="semi")
        return self.people.filter("counts").join(cells, on="cell", how="semi")["person_id"]


@dataclass(frozen=True)
class Peers:
    """What the groups are like: `groups` a row a person, `means` a row a group.

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


def find_alike(spine: pl.DataFrame, *, minimum_age: int, enough: int = ENOUGH) -> Alike:
    """Find the narrowest group of at least `enough` people for everybody of the spine.

    Somebody whose sex is not known is compared with people of any sex.

    >>> spine = pl.DataFrame({"person_id": ["a", "b", "c"], "sex": ["female", "female", "unknown"], "age": [81, 83, 99],
    ...     "place": ["Ludlow"] * 3, "care_home": ["no"] * 3})
    >>> find_alike(spine, minimum_age=65, enough=2).cells.sort("n_peers").select("who", "n_peers").rows()
    [('women aged 80 to 84 in Ludlow', 2), ('everybody aged 65 and over in all places', 3)]
    """
    banded = _banded(spine)
    cells = banded.group_by(_CELL).agg(n=pl.col("counts").sum().cast(pl.Int64)).sort(_CELL).with_row_index("cell")
    by_sex, of_any = _worded(cells, pl.col("sex"), minimum_age), _worded(cells, pl.lit("any"), minimum_age)
    groups = pl.concat([by_sex, of_any]).select("who", "cell", "n").unique()
    sizes = groups.group_by("who").agg(n_peers=pl.col("n").sum())
    open_to = by_sex.filter((pl.col("level") != 0) | (pl.col("place") != UNKNOWN_PLACE)).join(sizes, on="who")
    is_enough = (pl.col("n_peers") >= enough) | (pl.col("level") == len(_LEVELS) - 1)
    chosen = open_to.filter(is_enough).sort("cell", "level").unique("cell", keep="first", maintain_order=True)
    people = banded.join(cells, on=_CELL, how="left", maintain_order="left").select("person_id", "cell", "counts")
    return Alike(people, chosen.select("cell", "who", "n_peers"), groups.select("who", "cell").sort("who", "cell"))


def compare(alike: Alike, explained: Contributions, risks: pl.DataFrame) -> Peers:
    """The mean risk and the mean contributions of each group whose people all have features in `explained`.

    `risks` has person_id and risk.
    """
    rows = explained.features.select("person_id").join(alike.people, on="person_id", how="left", maintain_order="left")
    with_risk = rows.join(risks.select("person_id", "risk"), on="person_id", how="left", maintain_order="left")
    label = with_risk.select(pl.when("counts").then("cell"))["cell"]
    found = explained.means_by(label)
    of_cell = (
        found.select(pl.col("label").alias("cell"), "n")
        .with_row_index("place")
        .with_columns(risk=_mean_risks(label, with_risk["risk"], found["label"]))
    )
    parts = alike.groups.join(of_cell, on="cell").sort("who", "cell")
    names = parts["who"].unique(maintain_order=True)
    row = parts.join(names.to_frame().with_row_index("row"), on="who", maintain_order="left")["row"].to_numpy()
    n = np.bincount(row, weights=parts["n"].to_numpy(), minlength=len(names))
    share = parts["n"].to_numpy() / n[row]
    means = np.zeros((len(names), len(explained.model.features)))
    np.add.at(means, row, share[:, None] * found.drop("label", "n").to_numpy()[parts["place"].to_numpy()])
    told = pl.DataFrame(
        {
            "who": names,
            "_n": n.astype(np.int64),
            "peers_risk": np.bincount(row, weights=share * parts["risk"].to_numpy(), minlength=len(names)),
            "row": np.arange(len(names)),
        }
    )
    people = alike.people.join(alike.cells, on="cell").join(told, on="who").filter(pl.col("_n") == pl.col("n_peers"))
    return Peers(people.select("person_id", "who", "n_peers", "peers_risk", "row").sort("person_id"), means)


def _mean_risks(label: pl.Series, risk: pl.Series, cells: pl.Series) -> pl.Series:
    place = label.rank("dense").cast(pl.Int64).fill_null(0).to_numpy()
    sums = np.bincount(place, weights=risk.to_numpy(), minlength=len(cells) + 1)
    return pl.Series(sums[1:] / np.bincount(place, minlength=len(cells) + 1)[1:])


def _banded(spine: pl.DataFrame) -> pl.DataFrame:
    sex = pl.when(pl.col("sex").is_in(list(SEX_WORDS))).then("sex").otherwise(pl.lit("any"))
    five = pl.min_horizontal(pl.col("age") // 5 * 5, OLDEST)
    return spine.select("person_id", "place", sex=sex, five=five, counts=pl.col("care_home") != "yes")


def _worded(cells: pl.DataFrame, sex: pl.Expr, minimum_age: int) -> pl.DataFrame:
    """The groups of each cell in words, a row a cell and level: cell, place, n, level, who."""
    who = sex.replace_strict(SEX_WORDS, default="people", return_dtype=pl.String)
    ten = pl.min_horizontal((pl.col("five") + 5) // 10 * 10 - 5, OLDEST_OF_TEN)
    five_words, ten_words = _ages(pl.col("five"), 5, OLDEST), _ages(ten, 10, OLDEST_OF_TEN)
    words = (
        pl.format("{} aged {} in {}", who, five_words, "place"),
        pl.format("{} aged {} in all places", who, five_words),
        pl.format("{} aged {} in all places", who, ten_words),
        pl.lit(f"everybody aged {minimum_age} and over in all places"),
    )
    return pl.concat(
        cells.select("cell", "place", "n", level=pl.lit(level), who=said) for level, said in enumerate(words)
    )


def _ages(low: pl.Expr, years: int, oldest: int) -> pl.Expr:
    closed = pl.format("{} to {}", low, low + years - 1)
    return pl.when(low >= oldest).then(pl.lit(f"{oldest} and over")).otherwise(closed)
