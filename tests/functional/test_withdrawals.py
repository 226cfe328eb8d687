"""Who opts out, dies or moves is off the current list the same night, also when scoring stops."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from helpers.counties import (
    AUDIT,
    BESIDE_NIGHTS,
    NIGHT,
    Row,
    add_rows,
    change,
    copy_of,
    files_with,
    files_with_each,
    hashes_of,
    listed,
    new_version,
    newest_versions,
    opt_out,
    rows_of,
    settings_file,
)
from helpers.shared import Shared
from helpers.undrawn import without_pages

from ageingwell.bundle import Bundle
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.config.withdrawing import WithdrawalSettings
from ageingwell.decisions.entry import Entry
from ageingwell.decisions.ledger import append
from ageingwell.errors import SourceError
from ageingwell.governance.night_facts import NightFacts
from ageingwell.kept.frames import NightFrames
from ageingwell.night import score as night
from ageingwell.night import withdraw as withdrawals
from ageingwell.publish import current

pytestmark = pytest.mark.usefixtures("read_once")

NEXT = NIGHT + timedelta(days=7)
ELSEWHERE = "b" * 32


@pytest.fixture
def published(night_of_few_places: Path, tmp_path: Path) -> Path:
    """A folder with a county and its first published night, to change."""
    return copy_of(night_of_few_places, tmp_path / "here")


def score(at: Path, settings: Path, *, as_of: date = NEXT, key: Path | None = None) -> int:
    """Run `ageingwell score` over the county in `at` and give its exit code."""
    paths = ["--data", at / "county", "--out", at / "out", "--config", settings]
    paths += [] if key is None else ["--list-key-file", key]
    ran = CliRunner().invoke(cli, ["score", "--as-of", str(as_of), *map(str, paths)])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran.exit_code


def tonight(at: Path) -> Path:
    folder = current(at / "out")
    assert folder is not None
    return folder


def somebody(at: Path, *, alone: bool = False) -> str:
    """The first person on the list; with `alone`, one whose home holds nobody else."""
    return next(row["person_id"] for row in listed(tonight(at)) if not alone or lives_alone(at, row))


def lives_alone(at: Path, row: Row) -> bool:
    homes = [one["household_id"] for one in newest_versions(at / "county").values()]
    return homes.count(row["household_id"]) == 1


def home_of(at: Path, person: str) -> str:
    return newest_versions(at / "county")[person]["household_id"]


# What takes people off


def an_objection(at: Path, person: str) -> None:
    opt_out(at / "county", "objection", person=person)


def a_restriction(at: Path, person: str) -> None:
    opt_out(at / "county", "restriction", person=person)


def a_type_1_opt_out(at: Path, person: str) -> None:
    opt_out(at / "county", "type_1", person=person)


def an_objection_of_the_home(at: Path, person: str) -> None:
    opt_out(at / "county", "objection", home=home_of(at, person))


def a_safeguarding_marker(at: Path, person: str) -> None:
    opt_out(at / "county", "safeguarding", person=person)


def a_safeguarding_marker_of_the_home(at: Path, person: str) -> None:
    opt_out(at / "county", "safeguarding", home=home_of(at, person))


def a_death(at: Path, person: str) -> None:
    new_version(at / "county", person, died_on=NIGHT)


def a_death_recorded_only_after_the_next_night(at: Path, person: str) -> None:
    new_version(at / "county", person, died_on=NIGHT, recorded_on=NEXT + timedelta(days=3))


def a_death_that_a_visitor_was_told_of(at: Path, person: str) -> None:
    met = {"agency": "fire", "contacted_on": NIGHT, "outcome": "deceased", "recorded_on": NEXT + timedelta(days=1)}
    add_rows(at / "county", "contacts", met | {"person_id": person})


def a_death_that_a_list_told_of(at: Path, person: str) -> None:
    met = Entry(NIGHT, "fire", "listed", person, None, outcome="deceased", contacted_on=NIGHT, agency="fire")
    when = datetime(2026, 11, 24, 12, tzinfo=UTC)
    append(at / "out" / "decisions.sqlite", [met], role="visitor", recorded_at=when, file_sha256="0" * 64)


def a_leaving(at: Path, person: str) -> None:
    new_version(at / "county", person, left_on=NIGHT)


def a_move_to_another_home(at: Path, person: str) -> None:
    # Known only later: by the night after it they would be listed at the new home.
    new_version(at / "county", person, household_id=ELSEWHERE, moved_in_on=NIGHT, recorded_on=NEXT)


OPT_OUTS = (an_objection, a_restriction, a_type_1_opt_out, an_objection_of_the_home)
MARKERS = (a_safeguarding_marker, a_safeguarding_marker_of_the_home)
EXITS = (
    a_death,
    a_death_recorded_only_after_the_next_night,
    a_death_that_a_visitor_was_told_of,
    a_death_that_a_list_told_of,
    a_leaving,
    a_move_to_another_home,
)

# Why scoring stops: each spoils something and gives the exit code that follows.


def half_written_events(at: Path) -> int:
    path = at / "county" / "gp_events.parquet"
    path.write_bytes(path.read_bytes()[:-100])
    return 4


def events_without_a_column(at: Path) -> int:
    change(at / "county", "gp_events", lambda rows: rows.drop("code"))
    return 4


def a_refused_opt_out(at: Path) -> int:
    add_rows(at / "county", "permissions", {"kind": "objection", "checked_on": NIGHT})
    return 5


def events_mostly_refused(at: Path) -> int:
    change(at / "county", "gp_events", lambda rows: rows.with_columns(code_system=pl.lit("none of ours")))
    return 5


STOPS = (events_without_a_column, a_refused_opt_out, events_mostly_refused)


WAYS = (*OPT_OUTS, *MARKERS, *EXITS)


def ways_of(folder: Path) -> dict[str, str]:
    """A different person of a night for each way to come off, by the way's name."""
    people = [row["person_id"] for row in listed(folder)]
    assert len(people) >= len(WAYS)
    return {way.__name__: person for way, person in zip(WAYS, people, strict=False)}


