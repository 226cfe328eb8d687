"""A table is read in chunks: what comes out does not depend on how large they are, nor on the order of the rows."""

import random
from pathlib import Path

import polars as pl
import pytest
from helpers.tables import GOOD, Rows, good_rows, pseudonym, read, refusals, spoilt, write_csv

from ageingwell.contracts.registry import TABLES
from ageingwell.sources import raw
from ageingwell.sources.read import CheckedTable


def many_rows(name: str, n: int = 20) -> Rows:
    rows = good_rows(name, n)
    for position in range(0, n, 6):
        rows = spoilt(rows, position, recorded_on="soon", checked_on="soon")
    return [{column: row[column] for column in GOOD[name]} for row in rows]


def as_written(data: Path, name: str, rows: Rows, suffix: str) -> Path:
    data.mkdir(exist_ok=True)
    if suffix == "csv":
        return write_csv(data / f"{name}.csv", rows)
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(data / f"{name}.parquet", row_group_size=11)
    return data / f"{name}.parquet"


def facts(checked: CheckedTable) -> tuple[object, ...]:
    return (
        checked.n_read,
        checked.n_good,
        checked.newest_on,
        checked.refused.rows(),
        checked.rows.collect().rows(),
        sorted(checked.refused_people.rows(), key=str),
        checked.files,
    )


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("name", TABLES)
def test_the_size_of_a_chunk_changes_nothing(
    name: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_written(tmp_path, name, many_rows(name), suffix)
    whole = facts(read(name, tmp_path))

    for size in (7, 20):
        monkeypatch.setattr(raw, "CHUNK_ROWS", size)

        assert facts(read(name, tmp_path)) == whole


def test_empty_lines_and_ragged_rows_keep_their_numbers_at_every_size_of_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_csv(tmp_path / "fire_incidents.csv", good_rows("fire_incidents", 9))
    lines = path.read_text().splitlines()
    lines = [*lines[:4], "", "", *lines[4:7], lines[7] + ",more", *lines[8:], "", "", "", ""]
    path.write_text("\n".join(lines))

    for size in (1, 2, 3, 4, 5, 200):
        monkeypatch.setattr(raw, "CHUNK_ROWS", size)
        checked = read("fire_incidents", tmp_path)

        # Three rows, two empty lines (4 and 5), three rows, one with a field too many (9), two rows.
        assert [row for row, _, _ in refusals(checked)] == [4, 5, 9]
        assert (checked.n_read, checked.n_good) == (11, 8)


def tied() -> Rows:
    """Twelve people; the versions of the third and the tenth person come twice on the same day."""
    rows = good_rows("gp_patients", 12)
    rows[7] = rows[7] | {"person_id": pseudonym(3), "sex": "male"}
    rows[0] = rows[0] | {"person_id": pseudonym(10), "sex": "male"}
    rows[5] = rows[5] | {"person_id": pseudonym(10), "recorded_on": "2024-06-12"}
    return rows


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_versions_of_one_person_and_day_are_all_refused_however_far_apart(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "CHUNK_ROWS", size)
    write_csv(tmp_path / "gp_patients.csv", tied())

    checked = read("gp_patients", tmp_path)

    assert refusals(checked) == [(row, "recorded_on", ["tied_version"]) for row in (1, 3, 8, 10)]
    assert checked.n_good == 8
    # The later version of the tenth person is alone on its day and stays.
    kept = checked.rows.filter(pl.col("person_id") == pseudonym(10)).collect()
    assert [str(day) for day in kept["recorded_on"]] == ["2024-06-12"]
    assert sorted(checked.refused_people["person_id"]) == sorted([pseudonym(3), pseudonym(10)] * 2)


def test_a_tie_across_two_files_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "gp_patients"
    folder.mkdir()
    write_csv(folder / "a.csv", good_rows("gp_patients", 2))
    write_csv(folder / "b.csv", spoilt(good_rows("gp_patients", 3)[1:], 0, sex="male"))

    checked = read("gp_patients", tmp_path)

    assert checked.refused.select("file", "row_number").rows() == [("a.csv", 2), ("b.csv", 1)]
    assert checked.n_good == 2


def test_a_refused_version_does_not_tie_a_good_one(tmp_path: Path) -> None:
    twice = good_rows("gp_patients", 1) * 2
    write_csv(tmp_path / "gp_patients.csv", spoilt(twice, 1, sex="x"))

    checked = read("gp_patients", tmp_path)

    assert refusals(checked) == [(2, "sex", ["unknown_label"])]
    assert checked.n_good == 1
    assert checked.refused_people["person_id"].to_list() == [pseudonym(1)]


def test_the_order_of_the_rows_changes_neither_what_is_kept_nor_what_is_refused(tmp_path: Path) -> None:
    rows = tied() + spoilt(good_rows("gp_patients", 20)[13:], 2, sex="x")
    shuffled = random.Random(5).sample(rows, len(rows))
    as_written(tmp_path / "a", "gp_patients", rows, "csv")
    as_written(tmp_path / "b", "gp_patients", shuffled, "csv")

    ours, theirs = read("gp_patients", tmp_path / "a"), read("gp_patients", tmp_path / "b")

    assert sorted(ours.rows.collect().rows(), key=str) == sorted(theirs.rows.collect().rows(), key=str)
    assert ours.refused_by_rule().equals(theirs.refused_by_rule())


def test_reading_again_into_the_same_workspace_gives_the_same(tmp_path: Path) -> None:
    as_written(tmp_path, "gp_patients", many_rows("gp_patients"), "csv")

    assert facts(read("gp_patients", tmp_path)) == facts(read("gp_patients", tmp_path))
