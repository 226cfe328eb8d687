"""The benchmarks' own arithmetic, and that those who are compared do the same work: never how long anything took."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.scale import with_ageingwell, with_duckdb, with_pandas
from benchmarks.scale.children import ChildFailed, cost_of, result_of
from benchmarks.scale.growth import at, exponent, told_england
from benchmarks.scale.job import FEATURES, READ
from benchmarks.scale.rivals import NotTheSame, cpu_of_everybody, stop_unless_same
from benchmarks.scale.same_night import ageingwell, prepare, straw_man
from benchmarks.scale.told import Told, as_table, page, skipped

pytestmark = pytest.mark.slow

NIGHT = "2026-11-22"


def changed(rows: pl.DataFrame, places: dict[int, dict[str, Any]]) -> pl.DataFrame:
    """The rows with some cells replaced, by the place of their row."""
    told = rows.to_dicts()
    for place, cells in places.items():
        told[place] |= cells
    return pl.DataFrame(told, schema=rows.schema)


# Each row breaks one rule, or says again or otherwise what another row says.
SPOILED: dict[str, dict[int, dict[str, Any]]] = {
    "gp_patients": {
        0: {"person_id": "no pseudonym"},
        3: {"household_id": "no pseudonym"},
        5: {"birth_month": date(1950, 3, 2)},
        7: {"died_on": None, "died_recorded_on": date(2026, 1, 5)},
        9: {"sex": "F?"},
        11: {"birth_month": date(1890, 1, 1)},
        13: {"left_on": date(2026, 11, 20), "left_recorded_on": None, "recorded_on": date(2026, 11, 1)},
        15: {"left_on": date(9999, 12, 31), "left_recorded_on": None},
        17: {"died_on": date(1900, 1, 1), "died_recorded_on": None},
        19: {"registered_on": date(2099, 1, 1)},
        21: {"died_on": date(2028, 1, 1), "died_recorded_on": None},
    },
    "gp_events": {
        0: {"code": "22298007", "code_system": "snomed"},
        2: {"code": "H33..", "code_system": "read2"},
        4: {"code_system": "icd"},
        6: {"happened_on": date(2026, 11, 21), "recorded_on": date(2026, 11, 1)},
        8: {"happened_on": date(1900, 1, 1)},
        10: {"recorded_on": None},
        12: {"recorded_on": date(2026, 11, 22)},
        14: {"happened_on": None},
    },
    "gp_prescriptions": {
        0: {"bnf_code": "??", "dmd_code": None},
        2: {"bnf_code": "??", "dmd_code": "39732311000001104"},
        4: {"bnf_code": None, "dmd_code": "39732311000001105"},
        6: {"issued_on": date(1900, 1, 1)},
        8: {"bnf_code": None, "dmd_code": "39732311000001104", "issued_on": date(2026, 9, 1)},
    },
    "hospital_events": {
        0: {"kind": "stay"},
        2: {"started_on": date(2026, 5, 9), "ended_on": date(2026, 5, 8), "recorded_on": date(2026, 5, 10)},
        4: {"icd10": "broken hip"},
        6: {"recorded_on": date(2020, 1, 1), "started_on": date(2026, 1, 1), "ended_on": None},
    },
}


@pytest.fixture(scope="module")
def spoiled(small_county: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small county whose tables hold a row against each kind of rule, versions that differ and stays sent again."""
    folder = tmp_path_factory.mktemp("spoiled")
    for table in READ:
        rows = changed(pl.read_parquet(small_county / f"{table}.parquet"), SPOILED[table])
        if table == "gp_patients":
            # Two versions of one day that differ are both refused; one that is sent twice is not.
            rows = pl.concat([rows, rows[30:31].with_columns(practice_code=pl.lit("A99999")), rows[40:41]])
        if table == "hospital_events":
            again = rows.filter(pl.col("ended_on").is_not_null()).head(40)
            later = again.with_columns(
                pl.col("ended_on") + pl.duration(days=3), pl.col("recorded_on") + pl.duration(days=9)
            )
            rows = pl.concat([rows, later, again.with_columns(ended_on=pl.lit(None, dtype=pl.Date))])
        if table == "gp_events":
            rows = pl.concat([rows, rows.head(500).with_columns(pl.col("recorded_on") + pl.duration(days=1))])
        rows.write_parquet(folder / f"{table}.parquet")
    return folder


