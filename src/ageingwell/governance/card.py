"""The model card of a bundle, to TRIPOD+AI's items: what it is for, how it was made, how good it was, and its limits.

Every figure comes from the training's facts and its evaluation; what only a person can say stands in a list of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from scipy.special import expit

from ageingwell.governance.disclosure import HIDDEN, SMALL, in_words, is_small, people_shown
from ageingwell.governance.tripod import (
    BY_A_PERSON,
    FOR,
    FOUND,
    GROUPS,
    ITEMS,
    LIMITS,
    MADE,
    NOT_FOR,
    PEOPLE,
    PERSON,
    SHORT,
)
from ageingwell.model.fitted import FittedRisk

Tables = Mapping[str, Mapping[str, pl.DataFrame]]
Row = Mapping[str, Any]

NOT_FOR_USES: Final = (
    "a diagnosis, or any decision taken without a person",
    "telling someone their risk of falling (NICE NG249, 1.1.1): falls are found by case-finding rules",
    "predicting fire deaths: fire needs are found by rules",
    "a landlord's or an insurer's decision",
    "claims of savings from figures before and after",
)
OUTCOME_MEANS: Final = {
    "loss_of_independence": "New long-term care at home, entry to a care home, an emergency admission with a fall's "
    "injury or a fracture, or death",
    "emergency_admission": "An emergency hospital admission; death without one competes with it",
    "new_long_term_care": "The start of long-term care at home or in a care home, among people who had none; death "
    "without it competes with it",
    "death": "Death of any cause",
}
# How right risks are in a group, by the names of an evaluation's table.
OF_HEIGHT: Final = ("observed over expected", "calibration slope", "calibration intercept")
# A slope of risks that are right in a group, as near as an evaluation asks for.
SLOPE_AIMED_AT: Final = (0.9, 1.1)
NOWHERE: Final = "In no group shown is the slope more than a tenth from 1 beyond chance."
GROUPING_WORDS: Final = {
    "sex": "sex",
    "age_band": "age",
    "ethnic_group": "ethnic group",
    "deprivation_fifth": "deprivation fifth",
    "rurality": "rural or urban",
    "tenure": "tenure",
    "data_completeness": "records",
}


def model_card(facts: Mapping[str, Any], models: Mapping[str, FittedRisk], tables: Tables | None = None) -> str:
    """The card as Markdown: `facts` as `bundle.json` holds them, `tables` each outcome's as `evaluation.json` does."""
    measured = tables or {}
    first = next(iter(models))
    parts = [
        "# Model card",
        _warning(facts),
        _section(SHORT, _short(facts, first)),
        _section(FOR, FOR_WORDS),
        _section(NOT_FOR, "\n".join(f"- {use}" for use in NOT_FOR_USES)),
        _section(PEOPLE, _people(facts)),
        _section(MADE, _made(facts, models)),
        _section(FOUND, FOUND_WORDS),
        *(_outcome(outcome, facts["evaluation"][outcome], measured.get(outcome, {})) for outcome in models),
        _section(GROUPS, _groups(first, measured.get(first, {}))),
        _section(LIMITS, "\n".join(f"- {said}" for said in (*_traps(facts), *LIMITS_SAID))),
        _section(PERSON, "\n".join(f"- {what}{_items(items)}: ____" for what, items in BY_A_PERSON.items())),
        _section("Where TRIPOD+AI's items are answered", _index()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


FOR_WORDS: Final = (
    "To put people aged 65 and over in an order in which GP practices, adult social care, housing, the fire service "
    "and voluntary bodies of one area offer help, as a proposal to people who decide. It gives the chance of an event "
    "within a year (a prognosis, not a diagnosis). Its users are a multi-agency group that meets; needs are found by "
    "rules that anyone can read, whatever the chance."
)
FOUND_WORDS: Final = (
    "On the latest year whose outcomes had settled, on households the model never saw. Order is measured by the "
    "area under the curve (AUROC, DeLong's intervals), calibration by the recalibration line, events observed over "
    "expected and the integrated calibration index, worth by what is on a list as long as the agencies can serve in a "
    "quarter. Simpler methods are measured on the same people. All intervals are of 95%. The whole evaluation, net "
    "benefit among it, is in `evaluation.json`; the night's technical annex draws it."
)
LIMITS_SAID: Final = (
    "It shows what risks are linked with. It does not show causes, or what would help.",
    "It knows what agencies recorded, and when. People that services rarely see may look healthier than they are.",
    "It learned from years in which services already acted; the more they act on it, the more its own figures age.",
    "A night that lacks a source goes on without it and says so on every page; a number that is missing and never was "
    "in training stops the run. A bundle whose files, features or versions differ is refused.",
    "An analyst runs it; people who read its lists need no more than the page that explains them. Nobody changes its "
    "inputs by hand. A person agrees to every contact.",
    "Look at drift and calibration every quarter, train or recalibrate every year, and evaluate before a new place "
    "uses it.",
)


def _traps(facts: Mapping[str, Any]) -> list[str]:
    """What was seen in the rows fitted on that makes a model look better than it is."""
    traps = facts["training"].get("traps", {})
    return [
        f"**Look at this first.** {_words(outcome).capitalize()}: {trap}"
        for outcome, seen in traps.items()
        for trap in seen
    ]


def _section(heading: str, text: str) -> str:
    return f"## {heading}\n\n{text}"


def _warning(facts: Mapping[str, Any]) -> str:
    if not facts["made_up"]:
        return ""
    return (
        "**Trained on made-up people.** It shows the software and says nothing about real people. The shipped "
        "demonstration bundle was made, byte for byte, by\n\n```\nageingwell synth --people 40000 --seed 7 --out "
        "county\nageingwell train --data county --out models/demo\n```"
    )


def _short(facts: Mapping[str, Any], first: str) -> str:
    found, horizon = facts["evaluation"][first], facts["training"]["horizon_days"]
    area, line = found["auroc"], found["calibration"]
    return (
        f"Development and evaluation of models of {_listed([_words(name) for name in facts['evaluation']])} within "
        f"{horizon} days, among people aged 65 and over. {_words(first).capitalize()} ranks. On "
        f"{in_words(found['n'])} people held out, {in_words(found['n_events'])} of them with the event, its AUROC was "
        f"{_figure(area['value'])} ({_figure(area['low'])} to {_figure(area['high'])}) and its calibration slope "
        f"{_figure(line['slope'], 2)}. **{'Usable' if facts['verdict']['usable'] else 'Not usable'}**: "
        f"{facts['verdict']['reason']}."
    )


def _people(facts: Mapping[str, Any]) -> str:
    training = facts["training"]
    settings = training["settings"]
    events = training.get("n_events", {})
    heads = ["part", "cut-offs", "people", *(f"{_words(name)}" for name in facts["evaluation"] if events)]
    rows = [
        [
            part,
            ", ".join(training["cut_offs"][part]),
            in_words(training["n_people"][part]),
            *(in_words(events[part][name]) for name in facts["evaluation"] if events),
        ]
        for part in training["cut_offs"]
    ]
    told = " Under each outcome: people and cut-offs with the event." if events else ""
    return (
        "Records of GP practices, hospitals, adult social care, housing and the fire service, linked by pseudonym, of "
        "everyone aged 65 and over who was registered with a practice on a cut-off, who had not opted out and was not "
        "yet in the state looked at. Every row was checked against a contract, and refused where it broke one; a fact "
        f"counts from the day an agency knew it. Outcomes are looked for in the {training['horizon_days']} days after "
        f"a cut-off, in records that had {settings['settling_days']} more days to settle; people who left the area are "
        "not followed, and death is counted separately where it competes. Outcomes and facts come from codes, by the "
        "same lists for everyone and with nobody's judgement; facts are taken before the cut-off and outcomes after "
        "it, so neither knows of the other. Parts differ in their dates and in nothing else; how much their facts "
        "differ is in the table `drift` of `ageingwell "
        f"evaluate`.{_helped(training, next(iter(facts['evaluation'])))}{told}\n\n" + _table(heads, rows)
    )


def _enough(settings: Mapping[str, Any]) -> str:
    """How many events an outcome needs to be fitted at all."""
    floor = f"{settings['minimum_events']:,}"
    if "least_shrinkage" not in settings:
        return f"An outcome with fewer than {floor} events to fit on is refused."
    return (
        f"An outcome is refused with fewer than {floor} events to fit on, or than Riley's criteria ask for with "
        f"{settings['parameters_per_feature']:g} parameters a feature and at least "
        f"{_percent(settings['least_shrinkage'])} in 100 of an effect holding on new people."
    )


def _helped(training: Mapping[str, Any], first: str) -> str:
    """How outreach of the agencies' own was dealt with, which the model must not learn from."""
    if "outreach" not in training:
        return ""
    told = training["outreach"][first]["fit"]
    exposed = SMALL if told["exposed"] is None else f"{told['exposed']:,}"
    return (
        f" Of {in_words(told['rows'])} rows to fit {_words(first)} on, {exposed} were of people an agency reached "
        "before the outcome could be seen: they are left out of fit and calibration, and similar people stand in for "
        "them."
    )


def _range(found: Mapping[str, Any]) -> str:
    """How the range around a risk is made, and how well it held."""
    if "range" not in found:
        return ""
    told = found["range"]
    return (
        f" The range around a risk is {told['method']}.{_checked(told)} On households that did not make it, such "
        f"ranges held the share observed in {100 * told['coverage']:.0f} in 100 of {told['n_groups']:,} groups of "
        f"people, of {_percent(told['level'])} promised. That people of one record differ so far is an assumption, "
        "which no records can check."
    )


def _checked(told: Mapping[str, Any]) -> str:
    return f" Ranges are told up to {100 * told['checked_up_to']:.0f} in 100." if "checked_up_to" in told else ""


def _made(facts: Mapping[str, Any], models: Mapping[str, FittedRisk]) -> str:
    settings = facts["training"]["settings"]
    model = next(iter(models.values()))
    trees = _listed([f"{one.booster_.num_trees():,}" for one in models.values()])
    return (
        f"{len(model.features)} features, defined in the code and its code lists, none picked by its effect on the "
        "outcome; each has its look-back, its source and the direction in which it may move the risk. A penalised "
        "logistic model with a curve for each feature, and boosted trees (LightGBM) on top of it, both monotone where "
        f"a feature says so ({trees} trees, in the order of the outcomes). Penalty, trees and shape were chosen by "
        "cross-validation inside the fitting part; a straight line on the log-odds, fitted on a later cut-off, "
        f"calibrates.{_of_ages(models)}{_bent(models)} {_drawn(models)}\n\nEach household is in one part only: "
        f"{_percent(settings['calibration_share'])} in 100 to calibrate, {_percent(settings['test_share'])} in 100 to "
        "test, the rest to fit. Missing stays missing, with a place of its own in curves and trees; "
        f"{_percent(settings['late_agency_share'])} in 100 of the fitting rows rehearse an agency that did not send. "
        f"{_enough(settings)}\n\nThe output is a calibrated chance with a range; no threshold turns it into a class: "
        f"the list is as long as agencies can serve.{_range(facts['evaluation'][next(iter(models))])} `model.txt` and "
        "`bundle.json` next to this card are the whole model; `ageingwell score` and `ageingwell.load_bundle` work "
        "out its predictions, and `logit(risk) = base + sum of contributions` is true for every row. The code is open "
        f"(MIT).\n\n{_updated(facts)}"
    )


def _of_ages(models: Mapping[str, FittedRisk]) -> str:
    """How calibration differs by age, at the log-odds of the line; nothing of models in which it does not."""
    terms = {outcome: model.by_age.along(model.line) for outcome, model in models.items() if model.by_age is not None}
    if not terms:
        return ""
    told = "; ".join(
        f"{_words(name)}: {one.height:+.2f} at {100 * expit(one.centre):.0f} in 100, slope {one.slope:+.3f}"
        for name, one in terms.items()
    )
    return (
        f" It differs by age: for every ten years above 80 the log-odds move ({told}), between 65 and 95. The "
        "contributions of all facts of a person are multiplied by one factor, and that of age takes up the rest, so "
        "that they still add up."
    )


def _bent(models: Mapping[str, FittedRisk]) -> str:
    """Where the log-odds bend at the top, and how much; nothing of models that do not."""
    bends = {outcome: model.bend for outcome, model in models.items() if not model.bend.is_straight}
    if not bends:
        return ""
    told = "; ".join(
        f"{_words(name)}: from {100 * expit(one.at):.0f} in 100, times {one.slope:.2f}" for name, one in bends.items()
    )
    return (
        f" Where 2 in 100 people have a higher risk the log-odds bend ({told}): sums without end say too much there. "
        "All contributions of such a person shrink by one factor, so that they still add up."
    )


def _drawn(models: Mapping[str, FittedRisk]) -> str:
    """Whether all people were fitted on, or a sample of those without the outcome."""
    samples = {outcome: model.sampled for outcome, model in models.items() if model.sampled is not None}
    if not samples:
        return "Nobody was drawn more or less often than they are (no balancing of classes)."
    told = "; ".join(
        f"{outcome}: {in_words(one.n_used)} of {in_words(one.n)} rows, with the outcome "
        f"{in_words(one.n_events_used)} of {in_words(one.n_events)}"
        for outcome, one in samples.items()
    )
    return (
        "There were more rows than a fit needs, so a sample was fitted on in which rows with the outcome are more "
        f"frequent, and each counts for as many as it represents ({told})."
    )


def _updated(facts: Mapping[str, Any]) -> str:
    """Whether the models were recalibrated for a place, how far, and what became of their calibration there."""
    if "recalibration" not in facts:
        return "The models were not updated after this evaluation."
    told = facts["recalibration"]
    rows = [
        [
            _words(outcome),
            SMALL if move["n"] is None else f"{move['n']:,}",
            SMALL if move["n_events"] is None else f"{move['n_events']:,}",
            f"{move['height']:+.3f}",
            f"{move['slope']:.3f}",
            *(_expected(move["held_out"][when]) for when in ("before", "after")),
        ]
        for outcome, move in told["outcomes"].items()
    ]
    heads = (
        "outcome",
        "people",
        "with the event",
        "log-odds moved by",
        "times",
        "observed over expected before",
        "and after",
    )
    return (
        f"Recalibrated for a place, on its records of the year after {told['cut_off']}: height and slope of each "
        f"outcome's line{_moved_by_age(told)} moved as far as the place's own events can say; reasons, and the order "
        f"of people of one age, are the parent's (bundle {told['parent_sha256'][:12]}). Before and after are measured "
        "on households that had no part in it.\n\n" + _table(heads, rows) + _slopes_of_bands(told)
    )


def _moved_by_age(told: Mapping[str, Any]) -> str:
    moves = told["outcomes"].values()
    return ", and how they differ by age," if any(move.get("height_by_age_error") for move in moves) else ""


def _slopes_of_bands(told: Mapping[str, Any]) -> str:
    """The slope within each age band before and after; nothing of a bundle that did not measure it."""
    rows = [
        [_words(outcome), band, _slope(before), _slope(move["held_out"]["after"]["slope_by_age_band"].get(band, []))]
        for outcome, move in told["outcomes"].items()
        for band, before in move["held_out"]["before"].get("slope_by_age_band", {}).items()
    ]
    if not rows:
        return ""
    return "\n\nCalibration slope within age bands (1 is right):\n\n" + _table(
        ("outcome", "age", "before", "and after"), rows
    )


def _slope(ends: Sequence[float | None]) -> str:
    return _interval(dict(zip(("value", "low", "high"), ends)), 2) if ends else HIDDEN


def _expected(found: Mapping[str, Any]) -> str:
    value, low, high = found.get("observed_over_expected") or (None, None, None)
    return _interval({"value": value, "low": low, "high": high}, 2)


def _outcome(outcome: str, found: Mapping[str, Any], tables: Mapping[str, pl.DataFrame]) -> str:
    line = found["calibration"]
    meaning = f"{OUTCOME_MEANS[outcome]}. " if outcome in OUTCOME_MEANS else ""
    heading = (
        f"### {_words(outcome).capitalize()}\n\n{meaning}Among {in_words(found['n'])} people "
        f"{in_words(found['n_events'])} had the event; the mean risk given was {100 * found['mean_risk']:.1f} in 100. "
    )
    if not tables:
        return heading + f"Calibration slope {_figure(line['slope'], 2)}, intercept {_figure(line['intercept'], 2)}."
    told = {row["measure"]: row for row in tables["calibration"].iter_rows(named=True)}
    bands = "; ".join(
        f"{band} {_interval(area)}" for band, area in found["auroc_by_age"].items() if area["value"] is not None
    )
    return (
        f"{heading}Calibration slope {_interval(told['slope'], 2)}, intercept {_interval(told['intercept'], 2)}, "
        f"observed over expected {_interval(told['observed_over_expected'], 2)}, mean gap of risk and smoothed share "
        f"{_interval(told['ici'])}. AUROC by age: {bands}.\n\n{_wall(tables['wall'])}{_ranges(tables)}"
    )


def _ranges(tables: Mapping[str, pl.DataFrame]) -> str:
    """How often the ranges held by band of the risk given; nothing where a bundle did not measure it."""
    if "ranges" not in tables:
        return ""
    rows = [
        [
            f"{100 * row['band']:.0f} to {100 * row['band_end']:.0f} in 100",
            in_words(row["n"]),
            _of_100(row),
            _range_told(row),
            _held(row),
        ]
        for row in tables["ranges"].iter_rows(named=True)
    ]
    heads = ("risk given", "people", "had the event", "mean range, in 100", "ranges held, of 100 checks")
    return f"\n\nRanges by the risk given:\n\n{_table(heads, rows)}"


def _range_told(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    return "none told" if row["range_low"] is None else f"{100 * row['range_low']:.0f} to {100 * row['range_high']:.0f}"


def _held(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    return "too few to check" if row["coverage"] is None else f"{100 * row['coverage']:.0f}"


def _wall(wall: pl.DataFrame) -> str:
    found = {(row["name"], row["measure"]): row for row in wall.filter(band="all").iter_rows(named=True)}
    rows = []
    for name in wall["name"].unique(maintain_order=True):
        ahead = found.get((name, "auroc_model_minus_rival"))
        rows.append(
            [
                name,
                _interval(found[name, "auroc"]),
                "" if ahead is None else _interval(ahead),
                _of_100(found[name, "ppv"]),
                _of_100(found[name, "sensitivity"]),
            ]
        )
    heads = ("score", "AUROC", "model ahead by", "had the event, of those listed", "listed, of those with the event")
    return _table(heads, rows)


def _groups(outcome: str, tables: Mapping[str, pl.DataFrame]) -> str:
    if "groups" not in tables:
        return "Not measured."
    groups = tables["groups"]
    found = {(row["grouping"], row["group"], row["measure"]): row for row in groups.iter_rows(named=True)}
    rows = []
    for (grouping, group), people in people_shown(groups).items():
        if grouping not in GROUPING_WORDS:
            continue
        told = [
            *(_of_100(found[grouping, group, name]) for name in ("event rate", "false-negative rate")),
            *(_maybe(found.get((grouping, group, name))) for name in OF_HEIGHT),
        ]
        hidden = [HIDDEN] * len(told)
        rows.append([f"{GROUPING_WORDS[grouping]}: {group}", people, *(hidden if people == SMALL else told)])
    heads = ("group", "people", "had the event", "missed, of those with the event", *OF_HEIGHT)
    return (
        f"Of {_words(outcome)}, at the length of list that all agencies together can serve. No group is treated "
        "otherwise than another; where some are missed more often, people who decide should know it. Groups of 1 to 7 "
        f"people or events are not shown. Risks are right in a group where observed over expected and the calibration "
        f"slope are 1 and the intercept is 0. {_outside(groups)} {_practices(groups)}\n\n{_table(heads, rows)}"
    )


def _outside(groups: pl.DataFrame) -> str:
    """In which groups the slope lies outside 0.9 to 1.1: surely, and as far as it was seen."""
    low, high = SLOPE_AIMED_AT
    slopes = groups.filter(pl.col("grouping").is_in(GROUPING_WORDS), measure="calibration slope").drop_nulls("value")
    if slopes.is_empty():
        return "Slopes of groups were not measured."
    is_outside = ~pl.col("value").is_between(low, high)
    is_sure = (pl.col("high") < low) | (pl.col("low") > high)
    sure, unsure = slopes.filter(is_sure), slopes.filter(is_outside & ~is_sure)
    told = [f"The slope is more than a tenth from 1, beyond chance, for {_named(sure)}." if sure.height else NOWHERE]
    if unsure.height:
        told.append(f"It is so far from 1, and perhaps by chance alone, for {_named(unsure)}.")
    return " ".join(told)


def _named(slopes: pl.DataFrame) -> str:
    return _listed(
        [
            f"{GROUPING_WORDS[row['grouping']]} {row['group']} ({_figure(row['value'], 2)})"
            for row in slopes.iter_rows(named=True)
        ]
    )


def _maybe(row: Row | None) -> str:
    """A figure that an older bundle did not measure is not known."""
    return "not known" if row is None else _interval(row, 2)


def _practices(groups: pl.DataFrame) -> str:
    """How far calibration lies apart between practices, of those that may be shown."""
    known = groups.filter(grouping="practice", measure="observed over expected").drop_nulls("value").sort("value")
    if known.height <= 1:
        return "Practices are too few or too small to compare."
    low, high = known.row(0, named=True), known.row(-1, named=True)
    return (
        f"Between {known.height} practices, events observed over expected went from {_interval(low, 2)} to "
        f"{_interval(high, 2)}."
    )


def _index() -> str:
    rows = [[item.number, item.asks, "; ".join(item.answered)] for item in ITEMS]
    return (
        "After Collins and others, BMJ 2024;385:e078378. Items that only a person can answer are in the list above.\n\n"
        + _table(("item", "what it asks for", "answered under"), rows)
    )


def _items(items: Sequence[str]) -> str:
    return f" (item {', '.join(items)})" if items else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _words(label: str) -> str:
    return label.replace("_", " ")


def _listed(words: Sequence[str]) -> str:
    return " and ".join(", ".join(words).rsplit(", ", 1))


def _percent(share: float) -> str:
    return f"{100 * share:g}"


def _figure(value: float | None, places: int = 3) -> str:
    return "not known" if value is None else f"{value:.{places}f}"


def _interval(row: Row, places: int = 3) -> str:
    if is_small(row):
        return HIDDEN
    if row["value"] is None:
        return "not known"
    return f"{_figure(row['value'], places)} ({_figure(row['low'], places)} to {_figure(row['high'], places)})"


def _of_100(row: Row) -> str:
    if is_small(row):
        return HIDDEN
    if row["value"] is None:
        return "not known"
    return f"{100 * row['value']:.0f} in 100 ({100 * row['low']:.0f} to {100 * row['high']:.0f})"
