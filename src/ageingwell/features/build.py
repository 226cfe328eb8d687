"""Build every feature of every person: each source read once, lazily, in whole numbers only.

Whole-number sums, counts and maxima do not depend on the order of the rows or on threads, so the same records give
the same features bit for bit; floating-point numbers appear only where one person's row is worked out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from ageingwell.config.files import codes_of, snomed_lists
from ageingwell.contracts.prefixes import starts_with_any
from ageingwell.errors import ConfigError
from ageingwell.features import everyday_life, fire, gp, hospital, housing, social_care
from ageingwell.features.feature import Feature, Seen
from ageingwell.recognition.counting import DIAGNOSES, ENTRIES, MEDICINES
from ageingwell.recognition.people import CARE_LABELS
from ageingwell.spine import Tables, home_facts, latest
from ageingwell.timeline import AsOf

FEATURES: tuple[Feature, ...] = (
    *everyday_life.SPINE,
    *gp.EVENTS,
    *gp.MEDICINES,
    *hospital.FEATURES,
    *social_care.FEATURES,
    *housing.HOMES,
    *housing.EVENTS,
    *fire.VISITS,
    *fire.INCIDENTS,
    *everyday_life.DEATHS,
    *everyday_life.DERIVED,
)

Codelists = Mapping[str, tuple[str, ...]]
MOST_LISTS = 63


@dataclass(frozen=True)
class Given:
    """What a prepared source is made from."""

    tables: Tables
    spine: pl.DataFrame
    codelists: Codelists

    @property
    def homes(self) -> pl.LazyFrame:
        """Who lives where, and since when."""
        link = self.spine.select("person_id", "household_id", "lived_here_from")
        return link.drop_nulls("household_id").lazy()


def build_features(
    tables: Tables,
    spine: pl.DataFrame,
    as_of: AsOf,
    *,
    codelists: Codelists,
    untold: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every feature of every person of the spine: person_id, then one Float64 column a feature; sorted by person_id.

    A missing value means unknown. A source that was not sent makes all its features unknown; a home-based feature is
    unknown for somebody without a home on record. `untold` says whose codes and labels are not recognised, as
    `recognise` gives it: what they would have told is unknown too.
    """
    given = Given(tables, spine, codelists)
    seen = Seen(as_of, bit_of_list(codelists))
    built = spine.select("person_id", "household_id", _n_members=pl.col("n_household_members"))
    for source, prepare in SOURCES.items():
        features = of_source(source)
        rows = prepare(given)
        made = _unknown(spine, features) if rows is None else _aggregated(rows, features, seen)
        built = built.join(made, on="person_id", how="left", maintain_order="left")
        built = built.with_columns(_filled(feature, sent=rows is not None) for feature in features)
    built = _without_what_is_not_recognised(built, untold, seen)
    for feature in of_source("derived"):
        built = built.with_columns(feature.value(seen).cast(pl.Float64).alias(feature.name))
    return built.select("person_id", *names()).sort("person_id")


def build_home_features(tables: Tables, linked: pl.Series, as_of: AsOf) -> pl.DataFrame:
    """What fire visits and incidents tell of homes that nobody on the GP register is linked to: household_id, features.

    `linked` are the homes of everybody registered, of any age.
    """
    seen = Seen(as_of, {})
    found = [pl.DataFrame(schema={"household_id": pl.String})]
    for source in ("fire_visits", "fire_incidents"):
        if source in tables:
            rows = tables[source].filter(~pl.col("household_id").is_in(linked.implode()))
            found.append(_aggregated(rows.with_columns(person_id="household_id"), of_source(source), seen))
    known = [frame.rename({"person_id": "household_id"}) for frame in found[1:]]
    homes = pl.concat([frame.select("household_id") for frame in (found[0], *known)]).unique().sort("household_id")
    for frame in known:
        homes = homes.join(frame, on="household_id", how="left", maintain_order="left")
    return homes


def names() -> list[str]:
    """The names of all features, in order."""
    return [feature.name for feature in FEATURES]


