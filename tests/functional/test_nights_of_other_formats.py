"""Somebody comes off a night whichever version published it, and whatever has become of its files since."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import (
    add_rows,
    copy_of,
    files_with,
    files_with_each,
    hashes_of,
    listed,
    new_version,
    newest_versions,
    opt_out,
)
from helpers.filled import fill, keys_of
from helpers.sealed import seal_again

from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.errors import ChangeError, PublishError
from ageingwell.kept import reading
from ageingwell.kept.frames import CONTRACTS, NIGHT_FORMAT, NightFrames, frame_file, previous_list, read_frame
from ageingwell.kept.reading import read_night
from ageingwell.night import revising
from ageingwell.night.revising import NO_PAGES, publish_withdrawal
from ageingwell.night.taking_off import Withdrawn, without_withdrawn
from ageingwell.night.track_record import settled_archive
from ageingwell.night.withdraw import find_withdrawn, withdraw_from_current
from ageingwell.pseudonyms import Key
from ageingwell.publish import current, publishing_lock
from ageingwell.timeline import AsOf

pytestmark = pytest.mark.usefixtures("read_once")
GOLDEN = Path(__file__).parents[1] / "golden" / "night_format_1"
NIGHT = date(2026, 11, 22)
# The frames that a night of format 1 has; later ones have more.
OF_FORMAT_1 = [name for name in CONTRACTS if (GOLDEN / "outreach" / str(NIGHT) / frame_file(name)).exists()]
NEXT = NIGHT + timedelta(days=7)
ELSEWHERE = "b" * 32
USUAL_FAULTS = (AssertionError, KeyError, ZeroDivisionError)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A folder with a county's tables and the current night of format 1, to change."""
    at = copy_of(GOLDEN, tmp_path / "old")
    (at / "outreach" / "current").symlink_to(str(NIGHT), target_is_directory=True)
    (at / "outreach" / str(NIGHT) / "refused").mkdir(exist_ok=True)
    return at


@pytest.fixture
def new(night_of_few_places: Path, tmp_path: Path) -> Path:
    """The same of this version's format."""
    at = copy_of(night_of_few_places, tmp_path / "new")
    (at / "out").rename(at / "outreach")
    return at


def tonight(at: Path) -> Path:
    folder = current(at / "outreach")
    assert folder is not None
    return folder


def people_of(at: Path) -> list[str]:
    return [row["person_id"] for row in listed(tonight(at))]


def home_of(at: Path, person: str) -> str:
    return newest_versions(at / "county")[person]["household_id"]


def withdraw(at: Path, config: Path | None = None, **more):
    with publishing_lock(at / "outreach", holder="a test"):
        return withdraw_from_current(
            at / "county",
            out=at / "outreach",
            settings=WithdrawalSettings.of(load_config(config)),
            workspace=at / "work",
            on=NEXT,
            key=Key.made_up(0),
            **more,
        )


def an_objection(at: Path, person: str) -> None:
    opt_out(at / "county", "objection", person=person)


def a_death(at: Path, person: str) -> None:
    new_version(at / "county", person, died_on=NIGHT)


def a_leaving(at: Path, person: str) -> None:
    new_version(at / "county", person, left_on=NIGHT)


def a_move(at: Path, person: str) -> None:
    new_version(at / "county", person, household_id=ELSEWHERE, moved_in_on=NIGHT, recorded_on=NEXT)


def a_safeguarding_marker(at: Path, person: str) -> None:
    opt_out(at / "county", "safeguarding", person=person)


def an_objection_of_the_home(at: Path, person: str) -> None:
    opt_out(at / "county", "objection", home=home_of(at, person))


def a_visitor_who_found_them_dead(at: Path, person: str) -> None:
    met = {"agency": "fire", "contacted_on": NIGHT, "outcome": "deceased", "recorded_on": NEXT}
    add_rows(at / "county", "contacts", met | {"person_id": person})


WAYS = (
    an_objection,
    a_death,
    a_leaving,
    a_move,
    a_safeguarding_marker,
    an_objection_of_the_home,
    a_visitor_who_found_them_dead,
)


# A night of format 1


