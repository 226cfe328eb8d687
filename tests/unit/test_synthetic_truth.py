"""The true risks: they foretell what happens, no better than they should, and the rates lie near the published ones."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ageingwell.errors import SourceError
from ageingwell.synthetic.county import CountyPlan, synthesise
from ageingwell.synthetic.hazards import RISKS
from ageingwell.synthetic.history import boundaries
from ageingwell.synthetic.living import Where, make_part
from ageingwell.synthetic.part import Part
from ageingwell.synthetic.places import fill_places
from ageingwell.synthetic.rates import check_rates

TEST_CUTOFF = -455
AS_OF = 20_779  # 22 November 2026, in days since 1970


@pytest.fixture(scope="module")
def part() -> Part:
    where = Where(fill_places(20_000), seed=1, chunk=0, as_of=AS_OF, years=6, shift=0.0)
    return make_part(where, n_people_before=0, n_homes_before=0)


def happened(part: Part, outcome: str) -> np.ndarray:
    """Whether each person had the outcome in the year after the test cut-off."""
    n, history = len(part.people), part.history
    year = history.days.index(TEST_CUTOFF)
    within = range(TEST_CUTOFF, TEST_CUTOFF + 365)

    def had(events: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
        rows = [who[np.isin(day, within)] for who, day in events]
        return np.isin(np.arange(n), np.concatenate(rows))

    died = np.isin(history.died, within)
    care = np.isin(history.entered_care_home, within) | had(history.home_care_starts)
    fell = had([history.injurious_falls[year]])
    admitted = fell | had([history.emergencies[year], history.terminal[year]])
    return {
        "death": died,
        "new_long_term_care": care,
        "emergency_admission": admitted,
        "loss_of_independence": died | care | fell,
    }[outcome]


def at_risk(part: Part, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """True risks and outcomes of people aged 65+ at home on the test cut-off."""
    year = part.history.days.index(TEST_CUTOFF)
    state, risk = part.history.states[year], part.history.risks[year][:, RISKS.index(outcome)]
    counted = part.is_known & state.is_here & (state.age >= 65) & ~state.in_care_home & ~np.isnan(risk)
    return risk[counted], happened(part, outcome)[counted]


def auroc(risk: np.ndarray, outcome: np.ndarray) -> float:
    rank = np.argsort(np.argsort(risk))
    positives = outcome.sum()
    return float((rank[outcome].sum() - positives * (positives - 1) / 2) / (positives * (~outcome).sum()))


def test_the_latest_settled_cut_off_is_a_boundary():
    # The label year and 90 days of settling end on the day of the extract: 365 + 90 = 455.
    assert boundaries(6) == [-2280, -1915, -1550, -1185, -820, -455, -90]


@pytest.mark.parametrize("outcome", RISKS)
def test_true_risks_add_up_to_what_happens(part: Part, outcome: str):
    risk, outcome_of = at_risk(part, outcome)

    # A sum of independent draws: four standard errors.
    spread = 4 * np.sqrt((risk * (1 - risk)).sum())
    assert abs(outcome_of.sum() - risk.sum()) < spread


def test_no_model_can_tell_loss_of_independence_better_than_080(part: Part):
    risk, outcome = at_risk(part, "loss_of_independence")

    # The benchmark on 200,000 people gives 0.789; 20,000 leave a standard error of 0.006.
    assert 0.76 <= auroc(risk, outcome) <= 0.81
    assert 0.05 <= risk.mean() <= 0.09


def test_the_truth_lies_apart_with_a_risk_for_each_outcome(tmp_path: Path):
    truth = pl.read_parquet(synthesise(CountyPlan(people=300), tmp_path).folder / "truth" / "risk.parquet")

    assert {"person_id", "as_of", "frailty", *(f"risk_{name}" for name in RISKS)} <= set(truth.columns)
    assert truth["as_of"].n_unique() == len(boundaries(6))
    in_care = pl.col("is_in_care_home") | pl.col("is_in_home_care")
    assert truth.filter(in_care)["risk_new_long_term_care"].is_null().all()
    assert truth.filter(~in_care)["risk_new_long_term_care"].is_not_null().all()
    assert truth.select(pl.col(f"risk_{name}").is_between(0, 1).all() for name in RISKS).row(0) == (True,) * 4


def test_a_second_county_can_have_higher_rates(tmp_path: Path):
    usual, higher = (
        pl.read_parquet(
            synthesise(CountyPlan(people=1_500, rate_shift=shift), tmp_path / str(shift)).folder / "truth/risk.parquet"
        )["risk_loss_of_independence"].mean()
        for shift in (0.0, 0.4)
    )

    assert 1.2 < higher / usual < 1.6  # exp(0.4) = 1.49 of the rate, a little less of the risk


@pytest.mark.slow
def test_published_rates_stand_beside_the_countys(tmp_path: Path):
    folder = synthesise(CountyPlan(people=2_000), tmp_path).folder

    rates = check_rates(folder)

    assert rates.columns == [
        "measure", "group", "published", "county", "ratio", "count", "denominator", "source", "note",
    ]  # fmt: skip
    assert rates["source"].is_not_null().all()
    common = rates.filter(pl.col("published") * pl.col("denominator") > 200)
    assert len(common) >= 5
    assert common["ratio"].is_between(0.75, 1.25).all()


def test_rates_are_not_counted_from_raw_extracts(tmp_path: Path):
    folder = synthesise(CountyPlan(people=60, raw=True), tmp_path).folder

    with pytest.raises(SourceError, match="raw extracts"):
        check_rates(folder)
