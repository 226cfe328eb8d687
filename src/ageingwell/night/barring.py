"""Whom the tables bar tonight, and whom they barred before and say nothing of now.

A delivery that lost rows looks like one in which people changed their minds. So what was told before holds until it is
said to have ended, or a person accepts the change:

* an opt-out or marker ends by its last day (`to_on`), in a row that is sent; of a national list of the people who may
  be used, by standing on it;
* a death, or a leaving, is taken back by a newer version of the register that has none where an older one, sent too,
  has one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.config.change import ChangeSettings
from ageingwell.config.score import Ledger
from ageingwell.contracts.registry import TABLES
from ageingwell.contracts.services import schema_of
from ageingwell.errors import ChangeError
from ageingwell.governance.disclosure import in_words
from ageingwell.kept.barred import BARRED, BARRED_FILE, read_barred, subjects_of, write_barred
from ageingwell.permissions import ALLOWED, DEATH_TOLD, allow_list, in_force
from ageingwell.sources.read import CheckedTable
from ageingwell.spine import deaths_told, latest_versions, left_by

# What bars somebody, beside the kinds of the opt-outs: an allow list that leaves them out, a death, a leaving.
LEFT_OUT: Final = "national_left_out"
DECEASED: Final = "deceased"
DECEASED_ELSEWHERE: Final = "deceased_elsewhere"  # as social care or a visitor told, and not the register
LEFT: Final = "left"
_ENDINGS: Final = (DECEASED, DECEASED_ELSEWHERE, LEFT)
# The tables that tell a kind; every other kind is told by the opt-outs.
_TOLD_BY: Final = {
    DECEASED: {"gp_patients"},
    LEFT: {"gp_patients"},
    DECEASED_ELSEWHERE: {"care_events", "contacts"},
}
# In the file too: a kind of opt-out of which a night said that it brings nobody new, and of which that was accepted.
_SILENT: Final = "silent"
_SILENCE_ACCEPTED: Final = "silence_accepted"
_NOTES: Final = (_SILENT, _SILENCE_ACCEPTED)
# Fewer than these that are gone, or said to have ended, are no fault of a delivery.
FEWEST_LOST: Final = 3
FEWEST_ENDED: Final = 10
# Of fewer opt-outs nobody can expect a new one.
FEWEST_TO_EXPECT_NEW: Final = 10

WHOM: Final = {"person_id": pl.String, "household_id": pl.String}
_BARS = pl.Schema(WHOM | {"kind": pl.String})
_TOLD = pl.Schema({"subject": pl.String, "kind": pl.String})
_ENDS: Final = ("died_on", "left_on", "left_recorded_on", "recorded_on")
_WORDS: Final = {
    LEFT_OUT: "people left out by the national list",
    DECEASED: "deaths",
    DECEASED_ELSEWHERE: "deaths that others told",
    LEFT: "leavings",
}


@dataclass(frozen=True)
class Told:
    """What the tables say on a night: whom they bar (`bars`) and what has `ended`, both subject and kind.

    `register` are all people on the register (person_id, is_here: alive and not gone), `homes` the homes that any table
    names (household_id, lazily), `tables` the names of those that could be read.
    """

    bars: pl.DataFrame
    ended: pl.DataFrame
    register: pl.DataFrame
    homes: pl.LazyFrame
    tables: frozenset[str]

    def could_tell(self, kind: str) -> bool:
        """Whether tonight's tables could have told of a kind."""
        return _TOLD_BY.get(kind, {"permissions"}) <= self.tables


def told_by(tables: Mapping[str, CheckedTable | None], *, ledger: Ledger, on: date) -> Told:
    """What the tables bar on a day, and what they say has ended. A table that is None could not be read."""
    rows = {name: table.rows for name, table in tables.items() if table is not None}
    nobody = pl.LazyFrame(schema=schema_of(TABLES["gp_patients"]))
    versions = rows.get("gp_patients", nobody).select(*WHOM, *_ENDS)
    newest = latest_versions(versions)
    dead, gone = pl.col("died_on").is_not_null(), left_by(on)
    elsewhere = pl.concat([_deaths_of_care(rows), _deaths_of_contacts(rows)])
    bars = [
        newest.filter(dead).select("person_id", kind=pl.lit(DECEASED)),
        elsewhere.with_columns(kind=pl.lit(DECEASED_ELSEWHERE)),
        newest.filter(gone).select("person_id", kind=pl.lit(LEFT)),
    ]
    ended = [
        _taken_back(versions, newest, "died_on").with_columns(kind=pl.lit(DECEASED)),
        _taken_back(versions, newest, "left_on").with_columns(kind=pl.lit(LEFT)),
    ]
    if "permissions" in rows:
        more, over = _opt_outs(rows["permissions"], newest, ledger=ledger, on=on)
        bars, ended = [*bars, *more], [*ended, *over]
    told = _subjects(bars)
    homes = [_homes(table) for name, table in rows.items() if name != "permissions"]
    return Told(
        bars=told,
        ended=_subjects(ended).join(told, on=_TOLD.names(), how="anti"),
        register=newest.select("person_id", is_here=~dead & ~gone & ~_is_among(elsewhere)),
        homes=pl.concat([_homes(nobody), *homes]).unique(),
        tables=frozenset(rows),
    )


