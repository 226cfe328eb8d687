"""Two published nights beside one another: what has moved, and whether by more than chance."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ageingwell.errors import SourceError
from ageingwell.jobs.comparing import compare_nights


def night(folder: Path, risk: np.ndarray) -> Path:
    folder.mkdir()
    n = risk.size
    scores = {
        "person_id": [f"p{at}" for at in range(n)],
        "household_id": [f"h{at // 2}" for at in range(n)],
        "risk": risk,
        "risk_death": risk / 2,
        "n_known_agencies": [at % 4 for at in range(n)],
    }
    pl.DataFrame(scores).write_parquet(folder / "scores.parquet")
    return folder


RISK = np.random.default_rng(1).uniform(0.01, 0.5, 1_000)


def test_what_moved_stands_out_and_what_did_not_does_not(tmp_path: Path) -> None:
    then, now = night(tmp_path / "then", RISK), night(tmp_path / "now", RISK * 1.5)

    told = compare_nights(then, now)

    change = dict(told.filter(measure="stability index").select("column", "change").rows())
    assert change == {"n_known_agencies": "chance", "risk": "much", "risk_death": "much"}
    shift = told.filter(column="risk", measure="mean now minus then").row(0, named=True)
    assert shift["value"] == pytest.approx(0.5 * RISK.mean())
    assert shift["low"] > 0


def test_the_same_night_has_not_moved(tmp_path: Path) -> None:
    then, now = night(tmp_path / "then", RISK), night(tmp_path / "now", RISK)

    told = compare_nights(then, now)

    assert told.filter(measure="stability index")["value"].to_list() == [0.0, 0.0, 0.0]
    assert told.filter(measure="mean now minus then")["value"].to_list() == [0.0, 0.0, 0.0]


def test_a_night_without_scores_is_told(tmp_path: Path) -> None:
    then = night(tmp_path / "then", RISK)
    (tmp_path / "other").mkdir()

    with pytest.raises(SourceError, match=r"other: there is no scores\.parquet"):
        compare_nights(then, tmp_path / "other")

    empty = night(tmp_path / "rules", RISK)
    pl.read_parquet(empty / "scores.parquet").with_columns(risk=pl.lit(None, dtype=pl.Float64)).write_parquet(
        empty / "scores.parquet"
    )
    with pytest.raises(SourceError, match="nobody was scored"):
        compare_nights(then, empty)
