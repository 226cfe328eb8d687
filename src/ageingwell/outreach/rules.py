"""The rules that find needs, as data: what has to hold, and the words for each fact that does.

A fact counts whichever agency tells it: a fall that only the hospital knows is a fall. What each agency tells has a
sentence of its own, so that a reader who may not read health is told what the fire crew saw and nothing that the GP
wrote; told in several ways, it still counts once.

Falls follow the case-finding of NICE NG249 (2025): recorded facts only, never a predicted chance of falling. Fire
follows CHARLIE-P of Nottinghamshire Fire and Rescue Service: the factors present, with points only on the lines for
which a column holds what the matrix asks (care and support, hoarding, reduced mobility). A fact that is unknown never
holds. A rule reads features by name; the numbers come from `configs/outreach.toml`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from ageingwell.config.outreach import Thresholds
from ageingwell.features.build import FEATURES
from ageingwell.register import Theme

_THEMES = {feature.name: feature.theme for feature in FEATURES}
EPC_LETTERS = dict(enumerate("ABCDEFG", start=1))

# The scores of the CHARLIE-P matrix by the level our columns hold: rare, unlikely, possible, likely, almost certain.
CHARLIE_POINTS = {0: 1, 1: 2, 2: 4, 3: 8, 4: 10}
CHARLIE_POINTS_BY_CLUTTER = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 8, 8: 10, 9: 10}


@dataclass(frozen=True)
class Fact:
    """Something recorded that a rule counts, with the words a reader sees; `{}` in them takes `value`."""

    words: str
    holds: pl.Expr
    value: pl.Expr | None = None
    theme: Theme = "health"

    def sentence(self) -> pl.Expr:
        """Give the words where the fact holds, null elsewhere."""
        words = pl.lit(self.words) if self.value is None else pl.format(self.words, self.value)
        return pl.when(self.known()).then(words)

    def themes(self) -> frozenset[str]:
        """Give its own theme and those of every feature it is read from: a reader has to be allowed them all.

        >>> alone = Fact("", _is("lives_alone") & _is("has_housebound"), theme="everyday_life")
        >>> sorted(alone.themes())
        ['everyday_life', 'health']
        """
        return self._themes

    @cached_property
    def _themes(self) -> frozenset[str]:
        # Asked for every row of every list: 28,000 times in a night of 50 people.
        read = [expression for expression in (self.holds, self.value) if expression is not None]
        names = {name for expression in read for name in expression.meta.root_names()}
        return frozenset({str(self.theme), *(str(_THEMES[name]) for name in names & _THEMES.keys())})

    def known(self) -> pl.Expr:
        """Tell whether the fact is known to hold: unknown is not met."""
        return self.holds.fill_null(value=False)


# One thing that a rule counts, which several agencies may tell: it counts once.
Told = Fact | tuple[Fact, ...]


def _ways(told: Told) -> tuple[Fact, ...]:
    return (told,) if isinstance(told, Fact) else told


def _is_known(told: Told) -> pl.Expr:
    return pl.any_horizontal([fact.known() for fact in _ways(told)])


@dataclass(frozen=True, slots=True)
class NeedRule:
    """A need is met where every fact of `all_of` holds and `at_least` of `any_of`, or one fact of `or_any_of` alone.

    Several facts in one pair of brackets are one thing told in several ways: it holds where one of them does.
    `also_says` are facts that are told when the need is met but do not count towards it. `unless` names a rule that,
    where met, already covers this need. `level` tells whether the facts belong to a person or to a home.
    """

    name: str
    meaning: str
    all_of: tuple[Told, ...] = ()
    any_of: tuple[Told, ...] = ()
    at_least: int = 1
    or_any_of: tuple[Fact, ...] = ()
    also_says: tuple[Fact, ...] = ()
    points: pl.Expr | None = None
    unless: str | None = None
    level: Literal["person", "home"] = "person"

    def facts(self) -> tuple[Fact, ...]:
        """Give every fact of the rule in the order in which a reader sees them."""
        counted = [fact for told in (*self.all_of, *self.any_of) for fact in _ways(told)]
        return (*counted, *self.or_any_of, *self.also_says)

    def met(self) -> pl.Expr:
        """Tell whether the need is met, from recorded facts alone."""
        every = pl.all_horizontal(pl.lit(value=True), *(_is_known(told) for told in self.all_of))
        enough = (
            pl.sum_horizontal(pl.lit(0), *(_is_known(told).cast(pl.Int64) for told in self.any_of)) >= self.at_least
        )
        alone = pl.any_horizontal(pl.lit(value=False), *(fact.known() for fact in self.or_any_of))
        return ((every & enough) if self.any_of else (every if self.all_of else pl.lit(value=False))) | alone

    def criterion(self) -> pl.Expr:
        """Name the facts that hold, in plain words, separated by semicolons; each sentence once."""
        told = pl.concat_list(fact.sentence() for fact in self.facts())
        return told.list.drop_nulls().list.unique(maintain_order=True).list.join("; ")

    def themes(self) -> pl.Expr:
        """Name the themes of the facts that hold: a reader who may not see one of them may not see the criterion."""
        by_theme = [
            pl.when(fact.known()).then(pl.lit(theme)) for fact in self.facts() for theme in sorted(fact.themes())
        ]
        return pl.concat_list(by_theme).list.drop_nulls().list.unique().list.sort()


def need_rules(thresholds: Thresholds) -> tuple[NeedRule, ...]:
    """List every rule, in the order in which readers meet the needs.

    >>> [rule.name for rule in need_rules(Thresholds())][:3]
    ['falls_assessment', 'falls_gait_balance', 'oxygen_or_emollient_smoking']
    """
    return (
        *_falls(thresholds),
        *_fire(thresholds),
        *_homes(thresholds),
        *_care_and_medicines(thresholds),
        *_company(thresholds),
    )


def _is(column: str) -> pl.Expr:
    return pl.col(column) == 1


def _number(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Int64)


# A fall coded by the GP, as itself or by an injury typical of one, or that took somebody to hospital.
_FELL = (pl.col("n_falls_365d") >= 1) | (pl.col("n_injurious_falls_365d") >= 1)
_FALL_STAY = "an emergency hospital stay after a fall or broken bone in the past {}"
_FALL_VISIT = "an emergency-department visit after a fall or broken bone in the past {}"
_TAKEN_TO_HOSPITAL = (
    Fact(_FALL_STAY.format("year"), _is("has_fall_admission_365d")),
    Fact(_FALL_VISIT.format("year"), _is("has_fall_attendance_365d")),
)
_FELL_ANYHOW = _FELL | _is("has_fall_admission_365d") | _is("has_fall_attendance_365d")


def _frailty(at: Thresholds) -> tuple[Fact, ...]:
    return (
        Fact("the GP has recorded severe frailty", _is("has_severe_frailty_code")),
        Fact("the GP has recorded moderate frailty", _is("has_moderate_frailty_code")),
        Fact(
            "living with frailty ({} of the 36 frailty signs)",
            pl.col("frailty_index") >= at.frailty_index_at_least,
            value=_number("n_deficits"),
        ),
    )


def _falls(at: Thresholds) -> tuple[NeedRule, ...]:
    fell: Told = (Fact("a fall in the past year", _FELL), *_TAKEN_TO_HOSPITAL)
    return (
        NeedRule(
            "falls_assessment",
            "a fall in the past year, with frailty, injury, loss of consciousness, being unable to get up, "
            "or a second fall (NG249)",
            all_of=(fell,),
            any_of=(
                Fact("{} falls in the past year", pl.col("n_falls_365d") >= 2, value=_number("n_falls_365d")),
                # Whom a fall took to hospital was hurt by it.
                (Fact("injured in a fall", pl.col("n_injurious_falls_365d") >= 1), *_TAKEN_TO_HOSPITAL),
                Fact("lost consciousness", _is("has_loss_of_consciousness_365d")),
                Fact("could not get up without help", _is("has_unable_to_get_up_365d")),
                *_frailty(at),
            ),
        ),
        NeedRule(
            "falls_gait_balance",
            "a fall in the past year and a recorded problem with walking or balance, not enough for a full assessment "
            "(NG249)",
            all_of=(fell, Fact("a problem with walking or balance", _is("has_gait_balance_problem"))),
            unless="falls_assessment",
        ),
    )


def _fire(at: Thresholds) -> tuple[NeedRule, ...]:
    return (
        NeedRule(
            "oxygen_or_emollient_smoking",
            "home oxygen, an emollient or an airflow mattress in a home where someone smokes, whichever agencies "
            "recorded them",
            or_any_of=(*_seen_at_visits(), *_told_by_the_gp()),
            level="home",
        ),
        NeedRule(
            "no_working_alarm",
            "no working smoke alarm was found at the latest fire visit",
            all_of=(Fact("no working smoke alarm was found", _is("is_alarm_missing"), theme="fire"),),
            level="home",
        ),
        _charlie(at),
    )


_SMOKER_CODED = "has_smoker_coded_at_home_1095d"


def _seen_at_visits() -> tuple[Fact, ...]:
    """Both told at fire visits: a crew may read of them."""
    smokes = _is("someone_smokes")
    return (
        Fact("home oxygen, and someone in this home smokes", _is("has_oxygen") & smokes, theme="fire"),
        Fact(
            "emollient or airflow mattress, and someone in this home smokes",
            _is("has_emollient_or_airflow") & smokes,
            theme="fire",
        ),
        Fact(
            "oxygen or emollient, and someone in this home smokes",
            # The narrower two facts name which; this one speaks only where neither can.
            _is("has_oxygen_or_emollient_with_smoking")
            & ~(_is("has_oxygen") & smokes).fill_null(value=False)
            & ~(_is("has_emollient_or_airflow") & smokes).fill_null(value=False),
            theme="fire",
        ),
    )


def _told_by_the_gp() -> tuple[Fact, ...]:
    """One of the two, or both, told by the GP records of anybody registered at the home."""
    smokes = _is("someone_smokes") | _is(_SMOKER_CODED)
    oxygen = _is("has_oxygen_coded_at_home_1095d") | _is("has_oxygen_prescribed_at_home_365d")
    return (
        Fact("home oxygen in the GP record, and someone in this home smokes", oxygen & smokes),
        Fact(
            "an emollient prescribed in the past year, and someone in this home smokes",
            _is("has_emollient_prescribed_at_home_365d") & smokes,
        ),
        Fact("home oxygen, and a smoker in the GP record of this home", _is("has_oxygen") & _is(_SMOKER_CODED)),
        Fact(
            "emollient or airflow mattress, and a smoker in the GP record of this home",
            _is("has_emollient_or_airflow") & _is(_SMOKER_CODED),
        ),
    )


def _charlie(at: Thresholds) -> NeedRule:
    care, clutter, mobility = (
        pl.col(column).cast(pl.Int64).replace_strict(points, default=None, return_dtype=pl.Int64)
        for column, points in (
            ("care_support_level", CHARLIE_POINTS),
            ("clutter_rating", CHARLIE_POINTS_BY_CLUTTER),
            ("mobility_level", CHARLIE_POINTS),
        )
    )
    cluttered, rating = pl.col("clutter_rating") >= at.clutter_rating_at_least, _number("clutter_rating")
    has_support, has_mobility = pl.col("care_support_level") >= 2, pl.col("mobility_level") >= 2
    alone = at.charlie_points_at_least
    lives_alone = pl.col("lives_alone_probability") >= at.lives_alone_probability_at_least
    support = "support at home is not enough for what is needed (care and support)"
    moving = "may need help to move about or to get out of bed (reduced mobility)"
    cluttered_words = "rooms are cluttered, rating {} of 9 (hoarding)"
    return NeedRule(
        "fire_safety",
        f"{at.charlie_factors_at_least} or more CHARLIE-P factors besides age, or one factor with "
        f"{at.charlie_points_at_least} points or more",
        any_of=(
            Fact(support, has_support, theme="fire"),
            Fact(cluttered_words, cluttered, value=rating, theme="fire"),
            (
                Fact("a concern about alcohol (alcohol)", _is("has_alcohol_concern"), theme="fire"),
                Fact(
                    "a concern about alcohol in the GP record of this home (alcohol)",
                    _is("has_alcohol_concern_coded_at_home_1095d"),
                ),
            ),
            Fact(moving, has_mobility, theme="fire"),
            Fact("very likely lives alone (lives alone)", lives_alone, theme="everyday_life"),
            (
                Fact("someone in this home smokes (smoking)", _is("someone_smokes"), theme="fire"),
                Fact("a smoker in the GP record of this home (smoking)", _is(_SMOKER_CODED)),
            ),
            (
                Fact(
                    "a fire in this home in the past 3 years (previous fires)",
                    pl.col("n_fire_incidents_1095d") >= 1,
                    theme="fire",
                ),
                Fact(
                    "a fire in this home in the year before a visit of the past 3 years (previous fires)",
                    _is("has_fire_before_visit_1095d"),
                    theme="fire",
                ),
            ),
        ),
        at_least=at.charlie_factors_at_least,
        or_any_of=(
            Fact(support, care >= alone, theme="fire"),
            Fact(cluttered_words, clutter >= alone, value=rating, theme="fire"),
            Fact(moving, mobility >= alone, theme="fire"),
        ),
        also_says=(
            Fact("aged 65 or over (age)", pl.col("age") >= 65, theme="everyday_life"),
            Fact(
                "fire risk score {} (care and support, hoarding, moving about)",
                pl.any_horizontal(line.is_not_null() for line in (care, clutter, mobility)),
                value=pl.sum_horizontal(care, clutter, mobility),
                theme="fire",
            ),
        ),
        points=pl.when(pl.any_horizontal(line.is_not_null() for line in (care, clutter, mobility))).then(
            pl.sum_horizontal(care, clutter, mobility)
        ),
        level="home",
    )


def _homes(at: Thresholds) -> tuple[NeedRule, ...]:
    return (
        NeedRule(
            "cold_home",
            f"energy rating {EPC_LETTERS[at.epc_rank_at_least]} to G, and heart or lung disease",
            all_of=(
                Fact(
                    "energy rating {}",
                    pl.col("epc_rank") >= at.epc_rank_at_least,
                    value=_number("epc_rank").replace_strict(EPC_LETTERS, default="", return_dtype=pl.String),
                    theme="home",
                ),
            ),
            any_of=(
                Fact("heart disease is recorded", _is("has_coronary_heart_disease")),
                Fact("heart failure is recorded", _is("has_heart_failure")),
                Fact("heart valve disease is recorded", _is("has_heart_valve_disease")),
                Fact("an irregular heartbeat is recorded", _is("has_atrial_fibrillation")),
                Fact("lung disease is recorded", _is("has_respiratory_disease")),
            ),
        ),
        NeedRule(
            "adaptation_waiting",
            "an adaptation to the home was asked for and is not done",
            all_of=(Fact("an adaptation to the home is waiting", _is("has_adaptation_waiting"), theme="home"),),
            also_says=(
                Fact(
                    "waiting for {} days",
                    pl.col("days_adaptation_waiting") >= 0,
                    value=_number("days_adaptation_waiting"),
                    theme="home",
                ),
            ),
        ),
        NeedRule(
            "hazard_and_falls",
            "a hazard found in the home in the past 3 years, and a fall in the same time",
            all_of=(
                Fact(
                    "a hazard was found in the home in the past 3 years",
                    (pl.col("n_hazards_1095d") >= 1) | _is("has_category_1_hazard"),
                    theme="home",
                ),
                (
                    Fact("a fall is recorded in the past 3 years", pl.col("n_falls_1095d") >= 1),
                    Fact(_FALL_STAY.format("3 years"), _is("has_fall_admission_1095d")),
                    Fact(_FALL_VISIT.format("3 years"), _is("has_fall_attendance_1095d")),
                ),
            ),
        ),
    )


def _care_and_medicines(at: Thresholds) -> tuple[NeedRule, ...]:
    fall_medicines = pl.col("n_anticholinergic_or_sedative_90d")
    cares = _is("is_carer_coded") | _is("is_unpaid_carer") | _is("is_named_carer_1095d")
    return (
        NeedRule(
            "carer_under_strain",
            f"cares for someone, and is aged {at.carer_age_at_least} or over or shows a sign of strain",
            all_of=(Fact("cares for someone", cares, theme="care"),),
            any_of=(
                Fact(
                    f"is aged {at.carer_age_at_least} or over",
                    pl.col("age") >= at.carer_age_at_least,
                    theme="everyday_life",
                ),
                *_frailty(at),
                Fact("low mood is recorded", _is("has_depression")),
                Fact("trouble sleeping is recorded", _is("has_sleep_disturbance")),
                Fact("an emergency hospital stay in the past year", pl.col("n_emergency_admissions_365d") >= 1),
                Fact("support was asked for and not taken up", pl.col("n_support_declined_1095d") >= 1, theme="care"),
            ),
        ),
        NeedRule(
            "unsafe_polypharmacy",
            f"{at.medicines_at_least} or more medicines in 90 days, or {at.fall_medicines_at_least} or more "
            "anticholinergic or sedative medicines after a fall",
            or_any_of=(
                Fact(
                    "{} different medicines in 90 days",
                    pl.col("n_medicines_90d") >= at.medicines_at_least,
                    value=_number("n_medicines_90d"),
                ),
                Fact(
                    "{} anticholinergic or sedative medicines, and a fall in the past year",
                    (fall_medicines >= at.fall_medicines_at_least) & _FELL_ANYHOW,
                    value=fall_medicines.cast(pl.Int64),
                ),
            ),
        ),
    )


def _company(at: Thresholds) -> tuple[NeedRule, ...]:
    lives_alone = Fact(
        "very likely lives alone",
        pl.col("lives_alone_probability") >= at.lives_alone_probability_at_least,
        theme="everyday_life",
    )
    return (
        NeedRule(
            "bereaved_and_alone",
            "a death in the household, or a bereavement recorded by the GP, in the past 2 years, and very likely "
            "lives alone",
            all_of=(
                (
                    Fact("bereaved in the past 2 years", _is("is_bereaved_730d"), theme="everyday_life"),
                    Fact("the GP has recorded a bereavement in the past 2 years", _is("is_bereaved_coded_730d")),
                ),
                lives_alone,
            ),
        ),
        NeedRule(
            "isolation",
            "social care recorded isolation, or very likely lives alone and either does not leave home or has seen "
            "no service in a year",
            or_any_of=(
                Fact("social care recorded isolation", _is("is_isolated_social_care"), theme="care"),
                Fact("very likely lives alone and does not leave home", lives_alone.holds & _is("has_housebound")),
                Fact(
                    "very likely lives alone, no contact with the practice in a year, unknown to every other service",
                    lives_alone.holds & (pl.col("n_gp_contacts_365d") == 0) & (pl.col("n_known_agencies") == 0),
                    theme="everyday_life",
                ),
            ),
        ),
    )