def _is_among(people: pl.DataFrame) -> pl.Expr:
    return pl.col("person_id").is_in(people["person_id"].implode()).fill_null(value=False)


def without_leavings(told: Told) -> Told:
    """The same without those who left."""
    return replace(told, bars=told.bars.filter(pl.col("kind") != LEFT))


def _homes(rows: pl.LazyFrame) -> pl.LazyFrame:
    if "household_id" not in rows.collect_schema().names():
        return pl.LazyFrame(schema={"household_id": pl.String})
    return rows.select("household_id").drop_nulls().unique()


def _deaths_of_care(rows: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    return deaths_told({name: table for name, table in rows.items() if name == "care_events"}).select("person_id")


def _deaths_of_contacts(rows: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    if "contacts" not in rows:
        return pl.DataFrame(schema={"person_id": pl.String})
    found = rows["contacts"].filter(pl.col("outcome") == "deceased")
    return found.select("person_id").drop_nulls().unique().collect()


def _taken_back(versions: pl.LazyFrame, newest: pl.DataFrame, column: str) -> pl.DataFrame:
    """Of whom an older version, sent too, has an end that the newest has not: person_id."""
    ever = versions.filter(pl.col(column).is_not_null()).select("person_id").unique().collect()
    return newest.filter(pl.col(column).is_null()).join(ever, on="person_id", how="semi").select("person_id")


def _opt_outs(
    permissions: pl.LazyFrame, newest: pl.DataFrame, *, ledger: Ledger, on: date
) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    now = in_force(permissions, on=on).select(*WHOM, "kind")
    over = permissions.filter((pl.col("kind") != ALLOWED) & (pl.col("to_on") < on)).select(*WHOM, "kind").collect()
    allowed = allow_list(permissions, ledger, on=on)
    if allowed is None:
        return [now], [over]
    left_out = newest.select("person_id").filter(~pl.col("person_id").is_in(allowed.implode()))
    parts = (left_out, allowed.to_frame("person_id"))
    left, let = (part.with_columns(kind=pl.lit(LEFT_OUT)) for part in parts)
    return [now, left], [over, let]


def _subjects(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """The digests of the people and homes of some rows, with the kind: each once, in order."""
    whole = pl.concat([pl.DataFrame(schema=_BARS), *parts], how="diagonal")
    named = [whole.select(column, "kind").drop_nulls().join(_named(whole, column), on=column) for column in WHOM]
    return pl.concat(part.select(_TOLD.names()) for part in named).unique().sort(_TOLD.names())


def _named(ids: pl.DataFrame, column: str) -> pl.DataFrame:
    found = subjects_of(ids[column].drop_nulls(), "person" if column == "person_id" else "home")
    return found.rename({"id": column})


@dataclass(frozen=True)
class Lost:
    """What was told before and is not told tonight, though it was not said to have ended.

    `held` are those whom the tables know and who stay barred: subject, person_id or household_id, kind. `found` says in
    words of which kinds more are gone, or ended at once, than may be; `silent` of which kinds nobody new has come for
    long (with the day of the newest): of those in `warned` an earlier night has said so.
    """

    held: pl.DataFrame
    found: tuple[str, ...] = ()
    silent: Mapping[str, date] = field(default_factory=dict)
    warned: frozenset[str] = frozenset()

    @property
    def differences(self) -> list[str]:
        """What stops a night until a person accepts it: too many gone, and a silence that an earlier night told."""
        return [*self.found, *(_silent_words(kind, self.silent[kind]) for kind in sorted(self.warned))]

    @property
    def lifted(self) -> str:
        """How many are barred no more, where a person accepts that their rows are gone."""
        n = self.held["subject"].n_unique()
        return f"opt-outs and deaths that came before, are missing now, and count no more: {in_words(n)}"

    @property
    def notes(self) -> list[str]:
        """Sentences for a reader: that some stay barred whose rows are gone, and which kinds are silent."""
        # Without a count: every recipient reads this, each night.
        kept = "some opt-outs or deaths that came before are missing now. The people concerned stay off the list"
        return [
            *([] if self.held.is_empty() else [kept]),
            *(_silent_words(kind, newest) for kind, newest in self.silent.items()),
        ]


NOTHING_LOST = Lost(pl.DataFrame(schema={"subject": pl.String, **_BARS}))


def lost_since(before: pl.DataFrame | None, told: Told, *, limits: ChangeSettings, on: date) -> Lost:
    """Compare with what the file of who was barred says (`BARRED`; None before the first night)."""
    if before is None:
        return NOTHING_LOST
    bars = before.filter(~pl.col("kind").is_in(_NOTES))
    # Of a table that did not come nothing is missed; whom it barred stays barred all the same.
    asked = bars.filter(pl.col("kind").is_in([kind for kind in bars["kind"].unique() if told.could_tell(kind)]))
    gone = bars.join(told.bars, on=_TOLD.names(), how="anti")
    held = missed = ended = NOTHING_LOST.held
    if not gone.is_empty():
        homes = _named(told.homes.collect(), "household_id")
        people = _named(told.register, "person_id").join(told.register, on="person_id")
        known = pl.concat([people, homes.with_columns(is_here=pl.lit(value=True))], how="diagonal")
        met = gone.join(known, on="subject")
        # Whoever died or left is missed from no table of opt-outs, and their opt-out still names them in no file.
        here = met.filter("is_here").select(NOTHING_LOST.held.columns)
        held = met.select(NOTHING_LOST.held.columns).join(told.ended, on=_TOLD.names(), how="anti")
        missed = here.join(told.ended, on=_TOLD.names(), how="anti")
        ended = here.join(told.ended, on=_TOLD.names(), how="semi")
    share = limits.max_lost_share_of_opt_outs
    # Whoever stands on a national list of those who may be used was barred by standing on none: of them, too, few
    # change their minds in a night, and a list that suddenly allows everybody is a fault.
    let = ended.filter(pl.col("kind") == LEFT_OUT)
    over = ended.filter(pl.col("kind") != LEFT_OUT)
    found = [
        *_too_many("missing now", asked, missed, share=share, fewest=FEWEST_LOST),
        *_too_many("allowed now", asked, let, share=share, fewest=FEWEST_LOST),
        *_too_many("said to have ended", asked, over, share=limits.max_lost_share_of_rows, fewest=FEWEST_ENDED),
    ]
    silent = _silent_kinds(before, told, weeks=limits.max_weeks_without_new, on=on)
    warned = set(before.filter((pl.col("kind") == _SILENT) & (pl.col("first_on") < on))["subject"])
    return Lost(held, tuple(found), silent, frozenset(silent) & warned)


def _too_many(what: str, before: pl.DataFrame, gone: pl.DataFrame, *, share: float, fewest: int) -> list[str]:
    """Of which kinds, and of all opt-outs together, more are gone than a share, and a few at least."""
    n_before = dict(before.group_by("kind").len().iter_rows())
    counted = gone.filter(pl.col("kind").is_in(list(n_before))).unique(["subject", "kind"])
    n_gone = dict(counted.group_by("kind").len().iter_rows())
    opted = [kind for kind in n_before if kind not in (*_ENDINGS, LEFT_OUT)]
    told = []
    for name, kinds in {**{kind: [kind] for kind in sorted(n_gone)}, "opt-outs and markers together": opted}.items():
        lost, of = (sum(counts.get(kind, 0) for kind in kinds) for counts in (n_gone, n_before))
        if lost >= fewest and lost > share * of:
            told.append(f"{_WORDS.get(name, name.replace('_', ' '))}: {in_words(lost)} of {in_words(of)} {what}")
    return told


def _silent_kinds(before: pl.DataFrame, told: Told, *, weeks: int, on: date) -> dict[str, date]:
    """The kinds of opt-out that brought nobody new for so many weeks while another did, with their newest day."""
    opted = before.filter(~pl.col("kind").is_in([*_ENDINGS, *_NOTES]))
    if opted.is_empty():
        return {}
    fresh = told.bars.filter(~pl.col("kind").is_in(_ENDINGS))
    new_tonight = set(fresh.join(opted, on=_TOLD.names(), how="anti")["kind"])
    newest = dict(opted.group_by("kind").agg(pl.col("first_on").max()).iter_rows())
    begun = opted["first_on"].min()
    for kind, day in before.filter(pl.col("kind") == _SILENCE_ACCEPTED).select("subject", "first_on").iter_rows():
        newest[kind] = max(day, newest.get(kind, day))
    oldest = on - timedelta(weeks=weeks)
    # All that were there on the first night are of that night: they are no news.
    lively = new_tonight | {kind for kind, day in newest.items() if day >= oldest and day != begun}
    many = {kind for kind, n in opted.group_by("kind").len().iter_rows() if n >= FEWEST_TO_EXPECT_NEW}
    return {
        kind: day
        for kind, day in sorted(newest.items())
        if kind in many and day <= oldest and kind not in new_tonight and lively - {kind}
    }


def _silent_words(kind: str, newest: date) -> str:
    name = _WORDS.get(kind, f"opt-outs of the kind {kind.replace('_', ' ')}")
    return f"{name}: nobody new since {newest}, while other kinds brought new people; ask the agency that sends them"


def stop_on_delivery(differences: Sequence[str]) -> None:
    """Stop where what was sent differs from what was sent before by more than may be, by the sentences given.

    Raises `ChangeError`. Whoever was barred stays barred on every night until a person accepts the change.
    """
    if differences:
        raise ChangeError(
            "what the agencies sent differs too much from last time, as if something was lost. No new list was made, "
            "and people who were barred stay off the current one: " + "; ".join(differences),
            "ask the agencies that send these tables; if all of it is real, run `ageingwell score` once with "
            "--accept-change",
        )


def barred_before(out: Path, last: Mapping[str, Any] | None, *, accepted: bool = False) -> pl.DataFrame | None:
    """Whom the nights in `out` barred, by the file beside them. `last` is the manifest of the last night.

    Raises `ChangeError` where that night kept the file and it is gone, unless `accepted`; `PublishError` where it was
    changed or damaged. A file that is lost is never taken for one in which nobody stood.
    """
    before = read_barred(out)
    if before is None and not accepted and last is not None and last.get("barred"):
        raise ChangeError(
            f"{BARRED_FILE} is gone from the output folder, so nobody can say whose opt-out is not sent any more",
            "put it back from a copy; or check that every opt-out is sent, and run again with --accept-change",
        )
    return before


def keep_barred(out: Path, told: Told, *, on: date) -> None:
    """Add whom the tables bar tonight to the file in `out`, and take nobody out of it. Hold the publishing lock."""
    write_barred(out, _grown(read_barred(out), told, on=on))


def settle_barred(out: Path, told: Told, lost: Lost, *, accepted: bool, on: date) -> None:
    """Once a night is published: take out what was said to have ended and, where a person accepted it, what is gone.

    Hold the publishing lock around it.
    """
    before = _grown(read_barred(out), told, on=on)
    over = [told.ended, *([lost.held.select(_TOLD.names())] if accepted else [])]
    kept = before.join(pl.concat(over), on=_TOLD.names(), how="anti").filter(
        (pl.col("kind") != _SILENT) | pl.col("subject").is_in(list(lost.silent) if not accepted else [])
    )
    mark = _SILENCE_ACCEPTED if accepted else _SILENT
    said = pl.DataFrame([(kind, mark, on, on) for kind in sorted(lost.silent)], schema=BARRED, orient="row")
    # The first day on which a silence was told counts, and the last on which one was accepted.
    first, last = (pl.concat([kept, said]).sort("first_on", descending=newest) for newest in (False, True))
    both = [first.filter(pl.col("kind") != _SILENCE_ACCEPTED), last.filter(pl.col("kind") == _SILENCE_ACCEPTED)]
    write_barred(out, pl.concat(part.unique(_TOLD.names(), keep="first", maintain_order=True) for part in both))


def _grown(before: pl.DataFrame | None, told: Told, *, on: date) -> pl.DataFrame:
    now = told.bars.with_columns(first_on=pl.lit(on), told_on=pl.lit(on)).cast(BARRED)
    both = pl.concat([pl.DataFrame(schema=BARRED) if before is None else before, now])
    return both.group_by(_TOLD.names()).agg(pl.col("first_on").min(), pl.col("told_on").max())


def as_opt_outs(held: pl.DataFrame) -> pl.DataFrame:
    """Those who stay barred, as the gate takes opt-outs: a leaving alone bars nobody whom the register has back."""
    kinds = {LEFT_OUT: "national", DECEASED: DEATH_TOLD, DECEASED_ELSEWHERE: DEATH_TOLD}
    return held.filter(pl.col("kind") != LEFT).select(*WHOM, pl.col("kind").replace(kinds))
