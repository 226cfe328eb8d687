"""One label under several spellings: both releases of the Client Level Data return tell the same."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from helpers.knowledge import CONFIG, features_on
from helpers.tables import good_rows, pseudonym, table

from ageingwell.config.score import TableSettings
from ageingwell.sources.read import CheckedTable, read_agencies


def read(rows: pl.DataFrame, folder: Path) -> CheckedTable:
    rows.write_csv(folder / "care_events.csv")
    settings = {name: TableSettings(required=False) for name in CONFIG.tables}
    only = ("care_events",)
    return read_agencies(folder, settings, workspace=folder / "w", max_refused_share=1, only=only).tables[only[0]]


OTHER_SPELLINGS = [
    ("client_type", "Unpaid carer", "carer"),
    ("service_type", "Long term support: Community", "long_term_support_community"),
    ("service_type", "LTS Community", "long_term_support_community"),
    ("service_type", "Unpaid carer support: Direct to unpaid carer", "carer_support_direct_to_carer"),
    ("service_component", "Home support or domiciliary care", "home_support"),
    ("service_component", "Unpaid carer respite", "carer_respite"),
    ("cost_frequency", "Four-weekly", "4_weekly"),
    ("accommodation_status", "Nursing home", "registered_nursing_home"),
]


@pytest.mark.parametrize(("column", "sent", "ours"), OTHER_SPELLINGS)
def test_both_releases_of_the_social_care_return_are_read_as_one_label(
    column: str, sent: str, ours: str, tmp_path: Path
) -> None:
    rows = pl.DataFrame(good_rows("care_events", 1)).with_columns(pl.lit(sent).alias(column))

    assert read(rows, tmp_path).rows.collect()[column].to_list() == [ours]


def test_home_care_of_release_2_is_in_place_as_that_of_release_1(tmp_path: Path) -> None:
    register = table(
        """
        household_id | birth_month | sex    | practice_code | registered_on | lsoa21    | recorded_on
        h1           | 1940-01-01  | female | M81001        | 2000-01-01    | E01028854 | 2020-01-01
        """,
        like="gp_patients",
        person_id=pseudonym(1),
    )
    sent = pl.DataFrame(good_rows("care_events", 1)).with_columns(
        client_type=pl.lit("Service user"),
        service_type=pl.lit("Long term support: Community"),
        service_component=pl.lit("Home support or domiciliary care"),
        ended_on=pl.lit(None, dtype=pl.String),
        ended_recorded_on=pl.lit(None, dtype=pl.String),
    )
    events = read(sent, tmp_path).rows.collect()

    features = features_on({"gp_patients": register, "care_events": events}, date(2025, 1, 1))[1]

    assert features.select("has_home_care", "has_long_term_support").rows() == [(1.0, 1.0)]
