"""A fault of a file stops the source with one sentence, its exit code, and no value of any record."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import Rows, csv_text, good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.config.load import load_config
from ageingwell.config.score import TableSettings
from ageingwell.contracts.registry import TABLES
from ageingwell.errors import AgeingWellError, ConfigError, RefusedRowsError, SourceError
from ageingwell.reading import chunks
from ageingwell.sources.folder import unused_files
from ageingwell.sources.locate import locate
from ageingwell.sources.read import read_agencies

NAME = "gp_patients"
ROWS = good_rows(NAME, 5)


def fault(data: Path, *, required: bool = True, only: str = NAME, share: float = 0.1, **settings: object) -> str:
    """What reading the folder stops with; no cell of a good row may stand in it."""
    told = {name: TableSettings(required=False) for name in TABLES}
    told[only] = TableSettings.model_validate({"required": required, **settings})
    with pytest.raises(SourceError) as stopped:
        read_agencies(data, told, workspace=data / ".checked", max_refused_share=share, only=(only,))
    assert stopped.value.exit_code == 4
    assert stopped.value.remedy
    shows_no_value(stopped.value, good_rows(only, 5))
    return stopped.value.found


def shows_no_value(error: AgeingWellError, rows: Rows) -> None:
    cells = {cell for row in rows for cell in row.values() if cell is not None and len(cell) > 3}
    assert [cell for cell in cells if cell in str(error)] == []


def text(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_parquet(data: Path, rows: Rows = ROWS) -> Path:
    path = data / f"{NAME}.parquet"
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(path)
    return path


# --- The file is not there, empty, or cut off ---


def test_a_missing_required_table_stops_the_run(tmp_path: Path) -> None:
    assert fault(tmp_path) == "gp_patients: the table is required and was not found"


def test_a_missing_optional_table_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    told = {name: TableSettings(required=False) for name in TABLES}

    records = read_agencies(tmp_path, told, workspace=tmp_path, max_refused_share=0.1)

    assert records.tables == {}
    assert records.missing == tuple(TABLES)


@pytest.mark.parametrize("table", TABLES)
def test_a_damaged_table_stops_the_run_and_of_one_that_need_not_come_it_says_how_to_go_on(
    table: str, tmp_path: Path
) -> None:
    (tmp_path / f"{table}.parquet").write_bytes(b"PAR1 and no more")
    for required in (True, False):
        told = {name: TableSettings(required=False) for name in TABLES}
        told[table] = TableSettings(required=required)

        with pytest.raises(SourceError, match=table) as stopped:
            read_agencies(tmp_path, told, workspace=tmp_path / ".checked", max_refused_share=0.1, only=(table,))

        assert (f"goes on without {table}" in str(stopped.value.remedy)) is not required


def test_a_missing_data_folder_is_named(tmp_path: Path) -> None:
    assert fault(tmp_path / "nowhere") == "nowhere: there is no such data folder"


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", "   \n\n"])
def test_an_empty_file_stops_the_source(content: str, tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", content)

    assert fault(tmp_path) == "gp_patients.csv: the file is empty"


def test_a_required_table_with_its_header_alone_stops_the_run(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).splitlines()[0] + "\n")

    assert fault(tmp_path) == "gp_patients: the table is required and has no rows"


def test_an_optional_table_with_its_header_alone_has_no_rows(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).splitlines()[0])

    checked = read(NAME, tmp_path)

    assert (checked.n_read, checked.n_good, checked.newest_on) == (0, 0, None)
    assert checked.rows.collect().height == 0


def test_every_half_written_parquet_file_is_noticed(tmp_path: Path) -> None:
    path = as_parquet(tmp_path)
    whole = path.read_bytes()
    for share in (0, 1, 4, 12, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        path.write_bytes(whole[:share])

        assert fault(tmp_path) == "gp_patients.parquet: not a whole Parquet file"


def test_a_csv_file_under_the_name_of_parquet_is_noticed(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.parquet", csv_text(ROWS))

    assert fault(tmp_path) == "gp_patients.parquet: not a whole Parquet file"


def test_a_csv_file_cut_within_its_last_row_stops_the_source(tmp_path: Path) -> None:
    whole = csv_text(ROWS)
    last = whole.splitlines()[-1]
    for kept in (1, len(last) // 2, last.rindex(",") - 1):
        text(tmp_path / "gp_patients.csv", whole.removesuffix(last + "\n") + last[:kept])

        assert fault(tmp_path) == "gp_patients.csv, row 5: the file ends within a row"


def test_a_csv_file_cut_within_its_last_cell_loses_that_row_and_says_so(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS)[:-4])

    assert refusals(read(NAME, tmp_path)) == [(5, "recorded_on", ["not_a_date"])]


def test_a_csv_file_without_a_line_break_at_its_end_is_whole(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).rstrip("\n"))

    assert read(NAME, tmp_path).n_good == 5


def test_a_file_that_changes_while_it_is_read_stops_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "gp_patients.csv", ROWS)
    digest = chunks._sha256

    def meanwhile(read_path: Path) -> str:
        found = digest(read_path)
        with path.open("a", encoding="utf-8") as file:
            file.write(csv_text(good_rows(NAME, 1)).splitlines()[1] + "\n")
        return found

    monkeypatch.setattr(chunks, "_sha256", meanwhile)

    assert fault(tmp_path) == "gp_patients.csv: the file changed while it was read"


def test_the_digest_is_that_of_the_bytes_on_disk(tmp_path: Path) -> None:
    path = text(tmp_path / "fire_incidents.csv", csv_text(good_rows("fire_incidents", 1)))

    [told] = read("fire_incidents", tmp_path).files

    assert told.sha256 == subprocess.run(["sha256sum", path], capture_output=True, text=True).stdout.split()[0]
    assert (told.file, told.n_rows) == ("fire_incidents.csv", 1)


# --- Its text is not what it should be ---


def test_windows_1252_is_named_with_its_line(tmp_path: Path) -> None:
    rows = spoilt(ROWS, 3, communication_need="café")
    text(tmp_path / "gp_patients.csv", csv_text(rows).encode("cp1252"))

    # The header is line 1, so the fourth row is line 5.
    assert fault(tmp_path) == "gp_patients.csv, line 5: not UTF-8 text (perhaps Windows-1252 or UTF-16)"


def test_windows_1252_far_below_the_first_block_is_named_with_its_line(tmp_path: Path) -> None:
    many = good_rows(NAME, 400)
    text(tmp_path / "gp_patients.csv", csv_text(spoilt(many, 390, communication_need="café")).encode("cp1252"))

    assert fault(tmp_path) == "gp_patients.csv, line 392: not UTF-8 text (perhaps Windows-1252 or UTF-16)"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark_is_named(encoding: str, tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).encode(encoding))

    assert fault(tmp_path) == "gp_patients.csv, line 1: not UTF-8 text (perhaps Windows-1252 or UTF-16)"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_separators_line_breaks_and_a_byte_order_mark_are_read_alike(
    mark: str, separator: str, line_break: str, tmp_path: Path
) -> None:
    rows = spoilt(ROWS, 1, communication_need="large print; in Welsh, please")
    content = mark + csv_text(rows, separator=separator).replace("\n", line_break)
    text(tmp_path / "gp_patients.csv", content)

    checked = read(NAME, tmp_path)

    assert checked.n_good == 5
    assert checked.rows.collect()["communication_need"][1] == "other_not_listed"


def test_a_quotation_mark_never_closed_is_named_with_the_line_it_stands_in(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).replace("easy_read", '"easy_read', 1))

    told = fault(tmp_path)

    assert told.startswith("gp_patients.csv: the row that starts in line 2 is not CSV")


def test_a_quotation_mark_never_closed_in_the_header_is_named(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", csv_text(ROWS).replace("sex", '"sex', 1))

    assert fault(tmp_path).startswith("gp_patients.csv: the row that starts in line 1 is not CSV")


def test_two_stray_quotation_marks_do_not_swallow_the_rows_between(tmp_path: Path) -> None:
    lines = csv_text(ROWS).splitlines()
    lines[2] = lines[2].replace("easy_read", '"easy_read')
    lines[4] = lines[4].replace("easy_read", '"easy_read')
    text(tmp_path / "gp_patients.csv", "\n".join([*lines, ""]))

    assert fault(tmp_path).startswith("gp_patients.csv: the row that starts in line 3 is not CSV")


def test_a_line_break_in_quotes_belongs_to_its_cell_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows = spoilt(spoilt(ROWS, 1, communication_need="large\nprint"), 3, sex="x")
    text(tmp_path / "gp_patients.csv", csv_text(rows))

    checked = read(NAME, tmp_path)

    assert checked.rows.collect()["communication_need"][1] == "large_print"
    assert refusals(checked) == [(4, "sex", ["unknown_label"])]


def test_rows_with_too_many_or_too_few_fields_are_refused_under_their_true_numbers(tmp_path: Path) -> None:
    lines = csv_text(good_rows(NAME, 7)).splitlines()
    lines[2] += ",one more"
    lines[5] = lines[5].rsplit(",", 1)[0]
    text(tmp_path / "gp_patients.csv", "\n".join([*lines, ""]))

    checked = read(NAME, tmp_path)

    assert refusals(checked) == [(2, None, ["wrong_number_of_fields"]), (5, None, ["wrong_number_of_fields"])]
    assert sorted(checked.rows.collect()["person_id"]) == sorted(pseudonym(n) for n in (1, 3, 4, 6, 7))


def test_empty_lines_at_the_end_say_nothing_and_one_between_rows_is_a_lost_row(tmp_path: Path) -> None:
    lines = csv_text(ROWS).splitlines()
    text(tmp_path / "gp_patients.csv", "\n".join([*lines[:3], "", *lines[3:], "", "", ""]))

    checked = read(NAME, tmp_path)

    assert refusals(checked) == [(3, None, ["wrong_number_of_fields"])]
    assert (checked.n_read, checked.n_good) == (6, 5)


def test_a_row_of_separators_alone_is_a_refused_row(tmp_path: Path) -> None:
    text(tmp_path / "fire_incidents.csv", csv_text(good_rows("fire_incidents", 2)) + ",,,\n")

    assert read("fire_incidents", tmp_path).n_refused == 1


# --- Its columns are not those of the contract ---


def renamed(old: str, new: str) -> str:
    return csv_text(ROWS).replace(old, new, 1)


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", [{k: v for k, v in row.items() if k != "sex"} for row in ROWS])

    assert fault(tmp_path) == "gp_patients.csv: column `sex` of gp_patients missing"


def test_every_missing_required_column_is_named(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", renamed("birth_month", "BirthMonth").replace("sex", "Gender", 1))

    assert fault(tmp_path) == "gp_patients.csv: columns `birth_month`, `sex` of gp_patients missing"


def test_a_renamed_column_of_a_parquet_file_is_named(tmp_path: Path) -> None:
    pl.DataFrame(ROWS, infer_schema_length=None).rename({"sex": "gender"}).write_parquet(
        tmp_path / "gp_patients.parquet"
    )

    assert fault(tmp_path) == "gp_patients.parquet: column `sex` of gp_patients missing"


def test_a_title_line_above_the_header_is_noticed(tmp_path: Path) -> None:
    text(tmp_path / "fire_incidents.csv", "Extract of the night\n" + csv_text(good_rows("fire_incidents", 2)))

    assert "columns `household_id`, `incident_type`" in fault(tmp_path, only="fire_incidents")


def test_two_columns_of_one_name_stop_the_source(tmp_path: Path) -> None:
    text(tmp_path / "gp_patients.csv", renamed("left_on", "died_on"))

    assert fault(tmp_path) == "gp_patients.csv: two columns have the same name"


def test_swapped_columns_refuse_every_row_and_stop_the_run(tmp_path: Path) -> None:
    swapped = csv_text(ROWS).replace("person_id,household_id", "household_id,person_id", 1)
    swapped = swapped.replace("birth_month,sex", "sex,birth_month", 1)
    text(tmp_path / "gp_patients.csv", swapped)

    told = {NAME: TableSettings(required=True)}
    with pytest.raises(RefusedRowsError) as stopped:
        read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.1, only=(NAME,))

    assert stopped.value.exit_code == 5
    assert "5 of 5 rows break the contract" in str(stopped.value)
    assert "the first is gp_patients.csv, row 1" in str(stopped.value)
    shows_no_value(stopped.value, ROWS)


def test_extra_columns_are_dropped_and_named_and_the_order_of_columns_is_free(tmp_path: Path) -> None:
    rows = [{"surname": "Canary", **dict(reversed(row.items())), "phone": "0151"} for row in ROWS]
    write_csv(tmp_path / "gp_patients.csv", rows)

    checked = read(NAME, tmp_path)

    assert checked.dropped_columns == ("phone", "surname")
    assert checked.n_good == 5
    assert checked.rows.collect()["sex"].to_list() == ["female"] * 5


def test_an_absent_optional_column_is_unknown_where_it_can_be_and_else_missing(tmp_path: Path) -> None:
    needed = ("household_id", "visited_on", "visit_outcome", "recorded_on")
    write_csv(
        tmp_path / "fire_visits.csv", [{name: row[name] for name in needed} for row in good_rows("fire_visits", 2)]
    )

    row = read("fire_visits", tmp_path).rows.collect().row(0, named=True)

    assert {row["lives_alone"], row["smoker"], row["telecare"]} == {"unknown"}
    assert {row["clutter_rating"], row["mobility"], row["care_support"]} == {None}


# --- Where it lies ---


def test_two_candidates_for_one_table_stop_the_source(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", ROWS)
    as_parquet(tmp_path)

    assert fault(tmp_path) == (
        "gp_patients: more than one candidate in the data folder: gp_patients.parquet, gp_patients.csv"
    )


def test_a_folder_and_a_file_for_one_table_stop_the_source(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", ROWS)
    (tmp_path / "gp_patients").mkdir()

    assert fault(tmp_path).endswith("gp_patients, gp_patients.csv")


def test_a_folder_of_parts_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    parts = tmp_path / "gp_patients"
    parts.mkdir()
    write_csv(parts / "b.csv", spoilt(ROWS, 4, sex="x", person_id=pseudonym(50))[3:])
    write_csv(parts / "a.csv", spoilt(ROWS, 1, sex="x")[:3])
    (parts / "_SUCCESS").touch()
    (parts / ".DS_Store").touch()

    checked = read(NAME, tmp_path)

    assert checked.refused.select("file", "row_number").rows() == [("a.csv", 2), ("b.csv", 2)]
    assert [(file.file, file.n_rows) for file in checked.files] == [("a.csv", 3), ("b.csv", 2)]
    assert checked.n_good == 3


def test_what_only_a_later_part_holds_is_told_too(tmp_path: Path) -> None:
    parts = tmp_path / "care_events"
    parts.mkdir()
    write_csv(parts / "a.csv", good_rows("care_events", 2))
    later = [{k: v for k, v in row.items() if k != "recorded_on"} | {"note": "x"} for row in good_rows("care_events")]
    write_csv(parts / "b.csv", later)

    checked = read("care_events", tmp_path, recorded_on="started_on + 45d")

    assert checked.dropped_columns == ("note",)
    assert checked.made_recorded_on == "started_on + 45d"


def test_a_later_part_without_a_required_column_stops_the_source(tmp_path: Path) -> None:
    parts = tmp_path / "gp_patients"
    parts.mkdir()
    write_csv(parts / "a.csv", ROWS)
    text(parts / "b.csv", renamed("sex", "Gender"))

    assert fault(tmp_path) == "b.csv: column `sex` of gp_patients missing"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ((), "gp_patients: the folder gp_patients/ holds no file"),
        (("a.csv", "b.parquet"), "gp_patients: the folder gp_patients/ mixes .csv and .parquet files"),
        (("a.csv", "a.csv.gz"), "gp_patients: the folder gp_patients/ mixes .csv and .csv.gz files"),
        (("a.csv", "b.docx"), "gp_patients: gp_patients/b.docx is not a file that can be read"),
    ],
)
def test_a_folder_of_anything_else_stops_the_source(names: tuple[str, ...], told: str, tmp_path: Path) -> None:
    parts = tmp_path / "gp_patients"
    parts.mkdir()
    for name in names:
        (parts / name).touch()

    assert fault(tmp_path) == told


def test_a_location_in_the_settings_is_where_the_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "from_the_practices").mkdir()
    write_csv(tmp_path / "from_the_practices" / "people.csv", ROWS)

    assert read(NAME, tmp_path, location="from_the_practices/people.csv").n_good == 5
    assert read(NAME, tmp_path, location="from_the_practices").n_good == 5
    assert fault(tmp_path, location="elsewhere.csv") == "gp_patients: the table is required and was not found"


def test_a_location_of_another_kind_of_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "people.docx").touch()

    assert fault(tmp_path, location="people.docx") == "people.docx: no file that can be read"


# --- The agency's own names ---


def test_the_agencys_names_of_columns_and_values_are_read(tmp_path: Path) -> None:
    rows = [{"Gender" if name == "sex" else name: cell for name, cell in row.items()} for row in ROWS]
    for row, value in zip(rows, ["M", "f", " F ", "Not Known", "female"]):
        row["Gender"] = value
    write_csv(tmp_path / "gp_patients.csv", rows)
    values = {"sex": {"M": "male", "F": "female", "not known": "unknown"}}

    checked = read(NAME, tmp_path, columns={"sex": "Gender"}, values=values)

    assert checked.rows.collect()["sex"].to_list() == ["male", "female", "female", "unknown", "female"]
    assert checked.dropped_columns == ()


def test_a_column_of_our_name_is_not_used_in_place_of_the_mapped_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", [row | {"SexAtBirth": "male"} for row in ROWS])

    checked = read(NAME, tmp_path, columns={"sex": "SexAtBirth"})

    assert checked.rows.collect()["sex"].unique().to_list() == ["male"]
    assert checked.dropped_columns == ("sex",)


def test_two_columns_can_be_mapped_across_each_other(tmp_path: Path) -> None:
    write_csv(tmp_path / "fire_incidents.csv", good_rows("fire_incidents", 1))

    checked = read("fire_incidents", tmp_path, columns={"happened_on": "recorded_on", "recorded_on": "happened_on"})

    assert refusals(checked) == [(1, "recorded_on", ["recorded_before_it_happened"])]


@pytest.mark.parametrize("ours", ["sex", "left_on"])
def test_a_mapped_column_that_is_not_sent_is_named_even_if_it_is_optional(ours: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", [{k: v for k, v in row.items() if k != ours} for row in ROWS])

    assert fault(tmp_path, columns={ours: "Theirs"}) == "gp_patients.csv: column `Theirs` of gp_patients missing"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"columns": {"sexx": "Gender"}}, "[gp_patients] columns.sexx: the contract has no such column"),
        ({"values": {"sexx": {"M": "male"}}}, "[gp_patients] values.sexx: the contract has no such column"),
        ({"values": {"sex": {"M": "man"}}}, "[gp_patients] values.sex: `man` is not one of its labels"),
        ({"recorded_on": "begun_on + 3d"}, "[gp_patients] recorded_on = begun_on: the contract has no such column"),
        (
            {"columns": {"left_on": "died_on"}},
            "[gp_patients] columns: `died_on` is mapped to two columns",
        ),
    ],
)
def test_a_mapping_that_maps_nothing_stops_before_anything_is_read(
    settings: dict[str, object], told: str, tmp_path: Path
) -> None:
    write_csv(tmp_path / "gp_patients.csv", ROWS)
    wrong = {NAME: TableSettings.model_validate({"required": True, **settings})}

    with pytest.raises(ConfigError) as stopped:
        read_agencies(tmp_path, wrong, workspace=tmp_path / "w", max_refused_share=0.1, only=(NAME,))

    assert stopped.value.found == f"agencies.toml: {told}"
    assert stopped.value.exit_code == 3


def test_the_shipped_settings_map_nothing_wrong(tmp_path: Path) -> None:
    told = load_config().tables
    with pytest.raises(SourceError, match="gp_patients: the table is required"):
        read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.1)


# --- Too many refused rows ---


@pytest.mark.parametrize(("n_bad", "stops"), [(1, False), (2, True)])
def test_more_refused_rows_than_the_share_stop_the_run(n_bad: int, stops: bool, tmp_path: Path) -> None:
    rows = good_rows("fire_incidents", 10)
    for position in range(n_bad):
        rows = spoilt(rows, 3 + position, incident_type="canary-label")
    write_csv(tmp_path / "fire_incidents.csv", rows)
    told = {"fire_incidents": TableSettings(required=True)}

    def run() -> object:
        return read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.1, only=("fire_incidents",))

    if not stops:
        run()
        return
    with pytest.raises(RefusedRowsError) as stopped:
        run()
    assert stopped.value.exit_code == 5
    assert stopped.value.found == (
        "fire_incidents: 2 of 10 rows break the contract, more than the share of 0.1 allowed; "
        "the first is fire_incidents.csv, row 4; most often incident_type: unknown_label (2 rows, 20%)"
    )


def test_one_refused_row_of_the_permissions_table_stops_the_run(tmp_path: Path) -> None:
    write_csv(tmp_path / "permissions.csv", spoilt(good_rows("permissions", 200), 150, checked_on="soon"))
    told = {"permissions": TableSettings(required=True)}

    with pytest.raises(RefusedRowsError, match=r"permissions: 1 of 200 rows .* row 151; .* checked_on: not_a_date"):
        read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.5, only=("permissions",))


@pytest.mark.slow
def test_checks_cannot_be_switched_off_from_the_environment(tmp_path: Path) -> None:
    write_csv(tmp_path / "fire_incidents.csv", spoilt(good_rows("fire_incidents", 2), 0, incident_type="x"))
    program = (
        "import sys; from pathlib import Path; from helpers.tables import read, refusals; "
        "print(refusals(read('fire_incidents', Path(sys.argv[1]))))"
    )
    environment = {
        "PANDERA_VALIDATION_ENABLED": "False",
        "PANDERA_VALIDATION_DEPTH": "SCHEMA_ONLY",
        "PYTHONPATH": ":".join(sys.path),
        "POLARS_MAX_THREADS": "2",
    }

    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "[(1, 'incident_type', ['unknown_label'])]"


def test_a_mark_of_made_up_data_that_cannot_be_read_stops_the_run(tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", ROWS)
    (tmp_path / "synthetic.json").write_text('{"synthetic": tr')

    assert fault(tmp_path) == "synthetic.json: cannot be read"


@pytest.mark.parametrize(
    ("mark", "made_up"), [(None, False), ('{"synthetic": true}', True), ('{"synthetic": 1}', False)]
)
def test_only_the_mark_makes_data_made_up(mark: str | None, made_up: bool, tmp_path: Path) -> None:
    write_csv(tmp_path / "gp_patients.csv", ROWS)
    if mark is not None:
        (tmp_path / "synthetic.json").write_text(mark)
    told = {NAME: TableSettings(required=True)}

    records = read_agencies(tmp_path, told, workspace=tmp_path / "w", max_refused_share=0.1, only=(NAME,))

    assert records.made_up is made_up


@pytest.mark.parametrize("table", ["permissions", "homes", "contacts"])
@pytest.mark.parametrize("leads_to", ["nowhere.parquet", "itself"])
def test_a_table_that_is_a_link_to_nowhere_stops_and_is_not_taken_for_one_never_sent(
    leads_to: str, table: str, tmp_path: Path
) -> None:
    link = tmp_path / f"{table}.parquet"
    link.symlink_to(link if leads_to == "itself" else tmp_path / leads_to)

    with pytest.raises(SourceError, match=table):
        locate(table, TableSettings(required=False), tmp_path)


@pytest.mark.parametrize("table", ["gp_events", "permissions"])
def test_a_link_to_itself_among_the_tables_is_told_by_every_look_at_the_folder(table: str, tmp_path: Path) -> None:
    told = {name: TableSettings(required=False) for name in TABLES}
    (tmp_path / f"{table}.csv").symlink_to(f"{table}.csv")

    with pytest.raises(SourceError):
        unused_files(tmp_path, told)
    with pytest.raises(SourceError):
        locate(table, told[table], tmp_path)
