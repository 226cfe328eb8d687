"""Medicines sent by dm+d code alone: the mapping makes of them what BNF codes tell; without it nothing becomes a no."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.knowledge import CONFIG, records_of, spine_on
from helpers.tables import pseudonym, table
from polars.testing import assert_frame_equal

from ageingwell.config.score import RecognitionSettings
from ageingwell.contracts.codes import is_concept, is_snomed, partition
from ageingwell.contracts.registry import columns
from ageingwell.features.behind import roots_of
from ageingwell.features.build import FEATURES, build_features
from ageingwell.features.definition import definition
from ageingwell.features.feature import Feature
from ageingwell.features.gp import MEDICINE_GROUPS, dmd_list_of
from ageingwell.governance.asking import asks, coverage
from ageingwell.jobs.checking import CheckedRecords, check
from ageingwell.permitted import permitted_or_stop
from ageingwell.recognition.counting import recognised
from ageingwell.recognition.people import recognise
from ageingwell.sources.dmd_to_bnf import DmdToBnf, with_bnf_codes
from ageingwell.sources.read import Records
from ageingwell.spine import known_tables
from ageingwell.synthetic.medicines import dmd_to_bnf, made_up_dmd_codes
from ageingwell.synthetic.other_words import in_other_words
from ageingwell.timeline import AsOf

pytestmark = pytest.mark.slow

NIGHT = date(2026, 11, 22)
Tables = dict[str, pl.DataFrame]
LOOK_UP = DmdToBnf(dmd_to_bnf().sort("dmd_code"), "map.csv", "", None, n_by_substance=0, n_ambiguous=0, n_not_read=0)
LISTED = [group for group in MEDICINE_GROUPS if dmd_list_of(group) in CONFIG.codelists]
GROUP_FEATURES = [feature for feature in FEATURES if feature.source in ("medicines", "household_medicines")]
UNKNOWN_CODE = "22298006"  # a concept, on no list of medicines


def features_of(
    tables: Tables, look_up: DmdToBnf | None = None, *, codelists: Mapping[str, tuple[str, ...]] = CONFIG.codelists
) -> pl.DataFrame:
    return built(with_bnf_codes(records_of(tables), look_up), spine_on(tables, NIGHT), codelists=codelists)


def built(records: Records, spine: pl.DataFrame, *, codelists: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    known = known_tables(records, AsOf(NIGHT), CONFIG.tables)
    words = recognise(
        known, spine, AsOf(NIGHT), places=CONFIG.places, codelists=codelists, floors=RecognitionSettings()
    )
    return build_features(
        known, spine, AsOf(NIGHT), codelists=codelists, untold=records.untold(), unrecognised=words.untold
    )


def of_group(group: str) -> list[str]:
    return [feature.name for feature in GROUP_FEATURES if group in roots_of(feature)]


@pytest.fixture(scope="module")
def tables(county_tables: Tables) -> Tables:
    return {name: frame for name, frame in county_tables.items() if name != "permissions"}


@pytest.fixture(scope="module")
def by_bnf(tables: Tables) -> pl.DataFrame:
    """The features where every practice sends BNF codes."""
    bnf = {dmd: code for code, dmd in made_up_dmd_codes().items()}
    sent = pl.coalesce("bnf_code", pl.col("dmd_code").replace(bnf)).alias("bnf_code")
    none = pl.lit(None, dtype=pl.String).alias("dmd_code")
    return features_of({**tables, "gp_prescriptions": tables["gp_prescriptions"].with_columns(sent, none)})


@pytest.fixture(scope="module")
def looked_up(tables: Tables) -> pl.DataFrame:
    """The features where nobody sends a BNF code, and the settings name the mapping."""
    return features_of(in_other_words(tables, ("all_dmd_only",)), LOOK_UP)


@pytest.mark.parametrize("group", MEDICINE_GROUPS)
def test_dmd_alone_with_the_mapping_tells_of_each_group_what_bnf_codes_tell(
    group: str, by_bnf: pl.DataFrame, looked_up: pl.DataFrame
) -> None:
    assert of_group(group) != []
    assert_frame_equal(looked_up.select("person_id", *of_group(group)), by_bnf.select("person_id", *of_group(group)))


def test_dmd_alone_with_the_mapping_gives_every_feature_as_bnf_codes_do(
    by_bnf: pl.DataFrame, looked_up: pl.DataFrame
) -> None:
    assert_frame_equal(looked_up, by_bnf)


def test_dmd_alone_without_the_mapping_is_a_no_for_nobody_with_medicines(tables: Tables) -> None:
    dmd_only = in_other_words(tables, ("all_dmd_only",))
    features = features_of(dmd_only)
    recent = dmd_only["gp_prescriptions"].filter(pl.col("issued_on") >= date(2026, 8, 24))
    theirs = features.filter(pl.col("person_id").is_in(recent["person_id"].implode()))

    assert theirs.height > 100
    for name in {name for group in MEDICINE_GROUPS for name in of_group(group)}:
        assert theirs.filter(pl.col(name) == 0).is_empty(), name
    assert theirs["n_medicines_90d"].null_count() == 0


# --- By hand ----------------------------------------------------------------------------------------------------------

A, B, HOME = pseudonym(1), pseudonym(2), pseudonym(900)
PATIENTS = f"""
person_id | household_id | birth_month | registered_on | lsoa21    | practice_code | recorded_on | sex
{A}       | {HOME}       | 1940-03-01  | 2001-01-09    | E01028854 | M82041        | 2020-01-01  | female
{B}       | {HOME}       | 1941-03-01  | 2001-01-09    | E01028854 | M82041        | 2020-01-01  | male
"""


def of_codes(*codes: tuple[str, str]) -> Tables:
    """A's prescriptions of November by (column, code)."""
    empty = {"bnf_code": None, "dmd_code": None}
    rows = [
        {"person_id": A, **empty, column: code, "issued_on": date(2026, 11, 1), "recorded_on": date(2026, 11, 1)}
        for column, code in codes
    ]
    schema = {column.name: column.dtype for column in columns("gp_prescriptions")}
    return {"gp_patients": table(PATIENTS, like="gp_patients"), "gp_prescriptions": pl.DataFrame(rows, schema=schema)}


