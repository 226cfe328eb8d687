"""What the pages of an impact say: text, lists and tables only, from tables that have been through the door."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.decisions.plan_choices import MATTERS
from ageingwell.governance.disclosure import HIDDEN, in_words
from ageingwell.report.impact_words import (
    CANNOT_TELL,
    DAYS_NAMED,
    OUTCOME_NAMES,
    PER_PERSON,
    answer_words,
    between,
    method_words,
    time_words,
    why_words,
)
from ageingwell.views.words import agency_words, day_words, label_words, need_words

Table = dict[str, Any]
Tables = Mapping[str, pl.DataFrame]
LOT, MATCHED = "lot", "matched"
ROUNDED: Final = (
    "Numbers from 1 to 7 are not shown, or numbers that would reveal them. Others are rounded to the nearest 5."
)
HARM_DAYS: Final = 91
# A group is told to be served less where the whole interval of its gap lies below this.
_STAGES: Final = {
    "listed": "On a list",
    "agreed": "Visit agreed",
    "reached": "Spoken to",
    "taken_up": "Took up help",
    "completed": "Completed",
    "said_no": "Said no",
}
_GROUPINGS: Final = {
    "age_band": "Age",
    "sex": "Sex",
    "deprivation_fifth": "Deprivation (fifth 1 is the most deprived)",
    "ethnic_group": "Ethnic group",
    "place": "Place",
    "rurality": "Town or country",
}


def impact_page(tables: Tables, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what both pages say. `tables` are those of `learning.impact_tables`; `facts` what was looked at.

    Keys: `facts` (plain data for impact.json), and what the templates draw.
    """
    days, effects = int(facts["days"]), tables["effects"]
    needed = dict(tables["needed"].select("outcome", "n_needed").iter_rows())
    answers = [_answer(effects, outcome, days, facts, n_needed=needed.get(outcome)) for outcome in OUTCOME_NAMES]
    first = answers[0]
    harm = [*_harm(effects, facts), _shares_told(tables["shares"]), _overloaded(tables, facts), _refusals(facts)]
    told = {
        **facts,
        "answer": first["sentence"],
        "is_told": first["is_told"],
        "answers": answers,
        "harm": harm,
        "needed": tables["needed"].to_dicts(),
    }
    return {
        "facts": told,
        "as_of": day_words(date.fromisoformat(facts["recorded_up_to"])),
        "notices": ["MADE-UP PEOPLE. Nobody here exists."] if facts["made_up"] else [],
        "answer": first,
        "answers": answers,
        "method": method_words(first["method"]),
        "time": time_words(days),
        "harm": harm,
        "delivered": _delivered(tables["delivered"], "agency"),
        "delivered_needs": _delivered(tables["delivered"], "need"),
        "plans": _plans(tables["plans"], "matters", {}),
        "services": _plans(tables["plans"], "step", facts["services"]),
        "when": list(_when(tables["needed"], facts, is_told=bool(first["is_told"]))),
        "left_out": list(_left_out(facts)),
        "rounded": ROUNDED,
        "annex": list(_annex(tables, facts)),
    }


def _rows(effects: pl.DataFrame, outcome: str, days: int) -> list[dict[str, Any]]:
    rows = effects.filter(by="all", outcome=outcome, days=days).to_dicts()
    order = {LOT: 0, MATCHED: 1}
    return sorted(rows, key=lambda row: (row["value"] is None or row["why_not"] is not None, order[row["method"]]))


def _answer(
    effects: pl.DataFrame, outcome: str, days: int, facts: Mapping[str, Any], *, n_needed: int | None
) -> dict[str, Any]:
    """What is told of one outcome: by lot where that tells it, else matched, else why it cannot be told."""
    rows = _rows(effects, outcome, days)
    name = OUTCOME_NAMES[outcome]
    if outcome in facts["untold"]:
        why = facts["untold"][outcome]
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": None,
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}: {why}.",
            "words": why,
            "between": "",
        }
    if not rows:
        why = _too_early(facts)
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": None,
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}. {why}",
            "words": why,
            "between": "",
        }
    row = rows[0]
    if row["why_not"] is not None or row["value"] is None:
        why = why_words(row["why_not"])
        return {
            "outcome": outcome,
            "name": name,
            "is_told": False,
            "method": row["method"],
            "tag": CANNOT_TELL,
            "sentence": f"{CANNOT_TELL}: {why}.",
            "words": why,
            "between": "",
        }
    n_needed = n_needed if row["method"] == LOT else None
    tag, words = answer_words(outcome, row, days=days, n_needed=n_needed)
    return {
        "outcome": outcome,
        "name": name,
        "is_told": tag != CANNOT_TELL,
        "method": row["method"],
        "tag": tag,
        "sentence": words,
        "words": words,
        "between": between(outcome, row),
    }


