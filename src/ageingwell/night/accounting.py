"""Every row that was sent, in one place: used, refused, sent twice, barred, out of scope or held. Nothing is lost.

The counts of a table come from different hands: what reading counted, what the gate let through, what the shards were
given. Where they do not add up, rows were lost on the way, and no list is made of what is left.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from ageingwell.contracts.registry import recorded_column
from ageingwell.errors import AccountingError
from ageingwell.governance.disclosure import shown_count
from ageingwell.night.shards import REGISTER
from ageingwell.night.tonight import Part, Tonight
from ageingwell.permissions import FORGOTTEN, GP_TABLES
from ageingwell.permitted import held_people
from ageingwell.recognition.links import GROUPS, NOT_KNOWN, registered_by_group
from ageingwell.sources.read import CheckedTable, Records

# Where the rows of a table went, in the order in which it is decided: the first that holds.
PLACES: Final = (
    "left_out",  # the settings say to ignore them
    "refused",
    "sent_twice",  # a version of somebody on the register that came before
    "opted_out",
    "not_yet_known",  # recorded on the night or later
    "held",
    "used",
    "out_of_scope",  # of nobody who was considered: too young, dead, gone, or on no register
)
_PERMISSIONS: Final = "permissions"
_CONTACTS: Final = "contacts"  # what the group recorded is added to them, and one may be in two shards
_SUBJECTS: Final = {"person_id": "people", "household_id": "homes"}


def account_for_rows(
    records: Records, tonight: Tonight, parts: Sequence[Part], *, people: pl.Series, homes: pl.Series
) -> dict[str, dict[str, int]]:
    """Say of each table where its rows went (`PLACES`), with `read`, all of them.

    `people` are those of the age asked for who are registered and may be used, `homes` where they live. Raises
    `AccountingError` where the places do not add up to what was read, or others were worked on than were let through.
    """
    told, faults = {}, []
    let_through, held = tonight.gate.let_through(records).rows(), held_people(records)["person_id"]
    for name, table in records.tables.items():
        found = _places(table, tonight, people=people, homes=homes, held=held)
        rows = _n_rows(_sent(name, let_through[name])) + (0 if name == _PERMISSIONS else found["opted_out"])
        good = sum(found[place] for place in PLACES[3:])
        faults += _faults(name, found, n_read=table.n_read, good=good, passed=rows)
        if name not in (_PERMISSIONS, _CONTACTS):
            in_shards = sum(_n_rows(part.shard.own()[name]) for part in parts)
            faults += [] if in_shards == good else [f"{name}: {good:,} rows are good, and {in_shards:,} were worked on"]
        told[name] = {"read": table.n_read} | found
    if faults:
        raise AccountingError(
            "rows were lost on the way, so nothing was published: " + "; ".join(faults),
            "this is a fault of the program: keep the tables as they are, and report it",
        )
    return told


def _faults(name: str, found: Mapping[str, int], *, n_read: int, good: int, passed: int) -> list[str]:
    accounted = sum(found.values())
    told = [] if accounted == n_read else [f"{name}: {n_read:,} rows were read and {accounted:,} are accounted for"]
    return told + ([] if passed == good else [f"{name}: {good:,} rows are good, and {passed:,} are barred or used"])


def _sent(name: str, rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows that somebody sent: those of people who were forgotten are put among the opt-outs here."""
    return rows.filter(pl.col("kind").cast(pl.String) != FORGOTTEN) if name == _PERMISSIONS else rows


def _n_rows(rows: pl.LazyFrame) -> int:
    return int(rows.select(pl.len()).collect(engine="streaming").item())


def _places(
    table: CheckedTable, tonight: Tonight, *, people: pl.Series, homes: pl.Series, held: pl.Series
) -> dict[str, int]:
    kinds = _kinds(table, tonight, people=people, homes=homes, held=held)
    counted = _sent(table.name, table.rows).group_by(place=kinds).agg(n=pl.len()).collect(engine="streaming")
    n = dict(counted.iter_rows())
    before = {"left_out": table.n_left_out, "refused": table.n_refused, "sent_twice": table.n_twice}
    return before | {place: int(n.get(place, 0)) for place in PLACES[3:]}


