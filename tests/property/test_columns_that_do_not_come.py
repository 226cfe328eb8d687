"""Whatever optional column does not come: nobody is wrongly listed, nothing unknown becomes known, and it is told."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from helpers.counties import NIGHT
from helpers.oracle import Oracle
from polars.testing import assert_frame_equal

from ageingwell.bundle import Bundle, load_bundle
from ageingwell.config.load import Config, load_config
from ageingwell.context import Surroundings
from ageingwell.contracts.registry import TABLES, columns
from ageingwell.errors import RefusedRowsError, SourceError
from ageingwell.features.behind import FALL_BACKS
from ageingwell.kept.frames import NightFrames
from ageingwell.known import known_people
from ageingwell.night.outreach import outreach_list
from ageingwell.night.write import NightFacts
from ageingwell.permitted import permitted_or_stop
from ageingwell.pseudonyms import Key
from ageingwell.report.summary import notices
from ageingwell.sources.read import CheckedTable, Records, read_agencies
from ageingwell.timeline import AsOf
from ageingwell.views.words import label_words

OPTIONAL = [(table, column.name) for table in TABLES for column in columns(table) if not column.required]
WAYS = ("left out", "renamed", "emptied")
# What a list cannot do without: the dead, those who left, homes, and whom an opt-out or a contact is about.
STOP_THE_NIGHT = {
    *(("gp_patients", column) for column in ("household_id", "left_on", "died_on")),
    *((table, column) for table in ("permissions", "contacts") for column in ("person_id", "household_id")),
    ("gp_prescriptions", "bnf_code"),
}
ROWS_TO_TELL_AN_EMPTY_COLUMN = 30


@dataclass(frozen=True)
class Sent:
    """A county as it was sent, what a night makes of it, and who must not be on its list."""

    folder: Path
    records: Records
    config: Config
    bundle: Bundle
    features: pl.DataFrame
    not_to_list: frozenset[str]


@pytest.fixture(scope="module")
def sent(county: Path, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    config = load_config(settings)
    records = read(county, config, tmp_path_factory.mktemp("records"))
    oracle = Oracle(
        county,
        NIGHT,
        cooling_off=config.outreach.cooling_off_days.model_dump(),
        end_of_life=config.codelists["end_of_life"],
    )
    out = oracle.opted_out() | oracle.deceased() | oracle.moved() | oracle.safeguarded()
    bundle = load_bundle(config.score.bundle, codelists=config.codelists)
    return Sent(county, records, config, bundle, features_of(records, config), frozenset(out))


def read(folder: Path, config: Config, workspace: Path, *, only: tuple[str, ...] = tuple(TABLES)) -> Records:
    return read_agencies(folder, config.tables, workspace=workspace, max_refused_share=0.1, only=only)


def features_of(records: Records, config: Config) -> pl.DataFrame:
    gate = permitted_or_stop(records, config=config, purpose="direct_care", recipients=("group",), on=NIGHT)
    return known_people(gate, AsOf(NIGHT), config=config).features()


def night_of(records: Records, sent: Sent) -> tuple[NightFrames, NightFacts]:
    with TemporaryDirectory() as folder:
        frames, facts = list_of(records, sent, Path(folder))
        return frames.in_memory(), facts


def list_of(records: Records, sent: Sent, workspace: Path) -> tuple[NightFrames, NightFacts]:
    return outreach_list(
        records,
        workspace=workspace,
        as_of=AsOf(NIGHT),
        config=sent.config,
        bundle=sent.bundle,
        previous=None,
        archive=None,
        key=Key.made_up(0),
        world=Surroundings(now=lambda: datetime(2026, 11, 22, tzinfo=UTC)),
    )


def without(way: str, column: str, rows: pl.DataFrame) -> pl.DataFrame:
    match way:
        case "left out":
            return rows.drop(column)
        case "renamed":
            return rows.rename({column: f"our own {column[::-1]}"})
    return rows.with_columns(pl.lit(None, dtype=rows.schema[column]).alias(column))


def read_each_way(table: str, lost: Collection[str], sent: Sent, at: Path) -> Iterator[CheckedTable]:
    """The table of the county as it is read where columns do not come, once for each way."""
    for way in WAYS:
        rows = pl.read_parquet(sent.folder / f"{table}.parquet")
        for column in lost:
            rows = without(way, column, rows)
        (at / way).mkdir()
        rows.write_parquet(at / way / f"{table}.parquet")
        yield read(at / way, sent.config, at / way / "checked", only=(table,)).tables[table]


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("table", TABLES)
def test_however_columns_do_not_come_the_same_is_read(table: str, half: int, sent: Sent, tmp_path: Path) -> None:
    lost = [column for of, column in OPTIONAL if of == table and (of, column) not in STOP_THE_NIGHT][half::2]

    left_out, *others = read_each_way(table, lost, sent, tmp_path)

    for other in others:
        # So is all that is made of it.
        assert_frame_equal(other.rows.collect(), left_out.rows.collect())
        if other.n_read >= ROWS_TO_TELL_AN_EMPTY_COLUMN:
            assert set(lost) <= {*other.absent_columns, *other.empty_columns}


@pytest.mark.parametrize(("table", "column"), sorted(STOP_THE_NIGHT))
def test_however_a_column_that_a_list_needs_does_not_come_the_night_stops(
    table: str, column: str, sent: Sent, tmp_path: Path
) -> None:
    for way in WAYS:
        (tmp_path / way).mkdir()
        rows = without(way, column, pl.read_parquet(sent.folder / f"{table}.parquet"))
        rows.write_parquet(tmp_path / way / f"{table}.parquet")
        with pytest.raises((SourceError, RefusedRowsError), match=f"`?{column}|one_of_two_needed"):
            read(tmp_path / way, sent.config, tmp_path / way / "checked", only=(table,))


def rounds(wanted: Collection[tuple[str, str]]) -> list[dict[str, str]]:
    """Some columns by their table, at most one of a table in each round: what one table lost hides no other's loss."""
    of_table = {table: [column for of, column in sorted(wanted) if of == table] for table in TABLES}
    most = max(map(len, of_table.values()))
    return [{table: names[n] for table, names in of_table.items() if n < len(names)} for n in range(most)]


