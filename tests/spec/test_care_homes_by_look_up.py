"""A home that one source tells to be a care home is one, whatever another source calls the building, and when."""

from itertools import permutations

import polars as pl
import pytest
from helpers.knowledge import known_on, spine_on
from helpers.known import NIGHT, register
from helpers.tables import good_rows, pseudonym, read, table, write_csv

from ageingwell.contracts.known_labels import HOME_SOURCES
from ageingwell.spine import home_facts

OLD, NEW = "2019-03-01", "2026-03-01"


def frames(*rows: tuple[str, str, str]) -> dict[str, pl.DataFrame]:
    lines = "\n".join(f"h1 | {source} | {kind} | {day}" for source, kind, day in rows)
    homes = table(f"household_id | source | property_type | recorded_on\n{lines}", like="homes")
    return {"gp_patients": register(("p1", "h1", "1940-01-01")), "homes": homes}


@pytest.mark.parametrize("source", ["cqc", "care_register", "council_tax"])
@pytest.mark.parametrize("other", ["house", "flat", "other", "unknown"])
@pytest.mark.parametrize(("told", "said"), [(OLD, NEW), (NEW, OLD), (NEW, NEW)])
def test_who_lives_there_lives_in_a_care_home_whichever_is_newer(source: str, other: str, told: str, said: str) -> None:
    rows = ((source, "care_home", told), ("epc", other, said))

    for ordered in permutations(rows):
        drawn = frames(*ordered)
        assert spine_on(drawn, NIGHT)["care_home"].to_list() == ["yes"]
        assert home_facts(known_on(drawn, NIGHT))["property_type"].to_list() == ["care_home"]


def test_a_source_may_take_back_what_it_said_and_no_other_may() -> None:
    closed = frames(("cqc", "care_home", OLD), ("cqc", "house", NEW), ("epc", "flat", OLD))

    assert spine_on(closed, NIGHT)["care_home"].to_list() == ["no"]
    assert home_facts(known_on(closed, NIGHT))["property_type"].to_list() == ["house"]


def test_a_source_on_no_list_takes_nothing_back_for_it_may_be_another(tmp_path) -> None:
    rows = [("Mrs Gough's list", "care_home", OLD), ("ring 01632 960001", "house", NEW), ("epc", "flat", OLD)]
    homes = [
        good | {"household_id": pseudonym(1), "source": source, "property_type": kind, "recorded_on": day}
        for good, (source, kind, day) in zip(good_rows("homes", 3), rows, strict=True)
    ]
    write_csv(tmp_path / "homes.csv", homes)

    found = home_facts(known_on({"homes": read("homes", tmp_path).rows.collect()}, NIGHT))

    assert found["property_type"].to_list() == ["care_home"]


def test_what_a_source_tells_later_than_the_night_is_not_known() -> None:
    assert spine_on(frames(("cqc", "care_home", "2026-12-01"), ("epc", "flat", OLD)), NIGHT)["care_home"][0] == "no"


@pytest.mark.parametrize("source", ["cqc", "council_tax", "hhsrs", "dwelling_hazards", "address_register"])
def test_the_sources_of_look_ups_are_known(source: str) -> None:
    assert source in HOME_SOURCES
