"""The past as training sees it: several cut-offs, features up to each, outcomes after it, households kept apart.

Fit on earlier cut-offs, calibrate on a later one, test on the latest. Every label used before the test cut-off had
settled by then, as it would have in life. People are split by household once for all cut-offs, so nobody stands on
both sides.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ageingwell.config.load import Config
from ageingwell.config.score import Purpose, TrainSettings
from ageingwell.context import Surroundings
from ageingwell.errors import SourceError
from ageingwell.known import known_people
from ageingwell.outcomes import first_contacts, label_outcomes, outcome_rests_on
from ageingwell.permitted import Permitted, permitted_or_stop
from ageingwell.recognition.people import recognise, stop_on_untold_outcomes
from ageingwell.room import scratch
from ageingwell.sources.read import Records, read_agencies
from ageingwell.spine import Tables, known_tables, latest_versions
from ageingwell.timeline import AsOf, Horizon

PARTS = ("fit", "calibrate", "test")
# Everybody who is not held out, seen from the latest cut-off: what a place recalibrates on.
REST = "rest"
# Who somebody is to a measure, beside the features: never a feature itself.
BESIDE = ("household", "ethnic_group", "practice_code")


@dataclass(frozen=True)
class CutOffs:
    """The days a training looks from: features up to each, outcomes in the horizon after it."""

    fit: tuple[AsOf, ...]
    calibrate: AsOf
    test: AsOf

    def of(self, part: str) -> tuple[AsOf, ...]:
        """The cut-offs of one part of the split."""
        latest = (self.test,)
        return {"fit": self.fit, "calibrate": (self.calibrate,), "test": latest, REST: latest}[part]


@dataclass(frozen=True)
class Past:
    """What was looked back at: the parts by name, each a row a person and cut-off, and what they were made of.

    A part holds person_id, the features, everything of `label_outcomes`, contacted_on (help taken up inside the
    horizon), cut_off, household, ethnic_group and practice_code. `shares` is each part's share of the people there were
    on its last cut-off.
    """

    parts: Mapping[str, pl.DataFrame]
    shares: Mapping[str, float]
    cut_offs: CutOffs
    made_up: bool
    missing: tuple[str, ...]


def look_back(
    data: Path,
    *,
    config: Config,
    parts: Sequence[str] = PARTS,
    recorded_up_to: date | None = None,
    surroundings: Surroundings | None = None,
) -> Past:
    """Read the records in `data` and build features and outcomes of the parts asked for, by `config.train`.

    `recorded_up_to` is the day the extract was taken; without it, the day after the newest row of the GP register.
    """
    world, settings = surroundings or Surroundings(), config.train
    with scratch() as place:
        with world.stage("read"):
            records = read_agencies(
                data,
                config.tables,
                workspace=place,
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
        today = recorded_up_to or day_after_newest(records, today=world.now().date())
        gate = permitted_or_stop(
            records,
            config=config,
            purpose=purpose_of_looking_back(config),
            recipients=("group",),
            on=today,
            today=world.now().date(),
        )
        cut_offs = choose_cut_offs(AsOf(today), settings)
        people = split(latest_versions(gate.records.tables["gp_patients"].rows), settings)
        with world.stage("features and outcomes"):
            built = {part: _part(part, cut_offs, people, gate, config) for part in parts}
    frames, shares = ({part: both[at] for part, both in built.items()} for at in (0, 1))
    return Past(frames, shares, cut_offs, records.made_up, tuple(records.missing))  # type: ignore[arg-type]


def choose_cut_offs(today: AsOf, settings: TrainSettings) -> CutOffs:
    """The latest cut-off whose outcomes have settled is the test; those before it had settled by the test's day.

    >>> from ageingwell.config.load import load_config
    >>> chosen = choose_cut_offs(AsOf(date(2026, 11, 22)), load_config().train)
    >>> chosen.test.day.isoformat(), chosen.calibrate.day.isoformat(), [cut.day.isoformat() for cut in chosen.fit]
    ('2025-08-24', '2024-05-26', ['2023-05-27', '2022-05-27'])
    """
    until_settled = settings.horizon_days + settings.settling_days
    test = today.minus(until_settled)
    calibration = test.minus(until_settled)
    between = settings.days_between_fit_cut_offs
    return CutOffs(
        tuple(calibration.minus(between * n) for n in range(1, settings.fit_cut_offs + 1)), calibration, test
    )


def split(people: pl.DataFrame, settings: TrainSettings) -> pl.DataFrame:
    """Each person's part, drawn once for their household: person_id, household (or the person), part."""
    door = pl.coalesce("household_id", "person_id")
    doors = people.select(household=door).unique().sort("household")
    draws = [_draw(f"{settings.seed}:{name}") for name in doors["household"]]
    share = pl.Series("_draw", draws, dtype=pl.Float64)
    part = (
        pl.when(pl.col("_draw") < settings.test_share)
        .then(pl.lit("test"))
        .when(pl.col("_draw") < settings.test_share + settings.calibration_share)
        .then(pl.lit("calibrate"))
        .otherwise(pl.lit("fit"))
    )
    drawn = doors.with_columns(share).select("household", part=part)
    return people.select("person_id", household=door).join(drawn, on="household").select("person_id", *drawn.columns)


