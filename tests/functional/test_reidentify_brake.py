"""The brake of re-identification: nobody is found without a reason, within the caps, by a register of people."""

import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.evidence import counted
from helpers.nights import Dead, DyingDisk, Recorder

from ageingwell.agency import approving
from ageingwell.agency.approving import approve
from ageingwell.agency.matching import LOG, Reidentified, reidentify
from ageingwell.audit.writing import read_lines
from ageingwell.config.answering import ReidentifySettings
from ageingwell.context import Surroundings
from ageingwell.disk import Disk
from ageingwell.errors import AgeingWellError, AuditError, KeyFileError, ReidentifyError
from ageingwell.pseudonyms import Key, pseudonym, row_key
from ageingwell.pseudonyms.list_seal import list_seal
from ageingwell.report.csv import agency_csv
from ageingwell.report.export import view_parquet
from ageingwell.views.columns import PLACE, ROW_KEY, AgencyView

# Real keys, so that nothing is let through for made-up people.
KEY, LISTS = (Key(sha256(word).digest()) for word in (b"pseudonyms of a test", b"lists of a test"))
MORNING = datetime(2026, 11, 24, 9, tzinfo=UTC)
LAST_DAY = NIGHT + timedelta(days=35)
N = 12


def number(prefix: int) -> str | None:
    """A number of the test range with its check digit, from nine digits; None where there is none."""
    digits = [int(letter) for letter in str(prefix)]
    check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1))) % 11
    return None if check == 10 else f"{prefix}{check % 11}"


def numbers(first: int, n: int, step: int = 1) -> list[str]:
    found = (number(prefix) for prefix in range(first, 999_999_999, step))
    return [one for one, _ in zip((one for one in found if one), range(n))]


LISTED = numbers(999_000_000, N, step=7_001)


def world(at: datetime = MORNING, user: str = "ann") -> Surroundings:
    return Surroundings(now=lambda: at, user=user)


def people(identifiers: list[str], key: Key = KEY) -> list[str]:
    frame = pl.DataFrame({"n": identifiers})
    return frame.select(pseudonym(pl.col("n"), domain="person", key=key)).to_series().to_list()


def view(recipient: str, identifiers: list[str]) -> AgencyView:
    rows = pl.DataFrame({"person_id": people(identifiers)}).select(
        row_key=row_key(pl.col("person_id"), recipient=recipient, as_of=NIGHT, key=LISTS), place=pl.lit("Ludlow")
    )
    fingerprints = (KEY.fingerprint, LISTS.for_recipient(recipient).fingerprint)
    return AgencyView(recipient, NIGHT, (ROW_KEY, PLACE), rows, keys=fingerprints, use_until=LAST_DAY)


def sent(folder: Path, recipient: str = "fire", identifiers: list[str] = LISTED, form: str = "csv") -> Path:
    path = folder / f"{recipient}.{form}"
    content = agency_csv(view(recipient, identifiers)) if form == "csv" else view_parquet(view(recipient, identifiers))
    path.write_bytes(content)
    return path


def register(folder: Path, identifiers: list[str], name: str = "register.csv") -> Path:
    frame = pl.DataFrame({"nhs_number": identifiers}).with_columns(name=pl.format("Person {}", pl.int_range(pl.len())))
    frame.write_csv(folder / name)
    return folder / name


def look_up(
    folder: Path,
    listed: Path,
    known: Path,
    *,
    to: str = "named.csv",
    at: datetime = MORNING,
    disk: Disk | None = None,
    user: str = "ann",
    **told: object,
) -> Reidentified:
    given = {"key": KEY, "list_key": LISTS.for_recipient("fire"), "reason": "visit_agreed", "case": "case 4711/26"}
    given |= {} if disk is None else {"disk": disk}
    return reidentify(listed, register=known, out=folder / to, surroundings=world(at, user), **given | told)


