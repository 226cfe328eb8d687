"""Did it help? What visits changed, for a chair to read and a statistician to check."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from ageingwell.audit.uses import learning_logged
from ageingwell.bundle import load_bundle, predict
from ageingwell.checksums import SUMS
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.decisions.effects import agreed_visits, contacts_in, decisions_in_force
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import ArgumentError, PublishError, SourceError
from ageingwell.given import GivenDay, maybe_day_of
from ageingwell.governance.disclosure import in_words
from ageingwell.kept.frames import frame_file, read_frame
from ageingwell.kept.offered import Nights, read_nights
from ageingwell.known import Known, known_people
from ageingwell.learning.hindsight import day_after_newest, purpose_of_looking_back
from ageingwell.learning.impact_of import ImpactFound, Source, impact_of
from ageingwell.learning.impact_tables import shown_tables
from ageingwell.learning.later_records import OF_HOSPITAL
from ageingwell.meeting.recording import ledger_path
from ageingwell.night.lot_kept import stop_on_other_lot
from ageingwell.night.working import with_those_forgotten
from ageingwell.outcomes import outcome_rests_on
from ageingwell.outreach.lot import LOT, NO_LOT
from ageingwell.permitted import Permitted, permitted_or_stop
from ageingwell.publish import current
from ageingwell.publish.whole import sealed, write_whole
from ageingwell.recognition.people import stop_on_untold_outcomes
from ageingwell.report.html import impact_annex_html, impact_html
from ageingwell.report.impact import impact_page
from ageingwell.report.impact_harm import refusals_in_words
from ageingwell.room import scratch
from ageingwell.shown import Screen, Shown
from ageingwell.timeline import AsOf

PAGE: Final = "impact.html"
ANNEX: Final = "impact-annex.html"
FACTS: Final = "impact.json"
FEWEST_DAYS, MOST_DAYS = 28, 1_096


@dataclass(frozen=True, repr=False)
class ImpactRun(Shown):
    """Where the pages lie, the tables by name as they may leave, and what was looked at."""

    folder: Path
    tables: Mapping[str, pl.DataFrame]
    facts: Mapping[str, Any]

    def _screen(self) -> Screen:
        rows = [(line["outcome"], line["words"]) for line in self.facts["answers"]]
        facts = {"looked at up to": self.facts["recorded_up_to"], "days": self.facts["days"], "folder": self.folder}
        return Screen("Did it help?", facts, ("what", "answer"), rows, self.facts["answer"])


def impact(
    data: str | Path,
    *,
    nights: str | Path,
    out: str | Path,
    config: GivenConfig = None,
    days: int | None = None,
    recorded_up_to: GivenDay | None = None,
    surroundings: Surroundings | None = None,
) -> ImpactRun:
    """Tell what being offered a visit changed, from the published `nights` and the later records in `data`.

    Writes `impact.html` for the chair, `impact-annex.html` for a statistician, `impact.json` and each table as Parquet
    to the folder `out`. People are followed for `days` (a year, as in train.toml) from the night on which they were
    first listed or drawn, whether or not somebody came. By lot where one was held, else beside people not listed who
    were alike; a figure that cannot be told says why, and when it can be. Who opted out or was forgotten is on no side.
    `recorded_up_to` is the day the extract was taken; without it, the day after the newest row of the GP register. The
    same nights, ledger and records give the same files.

    Raises `LotError` where lot, ledger and manifest disagree, `PublishError` where there is no night, `LedgerError` for
    a ledger that was changed, and all that reading records raises.
    """
    world, data, nights, out = surroundings or Surroundings(), Path(data), Path(nights), Path(out)
    settings, day = config_given(config), maybe_day_of(recorded_up_to, name="recorded_up_to")
    span = settings.train.horizon_days if days is None else days
    if not FEWEST_DAYS <= span <= MOST_DAYS:
        raise ArgumentError(f"days is {span}", f"give {FEWEST_DAYS} to {MOST_DAYS} days")
    if not nights.is_dir() or current(nights) is None:
        raise PublishError("no night is published in the folder of nights", "give the folder that `score` writes to")
    with learning_logged("impact", out, file=settings.score.audit.file, settings=settings.digest, world=world) as use:
        run = _impact(data, nights, out, settings, span=span, day=day, world=world)
        use.tell(is_told=bool(run.facts["is_told"]))
        return run


def _impact(
    data: Path, nights: Path, out: Path, config: Config, *, span: int, day: date | None, world: Surroundings
) -> ImpactRun:
    from ageingwell.sources.read import read_agencies

    with scratch() as place:
        with world.stage("read"):
            records = read_agencies(
                data,
                config.tables,
                workspace=place,
                max_refused_share=config.score.max_refused_share,
                progress=world.tell,
            )
            until = day or day_after_newest(records, today=world.now().date())
            records = with_those_forgotten(records, nights, on=until)
            gate = permitted_or_stop(
                records,
                config=config,
                purpose=purpose_of_looking_back(config),
                recipients=("group",),
                on=until,
                today=world.now().date(),
            )
        with world.stage("people"):
            known = known_people(gate, AsOf(until), config=config)
            untold = _untold(known, config)
        with world.stage("nights"):
            told = read_nights(nights, before=until)
            source, left_out = _source(nights, told, known, gate, config, until=until, world=world)
            source = replace(source, untold=frozenset(untold))
        with world.stage("compare"):
            found = impact_of(source, days=span, settling_days=config.train.settling_days, seed=config.score.seed)
    with world.stage("write"):
        tables = shown_tables(found)
        facts = _facts(told, source, config, until=until, span=span, made_up=records.made_up)
        facts |= {"untold": untold, "left_out": left_out, **_of_found(found, nights)}
        page = impact_page(tables, facts)
        _write(out, tables, page)
    return ImpactRun(out, tables, page["facts"])


def _source(
    nights: Path,
    told: Nights,
    known: Known,
    gate: Permitted,
    config: Config,
    *,
    until: date,
    world: Surroundings,
) -> tuple[Source, dict[str, str]]:
    """Everything of people who may be used, and how many of those offered and drawn may not be."""
    usable = known.tables["gp_patients"].select("person_id").unique().collect()
    ledger, every_lot = read_ledger(ledger_path(nights, config)), _lots(nights)
    stop_on_other_lot(every_lot, ledger, nights)
    entries, lots = ledger.filter(pl.col("recorded_on") < until), every_lot.filter(pl.col("drawn_on") < until)
    ours = {
        name: frame.join(usable, on="person_id", how="semi")
        for name, frame in (("offered", told.offered), ("lots", lots), ("entries", entries))
    }
    listed = told.offered.filter("is_listed")["person_id"].unique()
    left_out = {
        "listed": in_words(int((~listed.is_in(usable["person_id"].implode())).sum())),
        "drawn": in_words(int((~lots["person_id"].unique().is_in(usable["person_id"].implode())).sum())),
    }
    of_lists = contacts_in(ours["entries"], as_of=until)
    contacts = [of_lists]
    if "contacts" in known.tables:
        contacts.append(known.tables["contacts"].select(of_lists.columns).collect().cast(of_lists.schema))
    every = pl.concat(contacts)
    agreed = agreed_visits(
        decisions_in_force(ours["entries"], as_of=until), contacts=every, settings=config.outreach, as_of=until
    )
    source = Source(
        tables=known.tables,
        offered=ours["offered"],
        lots=ours["lots"],
        entries=ours["entries"],
        contacts=every,
        agreed=agreed,
        risks_on=_RisksAgain(gate, config, world).on,
        config=config,
        until=until,
    )
    return source, left_out


class _RisksAgain:
    """The estimates of a night whose names alone are kept, from what was known then."""

    def __init__(self, gate: Permitted, config: Config, world: Surroundings) -> None:
        self.gate, self.config, self.world = gate, config, world

    def on(self, night: date) -> pl.DataFrame:
        """person_id and risk on a night."""
        config = self.config
        bundle = load_bundle(
            config.score.bundle, codelists=config.codelists, cache=self.world.cache, trust=config.score.model
        )
        if not bundle.usable:
            return pl.DataFrame(schema={"person_id": pl.String, "risk": pl.Float64})
        features = known_people(self.gate, AsOf(night), config=config).features()
        return predict(bundle, features, threads=1).select("person_id", "risk")


def _lots(nights: Path) -> pl.DataFrame:
    """Everybody who took part in a lot up to the current night."""
    folder = current(nights)
    if folder is None or not (folder / frame_file("lot")).exists():
        return NO_LOT
    return read_frame(folder, "lot", columns=LOT.names()).select(LOT.names()).cast(LOT)


# The outcome of training whose records each of ours rests on.
_RESTS_ON: Final = {
    "emergency_admissions": "emergency_admission",
    "emergency_bed_days": "emergency_admission",
    "falls_admissions": "loss_of_independence",
    "new_long_term_care": "new_long_term_care",
}


def _untold(known: Known, config: Config) -> dict[str, str]:
    """The outcomes that the records cannot tell, each with why."""
    told = {}
    for ours, theirs in _RESTS_ON.items():
        try:
            stop_on_untold_outcomes(
                known.words.untold,
                outcome_rests_on(theirs, known.tables),
                outcome=ours,
                at_most=config.train.untold_share_at_most,
            )
        except SourceError as fault:
            told[ours] = fault.found
    # What did not come is not known; it is never nothing.
    if "care_events" not in known.tables:
        told |= dict.fromkeys(("new_long_term_care", "days_at_home"), "the social care records did not come")
    if "hospital_events" not in known.tables:
        told |= dict.fromkeys((*OF_HOSPITAL, "days_at_home"), "the hospital records did not come")
    return told


def _facts(told: Nights, source: Source, config: Config, *, until: date, span: int, made_up: bool) -> dict[str, Any]:
    return {
        "made_up": made_up,
        "recorded_up_to": until.isoformat(),
        "days": span,
        "settling_days": config.train.settling_days,
        "nights": len(told.whole),
        "nights_of_names": len(told.followed),
        "nights_unread": [day.isoformat() for day in told.unread],
        "first_night": None if source.offered.is_empty() else str(source.offered["night"].min()),
        "last_night": None if source.offered.is_empty() else str(source.offered["night"].max()),
        "has_lot": not source.lots.is_empty(),
        "capacity": config.outreach.capacity.places(),
        "seed": config.score.seed,
        "config_sha256": config.digest,
    }


def _of_found(found: ImpactFound, nights: Path) -> dict[str, Any]:
    """What is told beside the tables: when the first night will have settled, and refusals as they may be shown."""
    folder = current(nights)
    listed = (
        []
        if folder is None
        else read_frame(folder, "listed", columns=("person_id", "urgency"))
        .filter(pl.col("urgency") != "urgent")["person_id"]
        .to_list()
    )
    again = found.refused_often.is_in(listed).sum()
    often, of_them = refusals_in_words(len(found.refused_often), int(again))
    return {
        "first_settled": None if found.first_settled is None else found.first_settled.isoformat(),
        "refused_three_times": often,
        "refused_three_times_listed": of_them,
        "services": _services(found.plans, folder),
    }


def _services(plans: pl.DataFrame, folder: Path | None) -> dict[str, str]:
    """The public names of the services that stand in plans, by id, as the current night's directory has them."""
    steps = plans.filter(pl.col("name").str.starts_with("service:"))["name"].unique()
    asked = [step.removeprefix("service:") for step in steps]
    if folder is None or not asked:
        return {}
    known = read_frame(folder, "services", columns=("service_id", "name", "organisation"))
    ours = known.filter(pl.col("service_id").is_in(asked)).unique("service_id", keep="first", maintain_order=True)
    rows = ours.select("service_id", "name", "organisation").sort("service_id").iter_rows()
    return {service: f"{name} ({organisation})" for service, name, organisation in rows}


def _write(out: Path, tables: Mapping[str, pl.DataFrame], page: Mapping[str, Any]) -> None:
    files = {f"{name}.parquet": _parquet(table) for name, table in tables.items()}
    files[FACTS] = (json.dumps(page["facts"], indent=1, ensure_ascii=False) + "\n").encode()
    files[PAGE] = impact_html(page)
    files[ANNEX] = impact_annex_html(page)
    write_whole(out, sealed(files), what="the impact", replaces={*files, SUMS}.__contains__)


def _parquet(table: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd")
    return content.getvalue()
