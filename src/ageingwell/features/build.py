"""Build every feature of every person: each source read once, lazily, in whole numbers only.

Whole-number sums, counts and maxima do not depend on the order of the rows or on threads, so the same records give
the same features bit for bit; floating-point numbers appear only where one person's row is worked out.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType

import numpy as np
import polars as pl

from ageingwell.config.files import codes_of, snomed_lists
from ageingwell.contracts.prefixes import diagnosed_with, has_bnf_chapter, starts_with_any
from ageingwell.errors import ConfigError
from ageingwell.events import medicines_issued
from ageingwell.features import everyday_life, fire, gp, hospital, housing, social_care
from ageingwell.features.behind import MEANINGFUL, Column, columns_of_source, made_of, roots_of
from ageingwell.features.feature import About, Dated, Feature, Seen
from ageingwell.recognition.counting import DIAGNOSES, ENTRIES, MEDICINES
from ageingwell.recognition.people import CARE_LABELS
from ageingwell.spine import Tables, home_facts, latest, latest_versions, registered
from ageingwell.timeline import AsOf

FEATURES: tuple[Feature, ...] = (
    *everyday_life.SPINE,
    *gp.EVENTS,
    *gp.MEDICINES,
    *gp.HOUSEHOLD,
    *hospital.FEATURES,
    *social_care.FEATURES,
    *social_care.NAMED,
    *housing.HOMES,
    *housing.EVENTS,
    *fire.VISITS,
    *fire.INCIDENTS,
    *everyday_life.DEATHS,
    *everyday_life.DERIVED,
)

Codelists = Mapping[str, tuple[str, ...]]
MOST_LISTS = 63
ADULT = 18  # whole years, for council tax
NOTHING_UNTOLD: Mapping[str, frozenset[str]] = MappingProxyType({})


@dataclass(frozen=True)
class Given:
    """What a prepared source is made from; what several sources need is made once.

    `carers` and `medicines` are what `carers_named` and `medicines_issued` give, where that is known already.
    """

    tables: Tables
    spine: pl.DataFrame
    codelists: Codelists
    as_of: AsOf
    carers: pl.LazyFrame | None = None
    medicines: pl.DataFrame | None = None

    @property
    def homes(self) -> pl.LazyFrame:
        """Who lives where, and since when."""
        link = self.spine.select("person_id", "household_id", "lived_here_from")
        return link.drop_nulls("household_id").lazy()

    @cached_property
    def versions(self) -> pl.DataFrame:
        """The newest version of everybody on the GP register."""
        return latest_versions(self.tables["gp_patients"])

    @cached_property
    def everybody(self) -> pl.DataFrame:
        """Everybody registered, of any age."""
        return registered(self.versions, self.as_of)

    @cached_property
    def together(self) -> pl.DataFrame:
        """Everybody registered, of any age, with each person of the spine at the same home: member, person_id.

        Somebody without a home on record is together with nobody.
        """
        home = pl.coalesce("household_id", "person_id")
        members = self.everybody.select(home=home, member="person_id")
        return members.join(self.spine.select("person_id", home=home), on="home").drop("home")

    @cached_property
    def newest_entries(self) -> pl.DataFrame:
        """The newest coded entry before the cut-off of each person on each set of lists, of everybody."""
        day = pl.when(pl.col("happened_on") < self.as_of.day).then("happened_on")
        entries = _listed(self.tables["gp_events"], self.codelists).with_columns(happened_on=day)
        return entries.group_by("person_id", "lists").agg(pl.col("happened_on").max()).collect()

    @cached_property
    def _made(self) -> dict[Callable[["Given"], pl.DataFrame], pl.DataFrame]:
        return {}

    def once(self, make: Callable[["Given"], pl.DataFrame]) -> pl.DataFrame:
        """What a function makes of this, made when it is first asked for.

        What only some sources need stands in a function of its own, so that the definitions of the others do not
        change with it.
        """
        if make not in self._made:
            self._made[make] = make(self)
        return self._made[make]


def build_features(
    tables: Tables,
    spine: pl.DataFrame,
    as_of: AsOf,
    *,
    codelists: Codelists,
    untold: Mapping[str, frozenset[str]] = NOTHING_UNTOLD,
    unrecognised: pl.DataFrame | None = None,
    carers: pl.LazyFrame | None = None,
    medicines: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Every feature of every person of the spine: person_id, then one Float64 column a feature; sorted by person_id.

    A missing value means unknown. A source that was not sent makes all its features unknown; a home-based feature is
    unknown for somebody without a home on record. `untold` names, by table, the columns that were never sent, or
    without a single value: what rests on one of them (`columns_behind`) is 0 for nobody. `unrecognised` says whose
    codes and labels are not recognised, as `recognise` gives it: what they would have told is unknown too. `carers` is
    whom anybody's records of social care name as a carer, as `carers_named` finds them, where `tables` are those of
    some people alone; without it they are looked for in `tables`. `medicines` is what `medicines_issued` makes of the
    prescriptions in `tables`, where `recognise` has made it already.
    """
    given = Given(tables, spine, codelists, as_of, carers, medicines)
    seen = Seen(as_of, bit_of_list(codelists))
    built = spine.select(
        "person_id", "household_id", _lived_here_from="lived_here_from", _n_members="n_household_members"
    )
    never_came = {(table, column) for table, names in untold.items() for column in names}
    for source, prepare in SOURCES.items():
        rows = prepare(given)
        for about, features in by_subject(of_source(source)):
            for part, those in _parts(source, rows, features, given, seen):
                made = _unknown(spine, those) if part is None else _aggregated(rows_about(part, about), those, seen)
                built = built.join(made, on="person_id", how="left", maintain_order="left")
                filled = [_filled(feature, as_of, sent=part is not None) for feature in those]
                built = built.with_columns(filled).drop(_IS_MENTIONED)
                built = built.with_columns(_unless_untold(feature, never_came) for feature in those)
    built = _without_what_is_not_recognised(built, unrecognised, seen)
    for feature in of_source("derived"):
        built = built.with_columns(feature.value(seen).cast(pl.Float64).alias(feature.name))
    return built.select("person_id", *names()).sort("person_id")


