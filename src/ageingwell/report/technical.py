"""The tables of the technical annex: the model's facts, who left where, what was refused, who just missed a visit."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl

from ageingwell.governance.disclosure import disclose_table, in_words
from ageingwell.governance.night_facts import NightFacts
from ageingwell.report.words import reason_words, step_words
from ageingwell.views.words import NEED_WORDS, agency_words, label_words

STEPS = ("read", "permitted", "spine", "eligible", "rank", "allocate", "withdrawn", "listed")

# People who reached these steps were looked at for tonight's list; before them people were not of the age asked for,
# or might not be used.
CONSIDERED = ("eligible", "rank", "allocate", "withdrawn", "listed")

Table = dict[str, Any]


def annex_tables(
    *,
    facts: NightFacts,
    attrition: pl.DataFrame,
    needs: pl.DataFrame,
    just_missed: pl.DataFrame | None,
    marginal: pl.DataFrame | None,
) -> list[Table]:
    """Gather the annex's tables, each a caption, a note, headings and rows of text; empty ones are left out.

    Every count of people goes through the door of `governance.disclosure`; no identifier is taken up at all.
    """
    tables = [
        _table("The model, and what its checks found", ("Fact", "Value"), model_rows(dict(facts.bundle))),
        _table("Everyone in the records, and where people left", ("Step", "Reason", "People"), _steps(attrition)),
        _table(
            "Needs by lead agency",
            ("Lead", "Need", "Outcome", "Needs"),
            _needs(needs),
            note="Each need is counted once per person or home.",
        ),
        _table(
            "What one more visit per week would reach",
            ("Agency", "Places per week", "Used", "More worth reached", "More risk reached", "More homes"),
            _marginal(marginal),
            note="Worth adds risk and need together, in units of risk. 0.25 is as much as one person at 25 in 100.",
        ),
        _table(
            "Homes that just missed a visit",
            ("Agency", "Next in line", "Place", "Worth", "Risk in the home"),
            _just_missed(just_missed),
            note="A home may be in the rows of several agencies.",
        ),
        _table("Rows that broke their contract", ("Table", "Column", "Rule", "Rows"), _refused(facts)),
        _table("Records that arrived", ("Table", "Rows read", "Rows used", "Newest record"), _inputs(facts)),
        _table("Versions", ("Library", "Version"), [[str(k), str(v)] for k, v in facts.versions.items()]),
    ]
    return [table for table in tables if table["rows"]]


def model_rows(bundle: Mapping[str, Any]) -> list[list[str]]:
    """Write nested facts out, one row each, counts disclosed and figures to four places.

    >>> model_rows({"verdict": {"usable": True}, "training": {"n_people": 5_003, "auroc": 0.71234}})
    [['verdict: usable', 'yes'], ['training: n people', '5,005'], ['training: auroc', '0.7123']]
    """
    return [[": ".join(map(_label, path)), text] for path, text in _leaves(bundle, ())]


# What the facts of a bundle call in a word of their own.
_LABELS: Final = {
    "rivals": "compared with",
    "beaten_by": "the model is ahead by",
    "n": "people",
    "untold_share_at_most": "unknown share at most",
}


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " "))


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, str(name)))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        if any(isinstance(inner, Mapping | list | tuple) for inner in value):
            for number, inner in enumerate(value, start=1):
                yield from _leaves(inner, (*path, str(number)))
        else:
            yield path, ", ".join(_text(inner, path) for inner in value)
    else:
        yield path, _text(value, path)


def _text(value: Any, path: tuple[str, ...]) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return in_words(value) if _is_count(path) else str(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _is_count(path: tuple[str, ...]) -> bool:
    return any(name == "n" or name.startswith("n_") or name in {"people", "events", "rows"} for name in path)


def _table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    return {"caption": caption, "note": note, "heads": list(heads), "rows": rows}


def step_counts(attrition: pl.DataFrame) -> pl.DataFrame:
    """Count people by step and reason, disclosed: step, reason, shown.

    One total over these counts is published, of the people considered; so among their reasons no cell stands hidden
    alone. The report and the annex both take their counts from here: what one hides, the other never shows.
    """
    order = {step: number for number, step in enumerate(STEPS)}
    counts = attrition.group_by("step", "reason").agg(pl.col("n").sum())
    by_step = pl.col("step").replace_strict(order, default=len(order), return_dtype=pl.Int64)
    is_considered = pl.col("step").is_in(CONSIDERED)
    total = pl.when(is_considered).then(pl.lit("considered")).otherwise(pl.concat_str("step", "reason", separator="/"))
    ordered = counts.sort(by_step, "step", "reason").with_columns(total=total)
    return disclose_table(ordered, within=["total"]).drop("total")


def _steps(attrition: pl.DataFrame) -> list[list[str]]:
    return [[step_words(step), reason_words(reason), n] for step, reason, n in step_counts(attrition).iter_rows()]


def _needs(needs: pl.DataFrame) -> list[list[str]]:
    counts = (
        needs.with_columns(pl.col("outcome").fill_null("not_known"))
        .group_by("lead_agency", "need", "outcome")
        .agg(n=pl.len().cast(pl.Int64))
        .sort("lead_agency", "need", "outcome")
    )
    rows = disclose_table(counts, within=["lead_agency", "need"]).iter_rows()
    return [[agency_words(lead), _need_name(need), reason_words(outcome), n] for lead, need, outcome, n in rows]


def _need_name(need: str) -> str:
    return NEED_WORDS[need].name if need in NEED_WORDS else label_words(need)


def _marginal(marginal: pl.DataFrame | None) -> list[list[str]]:
    if marginal is None:
        return []
    shown = marginal.select(
        "lead_agency", "places", "used", "extra_value", "extra_risk", pl.col("extra_doors").list.len()
    )
    return [
        [agency_words(agency), str(places), str(used), f"{worth:.2f}", f"{risk:.2f}", str(doors)]
        for agency, places, used, worth, risk, doors in shown.iter_rows()
    ]


def _just_missed(just_missed: pl.DataFrame | None) -> list[list[str]]:
    if just_missed is None:
        return []
    shown = just_missed.select("lead_agency", "position", "place", "value", "risk_reached")
    return [
        [agency_words(agency), str(position), place or "not known", f"{worth:.2f}", f"{risk:.2f}"]
        for agency, position, place, worth, risk in shown.sort("lead_agency", "position").iter_rows()
    ]


def _refused(facts: NightFacts) -> list[list[str]]:
    return [
        [
            label_words(name),
            str(told.get("column") or "whole row"),
            _rule_words(told.get("rule")),
            in_words(int(told["n_rows"])),
        ]
        for name, table in facts.inputs.items()
        for told in table.get("refused_by_rule", [])
    ]


def _rule_words(rule: Any) -> str:
    return str(rule or "not named").replace("_", " ")


def _inputs(facts: NightFacts) -> list[list[str]]:
    return [
        [
            label_words(name),
            in_words(int(table.get("n_read", 0))),
            in_words(int(table.get("n_good", 0))),
            str(table.get("newest_on") or "none"),
        ]
        for name, table in facts.inputs.items()
    ]