def _draw(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _untold(tables: Tables, spine: pl.DataFrame, as_of: AsOf, config: Config) -> pl.DataFrame:
    """Of whom the codes and labels known on a day tell nothing."""
    return recognise(
        tables,
        spine,
        as_of,
        places=config.places,
        codelists=config.codelists,
        floors=config.score.recognition,
    ).untold


def day_after_newest(records: Records, *, today: date) -> date:
    """The day after the newest row of the register; of real records no row dated after today counts."""
    patients = records.tables["gp_patients"]
    newest = patients.newest_on if records.made_up else patients.newest_known(today)
    if newest is None:
        raise SourceError("gp_patients: the table has no rows", "send it again")
    return newest + timedelta(days=1)


def purpose_of_looking_back(config: Config) -> Purpose:
    """Looking back is evaluation where lists are direct care."""
    return "evaluation" if config.score.purpose == "direct_care" else config.score.purpose


def _part(
    part: str, cut_offs: CutOffs, people: pl.DataFrame, gate: Permitted, config: Config
) -> tuple[pl.DataFrame, float]:
    """One part of the split, its cut-offs one under the other, and its share of the people on the last of them."""
    is_ours = pl.col("part") != "test" if part == REST else pl.col("part") == part
    ours = people.filter(is_ours).select("person_id", "household")
    found = [_at(cut_off, ours, gate, config) for cut_off in cut_offs.of(part)]
    return pl.concat([rows for rows, _ in found]), found[0][1]


def _at(cut_off: AsOf, people: pl.DataFrame, gate: Permitted, config: Config) -> tuple[pl.DataFrame, float]:
    settings = config.train
    known = known_people(gate, cut_off, config=config)
    spine, features = known.spine, known.features()
    settled = known_tables(gate.records, cut_off.plus(settings.horizon_days + settings.settling_days), config.tables)
    horizon = Horizon(settings.horizon_days)
    untold_later = _untold(settled, spine, cut_off.plus(settings.horizon_days + settings.settling_days), config)
    for outcome in settings.outcomes:
        stop_on_untold_outcomes(
            untold_later, outcome_rests_on(outcome, settled), outcome=outcome, at_most=settings.untold_share_at_most
        )
    labels = label_outcomes(settled, spine, cut_off, horizon=horizon, codelists=config.codelists, untold=untold_later)
    contacts = first_contacts(settled, spine, cut_off, horizon=horizon)
    both = features.join(labels, on="person_id", maintain_order="left").with_columns(cut_off=cut_off.day)
    beside = spine.select("person_id", "ethnic_group", "practice_code")
    ours = both.join(people, on="person_id", maintain_order="left")
    for more in (beside, contacts):
        ours = ours.join(more, on="person_id", how="left", maintain_order="left")
    return ours, ours.height / max(1, both.height)
