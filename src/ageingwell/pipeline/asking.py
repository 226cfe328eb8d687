"""The small jobs: check the records, explain one person, show the whole thing on a made-up county."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path

import polars as pl

from ageingwell.bundle import load_bundle, predict
from ageingwell.config.load import Config
from ageingwell.errors import AgeingWellError, UnknownPersonError
from ageingwell.features.build import build_features
from ageingwell.permissions import in_force, keep_permitted, stop_unless_checked, stop_unless_permitted
from ageingwell.pipeline.night import OutreachRun, score
from ageingwell.pipeline.surroundings import Surroundings
from ageingwell.publish.faults import explained
from ageingwell.reasons import tell_reasons
from ageingwell.sources.read import read_agencies
from ageingwell.spine import build_spine, known_tables
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.timeline import AsOf

# A pseudonym a person may be asked for by; anything else is refused before it could be echoed.
DEMO_PEOPLE = 5_000


@dataclass(frozen=True)
class CheckedRecords:
    """What a check found: `tables` one row a table, `refused` one row a table, column and rule."""

    tables: pl.DataFrame
    refused: pl.DataFrame
    missing: tuple[str, ...]
    made_up: bool
    problems: tuple[str, ...]


def check(
    data: Path, *, config: Config, refused_to: Path | None = None, surroundings: Surroundings | None = None
) -> CheckedRecords:
    """Read every table against its contract and say what would be refused and why; nothing is scored.

    A fault that would stop a night is told in `problems`, table by table, instead of stopping here. With `refused_to`,
    every refused row is written there as `<table>.parquet`: file, row number, column, rules.
    """
    world = surroundings or Surroundings()
    tables: list[tuple[str, int, int, int, date | None]] = []
    refused: list[pl.DataFrame] = []
    missing: list[str] = []
    problems: list[str] = []
    made_up = False
    with tempfile.TemporaryDirectory(prefix="ageingwell-") as scratch:
        for name in config.tables:
            try:
                found = read_agencies(
                    data,
                    config.tables,
                    workspace=Path(scratch),
                    max_refused_share=1.0,
                    only=(name,),
                    progress=world.tell,
                )
            except AgeingWellError as fault:
                problems.append(str(fault))
                continue
            made_up = found.made_up
            missing += found.missing
            for table in found.tables.values():
                share = table.n_refused / table.n_read if table.n_read else 0.0
                if share > config.score.max_refused_share:
                    problems.append(f"{name}: {share:.0%} of the rows break the contract; a night would stop")
                tables.append((name, table.n_read, table.n_good, table.n_refused, table.newest_on))
                refused.append(table.refused_by_rule().select(pl.lit(name).alias("table"), "column", "rule", "n_rows"))
                if refused_to is not None and table.n_refused:
                    with explained("the refused rows cannot be written"):
                        refused_to.mkdir(parents=True, exist_ok=True)
                        table.refused.write_parquet(refused_to / f"{name}.parquet")
    schema = {"table": pl.String, "n_read": pl.Int64, "n_good": pl.Int64, "n_refused": pl.Int64, "newest_on": pl.Date}
    by_rule = pl.concat(refused) if refused else pl.DataFrame(schema=_BY_RULE)
    return CheckedRecords(
        pl.DataFrame(tables, schema=schema, orient="row"), by_rule, tuple(missing), made_up, tuple(problems)
    )


_BY_RULE = {"table": pl.String, "column": pl.String, "rule": pl.String, "n_rows": pl.Int64}


@dataclass(frozen=True)
class ExplainedPerson:
    """One person's full explanation: the risk with its range, and every contribution, strongest first."""

    person_id: str
    as_of: date
    outcome: str
    risk: float
    risk_low: float
    risk_high: float
    base: float
    reasons: pl.DataFrame
    outcomes: Mapping[str, float]
    verdict: str | None = None


