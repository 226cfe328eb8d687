"""What barred somebody last time holds until it is said to have ended, or a person accepts that it is gone."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.evidence import counted

from ageingwell.config.change import ChangeSettings
from ageingwell.config.score import Ledger
from ageingwell.contracts.registry import TABLES
from ageingwell.contracts.services import schema_of
from ageingwell.errors import ChangeError, PublishError
from ageingwell.kept.barred import BARRED_FILE, read_barred
from ageingwell.night.barring import (
    Lost,
    Told,
    as_opt_outs,
    barred_before,
    keep_barred,
    lost_since,
    settle_barred,
    stop_on_delivery,
    told_by,
)
from ageingwell.sources.read import CheckedTable

LEDGER = Ledger(permitted=(), views={})
LIMITS = ChangeSettings()
PEOPLE = 400
KINDS = ("objection", "restriction", "type_1", "national", "safeguarding", "staff_safety")
Row = dict[str, Any]


def person(n: int) -> str:
    return f"{n:032d}".translate(str.maketrans("0123456789", "bcdfghjklm"))


def checked(name: str, rows: Iterable[Row]) -> CheckedTable:
    schema = schema_of(TABLES[name])
    frame = pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)
    return CheckedTable(name, frame.lazy(), pl.DataFrame(), n_read=frame.height, n_good=frame.height)


def patient(n: int, **also: Any) -> Row:
    return {"person_id": person(n), "household_id": person(1_000 + n), "recorded_on": date(2026, 1, 1)} | also


def opted(n: int, kind: str, *, home: bool = False, **also: Any) -> Row:
    whose = {"household_id": person(1_000 + n)} if home else {"person_id": person(n)}
    return whose | {"kind": kind, "checked_on": NIGHT} | also


OPTED = [opted(50 * k + n, kind, home=n % 10 == 9) for k, kind in enumerate(KINDS) for n in range(50)]
ALIVE = [patient(n) for n in range(PEOPLE)]


def told(
    *, permissions: Iterable[Row] = OPTED, patients: Iterable[Row] = ALIVE, on: date = NIGHT, **more: Iterable[Row]
) -> Told:
    tables = {"permissions": permissions, "gp_patients": patients, **more}
    return told_by({name: checked(name, rows) for name, rows in tables.items()}, ledger=LEDGER, on=on)


def compared(out: Path, now: Told, *, on: date = NIGHT) -> Lost:
    return lost_since(read_barred(out), now, limits=LIMITS, on=on)


def held(lost: Lost) -> set[str]:
    """Whose opt-outs hold: people and homes."""
    rows = as_opt_outs(lost.held)
    return {*rows["person_id"].drop_nulls(), *rows["household_id"].drop_nulls()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of nights that were made with all opt-outs."""
    keep_barred(tmp_path, told(), on=NIGHT)
    return tmp_path


def test_the_same_opt_outs_again_are_no_change(out: Path) -> None:
    assert compared(out, told()).differences == []
    assert held(compared(out, told())) == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lost", [1, 2, 3, 5, 25, 50])
def test_whoever_is_not_sent_any_more_stays_barred_and_many_of_a_kind_stop_the_night(
    out: Path, kind: str, lost: int
) -> None:
    of_kind = [row for row in OPTED if row["kind"] == kind]
    gone = of_kind[:lost]

    found = compared(out, told(permissions=[row for row in OPTED if row not in gone]))

    assert held(found) == {row.get("person_id") or row.get("household_id") for row in gone}
    counted("P7.shrunken_opt_outs", lost, lost - len(held(found)))
    # 2 in 100 of 50 is one; fewer than three are no fault of a delivery.
    assert bool(found.differences) == (lost >= 3)


def test_a_few_of_every_kind_stop_the_night_together(out: Path) -> None:
    gone = [row for n, row in enumerate(OPTED) if n % 25 == 0]

    found = compared(out, told(permissions=[row for row in OPTED if row not in gone]))

    assert [said.split(":")[0] for said in found.differences] == ["opt-outs and markers together"]


def test_an_opt_out_ends_by_its_last_day_in_a_row_that_is_sent(out: Path) -> None:
    first = OPTED[0]
    ended = [first | {"to_on": NIGHT - timedelta(days=1)}, *OPTED[1:]]

    found = compared(out, told(permissions=ended))

    assert (found.differences, held(found)) == ([], set())
    settle_barred(out, told(permissions=ended), found, accepted=False, on=NIGHT)
    assert held(compared(out, told(permissions=OPTED[1:]))) == set()


def test_that_very_many_end_on_one_day_stops_the_night(out: Path) -> None:
    found = compared(out, told(permissions=[row | {"to_on": date(2026, 11, 1)} for row in OPTED]))

    assert len(found.differences) == len(KINDS) + 1
    assert all(said.endswith("said to have ended") for said in found.differences)


def test_a_table_that_cannot_be_read_takes_nothing_back(out: Path) -> None:
    unread = told_by({"permissions": None, "gp_patients": checked("gp_patients", ALIVE)}, ledger=LEDGER, on=NIGHT)

    assert compared(out, unread).differences == []


def test_people_who_are_on_the_register_no_more_are_not_missed_and_not_forgotten(out: Path) -> None:
    found = compared(out, told(permissions=OPTED[50:], patients=[patient(n) for n in range(50, PEOPLE)]))

    # Homes that nothing names any more and people who are gone: nobody could be listed.
    assert found.differences == []
    settle_barred(out, told(permissions=OPTED[50:]), found, accepted=False, on=NIGHT)
    assert len(held(compared(out, told(permissions=OPTED[50:])))) == 50


