"""The technical annex, section by section: what the estimates rest on, how good they are, and what they are for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ageingwell.config.may_lower import MayLower
from ageingwell.evaluation.wall import MODEL
from ageingwell.governance.disclosure import in_words, is_small
from ageingwell.report import measured
from ageingwell.report.charts.measures import calibration_chart, interval_chart, net_benefit_chart
from ageingwell.report.linked import fact_words, linked_sections
from ageingwell.report.markdown import blocks_of
from ageingwell.report.section import Part, Section, chart, section, table
from ageingwell.views.words import OUTCOME_WORDS, label_words

Tables = Mapping[str, pl.DataFrame]
NO_CHARTS: Final = (
    "There are no charts. To draw them, install the extra `annex` (pip install 'ageingwell[annex]') "
    "and turn them on in the settings. The tables say the same."
)
DRIFT_ROWS: Final = 20


@dataclass(frozen=True)
class Evidence:
    """What stands behind the models: each outcome's tables of measures (those of `evaluate`), and the bundle's card."""

    tables: Mapping[str, Tables]
    card: str | None = None


def annex_sections(
    evidence: Evidence,
    *,
    beeswarm: pl.DataFrame,
    listed: pl.DataFrame,
    reasons: pl.DataFrame,
    scores: pl.DataFrame,
    drift: pl.DataFrame,
    signed: MayLower,
    shows_risk: bool,
    charts: bool,
) -> list[Section]:
    """Every section in reading order; a section without anything to tell is left out.

    `beeswarm` holds contributions of people drawn by lot, `listed`, `reasons` and `scores` are the night's frames, and
    `drift` has the columns of `stability_against`. `signed` is the list of facts that may lower. What tells of single
    people is there only where the group may read the risk (`shows_risk`). Without `charts` there are tables alone.
    """
    sections = [
        *(_outcome(outcome, tables, charts=charts) for outcome, tables in evidence.tables.items() if tables),
        *(linked_sections(beeswarm, listed, reasons, scores, charts=charts) if shows_risk else ()),
        *([_lowering(signed)] if shows_risk and reasons.height else []),
        *(_drift(drift)),
        *(_card(evidence.card)),
    ]
    if not charts and sections:
        sections[0]["says"].insert(0, NO_CHARTS)
    return sections


def _outcome(outcome: str, tables: Tables, *, charts: bool) -> Section:
    name = label_words(outcome)
    ours = tables["wall"].filter(name=MODEL, measure="auroc", band="all").row(0, named=True)
    said = OUTCOME_WORDS.get(outcome)
    says = [
        f"Measured on the latest year with complete outcomes, on {in_words(ours['n'])} people in households "
        f"that the model never saw. {in_words(ours['n_events'])} of them had the event"
        + (f": people who {said}." if said else ".")
    ]
    parts: list[Part] = []
    for build in (_order, _calibration, _groups, _worth):
        parts += build(outcome, tables, charts)
    return section(f"How good the estimates are: {name.lower()}", f"outcome-{outcome}", says=says, parts=parts)


def _order(outcome: str, tables: Tables, charts: bool) -> Iterator[Part]:
    areas = tables["wall"].filter(measure="auroc")
    yield from _intervals(
        charts,
        [
            (f"{measured.score_words(row['name'])}, {row['band']}", row["value"], row["low"], row["high"])
            for row in areas.filter((pl.col("band") == "all") | (pl.col("name") == MODEL)).iter_rows(named=True)
            if not is_small(row)
        ],
        name=f"{outcome}-auroc",
        title="How well each score puts people in order",
        label="AUROC: 0.5 is random order, 1 is perfect",
        line_at=0.5,
    )
    yield table(measured.wall_table(tables))
    yield table(measured.age_table(tables))


def _calibration(outcome: str, tables: Tables, charts: bool) -> Iterator[Part]:
    ranges = measured.ranges_table(tables)
    if ranges["rows"]:
        yield table(ranges)
    curve = measured.told_curve(tables)
    known = curve.drop_nulls("value")
    if charts and known.height:
        low, high = known.row(0, named=True), known.row(-1, named=True)
        text = (
            f"{known.height} groups of people in order of risk. The lowest was given {100 * low['mean_risk']:.1f} "
            f"in 100 and {100 * low['value']:.1f} in 100 had the event. The highest: {100 * high['mean_risk']:.1f} and "
            f"{100 * high['value']:.1f}. The table below has all groups."
        )
        title = "Risks given against what happened"
        yield chart(calibration_chart(curve, name=f"{outcome}-calibration", title=title, text=text), title)
    yield table(measured.curve_table(tables))
    yield table(measured.calibration_table(tables))


def _groups(outcome: str, tables: Tables, charts: bool) -> Iterator[Part]:
    rows = measured.group_rows(tables["groups"], "false-negative rate")
    yield from _intervals(
        charts,
        [(label, *(None if x is None else 100 * x for x in figures)) for label, *figures in rows],  # type: ignore[misc]
        name=f"{outcome}-groups",
        title="Of the people who had the event, how many the list missed, by group",
        label="Missed, in 100 of those with the event",
    )
    yield table(measured.groups_table(tables))


def _worth(outcome: str, tables: Tables, charts: bool) -> Iterator[Part]:
    yield table(measured.capacity_table(tables))
    benefit = tables["net_benefit"].drop_nulls("value")
    if charts and benefit.filter(strategy=MODEL).height:
        title = "What visiting by the estimates is worth"
        best = benefit.filter(strategy=MODEL).sort("threshold").row(0, named=True)
        text = (
            "Net benefit per 1,000 people against the risk from which people are visited. At "
            f"{100 * best['threshold']:.0f} in 100 that of the model is {1000 * best['value']:.1f}. "
            "The table below has every line."
        )
        yield chart(net_benefit_chart(benefit, name=f"{outcome}-benefit", title=title, text=text), title)
    yield table(measured.net_benefit_table(tables))
    yield table(measured.gain_table(tables))


def _intervals(
    charts: bool,
    rows: Sequence[tuple[str, float | None, float | None, float | None]],
    *,
    name: str,
    title: str,
    label: str,
    line_at: float | None = None,
) -> Iterator[Part]:
    known = sorted((value, row) for row, value, _, _ in rows if value is not None)
    if not charts or not known:
        return
    (least, lowest), (most, highest) = known[0], known[-1]
    ends = f"From {least:.3g} ({lowest}) to {most:.3g} ({highest})"
    text = f"{ends}, with 95% intervals. The table below has every figure."
    draw: Callable[..., str] = interval_chart
    yield chart(draw(rows, name=name, title=title, text=text, label=label, line_at=line_at), title)


def _lowering(signed: MayLower) -> Section:
    """The facts that pages may show as linked with a lower chance, and who signed that they may."""
    rules = [
        *((name, "nothing of the kind is on record") for name in signed.not_on_record),
        *((name, f"{least:g} or more") for name, least in signed.at_least.items()),
        *((name, f"{most:g} or less") for name, most in signed.at_most.items()),
    ]
    says = [
        signed.sign_off_words(),
        "Pages show these facts alone as linked with a lower chance. Every other fact that lowers counts among all "
        "other facts of its theme: what depends on who was asked, help that is missing or in place, and what the "
        "outcome itself is made of.",
    ]
    rows = [[fact_words(name), when] for name, when in rules]
    told = {"caption": "Facts that may lower", "note": "", "heads": ["Fact", "Where"], "rows": rows}
    return section("Which facts may lower, and who signed", "may-lower", says=says, parts=[table(told)] if rows else [])


def _drift(drift: pl.DataFrame) -> Iterator[Section]:
    if drift.is_empty():
        return
    order = drift.sort("value", "column", descending=[True, False], nulls_last=True)
    much = order.filter(pl.col("change").is_in(["some", "much"])).height
    says = [
        f"How much tonight's facts differ from those the model was fitted on, by the population "
        f"stability index. Of {drift.height} facts, {much} have changed by 0.1 or more and beyond chance. Below "
        "0.1 little has changed, above 0.25 much has. An index below what chance would give says nothing."
    ]
    rows = [
        [fact_words(row["column"]), measured.figure(row), _index(row["by_chance"]), str(row["change"] or "not known")]
        for row in order.head(DRIFT_ROWS).iter_rows(named=True)
    ]
    heads = ("Fact", "Stability index", "Below this by chance", "Change")
    told = {"caption": f"The {len(rows)} facts that changed most", "note": "", "heads": list(heads), "rows": rows}
    yield section("Whether people's facts have changed", "drift", says=says, parts=[table(told)])


def _index(value: float | None) -> str:
    return measured.UNTOLD if value is None else f"{value:.3f}"


def _card(card: str | None) -> Iterator[Section]:
    if card is None:
        return
    yield section("Model card", "card", says=[], parts=[{"kind": "text", "blocks": blocks_of(card)}])