def all_ways_at_once(at: Path) -> dict[str, str]:
    """Take a different person of the night off in each way: the person by the way's name."""
    people = [row["person_id"] for row in listed(at / "outreach" / str(NIGHT))]
    for way, person in zip(WAYS, people, strict=False):
        way(at, person)
    assert len(people) > len(WAYS)
    return {way.__name__: person for way, person in zip(WAYS, people, strict=False)}


def test_each_way_takes_somebody_off_every_file_of_a_night_of_format_1(old):
    first, taken = tonight(old), all_ways_at_once(old)

    ran = CliRunner().invoke(
        cli, ["score", "--as-of", str(NEXT), "--data", str(old / "county"), "--out", str(old / "outreach")]
    )

    assert isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code == 4, "scoring stops: the county has no other table"
    assert all(files_with_each(first, taken.values()).values())
    assert tonight(old).name == f"{NIGHT}.r2"
    assert files_with_each(tonight(old), taken.values()) == {person: [] for person in taken.values()}
    assert len(people_of(old)) == 8 - len(taken), "nobody else is off"
    assert not {path.suffix for path in tonight(old).rglob("*")} & {".html", ".xlsx", ".csv"}


def test_a_revision_without_pages_says_why(old):
    an_objection(old, people_of(old)[0])
    told: list[str] = []

    done = withdraw(old, tell=told.append)

    manifest = json.loads((tonight(old) / "manifest.json").read_text())
    assert manifest["without_pages"] == "another version of ageingwell made this night"
    assert "format" not in manifest
    assert told == list(done.told) == [(tonight(old) / NO_PAGES).read_text().strip()]
    assert "another version of ageingwell made this night" in told[0]


def test_a_list_of_a_night_of_format_1_is_recorded_after_somebody_was_taken_off(old):
    book = old / "outreach" / str(NIGHT) / "agencies" / "gp.xlsx"
    keys = keys_of(book)
    filled = fill(
        book, {key: {"outcome": "No access", "contacted_on": "23/11/2026"} for key in keys}, to=old / "b.xlsx"
    )
    an_objection(old, people_of(old)[0])
    withdraw(old)

    ran = CliRunner().invoke(
        cli, ["record", str(filled), "--out", str(old / "outreach"), "--recorded-on", str(NIGHT + timedelta(days=2))]
    )

    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    assert ran.exit_code in (0, 22), ran.output


def test_what_reads_past_nights_reads_those_of_format_1(old):
    archive = settled_archive(old / "outreach", AsOf(date(2029, 1, 1)), config=load_config())

    assert archive is not None
    assert archive.listed.height == previous_list(tonight(old)).height == 8


def test_a_past_night_whose_list_is_lost_stops_no_night(old):
    (tonight(old) / "list.parquet").write_bytes(b"PAR1")

    assert settled_archive(old / "outreach", AsOf(date(2029, 1, 1)), config=load_config()) is None
    assert previous_list(tonight(old)) is None
    assert previous_list(None) is None


# Files and columns that are not there


@pytest.fixture(scope="module")
def gone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Withdrawn, dict[str, str]]:
    """What the records say once each way took somebody off, and whom."""
    at = copy_of(GOLDEN, tmp_path_factory.mktemp("gone") / "old")
    taken = all_ways_at_once(at)
    found = find_withdrawn(
        at / "county",
        out=at / "outreach",
        settings=WithdrawalSettings.of(load_config()),
        workspace=at / "work",
        on=NEXT,
    )
    return found, taken