def all_at_once(at: Path, folder: Path) -> dict[str, str]:
    """Take a different person of a night off in each way: the person by the way's name."""
    taken = ways_of(folder)
    for way in WAYS:
        way(at, taken[way.__name__])
    return taken


def test_they_are_off_every_file_when_scoring_stops(published, few_places):
    before = tonight(published)
    taken = all_at_once(published, before)
    assert all(files_with_each(before, taken.values()).values())
    code = half_written_events(published)

    assert score(published, few_places) == code

    assert tonight(published).name == f"{NIGHT}.r2"
    assert files_with_each(tonight(published), taken.values()) == {person: [] for person in taken.values()}
    assert files_with(before, taken["an_objection"]), "the first revision is kept"


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize("stop", STOPS)
def test_whatever_stops_scoring(published, few_places, stop):
    person = somebody(published)
    an_objection(published, person)
    code = stop(published)

    assert score(published, few_places) == code

    assert tonight(published).name == f"{NIGHT}.r2"
    assert files_with(tonight(published), person) == []


def test_a_key_that_cannot_be_read_stops_no_withdrawal_and_leaves_no_page(published, few_places, tmp_path):
    person = somebody(published)
    an_objection(published, person)

    assert score(published, few_places, key=tmp_path / "lost.key") == 7

    assert tonight(published).name == f"{NIGHT}.r2"
    assert files_with(tonight(published), person) == []
    assert list(tonight(published).rglob("*.html")) == []
    assert list(tonight(published).rglob("*.xlsx")) == []


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize("stop", ["lapsed", "bundle"])
def test_a_lapsed_ledger_or_a_missing_bundle_stops_no_withdrawal(published, bundle, stop, tmp_path):
    person = somebody(published)
    an_objection(published, person)
    if stop == "lapsed":
        spoilt, code = settings_file(tmp_path / "set", bundle=bundle, permissions={"expires_on": "2026-11-23"}), 6
        path = tmp_path / "set" / "permissions.toml"
        path.write_text(path.read_text().replace('"2026-11-23"', "2026-11-23"))
    else:
        spoilt, code = settings_file(tmp_path / "set", bundle=tmp_path / "nowhere"), 8

    assert score(published, spoilt) == code

    assert files_with(tonight(published), person) == []
    assert tonight(published).name == f"{NIGHT}.r2"


@pytest.fixture
def next_night(first_night: Path, settings: Path, shared: Shared) -> Path:
    """The folder after the next night, since which everybody of `all_at_once` is off."""

    def score_it(folder: Path) -> None:
        for part in ("county", "out"):
            copy_of(first_night / part, folder / part)
        all_at_once(folder, tonight(folder))
        with without_pages():
            assert score(folder, settings) == 0

    return shared.folder("next-night-without-them", score_it)


