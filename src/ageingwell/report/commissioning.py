"""What a community should commission: needs against capacity and local services, place by place, as counts alone.

Nobody is named and no key stands here. Counts that share totals go through one door together (`governance.linked`),
and every share is worked out from the counts as they are shown.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Any, Final

import polars as pl

from ageingwell.config.services import ServicesSettings
from ageingwell.governance.disclosure import SUPPRESS_BELOW, disclose_table
from ageingwell.governance.linked import TOTAL, disclose_cross, share_words
from ageingwell.governance.night_facts import NightFacts
from ageingwell.register import AGENCY_WORDS, ASKED_AGENCIES, LEAD_AGENCIES, tables_telling_of
from ageingwell.report.offers import miles_words
from ageingwell.services.match import ASKS, match_services
from ageingwell.services.values import fold
from ageingwell.views.words import NEED_WORDS, agency_words, label_words

Table = dict[str, Any]
ROUNDED: Final = (
    "Numbers from 1 to 7 are not shown, or numbers that would reveal them. Others are rounded to the nearest 5."
)
KNOWN_BANDS: Final = ("None", "One", "Two", "Three or more")
WEEKS_A_YEAR: Final = 52
EVERY_SERVICE: Final = 10_000


@dataclass(frozen=True)
class Community:
    """What the page is counted from: the night's tables, what each need is led by, and the counts of the page `before`.

    `before` are the counts that the last quarter's page was drawn from (`COUNTS`), if there was one.
    """

    residents: pl.DataFrame | pl.LazyFrame
    needs: pl.DataFrame
    services: pl.DataFrame
    positions: pl.DataFrame
    just_missed: pl.DataFrame
    marginal: pl.DataFrame
    leads: Mapping[str, str]
    before: pl.DataFrame | None = None


# The counts behind a page: which of its tables, the two labels of a cell, and how many people or homes.
COUNTS = pl.Schema({"of": pl.String, "one": pl.String, "other": pl.String, "n": pl.Int64})
_NEEDS: Final = "needs by place"
_KNOWN: Final = "known by place"
_JOINT: Final = "homes of two agencies"


def counts_behind(community: Community) -> pl.DataFrame:
    """The counts that the page of a quarter is drawn from (`COUNTS`), to be kept for the next.

    A change between two pages is a count of people too, and passes the same door: where fewer than 8 came or went since
    the last page, a cell keeps the count it had. So whatever moves on a page, no single person moved it.

    >>> residents = pl.DataFrame({"person_id": [f"p{n}" for n in range(12)], "place": "Totnes", "known_to": [[]] * 12})
    >>> nobody = pl.DataFrame(schema=dict.fromkeys(("person_id", "household_id", "need", "lead_agency"), pl.String))
    >>> last = pl.DataFrame([("known by place", "Totnes", "None", 19)], schema=COUNTS, orient="row")
    >>> town = Community(residents, nobody, pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {}, last)
    >>> counts_behind(town).rows()
    [('known by place', 'Totnes', 'None', 19)]
    """
    parts = {
        _NEEDS: _needs_counted(community).select("place", "need", "n"),
        _KNOWN: _known_counted(community.residents).select("place", "band", "n"),
        _JOINT: _joint_counted(community.needs),
    }
    now = pl.concat(
        part.select(pl.lit(of).alias("of"), pl.nth(0).alias("one"), pl.nth(1).alias("other"), "n").cast(COUNTS)
        for of, part in parts.items()
    )
    if community.before is None:
        return now.sort(COUNTS.names())
    cell = ("of", "one", "other")
    both = now.join(community.before.cast(COUNTS), on=cell, how="full", coalesce=True, suffix="_before").with_columns(
        pl.col("n", "n_before").fill_null(0)
    )
    is_few = (pl.col("n") - pl.col("n_before")).abs() < SUPPRESS_BELOW
    steady = both.select(*cell, n=pl.when(is_few).then("n_before").otherwise("n"))
    return steady.filter(pl.col("n") > 0).sort(COUNTS.names())


def _cells(counts: pl.DataFrame, of: str, one: str, other: str) -> pl.DataFrame:
    return counts.filter(pl.col("of") == of).select(pl.col("one").alias(one), pl.col("other").alias(other), "n")


def commissioning(community: Community, *, facts: NightFacts, settings: ServicesSettings, on: date) -> Table:
    """Gather what the page for commissioners says of a night: text, lists and dictionaries only, every count disclosed.

    Of the facts of the night they are `capacity`, `directory` and `missing`.
    """
    counts = counts_behind(community)
    cross = _needs_shown(counts, community)
    reach = services_in_reach(community, settings=settings, on=on)
    has_services = not community.services.is_empty()
    return {
        "short": [
            *_largest(cross),
            *(_missing_services(cross, reach) if has_services else ()),
            *_short(cross, facts),
        ],
        "capacity": _capacity(cross, community, facts),
        "by_place": _by_place(cross),
        "gaps": _gaps(cross, reach) if has_services else _table("", (), []),
        "served": _served(cross, reach) if has_services else _table("", (), []),
        "known": _known(counts, missing=facts.missing),
        "joint": _joint(counts),
        "one_more": _one_more(community),
        "directory": _directory(community.services),
        "directory_state": facts.directory.get("state", "none"),
        "reach": miles_words(settings.reach_miles).removeprefix("about "),
        "rounded": ROUNDED,
    }


def _needs_shown(counts: pl.DataFrame, community: Community) -> pl.DataFrame:
    """Count needs by place and need with every total, as they may be shown: place, need, shown.

    A need is counted once for each person that has it, also where nobody is sent this week; `need` is a need, the
    agency that leads on it (the sum of its needs), or `All`.
    """
    cells = _cells(counts, _NEEDS, "place", "need")
    return disclose_cross(cells, rows="place", columns="need", groups=community.leads)


def _needs_counted(community: Community) -> pl.DataFrame:
    residents = community.residents.lazy().select("person_id", "place")
    placed = residents.join(community.needs.lazy().drop("household_id"), on="person_id").collect()
    return placed.group_by("place", "need").agg(n=pl.col("person_id").n_unique().cast(pl.Int64))


def services_in_reach(community: Community, *, settings: ServicesSettings, on: date) -> pl.DataFrame:
    """Count the services that serve each need near each place: place, need, n_services, n_with_room, miles."""
    places = community.residents.lazy().select("place").unique().sort("place").collect()["place"].to_list()
    asked = [(place, need) for need in settings.needs for place in places]
    asks = [
        (number, [fold(term) for term in settings.needs[need].terms], place, None, None)
        for number, (place, need) in enumerate(asked)
    ]
    found = match_services(
        pl.DataFrame(asks, schema=ASKS, orient="row"),
        services=community.services,
        positions=community.positions,
        settings=settings.model_copy(update={"offers_a_need": EVERY_SERVICE}),
        on=on,
    )
    counted = found.group_by("ask_id").agg(
        n_services=pl.len().cast(pl.Int64),
        n_with_room=(pl.col("room") != "no").sum().cast(pl.Int64),
        miles=pl.col("miles").min(),
    )
    every = pl.DataFrame(asked, schema={"place": pl.String, "need": pl.String}, orient="row").with_row_index("ask_id")
    joined = every.with_columns(pl.col("ask_id").cast(pl.Int64)).join(counted, on="ask_id", how="left")
    return joined.drop("ask_id").with_columns(pl.col("n_services", "n_with_room").fill_null(0))


def _table(caption: str, heads: Sequence[str], rows: list[list[str]], *, note: str = "") -> Table:
    return {"caption": caption, "heads": list(heads), "rows": rows, "note": note}


def _shown(cross: pl.DataFrame) -> dict[tuple[str, str], str]:
    return {(place, need): shown for place, need, shown in cross.iter_rows()}


def _places(cross: pl.DataFrame) -> list[str]:
    return [place for place in cross["place"].unique(maintain_order=True) if place != TOTAL]


def _largest(cross: pl.DataFrame) -> list[dict[str, str]]:
    """The need that most people have, and the place where most of them live; of counts as they are shown."""
    shown = _shown(cross)
    needs = {need: count for (place, need), count in shown.items() if place == TOTAL and need in NEED_WORDS}
    most = max(needs, key=lambda need: (_whole(needs[need]), need), default=None)
    if most is None or not _whole(needs[most]):
        return []
    there = {place: shown.get((place, most), "0") for place in _places(cross)}
    where = max(there, key=lambda place: (_whole(there[place]), place))
    said = f"the largest need: {_need_words(most)} ({needs[most]} people)"
    return [{"figure": "First", "words": f"{said}, most of them in {where}" if _whole(there[where]) else said}]


def _missing_services(cross: pl.DataFrame, reach: pl.DataFrame) -> list[dict[str, str]]:
    """How many needs have no service nearby in some place, and how many only services that are full."""
    shown = _shown(cross)
    here = [row for row in reach.to_dicts() if shown.get((row["place"], row["need"]), "0") != "0"]
    nobody = sorted({_need_words(row["need"]) for row in here if row["n_services"] == 0})
    full = sorted({_need_words(row["need"]) for row in here if row["n_services"] > 0 and row["n_with_room"] == 0})
    return [
        {"figure": str(len(nobody)), "words": f"needs with no service nearby in some place: {_listed(nobody)}"},
        {"figure": str(len(full)), "words": f"needs where every service nearby is full: {_listed(full)}"},
    ]


def _listed(needs: Sequence[str]) -> str:
    return "; ".join(needs).lower() or "none"


def _whole(shown: str) -> int:
    plain = shown.replace(",", "")
    return int(plain) if plain.isdigit() else 0


def _short(cross: pl.DataFrame, facts: NightFacts) -> list[dict[str, str]]:
    told = facts.directory
    return [
        {
            "figure": _shown(cross).get((TOTAL, TOTAL), "0"),
            "words": "needs found by rule, among everyone considered",
        },
        {"figure": str(sum(facts.capacity.values())), "words": "homes per week, all agencies together"},
        {"figure": str(told.get("n_organisations", 0)), "words": "organisations in the local directory"},
        {"figure": str(told.get("n_services", 0)), "words": "services that are running"},
    ]


def _capacity(cross: pl.DataFrame, community: Community, facts: NightFacts) -> Table:
    """How many weeks the agency that leads on a need would take to see each once, from the count as shown."""
    shown = _shown(cross)
    rows = []
    for agency in LEAD_AGENCIES:
        count = shown.get((TOTAL, agency), "0") if agency in community.leads.values() else "0"
        places = facts.capacity.get(agency, 0)
        rows.append([agency_words(agency), count, str(places), _weeks(count, places)])
    return _table(
        "Needs against capacity, by the agency that leads on them",
        ("Agency", "Needs", "Homes per week", "Weeks to see each once"),
        rows,
        note="One visit can meet several needs, so this is the longest it could take.",
    )


def _weeks(count: str, places: int) -> str:
    whole = count.replace(",", "")
    if not whole.isdigit():
        return "not shown"
    if int(whole) == 0:
        return "0"
    return f"{-(-int(whole) // places):,}" if places else "no capacity"


def _by_place(cross: pl.DataFrame) -> Table:
    shown = _shown(cross)
    heads = [agency for agency in LEAD_AGENCIES if (TOTAL, agency) in shown]
    rows = [
        [place if place != TOTAL else "All places", *(shown[place, head] for head in [*heads, TOTAL])]
        for place in [*_places(cross), TOTAL]
        if (place, TOTAL) in shown
    ]
    return _table(
        "Needs by place, and the agency that leads on them",
        ("Place", *(AGENCY_WORDS[head] for head in heads), "All"),
        rows,
    )


def _gaps(cross: pl.DataFrame, reach: pl.DataFrame) -> Table:
    """Places with needs that no service nearby serves, or none with room: the commissioning gap."""
    shown = _shown(cross)
    rows = []
    for place in _places(cross):
        here = reach.filter(pl.col("place") == place).sort("need").to_dicts()
        needed = [row for row in here if shown.get((place, row["need"]), "0") != "0"]
        nobody = [_with_count(row["need"], shown[place, row["need"]]) for row in needed if row["n_services"] == 0]
        full = [
            _with_count(row["need"], shown[place, row["need"]])
            for row in needed
            if row["n_services"] > 0 and row["n_with_room"] == 0
        ]
        if nobody or full:
            rows.append([place, "; ".join(nobody) or "none", "; ".join(full) or "none"])
    return _table(
        "Needs that no local service can meet, by place",
        ("Place", "No service nearby (people)", "Services nearby, all full (people)"),
        rows,
    )


def _with_count(need: str, shown: str) -> str:
    return f"{_need_words(need)} ({shown})"


def _served(cross: pl.DataFrame, reach: pl.DataFrame) -> Table:
    shown, places = _shown(cross), _places(cross)
    rows = []
    for need, of_need in reach.filter(pl.col("place").is_in(places)).group_by("need", maintain_order=True):
        served = of_need.filter(pl.col("n_services") > 0)
        nearest = served["miles"].min()
        rows.append(
            [
                _need_words(str(need[0])),
                shown.get((TOTAL, str(need[0])), "0"),
                f"{served.height} of {len(places)}",
                f"{of_need.filter(pl.col('n_with_room') > 0).height} of {len(places)}",
                "visits people at home"
                if nearest is None and served.height
                else miles_words(nearest if isinstance(nearest, float) else None)
                if served.height
                else "none",
            ]
        )
    return _table(
        "Each need, and the places with a service for it nearby",
        ("Need", "People", "Places with a service", "Places with room", "Nearest"),
        rows,
    )


def _need_words(need: str) -> str:
    return NEED_WORDS[need].name if need in NEED_WORDS else label_words(need)


def _known_counted(residents: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    n_known = pl.col("known_to").list.len()
    band = (
        pl.when(n_known == 0)
        .then(pl.lit(KNOWN_BANDS[0]))
        .when(n_known == 1)
        .then(pl.lit(KNOWN_BANDS[1]))
        .when(n_known == 2)
        .then(pl.lit(KNOWN_BANDS[2]))
        .otherwise(pl.lit(KNOWN_BANDS[3]))
    )
    return residents.lazy().group_by("place", band.alias("band")).agg(n=pl.len().cast(pl.Int64)).collect()


def _known(counts: pl.DataFrame, *, missing: Collection[str]) -> Table:
    """People by place and by how many services have a record of them, and the share that none has.

    `missing` are the tables that did not come: a service of whose records one is missing may know more people.
    """
    cross = disclose_cross(_cells(counts, _KNOWN, "place", "band"), rows="place", columns="band")
    shown = _shown(cross)
    rows = []
    for place in [*_places(cross), TOTAL]:
        if (place, TOTAL) not in shown:
            continue
        cells = [shown.get((place, head), "0") for head in (*KNOWN_BANDS, TOTAL)]
        rows.append(["All places" if place == TOTAL else place, *cells, share_words(cells[0], cells[-1])])
    return _table(
        "People by the number of services that have a record of them in three years",
        ("Place", *KNOWN_BANDS, "All", "Known to none"),
        rows,
        note=_not_counted(missing),
    )


def _not_counted(missing: Collection[str]) -> str:
    """Who is left out of the count of services, and of whom it cannot be told.

    >>> _not_counted(["care_events"]).split(". ")[1]
    'We do not know who these services know, because some of their records did not arrive: adult social care.'
    """
    register = "Everyone here is registered with a GP practice, so GP practices are not counted."
    others = [name for name in ASKED_AGENCIES if name != "gp" and set(tables_telling_of(name)) & set(missing)]
    if not others:
        return register
    named = ", ".join(agency_words(name).lower() for name in others)
    return f"{register} We do not know who these services know, because some of their records did not arrive: {named}."


def _joint_counted(needs: pl.DataFrame) -> pl.DataFrame:
    """Homes in which two agencies lead on a need: visits that could be made together."""
    at_home = needs.drop_nulls("household_id").select("household_id", "lead_agency").unique()
    agencies = at_home.group_by("household_id").agg(pl.col("lead_agency"))["lead_agency"].to_list()
    pairs = [pair for home in agencies for pair in combinations(sorted(home, key=LEAD_AGENCIES.index), 2)]
    found = pl.DataFrame(pairs, schema={"one": pl.String, "other": pl.String}, orient="row")
    return found.group_by("one", "other").agg(n=pl.len().cast(pl.Int64))


def _joint(counts: pl.DataFrame) -> Table:
    counts = _cells(counts, _JOINT, "one", "other").sort("n", "one", "other", descending=[True, False, False])
    if counts.is_empty():
        return _table("Homes that two agencies could visit together", ("Agencies", "Homes"), [])
    rows = [
        [f"{agency_words(one)} and {agency_words(other).lower()}", shown]
        for one, other, shown in disclose_table(counts).iter_rows()
    ]
    return _table(
        "Homes that two agencies could visit together",
        ("Agencies", "Homes"),
        rows,
        note="A home that needs three agencies is counted in three rows.",
    )


def _one_more(community: Community) -> Table:
    rows = [list(row) for row in _one_more_rows(community)]
    return _table(
        "What one more visit per week would reach",
        (
            "Agency",
            "Homes per week",
            "Used this week",
            "One more per week would reach",
            "Chance in the next homes in line",
        ),
        rows,
        note="The chance is an average over at least 8 homes, so it does not show any single home.",
    )


def _one_more_rows(community: Community) -> Iterator[tuple[str, ...]]:
    waiting = dict(community.just_missed.group_by("lead_agency").agg(pl.col("risk_reached")).iter_rows())
    for agency, places, used, extra in community.marginal.select(
        "lead_agency", "places", "used", "extra_doors"
    ).iter_rows():
        more = f"one more home per week, about {WEEKS_A_YEAR} per year" if extra else "nobody: no home is waiting"
        yield agency_words(agency), str(places), str(used), more, _chance_in_line(waiting.get(agency, []))


def _chance_in_line(risks: Sequence[float]) -> str:
    if len(risks) < SUPPRESS_BELOW:
        return "too few homes to say"
    average = sum(sorted(risks)) / len(risks)
    return f"about {int(100 * average + 0.5)} in 100" if average > 0 else "no estimate"


def _directory(services: pl.DataFrame) -> Table:
    """The directory's services by kind: how many run, have room, and were checked lately. No person is counted."""
    one_each = services.unique("service_id", keep="first", maintain_order=True)
    kinds = (
        one_each.group_by(pl.col("kind").fill_null("Not given"))
        .agg(
            n=pl.len(),
            room=(pl.col("room") == "yes").sum(),
            full=(pl.col("room") == "no").sum(),
        )
        .sort("kind")
    )
    rows = [[str(cell) for cell in row] for row in kinds.iter_rows()]
    return _table("Services running now, by kind", ("Kind", "Services", "With room", "Full"), rows)
