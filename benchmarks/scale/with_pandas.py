"""The job in pandas, as somebody writes it who knows pandas well: whole columns at a time, codes looked at once each.

Days are read as datetime64 (pandas' own reader makes a Python object of each), and texts are backed by Arrow.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from pyarrow import parquet

from benchmarks.scale.check_digit import is_right
from benchmarks.scale.job import (
    CHECK_DIGITS,
    CONTACTS_COUNTED,
    DAYS_COUNTED,
    DEATH_AHEAD,
    FLAGS,
    GROUPS_COUNTED,
    MEDICINES_COUNTED,
    MINIMUM_AGE,
    NOT_BEFORE,
    OLDEST_AGE,
    READ,
    STAYS_COUNTED,
    SUBSTANCE,
    Flag,
    Rule,
    as_agreed,
    codes_on,
    codes_on_any_list,
    dmd_of,
    lag,
    rules_of,
    starts_of,
)

Tables = dict[str, pd.DataFrame]


def run(data: str, as_of: str, out: str) -> dict[str, Any]:
    """Do the job, write the agreed features to `out`, and tell the rows of each table."""
    features, counts = every_feature(Path(data), as_of=date.fromisoformat(as_of))
    as_agreed(pl.from_pandas(features)).write_parquet(out)
    return {"rows": counts}


def every_feature(data: Path, *, as_of: date) -> tuple[pd.DataFrame, dict[str, list[int]]]:
    """The agreed features, a row a person, and for each table how many rows were read and how many are good."""
    tables, counts, night = {}, {}, pd.Timestamp(as_of)
    for name in READ:
        sent = parquet.read_table(data / f"{name}.parquet").to_pandas(date_as_object=False)
        good = checked(name, sent)
        tables[name] = good[good["recorded_on"] < night]
        counts[name] = [len(sent), len(good)]
    people = _people(tables["gp_patients"], night)
    for part in (
        *_from_entries(tables["gp_events"], night),
        *_from_medicines(tables["gp_prescriptions"], night),
        *_from_stays(tables["hospital_events"], night),
    ):
        # Whom no row mentions has 0 of what is counted; of a day nobody knows anything.
        others = None if str(part.name).startswith("days_since_") else 0
        people[part.name] = part.reindex(people.index, fill_value=others)
    return people.reset_index(), counts


# --- Rows checked -----------------------------------------------------------------------------------------------------


def checked(table: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The good rows, with every optional cell emptied that cannot be read."""
    rows, good = rows.copy(), np.ones(len(rows), bool)
    digits, only = CHECK_DIGITS.get(table, ("", None))
    for rule in rules_of(table):
        if rule.column not in rows:
            continue
        cell = rows[rule.column]
        kept = _keeps(rule, cell)
        if rule.column == digits:
            kept &= _right_digits(cell, None if only is None else rows[only])
        if rule.is_needed:
            good &= (kept & cell.notna()).to_numpy(bool)
        elif not kept.all() or rule.filled is not None:
            rows[rule.column] = cell.where(kept & cell.notna(), rule.filled)
    for later, earlier in NOT_BEFORE[table]:
        good &= ~(rows[later] < rows[earlier]).to_numpy(bool)
    for broken in _own_rules(table, rows):
        good &= ~broken.to_numpy(bool)
    return _one_version_a_day(rows[good]) if table == "gp_patients" else rows[good]


def _one_version_a_day(rows: pd.DataFrame) -> pd.DataFrame:
    """A version that was sent twice is one; two of a person and day that differ are both left out."""
    once = rows.drop_duplicates()
    return once[~once.duplicated(["person_id", "recorded_on"], keep=False)]


def _keeps(rule: Rule, cell: pd.Series) -> pd.Series:
    """Whether each cell keeps the rule of its column; an empty one does."""
    kept = pd.Series(True, cell.index)
    if rule.shape is not None:
        kept &= cell.str.match(rule.shape, na=True).astype(bool)
    if rule.labels:
        kept &= cell.isin(rule.labels) | cell.isna()
    if rule.days is not None:
        low, far = map(pd.Timestamp, rule.days)
        kept &= ((cell >= low) & (cell < far) & ~cell.isin(list(map(pd.Timestamp, rule.never)))) | cell.isna()
    return kept


def _right_digits(code: pd.Series, system: pd.Series | None) -> pd.Series:
    right = [text for text in code.dropna().unique() if is_right(text)]
    kept = code.isin(right) | code.isna()
    return kept if system is None else kept | (system != "snomed")


def _own_rules(table: str, rows: pd.DataFrame) -> Iterator[pd.Series]:
    """Which rows break a rule that this table alone has."""
    if table == "gp_prescriptions":
        yield rows["bnf_code"].isna() & rows["dmd_code"].isna()
    if table == "gp_patients":
        born, recorded, died = rows["birth_month"], rows["recorded_on"], rows["died_on"]
        yield born.dt.day != 1
        yield recorded >= born + pd.DateOffset(years=OLDEST_AGE + 1)
        told = pd.concat([recorded, rows["died_recorded_on"]], axis=1).max(axis=1)
        yield died > told + pd.Timedelta(days=DEATH_AHEAD)
        yield died.isna() & rows["died_recorded_on"].notna()


# --- Features ---------------------------------------------------------------------------------------------------------