def test_they_are_off_the_list_when_the_next_night_is_scored(next_night):
    assert tonight(next_night).name == str(NEXT)
    taken = ways_of(next_night / "out" / str(NIGHT))
    found = files_with_each(tonight(next_night), taken.values())
    for way, person in taken.items():
        # Those who did not opt out are told of as gone, and what they need goes to those who look after them.
        may_stand_in = {"attrition.parquet", "needs.parquet", "left_list.parquet"} if opted_not(way) else set()
        if way in {one.__name__ for one in MARKERS}:
            # The safeguarding lead hears of them.
            may_stand_in |= {"people.parquet", "safeguarded.parquet"}
        assert not {file for file in found[person] if file.endswith(".parquet")} - may_stand_in
    revised = files_with_each(next_night / "out" / f"{NIGHT}.r2", taken.values())
    assert revised == {person: [] for person in taken.values()}


def opted_not(way: str) -> bool:
    return way not in {one.__name__ for one in OPT_OUTS}


@pytest.mark.usefixtures("pages_not_drawn")
def test_they_are_off_every_file_when_the_same_night_is_scored_again(next_night, settings, tmp_path):
    at = copy_of(next_night, tmp_path / "here")
    # On both nights' lists, so that the second compares with a list on which they still stood.
    both = {row["person_id"] for row in listed(at / "out" / f"{NIGHT}.r2")}
    people = [row["person_id"] for row in listed(tonight(at)) if row["person_id"] in both]
    taken = dict(zip(OPT_OUTS, people, strict=False))
    for way, person in taken.items():
        way(at, person)

    assert score(at, settings) == 0

    assert len(taken) == len(OPT_OUTS)
    assert files_with_each(tonight(at), taken.values()) == {person: [] for person in taken.values()}


@pytest.fixture
def one_off(night_of_few_places: Path, few_places: Path, shared: Shared) -> Path:
    """The folder after scoring stopped, since which one person is off who lives alone and objected."""

    def stop(folder: Path) -> None:
        for part in ("county", "out"):
            copy_of(night_of_few_places / part, folder / part)
        an_objection(folder, somebody(folder, alone=True))
        code = half_written_events(folder)
        with without_pages():
            assert score(folder, few_places) == code

    return shared.folder("one-off-the-list", stop)


def test_nobody_else_is_taken_off(one_off):
    before = one_off / "out" / str(NIGHT)
    person = next(row["person_id"] for row in listed(before) if lives_alone(one_off, row))

    assert [row["person_id"] for row in listed(tonight(one_off))] == [
        row["person_id"] for row in listed(before) if row["person_id"] != person
    ]


def test_those_taken_off_are_counted_and_the_sum_stays(one_off):
    before = pl.read_parquet(one_off / "out" / str(NIGHT) / "attrition.parquet")

    after = pl.read_parquet(tonight(one_off) / "attrition.parquet")

    assert after.filter(step="withdrawn").select("reason", "n").rows() == [("objection", 1)]
    assert after["n"].sum() == before["n"].sum()


def test_what_the_withdrawal_reads_is_gone_afterwards(one_off):
    left = {path.name for path in (one_off / "out").iterdir()}
    assert left == {".lock", *BESIDE_NIGHTS, *AUDIT, "current", str(NIGHT), f"{NIGHT}.r2"}


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_second_stop_publishes_no_further_revision(one_off, few_places, tmp_path):
    at = copy_of(one_off, tmp_path / "here")

    assert score(at, few_places) == 4

    assert tonight(at).name == f"{NIGHT}.r2"
    assert not (at / "out" / f"{NIGHT}.r3").exists()


@pytest.mark.usefixtures("pages_not_drawn")
def test_a_door_that_just_missed_a_place_is_gone_with_its_person(published, few_places):
    missed = pl.read_parquet(tonight(published) / "just_missed.parquet")
    homes = [row["household_id"] for row in newest_versions(published / "county").values()]
    door = next(door for door in missed["door_id"] if homes.count(door) == 1)
    person = next(key for key, row in newest_versions(published / "county").items() if row["household_id"] == door)
    a_death(published, person)
    half_written_events(published)

    score(published, few_places)

    for file in ("just_missed", "marginal"):
        assert f"{file}.parquet" not in files_with(tonight(published), door)


def test_without_anyone_to_take_off_nothing_is_published(published, few_places):
    half_written_events(published)
    kept = hashes_of(tonight(published))

    assert score(published, few_places) == 4

    assert tonight(published).name == str(NIGHT)
    assert hashes_of(tonight(published)) == kept
    assert not (published / "out" / f"{NIGHT}.r2").exists()


