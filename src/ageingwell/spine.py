"""One row a person: who is registered, how old, in which home, with whom, and who knows them."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from ageingwell.config.score import TableSettings
from ageingwell.contracts.fields import LOW_MATCH
from ageingwell.contracts.gp import OLDEST
from ageingwell.contracts.housing import MAIN_FUELS, PROPERTY_TYPES, TENURES
from ageingwell.contracts.made import Spine
from ageingwell.contracts.registry import EVENT_KEYS
from ageingwell.events import latest as latest
from ageingwell.events import one_row_per_event
from ageingwell.register import BY_HOME, SIGNS_OF_CONTACT
from ageingwell.sources.read import CheckedTable, Records
from ageingwell.timeline import ENDINGS, AsOf, Lookback, known

# Six or more people of this age at one address prompt a check; alone they exclude nobody.
MANY_OLDER_PEOPLE = 6
KNOWN_TO_LOOKBACK = Lookback(1095)
CARE_HOME_STATUSES = ("registered_care_home", "registered_nursing_home")
CARE_HOME_SERVICES = ("long_term_support_nursing_care", "long_term_support_residential_care")

Tables = Mapping[str, pl.LazyFrame]


# Millions of rows, whose repeats change nothing but a count: they are taken out where entries are counted (`build`),
# once the code lists have left few rows.
REPEATS_TAKEN_OUT_LATER = ("gp_events", "gp_prescriptions")


def known_tables(records: Records, as_of: AsOf, settings: Mapping[str, TableSettings]) -> dict[str, pl.LazyFrame]:
    """Every table as it was known on the cut-off, events in one row each. Nothing after this step sees a later record.

    Which rows are one event, and which of their versions counts, is said by `EVENT_KEYS`. A home that an address was
    matched to with low certainty is nobody's home here: `sure_homes`. All but the two largest tables are worked out
    here, once, and held: each is asked many times.
    """
    tables = {
        name: _events_known(table, as_of, lag_days=settings[name].lag_days)
        for name, table in records.tables.items()
        if name != "permissions"
    }
    return {name: rows if name in REPEATS_TAKEN_OUT_LATER else rows.collect().lazy() for name, rows in tables.items()}


def _events_known(table: CheckedTable, as_of: AsOf, *, lag_days: int) -> pl.LazyFrame:
    rows = known(
        sure_homes(table.rows),
        as_of,
        endings=ENDINGS.get(table.name, ()),
        lag_days=lag_days,
        recorded_on_is_made=table.made_recorded_on is not None,
    )
    if table.name not in EVENT_KEYS or table.name in REPEATS_TAKEN_OUT_LATER:
        return rows
    return one_row_per_event(rows, EVENT_KEYS[table.name])


def sure_homes(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows without the homes that were matched with low certainty.

    Somebody on the register then has no home on record: nobody knocks, and no fact of a home is theirs. A row that is
    about a home alone is left out. Whoever asks where somebody may live, to keep others away, asks the rows as sent.

    >>> people = {"person_id": ["p1", "p2"], "household_id": ["h1", "h2"], "household_match": ["low", "high"]}
    >>> sure_homes(pl.LazyFrame(people)).collect()["household_id"].to_list()
    [None, 'h2']
    """
    names = rows.collect_schema().names()
    if "household_match" not in names:
        return rows
    is_sure = pl.col("household_match").ne_missing(LOW_MATCH)
    if "person_id" not in names:
        return rows.filter(is_sure)
    return rows.with_columns(pl.when(is_sure).then("household_id").alias("household_id"))


def unsure_homes(patients: pl.LazyFrame) -> pl.DataFrame:
    """Whose newest row of the register names a home that was matched with low certainty: person_id, household_id."""
    is_unsure = (pl.col("household_match") == LOW_MATCH) & pl.col("household_id").is_not_null()
    # Few have any such row, and only theirs need to be put in order.
    ever = patients.filter(is_unsure).select("person_id").unique()
    newest = latest_versions(patients.join(ever, on="person_id", how="semi"))
    return newest.filter(is_unsure).select("person_id", "household_id")


