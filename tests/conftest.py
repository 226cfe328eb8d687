"""Its place puts `tests/` on the path, so that tests can import from `helpers`; and what many tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small made-up county: 400 people aged 65 and over, seen from 22 November 2026."""
    from ageingwell.synthetic.county import CountyPlan, synthesise

    folder = tmp_path_factory.mktemp("county")
    synthesise(CountyPlan(people=400, seed=3), folder)
    return folder