@pytest.mark.usefixtures("pages_not_drawn")
def test_an_unreadable_register_still_lets_opt_outs_through(published, few_places):
    person = somebody(published)
    an_objection(published, person)
    (published / "county" / "gp_patients.parquet").write_bytes(b"PAR1")

    assert score(published, few_places) == 4

    assert files_with(tonight(published), person) == []


@pytest.mark.usefixtures("pages_not_drawn")
@pytest.mark.parametrize("lost", ["unreadable", "missing"])
def test_unreadable_opt_outs_still_let_deaths_through(published, few_places, lost):
    person = somebody(published)
    a_death(published, person)
    path = published / "county" / "permissions.parquet"
    path.write_bytes(b"PAR1") if lost == "unreadable" else path.unlink()

    assert score(published, few_places) == 4

    assert files_with(tonight(published), person) == []


def test_an_opt_out_that_has_ended_takes_nobody_off(published, few_places):
    person = somebody(published)
    ended = {"person_id": person, "kind": "objection", "to_on": NIGHT - timedelta(days=1), "checked_on": NIGHT}
    add_rows(published / "county", "permissions", ended)
    half_written_events(published)

    score(published, few_places)

    assert tonight(published).name == str(NIGHT)


@pytest.mark.usefixtures("pages_not_drawn")
def test_an_opt_out_that_is_to_begin_later_counts_at_once(published, few_places):
    person = somebody(published)
    later = {"person_id": person, "kind": "objection", "from_on": NEXT + timedelta(days=30), "checked_on": NIGHT}
    add_rows(published / "county", "permissions", later)
    half_written_events(published)

    score(published, few_places)

    assert files_with(tonight(published), person) == []


@pytest.fixture(scope="module")
def made() -> list[tuple[NightFrames, NightFacts, Bundle]]:
    """The first night of few places as it was worked out, once somebody has."""
    return []


@pytest.fixture
def worked_out_once(made, monkeypatch) -> None:
    """What happens to the tables after they were read changes nothing of how that night is worked out."""
    work_out = night.work_out

    def once(*args, **kwargs):
        if not made:
            frames, *others = work_out(*args, **kwargs)
            made.append((frames.in_memory(), *others))
        return made[0]

    monkeypatch.setattr(night, "work_out", once)


@pytest.mark.usefixtures("pages_not_drawn", "worked_out_once")
def test_an_opt_out_that_arrives_while_the_night_is_worked_out_counts(
    night_of_few_places, small_county, few_places, tmp_path, monkeypatch
):
    data = copy_of(small_county, tmp_path / "county")
    # The same night of the same county, when none arrived.
    calm = listed(night_of_few_places / "out" / str(NIGHT))
    person = calm[0]["person_id"]
    read = night.read_agencies

    def read_and_then(*args, **kwargs):
        records = read(*args, **kwargs)
        opt_out(data, "objection", person=person)
        return records

    monkeypatch.setattr(night, "read_agencies", read_and_then)
    run = night.score(data, as_of=NIGHT, out=tmp_path / "out", config=load_config(few_places))

    assert files_with(run.folder, person) == []
    assert run.n_listed == len(calm) - 1
    counted = pl.read_parquet(run.folder / "attrition.parquet").filter(step="withdrawn")
    assert counted.select("reason", "n").rows() == [("objection", 1)]


@pytest.mark.usefixtures("worked_out_once")
def test_a_night_stops_where_nobody_can_say_at_its_end_who_is_to_come_off(
    small_county, few_places, tmp_path, monkeypatch
):
    data = copy_of(small_county, tmp_path / "county")
    read = night.read_agencies

    def read_and_then(*args, **kwargs):
        records = read(*args, **kwargs)
        for table in ("permissions", "gp_patients"):
            (data / f"{table}.parquet").write_bytes(b"PAR1 garbage")
        return records

    monkeypatch.setattr(night, "read_agencies", read_and_then)

    with pytest.raises(SourceError, match="permissions and gp_patients: could be read when the night began"):
        night.score(data, as_of=NIGHT, out=tmp_path / "out", config=load_config(few_places))

    assert current(tmp_path / "out") is None


