"""Features from home fire-safety visits and incidents, in functional words: "someone in this home"."""

import polars as pl

from ageingwell.features.feature import (
    About,
    Dated,
    Direction,
    Feature,
    Seen,
    Shown,
    Value,
    any_of,
    days_since_last,
    n_days,
)
from ageingwell.register import Recipient
from ageingwell.spine import latest

FIRE_READERS: tuple[Recipient, ...] = ("group", "gp", "social_care", "housing", "fire", "safeguarding")
MOBILITY = ("independent", "equipment", "equipment_unsafe", "equipment_and_person", "hoist_or_bed")
CARE_SUPPORT = ("none_needed", "adequate", "inadequate", "none_concern", "none_serious_concern")
VISITED = ("completed", "not_suitable")
FEEDING = ("home_oxygen", "emollient", "airflow_mattress")  # what feeds a fire that smoking starts


def _found(
    name: str,
    value: Value,
    direction: Direction,
    present: str,
    absent: str | None,
    *,
    shown_as: Shown = "yes_no",
    can_change: bool = True,
    present_from: float = 0.5,
    days: int | None = None,
    about: About = "person",
) -> Feature:
    """What the newest visit that asked found; where nobody asked, it is unknown.

    A fact is about the people found there, unless `about` says that it is the home's own.
    """
    return Feature(
        name=name,
        theme="fire",
        source="fire_visits",
        value=value,
        direction=direction,
        present=present,
        absent=absent,
        lookback_days=days,
        without_rows=None,
        shown_as=shown_as,
        present_from=present_from,
        can_change=can_change,
        readers=FIRE_READERS,
        about=about,
    )


def _answer(column: str, *, yes: int = 1) -> pl.Expr:
    codes = {"yes": yes, "no": 1 - yes}
    return pl.col(column).replace_strict(codes, default=None, return_dtype=pl.Int64)


def _asked(value: Value, *answers: pl.Expr) -> Dated:
    """A value of the day of the newest visit that has any of the answers."""
    return Dated(value, lambda _: pl.any_horizontal(answer.is_not_null() for answer in answers), "visited_on")


def _newest(column: str, *, yes: int = 1) -> Dated:
    """The newest answer to a question."""
    return _asked(lambda _: latest(_answer(column, yes=yes), pl.col("visited_on")), _answer(column))


def _newest_of(*columns: str) -> Dated:
    """The newest answers to several questions: yes where one is, no only where every one was answered no."""
    return _asked(lambda _: _any_yes(*columns), *(_answer(column) for column in columns))


def _any_yes(*columns: str) -> pl.Expr:
    """Whether any of several questions is answered yes: a question that was not asked is no no."""
    answers = [latest(_answer(column), pl.col("visited_on")) for column in columns]
    all_answered = pl.all_horizontal([answer.is_not_null() for answer in answers])
    most = pl.max_horizontal(answers)
    return pl.when(all_answered | (most == 1)).then(most)


def _told_within(column: str, days: int) -> Dated:
    """Whether an answer of the look-back is yes; missing where no visit of it asked."""

    def answer(seen: Seen) -> pl.Expr:
        return pl.when(seen.within("visited_on", days)).then(_answer(column))

    return Dated(lambda seen: answer(seen).max(), lambda seen: answer(seen).is_not_null(), "visited_on")


def _newest_level(column: str, levels: tuple[str, ...]) -> Dated:
    codes = {label: level for level, label in enumerate(levels)}
    level = pl.col(column).replace_strict(codes, default=None, return_dtype=pl.Int64)
    return _asked(lambda _: latest(level, pl.col("visited_on")), level)


def _oxygen_or_emollient_with_smoking(_: Seen) -> pl.Expr:
    """Both known to be there; no where one of them is known not to be."""
    return (_any_yes("smoker").cast(pl.Boolean) & _any_yes(*FEEDING).cast(pl.Boolean)).cast(pl.Int64)


