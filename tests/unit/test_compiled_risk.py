"""A compiled model gives the risks and contributions of the model itself, from one pass, or says why it cannot."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from helpers.boosters import train
from helpers.risk import by_lightgbm, drawn_people

from ageingwell.bundle import Bundle, predict
from ageingwell.errors import BundleError, FrameError
from ageingwell.lookup import DoesNotFit, LookupTables, compiling
from ageingwell.model import compiled as compiled_module
from ageingwell.model.compiled import CompiledRisk, compile_risk, digest_of_tables
from ageingwell.model.estimator import RiskModel
from ageingwell.model.fitted import FittedRisk

PEOPLE, DIED = drawn_people(500)
# Somebody of whom nothing is known that may be missing, and somebody of levels that were never seen.
ODD = pl.DataFrame(
    {
        "age": [64.0, 101.0, 80.0],
        "falls": [None, 40.0, 0.0],
        "tenure": [None, "caravan", "other"],
        "practice": ["practice 3", "practice 999", None],
        "is_carer": [True, False, True],
    }
)
EVERYBODY = pl.concat([PEOPLE, ODD])


@pytest.fixture(scope="module")
def model() -> FittedRisk:
    """A fit with more and larger trees than so few people deserve."""
    fitted = RiskModel(warn_on_few_events=False, max_trees=5).fit(PEOPLE, DIED).fitted_
    return replace(fitted, booster_=train(fitted.numbers(fitted.matrix(PEOPLE)), DIED.astype(float), trees=60))


@pytest.fixture(scope="module")
def compiled(model) -> CompiledRisk:
    return compile_risk(model)


def test_contributions_are_lightgbms_with_gaps_and_categories(model, compiled):
    ours, theirs = compiled.explain(EVERYBODY), by_lightgbm(model, EVERYBODY)

    assert compiled.why_slow is None
    np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.base, theirs.base, rtol=0, atol=1e-11)
    np.testing.assert_allclose(compiled.log_odds(EVERYBODY), model.log_odds(model.score(EVERYBODY)), rtol=0, atol=1e-11)


def test_log_odds_are_base_plus_contributions_bit_for_bit(compiled):
    ours, odds = compiled.explain(EVERYBODY), compiled.log_odds(EVERYBODY)

    total = ours.base.copy()
    for column in ours.contributions.T:
        total += column
    assert total.tobytes() == odds.tobytes()
    assert compiled.base == ours.base[0]


def test_threads_and_chunks_change_no_bit(compiled, monkeypatch):
    once = compiled.explain(EVERYBODY), compiled.log_odds(EVERYBODY)

    monkeypatch.setattr(compiled_module, "PEOPLE_IN_A_CHUNK", 7)
    parts = [compiled.explain(part, threads=2).contributions for part in EVERYBODY.iter_slices(41)]

    assert np.concatenate(parts).tobytes() == once[0].contributions.tobytes()
    assert compiled.log_odds(EVERYBODY, threads=2).tobytes() == once[1].tobytes()


def test_nobody_has_no_contributions(compiled):
    assert compiled.explain(PEOPLE.head(0)).contributions.shape == (0, 5)
    assert compiled.log_odds(PEOPLE.head(0)).shape == (0,)


def test_a_value_missing_that_never_was_in_training_is_refused_as_by_the_model(compiled):
    with pytest.raises(FrameError, match="never missing in training: age"):
        compiled.explain(ODD.with_columns(age=pl.lit(None, dtype=pl.Float64)))


def test_the_risk_lies_in_its_range_and_the_score_calibrates_to_it(model, compiled):
    odds = compiled.log_odds(EVERYBODY)

    risk, low, high = compiled.risk_and_range(odds)

    told = ~np.isnan(low)
    # The highest risks, of whom too few were checked, are told no range.
    assert told.any()
    assert (~told == (odds > model.spread.log_odds[-1])).all()
    assert (np.isnan(high) == ~told).all()
    assert (low <= risk)[told].all()
    assert (risk <= high)[told].all()
    np.testing.assert_allclose(compiled.score(odds), model.score(EVERYBODY), rtol=0, atol=1e-11)


def test_a_model_that_does_not_fit_gives_the_same_and_says_why(model, compiled, monkeypatch):
    monkeypatch.setattr(compiling, "MOST_BYTES", 1)

    around = compile_risk(model)

    assert isinstance(around.tables, DoesNotFit)
    assert "tables would take" in around.why_slow
    ours, theirs = around.explain(EVERYBODY), compiled.explain(EVERYBODY)
    np.testing.assert_allclose(ours.contributions, theirs.contributions, rtol=0, atol=1e-11)
    np.testing.assert_allclose(around.log_odds(EVERYBODY), compiled.log_odds(EVERYBODY), rtol=0, atol=1e-11)
    assert around.log_odds(PEOPLE.tail(3)).tobytes() == around.log_odds(PEOPLE)[-3:].tobytes()


def test_tables_are_kept_and_found_again(model, compiled, tmp_path, monkeypatch):
    digest = digest_of_tables(model)
    compile_risk(model, digest=digest, cache=tmp_path / "cache")

    monkeypatch.setattr(compiled_module, "compile_booster", None)
    again = compile_risk(model, digest=digest, cache=tmp_path / "cache")

    assert again.explain(EVERYBODY).contributions.tobytes() == compiled.explain(EVERYBODY).contributions.tobytes()


def test_damaged_tables_are_made_again_and_mended(model, compiled, tmp_path):
    digest = digest_of_tables(model)
    compile_risk(model, digest=digest, cache=tmp_path)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-9])

    again = compile_risk(model, digest=digest, cache=tmp_path)

    assert again.explain(EVERYBODY).contributions.tobytes() == compiled.explain(EVERYBODY).contributions.tobytes()
    assert kept.read_bytes() == whole


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_tables_that_no_bundle_tells_of_are_neither_kept_nor_taken(model, digest, tmp_path):
    compile_risk(model, digest=digest, cache=tmp_path / "cache")

    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(model, compiled, tmp_path):
    (tmp_path / "file").write_bytes(b"no folder")

    again = compile_risk(model, digest=digest_of_tables(model), cache=tmp_path / "file" / "cache")

    assert isinstance(again.tables, LookupTables)
    assert again.log_odds(EVERYBODY).tobytes() == compiled.log_odds(EVERYBODY).tobytes()


def test_kept_tables_of_another_model_are_noticed_by_the_risks_they_give(model, compiled):
    bundle = Bundle({"death": model}, {}, "ab12")
    people = EVERYBODY.with_row_index("person_id")
    assert predict(bundle, people, threads=1)["base"][0] == compiled.base

    other = replace(compiled, tables=replace(compiled.tables, heights=compiled.tables.heights + 0.1))
    object.__setattr__(bundle, "compiled", {"death": other})

    with pytest.raises(BundleError, match="give other risks than the model itself"):
        predict(bundle, people, threads=1)
