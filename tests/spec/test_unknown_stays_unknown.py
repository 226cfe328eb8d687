"""Unknown never becomes no: in a row, over rows, over several questions, and where a column never came."""

from datetime import date

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.known import codes, features_of, register
from helpers.tables import table

from ageingwell.contracts.registry import TABLES, columns
from ageingwell.features.behind import FALL_BACKS, MEANINGFUL
from ageingwell.features.build import FEATURES, build_features, columns_behind, names
from ageingwell.features.feature import Seen, any_of, n_days, n_distinct_days
from ageingwell.timeline import AsOf

pytestmark = pytest.mark.slow

NIGHT = date(2025, 8, 24)
Frames = dict[str, pl.DataFrame]
ONE: Frames = {"gp_patients": register(("p1", "h1", "1940-01-01"))}


# --- Over rows ---

DAYS = (date(2026, 1, 1), date(2026, 1, 5), date(2026, 1, 5), date(2024, 1, 1))
IN_A_YEAR = AsOf(date(2026, 2, 1))


@pytest.mark.parametrize(
    ("told", "any_one", "n", "n_of_days"),
    [
        ((True, None, True, True), 1, 2, 2),
        ((None, True, True, None), 1, 2, 1),
        ((None, False, False, True), None, None, None),
        ((False, False, False, None), 0, 0, 0),  # the last row is of another year
        ((False, False, False, True), 0, 0, 0),
    ],
)
def test_over_rows_yes_outweighs_unknown_and_unknown_outweighs_no(
    told: tuple[bool | None, ...], any_one: int | None, n: int | None, n_of_days: int | None
) -> None:
    rows = pl.DataFrame({"who": ["p1"] * 4, "met": list(told), "day": list(DAYS)}, schema_overrides={"met": pl.Boolean})
    made = [make(lambda _: pl.col("met"), day="day", days=365) for make in (any_of, n_days, n_distinct_days)]

    found = rows.group_by("who").agg(value(Seen(IN_A_YEAR, {})).alias(f"v{at}") for at, value in enumerate(made))

    assert found.row(0)[1:] == (any_one, n, n_of_days)


# --- Single columns, their missing values and labels of not knowing ---

# The cells of a row that no case here is about: whose it is, and its days.
REST = {
    "hospital_events": {"person_id": "p1", "started_on": "2026-05-01", "recorded_on": "2026-05-02"},
    "housing_events": {"household_id": "h1", "happened_on": "2026-05-01", "recorded_on": "2026-05-02"},
    "care_events": {
        "person_id": "p1",
        "client_type": "service_user",
        "event_type": "request",
        "started_on": "2026-05-01",
        "recorded_on": "2026-06-01",
    },
}


def value_of(feature: str, name: str, **cells: str) -> float | None:
    """A feature of somebody of whom one table has one row."""
    row = REST[name] | cells
    frame = table(f"{' | '.join(row)}\n{' | '.join(row.values())}", like=name)
    return features_of({**ONE, name: frame})["p1"][feature]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("kind", "icd10", "value"),
    [
        ("emergency_admission", "", None),
        ("emergency_admission", "J18", 0.0),
        ("emergency_admission", "W19", 1.0),
        ("planned_admission", "", 0.0),
    ],
)
def test_of_an_emergency_without_a_diagnosis_nobody_knows_whether_it_was_a_fall(
    kind: str, icd10: str, value: float | None
) -> None:
    assert value_of("has_fall_admission_1095d", "hospital_events", kind=kind, icd10=icd10) == value
    assert value_of("has_fall_admission_1095d", "hospital_events", kind=kind, icd10=icd10, person_id="p9") == 0.0


def test_of_an_attendance_without_a_diagnosis_nobody_knows_either() -> None:
    assert value_of("has_fall_attendance_365d", "hospital_events", kind="ae_attendance", icd10="") is None


