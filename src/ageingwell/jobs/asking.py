"""The small jobs: explain one person, show the whole thing on a made-up county."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from ageingwell.audit.uses import Asked, about_person, audit_place, logged
from ageingwell.bundle import load_bundle, predict
from ageingwell.config.load import Config, GivenConfig, config_given
from ageingwell.context import Surroundings
from ageingwell.errors import UnknownPersonError
from ageingwell.given import GivenDay, day_of
from ageingwell.known import known_people
from ageingwell.night.joining import contributions_of
from ageingwell.night.score import OutreachRun, score
from ageingwell.night.telling import compared_of, reasons_of, with_evidence
from ageingwell.peers import compare, find_alike
from ageingwell.permitted import permitted_or_stop
from ageingwell.reasons import stop_on_unknown_facts
from ageingwell.report.person import LinkedFact
from ageingwell.report.person_facts import (
    chance_of,
    linked_facts,
    other_facts,
    other_outcomes,
    others_of,
    rest_of,
    rest_words,
    signed,
    sum_of,
)
from ageingwell.room import scratch
from ageingwell.sources.read import read_agencies
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.timeline import AsOf
from ageingwell.views.words import words_of_outcome

# A pseudonym a person may be asked for by; anything else is refused before it could be echoed.
DEMO_PEOPLE = 5_000


@dataclass(frozen=True, repr=False)
class ExplainedPerson:
    """One person's full explanation: the risk with its range, whom it is compared with, and every contribution.

    The range is missing where too few people of so high a risk were checked. `reasons` has a row a feature, the
    strongest beside the people compared with first; `compared` tells who they are, how many, and their mean risk.
    """

    person_id: str
    as_of: date
    outcome: str
    risk: float
    risk_low: float | None
    risk_high: float | None
    base: float
    reasons: pl.DataFrame
    outcomes: Mapping[str, float]
    compared: Mapping[str, Any]
    verdict: str | None = None

    def __repr__(self) -> str:
        return explanation_text(self)

    def _repr_html_(self) -> str:
        return f'<div class="ageingwell"><pre style="white-space:pre-wrap">{escape(explanation_text(self))}</pre></div>'


def explain(
    person_id: str,
    data: str | Path,
    *,
    as_of: GivenDay,
    config: GivenConfig = None,
    surroundings: Surroundings | None = None,
) -> ExplainedPerson:
    """Explain one person's risk on the night `as_of`: exact contributions, of every feature, beside their peers'.

    The audit log says that somebody asked, before the answer is worked out: `[audit] file` of the settings, or else
    `audit.jsonl` in the folder that holds `data`. Raises `UnknownPersonError` where nobody of this pseudonym is scored
    that night, and the same errors as `score`.
    """
    world = surroundings or Surroundings()
    data, as_of, config = Path(data), day_of(as_of), config_given(config)
    log = audit_place(data.absolute().parent, config.score.audit.file)
    asked = Asked(
        "explain",
        purpose=config.score.purpose,
        night=as_of,
        settings=config.digest,
        about=about_person(log, person_id),
    )
    with logged(log, asked, world=world):
        return _explained(person_id, data, as_of=as_of, config=config, world=world)


def _explained(person_id: str, data: Path, *, as_of: date, config: Config, world: Surroundings) -> ExplainedPerson:
    stop_on_unknown_facts(config.may_lower)
    bundle = load_bundle(config.score.bundle, codelists=config.codelists, cache=world.cache, trust=config.score.model)
    night = AsOf(as_of)
    with scratch() as place:
        records = read_agencies(
            data,
            config.tables,
            workspace=place,
            max_refused_share=config.score.max_refused_share,
            progress=world.tell,
        )
        gate = permitted_or_stop(
            records,
            config=config,
            purpose=config.score.purpose,
            recipients=("group",),
            on=as_of,
            today=world.now().date(),
        )
        known = known_people(gate, night, config=config)
        tables, spine = known.tables, known.spine
        person = spine.filter(pl.col("person_id") == person_id)
        if person.is_empty():
            raise UnknownPersonError(
                "nobody of that pseudonym is scored on that night",
                "check the pseudonym and the night; attrition.parquet of the night says who left and why",
            )
        alike = find_alike(spine, minimum_age=config.score.minimum_age)
        needed = _with_their_homes(spine, pl.concat([alike.members(person_id), person["person_id"]]))
        features = known.features(needed)
        explained = contributions_of(bundle, features, threads=config.score.threads)
        scored = predict(bundle, features, threads=config.score.threads)
        peers = compare(alike, explained, scored)
        reasons = reasons_of(explained, person["person_id"], peers, scored, config)
        reasons = with_evidence(reasons, tables, person, night, config=config)
    risks = scored.row(by_predicate=pl.col("person_id") == person_id, named=True)
    return ExplainedPerson(
        person_id=person_id,
        as_of=as_of,
        outcome=bundle.ranking_outcome,
        risk=risks["risk"],
        risk_low=risks["risk_low"],
        risk_high=risks["risk_high"],
        base=risks["base"],
        reasons=reasons.drop("person_id"),
        outcomes={outcome: risks[f"risk_{outcome}"] for outcome in bundle.models},
        compared=compared_of(peers, person["person_id"]).drop("person_id").row(0, named=True),
        verdict=None if bundle.usable else str(bundle.facts["verdict"]["reason"]),
    )


def out_of_date(as_of: date, *, config: Config, today: date) -> str | None:
    """What to say of a night whose list is not to be used any more; None where it is in date.

    >>> out_of_date(date(2026, 11, 22), config=config_given(None), today=date(2026, 12, 28))
    'The list of 2026-11-22 was not to be used after 2026-12-27.'
    """
    last = as_of + timedelta(days=config.score.lists.expire_after_days)
    return f"The list of {as_of} was not to be used after {last}." if today > last else None


def _with_their_homes(spine: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    """These people of the spine and who lives with them: some features set one beside the other."""
    chosen = pl.col("person_id").is_in(people.implode())
    homes = spine.filter(chosen)["household_id"].drop_nulls()
    return spine.filter(chosen | pl.col("household_id").is_in(homes.implode()))


def demo(
    out: str | Path,
    *,
    config: GivenConfig = None,
    people: int = DEMO_PEOPLE,
    seed: int = 1,
    surroundings: Surroundings | None = None,
) -> OutreachRun:
    """Make a small county with Church Stretton in it, and score its night with the shipped bundle.

    The county goes to `out/county`, the lists and the report to `out/outreach`.
    """
    world = surroundings or Surroundings()
    out, config = Path(out), config_given(config)
    plan = CountyPlan(people=people, seed=seed)
    with world.stage("make the county"):
        if not (out / "county" / "synthetic.json").is_file():
            synthesise(plan, out / "county")
    return score(out / "county", as_of=plan.as_of, out=out / "outreach", config=config, surroundings=world)


def explanation_text(person: ExplainedPerson) -> str:
    """The explanation in words for a terminal, as the person's page has it: the figure, the comparison, the facts.

    Nothing here is on the log-odds; `ExplainedPerson.reasons` has every contribution.
    """
    row = {"risk": person.risk, "risk_low": person.risk_low, "risk_high": person.risk_high}
    chance, others = chance_of(row, outcome=words_of_outcome(person.outcome)), others_of(person.compared)
    on_page = person.reasons.filter(pl.col("adds_in_100").is_not_null()).to_dicts()
    raises, lowers = (linked_facts(on_page, direction, as_of=person.as_of) for direction in ("raises", "lowers"))
    facts, further = [*raises, *lowers], other_facts(person.reasons.to_dicts())
    rest = rest_of(chance, others, facts, further)
    outcomes = {f"risk_{outcome}": risk for outcome, risk in person.outcomes.items()}
    unknown = person.reasons.filter(pl.col("value") == "unknown").height
    return "\n".join(
        [
            *([] if person.verdict is None else [f"This model is not used for lists: {person.verdict}."]),
            *(told["sentence"] for told in (chance, others) if told is not None),
            *(f"{other['words']} {other['what']}." for other in other_outcomes(outcomes, person.outcome)),
            *_lines("Goes with a higher chance, out of 100", raises),
            *_lines("Goes with a lower chance, out of 100", lowers),
            "",
            *(f"{theme['words']}: {theme['adds_words']}" for theme in further),
            *([f"{rest_words(rest)}: {signed(rest)}"] if rest else []),
            f"The sum: {sum_of(chance, others, facts, further)}",
            f"Not known: {unknown} of {person.reasons.height} facts.",
        ]
    )


def _lines(title: str, facts: Sequence[LinkedFact]) -> list[str]:
    return [
        "",
        f"{title}:",
        *(
            f"  {fact['adds_words']:>3}  {fact['theme']}: {fact['fact']} ({fact['agency']}, {fact['day']}"
            f"{'; can change' if fact['can_change'] else ''})"
            for fact in facts
        ),
        *([] if facts else ["  none shown"]),
    ]


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