@pytest.fixture
def others_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a night read again and again a frame is read once for all the times that its file holds the same."""
    found: dict[tuple[str, bytes], pl.DataFrame] = {}

    def once(folder: Path, name: str) -> pl.DataFrame:
        key = (name, (folder / frame_file(name)).read_bytes())
        if key not in found:
            found[key] = read_frame(folder, name)
        return found[key]

    monkeypatch.setattr(reading, "read_frame", once)


def still_named(at: Path, gone: tuple[Withdrawn, dict[str, str]]) -> dict[str, list[str]]:
    """Publish the revision, and say of each way in which of its files its person still stands."""
    night = read_night(tonight(at))
    with publishing_lock(at / "outreach", holder="a test"):
        done = publish_withdrawal(
            night, without_withdrawn(night.frames, gone[0]), out=at / "outreach", config=load_config(), key=None
        )
    found = files_with_each(done.night.folder, gone[1].values())
    return {way: found[person] for way, person in gone[1].items() if found[person]}


@pytest.mark.slow
@pytest.mark.sweep(of=7)
@pytest.mark.parametrize("name", OF_FORMAT_1)
def test_they_are_off_what_remains_when_a_file_is_gone_or_damaged(old, gone, name):
    path = tonight(old) / frame_file(name)
    whole = path.read_bytes()
    for left in (None, b"", b"PAR1", whole[: len(whole) // 2], whole[:4] + b"\xff" * (len(whole) - 12) + whole[-8:]):
        path.unlink(missing_ok=True)
        if left is not None:
            path.write_bytes(left)

        assert still_named(old, gone) == {}
        assert not (tonight(old) / frame_file(name)).exists()
        # The next case begins from the first night again.
        (old / "outreach" / "current").unlink()
        (old / "outreach" / "current").symlink_to(str(NIGHT), target_is_directory=True)


@pytest.mark.slow
@pytest.mark.usefixtures("others_read_once")
@pytest.mark.sweep(of=7)
@pytest.mark.parametrize("name", OF_FORMAT_1)
def test_they_are_off_what_remains_when_any_column_is_gone_or_of_another_type(old, gone, name):
    path = tonight(old) / frame_file(name)
    whole = pl.read_parquet(path)
    for column in whole.columns:
        for other in _without_it(whole, column):
            other.write_parquet(path)
            night = read_night(tonight(old))
            kept = without_withdrawn(night.frames, gone[0])
            told = str([getattr(kept, frame).to_dict(as_series=False) for frame in night.found])
            assert not [way for way, person in gone[1].items() if person in told], column
    assert still_named(old, gone) == {}


def _without_it(frame: pl.DataFrame, column: str) -> Iterator[pl.DataFrame]:
    yield frame.drop(column)
    yield frame.with_columns(pl.lit(None).alias(column))
    if frame.schema[column] == pl.String:
        yield frame.with_columns(pl.col(column).cast(pl.Categorical))


@pytest.mark.parametrize("lost", ["manifest.json", "run.json", "evaluation.json", "card.md"])
def test_they_are_off_when_what_stands_beside_the_frames_is_lost(old, gone, lost):
    (tonight(old) / lost).unlink()

    assert still_named(old, gone) == {}


@pytest.mark.slow
@pytest.mark.sweep(of=8)
@pytest.mark.parametrize("key", json.loads((GOLDEN / "outreach" / str(NIGHT) / "manifest.json").read_text()))
def test_every_key_of_the_manifest_can_be_missing(old, gone, key):
    path = tonight(old) / "manifest.json"
    told = json.loads(path.read_text())
    del told[key]
    path.write_text(json.dumps(told))

    assert still_named(old, gone) == {}


def test_what_could_not_be_read_is_named(old, gone):
    (tonight(old) / "reasons.parquet").write_bytes(b"PAR1")

    assert still_named(old, gone) == {}

    assert json.loads((tonight(old) / "manifest.json").read_text())["left_out"] == ["reasons.parquet"]
    assert "reasons.parquet" in (tonight(old) / NO_PAGES).read_text()


# A night of this version's format, and of a later one


def test_a_night_says_its_format_and_every_frame_has_a_contract(new):
    assert json.loads((tonight(new) / "manifest.json").read_text())["format"] == NIGHT_FORMAT
    assert list(CONTRACTS) == list(NightFrames.__dataclass_fields__)
    assert read_night(tonight(new)).why_no_pages is None


def test_pages_are_drawn_again_where_they_can_be(new, few_places):
    person = people_of(new)[0]
    before = {str(path.relative_to(tonight(new))) for path in tonight(new).rglob("*")}
    an_objection(new, person)

    done = withdraw(new, few_places)

    assert done.told == ()
    assert {str(path.relative_to(tonight(new))) for path in tonight(new).rglob("*")} == before
    assert files_with(tonight(new), person) == []


@pytest.mark.parametrize(
    "fault", [PublishError, MemoryError, *(pytest.param(one, marks=pytest.mark.full) for one in USUAL_FAULTS)]
)
def test_no_fault_of_a_page_stops_a_withdrawal(new, few_places, monkeypatch, fault):
    def cannot(*args, **kwargs):
        raise fault("a value of somebody's record")

    monkeypatch.setattr(revising, "draw_pages", cannot)
    person = people_of(new)[0]
    an_objection(new, person)

    done = withdraw(new, few_places)

    assert files_with(tonight(new), person) == []
    assert list(tonight(new).rglob("*.html")) == []
    assert f"({fault.__name__})" in done.told[0]
    assert files_with(tonight(new), "somebody's record") == []


def test_an_interrupt_is_no_fault_of_a_page(new, few_places, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(revising, "draw_pages", interrupted)
    an_objection(new, people_of(new)[0])

    with pytest.raises(KeyboardInterrupt):
        withdraw(new, few_places)


def test_a_night_of_a_later_version_is_withdrawn_from_without_pages(new, few_places):
    folder = tonight(new)
    first, second, third, *_ = people_of(new)
    told = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(told | {"format": NIGHT_FORMAT + 1}))
    rows = pl.read_parquet(folder / "list.parquet")
    looks_after = pl.when(person_id=second).then(pl.lit(first)).alias("looks_after")
    rows.with_columns(looks_after).write_parquet(folder / "list.parquet")
    pl.DataFrame({"person_id": [first], "plan": ["a walk"]}).write_parquet(folder / "hopes.parquet")
    seal_again(folder)
    an_objection(new, first)

    withdraw(new, few_places)

    assert files_with(tonight(new), first) == []
    assert third in people_of(new)
    assert list(tonight(new).rglob("*.html")) == []
    assert not (tonight(new) / "hopes.parquet").exists()


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_damaged_register_or_opt_out_table_adds_nobody_and_stops_no_other_withdrawal(new, few_places):
    first, second, *_ = people_of(new)
    an_objection(new, first)
    a_death(new, second)
    for table, still_on in (("gp_patients", second), ("permissions", None)):
        path = new / "county" / f"{table}.parquet"
        whole = path.read_bytes()
        path.write_bytes(whole[:4] + b"\xff" * (len(whole) - 12) + whole[-8:])
        withdraw(new, few_places)
        path.write_bytes(whole)
        assert first not in people_of(new)
        assert still_on is None or still_on in people_of(new)


def test_a_former_tenant_is_not_barred_by_the_objection_of_a_home(new, few_places):
    person = people_of(new)[0]
    row = newest_versions(new / "county")[person]
    add_rows(new / "county", "gp_patients", row | {"household_id": ELSEWHERE, "recorded_on": row["registered_on"]})
    opt_out(new / "county", "objection", home=ELSEWHERE)
    kept = hashes_of(tonight(new))

    assert withdraw(new, few_places) is None
    assert hashes_of(tonight(new)) == kept


def test_a_leaving_that_is_announced_is_no_leaving_yet(new, few_places):
    person = people_of(new)[0]
    new_version(new / "county", person, left_on=NEXT + timedelta(days=20), left_recorded_on=NIGHT)

    assert withdraw(new, few_places) is None


@pytest.mark.usefixtures("pages_not_drawn")
def test_more_moves_than_can_be_stop_the_run_and_are_not_applied_until_accepted(new, few_places):
    objects, *movers = people_of(new)
    assert len(movers) > 9
    for person in movers:
        a_leaving(new, person)
    an_objection(new, objects)

    with pytest.raises(ChangeError, match="moved or left"):
        withdraw(new, few_places)

    assert objects not in people_of(new)
    assert set(movers) & set(people_of(new)), "their list stands"
    withdraw(new, few_places, accept_change=True)
    assert not set(movers) & set(people_of(new))


def test_a_frame_with_a_column_too_few_is_told_by_its_name(new):
    with pytest.raises(PublishError, match=r"list\.parquet of the published night 2026-11-22 lacks `whim`"):
        read_frame(tonight(new), "listed", columns=("whim",))
