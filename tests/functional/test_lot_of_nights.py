"""The lot over published nights: who lost is recorded and left in peace, and the manifest lets it be drawn again."""

import json
from datetime import timedelta
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from helpers.counties import NIGHT, copy_of, opt_out, settings_file
from helpers.shared import Shared
from helpers.undrawn import without_pages

from ageingwell.config.load import load_config
from ageingwell.errors import PublishError
from ageingwell.night.score import score
from ageingwell.outreach.lot import lot_number

pytestmark = pytest.mark.usefixtures("read_once")


@pytest.fixture(scope="module")
def nights(small_county: Path, bundle: Path, shared: Shared) -> Path:
    """Two weekly nights with half of the places drawn by lot; somebody who took part objects before the second."""
    return shared.folder("lots", partial(publish_nights, small_county, bundle))


def publish_nights(small_county: Path, bundle: Path, at: Path) -> None:
    data = copy_of(small_county, at / "county")
    few = {f"capacity.{agency}": 4 for agency in ("gp", "social_care", "housing", "fire", "voluntary")}
    floors = {"floors.unknown_to_every_service": 0.0, "floors.most_deprived_fifth": 0.0}
    lot = {"random_share": 0.5, "lot_left_out_days": 60}
    config = load_config(settings_file(at / "settings", bundle=bundle, outreach={**few, **floors, **lot}))
    with without_pages():
        score(data, as_of=NIGHT, out=at / "out", config=config)
        taking_part = lots(at, 0)["person_id"][0]
        opt_out(data, "objection", person=taking_part)
        (at / "objects.txt").write_text(taking_part)
        score(data, as_of=NIGHT + timedelta(weeks=1), out=at / "out", config=config)


def lots(at: Path, week: int) -> pl.DataFrame:
    return pl.read_parquet(at / "out" / str(NIGHT + timedelta(weeks=week)) / "lot.parquet")


def test_who_lost_is_off_the_list_for_the_stated_time_and_told_why(nights: Path) -> None:
    lost = lots(nights, 0).filter(~pl.col("is_won"))

    assert lost.height > 0
    folder = nights / "out" / str(NIGHT + timedelta(weeks=1))
    listed = pl.read_parquet(folder / "list.parquet")
    not_urgent = listed.filter(pl.col("urgency") != "urgent")
    assert set(not_urgent["person_id"]) & set(lost["person_id"]) == set()
    told = pl.read_parquet(folder / "attrition.parquet").filter(reason="lost_the_lot")
    assert set(told["person_id"]) <= set(lots(nights, 1)["person_id"]) | {None}
    assert told.join(lost, on="person_id")["re_enters_on"].min() == NIGHT + timedelta(days=60)


def test_the_lot_of_each_night_can_be_drawn_again_from_its_files(nights: Path) -> None:
    for week in range(2):
        on = NIGHT + timedelta(weeks=week)
        told = json.loads((nights / "out" / str(on) / "manifest.json").read_text())["lot"]
        tonight = lots(nights, week).filter(drawn_on=on).unique("door_id")
        # Who is on the list already takes part in no other lot, so later weeks may have none.
        assert tonight.height > 0 or week > 0
        for _, lot in tonight.group_by("lead_agency", "team"):
            numbers = {door: lot_number(door, week=told["week"], seed=told["seed"]) for door in lot["door_id"]}
            winners = sorted(numbers, key=numbers.__getitem__)[: lot.height // 2]
            assert sorted(lot.filter("is_won")["door_id"]) == sorted(winners)


def test_lots_of_earlier_nights_are_carried_on_without_anybody_who_objects(nights: Path) -> None:
    objects = (nights / "objects.txt").read_text()
    first, last = lots(nights, 0), lots(nights, 1)

    assert objects in first["person_id"]
    assert objects not in last["person_id"]
    kept = last.filter(drawn_on=NIGHT)
    at_home = first.filter(person_id=objects)["household_id"].to_list()
    expected = first.filter((pl.col("person_id") != objects) & ~pl.col("household_id").is_in(at_home))
    assert set(expected["person_id"]) <= set(kept["person_id"])


def test_a_damaged_lot_stops_the_next_night(nights: Path, tmp_path: Path) -> None:
    copy_of(nights / "out", tmp_path / "out")
    damaged = tmp_path / "out" / str(NIGHT + timedelta(weeks=1)) / "lot.parquet"
    damaged.chmod(0o600)
    damaged.write_bytes(damaged.read_bytes()[:-40])

    with pytest.raises(PublishError, match=r"lot\.parquet"):
        score(
            nights / "county",
            as_of=NIGHT + timedelta(weeks=2),
            out=tmp_path / "out",
            config=load_config(nights / "settings" / "score.toml"),
        )