def build_home_features(tables: Tables, linked: pl.Series, as_of: AsOf) -> pl.DataFrame:
    """What fire visits and incidents tell of homes that nobody on the GP register is linked to: household_id, features.

    `linked` are the homes of everybody registered, of any age.
    """
    seen = Seen(as_of, {})  # nobody lives there who could have moved in: every row is about whoever is there
    found = [pl.DataFrame(schema={"household_id": pl.String})]
    for source in ("fire_visits", "fire_incidents"):
        if source in tables:
            rows = tables[source].filter(~pl.col("household_id").is_in(linked.implode()))
            found.append(_aggregated(rows.with_columns(person_id="household_id"), of_source(source), seen))
    known = [frame.drop(_IS_MENTIONED).rename({"person_id": "household_id"}) for frame in found[1:]]
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


def by_subject(features: Iterable[Feature]) -> list[tuple[About, list[Feature]]]:
    """The features about the home and those about the person, apart; neither where there are none."""
    listed = list(features)
    subjects: tuple[About, ...] = ("home", "person")
    parts = [(about, [feature for feature in listed if feature.about == about]) for about in subjects]
    return [(about, part) for about, part in parts if part]


def rows_about(rows: pl.LazyFrame, about: About) -> pl.LazyFrame:
    """The rows of a prepared source that tell of a home now, or of the people who lived there then.

    >>> rows = pl.LazyFrame({"person_id": ["p1", "p1"], "was_here": [True, False]})
    >>> [rows_about(rows, about).collect().height for about in ("home", "person")]
    [2, 1]
    """
    if about == "home" or _WAS_HERE not in rows.collect_schema().names():
        return rows
    return rows.filter(_WAS_HERE)


