"""What is said of tables that link too little: on page one, by `check`, on exit and in the manifest.

Counts of people and homes go through the door of `governance.disclosure`, for every reader has these sentences.
"""

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.governance.disclosure import in_words, is_small
from ageingwell.governance.linked import share_words
from ageingwell.governance.night_facts import LinkFacts
from ageingwell.recognition.link_floors import FEWEST_TO_JUDGE, OPT_OUTS, below_floor
from ageingwell.recognition.links import ALL, REGISTER, lowest_group, overall

_ASK: Final = "Ask the agency whether its key and its match of addresses are right"


def below_sentences(below: pl.DataFrame) -> list[str]:
    """One sentence or two for each table below its floor (as `below_floor` gives it), no full stop at the end.

    >>> for told in below_sentences(pl.DataFrame({"table": ["care_events"], "of": ["people"], "n": [1_000],
    ...                                           "n_linked": [300], "at_least": [0.5]})):
    ...     print(told)
    care events: fewer people are on the GP register than the 50 in 100 expected (30 in 100). What it says about the
    others is used for nobody. Ask the agency whether its key and its match of addresses are right
    """
    return [_below(row) for row in below.iter_rows(named=True)]


def _below(row: Mapping[str, Any]) -> str:
    found = shown_share(row["n_linked"], row["n"])
    expected = f"than the {100 * row['at_least']:.0f} in 100 expected" + (f" ({found})" if found else "")
    if row["table"] == REGISTER:
        return f"GP register: fewer people have a home {expected}. Records of homes are used for nobody else. {_ASK}"
    table = row["table"].replace("_", " ")
    so = "What it says about the others is used for nobody"
    return f"{table}: fewer {row['of']} are on the GP register {expected}. {so}. {_ASK}"


def fallen_sentences(lost: pl.DataFrame, *, minimum_age: int) -> list[str]:
    """One sentence for each share that fell since the last night (as `fallen` gives it), no full stop at the end."""
    return [_fell(row, minimum_age) for row in lost.iter_rows(named=True)]


def _fell(row: Mapping[str, Any], minimum_age: int) -> str:
    table = row["table"].replace("_", " ")
    if row["table"] == REGISTER:
        older = f" of {minimum_age} and over" if row["of"] == "registered" else ""
        who = "GP register" if row["group"] == ALL else f"practice {row['level']}"
        what = f"{who}: fewer people{older} have a home"
    elif row["of"] == "registered":
        what = f"{table}: it has records of fewer people of {minimum_age} and over on the GP register"
    else:
        what = f"{table}: fewer {row['of']} are on the GP register"
    now, then = shown_share(row["n_linked"], row["n"]), shown_share(row["n_linked_before"], row["n_before"])
    figures = f" ({now}, {then} before)" if now and then else ""
    return f"{what} than last time{figures}. {_ASK}"


def shown_share(n_linked: int, n: int) -> str:
    """A share as a page may show it; nothing where 1 to 7 stand behind it, linked or not.

    >>> shown_share(300, 1_000), shown_share(3, 1_000), shown_share(998, 1_000), shown_share(0, 0)
    ('30 in 100', '', '', '')
    """
    if n == 0 or is_small({"n": n, "n_events": n_linked}):
        return ""
    return share_words(in_words(n_linked), in_words(n))


def described(links: pl.DataFrame, settings: Mapping[str, TableSettings]) -> pl.DataFrame:
    """The links as `ageingwell check` prints them.

    Columns: table, of, n, n_linked, share, at_least, verdict; of_registered, the share of people registered of the age
    asked for of whom the table knows; and lowest_group, the group of them, 20 or more, of whom it knows least. A need
    that is rarer in a group explains a low share as well as links that are missed.
    """
    few = below_floor(links, settings).select("table", "of", _few=pl.lit("too few"))
    floors = {name: table.linked_at_least for name, table in settings.items() if name != OPT_OUTS}
    at_least = pl.col("table").replace_strict(floors, default=None, return_dtype=pl.Float64)
    is_told = at_least.is_not_null() & pl.col("share").is_not_null()
    lowest = lowest_group(links, at_least=FEWEST_TO_JUDGE)
    known = links.filter(of="registered", group=ALL).select("table", of_registered="share")
    return (
        overall(links)
        .join(few, on=["table", "of"], how="left", maintain_order="left")
        .join(known, on="table", how="left", maintain_order="left")
        .select(
            "table",
            "of",
            "n",
            "n_linked",
            "share",
            at_least=at_least,
            verdict=pl.coalesce("_few", pl.when(is_told).then(pl.lit("enough"))),
            of_registered="of_registered",
            lowest_group=pl.col("table").replace_strict(lowest, default=None, return_dtype=pl.String),
        )
    )


def manifest_of(links: pl.DataFrame, settings: Mapping[str, TableSettings]) -> LinkFacts:
    """The links for `manifest.json`: `tables` as a whole in both directions; `links.parquet` has every group.

    `below` are the tables below their floor.
    """
    return {
        "tables": links.filter(group=ALL).drop("group", "level").to_dicts(),
        "below": below_floor(links, settings).to_dicts(),
    }