@pytest.mark.parametrize(
    ("event", "category", "value"),
    [
        ("hazard_found", "", None),
        ("hazard_found", "2", 0.0),
        ("hazard_found", "1", 1.0),
        ("repair_requested", "", 0.0),
    ],
)
def test_a_hazard_without_a_category_may_be_a_serious_one(event: str, category: str, value: float | None) -> None:
    assert value_of("has_category_1_hazard", "housing_events", event_type=event, category=category) == value


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize(
    ("told", "value"), [("", None), ("unknown", None), ("not_known", None), ("something_else", 0.0)]
)
@pytest.mark.parametrize(
    ("column", "event", "feature"),
    [
        ("primary_support_reason", "request", "is_isolated_social_care"),
        ("route_of_access", "request", "came_from_hospital_365d"),
        ("review_reason", "review", "n_unplanned_reviews_365d"),
        ("review_reason", "review", "n_planned_reviews_730d"),
        ("service_type", "service", "has_long_term_support"),
        ("service_type", "service", "has_short_term_support_365d"),
        ("service_component", "service", "has_equipment_1095d"),
    ],
)
def test_a_label_of_social_care_that_is_missing_or_not_known_is_unknown(
    column: str, event: str, feature: str, told: str, value: float | None
) -> None:
    assert value_of(feature, "care_events", event_type=event, **{column: told}) == value
    # What is asked of reviews and services is not asked of an assessment.
    assert column == "primary_support_reason" or value_of(feature, "care_events", event_type="assessment") == 0.0


@pytest.mark.parametrize(("told", "value"), [("yes", 1.0), ("no", 0.0), ("unknown", None)])
def test_whether_somebody_has_a_carer_is_known_where_it_was_answered(told: str, value: float | None) -> None:
    assert value_of("has_unpaid_carer", "care_events", has_unpaid_carer=told) == value


@pytest.mark.parametrize(
    ("ended", "outcome", "value"),
    [
        ("", "", 0.0),  # still open: nothing has come of it yet
        ("2026-05-09", "", None),
        ("2026-05-09", "support_declined", 1.0),
        ("2026-05-09", "support_ended", 0.0),
    ],
)
def test_an_event_that_ended_without_a_word_may_have_been_declined(
    ended: str, outcome: str, value: float | None
) -> None:
    found = value_of("n_support_declined_1095d", "care_events", ended_on=ended, event_outcome=outcome)

    assert found == value


@pytest.mark.parametrize("feature", ["n_sedative_90d", "n_opioid_90d", "has_insulin_90d", "has_emollient_90d"])
def test_a_medicine_without_a_bnf_code_may_be_of_any_group(feature: str) -> None:
    issue = "person_id | dmd_code | issued_on | recorded_on\np1 | X | 2026-11-01 | 2026-11-01"
    frame = table(issue, like="gp_prescriptions").with_columns(dmd_code=pl.lit("42104411000001109"))

    assert features_of({**ONE, "gp_prescriptions": frame})["p1"][feature] is None


# --- Several questions ---

SEVERAL = {
    "has_emollient_or_airflow": ("emollient", "airflow_mattress"),
    "has_heater_or_blanket": ("portable_heater", "electric_blanket"),
}


def asked(**answers: str | None) -> Frames:
    head = f"household_id | visit_outcome | visited_on | recorded_on | {' | '.join(answers)}"
    cells = " | ".join(answer or "" for answer in answers.values())
    return {
        **ONE,
        "fire_visits": table(f"{head}\nh1 | completed | 2026-05-01 | 2026-05-02 | {cells}", like="fire_visits"),
    }


@pytest.mark.parametrize("feature", SEVERAL)
@pytest.mark.parametrize(
    ("one", "other", "value"),
    [
        ("yes", "no", 1.0),
        ("yes", None, 1.0),
        ("no", "yes", 1.0),
        ("no", "no", 0.0),
        ("no", None, None),
        ("unknown", "no", None),
        (None, None, None),
    ],
)
def test_of_several_questions_not_asked_is_not_no(
    feature: str, one: str | None, other: str | None, value: float | None
) -> None:
    first, second = SEVERAL[feature]

    assert features_of(asked(**{first: one, second: other}))["p1"][feature] == value


