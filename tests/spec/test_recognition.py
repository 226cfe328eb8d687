"""A word of a vocabulary that nobody here knows is unknown, never no: counted, told, and not made into a number."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.tables import pseudonym, table
from polars.testing import assert_frame_equal

from ageingwell.config.outreach import Floors
from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.registry import columns, open_labels
from ageingwell.errors import SourceError
from ageingwell.features.build import (
    FEATURES,
    RESTS_ON,
    _without_what_is_not_recognised,
    build_features,
    names,
    rests_on,
    with_agencies_missing,
)
from ageingwell.features.feature import Seen
from ageingwell.governance.recognised import described, manifest_of, sentences
from ageingwell.outcomes import label_outcomes, outcome_rests_on
from ageingwell.recognition.counting import ANY, unrecognised
from ageingwell.recognition.labels import is_known_label
from ageingwell.recognition.people import (
    CARE_LABELS,
    UNTOLD,
    Recognised,
    care_homes_to_check,
    floors_to_keep,
    recognise,
    stop_on_untold_outcomes,
)
from ageingwell.report.recognised import recognised_sections
from ageingwell.sources.read import read_agencies
from ageingwell.synthetic.check_digit import with_check_digit
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.other_words import KINDS, in_other_words
from ageingwell.timeline import AsOf, Horizon

pytestmark = pytest.mark.slow

NIGHT = date(2026, 11, 22)
JUDGE_ALL = RecognitionSettings(minimum_rows=1)
Tables = dict[str, pl.DataFrame]
SEEN = Seen(AsOf(NIGHT), {name: bit for bit, name in enumerate(sorted(CONFIG.codelists))})
FALL, NO_LIST = "161898004", "22298006"  # a fall; a heart attack is on the list of heart disease
DESCRIPTION = with_check_digit("1618980401")  # partition 01: a description, not a concept


def recognised_in(tables: Tables, *, day: date = NIGHT, floors: RecognitionSettings = JUDGE_ALL) -> Recognised:
    known = known_on(tables, day)
    return recognise(
        known,
        spine_on(tables, day),
        AsOf(day),
        places=CONFIG.places,
        codelists=CONFIG.codelists,
        floors=floors,
    )


def features_of(tables: Tables, found: Recognised | None) -> pl.DataFrame:
    return build_features(
        known_on(tables, NIGHT),
        spine_on(tables, NIGHT),
        AsOf(NIGHT),
        codelists=CONFIG.codelists,
        unrecognised=None if found is None else found.untold,
    )


def both_of(tables: Tables) -> tuple[Recognised, pl.DataFrame]:
    """What is recognised and the features, with the spine made once."""
    known, spine = known_on(tables, NIGHT), spine_on(tables, NIGHT)
    asked = {"places": CONFIG.places, "codelists": CONFIG.codelists, "floors": JUDGE_ALL}
    found = recognise(known, spine, AsOf(NIGHT), **asked)
    return found, build_features(known, spine, AsOf(NIGHT), codelists=CONFIG.codelists, unrecognised=found.untold)


def resting_on(column: str) -> list[str]:
    return [feature.name for feature in FEATURES if feature.source != "derived" and column in rests_on(feature, SEEN)]


@pytest.fixture(scope="module")
def tables(county_tables: Tables) -> Tables:
    return {name: frame for name, frame in county_tables.items() if name != "permissions"}


@pytest.fixture(scope="module")
def plain(tables: Tables) -> pl.DataFrame:
    return features_of(tables, None)


@pytest.fixture(scope="module")
def usual(tables: Tables) -> pl.DataFrame:
    """The features where every word is known."""
    return features_of(tables, recognised_in(tables))


# --- Every vocabulary in turn ----------------------------------------------------------------------------------------


def _all(table_name: str, **new: pl.Expr) -> Callable[[Tables], Tables]:
    return lambda tables: {**tables, table_name: tables[table_name].with_columns(**new)}


def _label(table_name: str, column: str) -> Callable[[Tables], Tables]:
    return _all(table_name, **{column: pl.when(pl.col(column).is_not_null()).then(pl.lit("a_word_nobody_knows"))})


DMD = with_check_digit("4210441100000110")
IN_OTHER_WORDS: dict[str, tuple[str, Callable[[Tables], Tables]]] = {
    "read2": ("gp_events.code", _all("gp_events", code_system=pl.lit("read2"), code=pl.lit("Eu00."))),
    "ctv3": ("gp_events.code", _all("gp_events", code_system=pl.lit("ctv3"), code=pl.lit("H33.."))),
    "local": ("gp_events.code", _all("gp_events", code_system=pl.lit("local"), code=pl.lit("EMISNQRE1"))),
    "description ids": ("gp_events.code", _all("gp_events", code=pl.lit(DESCRIPTION))),
    "concepts on no list": ("gp_events.code", _all("gp_events", code=pl.lit(with_check_digit("9999900")))),
    "dm+d alone": (
        "gp_prescriptions.bnf_code",
        _all("gp_prescriptions", bnf_code=pl.lit(None, dtype=pl.String), dmd_code=pl.lit(DMD)),
    ),
    "ATC as BNF": ("gp_prescriptions.bnf_code", _all("gp_prescriptions", bnf_code=pl.lit("C10AA05"))),
    "operations": (
        "hospital_events.icd10",
        _all("hospital_events", icd10=pl.when(pl.col("icd10").is_not_null()).then(pl.lit("W371"))),
    ),
    "operations that look like falls": (
        "hospital_events.icd10",
        _all("hospital_events", icd10=pl.when(pl.col("icd10").is_not_null()).then(pl.lit("W191"))),
    ),
    **{f"{table}.{column}": (f"{table}.{column}", _label(table, column)) for table, column in open_labels()},
    "areas of 2011": ("gp_patients.lsoa21", _all("gp_patients", lsoa21=pl.lit("E01999999"))),
}


@pytest.mark.sweep(of=4)
@pytest.mark.parametrize("kind", IN_OTHER_WORDS)
def test_words_nobody_knows_are_told_and_no_feature_that_rests_on_them_is_a_no(
    kind: str, tables: Tables, usual: pl.DataFrame
) -> None:
    column, change = IN_OTHER_WORDS[kind]
    changed = change(tables)

    found, features = both_of(changed)

    below = unrecognised(found.counted)
    assert column in {f"{row['table']}.{row['column']}" for row in below.to_dicts()}
    assert "too few" in described(found.counted, found.new_labels)["verdict"].to_list()
    if column not in UNTOLD:
        return
    assert [said for said in sentences(found) if "unknown" in said or "do not know" in said] != []
    theirs = features.filter(found.untold[column])
    assert theirs.height > 0
    for name in resting_on(column):
        assert theirs.filter(pl.col(name) == 0).is_empty(), name
    # Whatever does not rest on the column is as it was, but for the number of medicines, which are told apart by code.
    counted = {"n_medicines_90d", "n_medicines_365d", "has_polypharmacy", "n_deficits", "frailty_index"}
    kept = [name for name in features.columns if name not in {*resting_on(column), *counted}]
    assert_frame_equal(features.select(kept), usual.select(kept))


def test_what_nobody_marks_is_left_as_it_was(tables: Tables, plain: pl.DataFrame) -> None:
    nobody = pl.DataFrame({"person_id": plain["person_id"]}).with_columns(
        pl.lit(value=False).alias(name) for name in UNTOLD
    )
    known, spine = known_on(tables, NIGHT), spine_on(tables, NIGHT)

    features = build_features(known, spine, AsOf(NIGHT), codelists=CONFIG.codelists, unrecognised=nobody)

    assert_frame_equal(features, plain)


def test_whatever_is_marked_an_unknown_never_becomes_a_number_and_a_yes_stays_a_yes(plain: pl.DataFrame) -> None:
    # Marks drawn by the place in the list: every column for some, alone and together.
    rows = pl.int_range(plain.height, eager=True)
    assert plain.height > 100
    everyone = pl.DataFrame({"person_id": plain["person_id"]}).with_columns(
        (rows % (2 + place) == 0).alias(name) for place, name in enumerate(UNTOLD)
    )
    by_name = {feature.name: feature for feature in FEATURES}
    emptied = _without_what_is_not_recognised(plain, everyone, SEEN)

    for name in plain.columns[1:]:
        was, now = plain[name], emptied[name]
        assert not (was.is_null() & now.is_not_null()).any(), name
        assert (was.eq_missing(now) | now.is_null()).all(), name
        if by_name[name].shown_as == "yes_no" and name != "has_fall_admission_1095d":
            assert ((was != 1) | (now == 1)).fill_null(value=True).all(), name


def test_training_rehearses_every_gap_that_unrecognised_words_can_leave(plain: pl.DataFrame) -> None:
    # A gap that a model has not met in training stops its night: one practice would stop the whole county's.
    everyone = pl.DataFrame({"person_id": plain["person_id"]}).with_columns(
        pl.lit(value=True).alias(name) for name in UNTOLD
    )
    emptied = _without_what_is_not_recognised(plain, everyone, SEEN)
    left = [name for name in names() if emptied[name].null_count() > plain[name].null_count()]

    rehearsed = with_agencies_missing(plain.select(names()), share=0.1, seed=1)

    assert len(left) > 60
    assert [name for name in [*left, "n_deficits", "frailty_index"] if rehearsed[name].null_count() < 20] == []


def test_every_label_a_feature_asks_for_is_one_it_is_known_to_rest_on() -> None:
    opened = {table: {column for of, column in open_labels() if of == table} for table, _ in open_labels()}
    sources = {"care_events": "care_events", "housing_events": "housing_events", "fire_visits": "fire_visits"}
    for feature in FEATURES:
        asked = set(feature.value(SEEN).meta.root_names()) & opened.get(sources.get(feature.source, ""), set())
        assert asked <= set(RESTS_ON.get(feature.source, {})), feature.name
    for name in set(CARE_LABELS) - {"accommodation_status"}:
        assert resting_on(f"care_events.{name}") != [], name
    assert len(resting_on("gp_events.code")) == len([f for f in FEATURES if "gp_events" in f.source])


# --- Counts, by hand -------------------------------------------------------------------------------------------------


@pytest.fixture
def small() -> Tables:
    register = """
    person_id | household_id | birth_month | sex    | practice_code | registered_on | lsoa21    | recorded_on
    a         | h1           | 1940-01-01  | female | M81001        | 2000-01-01    | E01028854 | 2020-01-01
    a         | h1           | 1940-01-01  | female | M81002        | 2000-01-01    | E01028854 | 2021-01-01
    b         | h2           | 1941-01-01  | male   | M81001        | 2000-01-01    | E01028854 | 2020-01-01
    c         | h3           | 1942-01-01  | male   | M81002        | 2000-01-01    | E01999999 | 2020-01-01
    """
    entries = f"""
    person_id | code_system | code          | recorded_on
    a         | snomed      | {FALL}        | 2026-01-01
    a         | snomed      | {FALL}        | 2026-02-01
    a         | snomed      | {DESCRIPTION} | 2026-01-01
    a         | read2       | Eu00.         | 2026-01-01
    b         | ctv3        | H33..         | 2026-01-01
    b         | snomed      | {FALL}        | 2026-01-01
    b         | local       | EMISNQRE1     | 2026-01-01
    c         | snomed      | 999990005     | 2026-01-01
    stranger  | snomed      | {FALL}        | 2026-01-01
    """
    return {
        "gp_patients": table(register, like="gp_patients"),
        "gp_events": table(entries, like="gp_events").cast({"code": pl.String}),
    }


def test_entries_are_counted_by_terminology_and_by_the_practice_of_the_newest_register_row(small: Tables) -> None:
    counted = recognised_in(small).counted.filter(table="gp_events")

    def row(practice: str | None, terminology: str, asked: str) -> tuple[int, int]:
        same = pl.col("practice_code").eq_missing(pl.lit(practice, dtype=pl.String))
        found = counted.filter(same, terminology=terminology, recognised_as=asked)
        return found.select("n_rows", "n_recognised").row(0)

    # Of all nine rows: five are concepts (four falls, one on no list); the stranger's row is in no practice.
    assert row(None, ANY, "readable") == (9, 5)
    assert row(None, ANY, "on_a_list") == (9, 4)
    assert row(None, "snomed", "on_a_list") == (5, 4)
    assert row(None, "snomed_description", "on_a_list") == (1, 0)
    assert row("M81001", ANY, "readable") == (3, 1)
    assert row("M81002", ANY, "readable") == (5, 3)
    assert row("M81002", ANY, "on_a_list") == (5, 2)
    assert row("M81002", "read2", "on_a_list") == (1, 0)


def test_people_of_a_practice_below_the_floor_and_those_whose_own_entries_are_mostly_unread_are_marked(
    small: Tables,
) -> None:
    half = RecognitionSettings(minimum_rows=1, entries_readable_at_least=0.5)

    marked = recognised_in(small, floors=half).untold.filter("gp_events.code")["person_id"].to_list()

    # M81001 reads 1 of 3: all its people. M81002 reads 3 of 5, and a's own are 2 of 4: not fewer than half.
    assert marked == ["b"]


def test_below_the_minimum_of_rows_nothing_is_judged(small: Tables) -> None:
    found = recognised_in(small, floors=RecognitionSettings())

    assert unrecognised(found.counted).is_empty()
    assert sentences(found) == []
    # b's own entries are mostly unread all the same.
    assert found.untold.filter("gp_events.code")["person_id"].to_list() == ["b"]


def test_a_practice_in_order_is_not_marked_because_of_a_large_one_that_is_not(small: Tables) -> None:
    bad = pl.concat([small["gp_events"].filter(pl.col("code_system") == "ctv3")] * 40)
    good = pl.concat([small["gp_events"].filter(pl.col("person_id") == "c")] * 9)
    tables = {**small, "gp_events": pl.concat([bad, good])}

    found = recognised_in(tables, floors=RecognitionSettings(minimum_rows=9, entries_on_lists_at_least=0))

    assert found.untold.filter("gp_events.code")["person_id"].to_list() == ["b"]
    assert len(sentences(found)) == 1
    assert sentences(found)[0].startswith("practice M81001: 0 of 40 coded entries are SNOMED CT concepts (40 are CTV3)")


def test_of_a_medicine_without_a_group_no_group_is_known_to_be_absent(small: Tables) -> None:
    drawn = f"""
    person_id | bnf_code        | dmd_code | issued_on  | recorded_on
    a         | 0407020A0AAAAAA |          | 2026-11-01 | 2026-11-01
    a         |                 | {DMD}    | 2026-11-01 | 2026-11-01
    b         | 0407020A0AAAAAA |          | 2026-11-01 | 2026-11-01
    b         |                 | {DMD}    | 2026-08-01 | 2026-08-01
    """
    issues = table(drawn, like="gp_prescriptions").cast({"bnf_code": pl.String, "dmd_code": pl.String})
    tables = {**small, "gp_prescriptions": issues}

    features = features_of(tables, recognised_in(tables)).select("person_id", "n_opioid_90d", "has_insulin_90d")

    # a: one opioid at least, and the other medicine may be insulin; b's other medicine is older than 90 days.
    assert features.rows() == [("a", 1.0, None), ("b", 1.0, 0.0), ("c", 0.0, 0.0)]


def test_the_same_rows_in_another_order_are_counted_alike(tables: Tables) -> None:
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=4) for name, frame in tables.items()}

    first, second = recognised_in(tables), recognised_in(shuffled)

    assert_frame_equal(first.counted, second.counted)
    assert_frame_equal(first.untold, second.untold)


# --- Labels ----------------------------------------------------------------------------------------------------------


def test_no_other_spelling_hides_a_label_of_its_column() -> None:
    for table_name in CONFIG.tables:
        for column in columns(table_name):
            for spelling, label in column.also:
                assert spelling not in column.labels
                assert label in column.labels or is_known_label(table_name, column.name, label), spelling


def test_a_new_label_is_named_where_it_stands_for_eight_people_and_never_below(small: Tables) -> None:
    def events(label: str, people: int) -> list[dict[str, object]]:
        return [
            {"person_id": pseudonym(n), "client_type": "service_user", "event_type": "service", "service_type": label,
             "started_on": date(2026, 1, day), "recorded_on": date(2026, 1, day)}
            for n in range(people) for day in (1, 2, 3)
        ]  # fmt: skip

    schema = {column.name: column.dtype for column in columns("care_events")}
    rows = pl.DataFrame([*events("package_of_care", 8), *events("mrs_miggins", 7)], schema=schema)
    found = recognised_in({**small, "care_events": rows}, floors=RecognitionSettings())

    said = str([*sentences(found), manifest_of(found), described(found.counted, found.new_labels).rows()])
    assert "`package_of_care` (24)" in said
    assert "45 of 45 entries of `service_type` hold a label that we do not know" in said
    assert "mrs_miggins" not in said


def test_whoever_has_a_service_nobody_knows_may_have_home_care_and_others_have_none(small: Tables) -> None:
    drawn = """
    person_id | client_type  | event_type | service_type                | service_component | started_on | recorded_on
    a         | service_user | service    | package_of_care             | home_support      | 2026-01-01 | 2026-01-02
    b         | service_user | service    | long_term_support_community | home_support      | 2026-01-01 | 2026-01-02
    b         | service_user | service    | package_of_care             | home_support      | 2026-01-01 | 2026-01-02
    """
    tables = {**small, "care_events": table(drawn, like="care_events")}
    found = recognised_in(tables, floors=RecognitionSettings())

    features = features_of(tables, found).select("person_id", "has_home_care", "n_care_requests_365d")

    assert features.rows() == [("a", None, 0.0), ("b", 1.0, 0.0), ("c", 0.0, 0.0)]
    homes = care_homes_to_check(spine_on(tables, NIGHT), found.untold)
    assert homes.select("person_id", "care_home").rows() == [("a", "check"), ("b", "check"), ("c", "no")]


def test_an_outcome_whose_service_nobody_knows_is_missing_and_not_a_nought(small: Tables) -> None:
    drawn = """
    person_id | client_type  | event_type | service_type                | service_component | started_on | recorded_on
    a         | service_user | service    | package_of_care             | home_support      | 2025-01-01 | 2025-01-02
    b         | service_user | service    | long_term_support_community | home_support      | 2025-01-01 | 2025-01-02
    """
    tables = {**small, "care_events": table(drawn, like="care_events")}
    start, settled = date(2024, 6, 1), known_on(tables, NIGHT)
    spine, untold = (
        spine_on(tables, start),
        recognised_in(tables).untold.with_columns(pl.lit(value=False).alias("gp_events.code")),
    )

    labels = label_outcomes(
        settled, spine, AsOf(start), horizon=Horizon(365), codelists=CONFIG.codelists, untold=untold
    )

    assert labels.select("person_id", "loss_of_independence", "new_long_term_care", "death").rows() == [
        ("a", None, None, 0),
        ("b", 1, 1, 0),
        ("c", 0, 0, 0),
    ]


def test_training_stops_where_too_many_outcomes_cannot_be_told() -> None:
    untold = pl.DataFrame({"person_id": list("abcd"), "care_events.service_type": [True, False, False, False],
                           "care_events.service_component": False, "gp_events.code": False})  # fmt: skip
    asked = outcome_rests_on("new_long_term_care", {"hospital_events": pl.LazyFrame()})

    stop_on_untold_outcomes(untold, asked, outcome="new_long_term_care", at_most=0.25)
    with pytest.raises(SourceError, match="new_long_term_care: of 25% of people"):
        stop_on_untold_outcomes(untold, asked, outcome="new_long_term_care", at_most=0.2)


def test_without_known_areas_no_visits_are_kept_for_deprived_and_rural_ones(tables: Tables) -> None:
    floors = Floors(unknown_to_every_service=0.1, most_deprived_fifth=0.1, rural=0.2)
    changed = IN_OTHER_WORDS["areas of 2011"][1](tables)

    assert floors_to_keep(floors, recognised_in(tables).counted) == floors
    kept = floors_to_keep(floors, recognised_in(changed).counted)
    assert (kept.unknown_to_every_service, kept.most_deprived_fifth, kept.rural) == (0.1, 0.0, 0.0)


# --- Made-up counties ------------------------------------------------------------------------------------------------


def test_nothing_is_said_of_a_county_in_our_own_words(tables: Tables) -> None:
    found = recognised_in(tables, floors=RecognitionSettings())

    assert sentences(found) == []
    assert found.new_labels.is_empty()


def test_release_2_of_the_return_tells_the_same_of_everybody(small_county: Path, tmp_path: Path) -> None:
    release_2 = synthesise(CountyPlan(people=150, seed=5, words=("release_2",)), tmp_path / "release_2").folder
    made = []
    for folder in (small_county, release_2):
        read = read_agencies(folder, CONFIG.tables, workspace=tmp_path / f"w{len(made)}", max_refused_share=0)
        tables = {name: part.rows.collect() for name, part in read.tables.items() if name != "permissions"}
        found, features = both_of(tables)
        assert found.new_labels.is_empty()
        made.append(features)

    assert made[0]["has_home_care"].sum() > 0
    assert_frame_equal(*made)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"release_2"}))
def test_each_kind_of_other_words_that_a_made_up_county_can_have_is_told(kind: str, tables: Tables) -> None:
    assert sentences(recognised_in(in_other_words(tables, (kind,)), floors=RecognitionSettings())) != []


def test_the_annex_has_a_row_for_each_column_practice_below_and_label_nobody_knows(tables: Tables) -> None:
    changed = in_other_words(tables, ("ctv3", "new_labels"))
    kept = json.loads(json.dumps(manifest_of(recognised_in(changed, floors=RecognitionSettings()))))

    (section,) = recognised_sections(kept)

    rows = section["parts"][0]["table"]["rows"]
    assert ["gp_events", "code", "Z80000"] in [row[:3] for row in rows]
    assert any(row[3].startswith("the label `") and row[-1] == "not known" for row in rows)
    assert recognised_sections(None) == []