def test_an_agency_finds_the_people_on_its_own_list_with_its_own_key(tmp_path):
    known = register(tmp_path, LISTED + numbers(999_500_000, 40, step=997))
    for form in ("csv", "parquet"):
        done = look_up(tmp_path, sent(tmp_path, form=form), known, to=f"{form}.csv")
        assert (done.n_people, done.n_listed) == (N, N)
    for line in read_lines(tmp_path / LOG):
        assert "4711" not in str(line)


def test_nobody_is_found_without_a_durable_line_whatever_moment_it_ends_at(tmp_path):
    known, listed = register(tmp_path, LISTED), sent(tmp_path)
    counting = Recorder()
    look_up(tmp_path, listed, known, to="counted.csv", disk=counting)
    found, n = 0, len(counting.moments)
    for at in range(n):
        folder = tmp_path / str(at)
        folder.mkdir()
        with pytest.raises(Dead):
            look_up(folder, listed, known, disk=DyingDisk(at))
        is_written = (folder / "named.csv").exists()
        has_line = (folder / LOG).exists() and any(line["stage"] == "begun" for line in read_lines(folder / LOG))
        found += is_written and not has_line
    assert found == 0
    counted("P9.refusals", n, found, note="re-identification killed at each moment of its log")


@pytest.mark.parametrize(
    ("what", "known"),
    [
        ("a range", lambda: numbers(999_000_000, 20_000)),
        ("every second number", lambda: numbers(999_000_000, 20_000, step=2)),
        ("a range backwards", lambda: numbers(999_000_000, 20_000)[::-1]),
    ],
)
def test_a_range_of_numbers_is_no_register(tmp_path, what, known):
    with pytest.raises(ReidentifyError, match="follow one another"):
        look_up(tmp_path, sent(tmp_path), register(tmp_path, known()))
    assert not (tmp_path / "named.csv").exists()
    counted("P9.refusals", N, 0, note=f"people found by {what}")


def test_a_register_far_too_large_is_refused(tmp_path):
    few = ReidentifySettings(most_people_in_register=100, largest_register=100)
    known = register(tmp_path, LISTED + numbers(999_500_000, 100, step=997))
    with pytest.raises(ReidentifyError, match="at most 100 are believed"):
        look_up(tmp_path, sent(tmp_path), known, settings=few)


def test_a_range_given_in_parts_is_stopped_at_the_cap_of_the_day(tmp_path):
    """Every number of a range spread over registers that look like people: the third one is the last of the day."""
    listed, found, stopped = sent(tmp_path), 0, []
    for part in range(12):
        known = register(tmp_path, [LISTED[part], *numbers(999_500_000 + part, 30, step=997)], f"{part}.csv")
        try:
            found += look_up(tmp_path, listed, known, to=f"{part}-named.csv").n_people
        except ReidentifyError as fault:
            stopped.append("3 registers today already" in fault.found)
    assert (found, stopped) == (3, [True] * 9)
    tomorrow = look_up(tmp_path, listed, tmp_path / "11.csv", to="tomorrow.csv", at=MORNING + timedelta(days=1))
    assert tomorrow.n_people == 1


def test_one_list_is_looked_up_a_few_times_a_day_and_no_more(tmp_path):
    known, listed = register(tmp_path, LISTED), sent(tmp_path)
    for time in range(5):
        look_up(tmp_path, listed, known, to=f"{time}.csv")
    with pytest.raises(ReidentifyError, match="5 times may be"):
        look_up(tmp_path, listed, known, to="sixth.csv")
    assert not (tmp_path / "sixth.csv").exists()
    # The list again under another name or as another file is the same list.
    (tmp_path / "other.csv").write_bytes(listed.read_bytes().replace(b"Ludlow", b"Clun"))
    with pytest.raises(ReidentifyError, match="5 times may be"):
        look_up(tmp_path, tmp_path / "other.csv", known, to="seventh.csv")


def test_a_run_looks_up_no_more_people_than_may_be(tmp_path):
    with pytest.raises(ReidentifyError, match="at most 11 may be in one run"):
        look_up(
            tmp_path, sent(tmp_path), register(tmp_path, LISTED), settings=ReidentifySettings(most_people_per_run=11)
        )
    assert not (tmp_path / LOG).exists()