@pytest.mark.parametrize(
    ("smoker", "oxygen", "emollient", "mattress", "value"),
    [
        ("yes", "yes", None, None, 1.0),
        ("yes", "no", "no", "no", 0.0),
        ("yes", "no", "no", None, None),
        ("no", None, None, None, 0.0),
        (None, "yes", "yes", "yes", None),
        (None, "no", "no", "no", 0.0),
    ],
)
def test_oxygen_or_emollient_with_smoking_is_no_only_where_one_side_is_known_not_to_be(
    smoker: str | None, oxygen: str | None, emollient: str | None, mattress: str | None, value: float | None
) -> None:
    told = asked(smoker=smoker, home_oxygen=oxygen, emollient=emollient, airflow_mattress=mattress)

    assert features_of(told)["p1"]["has_oxygen_or_emollient_with_smoking"] == value


# --- Columns that never came ---

OPTIONAL = [
    (name, column.name)
    for name in TABLES
    if name not in ("permissions", "contacts")
    for column in columns(name)
    if not column.required
]
# These decide who is registered and where: the run stops without them, unless the agency does not hold them.
OF_THE_REGISTER = {("gp_patients", name) for name in ("left_on", "died_on", "household_id")}
# A row with neither code would have been refused, and here it stays; an old service that never ended is a contact.
EXCEPT = {
    ("gp_prescriptions", "bnf_code"): (
        "n_medicines_90d",
        "n_medicines_365d",
        "has_polypharmacy",
        "n_deficits",
        "frailty_index",
    ),
    ("care_events", "ended_on"): ("n_known_agencies", "is_unknown_to_social_care"),
}
# What weighs the evidence there is, and moves with less of it.
WEIGHED = {"lives_alone_probability"}


Pair = tuple[str, str]


def apart(pairs: list[Pair], n: int) -> list[list[Pair]]:
    """Columns in rounds: no feature rests on two of a round, and those of one table are far from each other."""
    behind = [columns_behind(feature) for feature in FEATURES]
    rounds: list[list[Pair]] = [[] for _ in range(n)]
    for pair in pairs:
        beside = {other for columns in behind if pair in columns for other in columns}
        fit = [one for one in rounds if not beside & set(one)]
        min(fit, key=lambda one: ([name for name, _ in one].count(pair[0]), len(one))).append(pair)
    return rounds


ALONE = {*OF_THE_REGISTER, *EXCEPT}
LOST = [
    *([pair] for pair in OPTIONAL if pair in ALONE),
    *apart([pair for pair in OPTIONAL if pair not in ALONE | FALL_BACKS], 8),
    [pair for pair in OPTIONAL if pair in FALL_BACKS - ALONE],
]


def words_of(lost: list[Pair]) -> str:
    return " ".join(f"{name}.{column}" for name, column in lost)


@pytest.fixture(scope="module")
def told(county_tables: Frames) -> tuple[Frames, pl.DataFrame]:
    tables = {name: frame for name, frame in county_tables.items() if name != "permissions"}
    return tables, made_of(tables, {})


def made_of(tables: Frames, untold: dict[str, frozenset[str]]) -> pl.DataFrame:
    known, spine = known_on(tables, NIGHT), spine_on(tables, NIGHT)
    return build_features(known, spine, AsOf(NIGHT), codelists=CONFIG.codelists, untold=untold)


