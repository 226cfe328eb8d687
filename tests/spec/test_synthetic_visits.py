"""Later records of a made-up county: what was sent by a day, and visits that do something, nothing, or harm."""

from datetime import date, timedelta

import polars as pl
import pytest
from helpers.counties import NIGHT

from ageingwell.errors import ConfigError
from ageingwell.synthetic.visited import Visits, sent_on, visited

THEN = date(2025, 6, 1)


def table(folder, name):
    return pl.read_parquet(folder / f"{name}.parquet")


def stays(folder):
    rows = table(folder, "hospital_events").filter(kind="emergency_admission")
    return rows.unique(["person_id", "started_on"]).select("person_id", "started_on")


@pytest.fixture(scope="module")
def offered(small_county):
    people = table(small_county, "gp_patients").select("person_id").unique().sort("person_id")
    return people.with_columns(offered_on=pl.lit(THEN))


def test_what_was_sent_by_a_day_has_nothing_of_later(small_county, tmp_path):
    sent = sent_on(small_county, THEN, tmp_path / "sent")

    for path in sent.glob("*.parquet"):
        rows = pl.read_parquet(path)
        days = [name for name in ("recorded_on", "died_on", "left_on", "checked_on") if name in rows.columns]
        assert all(rows[name].max() is None or rows[name].max() < THEN for name in days if name != "left_on"), path.name
    assert table(sent, "gp_patients").height < table(small_county, "gp_patients").height


@pytest.mark.parametrize(("effect", "share"), [(0.0, 1.0), (-0.7, 0.5), (-3.0, 0.05)])
def test_a_visit_takes_its_share_of_later_admissions_and_no_earlier_one(small_county, offered, tmp_path, effect, share):
    changed = visited(small_county, offered, tmp_path / "after", visits=Visits(1.0, effect, seed=1))
    before, after = stays(small_county), stays(tmp_path / "after")
    last = THEN + timedelta(days=28)

    def n(rows, *, later):
        return rows.filter((pl.col("started_on") > last) if later else (pl.col("started_on") <= THEN)).height

    assert n(after, later=False) == n(before, later=False)
    assert n(after, later=True) / n(before, later=True) == pytest.approx(share, abs=0.15)
    assert changed == pytest.approx((after.height - before.height) / offered.height)


def test_nobody_who_declines_changes_and_every_offer_leaves_a_contact(small_county, offered, tmp_path):
    assert visited(small_county, offered, tmp_path / "after", visits=Visits(0.0, -1.0)) == 0

    more = table(tmp_path / "after", "contacts").height - table(small_county, "contacts").height
    assert more == offered.height
    assert stays(tmp_path / "after").height == stays(small_county).height


def test_visits_may_do_harm(small_county, offered, tmp_path):
    assert visited(small_county, offered, tmp_path / "after", visits=Visits(1.0, 0.6)) > 0
    assert stays(tmp_path / "after")["started_on"].max() <= NIGHT


@pytest.mark.parametrize("wrong", [{"take_up": 1.2}, {"effect": 2.0}])
def test_visits_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigError, match="must be"):
        Visits(**wrong)


def test_real_records_are_left_alone(small_county, offered, tmp_path):
    (tmp_path / "real").mkdir()
    with pytest.raises(Exception, match="not marked as made-up"):
        visited(tmp_path / "real", offered, tmp_path / "after", visits=Visits())
