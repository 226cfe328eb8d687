"""A fall, a broken bone or an injury from a fall is found in whatever position of a hospital record it stands."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from helpers.knowledge import CONFIG, known_on, spine_on
from helpers.known import NIGHT, features_of, needs_found, register
from helpers.tables import good_rows, read, table, write_csv

from ageingwell.features.build import FEATURES, columns_behind
from ageingwell.outcomes import label_outcomes
from ageingwell.recognition.people import recognise
from ageingwell.timeline import AsOf, Horizon

Frames = dict[str, pl.DataFrame]
AFTER_A_FALL = ("has_fall_admission_365d", "has_fall_admission_1095d")


def stays(*rows: tuple[str | None, str | None], kind: str = "emergency_admission", day: str = "2026-09-01") -> Frames:
    """Versions of one stay of p1, each its main diagnosis and the others, recorded on days one after another."""
    lines = "\n".join(
        f"p1 | {kind} | {main or ''} | {others or ''} | {day} | 2026-09-{n + 2:02}"
        for n, (main, others) in enumerate(rows)
    )
    head = "person_id | kind | icd10 | other_icd10 | started_on | recorded_on"
    return {
        "gp_patients": register(("p1", "h1", "1940-01-01")),
        "hospital_events": table(f"{head}\n{lines}", like="hospital_events"),
    }


@pytest.mark.parametrize(
    ("main", "others", "fell"),
    [
        ("S72.0", None, 1.0),
        ("J18.9", "W19.0", 1.0),
        ("S06.0", "I10 W01.0", 1.0),
        ("S060", "I10;E119;W010", 1.0),
        ("J189", "I10; S72.0", 1.0),
        (None, "W19", 1.0),
        ("J18.9", "I10 E11.9", 0.0),
        ("J18.9", None, 0.0),
        (None, "I10", None),  # the main diagnosis was not sent: it may have been a broken hip
        (None, None, None),
    ],
)
def test_a_fall_is_found_in_any_position(main: str | None, others: str | None, fell: float | None) -> None:
    made = features_of(stays((main, others)))["p1"]

    assert [made[name] for name in AFTER_A_FALL] == [fell, fell]


def test_a_fall_in_a_later_position_calls_for_an_assessment() -> None:
    assert ("p1", "falls_assessment") in needs_found(stays(("J18.9", "I10 W19.0")))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_what_any_version_of_a_stay_tells_counts(order: tuple[int, ...]) -> None:
    versions = [("J18.9", None), (None, "I10 W19"), ("J18.9", "E11.9")]

    made = features_of(stays(*(versions[n] for n in order)))["p1"]

    assert (made["has_fall_admission_365d"], made["n_emergency_admissions_365d"]) == (1.0, 1.0)


def test_every_feature_after_a_fall_rests_on_all_positions() -> None:
    resting = [feature.name for feature in FEATURES if ("hospital_events", "icd10") in columns_behind(feature)]

    assert len(resting) == 4
    assert all(
        ("hospital_events", "other_icd10") in columns_behind(feature) for feature in FEATURES if feature.name in resting
    )


def test_without_the_other_positions_no_fall_is_no_answer() -> None:
    never_came = {"hospital_events": frozenset({"other_icd10"})}

    calm, fallen = (features_of(stays((main, None)), untold=never_came)["p1"] for main in ("J18.9", "S72.0"))

    assert [calm[name] for name in AFTER_A_FALL] == [None, None]
    assert [fallen[name] for name in AFTER_A_FALL] == [1.0, 1.0]


@pytest.mark.parametrize(("others", "label"), [("W19.0", 1), ("I10", 0)])
def test_an_outcome_is_found_in_any_position(others: str, label: int) -> None:
    cut_off = AsOf(date(2026, 8, 1))
    frames = stays(("J18.9", others))
    settled = known_on(frames, NIGHT)

    found = label_outcomes(
        settled, spine_on(frames, cut_off.day), cut_off, horizon=Horizon(365), codelists=CONFIG.codelists
    )

    assert found["loss_of_independence"].to_list() == [label]


@pytest.mark.parametrize(
    ("text", "n_good"),
    [("W19.0", 3), ("W19.0 I10", 3), ("W190;I10;E119", 3), ("W19; I10", 3), ("hip", 2), ("W19,I10", 2), ("W19/I10", 2)],
)
def test_several_codes_are_parted_by_blanks_or_semicolons(text: str, n_good: int, tmp_path: Any) -> None:
    rows = good_rows("hospital_events", 3)
    write_csv(tmp_path / "hospital_events.csv", [rows[0] | {"other_icd10": text}, *rows[1:]])

    told = read("hospital_events", tmp_path).rows.collect()["other_icd10"].drop_nulls().to_list()

    # Whether the row or the cell alone is left out, a text that is no list of codes is in no table.
    assert (text in told) is (n_good == 3)


def recognised(main: str, others: str | None) -> tuple[Any, bool]:
    """The shares by column and question of 200 stays that are all alike, and whether nothing is told of p1."""
    frames = stays((main, others))
    alike = [
        frames["hospital_events"].with_columns(started_on=date(2026, 1, 1) + pl.duration(days=n)) for n in range(200)
    ]
    frames["hospital_events"] = pl.concat(alike)
    tables = known_on(frames, NIGHT)
    found = recognise(
        tables,
        spine_on(frames, NIGHT),
        AsOf(NIGHT),
        places=CONFIG.places,
        codelists=CONFIG.codelists,
        floors=CONFIG.score.recognition,
    )
    of_stays = found.counted.filter(table="hospital_events")
    shares = {(row["column"], row["recognised_as"]): row["is_enough"] for row in of_stays.iter_rows(named=True)}
    return shares, found.untold["hospital_events.icd10"].item()


def test_main_and_other_diagnoses_are_judged_each_by_itself() -> None:
    # W37.1 is an operation on the hip; I10 and J18 are common diagnoses, S72 is on a list.
    whole, _ = recognised("S72.0", "I10 J44.9")
    assert whole[("icd10", "on_a_list")]
    assert whole[("other_icd10", "common_chapter")]
    # Most other diagnoses are long-term conditions, on no list of ours: that is counted and not judged.
    assert whole[("other_icd10", "on_a_list")] is None

    shares, untold = recognised("I21.9", "W37.1 Z94.2")
    assert shares[("other_icd10", "common_chapter")] is False
    assert untold

    shares, _ = recognised("J18.9", None)
    assert not [column for column, _ in shares if column == "other_icd10"]
