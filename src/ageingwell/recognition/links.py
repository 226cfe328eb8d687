"""How much of each table links: which of its rows, people and homes meet somebody on the GP register.

Whoever is pseudonymised under another key, was matched to the wrong address or has died meets nobody, and looks like
somebody of whom nothing is recorded. So links are counted, table by table, and the other way round, group by group:
links that are missed more often for some people than for others bias whatever is built on them. What to report, and to
compare linked with unlinked people by group, follows GUILD (Gilbert et al., J Public Health 2018;40:191).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ageingwell.contracts.registry import recorded_column
from ageingwell.evaluation.discrimination import AGE_BANDS
from ageingwell.spine import Tables, latest_versions, read_places, registered
from ageingwell.timeline import ENDINGS, AsOf, known

LINKS = pl.Schema(
    {
        "table": pl.String,
        "of": pl.String,
        "group": pl.String,
        "level": pl.String,
        "n": pl.Int64,
        "n_linked": pl.Int64,
        "share": pl.Float64,
    }
)
REGISTER: Final = "gp_patients"
ALL: Final = "all"
NOT_KNOWN: Final = "not known"
GROUPS: Final = ("age_band", "sex", "ethnic_group", "deprivation_fifth", "practice")
KEYS: Final = {"person_id": "people", "household_id": "homes"}


# The same before shares are asked: whole numbers that can be added up.
SUMS = pl.Schema({name: dtype for name, dtype in LINKS.items() if name != "share"})
_LEVEL: Final = ("table", "of", "group", "level")


@dataclass(frozen=True)
class Register:
    """Whom a row can meet: everybody and every home that any version of the register names, those gone included.

    `people` are those registered now (person_id, household_id, `GROUPS`), who are asked for the other way round.
    """

    person_id: pl.Series
    household_id: pl.Series
    people: pl.DataFrame

    def meets(self, key: str) -> pl.Expr:
        """Whether a pseudonym in the column `key` is one of the register's."""
        ids: pl.Series = getattr(self, key)
        return pl.col(key).is_in(ids.implode()).fill_null(value=False)


def count_links(
    tables: Tables, patients: pl.LazyFrame, as_of: AsOf, *, minimum_age: int, places: Path, lag_days: int = 0
) -> pl.DataFrame:
    """Count the links of every table as known on the cut-off (`LINKS`), sorted by table, of, group and level.

    `tables` are the rows as sent; `patients` the rows of the register whose people may be asked by group, `lag_days`
    the register's. `of` says what is counted: `rows` (in all, and by the year of recording), `people` and `homes` (each
    once) of the table that meet the register; and `registered`, everybody registered of at least `minimum_age`, in all
    and by group, of whom the table has a row of their own or of their home. Of the register itself `n_linked` are the
    people with a home. Counts by year and by group add up to those of all.
    """
    own = links_of_shard(tables, patients, as_of, minimum_age=minimum_age, places=places, lag_days=lag_days)
    both = [
        links_of_people_and_homes(name, rows, tables[REGISTER], as_of)
        for name, rows in tables.items()
        if name != REGISTER and len(_keys_of(rows)) > 1
    ]
    return add_links([own, *both])