def of_source(source: str) -> list[Feature]:
    """The features of one prepared source."""
    return [feature for feature in FEATURES if feature.source == source]


def bit_of_list(codelists: Codelists) -> dict[str, int]:
    """The bit of each list of SNOMED codes, in the order of their names; at most 63 fit into a whole number."""
    snomed = snomed_lists(codelists)
    if len(snomed) > MOST_LISTS:
        raise ConfigError(f"codelists: {len(snomed)} lists of SNOMED codes, and at most {MOST_LISTS} can be used")
    return {name: bit for bit, name in enumerate(snomed)}


def _aggregated(rows: pl.LazyFrame, features: Iterable[Feature], seen: Seen) -> pl.DataFrame:
    values = [feature.value(seen).cast(pl.Float64).alias(feature.name) for feature in features]
    return rows.group_by("person_id").agg(values).collect()


def _unknown(spine: pl.DataFrame, features: Iterable[Feature]) -> pl.DataFrame:
    blank = pl.lit(None, dtype=pl.Float64)
    return spine.select("person_id", *(blank.alias(feature.name) for feature in features))


def _filled(feature: Feature, *, sent: bool) -> pl.Expr:
    value = pl.col(feature.name)
    if not sent or feature.without_rows is None:
        return value
    filled = value.fill_null(feature.without_rows)
    if feature.source not in HOME_SOURCES:
        return filled
    return pl.when(pl.col("household_id").is_not_null()).then(filled).alias(feature.name)


# What a feature's expression asks for, by its prepared source, and the column of a contract that it is made of.
RESTS_ON: Mapping[str, Mapping[str, str]] = {
    "gp_events": {"lists": ENTRIES},
    "medicines": dict.fromkeys(gp.MEDICINE_GROUPS, MEDICINES),
    "hospital_events": {"icd10_fall": DIAGNOSES, "icd10_fracture": DIAGNOSES},
    "care_events": {
        **{name: f"care_events.{name}" for name in CARE_LABELS},
        "weekly_pence": "care_events.cost_frequency",
    },
}


def rests_on(feature: Feature, seen: Seen) -> tuple[str, ...]:
    """The columns of codes and open labels that a feature rests on, as `table.column`."""
    made_of = RESTS_ON.get(feature.source, {})
    if not made_of:
        return ()
    return tuple(sorted({made_of[name] for name in feature.value(seen).meta.root_names() if name in made_of}))


def _without_what_is_not_recognised(built: pl.DataFrame, untold: pl.DataFrame | None, seen: Seen) -> pl.DataFrame:
    """Empty the features of those whose codes or labels tell nothing: not recognised is unknown, and never no.

    What was found stays found: a yes is a yes, and a count of what raises a risk is at least so many. A diagnosis in
    another classification finds what is not there (W19 is a fall in ICD-10 and an operation in OPCS-4): nothing stays.
    """
    if untold is None:
        return built
    marked = built.select("person_id").join(untold, on="person_id", how="left", maintain_order="left")
    emptied = []
    for feature in FEATURES:
        asked = rests_on(feature, seen) if feature.source != "derived" else ()
        if not asked:
            continue
        nothing = marked.select(pl.any_horizontal(asked).fill_null(value=False)).to_series()
        counts_up = feature.shown_as == "count" and feature.direction == "up"
        stays = (feature.shown_as == "yes_no" or counts_up) and DIAGNOSES not in asked
        found = pl.lit(stays) & (pl.col(feature.name) > 0)
        emptied.append(pl.when(~pl.lit(nothing) | found).then(pl.col(feature.name)).alias(feature.name))
    return built.with_columns(emptied)


AGENCY_SOURCES: Mapping[str, tuple[str, ...]] = {
    "hospital": ("hospital_events",),
    "social_care": ("care_events",),
    "housing": ("home_facts", "housing_events", "adaptations"),
    "fire": ("fire_visits", "fire_incidents"),
    "prescriptions": ("medicines",),
    "place": ("spine",),
    "gp": ("gp_events",),
}
# What is worked out from several sources, and is unknown with the one named.
DERIVED_OF_AGENCY: Mapping[str, tuple[str, ...]] = {"gp": ("n_deficits", "frailty_index")}


