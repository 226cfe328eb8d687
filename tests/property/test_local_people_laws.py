"""Laws of people known by a council id: no order of rows, no parting into files and no chunk changes anybody."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from helpers.laws import examples
from helpers.raw import KEY, NUMBERS, pseudonymised
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from ageingwell.pseudonyms import pseudonym

IDS = ["A1", "B2", "C3", "D4", None, "0"]
NUMBER = st.sampled_from([*NUMBERS[:3], f"{NUMBERS[0]}.0", "9990000019", None, "NULL"])
ROW = st.tuples(NUMBER, st.sampled_from(IDS), NUMBER, st.sampled_from(IDS))
COLUMNS = ("nhs_number", "la_person_id", "linked_nhs_number", "linked_la_person_id")
KNOWN = dict(
    pl.DataFrame({"n": NUMBERS[:3]}).with_columns(p=pseudonym(pl.col("n"), domain="person", key=KEY)).iter_rows()
)


def made_of(files: list[list[tuple[object, ...]]], *, rows_at_once: int = 100_000) -> pl.DataFrame:
    """Pseudonymise rows of care_events in so many files; `started_on` tells which row is which."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "raw" / "care_events"
        folder.mkdir(parents=True)
        for n, rows in enumerate(files):
            frame = pl.DataFrame(rows, schema=dict.fromkeys((*COLUMNS, "started_on"), pl.String), orient="row")
            frame.write_csv(folder / f"{n}.csv")
        pseudonymised(Path(place), max_refused_share=1.0, rows_at_once=rows_at_once)
        return pl.read_parquet(Path(place) / "out" / "care_events.parquet").sort("started_on")


def usable(number: str | None) -> str | None:
    bare = (number or "").removesuffix(".0")
    return bare if bare in KNOWN else None


def expected(row: tuple[object, ...], rows: list[tuple[object, ...]], at: int) -> str | None:
    """Whose NHS number a row has by the rule, worked out row by row: the one sent, else the only one of its id."""
    if number := usable(row[at]):  # type: ignore[arg-type]
        return KNOWN[number]
    told = {usable(other[0]) for other in rows if other[1] == row[at + 1] and row[at + 1] not in (None, "0")}  # type: ignore[arg-type]
    told.discard(None)
    return KNOWN[next(iter(told))] if len(told) == 1 else None


@pytest.mark.slow
@settings(max_examples=examples(15), deadline=None)
@given(st.lists(ROW, min_size=1, max_size=9), st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_files_and_chunks_change_nobody(rows, random, n_files):
    numbered = [(*row, f"2026-01-{n + 1:02}") for n, row in enumerate(rows)]
    mixed = random.sample(numbered, len(numbered))
    parts = [part for n in range(n_files) if (part := mixed[n::n_files])]

    assert_frame_equal(made_of(parts, rows_at_once=2), made_of([numbered]))


@pytest.mark.slow
@settings(max_examples=examples(25), deadline=None)
@given(st.lists(ROW, min_size=1, max_size=9))
def test_everybody_has_the_number_sent_or_the_only_one_lent_and_strangers_meet_nobody(rows):
    numbered = [(*row, f"2026-01-{n + 1:02}") for n, row in enumerate(rows)]

    made = {row["started_on"]: row for row in made_of([numbered]).to_dicts()}

    strangers: dict[str, str] = {}
    for row in numbered:
        has_id = row[1] not in (None, "0")
        assert (row[4] in made) == (has_id or usable(row[0]) is not None)
        if row[4] not in made:
            continue
        for at, name in ((0, "person_id"), (2, "linked_person_id")):
            found, by_rule, local = made[row[4]][name], expected(row, rows, at), row[at + 1]
            if by_rule is not None:
                assert found == by_rule
            elif local in (None, "0"):
                assert found is None
            else:
                assert found not in KNOWN.values()
                # One council id, one stranger, at both ends of a link.
                assert strangers.setdefault(local, found) == found
    assert len({*strangers.values()}) == len(strangers)
