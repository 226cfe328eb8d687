"""Which tables link too little: below their floor, far below the last night, or not at all, as under another key."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.errors import SourceError
from ageingwell.recognition.links import ALL, REGISTER, overall

FEWEST_TO_JUDGE: Final = 20  # of fewer people or homes, a few strangers are already a large share
FEWEST_TO_COMPARE: Final = 50  # of fewer that linked last time, a handful more or less is chance
OPT_OUTS: Final = "permissions"  # judged by kind of opt-out, and more strictly, in `permissions.stop_unless_linked`
_ROW: Final = ("table", "of", "group", "level")


def stop_on_strangers(links: pl.DataFrame, settings: Mapping[str, TableSettings]) -> None:
    """Stop where next to nobody in a table is on the register, nor anybody registered in the table.

    Tables that carry no fingerprint of their key show in no other way that they were made under another one: their
    people look like people of whom nothing is recorded. A table of a wider area is told apart by the other direction:
    few of its people are ours, and yet it knows many of ours. Raises `SourceError` naming each table and its share.
    """
    registered = overall(links).filter(table=REGISTER)
    n_registered = {"people": registered["n"].sum(), "homes": registered["n_linked"].sum()}
    known = dict(links.filter(of="registered", group=ALL).select("table", "share").iter_rows())
    told = [
        f"{row['table']}: {row['n_linked']:,} of {row['n']:,} {row['of']}"
        for row in overall(links).iter_rows(named=True)
        if row["table"] not in (REGISTER, OPT_OUTS)
        and min(row["n"], n_registered[row["of"]]) >= FEWEST_TO_JUDGE
        and max(row["share"], known.get(row["table"]) or 0.0) < settings[row["table"]].stop_linked_below
    ]
    if told:
        raise SourceError(
            f"almost nobody in these tables is on the GP register, which is what another key gives: {'; '.join(told)}",
            "ask each agency whether they were pseudonymised with the same key, and compare the key fingerprints that "
            "`ageingwell pseudonymise` printed; if so few truly live here, lower stop_linked_below of the table in "
            "agencies.toml",
        )


def below_floor(links: pl.DataFrame, settings: Mapping[str, TableSettings]) -> pl.DataFrame:
    """The tables of which too few people or homes link: table, of, n, n_linked, share, at_least, is_judged.

    `is_judged` is false of fewer than `FEWEST_TO_JUDGE`: they are told and nothing more. Opt-outs have a floor of their
    own, in the ledger.

    >>> rows = {"table": "homes", "of": "homes", "group": "all", "level": "all", "n": [50], "n_linked": [5],
    ...         "share": [0.1]}
    >>> below_floor(pl.DataFrame(rows), {"homes": TableSettings(required=True, linked_at_least=0.2)}).rows()
    [('homes', 'homes', 50, 5, 0.1, 0.2, True)]
    """
    floors = {name: table.linked_at_least for name, table in settings.items() if name != OPT_OUTS}
    at_least = pl.col("table").replace_strict(floors, default=None, return_dtype=pl.Float64)
    judged = overall(links).with_columns(at_least=at_least, is_judged=pl.col("n") >= FEWEST_TO_JUDGE)
    few = judged.filter((pl.col("share") < pl.col("at_least")).fill_null(value=False))
    return few.select("table", "of", "n", "n_linked", "share", "at_least", "is_judged")


def fallen(links: pl.DataFrame, before: pl.DataFrame | None, *, max_lost_share: float) -> pl.DataFrame:
    """What links far less than on the last night: `LINKS`, n_before, n_linked_before.

    Asked of each table as a whole, in both directions, and of the register for each practice: one that stops sending
    homes is lost among many.
    """
    of_practice = (pl.col("table") == REGISTER) & (pl.col("group") == "practice")
    now = links.filter(((pl.col("group") == ALL) | of_practice) & (pl.col("of") != "rows"))
    last = {"n_before": "n", "n_linked_before": "n_linked", "_share": "share"}
    then = (links.clear() if before is None else before).select(*_ROW, **last)
    both = now.join(then, on=_ROW, how="inner", maintain_order="left")
    is_lost = pl.col("share") < (1 - max_lost_share) * pl.col("_share")
    return both.filter(is_lost & (pl.col("n_linked_before") >= FEWEST_TO_COMPARE)).drop("_share")