def test_a_list_that_is_out_of_date_is_refused(tmp_path):
    known = register(tmp_path, LISTED)
    noon = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, 12, tzinfo=UTC)
    for form in ("csv", "parquet"):
        listed = sent(tmp_path, form=form)
        assert look_up(tmp_path, listed, known, to=f"{form}-last-day.csv", at=noon).n_people == N
        with pytest.raises(ReidentifyError, match=f"not to be used after {LAST_DAY}"):
            look_up(tmp_path, listed, known, at=noon + timedelta(days=1))
    # A list of an earlier version says no day: the night does.
    old = pl.read_csv(tmp_path / "fire.csv", infer_schema=False).drop("use_until")
    old.write_csv(tmp_path / "old.csv")
    with pytest.raises(ReidentifyError, match=f"not to be used after {LAST_DAY}"):
        look_up(tmp_path, tmp_path / "old.csv", known, at=noon + timedelta(days=1))


def test_with_one_recipients_key_no_row_of_another_list_is_found(tmp_path):
    known, found, n = register(tmp_path, LISTED), 0, 0
    for other in ("gp", "housing", "voluntary", "social_care", "group"):
        listed = sent(tmp_path, other)
        with pytest.raises(KeyFileError, match="this is not the list key"):
            look_up(tmp_path, listed, known, to=f"{other}-named.csv")
        # Without the fingerprints, and under every name, the key finds nobody either.
        bare = pl.read_csv(listed, infer_schema=False).drop("list_keys", "list_code")
        bare.write_csv(tmp_path / "bare.csv")
        for name in ("fire", other):
            done = look_up(
                tmp_path, tmp_path / "bare.csv", known, to=f"{other}-{name}.csv", recipient=name, night=NIGHT
            )
            found, n = found + done.n_people, n + N
    assert found == 0
    counted("P9.rows_of_other_recipients", n, found, note="rows found by reidentify with another recipient's key")


def test_the_lists_of_earlier_versions_are_read_with_the_key_of_all_lists(tmp_path):
    from ageingwell.pseudonyms import row_key_by

    rows = pl.DataFrame({"person_id": people(LISTED)}).select(
        row_key=row_key_by(pl.col("person_id"), recipient="fire", as_of=NIGHT, key=LISTS), place=pl.lit("Ludlow")
    )
    old = replace(view("fire", LISTED), frame=rows, keys=(KEY.fingerprint, LISTS.fingerprint))
    (tmp_path / "old.csv").write_bytes(agency_csv(old))
    assert look_up(tmp_path, tmp_path / "old.csv", register(tmp_path, LISTED), list_key=LISTS).n_people == N


def pseudonyms_list(folder: Path, seal: str | None) -> Path:
    ids = people(LISTED)
    frame = pl.DataFrame({"person_id": ids, "household_id": ids}).with_columns(
        rank=pl.int_range(pl.len()), lead_agency=pl.lit("fire"), action=pl.lit("a"), status=pl.lit("proposed")
    )
    told = {"night": str(NIGHT)} | ({} if seal is None else {"list_seal": seal})
    frame.write_parquet(folder / "list.parquet", metadata=told)
    return folder / "list.parquet"


def test_a_list_of_pseudonyms_counts_only_sealed_and_whole(tmp_path):
    known, ids, own = register(tmp_path, LISTED), people(LISTED), LISTS.for_recipient("group")
    sealed = list_seal(ids, ids, as_of=NIGHT, key=own)
    done = look_up(tmp_path, pseudonyms_list(tmp_path, sealed), known, list_key=LISTS)
    assert done.n_people == N
    # Unsealed, sealed for fewer people, for another night, with another key, or another recipient's key to look with.
    wrong = [
        (None, LISTS),
        (list_seal(ids[:-1], ids[:-1], as_of=NIGHT, key=own), LISTS),
        (list_seal(ids, ids, as_of=date(2026, 11, 15), key=own), LISTS),
        (list_seal(ids, ids, as_of=NIGHT, key=LISTS.for_recipient("fire")), LISTS),
        (sealed, LISTS.for_recipient("fire")),
    ]
    for seal, key in wrong:
        with pytest.raises(ReidentifyError, match="nothing shows that this is a list that was published"):
            look_up(tmp_path, pseudonyms_list(tmp_path, seal), known, list_key=key, to="wrong.csv")
    assert not (tmp_path / "wrong.csv").exists()
    counted("P9.refusals", len(wrong), 0, note="lists of pseudonyms that were not published so")


