"""People whom the council knows by its own id: kept, lent the number of their other rows, or counted as strangers."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.raw import KEY, NUMBERS, pseudonymised, raw_rows, run
from helpers.tables import Rows, write_csv

from ageingwell.errors import RefusedRowsError, SourceError
from ageingwell.pseudonyms import pseudonym, pseudonymised_text

ANN, BOB, CAT, DAN = NUMBERS[:4]
WORDS = ["NULL", "null", "NA", "N/A", "#N/A", "nan", "None", "unknown", "Not known", " ", "\u00a0", ""]
COLUMNS = ("nhs_number", "la_person_id", "linked_nhs_number", "linked_la_person_id")


def named(number: str) -> str:
    return pl.DataFrame({"x": [number]}).select(pseudonym(pl.col("x"), domain="person", key=KEY)).item()


def care(drawing: str) -> Rows:
    """Rows of care_events, drawn by their identifiers alone: number | council id | linked number | linked id."""
    cells = [[cell.strip() or None for cell in line.split("|")] for line in drawing.strip().splitlines()]
    plain = raw_rows("care_events", 1)[0]
    return [plain | dict(zip(COLUMNS, [*line, None, None, None][:4], strict=True)) for line in cells]


def test_a_row_without_a_number_gets_the_one_that_other_rows_carry_for_its_council_id(tmp_path):
    done, made = run(
        tmp_path,
        "care_events",
        care(f"""
                  | A1
            {ANN} | A1
            {BOB} | B2
                  | A1
        """),
    )

    assert made["person_id"].to_list() == [named(ANN), named(ANN), named(BOB), named(ANN)]
    assert done.tables["care_events"].local_people["number_lent"] == 2
    assert done.tables["care_events"].n_refused == 0


@pytest.mark.slow
def test_a_council_id_without_any_number_is_a_stranger_of_its_own(tmp_path):
    done, made = run(tmp_path, "care_events", care(f"{ANN} | A1\n | C3\n | C3\n | D4"))

    ann, *strangers = made["person_id"].to_list()
    assert ann == named(ANN)
    assert strangers[0] == strangers[1] != strangers[2]
    assert not {*strangers} & {named(number) for number in NUMBERS}
    assert not {*strangers} & {*made["la_person_id"]}
    counted = done.tables["care_events"].local_people
    assert (counted["kept_by_local_id"], counted["ids_without_number"], counted["number_lent"]) == (3, 2, 0)


def test_a_council_id_that_is_an_nhs_number_meets_nobody_through_it(tmp_path):
    _, made = run(tmp_path, "care_events", care(f"{ANN} | A1\n | {BOB}"))

    assert named(BOB) not in made["person_id"].to_list()


def test_a_council_id_with_two_numbers_lends_none_and_the_numbers_sent_stay(tmp_path):
    done, made = run(tmp_path, "care_events", care(f"{ANN} | A1\n{BOB} | A1\n | A1"))

    assert made["person_id"].to_list()[:2] == [named(ANN), named(BOB)]
    assert made["person_id"][2] not in (named(ANN), named(BOB))
    counted = done.tables["care_events"].local_people
    assert (counted["two_numbers"], counted["kept_by_local_id"], counted["number_lent"]) == (1, 1, 0)
    assert counted["ids_with_two_numbers"] == 1


def test_two_spellings_of_one_number_are_one_number(tmp_path):
    spelt = f"{ANN[:3]} {ANN[3:6]} {ANN[6:]}"
    _, made = run(tmp_path, "care_events", care(f"{ANN} | A1\n{spelt} | A1\n{ANN}.0 | A1\n | A1"))

    assert made["person_id"].to_list() == [named(ANN)] * 4


def test_a_number_that_fails_its_check_digit_is_unusable_counted_and_lends_nothing(tmp_path):
    # 1 of 12 numbers is wrong: below one in ten.
    rows = [*care("9990000019 | A1\n | A1\n9990000019 | B2"), *raw_rows("care_events", 21)[2:], *care(f"{BOB} | B2")]

    done, made = run(tmp_path, "care_events", rows)

    people = made["person_id"].to_list()
    assert people[0] == people[1] != people[2] == named(BOB)
    counts = done.tables["care_events"]
    assert (counts.n_refused, counts.left_empty["nhs_number"]) == (0, 2)
    assert counts.emptied_by_rule == {"nhs_number: not_an_nhs_number": 2}
    emptied = pl.read_parquet(tmp_path / "out" / "emptied" / "care_events.parquet")
    assert emptied.select("row_number", "column").rows() == [(1, "nhs_number"), (3, "nhs_number")]


def test_a_row_with_neither_is_refused_as_before(tmp_path):
    done, made = run(
        tmp_path, "care_events", care(f"{ANN} | A1\n |\n9990000019 |\n | NULL\n | 000"), max_refused_share=0.9
    )

    assert made.height == 1
    assert done.tables["care_events"].refused_by_rule == {
        "nhs_number: missing": 3,
        "nhs_number: not_an_nhs_number": 1,
    }


@pytest.mark.parametrize("word", WORDS)
def test_a_word_that_means_empty_is_no_number_and_no_council_id(tmp_path, word):
    rows = care(f"{ANN} | A1\n{word} | A1\n{word} | C3")
    _, made = run(tmp_path, "care_events", rows)
    assert made["person_id"].to_list()[:2] == [named(ANN)] * 2

    with pytest.raises(RefusedRowsError, match="2 of 3 rows are refused"):
        run(tmp_path, "care_events", care(f"{ANN} | {word}\n | {word}\n | {word}"), out="other")


def test_noughts_are_no_council_id_so_that_two_people_do_not_become_one(tmp_path):
    # One of the two rows carries a number: it must not be lent to the other.
    _, made = run(tmp_path, "care_events", care(f"{ANN} | 0\n | 0\n{BOB} | B2"), max_refused_share=0.9)

    assert made["person_id"].to_list() == [named(ANN), named(BOB)]
    assert made["la_person_id"].null_count() == 1


def test_one_in_five_without_a_number_no_longer_stops_the_return(tmp_path):
    rows = raw_rows("care_events", 40)
    rows = [row | {"nhs_number": None} if at % 5 == 0 else row for at, row in enumerate(rows)]

    done, made = run(tmp_path, "care_events", rows)

    assert (made.height, done.tables["care_events"].local_people["kept_by_local_id"]) == (40, 8)


def test_a_return_in_which_nobody_has_a_number_stops(tmp_path):
    rows = [row | {"nhs_number": None} for row in raw_rows("care_events", 40)]

    with pytest.raises(SourceError, match="none of 40 rows has an NHS number"):
        run(tmp_path, "care_events", rows)

    assert not (tmp_path / "out").exists()


def test_a_return_without_the_column_of_numbers_stops(tmp_path):
    rows = [{name: value for name, value in row.items() if name != "nhs_number"} for row in raw_rows("care_events", 5)]

    with pytest.raises(SourceError, match="the column nhs_number is missing"):
        run(tmp_path, "care_events", rows)


# Links


def test_both_ends_of_a_link_by_council_id_meet(tmp_path):
    done, made = run(
        tmp_path,
        "care_events",
        care(f"""
            {ANN} | A1 |       | B2
            {BOB} | B2 |       | C3
                  | C3 |       | A1
            {CAT} | E5 |       | Z9
            {CAT} | E5 | {DAN} | A1
            {CAT} | E5 |       |
        """),
    )

    people, linked = made["person_id"].to_list(), made["linked_person_id"].to_list()
    assert linked[0] == people[1] == named(BOB)
    assert linked[1] == people[2]
    assert linked[2] == people[0] == named(ANN)
    assert linked[3] not in people
    # A number that was sent counts before one that is lent.
    assert linked[4] == named(DAN)
    assert linked[5] is None
    counted = done.tables["care_events"].local_people
    assert (counted["link_by_number"], counted["link_by_local_id"]) == (2, 2)
    assert "linked_la_person_id" not in made.columns
    assert done.tables["care_events"].refused_columns == ()


def test_a_link_without_the_column_of_linked_numbers_is_found_all_the_same(tmp_path):
    rows = care(f"{ANN} | A1 | | B2\n{BOB} | B2 | | ")
    rows = [{name: value for name, value in row.items() if name != "linked_nhs_number"} for row in rows]

    _, made = run(tmp_path, "care_events", rows)

    assert made["linked_person_id"].to_list() == [named(BOB), None]


def test_a_linked_council_id_that_a_spreadsheet_has_spoilt_is_emptied_and_counted(tmp_path):
    rows = care("\n".join([f"{ANN} | A1 | | 7.0E+03", *[f"{BOB} | B2 | | A1"] * 11]))

    done, made = run(tmp_path, "care_events", rows)

    assert made["linked_person_id"].to_list() == [None, *[named(ANN)] * 11]
    assert done.tables["care_events"].emptied_by_rule == {"linked_la_person_id: spreadsheet_number": 1}


def test_a_heading_as_the_return_writes_it_can_be_mapped(tmp_path):
    rows = [
        {"NHS Number": row.pop("nhs_number"), "Adult 1 Linked Person_ID": row.pop("linked_la_person_id"), **row}
        for row in care(f"{ANN} | A1 | | B2\n{BOB} | B2 | |")
    ]

    _, made = run(
        tmp_path,
        "care_events",
        rows,
        column_names={"care_events": {"Adult 1 Linked Person_ID": "linked_la_person_id"}},
    )

    assert made["linked_person_id"].to_list() == [named(BOB), None]


# What is told, and what never is


def test_the_text_and_the_record_tell_how_many_and_no_id(tmp_path):
    rows = care(
        f"{ANN} | SC777001\n | SC777001\n | SC777002\n{BOB} | SC777003 | | SC777002\n{CAT} | SC777003\n | SC777003"
    )

    done, _ = run(tmp_path, "care_events", rows)

    told = pseudonymised_text(done)
    assert told.splitlines()[:5] == [
        "care_events: 6 of 6 rows written",
        "  1 row without a usable NHS number, given the one that other rows carry for their la_person_id",
        "  2 rows without a usable NHS number, kept by la_person_id alone: strangers to every other table",
        "  1 row of these with a la_person_id that has two NHS numbers elsewhere, so none was given",
        "  1 row with a linked person known by la_person_id alone",
    ]
    record = (tmp_path / "out" / "pseudonymised.json").read_text()
    assert json.loads(record)["tables"]["care_events"]["local_people"]["kept_by_local_id"] == 2
    seen = told + record + "".join(str(pl.read_parquet(path).to_dicts()) for path in tmp_path.glob("out/**/*.parquet"))
    assert "SC77700" not in seen
    assert not any(number in seen for number in NUMBERS)


def test_too_many_refused_rows_are_told_by_cause_with_what_to_ask_for(tmp_path):
    rows = [*care(f"{ANN} | A1"), *care("|\n|\n9990000019 |")]

    with pytest.raises(RefusedRowsError) as stopped:
        run(tmp_path, "care_events", rows)

    assert "nhs_number: missing (2); nhs_number: not_an_nhs_number (1)" in str(stopped.value)
    assert "ask for the NHS number in every row" in str(stopped.value.remedy)
    assert "la_person_id" in str(stopped.value.remedy)
    assert "ask whether the column holds NHS numbers" in str(stopped.value.remedy)


# The other tables: unchanged


@pytest.mark.parametrize("table", ["gp_patients", "gp_events", "gp_prescriptions", "hospital_events"])
def test_no_other_table_keeps_a_row_by_a_council_id(tmp_path, table):
    rows = [row | {"la_person_id": "A1"} for row in raw_rows(table)]
    rows[0] = rows[0] | {"nhs_number": None}

    done, made = run(tmp_path, table, rows)

    assert (made.height, done.tables[table].n_refused) == (11, 1)
    assert done.tables[table].local_people == {}
    assert "la_person_id" in done.tables[table].refused_columns


def test_rows_parted_into_files_lend_across_them(tmp_path):
    folder = tmp_path / "raw" / "care_events"
    folder.mkdir(parents=True)
    write_csv(folder / "1.csv", care(" | A1\n | C3"))
    write_csv(folder / "2.csv", care(f"{ANN} | A1"))

    pseudonymised(tmp_path)

    made = pl.read_parquet(tmp_path / "out" / "care_events.parquet")
    assert made["person_id"].to_list()[0] == made["person_id"].to_list()[2] == named(ANN)


def test_council_ids_that_a_parquet_file_holds_as_whole_numbers_are_the_same_ids(tmp_path):
    folder = tmp_path / "raw" / "care_events"
    folder.mkdir(parents=True)
    for name, number in (("1", None), ("2", ANN)):
        pl.DataFrame(
            {"nhs_number": [number], "la_person_id": [77], "started_on": [date(2025, 1, 1)]},
            schema_overrides={"nhs_number": pl.String},
        ).write_parquet(folder / f"{name}.parquet")

    pseudonymised(tmp_path)

    made = pl.read_parquet(tmp_path / "out" / "care_events.parquet")
    assert made["person_id"].to_list() == [named(ANN)] * 2


def test_the_return_of_a_real_layout_keeps_every_person(tmp_path: Path):
    """The shape of a Client Level Data return: one person in eight has no number, carers are named by council id."""
    rows = care(
        "\n".join(f"{NUMBERS[n] if n % 8 else ''} | SC1000{n:02} | | SC1000{(n + 1) % 24:02}" for n in range(24))
    )

    done, made = run(tmp_path, "care_events", rows)

    # n = 0, 8, 16 have no number; every link names the next person, so all 24 links meet a row.
    assert done.tables["care_events"].local_people == {
        "kept_by_local_id": 3,
        "link_by_local_id": 3,
        "link_by_number": 21,
        "number_lent": 0,
        "two_numbers": 0,
        "ids_without_number": 3,
        "ids_with_two_numbers": 0,
    }
    people = made["person_id"].to_list()
    assert made["linked_person_id"].to_list() == [*people[1:], people[0]]
