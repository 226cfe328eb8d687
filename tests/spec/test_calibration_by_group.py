"""Risks that are right for everybody together may be wrong within groups: the table of groups says so."""

import numpy as np
import pytest
from scipy.special import expit

from ageingwell.evaluation.calibration import calibration_intercept, calibration_line, calibration_slope
from ageingwell.evaluation.groups import by_group

N = 6_000


@pytest.fixture(scope="module")
def people() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two groups whose risks are too far apart within each, in opposite heights, so that together they look right."""
    generator = np.random.default_rng(2)
    band = np.repeat(["65 to 74", "85 and over"], N // 2)
    told = generator.normal(np.where(band == "65 to 74", -4.0, 0.5), 0.8)
    centre = np.where(band == "65 to 74", -4.0, 0.5)
    happened = generator.random(N) < expit(centre + 0.5 * (told - centre))
    return happened, expit(told), band


def test_slope_and_intercept_of_each_group_are_those_of_its_people_alone(people):
    happened, risk, band = people
    measures = {"slope": calibration_slope, "intercept": calibration_intercept}

    told = by_group(measures, happened, risk, groupings={"age_band": band})

    for group in np.unique(band):
        inside = band == group
        line = calibration_line(happened[inside], np.log(risk[inside] / (1 - risk[inside])))
        values = dict(told.filter(group=group).select("measure", "value").rows())
        assert values == pytest.approx({"slope": line.slope, "intercept": line.intercept}, abs=1e-8)


def test_a_slope_that_is_wrong_within_bands_shows_though_the_pooled_one_looks_right(people):
    happened, risk, band = people

    pooled = calibration_slope(happened, risk)
    told = by_group({"slope": calibration_slope}, happened, risk, groupings={"age_band": band})

    assert pooled.value > 0.85
    assert (told["high"] < 0.8).all()


def test_a_group_with_one_outcome_has_no_line():
    told = by_group(
        {"slope": calibration_slope}, [0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.2, 0.1], groupings={"sex": list("FFMMM")}
    )

    assert told.filter(group="F")["value"].item() is None