def _too_early(facts: Mapping[str, Any]) -> str:
    first = facts.get("first_settled")
    if first is None:
        return "Nobody has been on a list yet."
    if first <= facts["recorded_up_to"]:
        return "Nobody who was listed can be followed in these records."
    return f"The first people will have been followed long enough on {day_words(date.fromisoformat(first))}."


def _harm(effects: pl.DataFrame, facts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Whether emergency admissions or deaths rise soon after people are offered a visit."""
    for outcome in ("emergency_admissions", "deaths"):
        rows = _rows(effects, outcome, HARM_DAYS)
        row = rows[0] if rows else None
        asks = f"Are there more {OUTCOME_NAMES[outcome].lower()} in the first three months?"
        if outcome in facts["untold"] or row is None or row["why_not"] is not None or row["value"] is None:
            why = facts["untold"].get(outcome) or (why_words(row["why_not"]) if row else "too little time has passed")
            yield {"asks": asks, "tag": CANNOT_TELL, "words": f"{CANNOT_TELL}: {why}."}
        elif row["low"] > 0:
            words = answer_words(outcome, row, days=HARM_DAYS)[1]
            yield {"asks": asks, "tag": "Look at this", "words": f"{words} Ask a clinician to look at this now."}
        elif row["high"] < 0:
            yield {"asks": asks, "tag": "Fewer", "words": answer_words(outcome, row, days=HARM_DAYS)[1]}
        else:
            most = f"{PER_PERSON[outcome] * max(row['high'], 0):.0f}"
            yield {
                "asks": asks,
                "tag": "No sign of it",
                "words": f"That does not rule it out: up to {most} more for every {PER_PERSON[outcome]} people offered "
                "a visit would still fit.",
            }


def _shares_told(shares: pl.DataFrame) -> dict[str, str]:
    asks = "Does any group get less than its share?"
    told = shares.drop_nulls("gap_high")
    if told.is_empty():
        return {"asks": asks, "tag": CANNOT_TELL, "words": f"{CANNOT_TELL}: there are too few people."}
    less = told.filter((pl.col("gap_high") < 0) & (pl.col("group") != "not known")).sort("gap")
    if less.is_empty():
        return {
            "asks": asks,
            "tag": "No sign of it",
            "words": "Of people with a need, no group was offered visits clearly less often than everyone else.",
        }
    said = [
        f"{_GROUPINGS[row['grouping']].split(' (')[0].lower()}: {label_words(row['group']).lower()} "
        f"({100 * row['value']:.0f} in 100)"
        for row in less.head(4).to_dicts()
    ]
    return {
        "asks": asks,
        "tag": "Look at this",
        "words": "Offered visits less often than everyone else: "
        f"{'; '.join(said)}. There may be good reasons. Ask what they are.",
    }


def _overloaded(tables: Tables, facts: Mapping[str, Any]) -> dict[str, str]:
    asks = "Is any agency overloaded?"
    over = []
    for row in tables["agencies"].to_dicts():
        n = _whole(row["overdue"])
        if n and n >= int(facts["capacity"].get(row["agency"], 0)):
            over.append(f"{agency_words(row['agency'])} ({row['overdue']} overdue)")
    if over:
        return {
            "asks": asks,
            "tag": "Look at this",
            "words": f"As many overdue visits as a week has places: {'; '.join(over)}.",
        }
    return {
        "asks": asks,
        "tag": "No sign of it",
        "words": "No agency has as many overdue visits as it has places in a week.",
    }


def _refusals(facts: Mapping[str, Any]) -> dict[str, str]:
    n, listed = facts["refused_three_times"], facts["refused_three_times_listed"]
    asks = "Do we keep asking people who have said no?"
    if n == "0":
        return {"asks": asks, "tag": "No sign of it", "words": "Nobody has said no three times."}
    if listed == "0":
        return {
            "asks": asks,
            "tag": "No sign of it",
            "words": f"{n} people have said no three times. None of them is on the list now.",
        }
    return {
        "asks": asks,
        "tag": "Look at this",
        "words": f"{n} people have said no three times, and {listed} of them are on the list again. Leave them alone "
        "unless their need is urgent.",
    }


def _whole(shown: str) -> int | None:
    plain = shown.replace(",", "")
    return int(plain) if plain.isdigit() else None


def _table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    return {"caption": caption, "heads": list(heads), "rows": rows, "note": note}


def _delivered(delivered: pl.DataFrame, by: str) -> Table:
    names = delivered.filter(pl.col("by").is_in([by, "all"]))
    cells = {(row["by"], row["name"], row["stage"]): row["shown"] for row in names.to_dicts()}
    words = agency_words if by == "agency" else need_words
    rows = [
        [words(name), *(cells.get((by, name, stage), "0") for stage in _STAGES)]
        for name in names.filter(by=by)["name"].unique().sort()
    ]
    if ("all", "all", "listed") in cells:
        rows.append(["Everyone", *(cells.get(("all", "all", stage), "0") for stage in _STAGES)])
    caption = (
        "What became of people after they were first on a list, by the agency that led"
        if by == "agency"
        else ("The same, by need")
    )
    note = "" if by == "agency" else "Someone with several needs is counted once in each."
    return _table(caption, ("Agency" if by == "agency" else "Need", *_STAGES.values()), rows, note=note)


def _plans(plans: pl.DataFrame, by: str, services: Mapping[str, str]) -> Table:
    stages = {
        "planned": "Plans",
        "reviewed": "Asked if it helped",
        "helped": "Said it helped",
        "completed": "What mattered is met",
    }
    of = plans.filter(by=by)
    cells = {(row["name"], row["stage"]): row["shown"] for row in of.to_dicts()}
    rows = [
        [
            _step_words(name, services) if by == "step" else MATTERS.get(name, label_words(name)),
            *(cells.get((name, stage), "0") for stage in stages),
        ]
        for name in of["name"].unique().sort()
    ]
    caption = (
        "What matters to people, and whether the plan helped" if by == "matters" else "Steps and services in plans"
    )
    return _table(caption, ("What matters" if by == "matters" else "Step or service", *stages.values()), rows)


def _step_words(step: str, services: Mapping[str, str]) -> str:
    kind, _, name = step.partition(":")
    if kind == "need":
        return need_words(name)
    return services.get(name, "A service no longer in the directory") if kind == "service" else "In own words"


def _when(needed: pl.DataFrame, facts: Mapping[str, Any], *, is_told: bool) -> Iterator[str]:
    """When it will be possible to tell, and with how many people."""
    if not is_told:
        yield _too_early(facts)
    for row in needed.filter(pl.col("outcome") == "emergency_admissions").to_dicts():
        yield (
            f"To find out if emergency admissions change by a fifth, about {row['n_needed']:,} people must take part "
            f"in picking at random. So far {_few(row['n_in_lots_later'])} have, and {_few(row['n_in_lots'])} of them "
            "have been followed long enough."
        )
    if not facts["has_lot"]:
        yield (
            "No places were picked at random. That is the only way to be sure. The how-to “Pick some places at random” "
            "says how to begin."
        )


def _few(count: int | None) -> str:
    return "fewer than 8" if count is None else f"{count:,}"


def _left_out(facts: Mapping[str, Any]) -> Iterator[str]:
    left = facts["left_out"]
    yield (
        f"Left out: {left['listed']} people who were listed and {left['drawn']} who took part in picking at random. "
        "They opted out, asked to be forgotten, or are not in these records. If they fared differently, the figures "
        "can be wrong by that much."
    )
    if facts["nights_unread"]:
        yield f"Nights that could not be read: {', '.join(facts['nights_unread'])}."


def _annex(tables: Tables, facts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    days = int(facts["days"])
    for span in dict.fromkeys((days, HARM_DAYS)):
        effects = tables["effects"].filter(days=span)
        yield {
            "heading": f"Effect of being offered a visit, {time_words(span)}",
            "anchor": f"effects-{span}",
            "says": [] if effects.height else [_too_early(facts)],
            "tables": [_effects_table(effects, span)],
        }
    yield {
        "heading": "How alike the two sides are",
        "anchor": "balance",
        "says": ["A gap of more than 0.1 standard deviations after matching refuses the comparison."],
        "tables": [
            _figures(
                tables["balance"],
                "Traits on the night",
                ("trait", "visited", "others", "standardised_gap"),
            )
        ],
    }
    yield {
        "heading": "What cannot have changed",
        "anchor": "checks",
        "says": [
            "Emergency admissions from two years to one year before the night. Nobody was chosen by them and "
            "no visit can have changed them. A difference here means that the two sides differ in something that no "
            "record tells."
        ],
        "tables": [
            _figures(tables["checks"], "The same comparison of an earlier year", ("check", "value", "low", "high"))
        ],
    }
    yield {
        "heading": "People needed",
        "anchor": "needed",
        "says": ["Two-sided test at 5%, found in 4 of 5 trials, half of the people picked."],
        "tables": [
            _figures(
                tables["needed"],
                "For a change of a fifth",
                ("outcome", "effect", "n_needed", "n_in_lots", "n_in_lots_later", "n_listed"),
                labels=(),
            )
        ],
    }
    yield {
        "heading": "Shares of groups",
        "anchor": "shares",
        "says": ["Gap: the group's share less everyone else's."],
        "tables": [
            _figures(
                tables["shares"],
                "Of people with a need, the share ever offered a visit",
                ("group", "people", "listed", "value", "low", "high", "gap", "gap_low", "gap_high"),
                labels=("grouping",),
            )
        ],
    }


def _effects_table(effects: pl.DataFrame, span: int) -> Table:
    rows = []
    for (by, name, method), part in effects.group_by("by", "name", "method", maintain_order=True):
        who = "Everyone" if by == "all" else (agency_words if by == "agency" else need_words)(str(name))
        reasons = part["why_not"].unique().to_list()
        if by != "all" and len(reasons) == 1 and reasons[0] is not None:
            # One line says it of every outcome.
            rows.append([f"{who}: everything", str(method), "none", *[""] * 6, why_words(reasons[0])])
            continue
        rows += [_effect_row(who, row) for row in part.to_dicts()]
    heads = (
        "Who and what",
        "Method",
        "Difference per person (95% interval)",
        "Offered",
        "Not offered",
        "Offered: had it",
        "Not offered: had it",
        "Nobody alike",
        "Could hide",
        "Why there is none",
    )
    note = "Of 20 such intervals, one misses the truth by chance alone. Look at the row “Everyone” first."
    return _table(f"Per person in {DAYS_NAMED.get(span, f'{span} days')}", heads, rows, note=note)


def _effect_row(who: str, row: Mapping[str, Any]) -> list[str]:
    is_told = row["value"] is not None and row["why_not"] is None
    counts = ("n_visited", "n_others", "happened_visited", "happened_others")
    return [
        f"{who}: {OUTCOME_NAMES[row['outcome']].lower()}",
        row["method"],
        f"{row['value']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})" if is_told else "none",
        *(HIDDEN if row[name] is None else f"{row[name]:,}" for name in counts),
        *("" if row[name] is None else f"{row[name]:.2f}" for name in ("left_out", "hidden")),
        why_words(row["why_not"]) if row["why_not"] else "",
    ]


def _figures(
    table: pl.DataFrame,
    caption: str,
    columns: Sequence[str],
    *,
    labels: Sequence[str] = ("by", "name", "method", "days"),
) -> Table:
    rows = [
        [
            " · ".join(str(row[label]) for label in labels if str(row[label]) != "all") or str(row[columns[0]]),
            *(_cell(row[name]) for name in (columns if labels else columns[1:])),
        ]
        for row in table.to_dicts()
    ]
    heads = ["Comparison", *columns] if labels else list(columns)
    return _table(caption, [label_words(head) for head in heads], rows)


def _cell(value: Any) -> str:
    if value is None:
        return HIDDEN
    return (
        f"{value:,.2f}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else label_words(value)
        if "_" in str(value)
        else str(value)
    )


def refusals_in_words(n: int, n_listed: int) -> tuple[str, str]:
    """How many said no three times, and how many of them are listed, as they may be shown together.

    >>> refusals_in_words(12, 0), refusals_in_words(12, 9)
    (('10', '0'), ('10', 'some'))
    """
    is_open = n_listed == 0 or (n_listed >= 8 and not 0 < n - n_listed < 8)
    return in_words(n), in_words(n_listed) if is_open else "some"
