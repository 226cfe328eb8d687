"""Which folder a bundle's name means."""

from pathlib import Path

import pytest

from ageingwell import bundle


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder to stand in, and a shipped bundle `demo` elsewhere."""
    (tmp_path / "shipped" / "demo").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    monkeypatch.setattr(bundle, "shipped", lambda kind: tmp_path / "shipped")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_a_bare_name_means_the_shipped_bundle_also_beside_a_folder_of_that_name(here):
    (here / "demo").mkdir()  # what `ageingwell demo` makes
    assert bundle.find_bundle("demo") == here.parent / "shipped" / "demo"


def test_a_bare_name_that_is_not_shipped_means_a_folder_here(here):
    (here / "ours").mkdir()
    assert bundle.find_bundle("ours") == Path("ours")


@pytest.mark.parametrize("path", ["./demo", "models/demo"])
def test_a_path_means_that_folder(path):
    assert bundle.find_bundle(path) == Path(path)
