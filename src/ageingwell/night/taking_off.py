"""The frames of a night without the people and homes that are withdrawn; whatever columns the frames have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from ageingwell.contracts.made import Attrition
from ageingwell.contracts.services import schema_of
from ageingwell.kept.frames import CONTRACTS, Frame, NightFrames
from ageingwell.night.barring import Told
from ageingwell.permissions import FORGOTTEN

OPT_OUTS: Final = (FORGOTTEN, "objection", "restriction", "national", "type_1")
MOVED: Final = "moved"
# Fewer moves than this are no fault of a delivery, however short the list.
FEWEST_OF_MANY: Final = 10
_WHERE: Final = ("person_id", "household_id")


@dataclass(frozen=True)
class Withdrawn:
    """Who may not stand on any list any more, as the records say now.

    `people`: person_id, reason (opt-outs, deaths, leavings). `homes`: household_id, reason of homes that objected, and
    of homes under safeguarding. `now_at`: person_id and the home they were last registered at. `lived_in`:
    household_id of every home that the register has somebody at, of any age, opted out or not; of the dead and gone,
    where the night may not have known of them: no home that nobody is linked to. `guarded`: person_id or household_id
    under a safeguarding marker of their own. `unread`: the tables that could not be read, or not for certain, of those
    without which nobody can say who is withdrawn. `unheard`: what is damaged of the rest, where a death may be told and
    nowhere else. `told`: whom the tables bar, to be compared with those of the night before.
    """

    people: pl.DataFrame
    homes: pl.DataFrame
    now_at: pl.DataFrame
    lived_in: pl.DataFrame
    guarded: pl.DataFrame
    unread: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    told: Told | None = None


def without_withdrawn(frames: NightFrames, gone: Withdrawn) -> NightFrames:
    """The same night without the people and homes that are withdrawn; they are counted by reason, never named.

    Somebody is taken off who opted out, died or left, whose home objected or came under safeguarding, and whom the
    register has at another home now. Who is under a safeguarding marker stays with the safeguarding lead, by key
    alone. Where nothing changes, the very same `frames` come back.
    """
    read = frames.in_memory()
    out = _people_out(read, gone)
    doors = _doors(read, out, gone)
    kept = vars(replace(read, residents=_still_residents(_frame(read.residents), gone), needs=_needs(read.needs, gone)))
    without = {name: _without(frame, name, out, doors, gone) for name, frame in kept.items()}
    if all(getattr(read, name).equals(frame) for name, frame in without.items()):
        return frames
    without["listed"] = _numbered_again(without["listed"])
    counts = _counted(_frame(read.attrition), out)
    return NightFrames(**without | {"attrition": _with_counts(without["attrition"], counts)})


def _frame(frame: Frame) -> pl.DataFrame:
    """A frame of everybody, in memory."""
    return frame.lazy().collect()


def is_mass_move(frames: NightFrames, gone: Withdrawn, *, share: float) -> bool:
    """Whether more than a share of the people listed, and ten at least, have moved or left.

    >>> nobody = pl.DataFrame(schema={"person_id": pl.String, "household_id": pl.String, "reason": pl.String})
    >>> people = [f"p{n}" for n in range(30)]
    >>> listed = pl.DataFrame({"person_id": people, "household_id": people})
    >>> night = NightFrames(**{name: nobody for name in CONTRACTS} | {"listed": listed})
    >>> def moved(n): return pl.DataFrame({"person_id": people[:n], "household_id": ["elsewhere"] * n})
    >>> def told(n): return Withdrawn(nobody, nobody, moved(n), nobody, nobody)
    >>> [is_mass_move(night, told(n), share=share) for n, share in ((9, 0.2), (10, 0.2), (10, 0.5))]
    [False, True, False]
    """
    listed = frames.listed.select("person_id")
    n_moved = _people_out(frames, gone).filter(reason=MOVED).join(listed, on="person_id", how="semi").height
    return n_moved >= FEWEST_OF_MANY and n_moved > share * listed.height


def without_moves(gone: Withdrawn) -> Withdrawn:
    """Everyone withdrawn for another reason than that they moved or left."""
    return replace(gone, people=gone.people.filter(pl.col("reason") != MOVED), now_at=gone.now_at.clear())


def _people_out(frames: NightFrames, gone: Withdrawn) -> pl.DataFrame:
    """Those of the night who are withdrawn: person_id, reason.

    Deaths, leavings and moves concern those who could have been visited; an opt-out takes the person out of every
    file, the account of who left included.
    """
    here = _at_home(frames)
    told = [
        gone.people.filter(pl.col("reason").is_in(OPT_OUTS)).join(people_named(frames), on="person_id", how="semi"),
        _could_be_visited(frames).join(gone.people, on="person_id"),
        here.join(gone.homes, on="household_id"),
        _moved(here, gone).with_columns(reason=pl.lit(MOVED)),
    ]
    both = pl.concat([part.select("person_id", "reason") for part in told])
    return both.unique("person_id", keep="first", maintain_order=True).sort("person_id")


def _still_residents(residents: pl.DataFrame, gone: Withdrawn) -> pl.DataFrame:
    """Everybody counted where they live, those who could not be visited included: nobody who is withdrawn stays."""
    kept = residents.join(gone.people, on="person_id", how="anti", maintain_order="left")
    if "household_id" not in residents.columns:
        return kept
    kept = kept.join(gone.homes, on="household_id", how="anti", maintain_order="left")
    return kept.join(_moved(residents, gone), on="person_id", how="anti", maintain_order="left")


def _moved(here: pl.DataFrame, gone: Withdrawn) -> pl.DataFrame:
    """Those whom the register has at another home now."""
    both = here.join(gone.now_at, on="person_id", suffix="_now")
    return both.filter(~pl.col("household_id").eq_missing(pl.col("household_id_now")))


def _at_home(frames: NightFrames) -> pl.DataFrame:
    """Where those lived who could have been visited: person_id, household_id; nobody of whom no frame says that."""
    homes = _where([_frame(frames.scores), frames.listed, _frame(frames.residents), frames.people])
    return homes.join(_could_be_visited(frames), on="person_id", how="semi", maintain_order="left")


def _could_be_visited(frames: NightFrames) -> pl.DataFrame:
    # Somebody whose visit is held, or who has a plan, is named on the group's pages without being on the list.
    every = (_frame(frames.scores), frames.listed, frames.last_time, frames.plans)
    return pl.concat(frame.select("person_id") for frame in every).unique(maintain_order=True)


def _where(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    both = [frame.select(_WHERE) for frame in frames if set(_WHERE) <= set(frame.columns)]
    nobody = pl.DataFrame(schema=dict.fromkeys(_WHERE, pl.String))
    return pl.concat([nobody, *both]).unique("person_id", keep="first", maintain_order=True)


def people_named(frames: NightFrames) -> pl.DataFrame:
    """Everyone whom any frame names, those who left the last list included: person_id."""
    every: list[pl.LazyFrame] = [frame.lazy() for frame in vars(frames).values()]
    naming = [frame.select("person_id") for frame in every if "person_id" in frame.collect_schema().names()]
    return pl.concat(naming).drop_nulls().unique().collect()


def _doors(frames: NightFrames, out: pl.DataFrame, gone: Withdrawn) -> pl.Series:
    """The doors whose figures count somebody withdrawn: ids of homes, and of people without one."""
    visited = _could_be_visited(frames).join(out, on="person_id", how="semi")
    # Where the night does not say any more where somebody lived, the register's last word has to do.
    homes = _where([_at_home(frames), gone.now_at])
    theirs = visited.join(homes, on="person_id", how="left").select(pl.coalesce("household_id", "person_id"))
    return pl.concat([theirs.to_series(), gone.homes["household_id"]]).unique().sort()


def _objecting(gone: Withdrawn) -> pl.DataFrame:
    return gone.homes.filter(pl.col("reason") != "safeguarding")


def _needs(needs: pl.DataFrame, gone: Withdrawn) -> pl.DataFrame:
    """The needs without those of homes that only seemed to have nobody; of a home under safeguarding, for its lead."""
    if not {"household_id", "outcome"} <= set(needs.columns):
        return needs.drop_nulls("person_id")
    of_home = pl.col("person_id").is_null()
    objects = _is_among("household_id", _objecting(gone)["household_id"])
    guarded = _is_among("household_id", gone.homes.filter(reason="safeguarding")["household_id"])
    for_lead = guarded | (pl.col("outcome") == "safeguarding").fill_null(value=False)
    is_home_of_somebody = objects | (_is_among("household_id", gone.lived_in["household_id"]) & ~for_lead)
    kept = needs.filter(~(of_home & is_home_of_somebody))
    outcome = pl.when(of_home & guarded).then(pl.lit("safeguarding")).otherwise("outcome")
    return kept.with_columns(outcome=outcome)


def _without(frame: pl.DataFrame, name: str, out: pl.DataFrame, doors: pl.Series, gone: Withdrawn) -> pl.DataFrame:
    hit = [pl.lit(value=False)]
    if name == "lot":
        # Who died or moved after a lot still counts in it, or it would tell of the lucky alone; an opt-out ends that.
        out = out.filter(pl.col("reason").is_in(OPT_OUTS))
        doors = doors.clear()
    if "person_id" in frame.columns:
        hit.append(_is_among("person_id", out["person_id"]))
    if "household_id" in frame.columns:
        # A frame of homes loses those under safeguarding too; where people are named, each of them was judged above.
        homes = _objecting(gone) if "person_id" in frame.columns else gone.homes
        hit.append(_is_among("household_id", homes["household_id"]))
    if "door_id" in frame.columns:
        hit.append(_is_among("door_id", doors))
    hit += _in_columns_nobody_knows(frame, name, pl.concat([out["person_id"], _objecting(gone)["household_id"]]))
    is_hit = pl.any_horizontal(hit)
    if name == "safeguarded":
        is_hit = is_hit & ~_is_guarded(frame, gone)
    kept = frame.filter(~is_hit)
    if "extra_doors" in frame.columns:
        kept = kept.with_columns(pl.col("extra_doors").list.set_difference(doors.to_list()).list.sort())
    return kept


def _numbered_again(listed: pl.DataFrame) -> pl.DataFrame:
    """The list with its printed order numbered from 1 without gaps; a night of another format may have none."""
    if "position" not in listed.columns:
        return listed
    return listed.with_columns(pl.col("position").rank("ordinal").cast(listed.schema["position"]))


def _is_guarded(frame: pl.DataFrame, gone: Withdrawn) -> pl.Expr:
    """Whether a row of the safeguarding lead's is of somebody, or of a home, under a marker of their own."""
    person = _is_among("person_id", gone.guarded["person_id"])
    if "household_id" not in frame.columns:
        return person
    return person | (pl.col("person_id").is_null() & _is_among("household_id", gone.guarded["household_id"]))