@pytest.mark.parametrize("column", ["died_on", "left_on"])
@pytest.mark.parametrize("n_lost", [1, 5, 30])
def test_a_death_or_a_leaving_that_is_not_told_any_more(tmp_path: Path, column: str, n_lost: int) -> None:
    ended = [patient(n, **{column: date(2026, 6, 1)}) for n in range(30)]
    keep_barred(tmp_path, told(patients=[*ended, *ALIVE[30:]], permissions=OPTED[100:]), on=NIGHT)

    found = compared(tmp_path, told(patients=[*ALIVE[:n_lost], *ended[n_lost:], *ALIVE[30:]], permissions=OPTED[100:]))

    assert bool(found.differences) == (n_lost >= 3)
    # Somebody who died is not scored again; somebody who left may have come back.
    assert len(held(found)) == (n_lost if column == "died_on" else 0)


def test_a_death_that_a_newer_version_takes_back_is_taken_back(tmp_path: Path) -> None:
    dead = [patient(n, died_on=date(2026, 6, 1)) for n in range(3)]
    keep_barred(tmp_path, told(patients=[*dead, *ALIVE[3:]]), on=NIGHT)

    found = compared(tmp_path, told(patients=[*dead, patient(0, recorded_on=NIGHT), *ALIVE[3:]]))

    assert (found.differences, held(found)) == ([], set())


@pytest.mark.parametrize("table", ["care_events", "contacts"])
def test_a_death_that_another_agency_told_holds_too(tmp_path: Path, table: str) -> None:
    row = {"person_id": person(399), "outcome": "deceased", "died_on": date(2026, 6, 1), "recorded_on": NIGHT}
    keep_barred(tmp_path, told(**{table: [row]}), on=NIGHT)

    assert held(compared(tmp_path, told(**{table: []}))) == {person(399)}
    # An agency that is late leaves a degraded night, and nobody comes back by it.
    assert held(compared(tmp_path, told())) == {person(399)}


def test_a_national_list_that_suddenly_allows_everybody_stops_the_night(tmp_path: Path) -> None:
    allowed = [opted(n, "national_allowed") for n in range(360)]
    keep_barred(tmp_path, told(permissions=allowed), on=NIGHT)

    everybody = compared(tmp_path, told(permissions=[opted(n, "national_allowed") for n in range(PEOPLE)]))
    two_more = compared(tmp_path, told(permissions=[opted(n, "national_allowed") for n in range(362)]))
    no_list = compared(tmp_path, told(permissions=OPTED))

    assert [said.split(":")[0] for said in everybody.differences] == ["people left out by the national list"]
    # Standing on the list is a word of the national service: few may.
    assert (two_more.differences, held(two_more)) == ([], set())
    assert no_list.differences
    assert len(held(no_list)) == 40


def test_accepted_once_what_is_gone_is_forgotten_and_the_rest_is_not(out: Path) -> None:
    left = told(permissions=OPTED[25:])
    found = compared(out, left)
    with pytest.raises(ChangeError, match="objection: 25 of 50 missing now"):
        stop_on_delivery(found.differences)

    settle_barred(out, left, found, accepted=True, on=NIGHT)

    assert compared(out, left).differences == []
    assert len(held(compared(out, told(permissions=OPTED[50:])))) == 25


def test_a_kind_that_brings_nobody_new_for_eight_weeks_warns_once_and_then_stops(out: Path) -> None:
    night, rows, seen = NIGHT, list(OPTED), []
    for week in range(1, 11):
        night = NIGHT + timedelta(weeks=week)
        rows = [*rows, opted(300 + week, "objection")]
        now = told(permissions=rows, on=night)
        found = compared(out, now, on=night)
        seen.append((len(found.silent), len(found.differences)))
        if found.differences:
            break
        keep_barred(out, now, on=night)
        settle_barred(out, now, found, accepted=False, on=night)

    # Five kinds have brought nobody new since the first night while objections came.
    assert seen == [(0, 0)] * 7 + [(5, 0), (5, 5)]
    settle_barred(out, now, found, accepted=True, on=night)
    later = night + timedelta(weeks=7)
    assert compared(out, told(permissions=[*rows, opted(390, "objection")], on=later), on=later).silent == {}


def test_where_no_kind_brings_anybody_new_none_is_silent(out: Path) -> None:
    later = NIGHT + timedelta(weeks=30)

    assert compared(out, told(on=later), on=later).silent == {}


def test_the_file_names_nobody_and_any_change_of_it_is_found(out: Path) -> None:
    content = (out / BARRED_FILE).read_bytes()
    names = {name for row in OPTED for name in (row.get("person_id"), row.get("household_id")) if name}

    assert not any(name.encode() in content for name in names)
    assert (out / BARRED_FILE).stat().st_mode & 0o777 == 0o600
    bad = 0
    for at in range(0, len(content), 97):
        (out / BARRED_FILE).write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        try:
            read_barred(out)
            bad += 1
        except PublishError:
            pass
    counted("S1.nights", len(range(0, len(content), 97)), bad)
    assert bad == 0


def test_a_file_that_is_lost_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ChangeError, match="gone from the output folder"):
        barred_before(tmp_path, {"barred": BARRED_FILE})
    assert barred_before(tmp_path, {"barred": BARRED_FILE}, accepted=True) is None
    assert barred_before(tmp_path, {}) is None
