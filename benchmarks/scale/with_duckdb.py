"""The job in DuckDB: SQL over the Parquet files, in memory, on one thread; each distinct code is looked at once."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.scale.check_digit import is_right
from benchmarks.scale.job import (
    CHECK_DIGITS,
    CONTACTS_COUNTED,
    DAYS_COUNTED,
    DEATH_AHEAD,
    FEATURES,
    FLAGS,
    GROUPS_COUNTED,
    MEDICINES_COUNTED,
    MINIMUM_AGE,
    NOT_BEFORE,
    OLDEST_AGE,
    READ,
    STAYS_COUNTED,
    SUBSTANCE,
    Rule,
    as_agreed,
    codes_on,
    codes_on_any_list,
    dmd_of,
    lag,
    rules_of,
    starts_of,
)

PARTS = ("of_entries", "of_contacts", "of_medicines", "of_stays")


def run(data: str, as_of: str, out: str) -> dict[str, Any]:
    """Do the job, write the agreed features to `out`, and tell the rows of each table."""
    night, counts = date.fromisoformat(as_of), {}
    with duckdb.connect() as base:
        base.execute("SET threads = 1")
        base.execute("SET preserve_insertion_order = false")
        for table in READ:
            counts[table] = _checked(base, table, Path(data) / f"{table}.parquet")
        for statement in (*_people(night), *_entries(night), *_medicines(night), *_stays(night)):
            base.execute(statement)
        features = base.sql(_together()).pl()
    as_agreed(features).write_parquet(out)
    return {"rows": counts}


# --- Rows checked -----------------------------------------------------------------------------------------------------


def _checked(base: duckdb.DuckDBPyConnection, table: str, path: Path) -> list[int]:
    """Make a table of the good rows, with every optional cell emptied that cannot be read; gives rows read and good."""
    sent = f"read_parquet('{path}')"
    held = set(base.sql(f"SELECT * FROM {sent} LIMIT 0").columns)
    digits, system = CHECK_DIGITS.get(table, ("", None))
    if digits:
        codes = base.sql(f"SELECT DISTINCT {digits} FROM {sent} WHERE {digits} IS NOT NULL").fetchall()
        base.execute("CREATE OR REPLACE TABLE right_codes (code VARCHAR)")
        right = [code for (code,) in codes if is_right(code)]
        base.execute("INSERT INTO right_codes SELECT unnest(?::VARCHAR[])", [right])
    cells, good = [], []
    for rule in rules_of(table):
        if rule.column not in held:
            continue
        kept = [*_keeps(rule)]
        if rule.column == digits:
            known = f"{digits} IN (SELECT code FROM right_codes)"
            kept.append(known if system is None else f"({system} <> 'snomed' OR {known})")
        if rule.is_needed:
            good += [f"{rule.column} IS NOT NULL", *kept]
            cells.append(rule.column)
        else:
            told = f"CASE WHEN {' AND '.join(kept or ['true'])} THEN {rule.column} END"
            cells.append(
                f"{told if rule.filled is None else f'coalesce({told}, {_text(rule.filled)})'} AS {rule.column}"
            )
    # A version that was sent twice is one version.
    once = "DISTINCT " if table == "gp_patients" else ""
    base.execute(f"CREATE TABLE {table} AS SELECT {once}{', '.join(cells)} FROM {sent} WHERE {' AND '.join(good)}")
    for broken in (*(f"{later} < {earlier}" for later, earlier in NOT_BEFORE[table]), *_own_rules(table)):
        base.execute(f"DELETE FROM {table} WHERE {broken}")
    return [_count(base, sent), _count(base, table)]


def _count(base: duckdb.DuckDBPyConnection, what: str) -> int:
    [(found,)] = base.sql(f"SELECT count(*) FROM {what}").fetchall()
    return int(found)


def _keeps(rule: Rule) -> Iterator[str]:
    if rule.shape is not None:
        yield f"regexp_matches({rule.column}, {_text(rule.shape)})"
    if rule.labels:
        yield f"{rule.column} IN ({_texts(rule.labels)})"
    if rule.days is not None:
        low, far = rule.days
        yield f"{rule.column} >= {_day(low)} AND {rule.column} < {_day(far)}"
        yield from (f"{rule.column} <> {_day(never)}" for never in rule.never)


def _own_rules(table: str) -> Iterator[str]:
    if table == "gp_prescriptions":
        yield "bnf_code IS NULL AND dmd_code IS NULL"
    if table == "gp_patients":
        yield "day(birth_month) <> 1"
        yield f"recorded_on >= birth_month + INTERVAL {OLDEST_AGE + 1} YEAR"
        yield f"died_on > greatest(recorded_on, died_recorded_on) + INTERVAL {DEATH_AHEAD} DAY"
        yield "died_on IS NULL AND died_recorded_on IS NOT NULL"
        yield """(person_id, recorded_on) IN (
            SELECT (person_id, recorded_on) FROM gp_patients
            GROUP BY person_id, recorded_on HAVING count(*) > 1)"""


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _texts(texts: Sequence[str]) -> str:
    return ", ".join(map(_text, texts))


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


# --- Features ---------------------------------------------------------------------------------------------------------


def _ended(night: date, *, table: str, ended: str, recorded: str | None) -> str:
    told = f"CASE WHEN {ended} <= recorded_on THEN recorded_on END, {ended} + INTERVAL {lag(table)} DAY"
    known = f"coalesce({'' if recorded is None else f'{recorded}, '}{told})"
    return f"CASE WHEN {known} < {_day(night)} THEN {ended} END"


def _within(column: str, night: date, days: int | None) -> str:
    before = f"{column} < {_day(night)}"
    return before if days is None else f"{before} AND {column} >= {_day(night)} - INTERVAL {days} DAY"


def _people(night: date) -> Iterator[str]:
    left = _ended(night, table="gp_patients", ended="left_on", recorded="left_recorded_on")
    died = _ended(night, table="gp_patients", ended="died_on", recorded="died_recorded_on")
    yield f"""
        CREATE TABLE people AS
        WITH newest AS (
            SELECT DISTINCT ON (person_id) person_id, birth_month, {left} AS left_on, {died} AS died_on
            FROM gp_patients WHERE recorded_on < {_day(night)} ORDER BY person_id, recorded_on DESC
        ), aged AS (
            SELECT person_id, {night.year} - year(birth_month) - (month(birth_month) > {night.month})::INT AS age
            FROM newest WHERE (left_on IS NULL OR left_on >= {_day(night)}) AND died_on IS NULL
        )
        SELECT * FROM aged WHERE age BETWEEN {MINIMUM_AGE} AND {OLDEST_AGE}"""


def _entries(night: date) -> Iterator[str]:
    yield f"""
        CREATE TABLE entries AS
        SELECT person_id, code, coalesce(happened_on, recorded_on) AS day, value, value_unit FROM gp_events
        WHERE recorded_on < {_day(night)} AND code_system = 'snomed' AND code IN ({_texts(codes_on_any_list())})"""
    yield "CREATE TABLE lists (code VARCHAR, feature VARCHAR)"
    for flag in (*FLAGS, *DAYS_COUNTED):
        yield f"INSERT INTO lists SELECT unnest([{_texts(codes_on(flag.lists))}]), {_text(flag.name)}"
    flags = [
        f"max((feature = {_text(flag.name)} AND {_within('day', night, flag.days)})::INT) AS {flag.name}"
        for flag in FLAGS
    ]
    days = [
        f"count(DISTINCT day) FILTER (feature = {_text(flag.name)} AND {_within('day', night, flag.days)}) "
        f"AS {flag.name}"
        for flag in DAYS_COUNTED
    ]
    yield f"""
        CREATE TABLE of_entries AS SELECT person_id, {", ".join([*flags, *days])}
        FROM entries JOIN lists USING (code) GROUP BY ALL"""
    counted = [f"count(*) FILTER ({_within('day', night, days)}) AS {name}" for name, days in CONTACTS_COUNTED.items()]
    last = f"{_day(night)} - max(day) FILTER (day < {_day(night)}) AS days_since_gp_contact"
    yield f"""
        CREATE TABLE of_contacts AS SELECT person_id, {", ".join([*counted, last])}
        FROM (SELECT DISTINCT * FROM entries WHERE code IN ({_texts(codes_on(("gp_contact",)))})) GROUP BY ALL"""


def _medicines(night: date) -> Iterator[str]:
    lately = _within("issued_on", night, 90)
    counted = [
        f"count(*) FILTER ({_within('issued_on', night, days)}) AS {name}" for name, days in MEDICINES_COUNTED.items()
    ]
    yield f"""
        CREATE TABLE of_medicines AS
        WITH last AS (
            SELECT person_id, bnf_code[:{SUBSTANCE}] AS substance,
                CASE WHEN bnf_code IS NULL THEN dmd_code END AS other, max(issued_on) AS issued_on
            FROM gp_prescriptions WHERE recorded_on < {_day(night)} GROUP BY ALL
        )
        SELECT person_id, {", ".join([*counted, *_grouped(lately)])} FROM last GROUP BY ALL"""


def _grouped(lately: str) -> Iterator[str]:
    for name, group in GROUPS_COUNTED.items():
        starts = " OR ".join(f"starts_with(substance, {_text(start)})" for start in starts_of(group))
        by_bnf = f"count(*) FILTER ({lately} AND ({starts}))"
        # Several codes of dm+d may be one medicine. A code on no list of the group tells nothing.
        listed = f"other IN ({_texts(dmd_of(group))})" if dmd_of(group) else "false"
        by_dmd = f"count(*) FILTER ({lately} AND {listed})"
        untold = f"count(*) FILTER ({lately} AND other IS NOT NULL AND NOT {listed})"
        found = f"greatest({by_bnf}, least({by_dmd}, 1))"
        yield f"CASE WHEN {found} > 0 OR {untold} = 0 THEN {found} ELSE -1 END AS {name}"


def _stays(night: date) -> Iterator[str]:
    counted = [
        f"count(*) FILTER (kind = {_text(kind)} AND {_within('started_on', night, days)}) AS {name}"
        for name, (kind, days) in STAYS_COUNTED.items()
    ]
    emergency = f"kind = 'emergency_admission' AND {_within('started_on', night, 365)}"
    nights = f"sum(least(coalesce(ended_on, {_day(night)}), {_day(night)}) - started_on) FILTER ({emergency})"
    left = f"max(ended_on) FILTER (kind <> 'ae_attendance' AND ended_on < {_day(night)})"
    yield f"""
        CREATE TABLE of_stays AS
        WITH sent AS (
            SELECT person_id, kind, started_on, recorded_on,
                {_ended(night, table="hospital_events", ended="ended_on", recorded=None)} AS ended_on
            FROM hospital_events WHERE recorded_on < {_day(night)}
        ), stays AS (
            SELECT person_id, kind, started_on,
                (max((recorded_on, ended_on)) FILTER (ended_on IS NOT NULL))[2] AS ended_on
            FROM sent GROUP BY ALL
        )
        SELECT person_id, {", ".join(counted)}, {nights} AS n_emergency_bed_days_365d,
            {_day(night)} - {left} AS days_since_discharge
        FROM stays GROUP BY ALL"""


def _together() -> str:
    """Everybody's features; whom no row mentions has 0 of what is counted, and of a day nobody knows anything."""
    told = [
        name if name.startswith("days_since_") else f"nullif(coalesce({name}, 0), -1) AS {name}"
        for name in FEATURES[1:]
    ]
    parts = " ".join(f"LEFT JOIN {name} USING (person_id)" for name in PARTS)
    return f"SELECT person_id, age, {', '.join(told)} FROM people {parts}"
