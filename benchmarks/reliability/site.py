"""A small made-up site for the full-size runs: a county, a bundle, a night, and what the commands need."""

import sys
from pathlib import Path


def site(place: Path) -> Path:
    """Make it in a new folder and give the home that `helpers.commands` runs in."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
    from helpers.commands import prepared
    from helpers.counties import NIGHT, settings_file, train_small_bundle
    from helpers.filled import fill

    from ageingwell.config.load import load_config
    from ageingwell.night.score import score
    from ageingwell.synthetic.county import CountyPlan, synthesise

    synthesise(CountyPlan(people=1_000, seed=3), place / "county")
    train_small_bundle(place / "county", place)
    settings = settings_file(place / "settings", bundle=place / "bundle")
    synthesise(CountyPlan(people=150, seed=5), place / "first" / "county")
    score(place / "first" / "county", as_of=NIGHT, out=place / "first" / "out", config=load_config(settings))
    return prepared(
        place / "home", first_night=place / "first", settings=settings, bundle=place / "bundle", reader=fill
    )