VISITS: tuple[Feature, ...] = (
    _found(
        "is_alarm_missing",
        _newest("smoke_alarm_working", yes=0),
        "either",
        "no working smoke alarm found",
        "a working smoke alarm found",
        about="home",
    ),
    _found(
        "someone_smokes",
        _newest("smoker"),
        "up",
        "someone smokes in this home",
        "nobody smokes in this home, according to a visit",
    ),
    _found(
        "clutter_rating",
        _asked(lambda _: latest(pl.col("clutter_rating"), pl.col("visited_on")), pl.col("clutter_rating")),
        "up",
        "clutter rated {value} of 9",
        "little clutter (rated {value} of 9)",
        shown_as="level",
        present_from=4,
    ),
    _found(
        "mobility_level",
        _newest_level("mobility", MOBILITY),
        "up",
        "someone here may need help to leave in a fire",
        "everyone in this home moves about without help",
        shown_as="level",
        can_change=False,
    ),
    _found(
        "care_support_level",
        _newest_level("care_support", CARE_SUPPORT),
        "up",
        "a concern about care and support in this home",
        "enough care and support in this home",
        shown_as="level",
        present_from=2,
    ),
    _found(
        "has_oxygen",
        _newest("home_oxygen"),
        "up",
        "oxygen is used in this home",
        "no oxygen in this home, according to a visit",
    ),
    _found(
        "has_emollient_or_airflow",
        _newest_of("emollient", "airflow_mattress"),
        "up",
        "emollient cream or an airflow mattress is used in this home",
        "no emollient cream or airflow mattress in this home, according to a visit",
    ),
    _found(
        "has_oxygen_or_emollient_with_smoking",
        _asked(_oxygen_or_emollient_with_smoking, *(_answer(column) for column in ("smoker", *FEEDING))),
        "up",
        "smoking in a home with oxygen, emollient cream or an airflow mattress",
        None,
    ),
    _found(
        "has_memory_concern",
        _newest("memory_concern"),
        "up",
        "a concern about someone's memory in this home",
        "no concern about memory in this home",
        can_change=False,
    ),
    _found(
        "has_sensory_impairment",
        _newest("sensory_impairment"),
        "up",
        "someone in this home sees or hears poorly",
        "nobody in this home sees or hears poorly",
        can_change=False,
    ),
    _found(
        "has_alcohol_concern",
        _newest("alcohol_concern"),
        "up",
        "a concern about alcohol in this home",
        "no concern about alcohol in this home, according to a visit",
    ),
    _found(
        "has_cooking_concern",
        _newest("cooking_concern"),
        "up",
        "a concern about cooking in this home",
        "no concern about cooking in this home",
    ),
    _found(
        "has_heater_or_blanket",
        _newest_of("portable_heater", "electric_blanket"),
        "either",
        "a portable heater or electric blanket is used",
        "no portable heater or electric blanket",
    ),
    _found(
        "has_fire_before_visit_1095d",
        _told_within("fire_in_last_year", 1095),
        "up",
        "a fire in this home in the year before a fire safety visit of the past three years",
        "no fire in this home in the year before a fire safety visit, according to the visit",
        days=1095,
        about="home",
    ),
    _found("has_telecare", _newest("telecare"), "either", "the home has telecare", "the home has no telecare"),
    _found(
        "visit_says_alone",
        _newest("lives_alone"),
        "either",
        "lives alone, as seen at a visit",
        "does not live alone, as seen at a visit",
        can_change=False,
    ),
    Feature(
        name="has_fire_visit_1825d",
        theme="fire",
        source="fire_visits",
        value=any_of(lambda _: pl.col("visit_outcome").is_in(VISITED), day="visited_on", days=1825),
        direction="either",
        present="a home fire safety visit in the past five years",
        absent="no home fire safety visit in the past five years",
        lookback_days=1825,
        shown_as="yes_no",
        can_change=True,
        readers=FIRE_READERS,
    ),
    Feature(
        name="n_fire_visits_refused_1095d",
        theme="fire",
        source="fire_visits",
        value=n_days(lambda _: pl.col("visit_outcome") == "refused", day="visited_on", days=1095),
        direction="either",
        present="{value} fire safety visits refused in the past three years",
        one="1 fire safety visit refused in the past three years",
        absent="no fire safety visit refused in the past three years",
        lookback_days=1095,
        readers=FIRE_READERS,
    ),
    Feature(
        name="days_since_fire_visit",
        theme="fire",
        source="fire_visits",
        value=days_since_last(lambda _: pl.col("visit_outcome").is_in(VISITED), day="visited_on"),
        direction="either",
        present="last home fire safety visit {value} days ago",
        present_from=0,
        without_rows=None,
        shown_as="days",
        readers=FIRE_READERS,
    ),
)

INCIDENTS: tuple[Feature, ...] = (
    Feature(
        name="n_fire_incidents_1095d",
        theme="fire",
        source="fire_incidents",
        value=n_days(
            lambda _: pl.col("incident_type").is_in(["accidental_dwelling_fire", "deliberate_fire"]),
            day="happened_on",
            days=1095,
        ),
        direction="up",
        present="{value} fires at this home in the past three years",
        one="1 fire at this home in the past three years",
        absent="no fire at this home that the fire service went to in the past three years",
        lookback_days=1095,
        readers=FIRE_READERS,
        about="home",
    ),
)
