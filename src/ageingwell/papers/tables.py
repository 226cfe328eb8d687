"""The tables that papers show, each worked out from the run and named with where it comes from. Nobody is in them."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ageingwell.governance.card import GROUPING_WORDS
from ageingwell.governance.disclosure import HIDDEN, SMALL, is_small, people_shown, shown_count
from ageingwell.governance.hazards import result_of, worst_of
from ageingwell.papers.fields import CODE, MANIFEST, RESULTS, rounded_share
from ageingwell.papers.run import Run
from ageingwell.report.words import PURPOSE_WORDS, reason_words
from ageingwell.views.words import agency_words, capital, label_words

Rows = Sequence[Sequence[str]]
NOBODY: Final = "none"


@dataclass(frozen=True)
class Table:
    """A table of a paper: its caption, its headings, its rows as texts, and the file and field it comes from."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    where: str


def table_named(name: str, run: Run) -> Table:
    """The table of a name that a template may ask for."""
    caption, heads, where, rows = TABLES[name]
    made = tuple(tuple(map(str, row)) for row in rows(run))
    return Table(caption, heads, made, where)


def _inputs(run: Run) -> Rows:
    return [
        [
            label_words(name),
            _count(told["n_read"]),
            _count(told["n_refused"]),
            told["newest_on"] or "not known",
            "late" if told["is_late"] else "up to date",
            ", ".join(told["absent_columns"]) or NOBODY,
        ]
        for name, told in run.facts["inputs"].items()
    ]


def _ledger(run: Run) -> Rows:
    return [
        [
            ", ".join(map(label_words, line["sources"])),
            ", ".join(PURPOSE_WORDS.get(one, one) for one in line["purposes"]),
            ", ".join(map(agency_words, line["recipients"])),
            line["legal_basis"],
            line["expires_on"],
        ]
        for line in run.facts["ledger"]["permitted"]
    ]


def _views(run: Run) -> Rows:
    return [
        [
            agency_words(name),
            ", ".join(map(label_words, view["themes"])) or NOBODY,
            "yes" if view["shows_risk"] else "no",
        ]
        for name, view in run.facts["ledger"]["views"].items()
    ]


def _steps(run: Run) -> Rows:
    words = {None: SMALL}
    return [
        [label_words(step["step"]), capital(reason_words(step["reason"])), words.get(step["n"]) or f"{step['n']:,}"]
        for step in run.facts["steps"]
    ]


def _retention(run: Run) -> Rows:
    keep = run.config.score.retention
    # The first clause of what the setting says of itself.
    says = {name: re.split("[,:;]", field.description or name)[0] for name, field in type(keep).model_fields.items()}
    return [[capital(says[name]), f"{days:,}"] for name, days in keep.model_dump().items()]


def _models(run: Run) -> Rows:
    told = run.facts["bundle"]["evaluation"]
    return [
        [
            label_words(outcome),
            found["sha256"][:12],
            _interval(told[outcome]["auroc"], 3),
            f"{told[outcome]['calibration']['slope']:.2f}",
            _count(told[outcome]["n"]),
            _count(told[outcome]["n_events"]),
        ]
        for outcome, found in run.facts["bundle"]["outcomes"].items()
    ]


def _groups_listed(run: Run) -> Rows:
    rows = run.facts.get("rates_by_group", {}).get("listed", [])
    return [
        [
            f"{GROUPING_WORDS.get(row['group'], label_words(row['group']))}: {row['level']}",
            _hidden(row["n"]),
            _hidden(row["n_listed"]),
            rounded_share(row["n_listed"], row["n"]),
        ]
        for row in rows
    ]


_GROUPINGS: Final = ("age_band", "sex", "ethnic_group", "deprivation_fifth")


def _groups_outcome(run: Run) -> Rows:
    return _by_group(run, ("event rate", "share listed", "false-negative rate"))


def _groups_calibration(run: Run) -> Rows:
    return _by_group(run, ("observed over expected", "calibration slope", "calibration intercept"))