def value(tables: Tables, name: str, *, person: str = A, **kwargs: object) -> float | None:
    return features_of(tables, **kwargs).filter(person_id=person)[name][0]  # type: ignore[arg-type]


def counted_up(name: str) -> bool:
    feature = next(feature for feature in FEATURES if feature.name == name)
    return feature.shown_as == "yes_no" or feature.direction == "up"


@pytest.mark.sweep(of=2)
@pytest.mark.parametrize("group", LISTED)
def test_a_code_on_a_list_is_a_yes_and_one_on_none_is_unknown(group: str) -> None:
    on_list = [("dmd_code", code) for code in CONFIG.codelists[dmd_list_of(group)][:2]]
    names = [name for name in of_group(group) if counted_up(name)]

    one, two = features_of(of_codes(*on_list[:1])), features_of(of_codes(*on_list))
    unlisted = features_of(of_codes(("dmd_code", UNKNOWN_CODE)))

    for name in names:
        # Two codes of a list may be two strengths of one medicine: at least one is all that is known.
        assert [frame.filter(person_id=A)[name][0] for frame in (one, two, unlisted)] == [1, 1, None], name
    # Of the groups on whose lists it does not stand a short list says nothing.
    others = [other for other in LISTED if on_list[0][1] not in CONFIG.codelists[dmd_list_of(other)]]
    for name in {name for other in others for name in of_group(other)} - set(of_group(group)):
        assert one.filter(person_id=A)[name][0] is None, name


def test_a_medicine_of_a_group_told_by_its_bnf_code_and_one_by_a_list_are_at_least_one() -> None:
    listed = ("dmd_code", CONFIG.codelists["dmd_opioid"][0])

    assert value(of_codes(("bnf_code", "0407020C0AAAAAA"), listed), "n_opioid_90d") == 1
    assert value(of_codes(("bnf_code", "0407020C0AAAAAA"), ("bnf_code", "0407020Q0AAAAAA")), "n_opioid_90d") == 2
    assert value(of_codes(("bnf_code", "0407020C0AAAAAA"), ("dmd_code", UNKNOWN_CODE)), "n_opioid_90d") == 1


def test_what_is_prescribed_for_another_at_the_home_is_a_yes_by_list_and_unknown_by_a_code_on_none() -> None:
    name = "has_emollient_prescribed_at_home_365d"
    cream = ("dmd_code", CONFIG.codelists["dmd_emollient"][0])

    assert value(of_codes(cream), name, person=B) == 1
    assert value(of_codes(("dmd_code", UNKNOWN_CODE)), name, person=B) is None
    assert value(of_codes(("bnf_code", "C10AA05")), name, person=B) is None
    assert value(of_codes(("bnf_code", "0407020C0AAAAAA")), name, person=B) == 0