def explain(
    person_id: str, data: Path, *, as_of: date, config: Config, surroundings: Surroundings | None = None
) -> ExplainedPerson:
    """Explain one person's risk on the night `as_of`: exact contributions, of every feature.

    Raises `UnknownPersonError` where nobody of this pseudonym is scored that night, and the same errors as `score`.
    """
    world = surroundings or Surroundings()
    bundle = load_bundle(config.score.bundle, codelists=config.codelists, cache=world.cache)
    night = AsOf(as_of)
    with tempfile.TemporaryDirectory(prefix="ageingwell-") as scratch:
        records = read_agencies(
            data,
            config.tables,
            workspace=Path(scratch),
            max_refused_share=config.score.max_refused_share,
            progress=world.tell,
        )
        purpose = config.score.purpose
        stop_unless_permitted(
            config.ledger, records.tables, purpose=purpose, recipients=("group",), on=as_of, made_up=records.made_up
        )
        permissions = records.tables["permissions"].rows
        stop_unless_checked(permissions, config.ledger, on=as_of)
        opted = in_force(permissions, on=as_of)
        permitted = records.with_rows(keep_permitted(records.rows(), opted, purpose=purpose, ledger=config.ledger))
        tables = known_tables(permitted, night, config.tables)
        spine = build_spine(tables, night, minimum_age=config.score.minimum_age, places=config.places)
        if spine.filter(pl.col("person_id") == person_id).is_empty():
            raise UnknownPersonError(
                "nobody of that pseudonym is scored on that night",
                "check the pseudonym and the night; attrition.parquet of the night says who left and why",
            )
        # Of everybody, as in the night: some facts of a person are about the others at home.
        everybody = build_features(tables, spine, night, codelists=config.codelists)
        features = everybody.filter(pl.col("person_id") == person_id)
    risks = predict(bundle, features, threads=1).row(0, named=True)
    explanation = bundle.compiled[bundle.ranking_outcome].explain(features)
    return ExplainedPerson(
        person_id=person_id,
        as_of=as_of,
        outcome=bundle.ranking_outcome,
        risk=risks["risk"],
        risk_low=risks["risk_low"],
        risk_high=risks["risk_high"],
        base=risks["base"],
        reasons=tell_reasons(features, explanation).drop("person_id"),
        outcomes={outcome: risks[f"risk_{outcome}"] for outcome in bundle.models},
        verdict=None if bundle.usable else str(bundle.facts["verdict"]["reason"]),
    )


def demo(
    out: Path, *, config: Config, people: int = DEMO_PEOPLE, seed: int = 1, surroundings: Surroundings | None = None
) -> OutreachRun:
    """Make a small county with Church Stretton in it, and score its night with the shipped bundle.

    The county goes to `out/county`, the lists and the report to `out/outreach`.
    """
    world = surroundings or Surroundings()
    plan = CountyPlan(people=people, seed=seed)
    with world.stage("make the county"):
        if not (out / "county" / "synthetic.json").is_file():
            synthesise(plan, out / "county")
    return score(out / "county", as_of=plan.as_of, out=out / "outreach", config=config, surroundings=world)


def explanation_text(person: ExplainedPerson) -> str:
    """The explanation in words for a terminal: the figure first, then what raises, lowers, and is unknown."""
    lines = [
        *([] if person.verdict is None else [f"This model is not used for lists: {person.verdict}."]),
        f"Of 100 people with a record like this, about {100 * person.risk:.0f} have the outcome "
        f"`{person.outcome}` within a year (range {100 * person.risk_low:.0f} to {100 * person.risk_high:.0f}).",
        *(
            f"{outcome}: about {100 * risk:.0f} in 100"
            for outcome, risk in person.outcomes.items()
            if outcome != person.outcome
        ),
    ]
    told = person.reasons.filter(pl.col("text").is_not_null())
    for title, direction in (("Linked with a higher chance", "raises"), ("Linked with a lower chance", "lowers")):
        lines += ["", f"{title}:"]
        lines += [
            f"  {row['contribution']:+.3f}  {row['text']} ({row['theme'].replace('_', ' ')}; "
            f"{'can change' if row['can_change'] else 'cannot change'})"
            for row in told.filter(pl.col("direction") == direction).to_dicts()
        ]
    unknown = person.reasons.filter(pl.col("value") == "unknown")
    rest = person.reasons.filter(pl.col("text").is_null())["contribution"].sum()
    lines += [
        "",
        f"All other facts together: {rest:+.3f}",
        f"Base: {person.base:+.3f}; base and all contributions add up to the log-odds of the risk.",
        f"Not known: {unknown.height} of {person.reasons.height} facts.",
    ]
    return "\n".join(lines)


def explanation_page(person: ExplainedPerson) -> bytes:
    """The same words as one self-contained page."""
    text = escape(explanation_text(person))
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>One person&#39;s explanation</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>body{font:1rem/1.5 Arial,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "pre{white-space:pre-wrap;font:inherit}</style></head>"
        f"<body><main><h1>One person&#39;s explanation, {person.as_of}</h1><pre>{text}</pre></main></body></html>\n"
    ).encode()