def _by_group(run: Run, measures: Sequence[str]) -> Rows:
    """The measures of each group as the bundle was evaluated: its counts went through the door when it was made."""
    groups = run.tables.get(run.bundle.ranking_outcome, {}).get("groups")
    if groups is None:
        return []
    people = people_shown(groups)
    found = {(row["grouping"], row["group"], row["measure"]): row for row in groups.to_dicts()}
    keys = [key for key in dict.fromkeys((grouping, group) for grouping, group, _ in found) if key[0] in _GROUPINGS]
    return [
        [
            f"{GROUPING_WORDS[grouping]}: {group}",
            people.get((grouping, group), HIDDEN),
            *(_measure(found.get((grouping, group, name)), is_share=name in _SHARES) for name in measures),
        ]
        for grouping, group in keys
    ]


_SHARES: Final = ("event rate", "share listed", "false-negative rate")


def _measure(row: Mapping[str, Any] | None, *, is_share: bool) -> str:
    if row is None or row["value"] is None or is_small(row):
        return HIDDEN
    if not is_share:
        return _interval(row, 2)
    return f"{100 * row['value']:.0f} in 100 ({100 * row['low']:.0f} to {100 * row['high']:.0f})"


def _unused(run: Run) -> Rows:
    order = ("not used", "no weight", "repeats alone")
    told = [one for one in run.columns if one.kind in order]
    return [
        [label_words(one.table), one.column, capital(one.what_for), _PROPOSED[one.kind]]
        for one in sorted(told, key=lambda one: (order.index(one.kind), one.table, one.column))
    ]


_PROPOSED: Final = {
    "not used": "stop sending it",
    "no weight": "look at it when the model is trained again",
    "repeats alone": "ask whether repeats can be told without it",
}


def _hazards_short(run: Run) -> Rows:
    return [
        [
            capital(one.about),
            one.hazard,
            " ".join(control.says for control in one.control),
            worst_of(result_of(test, run.results) for test in one.tests),
        ]
        for one in run.hazards
    ]


def _count(n: int | None) -> str:
    shown = shown_count(n)
    return SMALL if shown is None else f"{shown:,}"


def _hidden(n: int | None) -> str:
    return HIDDEN if n is None else f"{n:,}"


def _interval(found: Mapping[str, Any], digits: int) -> str:
    value, low, high = (found.get(name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return HIDDEN
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


Made = tuple[str, tuple[str, ...], str, Callable[[Run], Rows]]
_EVALUATION: Final = "evaluation.json: groups"
TABLES: Final[Mapping[str, Made]] = {
    "inputs": (
        "Tables that came",
        ("Table", "Rows", "Refused", "Newest record", "State", "Columns that did not come"),
        f"{MANIFEST}: inputs",
        _inputs,
    ),
    "ledger": (
        "The permission ledger in force",
        ("Tables", "Purposes", "Recipients", "Legal basis", "In force until"),
        f"{MANIFEST}: ledger.permitted",
        _ledger,
    ),
    "views": (
        "What each recipient may read",
        ("Recipient", "Themes in full", "Sees the estimate"),
        f"{MANIFEST}: ledger.views",
        _views,
    ),
    "steps": ("Who left at which step, and why", ("Step", "Reason", "People"), f"{MANIFEST}: steps", _steps),
    "retention": ("How long anything is kept", ("What", "Days"), "score.toml: retention", _retention),
    "models": (
        "The models, measured on people they had not seen",
        ("Outcome", "Version", "Right order (AUROC)", "Slope", "People", "With the outcome"),
        f"{MANIFEST}: bundle.outcomes, bundle.evaluation",
        _models,
    ),
    "groups_listed": (
        "People who may be offered help, and those on the list",
        ("Group", "May be offered help", "On the list", "Share on the list"),
        f"{MANIFEST}: rates_by_group.listed",
        _groups_listed,
    ),
    "groups_outcome": (
        "People held out: who had the outcome, who would be listed, and who would be missed",
        ("Group", "People", "Had the outcome", "Listed", "Missed, of those with the outcome"),
        _EVALUATION,
        _groups_outcome,
    ),
    "groups_calibration": (
        "Whether the estimate is right",
        ("Group", "People", "Observed over expected", "Slope", "Intercept"),
        _EVALUATION,
        _groups_calibration,
    ),
    "unused": (
        "Columns that were sent and are used for nothing, or for little",
        ("Table", "Column", "Used for", "Proposal"),
        f"{MANIFEST}: inputs; features and rules of the software",
        _unused,
    ),
    "hazards_short": (
        "Hazards and what the software does about them",
        ("About", "Hazard", "Control", "Tests"),
        f"{CODE}, {RESULTS}",
        _hazards_short,
    ),
}
