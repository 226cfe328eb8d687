"""The county's rates beside published ones, counted from the written tables and not from the simulator's memory.

Most published rates are England's; the county is rural and older inside its age bands, so a ratio between about 0.85
and 1.2 is as near as it should be. The `note` says where the two are not of one kind.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from ageingwell.config.files import read_codelists, shipped
from ageingwell.contracts.registry import EVENT_KEYS
from ageingwell.errors import SourceError
from ageingwell.events import one_row_per_event
from ageingwell.synthetic.mark import read_mark

OPENSAFELY = "OpenSAFELY care-home mortality research, released tables (TPP practices, England)"
PREVALENCE = f"{OPENSAFELY}, February 2019"
MORTALITY = f"{OPENSAFELY}, February 2019 to January 2020"
SPARRA = "SPARRA version 4, emergency admission or death in a year (Scotland)"
FALLS = "Public Health Outcomes Framework, emergency admissions due to falls 65+, England 2022/23"
NICE = "NICE NG249, fall admissions by age (England)"
CARE = "NHS England, Adult Social Care Activity and Finance 2023-24"
FIRE = "Home Office, fire prevention statistics 2022/23"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Published:
    """A published share or rate: what it is of, in which group, and who says so."""

    measure: str
    group: str
    value: float
    source: str
    note: str = ""


# Conditions as OpenSAFELY defines them, and the code lists of ours that come nearest.
PREVALENCES = {
    "dementia": (0.0367, ("dementia",)),
    "stroke": (0.0633, ("efi_stroke_tia",)),
    "diabetes": (0.2128, ("efi_diabetes",)),
    "chronic kidney disease": (0.1002, ("efi_chronic_kidney_disease",)),
    "cancer": (0.1478, ("cancer",)),
    "chronic heart disease": (
        0.1976,
        ("efi_coronary_heart_disease", "efi_heart_failure", "efi_atrial_fibrillation", "efi_heart_valve_disease"),
    ),
    "chronic respiratory disease": (0.1120, ("efi_respiratory_disease",)),
}
DEATHS = {
    "private home": {"65-74": 0.0128, "75-79": 0.0269, "80-84": 0.0449, "85-89": 0.0779, "90+": 0.1538},
    "care home": {"65-74": 0.28, "75-79": 0.35, "80-84": 0.39, "85-89": 0.43, "90+": 0.51},
}
EMERGENCIES = {"65-69": 0.101, "70-79": 0.171, "80+": 0.329}


def check_rates(out: Path) -> pl.DataFrame:
    """Count the county's rates in the folder `out` and put each beside the published one.

    One row a published rate: `measure`, `group`, `published`, `county`, `ratio` (county over published), `count` and
    `denominator` behind the county's rate, `source`, `note`. Yearly rates are of the latest year whose records are
    settled (up to 90 days before the extract). Raises `SourceError` for a folder that is no clean county: rates are
    not counted from raw extracts or spoilt tables.
    """
    as_of = read_mark(out).as_of
    if not (out / "gp_patients.parquet").is_file():
        raise SourceError(f"{out} holds raw extracts or spoilt tables", "make a county without `--raw` and `--dirty`")
    start, end = as_of - timedelta(days=455), as_of - timedelta(days=90)
    then, now = _people(out, day=start), _people(out, day=as_of)
    rows = [
        *_deaths(then, start, end),
        *_prevalences(out, now),
        *_emergencies(out, then, start, end),
        *_falls(out, then, start, end),
        *_social_care(out, then, start, end),
        *_others(out, then, now, start, end),
    ]
    table = pl.DataFrame(
        [{**vars(published), "count": count, "denominator": denominator} for published, count, denominator in rows],
        schema_overrides={"count": pl.Int64, "denominator": pl.Int64},
    )
    county = pl.col("count") / pl.col("denominator")
    return table.select(
        "measure",
        "group",
        published=pl.col("value"),
        county=county,
        ratio=county / pl.col("value"),
        count="count",
        denominator="denominator",
        source="source",
        note="note",
    )


Row = tuple[Published, int, int]


def _people(out: Path, *, day: date) -> pl.DataFrame:
    """People aged 65+ alive and registered on a day, with age, end, and whether they live in a care home."""
    patients = pl.read_parquet(out / "gp_patients.parquet").sort("person_id", "recorded_on")
    ends = patients.group_by("person_id", maintain_order=True).agg(pl.col("died_on", "left_on").last())
    latest = (
        patients.filter(pl.col("recorded_on") <= day)
        .group_by("person_id", maintain_order=True)
        .agg(pl.col("household_id", "birth_month", "sex").last())
    )
    care_homes = (
        pl.scan_parquet(out / "homes.parquet")
        .filter(pl.col("property_type") == "care_home")
        .select("household_id")
        .unique()
        .collect()["household_id"]
    )
    age = (pl.lit(day).dt.year() - pl.col("birth_month").dt.year()) - (
        pl.lit(day).dt.month() < pl.col("birth_month").dt.month()
    ).cast(pl.Int32)
    return (
        latest.join(ends, on="person_id", maintain_order="left")
        .with_columns(age=age, in_care_home=pl.col("household_id").is_in(care_homes.implode()).fill_null(value=False))
        .filter(pl.col("age") >= 65)
        .filter((pl.col("died_on") > day).fill_null(value=True) & (pl.col("left_on") > day).fill_null(value=True))
    )


def _in_band(band: str) -> pl.Expr:
    if band.endswith("+"):
        return pl.col("age") >= int(band[:-1])
    low, high = band.split("-")
    return pl.col("age").is_between(int(low), int(high))


def _deaths(people: pl.DataFrame, start: date, end: date) -> list[Row]:
    died = pl.col("died_on").is_between(start, end - DAY)
    rows = []
    for place, bands in DEATHS.items():
        for band, value in bands.items():
            group = people.filter(_in_band(band) & (pl.col("in_care_home") == (place == "care home")))
            note = (
                "where the person lived a year before, where the source counts by month" if place == "care home" else ""
            )
            published = Published("deaths in a year", f"{place}, {band}", value, MORTALITY, note)
            rows.append((published, group.filter(died).height, group.height))
    return rows


def _prevalences(out: Path, people: pl.DataFrame) -> list[Row]:
    lists = read_codelists(shipped("configs") / "codelists")
    at_home = people.filter(~pl.col("in_care_home")).select("person_id")
    rows = []
    for condition, (value, names) in PREVALENCES.items():
        codes = [code for name in names for code in lists[name]]
        coded = (
            pl.scan_parquet(out / "gp_events.parquet")
            .filter((pl.col("code_system") == "snomed") & pl.col("code").is_in(codes))
            .select("person_id")
            .unique()
            .collect()
        )
        found = at_home.join(coded, on="person_id", how="semi").height
        note = "our code lists, not the source's own" if len(names) > 1 else ""
        rows.append((Published(condition, "65+ in private homes", value, PREVALENCE, note), found, at_home.height))
    return rows


def _emergencies(out: Path, people: pl.DataFrame, start: date, end: date) -> list[Row]:
    stays = _stays(out, start, end).select("person_id").unique()
    hit = pl.col("person_id").is_in(stays["person_id"].implode()) | pl.col("died_on").is_between(start, end - DAY)
    note = "people known to hospital or prescribing; the youngest band there is 60-70"
    return [
        (
            Published("emergency admission or death in a year", band, value, SPARRA, note),
            people.filter(_in_band(band)).filter(hit.fill_null(value=False)).height,
            people.filter(_in_band(band)).height,
        )
        for band, value in EMERGENCIES.items()
    ]


def _stays(out: Path, start: date, end: date) -> pl.DataFrame:
    return (
        pl.scan_parquet(out / "hospital_events.parquet")
        .filter((pl.col("kind") == "emergency_admission") & pl.col("started_on").is_between(start, end - DAY))
        .pipe(one_row_per_event, EVENT_KEYS["hospital_events"])
        .collect()
    )


def _falls(out: Path, people: pl.DataFrame, start: date, end: date) -> list[Row]:
    of_fall = r"(?:^|[ ;])(?:W[01]|S(?:22|32|42|52|72|82))"
    fall = pl.col("icd10").str.contains(of_fall) | pl.col("other_icd10").str.contains(of_fall)
    stays = (
        _stays(out, start, end)
        .filter(fall.fill_null(value=False))
        .join(people.select("person_id", "age"), on="person_id")
    )
    hips = stays.filter(pl.col("icd10").str.starts_with("S72")).height
    over_80 = stays.filter(pl.col("age") >= 80).height
    note = "ours: a fall or a fracture in any position"
    local = "Rochdale, hip fractures 65+ per 100,000"
    return [
        (Published("admissions after a fall, a year", "65+", 0.01933, FALLS, note), stays.height, people.height),
        (Published("share of fall admissions", "80+", 0.70, NICE), over_80, stays.height),
        (Published("hip fractures a year", "65+", 0.00619, "Rochdale JSNA", local), hips, people.height),
    ]


def _social_care(out: Path, people: pl.DataFrame, start: date, end: date) -> list[Row]:
    rows = pl.scan_parquet(out / "care_events.parquet").filter(pl.col("client_type") == "Service User")
    events = one_row_per_event(rows, EVENT_KEYS["care_events"]).collect()
    events = events.join(people.select("person_id", "died_on"), on="person_id")
    service = events.filter(pl.col("service_type").str.starts_with("Long Term Support"))
    in_year = (pl.col("started_on") < end) & pl.coalesce("ended_on", "died_on", pl.lit(end)).ge(start)
    supported = service.filter(in_year)["person_id"].n_unique()
    asked = events.filter(
        (pl.col("event_type") == "Request") & pl.col("started_on").is_between(start, end - DAY)
    ).height
    entered = service.filter(pl.col("started_on").is_between(start, end - DAY))
    homes = entered.filter(~pl.col("service_type").str.contains("Community"))["person_id"].n_unique()
    derived = "559,000 over about 11 million, our division; ours counts self-funders in care homes too"
    return [
        (Published("council long-term support in a year", "65+", 0.05, CARE, derived), supported, people.height),
        (
            Published("requests for support a year", "65+", 0.13, CARE, "1.43 million over 11 million, our division"),
            asked,
            people.height,
        ),
        (
            Published(
                "entry into a care home per year", "65+", 0.0056, "recalled, to be verified",
                "council-funded only; ours counts self-funders too",
            ),
            homes,
            people.height,
        ),
    ]  # fmt: skip


def _others(out: Path, then: pl.DataFrame, now: pl.DataFrame, start: date, end: date) -> list[Row]:
    women = now.filter(pl.col("sex") == "female").height
    residents = now.filter(pl.col("in_care_home")).height
    homes = then.filter(~pl.col("in_care_home"))["household_id"].drop_nulls().unique()
    visits = (
        pl.scan_parquet(out / "fire_visits.parquet")
        .filter(pl.col("visited_on").is_between(start, end - DAY) & (pl.col("visit_outcome") == "completed"))
        .filter(pl.col("household_id").is_in(homes.implode()))
        .pipe(one_row_per_event, EVENT_KEYS["fire_visits"])
        .collect()
        .height
    )
    opted = (
        pl.scan_parquet(out / "permissions.parquet")
        .filter(pl.col("kind") == "type_1")
        .select(pl.col("person_id").is_in(now["person_id"].implode()).sum())
        .collect()
        .item()
    )
    every = "537,081 visits over about 24.9 million homes of any age; homes with older people are visited more"
    return [
        (Published("share female", "65+", 0.5386, PREVALENCE), women, now.height),
        (Published("share in a care home", "65+", 0.0219, PREVALENCE), residents, now.height),
        (
            Published("completed fire visits per home and year", "homes with people 65+", 0.0216, FIRE, every),
            visits,
            len(homes),
        ),
        (
            Published("type 1 opt-out", "65+", 0.035, "RCGP, 2,085,450 people in March 2018", "all ages, our division"),
            int(opted),
            now.height,
        ),
    ]
