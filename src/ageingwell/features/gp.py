"""Features from the GP record: the 36 deficits of the electronic frailty index, falls, contacts, medicines."""

from dataclasses import replace

import polars as pl

from ageingwell.features.feature import (
    EVERY_CARE_AGENCY,
    Dated,
    Feature,
    Seen,
    Value,
    any_of,
    days_since_last,
    n_days,
    n_distinct_days,
    unless_untold,
)

# The deficits of the electronic frailty index (Clegg and others, Age and Ageing 2016;45:353), in its own order of
# letters, with the reader's words. Polypharmacy, the 36th, is counted from prescriptions.
DEFICITS: dict[str, str] = {
    "activity_limitation": "difficulty with everyday activities",
    "anaemia": "anaemia",
    "arthritis": "arthritis",
    "atrial_fibrillation": "an irregular heartbeat (atrial fibrillation)",
    "care_requirement": "a need for care",
    "chronic_kidney_disease": "chronic kidney disease",
    "cognitive_problems": "memory or thinking problems",
    "coronary_heart_disease": "coronary heart disease",
    "diabetes": "diabetes",
    "dizziness": "dizziness",
    "dyspnoea": "breathlessness",
    "falls": "a fall at any time",
    "foot_problems": "foot problems",
    "fragility_fracture": "a fragility fracture",
    "hearing_loss": "hearing loss",
    "heart_failure": "heart failure",
    "heart_valve_disease": "heart valve disease",
    "housebound": "being housebound",
    "hypertension": "high blood pressure",
    "hypotension": "low blood pressure or fainting",
    "mobility_problems": "problems with mobility",
    "osteoporosis": "osteoporosis",
    "parkinsons": "Parkinson's disease or tremor",
    "peptic_ulcer": "a stomach ulcer",
    "peripheral_vascular_disease": "poor circulation in the legs",
    "respiratory_disease": "lung disease",
    "skin_ulcer": "a skin ulcer",
    "sleep_disturbance": "disturbed sleep",
    "social_vulnerability": "a social concern",
    "stroke_tia": "a stroke or mini-stroke",
    "thyroid_disorders": "a thyroid disorder",
    "urinary_incontinence": "urinary incontinence",
    "urinary_system_disease": "a disease of the urinary system",
    "vision_problems": "problems with sight",
    "weight_loss": "weight loss",
}
N_DEFICITS = 36
MANY_MEDICINES = 5  # the frailty index counts five or more medicines as a deficit

# The one deficit that can lower as well as raise a risk: treated thyroid disorder and high blood pressure are coded
# most completely in people who are followed up well.
_EITHER = ("hypertension", "thyroid_disorders")
_CAN_CHANGE = ("dizziness", "foot_problems", "hearing_loss", "sleep_disturbance", "vision_problems", "weight_loss")


def _coded(name: str) -> Value:
    return lambda seen: seen.coded(name)


def _deficit(name: str, words: str) -> Feature:
    return Feature(
        name=f"has_{name}",
        theme="health",
        source="gp_events",
        value=any_of(_coded(f"efi_{name}"), day="happened_on", days=None),
        direction="either" if name in _EITHER else "up",
        present=f"{words} recorded by the GP",
        # The frailty index knows a fall by its own codes alone: without one there may still be a fall on record.
        absent=None if name == "falls" else f"no record of {words.removeprefix('a ').removeprefix('an ')}",
        shown_as="yes_no",
        can_change=name in _CAN_CHANGE,
        readers=EVERY_CARE_AGENCY,
    )


def _on_any(*names: str) -> Value:
    return lambda seen: pl.any_horizontal(*(seen.coded(name) for name in names))


def _count(
    name: str, codes: tuple[str, ...], days: int, one: str, many: str, none: str, *, can_change: bool = False
) -> Feature:
    return Feature(
        name=name,
        theme="health",
        source="gp_events",
        value=n_distinct_days(_on_any(*codes), day="happened_on", days=days),
        direction="up",
        present=many,
        one=one,
        absent=none,
        lookback_days=days,
        can_change=can_change,
        readers=EVERY_CARE_AGENCY,
    )


