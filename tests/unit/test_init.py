"""The settings that a site begins with."""

from pathlib import Path

from ageingwell.config.files import shipped
from ageingwell.config.load import load_config
from ageingwell.jobs.settling_in import init


def test_a_site_gets_every_settings_file_there_is_and_they_can_be_read(tmp_path: Path) -> None:
    written = init(tmp_path / "ours")

    assert {path.name for path in written} == {path.name for path in shipped("configs").glob("*.toml")}
    assert load_config(tmp_path / "ours" / "score.toml").score == load_config().score