def test_a_bnf_code_outweighs_a_list_so_that_looked_up_and_sent_codes_agree() -> None:
    cream = CONFIG.codelists["dmd_emollient"][0]
    codes = pl.DataFrame({"dmd_code": [cream], "bnf_code": ["0407020C0AAAAAA"]})
    look_up = DmdToBnf(codes, "map.csv", "", None, n_by_substance=0, n_ambiguous=0, n_not_read=0)

    assert value(of_codes(("dmd_code", cream)), "has_emollient_90d", look_up=look_up) == 0
    assert value(of_codes(("dmd_code", cream)), "n_opioid_90d", look_up=look_up) == 1


def test_a_folder_of_lists_without_dmd_codes_works_as_before() -> None:
    own = {name: codes for name, codes in CONFIG.codelists.items() if not name.startswith("dmd_")}
    code = CONFIG.codelists["dmd_opioid"][0]

    assert value(of_codes(("dmd_code", code)), "n_opioid_90d", codelists=own) is None


@pytest.mark.parametrize("group", LISTED)
def test_a_changed_list_changes_the_definition_of_its_own_features_alone(group: str) -> None:
    changed = {**CONFIG.codelists, dmd_list_of(group): ("22298006",)}

    def moved(feature: Feature) -> bool:
        return definition(feature, changed) != definition(feature, CONFIG.codelists)

    assert {feature.name for feature in GROUP_FEATURES if moved(feature)} == set(of_group(group))


def absent(tables: Tables) -> Records:
    """The same records from an agency whose file has no column of BNF codes."""
    records = records_of(tables)
    without = replace(records.tables["gp_prescriptions"], absent_columns=("bnf_code",))
    return replace(records, tables={**records.tables, "gp_prescriptions": without})


def test_a_column_that_nobody_sent_makes_no_group_unknown_once_codes_are_looked_up() -> None:
    opioid = next(code for bnf, code in made_up_dmd_codes().items() if bnf.startswith("040702"))
    tables = of_codes(("dmd_code", opioid))

    without = with_bnf_codes(absent(tables), None)
    filled = with_bnf_codes(absent(tables), LOOK_UP)
    in_vain = with_bnf_codes(absent(of_codes(("dmd_code", UNKNOWN_CODE))), LOOK_UP)

    assert "bnf_code" in without.untold()["gp_prescriptions"]
    assert "bnf_code" in in_vain.untold()["gp_prescriptions"]
    assert "bnf_code" not in filled.untold()["gp_prescriptions"]
    features = built(filled, spine_on(tables, NIGHT), codelists=CONFIG.codelists).filter(person_id=A)
    assert features.select("n_opioid_90d", "has_insulin_90d", "n_sedative_90d").row(0) == (1, 0, 0)


# --- The one place ----------------------------------------------------------------------------------------------------


def test_every_job_fills_them_in_at_the_gate_and_an_old_mapping_is_told(county_tables: Tables, tmp_path: Path) -> None:
    dmd_to_bnf().write_csv(tmp_path / "dmd_to_bnf_20250101.csv")
    config = replace(CONFIG, dmd_to_bnf=tmp_path / "dmd_to_bnf_20250101.csv")
    records = records_of(in_other_words(county_tables, ("all_dmd_only",)))

    gate = permitted_or_stop(records, config=config, purpose="direct_care", recipients=("group",), on=NIGHT)

    rows = gate.records.tables["gp_prescriptions"].rows.collect()
    assert rows.height > 1000
    assert rows["bnf_code"].null_count() == 0
    assert rows["bnf_looked_up"].all()
    assert gate.dmd_to_bnf is not None
    assert gate.dmd_to_bnf.told()["n_codes"] == len(made_up_dmd_codes())
    assert any("more than 400 days old" in doubt for doubt in gate.doubts)


# --- Partitions, and what to ask for ----------------------------------------------------------------------------------

# A heart attack as a concept, and one of its descriptions; amlodipine 5 mg tablets, of the UK extension.
PARTITIONS = [("22298006", "00", True), ("37436014", "01", False), ("39732311000001104", "10", True)]


@pytest.mark.parametrize(("code", "digits", "concept"), PARTITIONS)
def test_the_partition_tells_a_concept_from_a_description(code: str, digits: str, concept: bool) -> None:
    found = pl.DataFrame({"code": [code]}).select(
        valid=is_snomed(pl.col("code")), digits=partition(pl.col("code")), concept=is_concept(pl.col("code"))
    )

    assert found.row(0) == (True, digits, concept)


