"""What tests share is made once however many ask at the same time, and a change to it is found."""

import threading
import time
from pathlib import Path

import pytest
from helpers.shared import Shared


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.TempPathFactory:
    """As two processes of one run have it: each a folder of its own in one folder."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    made = pytest.TempPathFactory(tmp_path / "gw0", 3, "all", lambda *_: None, _ispytest=True)  # type: ignore[arg-type]
    # Pytest's own folder, which threads that ask for it at once would each try to make.
    made.getbasetemp()
    return made


def test_of_several_at_once_one_makes_it_and_the_others_wait(factory: pytest.TempPathFactory) -> None:
    made, read = [], []

    def make(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.1)
        (folder / "list.csv").write_text("whole")

    def ask() -> None:
        read.append((Shared(factory).folder("night", make) / "list.csv").read_text())

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1
    assert read == ["whole"] * 4


def test_what_failed_half_way_is_made_anew(factory: pytest.TempPathFactory) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Shared(factory).folder("night", fail)

    folder = Shared(factory).folder("night", lambda folder: (folder / "whole").write_text(""))

    assert [path.name for path in folder.iterdir()] == ["whole"]


@pytest.mark.parametrize("change", [lambda f: (f / "list").write_text("2"), lambda f: (f / "list").unlink()])
def test_a_changed_folder_is_named_and_a_lock_that_was_held_is_no_change(
    factory: pytest.TempPathFactory, change
) -> None:
    shared = Shared(factory)
    folder = shared.folder("night", lambda folder: (folder / "list").write_text("1"))
    (folder / ".lock").write_text("process 7")
    assert shared.changed() == []

    change(folder)

    assert shared.changed() == ["night"]
