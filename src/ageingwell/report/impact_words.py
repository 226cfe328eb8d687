"""The sentences of an impact: plain words for a difference, for what cannot be told, and how it was compared."""

from collections.abc import Mapping
from typing import Any, Final

CANNOT_TELL: Final = "We cannot tell yet"
# In the order in which a reader is told.
OUTCOME_NAMES: Final[Mapping[str, str]] = {
    "emergency_admissions": "Emergency admissions",
    "emergency_bed_days": "Nights in hospital in an emergency",
    "falls_admissions": "Emergency admissions after a fall",
    "new_long_term_care": "People who start long-term care",
    "deaths": "Deaths",
    "days_at_home": "Days alive and at home",
}
# For how many people a difference is told: events by the hundred, days for one.
PER_PERSON: Final[Mapping[str, int]] = {
    "emergency_admissions": 100,
    "emergency_bed_days": 1,
    "falls_admissions": 100,
    "new_long_term_care": 100,
    "deaths": 100,
    "days_at_home": 1,
}
_THINGS: Final[Mapping[str, str]] = {
    "emergency_admissions": "emergency admissions",
    "emergency_bed_days": "nights in hospital",
    "falls_admissions": "emergency admissions after a fall",
    "new_long_term_care": "people starting long-term care",
    "deaths": "deaths",
    "days_at_home": "days alive and at home",
}
DAYS_NAMED: Final[Mapping[int, str]] = {365: "a year", 91: "three months", 182: "half a year"}
_SHORT: Final[Mapping[str, str]] = {
    "nobody unvisited": "there are too few people like those listed",
    "not alike": "the people listed and the others are not alike",
    "amount to": "there are too few people like those listed",
    "people had it": "it happened to too few people to compare",
    "homes were picked": "too few people took part in picking at random",
    "cannot have made": "the check fails: the two sides were different before anyone came",
}


def time_words(days: int) -> str:
    """The time people were followed.

    >>> time_words(365), time_words(40)
    ('in a year', 'in 40 days')
    """
    return f"in {DAYS_NAMED.get(days, f'{days} days')}"


def answer_words(outcome: str, row: Mapping[str, Any], *, days: int, n_needed: int | None = None) -> tuple[str, str]:
    """A tag and a sentence for a difference with its interval; with fewer people than `n_needed`, nobody can tell yet.

    >>> row = {"value": -0.12, "low": -0.21, "high": -0.03}
    >>> answer_words("emergency_admissions", row, days=365)
    ('Fewer', 'For every 100 people offered a visit, about 12 fewer emergency admissions in a year (3 to 21 fewer).')
    >>> answer_words("deaths", {"value": 0.01, "low": -0.02, "high": 0.04}, days=365)[1]
    'No clear difference: from 2 fewer to 4 more deaths in a year for every 100 people offered a visit.'
    """
    things, n, time = _THINGS[outcome], PER_PERSON[outcome], time_words(days)
    who = f"every {n} people" if n > 1 else "each person"
    if row["low"] <= 0 <= row["high"]:
        n_people = (row.get("n_visited") or 0) + (row.get("n_others") or 0)
        if n_needed is not None and n_people < n_needed:
            return CANNOT_TELL, (
                f"{CANNOT_TELL}: too few people. Anything {between(outcome, row)} {things} {time} for {who} offered a "
                "visit would fit."
            )
        return (
            "No clear difference",
            f"No clear difference: {between(outcome, row)} {things} {time} for {who} offered a visit.",
        )
    word = "fewer" if row["value"] < 0 else "more"
    ends = sorted(abs(row[end]) for end in ("low", "high"))
    size = _size(abs(row["value"]), n)
    return (
        word.capitalize(),
        f"For {who} offered a visit, about {size} {word} {things} {time} "
        f"({_size(ends[0], n)} to {_size(ends[1], n)} {word}).",
    )


def between(outcome: str, row: Mapping[str, Any]) -> str:
    """From where to where the difference may lie.

    >>> between("emergency_bed_days", {"low": -1.25, "high": 0.5})
    'from 1.2 fewer to 0.5 more'
    """
    n = PER_PERSON[outcome]
    ends = [f"{_size(abs(row[end]), n)} {'fewer' if row[end] < 0 else 'more'}" for end in ("low", "high")]
    return f"from {ends[0]} to {ends[1]}"


def why_words(why: str | None) -> str:
    """Why a figure is not told, in words for a reader.

    >>> why_words("the visited and the others are not alike in: age")
    'the people listed and the others are not alike'
    """
    return next((short for words, short in _SHORT.items() if words in (why or "")), why or "too few people to show it")


def method_words(method: str | None) -> str:
    """How people were compared."""
    if method == "lot":
        return (
            "Some last places were picked at random. We compare everyone who took part as they were picked, whether or "
            "not someone came. So the difference comes from the offer, or from chance."
        )
    if method == "matched":
        return (
            "We compare people when they were first listed with people not listed by then: the same night, about the "
            "same estimate, and as many emergency admissions in the year before. People chosen at a bad time get "
            "better by themselves, and this takes that into account. Something that no record tells may still differ."
        )
    return (
        "We never compare people with themselves before a visit: people chosen at a bad time get better by themselves."
    )


def _size(value: float, n: int) -> str:
    return f"{n * value:.0f}" if n > 1 else f"{value:.1f}"
