"""Whatever is broken, who opted out or died is off the current list, or the list is marked *do not use*."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.counties import NIGHT, change, copy_of, files_with, hashes_of, listed, new_version, opt_out

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.config.score import Ledger
from ageingwell.config.withdrawing import WithdrawalSettings, read_withdrawal_settings
from ageingwell.disk import Disk
from ageingwell.publish import current, publishing_lock

pytestmark = pytest.mark.usefixtures("read_once")

NEXT = NIGHT + timedelta(days=7)
FILES = ("score", "agencies", "permissions", "outreach", "interventions", "services", "train")
MARK = "DO_NOT_USE.txt"


def _with_settings(few_places: Path, here: Path) -> Path:
    shutil.copytree(few_places.parent, here / "settings")
    for name in FILES:
        shutil.copy(_shipped(name, few_places), here / "settings" / f"{name}.toml")
    return here


@pytest.fixture
def settings_at(few_places: Path, tmp_path: Path) -> Path:
    """A folder with settings of its own to spoil, and nothing else."""
    return _with_settings(few_places, tmp_path)


@pytest.fixture(scope="module")
def whole(few_places: Path, tmp_path_factory: pytest.TempPathFactory) -> WithdrawalSettings:
    """What is read of settings that nobody spoilt."""
    here = _with_settings(few_places, tmp_path_factory.mktemp("whole"))
    return WithdrawalSettings.of(load_config(here / "settings" / "score.toml"))


@pytest.fixture
def at(night_of_few_places: Path, few_places: Path, tmp_path: Path) -> Path:
    """A folder with a county, its published night, and settings of its own to spoil.

    Since that night the first person on its list has objected and the second has died.
    """
    here = _with_settings(few_places, copy_of(night_of_few_places, tmp_path / "here"))
    first, second = _two(here)
    opt_out(here / "county", "objection", person=first)
    new_version(here / "county", second, died_on=NIGHT)
    return here


def _shipped(name: str, beside: Path) -> Path:
    from ageingwell.config.files import shipped

    own = beside.parent / f"{name}.toml"
    return own if own.exists() else shipped("configs") / f"{name}.toml"


def _two(at: Path) -> tuple[str, str]:
    first, second = (row["person_id"] for row in listed(at / "out" / str(NIGHT))[:2])
    return first, second


def run(at: Path, command: str) -> Result:
    """Run `score` or `withdraw` on the county in `at`, with its settings."""
    paths = ["--data", at / "county", "--out", at / "out", "--config", at / "settings" / "score.toml"]
    ran = CliRunner().invoke(cli, [command, "--as-of", str(NEXT), *map(str, paths)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def tonight(at: Path) -> Path:
    folder = current(at / "out")
    assert folder is not None
    return folder


def still_on(at: Path) -> list[str]:
    """Of the two, those whom any file of the current night names."""
    told = dict(zip(_two(at), ("who objected", "who died"), strict=True))
    return [said for person, said in told.items() if files_with(tonight(at), person)]


def misspelt(at: Path, name: str) -> None:
    path = at / "settings" / f"{name}.toml"
    path.write_text("no_such_key = 1\n" + path.read_text())


def no_toml(at: Path, name: str) -> None:
    path = at / "settings" / f"{name}.toml"
    path.write_text(path.read_text() + "\n[[\n")


def nested_too_deep(at: Path, name: str) -> None:
    path = at / "settings" / f"{name}.toml"
    path.write_text("deep = " + "[" * 5_000 + "]" * 5_000 + "\n" + path.read_text())


def gone(at: Path, name: str) -> None:
    """The file that the top file names is no file."""
    path = at / "settings" / f"{name}.toml"
    path.unlink()
    path.symlink_to(at / "nowhere.toml")


SPOILT = [(name, spoil) for name in FILES for spoil in (misspelt, no_toml, nested_too_deep, gone)]
# Files of which nobody can say any more how the four tables are sent.
IN_DOUBT = {("score", no_toml), ("score", nested_too_deep), ("score", gone), ("agencies", no_toml),
            ("agencies", nested_too_deep), ("agencies", gone)}  # fmt: skip


@pytest.mark.parametrize(("name", "spoil"), SPOILT, ids=lambda part: getattr(part, "__name__", part))
def test_of_any_spoilt_settings_as_much_is_read_as_can_be_understood(
    settings_at: Path, whole: WithdrawalSettings, name: str, spoil: Callable[[Path, str], None]
) -> None:
    spoil(settings_at, name)

    read = read_withdrawal_settings(settings_at / "settings" / "score.toml")

    in_doubt = (name, spoil) in IN_DOUBT
    assert read.in_doubt == (tuple(whole.tables) if in_doubt else ())
    assert in_doubt or read.tables == whole.tables
    assert read.whole is None
    # What cannot be read of the permission ledger allows nothing.
    assert read.ledger == (Ledger(permitted=(), views={}) if name == "permissions" else whole.ledger)
    assert read.purpose == (None if name == "score" and spoil is not misspelt else whole.purpose)
    assert read.ledger_file == whole.ledger_file


@pytest.mark.parametrize("table", ["permissions", "gp_patients", "care_events", "contacts"])
def test_a_mistake_in_the_settings_of_a_table_puts_that_table_in_doubt(settings_at: Path, table: str) -> None:
    path = settings_at / "settings" / "agencies.toml"
    path.write_text(path.read_text().replace(f"[{table}]\n", f"[{table}]\ncolums = {{}}\n"))

    assert read_withdrawal_settings(settings_at / "settings" / "score.toml").in_doubt == (table,)


@pytest.mark.parametrize(
    ("command", "name", "spoil", "code"),
    [
        ("score", "outreach", misspelt, 3),
        ("score", "permissions", no_toml, 3),
        ("score", "agencies", no_toml, 3),
        ("score", "score", nested_too_deep, 3),
        ("withdraw", "score", misspelt, 0),
        ("withdraw", "score", gone, 0),
    ],
)
def test_no_mistake_in_the_settings_keeps_anybody_on_the_list(
    at: Path, command: str, name: str, spoil: Callable[[Path, str], None], code: int
) -> None:
    spoil(at, name)

    ran = run(at, command)

    assert still_on(at) == []
    assert ran.exit_code == code, ran.output
    assert not (at / "out" / MARK).exists(), "every column came under our own name"
    assert list(tonight(at).rglob("*.html")) == [], "pages are drawn with whole settings alone"


@pytest.mark.parametrize(("command", "code"), [("score", 3), ("withdraw", 16)])
def test_where_a_mistake_hides_under_which_name_a_column_comes_the_list_is_marked(
    at: Path, command: str, code: int
) -> None:
    change(at / "county", "gp_patients", lambda rows: rows.rename({"died_on": "Date of death"}))
    path = at / "settings" / "agencies.toml"
    path.write_text(
        path.read_text().replace("[gp_patients]\n", "[gp_patients]\ncolums = {died_on = 'Date of death'}\n")
    )

    ran = run(at, command)

    assert ran.exit_code == code, ran.output
    assert "do not use" in ran.output.lower()
    assert "gp_patients" in (at / "out" / MARK).read_text()
    assert still_on(at) == ["who died"]


def no_parquet(at: Path, table: str) -> None:
    (at / "county" / f"{table}.parquet").write_bytes(b"PAR1 garbage")


def missing(at: Path, table: str) -> None:
    (at / "county" / f"{table}.parquet").unlink()


def cut_short(at: Path, table: str) -> None:
    path = at / "county" / f"{table}.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize(
    ("command", "spoil", "table", "stays"),
    [
        ("score", cut_short, "permissions", ["who objected"]),
        ("withdraw", missing, "permissions", ["who objected"]),
        ("score", missing, "gp_patients", ["who died"]),
        ("withdraw", no_parquet, "gp_patients", ["who died"]),
    ],
)
def test_a_table_that_cannot_be_read_lets_the_other_through_and_marks_the_list(
    at: Path, command: str, spoil: Callable[[Path, str], None], table: str, stays: list[str]
) -> None:
    spoil(at, table)

    ran = run(at, command)

    assert ran.exit_code == (16 if command == "withdraw" else 4), ran.output
    assert "do not use" in ran.output.lower()
    assert still_on(at) == stays
    assert table in (at / "out" / MARK).read_text()


def test_a_mark_changes_no_night_and_goes_when_the_table_can_be_read_again(at: Path) -> None:
    run(at, "withdraw")
    before = hashes_of(tonight(at))
    kept = (at / "county" / "permissions.parquet").read_bytes()
    missing(at, "permissions")

    assert [run(at, "withdraw").exit_code for _ in range(2)] == [16, 16]
    assert (at / "out" / MARK).exists()

    (at / "county" / "permissions.parquet").write_bytes(kept)
    ran = run(at, "withdraw")

    assert ran.exit_code == 0, ran.output
    assert not (at / "out" / MARK).exists()
    assert hashes_of(tonight(at)) == before
    assert (tonight(at) / "report.html").exists()


def test_a_key_that_cannot_be_read_is_told_once_people_are_off(at: Path) -> None:
    paths = ["--data", at / "county", "--out", at / "out", "--config", at / "settings" / "score.toml"]
    options = [*map(str, paths), "--list-key-file", str(at / "no.key")]

    ran = CliRunner().invoke(cli, ["withdraw", "--as-of", str(NEXT), *options])

    assert ran.exit_code == 7
    assert still_on(at) == []


@pytest.mark.usefixtures("pages_not_drawn")
def test_withdraw_says_how_many_came_off_and_where_the_list_is(at: Path) -> None:
    before = len(listed(tonight(at)))

    ran = run(at, "withdraw")

    after = len(listed(tonight(at)))
    assert ran.exit_code == 0
    assert after < before
    assert f"{before - after} people were taken off the current list; {after} are on it" in ran.output
    assert str(tonight(at)) in ran.output


def test_withdraw_says_that_there_is_no_list_before_the_first_night(at: Path) -> None:
    shutil.rmtree(at / "out")

    ran = run(at, "withdraw")

    assert ran.exit_code == 0, ran.output
    assert "There is no current list" in ran.output


def _a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("no folder")


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize(
    ("command", "spoilt", "spoil", "code"),
    [
        ("score", "settings/score.toml", _a_folder, 3),
        ("withdraw", "settings/score.toml", _a_pipe, 0),
        ("score", "county", _a_file, 4),
        ("withdraw", "county", _a_file, 16),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_path_that_leads_to_something_else_keeps_nobody_on_the_list_unmarked(
    at: Path, command: str, spoilt: str, spoil: Callable[[Path], None], code: int
) -> None:
    gone = _two(at)
    spoil(at / spoilt)

    ran = run(at, command)

    assert ran.exit_code == code, ran.output
    named = any(files_with(tonight(at), person) for person in gone)
    assert named == (spoilt == "county")
    assert (at / "out" / MARK).exists() == (spoilt == "county")


def _lock_is_a_folder(out: Path, _: pytest.MonkeyPatch) -> None:
    (out / ".lock").unlink(missing_ok=True)
    (out / ".lock").mkdir()


def _pointer_leads_nowhere(out: Path, _: pytest.MonkeyPatch) -> None:
    (out / "current").unlink()
    (out / "current").symlink_to("no night")


def _remains_of_a_dead_run_stay(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (out / ".staging-old").mkdir()
    remove = Disk.remove

    def refused(disk: Disk, path: Path) -> None:
        if path.name == ".staging-old":
            raise PermissionError(13, "not permitted")
        remove(disk, path)

    monkeypatch.setattr(Disk, "remove", refused)


def _folder_that_cannot_be_listed(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Disk.names

    def refused(disk: Disk, folder: Path) -> list[str]:
        if folder == out:
            raise OSError(5, "input or output fails")
        return names(disk, folder)

    monkeypatch.setattr(Disk, "names", refused)


def _no_working_folder(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(Disk, "make_scratch", full)


@pytest.mark.parametrize(
    ("command", "spoil"),
    [
        ("score", _lock_is_a_folder),
        ("withdraw", _lock_is_a_folder),
        ("withdraw", _pointer_leads_nowhere),
        ("withdraw", _remains_of_a_dead_run_stay),
        ("withdraw", _no_working_folder),
        ("withdraw", _folder_that_cannot_be_listed),
    ],
)
def test_an_output_folder_that_cannot_be_held_marks_the_list(
    at: Path, monkeypatch: pytest.MonkeyPatch, command: str, spoil: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    spoil(at / "out", monkeypatch)

    ran = run(at, command)

    assert ran.exit_code == 9, ran.output
    assert ran.output.count("the current list is marked `do not use`") == 1
    assert (at / "out" / MARK).exists()


def test_a_run_that_waits_for_another_marks_nothing_and_a_folder_without_nights_is_not_written_to(
    at: Path, tmp_path: Path
) -> None:
    with publishing_lock(at / "out", holder="another"):
        assert run(at, "withdraw").exit_code == 75
    shutil.rmtree(at / "out")
    (at / "out" / ".lock").mkdir(parents=True)

    assert run(at, "withdraw").exit_code == 9
    assert not (at / "out" / MARK).exists()


@pytest.mark.parametrize(("name", "section", "key"), [("outreach", "decisions", "ledger"), ("score", "audit", "file")])
@pytest.mark.parametrize("value", ['"a\\u0000b"', '""', "7", '["a"]', '"a\\u0007b"'])
def test_a_value_that_can_name_no_file_is_left_out(
    settings_at: Path, name: str, section: str, key: str, value: str
) -> None:
    path = settings_at / "settings" / f"{name}.toml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{key} ")]
    text = "\n".join(lines)
    path.write_text(
        text.replace(f"[{section}]", f"[{section}]\n{key} = {value}")
        if f"[{section}]" in text
        else f"{text}\n[{section}]\n{key} = {value}\n"
    )

    read = read_withdrawal_settings(settings_at / "settings" / "score.toml")

    assert (read.audit_file, read.ledger_file) == (None, "decisions.sqlite")


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize("step", ["find_withdrawn", "publish_withdrawal", "read_night"])
def test_a_fault_that_nobody_foresaw_marks_the_list(at: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def unforeseen(*_: object, **__: object) -> None:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(f"ageingwell.night.withdraw.{step}", unforeseen)

    ran = run(at, "withdraw")

    assert ran.exit_code == 16, ran.output
    assert "ValueError" in (at / "out" / MARK).read_text()
    assert "null byte" not in ran.output


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize("damaged", ["county/contacts.parquet", "county/care_events.parquet", "out/decisions.sqlite"])
def test_where_a_death_may_be_told_that_nobody_can_read_withdraw_says_so_once_the_others_are_off(
    at: Path, damaged: str
) -> None:
    (at / damaged).unlink(missing_ok=True)
    (at / damaged).write_bytes(b"PAR1 no table, and no ledger")

    ran = run(at, "withdraw")

    assert ran.exit_code == 4, ran.output
    assert Path(damaged).name.removesuffix(".parquet") in ran.output
    assert still_on(at) == []
    assert not (at / "out" / MARK).exists()


def test_where_the_pointer_is_lost_withdraw_does_not_say_that_there_is_no_list(at: Path) -> None:
    (at / "out" / "current").unlink()

    ran = run(at, "withdraw")

    assert (ran.exit_code, "none is current" in ran.output) == (9, True), ran.output