ENTRIES = f"""
person_id | code_system | code      | recorded_on
{A}       | snomed      | 22298006  | 2026-01-01
{A}       | snomed      | 37436014  | 2026-01-01
{A}       | snomed      | 37436014  | 2026-01-02
{A}       | ctv3        | H33..     | 2026-01-01
{B}       | read2       | Eu00.     | 2026-01-01
{B}       | local       | EMISNQRE1 | 2026-01-01
"""
WORDS = {
    "snomed_description": "SNOMED CT concept id, not the description id",
    "ctv3": "concept id that its system keeps with each Read code",
    "read2": "concept id that its system keeps with each Read code",
    "local": "its own code is mapped to",
    "dmd": "`dmd_to_bnf` in score.toml",
    "not_dmd": "dm+d code of the product (VMP or AMP)",
    "not_bnf": "BNF or dm+d code",
}


def counted(tables: Tables) -> pl.DataFrame:
    records = with_bnf_codes(records_of(tables), LOOK_UP)
    return recognised(records.rows(), places=CONFIG.places, codelists=CONFIG.codelists, floors=RecognitionSettings())


@pytest.fixture(scope="module")
def mixed() -> Tables:
    prescriptions = of_codes(
        ("bnf_code", "0407020C0AAAAAA"),
        ("bnf_code", "C10AA05"),
        ("dmd_code", "37436014"),
        ("dmd_code", UNKNOWN_CODE),
        ("dmd_code", next(iter(made_up_dmd_codes().values()))),
        ("dmd_code", CONFIG.codelists["dmd_opioid"][0]),
    )
    return {**prescriptions, "gp_events": table(ENTRIES, like="gp_events").cast({"code": pl.String})}


@pytest.mark.parametrize("kind", WORDS)
def test_of_each_terminology_that_is_not_read_it_is_said_how_many_from_whom_and_what_to_ask(
    kind: str, mixed: Tables
) -> None:
    said = [line for line in asks(counted(mixed)) if WORDS[kind] in line]

    assert said != []
    assert all("by practice: M82041" in line for line in said)


def test_the_counts_of_what_to_ask_are_those_of_the_rows(mixed: Tables) -> None:
    said = asks(counted(mixed))

    assert any(line.startswith("gp_events: 2 of 6 coded entries are SNOMED CT description ids") for line in said)
    assert any(line.startswith("gp_prescriptions: 1 of 6 prescriptions are dm+d codes alone") for line in said)


def test_the_coverage_says_how_entries_and_prescriptions_are_told(mixed: Tables) -> None:
    entries, prescriptions = coverage(counted(mixed))

    # Of six entries the heart attack alone is on a list (heart disease).
    assert entries.startswith("gp_events: 1 of 6 coded entries (16.7%) are on one of our code lists")
    for part in (
        "1 (16.7%) by the BNF code that was sent",
        "1 (16.7%) by a BNF code looked up",
        "3 (50.0%) not at all",
    ):
        assert part in prescriptions
    assert "1 (16.7%) in part, by a list of dm+d codes" in prescriptions


def checked(folder: Path, name: str, rows: str) -> CheckedRecords:
    (folder / f"{name}.csv").write_text(rows, encoding="utf-8")
    return check(folder, config=CONFIG, on=NIGHT)


@pytest.mark.parametrize(
    ("name", "header", "row", "said"),
    [
        (
            "gp_prescriptions",
            "person_id,dmd_code,issued_on,recorded_on",
            "318507003,2026-09-01,2026-09-01",
            "by a list",
        ),
        ("gp_prescriptions", "person_id,dmd_code,issued_on,recorded_on", "197361,2026-09-01,2026-09-01", "RxNorm"),
        (
            "gp_events",
            "person_id,code_system,code,recorded_on",
            "snomed,37436014,2026-09-01",
            "concept id, not the description id",
        ),
        ("gp_events", "person_id,code_system,code,recorded_on", "ctv3,H33..,2026-09-01", "Read code"),
    ],
)
def test_check_tells_it_of_one_table_alone_without_a_register(
    name: str, header: str, row: str, said: str, tmp_path: Path
) -> None:
    lines = [header, *(f"{pseudonym(n)},{row}" for n in range(1, 5))]

    found = checked(tmp_path, name, "\n".join(lines) + "\n")

    assert any(said in note for note in found.notes), found.notes
    # Descriptions are counted and kept: refusing a supplier's every row would stop the night and say less.
    assert found.refused.is_empty() is (said != "RxNorm")
