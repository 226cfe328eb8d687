"""A person's figure, whom it is compared with, and the facts between the two: whole numbers of 100 that add up."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from ageingwell.governance.disclosure import SMALL, in_words
from ageingwell.in_hundred import or_more, whole
from ageingwell.register import THEME_WORDS
from ageingwell.report.cells import day_words
from ageingwell.report.person import Chance, LinkedFact, OtherFacts, OtherOutcome, Others
from ageingwell.views.words import agency_words, capital, words_of_outcome

MINUS: Final = "−"
FEW: Final = "fewer than 1 in 100"
MANY: Final = "more than 99 in 100"
SEVERAL: Final = "Several agencies"


def in_100_words(number: int) -> str:
    """Say a whole number of 100.

    >>> in_100_words(31), in_100_words(0), in_100_words(100)
    ('31 in 100', 'fewer than 1 in 100', 'more than 99 in 100')
    """
    return FEW if number < 1 else MANY if number > 99 else f"{number} in 100"


def chance_of(row: Mapping[str, Any], *, outcome: str) -> Chance | None:
    """The risk of a row of the list with its range; `None` where rules alone chose. `outcome` ends the sentence.

    >>> told = chance_of({"risk": 0.31, "risk_low": 0.24, "risk_high": 0.39}, outcome="die within a year")
    >>> told["words"], told["range_words"]
    ('31 in 100', '24 to 39')
    >>> told["sentence"].partition(". ")[2]
    'For this person it may be anywhere from 24 to 39.'
    >>> chance_of({"risk": 0.64, "risk_low": None, "risk_high": None}, outcome="die within a year")["range_words"]
    'about half or more; too few people to be exact'
    """
    if row["risk"] is None:
        return None
    number = whole(row["risk"])
    low, high = (None if row[name] is None else whole(row[name]) for name in ("risk_low", "risk_high"))
    how_many = f"about {number}" if 0 < number < 100 else in_100_words(number).removesuffix(" in 100")
    ends, more = range_told(row)
    return Chance(
        in_100=number,
        low=low,
        high=high,
        words=in_100_words(number),
        range_words=ends,
        range_sentence=more,
        sentence=f"Of 100 people with a record like this, {how_many} {outcome}. {more}",
    )


def range_told(row: Mapping[str, Any]) -> tuple[str, str]:
    """The range around a risk in words, short and as a sentence; without its ends, that too few people were checked.

    >>> range_told({"risk": 0.31, "risk_low": 0.14, "risk_high": 0.55})
    ('14 to 55', 'For this person it may be anywhere from 14 to 55.')
    >>> range_told({"risk": 0.64, "risk_low": None, "risk_high": None})[1]
    'Too few people have a chance this high to be exact: read it as about half or more.'
    """
    if row["risk_low"] is None or row["risk_high"] is None:
        more = or_more(row["risk"])
        sentence = f"Too few people have a chance this high to be exact: read it as {more}."
        return f"{more}; too few people to be exact", sentence
    low, high = whole(row["risk_low"]), whole(row["risk_high"])
    return f"{low} to {high}", f"For this person it may be anywhere from {low} to {high}."


def others_of(compared: Mapping[str, Any]) -> Others | None:
    """The people compared with: a row of `compared`; `None` where there is none.

    >>> told = others_of({"who": "women aged 80 to 84 in Ludlow", "n_peers": 243, "peers_risk": 0.123})
    >>> told["sentence"]
    'Among women aged 80 to 84 in Ludlow (about 245 people) it is 12 in 100.'
    """
    if not compared:
        return None
    number, n = whole(compared["peers_risk"]), in_words(compared["n_peers"])
    n_words = n if n == SMALL else f"about {n}"
    return Others(
        in_100=number,
        who=compared["who"],
        n_words=n_words,
        sentence=f"Among {compared['who']} ({n_words} people) it is {in_100_words(number)}.",
    )


def linked_facts(reasons: Sequence[Mapping[str, Any]], direction: str, *, as_of: date) -> list[LinkedFact]:
    """The facts of a page that raise or lower, the strongest first.

    `reasons` are one person's rows that the reader may read and that have a whole number. A fact without a day of its
    own is told as recorded up to the night.
    """
    in_order = sorted(reasons, key=lambda row: (-abs(row["adds_in_100"]), row["position"]))
    return [
        LinkedFact(
            theme=THEME_WORDS[row["theme"]],
            fact=capital(row["text"]),
            agency=_agency(row["agency"]),
            day=_day(row["known_on"], as_of=as_of),
            adds=row["adds_in_100"],
            adds_words=signed(row["adds_in_100"]),
            # What somebody can act on is what is there, not what is absent.
            can_change=row["can_change"] and row["direction"] == "raises",
        )
        for row in in_order
        if row["direction"] == direction
    ]


def signed(number: int) -> str:
    """Write what a fact adds.

    >>> signed(8), signed(-2), signed(0)
    ('+8', '−2', '0')
    """
    return f"+{number}" if number > 0 else f"{MINUS}{abs(number)}" if number else "0"


def other_facts(reasons: Sequence[Mapping[str, Any]]) -> list[OtherFacts]:
    """What all facts that have no line of their own add, theme by theme, the most first.

    `reasons` are one person's rows that the reader may read.

    >>> told = other_facts([{"theme": "health", "others_in_100": 4}, {"theme": "home", "others_in_100": None}])
    >>> [(theme["words"], theme["adds_words"]) for theme in told]
    [('All other facts about health', '+4')]
    """
    found = [(row["others_in_100"], THEME_WORDS[row["theme"]]) for row in reasons if row["others_in_100"]]
    return [
        OtherFacts(
            theme=theme, words=f"All other facts about {_in_sentence(theme)}", adds=adds, adds_words=signed(adds)
        )
        for adds, theme in sorted(found, key=lambda one: (-abs(one[0]), one[1]))
    ]


def _in_sentence(theme: str) -> str:
    return theme[:1].lower() + theme[1:]


def rest_of(
    chance: Chance | None, others: Others | None, facts: Sequence[LinkedFact], further: Sequence[OtherFacts] = ()
) -> int:
    """What is left between the two figures when every fact is counted: the first figure is a mean of unlike people."""
    if chance is None or others is None:
        return 0
    told = sum(fact["adds"] for fact in facts) + sum(theme["adds"] for theme in further)
    return chance["in_100"] - others["in_100"] - told


def rest_words(rest: int) -> str:
    """Say what is left; nothing where nothing is.

    >>> rest_words(-3)
    'Most people in that group have a lower chance than its average'
    >>> rest_words(0)
    ''
    """
    if not rest:
        return ""
    way = "lower" if rest < 0 else "higher"
    return f"Most people in that group have a {way} chance than its average"


def sum_of(
    chance: Chance | None, others: Others | None, facts: Sequence[LinkedFact], further: Sequence[OtherFacts] = ()
) -> str:
    """Write the sum out: the others' figure, what raises, what lowers, all other facts by theme, the rest, the figure.

    >>> fact = {"theme": "Health", "fact": "2 falls", "agency": "GP practices", "day": None, "can_change": True}
    >>> sum_of({"in_100": 31}, {"in_100": 12}, [{**fact, "adds": 22}, {**fact, "adds": -2}])
    '12 + 22 − 2 − 1 = 31'
    """
    if chance is None or others is None:
        return ""
    raised = sum(fact["adds"] for fact in facts if fact["adds"] > 0)
    lowered = sum(fact["adds"] for fact in facts if fact["adds"] < 0)
    themes = [theme["adds"] for theme in further]
    parts = [part for part in (raised, lowered, *themes, rest_of(chance, others, facts, further)) if part]
    terms = [f"{'+' if part > 0 else MINUS} {abs(part)}" for part in parts]
    return " ".join([str(others["in_100"]), *terms, "=", str(chance["in_100"])])


def other_outcomes(scores: Mapping[str, Any], ranking: str) -> list[OtherOutcome]:
    """The outcomes that have a model of their own, besides the one that ranks: a row of `scores`."""
    prefix = "risk_"
    found = {name.removeprefix(prefix): risk for name, risk in scores.items() if name.startswith(prefix)}
    return [
        OtherOutcome(
            what=words_of_outcome(outcome),
            in_100=whole(risk),
            words=in_100_words(whole(risk)),
        )
        for outcome, risk in found.items()
        if outcome != ranking and risk is not None
    ]


def _agency(name: str | None) -> str:
    return SEVERAL if name is None else agency_words(name)


def _day(day: date | None, *, as_of: date) -> str:
    return f"recorded up to {day_words(as_of)}" if day is None else day_words(day)