def _bare(words: str) -> str:
    """Words of a record without the mention that it is one.

    >>> _bare("cancer recorded in the past five years"), _bare("caring for someone, as recorded by the GP")
    ('cancer in the past five years', 'caring for someone')
    """
    return words.removesuffix(", as recorded by the GP").removesuffix(" recorded by the GP").replace(" recorded ", " ")


def _flag(name: str, codes: str, days: int | None, words: str, *, direction: str = "up") -> Feature:
    return Feature(
        name=name,
        theme="health",
        source="gp_events",
        value=any_of(_coded(codes), day="happened_on", days=days),
        direction="either" if direction == "either" else "up",
        present=words,
        absent=f"no record of {_bare(words)}",
        lookback_days=days,
        shown_as="yes_no",
        readers=EVERY_CARE_AGENCY,
    )


def _is_contact(days: int) -> Value:
    return lambda seen: seen.coded("gp_contact") & seen.within("happened_on", days)


def _contacts(seen: Seen, days: int) -> pl.Expr:
    return _is_contact(days)(seen).sum().cast(pl.Int64)


# A fall is also known from its injury: the lists are counted together, as their README asks.
FALLS = ("fall", "injurious_fall")

EVENTS: tuple[Feature, ...] = (
    *(_deficit(name, words) for name, words in DEFICITS.items()),
    _count(
        "n_falls_365d",
        FALLS,
        365,
        "1 fall recorded by the GP in the past year",
        "{value} falls recorded by the GP in the past year",
        "no fall recorded by the GP in the past year",
        can_change=True,
    ),
    _count(
        "n_falls_1095d",
        FALLS,
        1095,
        "1 fall recorded by the GP in the past three years",
        "{value} falls recorded by the GP in the past three years",
        "no fall recorded by the GP in the past three years",
    ),
    _count(
        "n_injurious_falls_365d",
        ("injurious_fall",),
        365,
        "1 injury typical of a fall recorded by the GP in the past year",
        "{value} injuries typical of a fall recorded by the GP in the past year",
        "no injury typical of a fall recorded by the GP in the past year",
        can_change=True,
    ),
    _count(
        "n_fractures_1095d",
        ("fracture",),
        1095,
        "1 broken bone recorded by the GP in the past three years",
        "{value} broken bones recorded by the GP in the past three years",
        "no broken bone recorded by the GP in the past three years",
    ),
    _flag("has_loss_of_consciousness_365d", "loss_of_consciousness", 365, "a loss of consciousness in the past year"),
    _flag("has_unable_to_get_up_365d", "unable_to_get_up", 365, "being unable to get up, recorded in the past year"),
    _flag("has_gait_balance_problem", "gait_balance_problem", None, "a problem with walking or balance"),
    _flag("has_dementia", "dementia", None, "dementia recorded by the GP"),
    _flag("has_cancer_1825d", "cancer", 1825, "cancer recorded in the past five years"),
    _flag("has_depression", "depression", None, "depression recorded by the GP"),
    _flag("has_delirium_730d", "delirium", 730, "sudden confusion (delirium) in the past two years"),
    _count(
        "n_urinary_infections_365d",
        ("urinary_tract_infection",),
        365,
        "1 urinary infection in the past year",
        "{value} urinary infections in the past year",
        "no urinary infection in the past year",
        can_change=True,
    ),
    replace(
        _flag("is_carer_coded", "carer", None, "caring for someone, as recorded by the GP", direction="either"),
        absent="not recorded as a carer by the GP",
    ),
    _flag("has_severe_frailty_code", "frailty_severe", None, "severe frailty recorded by the GP"),
    _flag("has_moderate_frailty_code", "frailty_moderate", None, "moderate frailty recorded by the GP"),
    replace(
        _flag("is_bereaved_coded_730d", "bereavement", 730, "a bereavement recorded by the GP in the past two years"),
        absent="no bereavement recorded by the GP in the past two years",
    ),
    Feature(
        name="n_gp_contacts_365d",
        theme="health",
        source="gp_events",
        value=Dated(lambda seen: _contacts(seen, 365), _is_contact(365), "happened_on"),
        direction="either",
        present="{value} contacts with the GP practice in the past year",
        one="1 contact with the GP practice in the past year",
        absent="no contact with the GP practice in the past year",
        lookback_days=365,
        readers=EVERY_CARE_AGENCY,
    ),
    Feature(
        name="n_gp_contacts_90d",
        theme="health",
        source="gp_events",
        value=Dated(lambda seen: _contacts(seen, 90), _is_contact(90), "happened_on"),
        direction="either",
        present="{value} contacts with the GP practice in the past three months",
        one="1 contact with the GP practice in the past three months",
        absent="no contact with the GP practice in the past three months",
        lookback_days=90,
        readers=EVERY_CARE_AGENCY,
    ),
    Feature(
        name="gp_contact_trend",
        theme="health",
        source="gp_events",
        # Contacts of the past half year less those of the half year before.
        value=Dated(lambda seen: 2 * _contacts(seen, 182) - _contacts(seen, 364), _is_contact(364), "happened_on"),
        direction="either",
        present="more contacts with the GP practice in the past half year than in the half year before",
        absent="no more contacts with the GP practice in the past half year than in the half year before",
        lookback_days=364,
        shown_as="level",
        readers=EVERY_CARE_AGENCY,
    ),
    Feature(
        name="days_since_gp_contact",
        theme="health",
        source="gp_events",
        value=days_since_last(_coded("gp_contact"), day="happened_on"),
        direction="either",
        present="last contact with the GP practice {value} days ago",
        present_from=0,
        without_rows=None,
        shown_as="days",
        readers=EVERY_CARE_AGENCY,
    ),
    replace(
        _flag(
            "has_flu_vaccination_365d", "flu_vaccination", 365, "a flu vaccination in the past year", direction="either"
        ),
        may_protect=True,
    ),
)


