"""What a purge deletes, by the schedule in the settings: drawn as small nights."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from helpers.kept_nights import decide, home, publish, text_of_ledger, who, world
from helpers.nights import nights_in
from pydantic import ValidationError

from ageingwell.config.load import load_config
from ageingwell.config.retention import RetentionSettings
from ageingwell.decisions.ledger import read_ledger
from ageingwell.errors import KeepingError
from ageingwell.forgotten import with_key, write_forgotten
from ageingwell.keeping.purging import Purged, purge
from ageingwell.kept.followed import read_followed
from ageingwell.publish import current

TODAY = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Nights of 1 October to 22 November; on the 22nd somebody was taken off."""
    folder = tmp_path / "out"
    for day in ("2026-10-01", "2026-10-24", "2026-10-25", "2026-11-22"):
        publish(folder, day, [1, 2, 3])
    publish(folder, "2026-11-22", [1, 3])
    return folder


def purged(out: Path, *, at: datetime = TODAY, cache: Path | None = None, dry_run: bool = False) -> Purged:
    return purge(out, config=load_config(), dry_run=dry_run, surroundings=world(at, cache))


def deleted(done: Purged) -> list[tuple[str, str]]:
    return [(item.kind, item.name) for item in done.due.items]


def test_a_night_goes_after_35_days_and_an_earlier_revision_at_once(out: Path):
    done = purged(out)

    assert deleted(done) == [("superseded revision", "2026-11-22"), ("night", "2026-10-24"), ("night", "2026-10-01")]
    assert list(nights_in(out)) == ["2026-10-25", "2026-11-22.r2"]
    now = current(out)
    assert now is not None
    assert now.name == "2026-11-22.r2"


def test_the_current_night_stays_however_old_it_is(out: Path):
    purged(out, at=datetime(2028, 1, 1, tzinfo=UTC))

    assert list(nights_in(out)) == ["2026-11-22.r2"]


def test_a_dry_run_says_the_same_and_changes_nothing(out: Path):
    before = {str(path): path.stat().st_mtime_ns for path in out.rglob("*")}

    told = deleted(purged(out, dry_run=True))

    assert {str(path): path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert deleted(purged(out)) == told


def test_the_certificate_says_what_went_by_which_schedule_and_nothing_of_anybody(out: Path):
    done = purged(out)
    assert done.certificate is not None
    text = done.certificate.read_text()
    told = json.loads(text)

    assert (told["what"], told["state"], told["n_files"]) == ("purge", "done", done.n_files)
    assert told["schedule"]["nights_days"] == 35
    assert len(told["sha256_of_deleted"]) == 64
    assert [one["name"] for one in told["deleted"]] == ["2026-11-22", "2026-10-24", "2026-10-01"]
    assert not any(name in text for one in (1, 2, 3) for name in (who(one), home(one)))
    assert oct(done.certificate.stat().st_mode & 0o777) == "0o600"
    lines = [json.loads(line) for line in (out / "audit.jsonl").read_text().splitlines()]
    assert [(line["did"], line["stage"]) for line in lines] == [("purge", "begun"), ("purge", "done")]
    assert lines[-1]["certificate"] == done.certificate.name


def test_nothing_due_writes_no_certificate(out: Path):
    purged(out)

    assert purged(out).certificate is None
    assert len(list(out.glob("certificates/*"))) == 1


def test_who_was_on_an_old_list_is_followed_for_a_year_and_90_days(out: Path):
    purged(out)
    kept = read_followed(out / "followed" / "2026-10-01.parquet")
    assert kept is not None
    assert kept.columns == ["person_id", "was_listed"]

    # 470 days from 1 October 2026 are over on 14 January 2028.
    purged(out, at=datetime(2028, 1, 15, tzinfo=UTC))
    assert sorted(path.name for path in (out / "followed").iterdir()) == ["2026-10-24.parquet", "2026-10-25.parquet"]
    purged(out, at=datetime(2028, 6, 1, tzinfo=UTC))
    assert list((out / "followed").iterdir()) == []


def test_decisions_go_after_three_years_where_no_night_names_their_people(out: Path):
    decide(out, 1, 2, on=date(2023, 11, 20))
    decide(out, 5, 6, on=date(2023, 11, 20))
    decide(out, 6, on=date(2026, 1, 1))

    purged(out)

    # 1 is on the current list, 2 on one of October; of 6 something was said this year.
    assert sorted(set(read_ledger(out / "decisions.sqlite")["person_id"])) == sorted({who(1), who(2), who(6)})
    assert who(5) not in text_of_ledger(out / "decisions.sqlite")


def test_files_that_came_back_and_the_cache_go_when_nobody_used_them(out: Path, tmp_path: Path):
    (cache := tmp_path / "cache").mkdir()
    old, new = datetime(2026, 8, 1, tzinfo=UTC).timestamp(), TODAY.timestamp()
    ours = [out / "fire.fix.xlsx", out / "clashes-2026-10-01.xlsx", cache / "lookup3-a.npz", out / "notes.xlsx"]
    for path in [*ours, out / "gp.fix.xlsx", cache / "lookup3-b.npz"]:
        path.write_bytes(b"x")
        os.utime(path, (old, old) if path in ours else (new, new))

    purged(out, cache=cache)

    assert [path.exists() for path in ours] == [False, False, False, True], "what is not ours stays"
    assert (out / "gp.fix.xlsx").exists()
    assert (cache / "lookup3-b.npz").exists()


def test_a_certificate_that_somebody_wrote_by_hand_deletes_nothing_else(out: Path):
    purged(out)
    decide(out, 1)
    (certificate,) = out.glob("certificates/*.json")
    names = ["../x", "/etc/hosts", "decisions.sqlite", "forgotten.json", "2026-11-22.r2", "audit.jsonl"]
    items = [{"kind": kind, "name": name} for kind in ("night", "returned file", "cache") for name in names]
    told = json.loads(certificate.read_text())
    certificate.write_text(json.dumps(told | {"state": "begun", "deleted": items}))

    purged(out)

    assert (out / "decisions.sqlite").exists()
    assert list(nights_in(out)) == ["2026-10-25", "2026-11-22.r2"]
    assert json.loads(certificate.read_text())["state"] == "done"


def test_a_night_that_names_somebody_forgotten_is_told(out: Path):
    write_forgotten(out, with_key(out).with_people([who(3)], on=TODAY.date(), pseudonyms=None))

    with pytest.raises(KeepingError, match=r"2026-11-22\.r2"):
        purged(out)

    assert "2026-10-01" not in nights_in(out), "everything else was purged"


def test_the_audit_log_is_kept_longest():
    with pytest.raises(ValidationError, match="kept longest"):
        RetentionSettings(nights_days=3_000)