def deaths_told(tables: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """Who has died as social care has it, and when: person_id, died_on (the earliest day told).

    One row that tells it is enough, for a return seldom tells it in every row of a person.
    """
    if "care_events" not in tables:
        return pl.DataFrame(schema={"person_id": pl.String, "died_on": pl.Date})
    died = tables["care_events"].select("person_id", "died_on").drop_nulls()
    return died.group_by("person_id").agg(pl.col("died_on").min()).sort("person_id").collect()


def latest_versions(patients: pl.LazyFrame) -> pl.DataFrame:
    """The newest version of each person. Versions of one day that differ were refused, so there is one."""
    return patients.sort("person_id", "recorded_on").unique("person_id", keep="last", maintain_order=True).collect()


def left_by(on: date) -> pl.Expr:
    """Whether somebody has left the practice by a day, in the columns of the GP register.

    A leaving counts as soon as it is recorded, however late. One that lies after both that day and its own recording is
    announced: the person still lives there, and has not left.

    >>> register = pl.DataFrame({"left_on": [date(2026, 11, 1), date(2026, 12, 1), date(2026, 12, 1), None],
    ...     "left_recorded_on": [None, None, date(2026, 12, 3), None], "recorded_on": [date(2026, 11, 9)] * 4})
    >>> register.select(left_by(date(2026, 11, 22))).to_series().to_list()
    [True, False, True, False]
    """
    told_on = pl.max_horizontal("recorded_on", "left_recorded_on")
    left = pl.col("left_on")
    return ((left <= on) | (left <= told_on)).fill_null(value=False).alias("has_left")


def registered(versions: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """Those alive and registered on the cut-off, with their age in whole years.

    The day of birth is taken as the first of its month, as in the Client Level Data return. Somebody who would be
    over `OLDEST` is a row that was never closed: they are held, and live in no home that others are counted in.
    """
    here = (pl.col("left_on").is_null() | (pl.col("left_on") >= as_of.day)) & pl.col("died_on").is_null()
    return versions.filter(here).with_columns(age=age_on(as_of)).filter(pl.col("age") <= OLDEST)


def age_on(as_of: AsOf) -> pl.Expr:
    """Whole years from `birth_month` to the cut-off."""
    born = pl.col("birth_month")
    had_birthday = (born.dt.month() <= as_of.day.month).cast(pl.Int64)
    return as_of.day.year - born.dt.year().cast(pl.Int64) - 1 + had_birthday


def last_moves(patients: pl.LazyFrame) -> pl.DataFrame:
    """When the newest move of each person from one home to another was told: person_id, moved_by.

    Without it somebody whose practice sends no `moved_in_on` would inherit the records of the previous occupier.
    """
    before = pl.col("household_id").forward_fill().shift(1).over("person_id")
    versions = patients.sort("person_id", "recorded_on").with_columns(has_moved=pl.col("household_id") != before)
    moves = versions.filter(pl.col("has_moved"))
    return moves.group_by("person_id").agg(moved_by=pl.col("recorded_on").max()).collect()


def build_spine(
    tables: Tables,
    as_of: AsOf,
    *,
    minimum_age: int,
    places: Path,
    incomplete_homes: pl.Series | None = None,
    many_older_people: int = MANY_OLDER_PEOPLE,
    contacting_homes: Sequence[str] | None = None,
) -> pl.DataFrame:
    """One row a registered person of at least `minimum_age`, sorted by person_id (contract: `Spine`).

    `incomplete_homes` are the homes (household_id) of somebody who may not be used: how many live there is unknown.
    `many_older_people` of 65 and over at one address prompt a check for a care home. `contacting_homes` are the
    agencies that contact homes, as `agencies_contacting_homes` finds them in all records; without them, in `tables`.
    """
    people = registered(latest_versions(tables["gp_patients"]), as_of)
    household = (
        people.drop_nulls("household_id")
        .group_by("household_id")
        .agg(
            n_household_members=pl.len().cast(pl.Int64),
            n_household_65plus=(pl.col("age") >= 65).sum().cast(pl.Int64),
        )
    )
    older = (
        people.filter(pl.col("age") >= minimum_age)
        .join(last_moves(tables["gp_patients"]), on="person_id", how="left")
        .with_columns(lived_here_from=pl.coalesce("moved_in_on", "moved_by", "registered_on"))
    )
    spine = (
        older.join(household, on="household_id", how="left")
        .with_columns(n_household_under_65=pl.col("n_household_members") - pl.col("n_household_65plus"))
        .join(read_places(places), on="lsoa21", how="left")
        .with_columns(pl.col("place").fill_null("not known"))
        .join(_care_home_residents(tables), on="person_id", how="left")
        .join(_care_homes(tables), on="household_id", how="left")
        .join(who_knows(tables, older, as_of), on="person_id", how="left")
        .with_columns(care_home=_care_home(many_older_people), known_to=pl.col("known_to").fill_null([]))
        .with_columns(not_told_by=_not_told_by(tables, contacting_homes))
    )
    if incomplete_homes is not None:
        is_whole = ~pl.col("household_id").is_in(incomplete_homes.drop_nulls().implode())
        spine = spine.with_columns(pl.when(is_whole).then(pl.col(name)).alias(name) for name in _HOUSEHOLD_SIZE)
    return spine.select(SPINE_COLUMNS).sort("person_id")


SPINE_COLUMNS = tuple(Spine.to_schema().columns)
_HOUSEHOLD_SIZE = ("n_household_members", "n_household_65plus", "n_household_under_65")


def read_places(path: Path) -> pl.DataFrame:
    """Place, deprivation decile and rural class of each Lower layer Super Output Area."""
    places = pl.read_csv(path, infer_schema=False)
    return places.select(
        "lsoa21",
        "place",
        pl.col("deprivation_decile").cast(pl.Int64),
        is_rural=pl.col("is_rural") == "1",
    )


def _care_home(many_older_people: int) -> pl.Expr:
    resident = pl.col("_resident").fill_null(value=False) | pl.col("_is_care_home").fill_null(value=False)
    crowded = (pl.col("n_household_65plus") >= many_older_people).fill_null(value=False)
    return pl.when(resident).then(pl.lit("yes")).when(crowded).then(pl.lit("check")).otherwise(pl.lit("no"))


def _care_homes(tables: Tables) -> pl.DataFrame:
    homes = home_facts(tables)
    return homes.select("household_id", _is_care_home=pl.col("property_type") == "care_home")


def with_care_homes_in_doubt(spine: pl.DataFrame, tables: Tables, unsure: pl.DataFrame) -> pl.DataFrame:
    """The spine with `check` for `no` of whoever may live in a care home: their address was matched to it, not surely.

    `unsure` is what `unsure_homes` gives. A check excludes nobody, and asks before a letter is written.
    """
    care_homes = _care_homes(tables).filter("_is_care_home")
    perhaps = unsure.join(care_homes, on="household_id", how="semi")["person_id"]
    is_open = (pl.col("care_home") == "no") & pl.col("person_id").is_in(perhaps.implode())
    return spine.with_columns(care_home=pl.when(is_open).then(pl.lit("check")).otherwise("care_home"))


def _care_home_residents(tables: Tables) -> pl.DataFrame:
    """People whom social care knows to live in a care home: an open placement, or the newest status known."""
    if "care_events" not in tables:
        return pl.DataFrame(schema={"person_id": pl.String, "_resident": pl.Boolean})
    clients = tables["care_events"].filter(pl.col("client_type") == "service_user")
    service = (pl.col("event_type") == "service") & pl.col("service_type").is_in(CARE_HOME_SERVICES)
    placed = service & pl.col("ended_on").is_null()
    in_home = pl.col("accommodation_status").is_in(CARE_HOME_STATUSES).cast(pl.Int64)
    stated = pl.when(pl.col("accommodation_status").is_not_null() & (pl.col("accommodation_status") != "unknown"))
    return (
        clients.group_by("person_id")
        .agg(_placed=placed.fill_null(value=False).any(), _status=latest(stated.then(in_home), pl.col("started_on")))
        .select("person_id", _resident=pl.col("_placed") | (pl.col("_status") == 1).fill_null(value=False))
        .collect()
    )


_HOME_LABELS = {
    "tenure": TENURES,
    "property_type": PROPERTY_TYPES,
    "main_fuel": MAIN_FUELS,
    "step_free_access": ("yes", "no", "unknown"),
    "single_adult_discount": ("yes", "no", "unknown"),
    "epc_rating": ("a", "b", "c", "d", "e", "f", "g"),
}
_LOWEST_FLOOR_OFFSET = 5


def home_facts(tables: Tables) -> pl.DataFrame:
    """One row a home: each column's latest known value that is not unknown, whichever source told it.

    A home is a care home where the newest row of one source says so: an energy certificate calls the same building a
    house. `single_adult_told_on` is the day of what is known of a council tax discount.
    """
    schema = {"household_id": pl.String, **dict.fromkeys(_HOME_LABELS, pl.String)}
    if "homes" not in tables:
        numbers_and_days = {"lowest_floor": pl.Int64, "occupants": pl.Int64, "single_adult_told_on": pl.Date}
        return pl.DataFrame(schema={**schema, **numbers_and_days})
    day = pl.col("recorded_on")
    codes = [latest(_label_code(name, labels), day).alias(name) for name, labels in _HOME_LABELS.items()]
    numbers = [
        latest(pl.col("lowest_floor") + _LOWEST_FLOOR_OFFSET, day) - _LOWEST_FLOOR_OFFSET,
        latest(pl.col("occupants"), day),
        day.filter(pl.col("single_adult_discount").is_in(["yes", "no"])).max().alias("single_adult_told_on"),
    ]
    facts = tables["homes"].group_by("household_id").agg(*codes, *numbers).collect()
    named = facts.with_columns(_label_of(name, labels) for name, labels in _HOME_LABELS.items())
    is_care_home = pl.col("household_id").is_in(_told_to_be_care_homes(tables["homes"]).implode())
    kind = pl.when(is_care_home).then(pl.lit("care_home")).otherwise("property_type")
    return named.with_columns(property_type=kind).sort("household_id")


def _told_to_be_care_homes(homes: pl.LazyFrame) -> pl.Series:
    """The homes of which the newest row of a source says that they are care homes: household_id, unique.

    A source may take back what it said, and no other source may.
    """
    kind = latest(_label_code("property_type", PROPERTY_TYPES), pl.col("recorded_on"))
    by_source = homes.group_by("household_id", "source").agg(kind=kind)
    told = by_source.filter(pl.col("kind") == PROPERTY_TYPES.index("care_home"))
    return told.select("household_id").unique().collect()["household_id"]


def _label_code(name: str, labels: tuple[str, ...]) -> pl.Expr:
    sayings = {label: code for code, label in enumerate(labels) if label != "unknown"}
    return pl.col(name).replace_strict(sayings, default=None, return_dtype=pl.Int64)


def _label_of(name: str, labels: tuple[str, ...]) -> pl.Expr:
    return pl.col(name).replace_strict(dict(enumerate(labels)), default=None, return_dtype=pl.String)


def who_knows(tables: Tables, people: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """Which agencies have a record of each person, or of their home while they lived there, in the past three years.

    Returns person_id, known_to (a sorted list). The GP register is implied: everyone here is on it.
    """
    met = _meetings(tables, people, as_of).filter("counts").select("person_id", "agency")
    pairs = met.filter(pl.col("agency") != "gp").unique()
    return pairs.group_by("person_id").agg(known_to=pl.col("agency").sort()).collect()


def last_contacts(tables: Tables, people: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """The day of the newest sign of contact with each agency that `who_knows` counts: person_id, agency, last_on.

    The GP practice is here where a contact of its own was sent with the others' (`contacts`).
    """
    ours = people.lazy().select("person_id")
    met = _meetings(tables, people, as_of).join(ours, on="person_id", how="semi")
    # Support that began long ago and still runs makes somebody known; their newest event may lie between.
    last = met.group_by("person_id", "agency").agg(last_on=pl.col("day").max(), counts=pl.col("counts").any())
    return last.filter("counts").drop("counts").sort("person_id", "agency").collect()


def _meetings(tables: Tables, people: pl.DataFrame, as_of: AsOf) -> pl.LazyFrame:
    """Every sign of contact, of anybody: person_id, agency, day, and whether it counts (three years, or still runs)."""
    homes = people.select("person_id", "household_id", "lived_here_from").drop_nulls("household_id").lazy()
    met = [pl.LazyFrame(schema={"person_id": pl.String, "agency": pl.String, "day": pl.Date, "counts": pl.Boolean})]
    for table, (agency, day) in _SIGNS_OF_CONTACT.items():
        if table not in tables:
            continue
        rows = tables[table].with_columns(counts=_in_touch(table, day, as_of).fill_null(value=False))
        if table != "care_events":
            rows = rows.filter("counts")
        met.append(_met_people(rows, homes, pl.lit(agency), day, last=_last_day(table, day, as_of)))
    if "contacts" in tables:
        lately = KNOWN_TO_LOOKBACK.holds(pl.col("contacted_on"), as_of)
        rows = tables["contacts"].filter(lately).with_columns(counts=pl.lit(value=True))
        met.extend(_met_people(part, homes, pl.col("agency"), "contacted_on") for part in _by_subject(rows))
    return pl.concat(met)


# Everybody on the GP register is known to the practice, so its entries need not tell it.
_SIGNS_OF_CONTACT = {table: sign for table, sign in SIGNS_OF_CONTACT.items() if sign[0] != "gp"}
_BY_HOME = BY_HOME


def _not_told_by(tables: Tables, contacting_homes: Sequence[str] | None) -> pl.Expr:
    """The agencies of which it cannot be told whether they know somebody: their records did not all come.

    Housing and fire know a home, and so does who contacts one: of somebody without one on record they cannot tell. Who
    knows them all the same, by another table, is not among them.
    """
    tell = {table: agency for table, (agency, _) in _SIGNS_OF_CONTACT.items()} | {"contacts": "voluntary"}
    silent = sorted({agency for table, agency in tell.items() if table not in tables})
    by_contact = agencies_contacting_homes(tables) if contacting_homes is None else contacting_homes
    without_home = sorted({*silent, *_BY_HOME, *by_contact})
    listed = [pl.lit(names, dtype=pl.List(pl.String)) for names in (silent, without_home)]
    untold = pl.when(pl.col("household_id").is_not_null()).then(listed[0]).otherwise(listed[1])
    return untold.list.set_difference("known_to").list.sort()


def agencies_contacting_homes(tables: Tables) -> list[str]:
    """The agencies, the GP practice apart, of which any contact was with a home, sorted.

    One row decides it for everybody without a home, so it is asked of all records and not of some people's.

    >>> rows = {"household_id": ["h1", None, "h2"], "agency": ["voluntary", "hospital", "gp"]}
    >>> agencies_contacting_homes({"contacts": pl.LazyFrame(rows)})
    ['voluntary']
    """
    if "contacts" not in tables:
        return []
    agencies = tables["contacts"].filter(pl.col("household_id").is_not_null() & (pl.col("agency") != "gp"))
    return agencies.select("agency").unique().collect()["agency"].sort().to_list()


def _in_touch(table: str, day: str, as_of: AsOf) -> pl.Expr:
    lately = KNOWN_TO_LOOKBACK.holds(pl.col(day), as_of)
    if table != "care_events":
        return lately
    # Support that started long ago and still runs, or ended lately, is contact too.
    runs = (pl.col("event_type") == "service") & pl.col("ended_on").is_null()
    return lately | runs | KNOWN_TO_LOOKBACK.holds(pl.col("ended_on"), as_of)


def _last_day(table: str, day: str, as_of: AsOf) -> pl.Expr:
    if table != "care_events":
        return pl.col(day)
    return pl.max_horizontal(day, pl.when(pl.col("ended_on") < as_of.day).then("ended_on"))


def _by_subject(contacts: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    of_people = contacts.filter(pl.col("person_id").is_not_null()).drop("household_id")
    of_homes = contacts.filter(pl.col("household_id").is_not_null()).drop("person_id")
    return of_people, of_homes


def _met_people(
    rows: pl.LazyFrame, homes: pl.LazyFrame, agency: pl.Expr, day: str, *, last: pl.Expr | None = None
) -> pl.LazyFrame:
    last = pl.col(day) if last is None else last
    if "person_id" in rows.collect_schema().names():
        return rows.select("person_id", agency=agency, day=last, counts="counts")
    told = rows.select("household_id", "counts", agency=agency, day=last, _day=pl.col(day))
    met = told.join(homes, on="household_id").filter(pl.col("lived_here_from") <= pl.col("_day"))
    return met.select("person_id", "agency", "day", "counts")