def with_agencies_missing(features: pl.DataFrame, *, share: float, seed: int) -> pl.DataFrame:
    """Rehearse late agencies: on a share of the rows, drawn anew for each, empty all that an agency tells.

    So a model learns what to do when a source is late, and LightGBM never meets a gap it has not seen: one it has not
    seen it would read as 0. Age is never emptied; nobody is on the spine without it.
    """
    drawn = np.random.default_rng(seed)
    emptied = []
    for agency, sources in AGENCY_SOURCES.items():
        is_late = pl.Series("is_late", drawn.random(features.height) < share)
        affected = [feature.name for source in sources for feature in of_source(source) if feature.name != "age"]
        affected += DERIVED_OF_AGENCY.get(agency, ())
        emptied += [pl.when(~pl.lit(is_late)).then(pl.col(name)).alias(name) for name in affected]
    rehearsed = features.with_columns(emptied)
    derived = ("has_polypharmacy", "lives_alone_probability")
    late = pl.Series("is_late", drawn.random(features.height) < share)
    return rehearsed.with_columns(pl.when(~pl.lit(late)).then(pl.col(name)).alias(name) for name in derived)


# --- The prepared sources -------------------------------------------------------------------------------------------


def _spine(given: Given) -> pl.LazyFrame:
    oldest = pl.col("age") == pl.col("age").max().over("household_id")
    return given.spine.lazy().with_columns(is_oldest=oldest & pl.col("household_id").is_not_null())


def _of_these_people(given: Given, table: str) -> pl.LazyFrame | None:
    if table not in given.tables:
        return None
    return given.tables[table].join(given.spine.lazy().select("person_id"), on="person_id", how="semi")


def _gp_events(given: Given) -> pl.LazyFrame | None:
    """SNOMED entries on any of our lists, with one bit a list."""
    rows = _of_these_people(given, "gp_events")
    if rows is None:
        return None
    day = pl.coalesce("happened_on", "recorded_on")
    snomed = rows.filter(pl.col("code_system") == "snomed").select("person_id", "code", happened_on=day)
    return snomed.join(memberships(given.codelists).lazy(), on="code")


def memberships(codelists: Codelists) -> pl.DataFrame:
    """Every SNOMED code with the lists it is on: code, lists (one bit a list)."""
    bits = bit_of_list(codelists)
    on_lists: dict[str, int] = {}
    for name, bit in bits.items():
        for code in codelists[name]:
            on_lists[code] = on_lists.get(code, 0) | 1 << bit
    return pl.DataFrame(
        {"code": list(on_lists), "lists": list(on_lists.values())}, schema={"code": pl.String, "lists": pl.Int64}
    )


_BNF_SUBSTANCE = 9  # the first nine characters of a BNF code name the chemical substance


def _medicines(given: Given) -> pl.LazyFrame | None:
    """One row a person and medicine: when it was last issued, and the groups it belongs to."""
    rows = _of_these_people(given, "gp_prescriptions")
    if rows is None:
        return None
    # The groups are told by BNF code alone: a dm+d code may start with the same digits.
    substance = pl.col("bnf_code").str.slice(0, _BNF_SUBSTANCE)
    dmd = pl.when(substance.is_null()).then("dmd_code")
    last = rows.group_by("person_id", substance=substance, dmd=dmd).agg(last_issued_on=pl.col("issued_on").max())
    groups = [
        starts_with_any(pl.col("substance"), codes_of(given.codelists, name)).alias(name) for name in gp.MEDICINE_GROUPS
    ]
    return last.with_columns(groups)


def _hospital_events(given: Given) -> pl.LazyFrame | None:
    """One row a person, kind and first day: a stay is often sent again once it has ended."""
    rows = _of_these_people(given, "hospital_events")
    if rows is None:
        return None
    icd10 = pl.col("icd10").str.replace(".", "", literal=True)
    return rows.group_by("person_id", "kind", "started_on").agg(
        pl.col("ended_on").max(),
        *(starts_with_any(icd10, codes_of(given.codelists, name)).any().alias(name) for name in HOSPITAL_CODES),
    )