GO_ON = {*OPTIONAL} - STOP_THE_NIGHT
# Where another column stands in for the one that is lost, more can be known than before.
ROUNDS = rounds(GO_ON - FALL_BACKS)
ROUNDS_OF_FALL_BACKS = rounds(GO_ON & FALL_BACKS)


def test_every_column_has_its_round() -> None:
    assert {one for lost in (*ROUNDS, *ROUNDS_OF_FALL_BACKS) for one in lost.items()} == GO_ON


def words_of(lost: dict[str, str]) -> str:
    return " ".join(f"{table}.{column}" for table, column in lost.items())


@pytest.mark.sweep(of=8)
@pytest.mark.parametrize("lost", [*ROUNDS, *ROUNDS_OF_FALL_BACKS], ids=words_of)
def test_columns_that_do_not_come_list_nobody_wrongly_and_are_told(
    lost: dict[str, str], sent: Sent, tmp_path: Path
) -> None:
    for table, column in lost.items():
        without("left out", column, pl.read_parquet(sent.folder / f"{table}.parquet")).write_parquet(
            tmp_path / f"{table}.parquet"
        )
    left_out = read(tmp_path, sent.config, tmp_path / "checked", only=tuple(lost)).tables
    records = replace(sent.records, tables={**sent.records.tables, **left_out})
    frames, facts = night_of(records, sent)

    assert not frames.listed.is_empty()
    assert set(frames.listed["person_id"]) & sent.not_to_list == set()
    for table, column in lost.items():
        if table != "permissions":  # there an empty cell has a meaning of its own: in force, without an end
            told = [notice for notice in notices(facts) if notice.startswith(f"{label_words(table)}: not sent")]
            assert any(label_words(column).lower() in notice for notice in told), (table, column)
    fall_back = lost in ROUNDS_OF_FALL_BACKS
    unknown_stays_unknown(sent.features, features_of(records, sent.config), fall_back=fall_back)


def unknown_stays_unknown(before: pl.DataFrame, after: pl.DataFrame, *, fall_back: bool) -> None:
    """No feature that was unknown of somebody is a number now, but where another column stands in for the one lost."""
    both = before.join(after, on="person_id", suffix="_now")
    assert both.height > 0.95 * before.height
    for name in [] if fall_back else before.columns[1:]:
        learned = both.filter(pl.col(name).is_null() & pl.col(f"{name}_now").is_not_null())
        assert learned.is_empty(), name