@pytest.fixture(scope="module")
def by_each(spoiled: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    frames, rows = {}, {}
    for module in (with_ageingwell, with_pandas, with_duckdb):
        out = tmp_path_factory.mktemp("made") / "features.parquet"
        rows[module.__name__] = module.run(str(spoiled), NIGHT, str(out))["rows"]
        frames[module.__name__] = pl.read_parquet(out)
    return frames, rows


def test_polars_pandas_and_duckdb_make_the_same_frame_of_the_same_good_rows(
    by_each: tuple[dict[str, pl.DataFrame], dict[str, Any]],
) -> None:
    frames, rows = by_each
    stop_unless_same(frames, rows)

    frame = next(iter(frames.values()))
    assert frame.columns == ["person_id", *FEATURES]
    assert frame.height == 145
    # Every kind of fault is among the rows: each table has refused some, and some feature is unknown.
    assert all(good < read for read, good in next(iter(rows.values())).values())
    assert frame["n_opioid_90d"].null_count() > 0
    assert all(frame[name].n_unique() > 1 for name in FEATURES if not name.startswith("has_"))


def test_a_cell_or_a_count_that_differs_is_found(
    by_each: tuple[dict[str, pl.DataFrame], dict[str, Any]],
) -> None:
    frames, rows = by_each
    first = next(iter(frames))
    other = frames[first].with_columns(age=pl.col("age") + (pl.int_range(pl.len()) == 5).cast(pl.Float64))
    with pytest.raises(NotTheSame, match="differ in age"):
        stop_unless_same({"one": frames[first], "other": other}, {"one": rows[first], "other": rows[first]})
    with pytest.raises(NotTheSame, match="count other rows"):
        stop_unless_same(frames, rows | {first: {}})


@pytest.mark.filterwarnings("ignore")  # what shap and its libraries say of one another
def test_the_straw_man_and_the_library_give_everybody_the_same_risk_and_reasons(
    small_county: Path, tmp_path: Path
) -> None:
    for name in ("ours", "theirs", "cache"):
        (tmp_path / name).mkdir()
    prepare(str(small_county), NIGHT, str(tmp_path))
    given = {"data": str(small_county), "as_of": NIGHT, "given": str(tmp_path / "given.parquet")}
    model = str(tmp_path / "demo.txt")

    ours = ageingwell(**given, model=model, cache=str(tmp_path / "cache"), out=str(tmp_path / "ours"))
    theirs = straw_man(**given, model=model, most_seconds=1e9, out=str(tmp_path / "theirs"))

    assert ours["people"] == theirs["people"] == theirs["explained"]
    scores = [pl.read_parquet(tmp_path / who / "scores.parquet") for who in ("ours", "theirs")]
    assert scores[0].equals(scores[1])
    lists = [pl.read_parquet(tmp_path / who / "list.parquet") for who in ("ours", "theirs")]
    assert lists[0]["person_id"].to_list() == lists[1]["person_id"].to_list()
    named = [[set(reasons.split(", ")) for reasons in listed["reasons"]] for listed in lists]
    # Of features that add the same, next to nothing, either may be the fifth.
    assert sum(len(one & other) >= 4 for one, other in zip(*named, strict=True)) == len(named[0])
    assert (tmp_path / "theirs" / "list.xlsx").stat().st_size > 1000


def test_an_exponent_is_the_slope_of_the_logarithms() -> None:
    # 3 n^1.5 at 100, 400 and 1600: each step of 4 times makes 8 times.
    assert exponent([100, 400, 1600], [3000, 24000, 192000]) == pytest.approx(1.5)
    # Between 1, 1 and 4 at n = 1, 2, 4 the least squares of 0, 0, 2 (in powers of two) on 0, 1, 2 has the slope 1.
    assert exponent([1, 2, 4], [1, 1, 4]) == pytest.approx(1.0)


def test_england_is_reckoned_by_what_gives_more_and_called_so() -> None:
    # 10 + n: the power law bends below it. n^2: the line stays below it.
    assert at(1000, [10, 20, 40], [20, 30, 50]) == pytest.approx(1010)
    assert at(1000, [10, 20, 40], [100, 400, 1600]) == pytest.approx(1_000_000)
    found = pl.DataFrame(
        {
            "people": [500_000, 1_000_000, 2_000_000],
            "cpu_s": [1800.0, 3600.0, 7200.0],
            "wall_s": [18.0, 36.0, 72.0],
            "peak_gib": [2.0, 4.0, 4.0],  # bounded from a million on
        }
    )
    told = told_england(found, None, why_not="it takes hours")
    assert told.frame is not None
    assert told.frame["how"].to_list() == ["reckoned"]
    assert told.frame["CPU hours"].to_list() == [pytest.approx(11.0)]
    assert told.frame["peak GiB"].to_list() == [pytest.approx(4.0)]
    assert "Not measured (it takes hours)" in told.says[0]


def test_contributions_of_some_people_stand_for_all() -> None:
    # 30 s in all: 1 s of trying, which is no work, 10 s for 100 of 1,000 people, 19 s of the rest: 19 + 100.
    stages = {"explainer tried": 1.0, "contributions": 10.0}
    assert cpu_of_everybody({"cpu": 30.0, "stages": stages, "explained": 100, "people": 1000}) == pytest.approx(119.0)


@pytest.mark.skipif(sys.platform != "linux", reason="what processes hold together is read from /proc")
def test_a_child_is_measured_with_the_processes_it_starts(tmp_path: Path) -> None:
    hold = "import time; held = bytearray(300 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(1)"
    both = f"import subprocess, sys; one = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; one.wait()"
    cost = cost_of([sys.executable, "-c", both])
    assert cost.peak_gib > 0.58  # twice 300 MiB
    assert cost.wall_seconds >= cost.cpu_seconds / 4 > 0


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"exit code 3: .*too little"):
        cost_of([sys.executable, "-c", "print('too little'); raise SystemExit(3)"])