def _in_columns_nobody_knows(frame: pl.DataFrame, name: str, ids: pl.Series) -> list[pl.Expr]:
    """Whether a column that this version has no contract for names somebody withdrawn."""
    known = schema_of(CONTRACTS[name])
    hit = []
    for column, kind in frame.schema.items():
        if column in known:
            continue
        if kind in (pl.String, pl.Categorical, pl.Enum):
            hit.append(pl.col(column).cast(pl.String).is_in(ids.implode()).fill_null(value=False))
        elif kind == pl.List(pl.String):
            hit.append((pl.col(column).list.set_intersection(ids.to_list()).list.len() > 0).fill_null(value=False))
    return hit


def _is_among(column: str, values: pl.Series) -> pl.Expr:
    return pl.col(column).is_in(values.drop_nulls().implode()).fill_null(value=False)


def _counted(attrition: pl.DataFrame, out: pl.DataFrame) -> pl.DataFrame:
    """Those of `out` who were accounted for by name, counted by reason: the columns of `attrition`."""
    named = out.join(attrition.select("person_id"), on="person_id", how="semi")
    counts = named.group_by("reason").agg(n=pl.len().cast(pl.Int64)).sort("reason")
    nobody, never = pl.lit(None, dtype=pl.String), pl.lit(None, dtype=pl.Date)
    return counts.select(person_id=nobody, step=pl.lit("withdrawn"), reason="reason", n="n", re_enters_on=never)


def _with_counts(attrition: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    if attrition.schema != schema_of(Attrition):
        # A night of another format: its account cannot take rows of ours.
        return attrition
    return pl.concat([attrition, counts]).sort("person_id", "step", "reason", nulls_last=False)