@pytest.mark.skipif(os.name != "posix", reason="whose a file is, Windows does not say so")
def test_a_second_person_has_to_approve_where_the_settings_ask_for_one(tmp_path, monkeypatch):
    two = ReidentifySettings(needs_second_person=True, approval_days=7)
    listed, known = sent(tmp_path), register(tmp_path, LISTED)
    told = {"reason": "visit_agreed", "case": "case 4711/26", "key": KEY, "settings": two}
    monkeypatch.setattr(approving, "account_of", lambda status: "bea")
    good = tmp_path / "good.toml"
    approve(listed, out=good, surroundings=world(user="bea"), **told)

    def refused(approval: Path | None, **more: object) -> None:
        with pytest.raises(ReidentifyError):
            look_up(tmp_path, listed, known, settings=two, approval=approval, to="no.csv", **more)

    refused(None)
    refused(good, user="bea")  # the requester's own
    refused(good, reason="safeguarding")
    refused(good, case="case 4712/26")
    refused(good, at=MORNING + timedelta(days=8))
    refused(good, at=MORNING - timedelta(days=1))
    for name, change in {
        "long.toml": lambda text: text.replace("2026-12-01", "2027-12-01"),
        "other.toml": lambda text: text.replace('list_sha256 = "', 'list_sha256 = "0'),
        "none.toml": lambda text: "[" * 3_000,
        "empty.toml": lambda text: "",
    }.items():
        (tmp_path / name).write_text(change(good.read_text()))
        (tmp_path / name).chmod(0o644)
        refused(tmp_path / name)
    (tmp_path / "open.toml").write_text(good.read_text())
    (tmp_path / "open.toml").chmod(0o666)
    refused(tmp_path / "open.toml")
    (tmp_path / "link.toml").symlink_to(good)
    refused(tmp_path / "link.toml")
    refused(tmp_path / "not there.toml")
    with pytest.raises(ReidentifyError):
        approve(listed, out=tmp_path / "x.toml", days=8, surroundings=world(user="bea"), **told)
    assert not (tmp_path / "no.csv").exists()

    assert look_up(tmp_path, listed, known, settings=two, approval=good).n_people == N
    begun = read_lines(tmp_path / LOG)[0]
    assert (begun["by"], begun["approved_by"]) == ("ann", "bea")
    counted("P9.refusals", 14, 0, note="approvals that are none, of the requester, of something else, out of date")


def test_a_log_that_was_changed_stops_every_look_up(tmp_path):
    known, listed = register(tmp_path, LISTED), sent(tmp_path)
    look_up(tmp_path, listed, known)
    (tmp_path / LOG).write_bytes((tmp_path / LOG).read_bytes().replace(b'"ann"', b'"bob"'))
    with pytest.raises(AuditError):
        look_up(tmp_path, listed, known, to="again.csv")
    assert not (tmp_path / "again.csv").exists()


@pytest.mark.parametrize(
    "told", [{"reason": "because"}, {"reason": ""}, {"case": ""}, {"case": "-"}, {"list_key": None}]
)
def test_what_is_missing_stops_it_before_anything_is_logged(tmp_path, told):
    with pytest.raises(AgeingWellError):
        look_up(tmp_path, sent(tmp_path), register(tmp_path, LISTED), **told)
    assert not list(tmp_path.glob("*.jsonl"))