@cache
def columns_behind(feature: Feature) -> frozenset[Column]:
    """The columns of the contract's tables that a feature's value rests on, each as (table, column).

    A column that something else stands in for, as the data dictionary says (`moved_in_on`), is not among them.

    >>> sorted(columns_behind(next(feature for feature in FEATURES if feature.name == "has_fall_admission_365d")))
    [('hospital_events', 'icd10'), ('hospital_events', 'kind'), ('hospital_events', 'other_icd10'),
     ('hospital_events', 'started_on')]
    """
    if feature.source != "derived":
        return columns_of_source(feature)
    known = {part.name: part for part in FEATURES}
    behind = [
        columns_behind(known[root]) if root in known else frozenset(made_of(root, table="gp_patients"))
        for root in roots_of(feature)
    ]
    return frozenset().union(*behind)


def bit_of_list(codelists: Codelists) -> dict[str, int]:
    """The bit of each list of SNOMED codes, in the order of their names; at most 63 fit into a whole number."""
    snomed = snomed_lists(codelists)
    if len(snomed) > MOST_LISTS:
        raise ConfigError(f"codelists: {len(snomed)} lists of SNOMED codes, and at most {MOST_LISTS} can be used")
    return {name: bit for bit, name in enumerate(snomed)}


def _parts(
    source: str, rows: pl.LazyFrame | None, features: list[Feature], given: Given, seen: Seen
) -> list[tuple[pl.LazyFrame | None, list[Feature]]]:
    """The features of a source with as few of its rows as they need: of coded entries there are millions.

    Most ask for the newest entry of each kind alone. What counts entries that are there or not is 0 without any, and
    whether an entry is on a list is never missing, so those that do not count are left out.
    """
    if source != "gp_events" or rows is None:
        return [(rows, features)]
    by_newest = [one for one in features if isinstance(one.value, Dated) and one.value.of_newest]
    counted = {
        one: one.value.rows(seen)
        for one in features
        if isinstance(one.value, Dated) and not one.value.of_newest and one.without_rows == 0
    }
    ours = given.spine.lazy().select("person_id")
    newest = given.newest_entries.lazy().join(ours, on="person_id", how="semi")
    counting = _listed(given.tables["gp_events"], given.codelists).filter(pl.any_horizontal(counted.values()))
    each = _without_repeats(counting.join(ours, on="person_id", how="semi"))
    rest = [one for one in features if one not in by_newest and one not in counted]
    parts = [(newest, by_newest), (each, list(counted)), (rows, rest)]
    return [(part, those) for part, those in parts if those]


def _aggregated(rows: pl.LazyFrame, features: Iterable[Feature], seen: Seen) -> pl.DataFrame:
    values = [feature.value(seen).cast(pl.Float64).alias(feature.name) for feature in features]
    return rows.group_by("person_id").agg(values).collect().with_columns(pl.lit(value=True).alias(_IS_MENTIONED))


def _unknown(spine: pl.DataFrame, features: Iterable[Feature]) -> pl.DataFrame:
    blank = pl.lit(None, dtype=pl.Float64)
    unknown = [blank.alias(feature.name) for feature in features]
    return spine.select("person_id", *unknown, pl.lit(value=False).alias(_IS_MENTIONED))


_IS_MENTIONED = "_is_mentioned"
_WAS_HERE = "was_here"


def _filled(feature: Feature, as_of: AsOf, *, sent: bool) -> pl.Expr:
    """The value, and the one for people whom a source that came does not mention; what its rows give is never changed.

    Of a home nobody knows, and of the time before somebody came to theirs, nothing is known.
    """
    value = pl.col(feature.name)
    if not sent or feature.without_rows is None:
        return value
    filled = pl.when(_IS_MENTIONED).then(value).otherwise(pl.lit(feature.without_rows, dtype=pl.Float64))
    has_home = pl.col("household_id").is_not_null()
    if feature.source in HOUSEHOLD_SOURCES:
        return pl.when(has_home | (filled != 0)).then(filled).alias(feature.name)
    if feature.source not in HOME_SOURCES:
        return filled.alias(feature.name)
    if feature.about == "person" and feature.lookback_days is not None:
        was_there = pl.col("_lived_here_from") <= as_of.minus(feature.lookback_days).day
        has_home &= was_there | (filled != 0)
    return pl.when(has_home).then(filled).alias(feature.name)