def _kinds(table: CheckedTable, tonight: Tonight, *, people: pl.Series, homes: pl.Series, held: pl.Series) -> pl.Expr:
    """The place of each good row, as an expression over the columns of its table."""
    name, on = table.name, tonight.as_of.day
    if name == _PERMISSIONS:
        # Every one is heeded until its last day.
        over = (pl.col("to_on") < on).fill_null(value=False)
        return pl.when(over).then(pl.lit("out_of_scope")).otherwise(pl.lit("used"))
    columns = [column for column in _SUBJECTS if column in table.rows.collect_schema().names()]
    barred = tonight.gate.barred
    out = {
        "person_id": (barred.register if name in GP_TABLES else barred.people)["person_id"],
        # Who lived in that home once keeps it as where they came from.
        "household_id": barred.homes["household_id"].clear() if name == REGISTER else barred.homes["household_id"],
    }
    ours = {"person_id": people, "household_id": homes.clear() if name == REGISTER else homes}
    return (
        pl.when(_any_in(columns, out))
        .then(pl.lit("opted_out"))
        .when(pl.col(recorded_column(name)) >= on)
        .then(pl.lit("not_yet_known"))
        .when(_any_in(columns, {"person_id": held, "household_id": held.clear()}))
        .then(pl.lit("held"))
        .when(_any_in(columns, ours))
        .then(pl.lit("used"))
        .otherwise(pl.lit("out_of_scope"))
    )


def _any_in(columns: Sequence[str], ids: Mapping[str, pl.Series]) -> pl.Expr:
    asked = [pl.col(column).is_in(ids[column].implode()).fill_null(value=False) for column in columns]
    return pl.any_horizontal(asked) if asked else pl.lit(value=False)


def rates_by_group(records: Records, tonight: Tonight, links: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """By age band, sex, ethnic group, deprivation fifth and practice: rows refused, and people each table knows.

    Rows that nobody can be told of have no group. Small counts are hidden and the others rounded; a share stands only
    where neither side of it is small.
    """
    return {"refused": _refused_by_group(records, tonight), "linked": _linked_by_group(links)}


def _refused_by_group(records: Records, tonight: Tonight) -> list[dict[str, Any]]:
    with_refused = {name: table for name, table in records.tables.items() if not table.refused_of.is_empty()}
    if not with_refused:
        return []
    config = tonight.config
    groups = registered_by_group(
        records.tables[REGISTER].rows,
        tonight.as_of,
        places=config.places,
        lag_days=config.tables[REGISTER].lag_days,
    )
    told: list[dict[str, Any]] = []
    for name, table in with_refused.items():
        good = table.rows.group_by("person_id").agg(n=pl.len()).collect(engine="streaming")
        bad = table.refused_of.group_by("person_id").agg(n_refused=pl.len())
        both = good.join(bad, on="person_id", how="full", coalesce=True).join(groups, on="person_id", how="left")
        counts = both.with_columns(pl.col("n", "n_refused").fill_null(0).cast(pl.Int64))
        for group in GROUPS:
            of_group = counts.group_by(level=pl.col(group).fill_null(NOT_KNOWN)).agg(pl.col("n", "n_refused").sum())
            for level, n, n_refused in of_group.sort("level").iter_rows():
                told.append(_rate(name, group, level, n + n_refused, "n_refused", n_refused))
    return told


def _linked_by_group(links: pl.DataFrame) -> list[dict[str, Any]]:
    asked = links.filter((pl.col("of") == "registered") & pl.col("group").is_in(GROUPS))
    rows = asked.select("table", "group", "level", "n", "n_linked").iter_rows()
    return [_rate(table, group, level, n, "n_linked", part) for table, group, level, n, part in rows]


def _rate(table: str, group: str, level: str, n: int, name: str, part: int) -> dict[str, Any]:
    whole, some, rest = (shown_count(count) for count in (n, part, n - part))
    share = round(some / whole, 2) if whole and some is not None and rest is not None else None
    # Of two counts and their difference, one that is small would be given away by the others.
    shown = None if rest is None else some
    return {"table": table, "group": group, "level": level, "n": whole, name: shown, "share": share}