def _medicines(
    name: str, days: int, groups: tuple[str, ...], many: str, one: str, none: str, direction: str
) -> Feature:
    """Count the medicines of any of some groups, each once; without groups, all of them.

    A dm+d code is that of one strength of one make: several on a list of dm+d codes may be the same medicine, and may
    be one that a BNF code told too. So they count as one, where no BNF code tells of any.
    """

    def in_group(_: Seen) -> pl.Expr:
        return pl.lit(value=True) if not groups else pl.any_horizontal(*groups)

    def counted(seen: Seen) -> pl.Expr:
        met = in_group(seen) & seen.within("last_issued_on", days)
        by_bnf = (met & pl.col("substance").is_not_null()).sum().cast(pl.Int64)
        return unless_untold(pl.max_horizontal(by_bnf, met.any().cast(pl.Int64)), met)

    every = n_days(in_group, day="last_issued_on", days=days)

    return Feature(
        name=name,
        theme="health",
        source="medicines",
        value=Dated(counted, every.rows, every.day) if groups else every,
        direction="up" if direction == "up" else "either",
        present=many,
        one=one,
        absent=none,
        lookback_days=days,
        can_change=True,
        readers=EVERY_CARE_AGENCY,
    )


def _medicine_group(name: str, groups: tuple[str, ...], words: str, direction: str = "up") -> Feature:
    return _medicines(
        name,
        90,
        groups,
        f"{{value}} {words} medicines in the past three months",
        f"1 {words} medicine in the past three months",
        f"no {words} medicine in the past three months",
        direction,
    )


def _on_medicine(name: str, group: str, words: str) -> Feature:
    return Feature(
        name=name,
        theme="health",
        source="medicines",
        value=any_of(lambda _: pl.col(group), day="last_issued_on", days=90),
        direction="either",
        present=f"{words} prescribed in the past three months",
        absent=f"no {words.removeprefix('a ').removeprefix('an ')} prescribed in the past three months",
        lookback_days=90,
        shown_as="yes_no",
        readers=EVERY_CARE_AGENCY,
    )