def without(tables: Frames, lost: list[Pair]) -> pl.DataFrame:
    """The features where these columns never came."""
    emptied, untold = dict(tables), {name: frozenset(column for of, column in lost if of == name) for name, _ in lost}
    for name, names_lost in untold.items():
        missing = {known.name: known.missing for known in columns(name)}
        schema = emptied[name].schema
        emptied[name] = emptied[name].with_columns(
            pl.lit(missing[column], dtype=schema[column]).alias(column) for column in names_lost
        )
    return made_of(emptied, untold)


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("lost", LOST, ids=words_of)
def test_columns_that_never_came_make_unknown_what_rests_on_them_and_change_nothing_else(
    lost: list[Pair], told: tuple[Frames, pl.DataFrame]
) -> None:
    tables, whole = told
    both = whole.join(without(tables, lost), on="person_id", suffix="_without")
    of_the_register = any(pair in OF_THE_REGISTER for pair in lost)
    assert both.height == whole.height or of_the_register
    exempt = {name for pair in lost for name in EXCEPT.get(pair, ())}

    for feature in FEATURES:
        before, after = both[feature.name], both[f"{feature.name}_without"]
        rests = columns_behind(feature) & set(lost)
        if FALL_BACKS & set(lost) or (of_the_register and not rests) or feature.name in exempt:
            continue
        if not rests:
            assert after.equals(before, check_names=False), feature.name
        elif feature.name not in WEIGHED:
            assert (before.is_null() & after.is_not_null()).sum() == 0, f"{feature.name}: a number of what is unknown"
            fewer = (after > 0) & (after <= before)
            same = (after == before) & (feature.without_rows is None)
            assert (after.is_null() | fewer | same).all(), f"{feature.name}: a no that nobody told"
            if rests & MEANINGFUL:
                assert after.null_count() == after.len(), feature.name


def test_every_column_is_lost_in_a_round_and_no_feature_rests_on_two_of_one() -> None:
    assert sorted(pair for lost in LOST for pair in lost) == sorted(OPTIONAL)
    for lost in LOST:
        if not FALL_BACKS & set(lost):
            assert all(len(columns_behind(feature) & set(lost)) < 2 for feature in FEATURES), lost


def test_every_column_of_a_table_that_a_feature_reads_is_behind_it() -> None:
    behind = {column for feature in FEATURES for column in columns_behind(feature)}
    contract = {(name, column.name) for name in TABLES for column in columns(name)}

    assert behind <= contract
    # What no feature rests on: ids, lags, fall-backs, and what pages and rules read themselves.
    assert sorted({pair for pair in OPTIONAL if pair not in behind} - FALL_BACKS) == [
        ("care_events", "accommodation_status"),
        ("care_events", "died_on"),
        ("care_events", "la_person_id"),
        ("fire_visits", "referral_source"),
        ("gp_events", "value"),
        ("gp_events", "value_unit"),
        ("gp_patients", "communication_need"),
        ("gp_patients", "ethnic_group"),
        ("gp_patients", "left_on"),
        ("homes", "epc_inspected_on"),
        ("housing_events", "hazard"),
    ]


def test_without_a_diagnosis_ever_sent_nobody_is_told_to_have_had_no_fall() -> None:
    stay = "person_id | kind | started_on | recorded_on\np2 | emergency_admission | 2026-05-01 | 2026-05-02"
    frames = {**ONE, "hospital_events": table(stay, like="hospital_events")}

    found = features_of(frames, untold={"hospital_events": frozenset({"icd10"})})

    assert found["p1"]["has_fall_admission_1095d"] is None
    assert found["p1"]["n_emergency_admissions_365d"] == 0.0


def test_a_yes_stays_a_yes_where_another_question_was_never_asked() -> None:
    told = asked(emollient="yes", airflow_mattress=None)

    found = features_of(told, untold={"fire_visits": frozenset({"airflow_mattress"})})

    assert found["p1"]["has_emollient_or_airflow"] == 1.0


def test_nothing_untold_is_the_same_as_not_saying() -> None:
    frames = {**ONE, "gp_events": codes(("p1", "fall", "2026-05-01"))}

    assert features_of(frames) == features_of(frames, untold={})
    assert set(features_of(frames)["p1"]) == {"person_id", *names()}