def _ended(rows: pd.DataFrame, night: pd.Timestamp, *, table: str, ended: str, recorded: str | None) -> pd.Series:
    """The day something ended, where that was known on the night."""
    day = rows[ended]
    told = rows["recorded_on"].where(day <= rows["recorded_on"]).fillna(day + pd.Timedelta(days=lag(table)))
    known = told if recorded is None else rows[recorded].fillna(told)
    return day.where(known < night)


def _people(rows: pd.DataFrame, night: pd.Timestamp) -> pd.DataFrame:
    """Everybody registered and alive of the age, by person_id: age."""
    rows = rows.assign(
        left_on=_ended(rows, night, table="gp_patients", ended="left_on", recorded="left_recorded_on"),
        died_on=_ended(rows, night, table="gp_patients", ended="died_on", recorded="died_recorded_on"),
    )
    newest = rows.sort_values("recorded_on").drop_duplicates("person_id", keep="last")
    here = newest[(newest["left_on"].isna() | (newest["left_on"] >= night)) & newest["died_on"].isna()]
    born = here["birth_month"].dt
    age = night.year - born.year - (born.month > night.month)
    people = pd.DataFrame({"person_id": here["person_id"], "age": age.astype(float)})
    return people[age.between(MINIMUM_AGE, OLDEST_AGE)].set_index("person_id").sort_index()


def _within(day: pd.Series, night: pd.Timestamp, days: int | None) -> pd.Series:
    before = day < night
    return before if days is None else before & (day >= night - pd.Timedelta(days=days))


def _from_entries(rows: pd.DataFrame, night: pd.Timestamp) -> Iterator[pd.Series]:
    on_lists = rows[(rows["code_system"] == "snomed") & rows["code"].isin(codes_on_any_list())]
    on_lists = on_lists.assign(day=on_lists["happened_on"].fillna(on_lists["recorded_on"]))
    newest = on_lists[on_lists["day"] < night].groupby(["person_id", "code"])["day"].max().reset_index()
    for flag in FLAGS:
        found = _of(newest, flag, night)
        yield found.groupby("person_id").size().clip(upper=1).rename(flag.name)
    for flag in DAYS_COUNTED:
        yield _of(on_lists, flag, night).groupby("person_id")["day"].nunique().rename(flag.name)
    # A contact that was sent twice is one contact.
    contacts = on_lists[on_lists["code"].isin(codes_on(("gp_contact",)))]
    contacts = contacts.drop_duplicates(["person_id", "code", "day", "value", "value_unit"])
    for name, days in CONTACTS_COUNTED.items():
        yield contacts[_within(contacts["day"], night, days)].groupby("person_id").size().rename(name)
    last = contacts[contacts["day"] < night].groupby("person_id")["day"].max()
    yield (night - last).dt.days.rename("days_since_gp_contact")


def _of(entries: pd.DataFrame, flag: Flag, night: pd.Timestamp) -> pd.DataFrame:
    return entries[entries["code"].isin(codes_on(flag.lists)) & _within(entries["day"], night, flag.days)]


def _from_medicines(rows: pd.DataFrame, night: pd.Timestamp) -> Iterator[pd.Series]:
    last = rows.assign(
        substance=rows["bnf_code"].str[:SUBSTANCE], other=rows["dmd_code"].where(rows["bnf_code"].isna())
    )
    last = last.groupby(["person_id", "substance", "other"], dropna=False)["issued_on"].max().reset_index()
    for name, days in MEDICINES_COUNTED.items():
        yield last[_within(last["issued_on"], night, days)].groupby("person_id").size().rename(name)
    lately = last[_within(last["issued_on"], night, 90)]
    substances = lately["substance"].dropna().unique()
    for name, group in GROUPS_COUNTED.items():
        ours = [text for text in substances if text.startswith(starts_of(group))]
        by_bnf = lately["substance"].isin(ours).groupby(lately["person_id"]).sum()
        # Several codes of dm+d may be one medicine. A code on no list of the group tells nothing.
        by_dmd = lately["other"].isin(dmd_of(group)).groupby(lately["person_id"]).any().astype(int)
        untold = (lately["other"].notna() & ~lately["other"].isin(dmd_of(group))).groupby(lately["person_id"]).any()
        found = np.maximum(by_bnf, by_dmd)
        yield found.where((found > 0) | ~untold).rename(name)


def _from_stays(rows: pd.DataFrame, night: pd.Timestamp) -> Iterator[pd.Series]:
    stay = ["person_id", "kind", "started_on"]
    rows = rows.assign(ended_on=_ended(rows, night, table="hospital_events", ended="ended_on", recorded=None))
    # Of a stay that was sent again the end that was sent last counts.
    ends = rows.dropna(subset="ended_on").sort_values(["recorded_on", "ended_on"]).drop_duplicates(stay, keep="last")
    stays = rows[stay].drop_duplicates().merge(ends[[*stay, "ended_on"]], on=stay, how="left")
    for name, (kind, days) in STAYS_COUNTED.items():
        ours = stays[(stays["kind"] == kind) & _within(stays["started_on"], night, days)]
        yield ours.groupby("person_id").size().rename(name)
    emergency = stays[(stays["kind"] == "emergency_admission") & _within(stays["started_on"], night, 365)]
    nights = (emergency["ended_on"].fillna(night).clip(upper=night) - emergency["started_on"]).dt.days
    yield nights.groupby(emergency["person_id"]).sum().rename("n_emergency_bed_days_365d")
    left = stays[(stays["kind"] != "ae_attendance") & (stays["ended_on"] < night)]
    yield (night - left.groupby("person_id")["ended_on"].max()).dt.days.rename("days_since_discharge")