# The prefixes of BNF codes that put a medicine into a group; `dmd_list_of` is the list of dm+d codes beside each.
MEDICINE_GROUPS = (
    "bnf_anticholinergic",
    "bnf_sedative",
    "bnf_opioid",
    "bnf_antihypertensive",
    "bnf_antipsychotic",
    "bnf_anticoagulant",
    "bnf_insulin",
    "bnf_emollient",
    "bnf_oxygen",
)


def dmd_list_of(group: str) -> str:
    """The list of dm+d codes of a group of medicines; not every folder of code lists has one for each.

    >>> dmd_list_of("bnf_opioid")
    'dmd_opioid'
    """
    return f"dmd_{group.removeprefix('bnf_')}"


MEDICINES: tuple[Feature, ...] = (
    _medicines(
        "n_medicines_90d",
        90,
        (),
        "{value} different medicines in the past three months",
        "1 medicine in the past three months",
        "no medicine in the past three months",
        "up",
    ),
    _medicines(
        "n_medicines_365d",
        365,
        (),
        "{value} different medicines in the past year",
        "1 medicine in the past year",
        "no medicine in the past year",
        "either",
    ),
    _medicine_group("n_anticholinergic_90d", ("bnf_anticholinergic",), "anticholinergic"),
    _medicine_group("n_sedative_90d", ("bnf_sedative",), "sedative"),
    # A medicine on both lists is one medicine.
    _medicine_group(
        "n_anticholinergic_or_sedative_90d", ("bnf_anticholinergic", "bnf_sedative"), "anticholinergic or sedative"
    ),
    _medicine_group("n_opioid_90d", ("bnf_opioid",), "opioid"),
    _medicine_group("n_antihypertensive_90d", ("bnf_antihypertensive",), "blood-pressure", "either"),
    _on_medicine("has_antipsychotic_90d", "bnf_antipsychotic", "an antipsychotic medicine"),
    _on_medicine("has_anticoagulant_90d", "bnf_anticoagulant", "a blood-thinning medicine"),
    _on_medicine("has_insulin_90d", "bnf_insulin", "insulin"),
    _on_medicine("has_emollient_90d", "bnf_emollient", "an emollient cream"),
)


def _at_home(name: str, value: Value, days: int, present: str, absent: str, *, of_medicines: bool = False) -> Feature:
    """What the GP records of anybody registered at the home tell, of any age: some dangers are a whole home's."""
    return Feature(
        name=name,
        theme="health",
        source="household_medicines" if of_medicines else "household_gp_events",
        value=value,
        direction="either",
        present=present,
        absent=absent,
        lookback_days=days,
        shown_as="yes_no",
        readers=EVERY_CARE_AGENCY,
    )


def _coded_at_home(name: str, codes: str, words: str) -> Feature:
    return _at_home(
        f"has_{name}_coded_at_home_1095d",
        any_of(_coded(codes), day="happened_on", days=1095),
        1095,
        f"{words} recorded by the GP for someone at this home in the past three years",
        f"no {words.removeprefix('a ')} recorded by the GP for anyone at this home in the past three years",
    )


def _prescribed_at_home(name: str, group: str, words: str) -> Feature:
    return _at_home(
        f"has_{name}_prescribed_at_home_365d",
        any_of(lambda _: pl.col(group), day="last_issued_on", days=365),
        365,
        f"{words} prescribed for someone at this home in the past year",
        f"no {words.removeprefix('an ')} prescribed for anyone at this home in the past year",
        of_medicines=True,
    )


# The code lists and the medicine groups that are asked of a whole home.
HOUSEHOLD_LISTS = ("smoker", "home_oxygen", "alcohol_concern")

HOUSEHOLD: tuple[Feature, ...] = (
    _coded_at_home("smoker", "smoker", "smoking"),
    _coded_at_home("oxygen", "home_oxygen", "home oxygen"),
    _coded_at_home("alcohol_concern", "alcohol_concern", "a concern about alcohol"),
    _prescribed_at_home("oxygen", "bnf_oxygen", "oxygen"),
    _prescribed_at_home("emollient", "bnf_emollient", "an emollient cream"),
)