def _unless_untold(feature: Feature, never_came: set[Column]) -> pl.Expr:
    """The value, unless it is what the absence of a column that never came would make of it.

    Where missing has a meaning of its own (still open), any value may be; elsewhere a row that could not be told has
    left it missing, and only a 0 of rows that are not there is left.
    """
    value = pl.col(feature.name)
    behind = columns_behind(feature) & never_came
    if behind & MEANINGFUL:
        return pl.lit(None, dtype=pl.Float64).alias(feature.name)
    return pl.when(value != 0).then(value) if behind and feature.without_rows is not None else value


# What a feature's expression asks for, by its prepared source, and the column of a contract that it is made of.
RESTS_ON: Mapping[str, Mapping[str, str]] = {
    "gp_events": {"lists": ENTRIES},
    "household_gp_events": {"lists": ENTRIES},
    "medicines": dict.fromkeys(gp.MEDICINE_GROUPS, MEDICINES),
    "household_medicines": dict.fromkeys(gp.MEDICINE_GROUPS, MEDICINES),
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
    "social_care": ("care_events", "named_carers"),
    "housing": ("home_facts", "housing_events", "adaptations"),
    "fire": ("fire_visits", "fire_incidents"),
    "prescriptions": ("medicines", "household_medicines"),
    "place": ("spine",),
    "gp": ("gp_events", "household_gp_events"),
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
    return given.spine.lazy().with_columns(is_oldest=pl.when(pl.col("household_id").is_not_null()).then(oldest))


def _of_these_people(given: Given, table: str) -> pl.LazyFrame | None:
    if table not in given.tables:
        return None
    return given.tables[table].join(given.spine.lazy().select("person_id"), on="person_id", how="semi")


def _gp_events(given: Given) -> pl.LazyFrame | None:
    """SNOMED entries on any of our lists, with one bit a list."""
    rows = _of_these_people(given, "gp_events")
    return None if rows is None else _without_repeats(_listed(rows, given.codelists))


def _household_gp_events(given: Given) -> pl.LazyFrame | None:
    """The newest of each kind of everybody registered at the home, of any age, on lists that a whole home is asked."""
    if "gp_events" not in given.tables:
        return None
    bits = bit_of_list(given.codelists)
    asked = sum(1 << bits[name] for name in gp.HOUSEHOLD_LISTS if name in bits)
    return _together(given.newest_entries.filter((pl.col("lists") & asked) != 0), given)


def _together(rows: pl.DataFrame, given: Given) -> pl.LazyFrame:
    """Rows of anybody, once for each person of the spine at the same home."""
    return rows.lazy().rename({"person_id": "member"}).join(given.together.lazy(), on="member")


# An entry that was sent twice is one entry.
_ONE_ENTRY = ("person_id", "code", "happened_on", "value", "value_unit")


def _listed(rows: pl.LazyFrame, codelists: Codelists) -> pl.LazyFrame:
    """The SNOMED entries on any of our lists: what makes an entry one, and lists (one bit a list)."""
    day = pl.coalesce("happened_on", "recorded_on")
    snomed = rows.filter(pl.col("code_system") == "snomed").with_columns(happened_on=day).select(_ONE_ENTRY)
    return snomed.join(memberships(codelists).lazy(), on="code")


def _without_repeats(listed: pl.LazyFrame) -> pl.LazyFrame:
    return listed.unique(_ONE_ENTRY, keep="any").drop("value", "value_unit")


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
    if "gp_prescriptions" not in given.tables:
        return None
    return given.once(_by_medicine).lazy().join(given.spine.lazy().select("person_id"), on="person_id", how="semi")


def _household_medicines(given: Given) -> pl.LazyFrame | None:
    """The same of everybody registered at the home, of any age."""
    if "gp_prescriptions" not in given.tables:
        return None
    return _together(given.once(_by_medicine), given)


def _by_medicine(given: Given) -> pl.DataFrame:
    """One row a person and medicine, of everybody: when it was last issued, and the groups it belongs to."""
    issued = medicines_issued(given.tables["gp_prescriptions"]) if given.medicines is None else given.medicines
    # A BNF code tells all groups. Without one, a list of dm+d codes tells those it stands on and no others: the lists
    # are short. A dm+d code may start with the same digits as a BNF code.
    substance = pl.when(has_bnf_chapter()).then(pl.col("bnf_code").str.slice(0, _BNF_SUBSTANCE))
    dmd = pl.when(substance.is_null()).then(pl.coalesce("dmd_code", "bnf_code"))
    last = (
        issued.lazy().group_by("person_id", substance=substance, dmd=dmd).agg(pl.col("last_issued_on").max()).collect()
    )
    # Each medicine is looked for on the lists once.
    codes = last.select("substance", "dmd").unique()
    groups = codes.with_columns(_in_medicine_group(given.codelists, name) for name in gp.MEDICINE_GROUPS)
    return last.join(groups, on=["substance", "dmd"], nulls_equal=True)


def _in_medicine_group(codelists: Codelists, name: str) -> pl.Expr:
    """Whether a medicine belongs to a group; missing where neither its BNF code nor a list of dm+d codes tells it."""
    by_bnf = _in_group(pl.col("substance"), codelists, name)
    is_listed = pl.col("dmd").is_in(codelists.get(gp.dmd_list_of(name), ()))
    return pl.coalesce(by_bnf, pl.when(is_listed).then(pl.lit(value=True))).alias(name)


def _hospital_events(given: Given) -> pl.LazyFrame | None:
    """One row a stay: a stay with several diagnoses has a row for each among the events known."""
    rows = _of_these_people(given, "hospital_events")
    if rows is None:
        return None
    return rows.group_by("person_id", "kind", "started_on").agg(
        pl.col("ended_on").max(),
        # Of a stay whose diagnosis was never sent it is not known.
        *(diagnosed_with(codes_of(given.codelists, name)).max().alias(name) for name in HOSPITAL_CODES),
    )


def _in_group(code: pl.Expr, codelists: Codelists, name: str) -> pl.Expr:
    """Whether a code belongs to a group; missing where there is no code."""
    return pl.when(code.is_not_null()).then(starts_with_any(code, codes_of(codelists, name))).alias(name)


HOSPITAL_CODES = ("icd10_fall", "icd10_fracture")

# How many of a cost's units a week holds, or a fraction of one; hourly and daily costs need the planned units.
_PER_WEEK = {
    "weekly": 1.0,
    "fortnightly": 1 / 2,
    "4_weekly": 1 / 4,
    "monthly": 12 / 52,
    "quarterly": 4 / 52,
    "annually": 1 / 52,
    "one_off": 0.0,
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
    return rows.with_columns(weekly_pence=pl.when(service).then(pence).otherwise(0))


def carers_named(tables: Tables) -> pl.LazyFrame:
    """Whom the rows of people who get support name as their carer: person_id, started_on.

    A carer may live elsewhere, so it is asked of everybody's records.
    """
    rows = tables["care_events"].filter(pl.col("client_type") == "service_user")
    return rows.select("started_on", person_id="linked_person_id").drop_nulls("person_id")


def _named_carers(given: Given) -> pl.LazyFrame | None:
    """The carers among these people; whom a carer's row names is cared for."""
    if "care_events" not in given.tables:
        return None
    named = carers_named(given.tables) if given.carers is None else given.carers
    return named.join(given.spine.lazy().select("person_id"), on="person_id", how="semi")


def _home_facts(given: Given) -> pl.LazyFrame | None:
    """What is known of each person's home, and how many adults are registered there, where all of them may be used."""
    if "homes" not in given.tables:
        return None
    everybody = given.everybody.drop_nulls("household_id")
    adults = everybody.group_by("household_id").agg(n_adults=(pl.col("age") >= ADULT).sum().cast(pl.Int64))
    # Where somebody lives who may not be used the spine does not say how many they are, and nor does this.
    whole = given.spine.filter(pl.col("n_household_members").is_not_null()).select("household_id").unique()
    counted = adults.join(whole, on="household_id", how="semi").lazy()
    homes = given.homes.join(counted, on="household_id", how="left")
    return home_facts(given.tables).lazy().join(homes, on="household_id")


def _of_their_homes(given: Given, table: str, day: str) -> pl.LazyFrame | None:
    """Rows of a home joined to each person who lives there now, and whether they lived there by then (`was_here`)."""
    if table not in given.tables:
        return None
    was_here = (pl.col("lived_here_from") <= pl.col(day)).alias(_WAS_HERE)
    return given.tables[table].join(given.homes, on="household_id").with_columns(was_here)


def _adaptations(given: Given) -> pl.LazyFrame | None:
    """One row a person and adaptation case: since when it was asked for, and whether it still waits."""
    rows = _of_their_homes(given, "housing_events", "happened_on")
    if rows is None:
        return None
    steps = {"adaptation_requested": 0, "adaptation_approved": 1, "adaptation_completed": 2, "adaptation_withdrawn": 3}
    step = pl.col("event_type").replace_strict(steps, default=None, return_dtype=pl.Int64)
    cases = rows.with_columns(step=step).filter(pl.col("step").is_not_null())
    # Without case numbers all the adaptations of a home are one case: what was asked before the last was done is done.
    closed_on = pl.col("happened_on").filter(pl.col("step") > 1).max()
    since_then = (pl.col("step") <= 1) & (pl.col("happened_on") > closed_on).fill_null(value=True)
    found = cases.group_by("person_id", "case_id").agg(
        asked_on=pl.col("happened_on").filter(since_then & pl.col(_WAS_HERE)).min(),
        waits=latest(pl.col("step"), pl.col("happened_on")) <= 1,
    )
    # Whether what an earlier occupier asked for is still wanted is not known.
    was_theirs = pl.when(pl.col("asked_on").is_not_null()).then(pl.lit(value=True))
    return found.select("person_id", "asked_on", is_waiting=pl.col("waits") & was_theirs)


def _household_deaths(given: Given) -> pl.LazyFrame:
    """Deaths at the address each person lives at, as the newest version of each person on the GP register has them."""
    died = given.versions.lazy().filter(pl.col("died_on").is_not_null())
    deaths = died.select("household_id", "died_on", dead="person_id")
    return deaths.drop_nulls("household_id").join(given.homes, on="household_id")


HOUSEHOLD_SOURCES = ("household_gp_events", "household_medicines")
HOME_SOURCES = ("home_facts", "housing_events", "adaptations", "fire_visits", "fire_incidents", "household_deaths")

SOURCES: Mapping[str, Callable[[Given], pl.LazyFrame | None]] = {
    "spine": _spine,
    "gp_events": _gp_events,
    "household_gp_events": _household_gp_events,
    "medicines": _medicines,
    "household_medicines": _household_medicines,
    "hospital_events": _hospital_events,
    "care_events": _care_events,
    "named_carers": _named_carers,
    "home_facts": _home_facts,
    "housing_events": lambda given: _of_their_homes(given, "housing_events", "happened_on"),
    "adaptations": _adaptations,
    "fire_visits": lambda given: _of_their_homes(given, "fire_visits", "visited_on"),
    "fire_incidents": lambda given: _of_their_homes(given, "fire_incidents", "happened_on"),
    "household_deaths": _household_deaths,
}