HOSPITAL_CODES = ("icd10_fall", "icd10_fracture")

# How many of a cost's units a week holds, or a fraction of one; hourly and daily costs need the planned units.
_PER_WEEK = {
    "weekly": 1.0,
    "fortnightly": 1 / 2,
    "4_weekly": 1 / 4,
    "monthly": 12 / 52,
    "quarterly": 4 / 52,
    "annually": 1 / 52,
}


def _care_events(given: Given) -> pl.LazyFrame | None:
    rows = _of_these_people(given, "care_events")
    if rows is None:
        return None
    a_week = pl.col("cost_frequency").replace_strict(_PER_WEEK, default=None, return_dtype=pl.Float64)
    by_unit = pl.col("cost_frequency").is_in(["hourly", "daily", "per_session"])
    times = pl.when(by_unit).then("planned_units_per_week").otherwise(a_week)
    pence = (pl.col("unit_cost") * times * 100).round().cast(pl.Int64)
    service = (pl.col("event_type") == "service") & (pl.col("client_type") == "service_user")
    return rows.with_columns(weekly_pence=pl.when(service).then(pence))


def _home_facts(given: Given) -> pl.LazyFrame | None:
    return None if "homes" not in given.tables else home_facts(given.tables).lazy().join(given.homes, on="household_id")


def _while_living_there(given: Given, table: str, day: str) -> pl.LazyFrame | None:
    """Rows of a home joined to each person who lived there by then."""
    if table not in given.tables:
        return None
    return given.tables[table].join(given.homes, on="household_id").filter(pl.col("lived_here_from") <= pl.col(day))


def _adaptations(given: Given) -> pl.LazyFrame | None:
    """One row a person and adaptation case: since when it was asked for, and whether it still waits."""
    rows = _while_living_there(given, "housing_events", "happened_on")
    if rows is None:
        return None
    steps = {"adaptation_requested": 0, "adaptation_approved": 1, "adaptation_completed": 2, "adaptation_withdrawn": 3}
    step = pl.col("event_type").replace_strict(steps, default=None, return_dtype=pl.Int64)
    cases = rows.with_columns(step=step).filter(pl.col("step").is_not_null())
    # Without case numbers all the adaptations of a home are one case: what was asked before the last was done is done.
    closed_on = pl.col("happened_on").filter(pl.col("step") > 1).max()
    since_then = (pl.col("step") <= 1) & (pl.col("happened_on") > closed_on).fill_null(value=True)
    return cases.group_by("person_id", "case_id").agg(
        asked_on=pl.col("happened_on").filter(since_then).min(),
        is_waiting=latest(pl.col("step"), pl.col("happened_on")) <= 1,
    )


def _household_deaths(given: Given) -> pl.LazyFrame:
    """Deaths at the address each person lives at, as the GP register knows them."""
    died = given.tables["gp_patients"].filter(pl.col("died_on").is_not_null())
    deaths = died.group_by(dead="person_id").agg(
        pl.col("household_id").sort_by("recorded_on").last(), pl.col("died_on").max()
    )
    return deaths.drop_nulls("household_id").join(given.homes, on="household_id")


HOME_SOURCES = ("home_facts", "housing_events", "adaptations", "fire_visits", "fire_incidents", "household_deaths")

SOURCES: Mapping[str, Callable[[Given], pl.LazyFrame | None]] = {
    "spine": _spine,
    "gp_events": _gp_events,
    "medicines": _medicines,
    "hospital_events": _hospital_events,
    "care_events": _care_events,
    "home_facts": _home_facts,
    "housing_events": lambda given: _while_living_there(given, "housing_events", "happened_on"),
    "adaptations": _adaptations,
    "fire_visits": lambda given: _while_living_there(given, "fire_visits", "visited_on"),
    "fire_incidents": lambda given: _while_living_there(given, "fire_incidents", "happened_on"),
    "household_deaths": _household_deaths,
}