def test_a_function_is_run_in_a_child_and_answers() -> None:
    _, answer = result_of("benchmarks.scale.check_digit:is_right", {"code": "22298006"})
    assert answer is True


def test_a_page_tells_what_was_not_run_and_no_place() -> None:
    frame = pl.DataFrame({"with": ["pandas"], "CPU s": [1234.5], "x": [1.5]})
    text = page([Told("Reading", ("So it is.",), frame), skipped("Spark", "there is no Java")], command="python -m it")
    assert "## Reading\n\nSo it is.\n\n| with | CPU s | x |\n|---|---:|---:|\n| pandas | 1,234 | 1.50 |\n" in text
    assert "## Spark\n\nNot run: there is no Java.\n" in text
    assert str(Path.cwd()) not in text
    assert as_table(pl.DataFrame({"a": [None]}, schema={"a": pl.Float64}))[-1] == "|  |"


def test_a_profile_tells_every_stage_and_every_step_of_a_night(
    small_county: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.profile import STEPS, WORDS, as_frame, profiled

    # Drawing takes most of a small night, and nothing here looks at a page.
    monkeypatch.setattr("ageingwell.night.write.draw_pages", lambda *_, **__: {})
    found = profiled(str(small_county), NIGHT, str(tmp_path))

    told = {(stage, step) for stage, step, _ in found["cpu"]}
    assert {stage for stage, _ in told} == set(WORDS)
    assert {(stage, words) for _, _, stage, words in STEPS} <= told
    assert ("read", "gp_prescriptions") in told
    frame = as_frame(found)
    whole = frame.filter(pl.col("stage") == "all of it")["CPU s"].item()
    assert frame.filter((pl.col("of which") == "") & (pl.col("stage") != "all of it"))["CPU s"].sum() == pytest.approx(
        whole
    )


def test_a_profile_takes_its_place_in_the_docs() -> None:
    from benchmarks.profile import BEGIN, END, in_docs

    text = (Path(__file__).parents[2] / "docs/explanation/performance.md").read_text(encoding="utf-8")
    once = in_docs(text, ["| a table |"])
    assert f"{BEGIN}\n\n| a table |\n\n{END}" in once
    assert in_docs(in_docs(text, ["| another |"]), ["| a table |"]) == once
    with pytest.raises(ValueError, match="no place"):
        in_docs("no marks", [])


def test_a_benchmark_of_its_own_file_is_called_and_told_without_a_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.scale import others

    body = "import polars as pl\ndef main(words):\n    return pl.DataFrame({'of': [__file__, *words], 'n': [1, 2]})\n"
    root = tmp_path / "repository"
    (root / "benchmarks").mkdir(parents=True)
    (root / "benchmarks" / "made_up_speed.py").write_text(body, encoding="utf-8")
    monkeypatch.setattr(others, "ROOT", root)
    monkeypatch.setattr("benchmarks.__path__", [str(root / "benchmarks")])
    others.frame_of("benchmarks.made_up_speed", ["--quick"], str(tmp_path / "frame.parquet"))
    assert pl.read_parquet(tmp_path / "frame.parquet").rows() == [("benchmarks/made_up_speed.py", 1), ("--quick", 2)]

    monkeypatch.setitem(others.OTHERS, "gone", others.Other("benchmarks.gone_speed", "Gone"))
    assert others.other("gone") == skipped("Gone", "there is no benchmarks.gone_speed")