def add_links(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add up what is counted of parts of the people (`SUMS`) to the links of everybody (`LINKS`), in order.

    >>> part = {"table": "homes", "of": "homes", "group": "all", "level": "all", "n": 4, "n_linked": 3}
    >>> add_links([pl.DataFrame([part], schema=SUMS)] * 2).select("n", "n_linked", "share").rows()
    [(8, 6, 0.75)]
    """
    added = pl.concat(parts).group_by(_LEVEL).agg(pl.col("n", "n_linked").sum())
    share = pl.when(pl.col("n") > 0).then(pl.col("n_linked") / pl.col("n"))
    return added.with_columns(share=share).select(LINKS.names()).cast(LINKS).sort(_LEVEL)


def links_of_shard(
    tables: Tables,
    patients: pl.LazyFrame,
    as_of: AsOf,
    *,
    minimum_age: int,
    places: Path,
    lag_days: int = 0,
    homes_named: pl.Series | None = None,
) -> pl.DataFrame:
    """Count the links of one part of the people (`SUMS`), each person and each home whole, to be added up.

    Takes what `count_links` takes, of one part. `homes_named` are the part's homes that any version of the register
    names, wherever whoever lived there is now; without it those that the part's register names. Of a table that has
    both a person and a home in a row only `registered` is counted here, of the rows that name any person or home of the
    part; the rest by `links_of_people_and_homes`, for the two may be in different parts.
    """
    versions = known(patients, as_of, endings=ENDINGS[REGISTER], lag_days=lag_days)
    here = registered(latest_versions(versions), as_of)
    register = _register(tables[REGISTER], here, as_of, places=places, homes_named=homes_named)
    older = register.people.filter(pl.col("age") >= minimum_age)
    parts = [_of_register(register.people, older)]
    for name, rows in tables.items():
        if name != REGISTER:
            parts += [part.with_columns(table=pl.lit(name)) for part in _of_table(name, rows, register, older, as_of)]
    return pl.concat(part.select(SUMS.names()).cast(SUMS) for part in parts)


def links_of_people_and_homes(name: str, rows: pl.LazyFrame, register: pl.LazyFrame, as_of: AsOf) -> pl.DataFrame:
    """Count the links of a whole table whose rows name a person, a home or both (`SUMS`), without `registered`.

    Such a table is small beside the register, of which only whom the table names is held.
    """
    day, keys = recorded_column(name), _keys_of(rows)
    sent = rows.filter(pl.col(day) < as_of.day).select(*keys, year=_year(day)).collect()
    met = {key: _named_by(register, sent[key], as_of) for key in keys}
    is_linked = pl.any_horizontal(pl.col(key).is_in(met[key].implode()).fill_null(value=False) for key in keys)
    counts = sent.with_columns(n=1, is_linked=is_linked)
    parts = [_by(counts, group, of="rows") for group in (ALL, "year")]
    for key in keys:
        ids = sent.select(pl.col(key).drop_nulls().unique())
        parts.append(_by(ids.with_columns(n=1, is_linked=pl.col(key).is_in(met[key].implode())), ALL, of=KEYS[key]))
    return pl.concat(parts).with_columns(table=pl.lit(name)).select(SUMS.names()).cast(SUMS)


def _named_by(register: pl.LazyFrame, ids: pl.Series, as_of: AsOf) -> pl.Series:
    """Those of some pseudonyms that any version of the register known on the cut-off names."""
    asked = ids.drop_nulls().unique().to_frame().lazy()
    named = known(register, as_of).select(ids.name).join(asked, on=ids.name, how="semi").unique()
    return named.collect(engine="streaming")[ids.name]


def _keys_of(rows: pl.LazyFrame) -> list[str]:
    names = rows.collect_schema().names()
    return [key for key in KEYS if key in names]


def _register(
    sent: pl.LazyFrame, people: pl.DataFrame, as_of: AsOf, *, places: Path, homes_named: pl.Series | None
) -> Register:
    named = known(sent, as_of).select(list(KEYS)).unique().collect()
    grouped = with_groups(people.join(read_places(places), on="lsoa21", how="left")).select(
        *KEYS, "age", "recorded_on", *GROUPS
    )
    person_id, household_id = (named[key].drop_nulls().unique() for key in KEYS)
    homes = household_id if homes_named is None else homes_named.drop_nulls().unique()
    return Register(person_id, homes, grouped)


def with_groups(people: pl.DataFrame) -> pl.DataFrame:
    """People with their groups (`GROUPS`); they have age, sex, ethnic_group, deprivation_decile and practice_code."""
    fifth = ((pl.col("deprivation_decile") + 1) // 2).cast(pl.String)
    labels = {
        "age_band": _age_band(),
        "sex": pl.col("sex"),
        "ethnic_group": pl.col("ethnic_group"),
        "deprivation_fifth": pl.when(fifth == "1").then(pl.lit("1 (most deprived)")).otherwise(fifth),
        "practice": pl.col("practice_code"),
    }
    return people.with_columns(
        label.cast(pl.String).replace("unknown", None).fill_null(NOT_KNOWN).alias(name)
        for name, label in labels.items()
    )


def registered_by_group(patients: pl.LazyFrame, as_of: AsOf, *, places: Path, lag_days: int = 0) -> pl.DataFrame:
    """Everybody registered on the cut-off, of any age, with their groups: person_id and `GROUPS`."""
    versions = known(patients, as_of, endings=ENDINGS[REGISTER], lag_days=lag_days)
    here = registered(latest_versions(versions), as_of)
    return _register(patients, here, as_of, places=places, homes_named=None).people.select("person_id", *GROUPS)


def _age_band() -> pl.Expr:
    age = pl.col("age")
    bands = [
        pl.when(age.is_between(first, end, closed="left")).then(pl.lit(band))
        for band, (first, end) in AGE_BANDS.items()
    ]
    return pl.coalesce(*bands, pl.lit(f"under {min(first for first, _ in AGE_BANDS.values())}"))


def _of_register(people: pl.DataFrame, older: pl.DataFrame) -> pl.DataFrame:
    """Who has a home, of any age by the year of their newest row, and of the age asked for by group."""
    has_home = pl.col("household_id").is_not_null()
    at_home, older = (rows.with_columns(n=1, is_linked=has_home, year=_year("recorded_on")) for rows in (people, older))
    return pl.concat(
        [
            *(_by(at_home, group, of="people") for group in (ALL, "year")),
            *(_by(older, group, of="registered") for group in (ALL, *GROUPS)),
        ]
    ).with_columns(table=pl.lit(REGISTER))


def _of_table(
    name: str, rows: pl.LazyFrame, register: Register, older: pl.DataFrame, as_of: AsOf
) -> list[pl.DataFrame]:
    """The rows are added up by year, and each person and home is taken once: what is held does not grow with rows."""
    day, keys = recorded_column(name), _keys_of(rows)
    sent = rows.filter(pl.col(day) < as_of.day)
    once = dict(zip(keys, pl.collect_all(sent.select(pl.col(key).drop_nulls().unique()) for key in keys), strict=True))
    parts = [] if len(keys) > 1 else _of_rows_and_ids(sent, once[keys[0]], register, day)
    if name != "permissions":
        # Of opt-outs the other way round says nothing: whoever opted out is not asked by group.
        is_there = (pl.col(key).is_in(ids[key].implode()).fill_null(value=False) for key, ids in once.items())
        asked = older.with_columns(n=1, is_linked=pl.any_horizontal(is_there))
        parts += [_by(asked, group, of="registered") for group in (ALL, *GROUPS)]
    return parts


def _of_rows_and_ids(sent: pl.LazyFrame, ids: pl.DataFrame, register: Register, day: str) -> list[pl.DataFrame]:
    """Rows by year, and people or homes; whoever is a stranger is few, and looked for in each row alone."""
    key = ids.columns[0]
    met = ids.with_columns(n=1, is_linked=register.meets(key))
    strangers = met.filter(~pl.col("is_linked"))[key]
    is_linked = ~pl.col(key).is_in(strangers.implode()) & pl.col(key).is_not_null()
    counts = sent.group_by(year=_year(day), is_linked=is_linked).agg(n=pl.len()).collect()
    return [*(_by(counts, group, of="rows") for group in (ALL, "year")), _by(met, ALL, of=KEYS[key])]


def _year(day: str) -> pl.Expr:
    return pl.col(day).dt.year()


def _by(counts: pl.DataFrame, group: str, *, of: str) -> pl.DataFrame:
    """Add up `n`, and those linked, by the levels of a group; a table of nobody has 0 in all."""
    n = pl.col("n").cast(pl.Int64)
    sums = {"n": n.sum(), "n_linked": n.filter("is_linked").sum()}
    if group == ALL:
        found = counts.select(**sums).with_columns(level=pl.lit(ALL))
    else:
        found = counts.group_by(level=pl.col(group).cast(pl.String)).agg(**sums)
    return found.select("level", "n", "n_linked", of=pl.lit(of), group=pl.lit(group))


def overall(links: pl.DataFrame) -> pl.DataFrame:
    """The people and homes of each table as a whole: rows of `LINKS` that floors are asked of.

    >>> rows = {"table": "homes", "of": ["rows", "homes"], "group": "all", "level": "all", "n": [9, 5], "n_linked": 5}
    >>> overall(pl.DataFrame(rows))["of"].to_list()
    ['homes']
    """
    return links.filter(pl.col("of").is_in(list(KEYS.values())) & (pl.col("group") == ALL))


def lowest_group(links: pl.DataFrame, *, at_least: int) -> Mapping[str, str]:
    """The group of people registered, `at_least` so many, that each table knows least of: by table, in words.

    Age bands are compared in the register alone: elsewhere younger people have fewer records because they need less.

    >>> rows = {"table": "homes", "of": "registered", "group": ["sex", "sex", "age_band"], "level": ["female", "male",
    ...         "85 and over"], "n": [50, 50, 10], "n_linked": [40, 45, 1], "share": [0.8, 0.9, 0.1]}
    >>> lowest_group(pl.DataFrame(rows), at_least=20)
    {'homes': 'sex female: 80.0%'}
    """
    is_told = (pl.col("group") != "age_band") | (pl.col("table") == REGISTER)
    groups = links.filter(pl.col("group").is_in(GROUPS) & is_told & (pl.col("n") >= at_least))
    lowest = groups.sort("table", "share", "group", "level").unique("table", keep="first", maintain_order=True)
    words = pl.format(
        "{} {}: {}%", pl.col("group").str.replace_all("_", " "), "level", (100 * pl.col("share")).round(1)
    )
    return dict(lowest.select("table", words).iter_rows())
