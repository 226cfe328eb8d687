"""The contracts written twice, in other words: of every row both say the same."""

import pytest
from helpers import slow_validator
from helpers.evidence import counted
from helpers.fuzzed_rows import EVERY, disagreements, fuzzed, spoilt_rows
from helpers.slow_validator import Cell, day_of, fold, is_snomed, number_of, read_cell, verdict
from helpers.tables import GOOD, pseudonym, read, refusals, write_csv

from ageingwell.contracts.registry import TABLES, columns

SEED = 20261122
N_ROWS = 44_000


def test_both_validators_say_the_same_of_every_spoilt_row() -> None:
    found = list(fuzzed(N_ROWS, seed=SEED, rows_at_once=4_000))

    counted("R4.rows", N_ROWS, len(found), seed=SEED, note="verdict, rules, emptied cells, held people and values")
    assert found == []


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("table", TABLES)
def test_every_text_in_every_column_alone(table: str) -> None:
    labels = {label for column in columns(table) for label in column.labels}
    rows = [dict(GOOD[table]) | {column.name: text} for column in columns(table) for text in [*EVERY, *sorted(labels)]]

    found = list(disagreements(table, rows))

    counted("R4.cells", len(rows), len(found), note="each text alone in each column")
    assert found == []


def test_the_comparison_sees_a_rule_that_one_of_them_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    read_cell.cache_clear()
    monkeypatch.setitem(slow_validator.RANGES, ("homes", "occupants"), (0, 499))
    try:
        assert list(disagreements("homes", spoilt_rows("homes", 3_000, SEED)))
    finally:
        read_cell.cache_clear()


def test_the_slow_validator_by_hand() -> None:
    # By the dictionary: an unreadable end is read as empty and holds the person; an unknown sex refuses the row.
    row = GOOD["gp_patients"] | {"left_on": "soon", "sex": "woman", "birth_month": "1940-03-02"}

    said = verdict("gp_patients", row)

    assert said.refused == {("sex", "unknown_label"), ("birth_month", "not_the_first")}
    assert said.emptied == {("left_on", "not_a_date")}
    assert said.held
    assert read_cell("homes", "occupants", "£1,050.00") == Cell(None, emptied=("out_of_range",))
    assert [number_of(text) for text in ("£1,050.00", "1 050", "(20.00)", "18,50", "1e400")] == [
        1050,
        1050,
        -20,
        None,
        None,
    ]
    assert [str(day_of(text)) for text in ("2026-03-01 09:30", "2026-02-30")] == ["2026-03-01", "None"]
    # SNOMED CT: myocardial infarction, and the same with another check digit.
    assert (is_snomed("22298006"), is_snomed("22298007")) == (True, False)
    assert fold("NFA – Moved") == "nfa_moved"


def test_two_versions_of_one_day_and_rows_sent_twice(tmp_path) -> None:  # type: ignore[no-untyped-def]
    # Persons 1 and 2 twice on one day: of 1 the versions differ and both are refused, of 2 they are the same and count.
    rows = [
        GOOD["gp_patients"] | {"person_id": pseudonym(number), "sex": sex}
        for number, sex in ((1, "female"), (1, "male"), (2, "male"), (2, "male"), (3, "female"))
    ]
    write_csv(tmp_path / "gp_patients.csv", rows)

    checked = read("gp_patients", tmp_path)

    by_key: dict[tuple[str | None, str | None], set[str]] = {}
    for row in rows:
        by_key.setdefault((row["person_id"], row["recorded_on"]), set()).add(str(verdict("gp_patients", row).values))
    tied = [n for n, row in enumerate(rows, 1) if len(by_key[row["person_id"], row["recorded_on"]]) > 1]
    assert [number for number, _, rules in refusals(checked) if rules == ["tied_version"]] == tied == [1, 2]