def test_the_first_night_needs_no_list_to_withdraw_from(small_county, few_places, tmp_path):
    config = load_config(few_places)
    with_nothing = withdrawals.withdraw_from_current(
        small_county,
        out=tmp_path,
        settings=WithdrawalSettings.of(config),
        workspace=tmp_path / "work",
        on=NIGHT,
        key=night.Key.made_up(0),
    )
    assert with_nothing is None
    assert rows_of(small_county, "permissions")


@pytest.mark.usefixtures("pages_not_drawn")
def test_nobody_who_died_moved_or_objected_is_counted_as_living_there(published, few_places):
    # Neither on the list nor among those who could be listed: residents of care homes, people put off, the safeguarded.
    residents = pl.read_parquet(tonight(published) / "residents.parquet")
    scored = pl.read_parquet(tonight(published) / "scores.parquet")
    others = residents.join(scored, on="person_id", how="anti")["person_id"].to_list()
    assert len(others) > 4
    for way, person in zip((a_death, a_leaving, a_move_to_another_home, an_objection), others, strict=False):
        way(published, person)
    half_written_events(published)

    score(published, few_places)

    counted = pl.read_parquet(tonight(published) / "residents.parquet")["person_id"].to_list()
    assert tonight(published).name == f"{NIGHT}.r2"
    assert not set(others[:4]) & set(counted)
    assert set(residents["person_id"]) - set(counted) == set(others[:4])


def as_an_earlier_version_made_it(folder: Path) -> None:
    """Take out of a night what came later: frames, columns, what the manifest tells."""
    for later in ("compared", "in_touch", "beeswarm", "drift", "residents", "services"):
        (folder / f"{later}.parquet").unlink()
    for name, columns in (
        ("list", ["person_told"]),
        ("reasons", ["beside_peers", "adds_in_100", "agency", "known_on"]),
    ):
        path = folder / f"{name}.parquet"
        pl.read_parquet(path).drop(columns).write_parquet(path)
    for later in ("evaluation.json", "card.md", "group.xlsx", "commissioning.html"):
        (folder / later).unlink(missing_ok=True)
    told = json.loads((folder / "manifest.json").read_text())
    for key in ("format", "decisions", "directory", "track_record", "minimum_age", "works_less_well_for", "sums"):
        del told[key]
    (folder / "manifest.json").write_text(json.dumps(told))
    (folder / "SHA256SUMS").unlink()


def test_a_night_that_an_earlier_version_made_is_withdrawn_from_too(published, few_places):
    as_an_earlier_version_made_it(tonight(published))
    first, second, *_ = [row["person_id"] for row in listed(tonight(published))]
    an_objection(published, first)
    spoilt = (published / "county" / "gp_events.parquet").read_bytes()
    half_written_events(published)

    assert score(published, few_places) == 4

    assert tonight(published).name == f"{NIGHT}.r2"
    assert files_with(tonight(published), first) == []
    assert list(tonight(published).rglob("*.html")) == [], "no page where it cannot be drawn as it was"

    # Once more, of the revision; then the next night is scored, and compares its list with the earlier version's.
    a_death(published, second)
    assert score(published, few_places) == 4
    assert tonight(published).name == f"{NIGHT}.r3"
    assert files_with(tonight(published), second) == []
    (published / "county" / "gp_events.parquet").write_bytes(spoilt)
    with without_pages():
        assert score(published, few_places) == 0
    assert tonight(published).name == str(NEXT)
    assert not all(row["new_since_last"] for row in listed(tonight(published)))


def test_without_the_nights_own_key_no_page_is_drawn(published, few_places, tmp_path):
    # Row keys by another key would not be those of the list that people hold in their hands.
    another = tmp_path / "another.key"
    another.write_bytes(hashlib.sha512(b"another").digest())
    another.chmod(0o600)
    person = somebody(published)
    an_objection(published, person)
    half_written_events(published)

    assert score(published, few_places, key=another) == 4

    assert files_with(tonight(published), person) == []
    assert list(tonight(published).rglob("*.xlsx")) == []


def test_a_death_that_a_list_told_of_by_mistake_takes_nobody_off_once_it_is_corrected(published, few_places):
    person = somebody(published)
    a_death_that_a_list_told_of(published, person)
    met = Entry(NIGHT, "fire", "listed", person, None, outcome="no_access", contacted_on=NIGHT, agency="fire")
    when = datetime(2026, 11, 25, 12, tzinfo=UTC)
    append(published / "out" / "decisions.sqlite", [met], role="visitor", recorded_at=when, file_sha256="1" * 64)
    half_written_events(published)

    score(published, few_places)

    assert tonight(published).name == str(NIGHT)
