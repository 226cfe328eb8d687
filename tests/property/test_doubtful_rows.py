"""One pass over a chunk finds exactly the rows that Pandera finds, in every table and for every rule."""

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

import pandera.polars as pa
import polars as pl
import pytest
from helpers.tables import GOOD, pseudonym

from ageingwell.contracts import registry
from ageingwell.contracts.fields import RULES
from ageingwell.contracts.registry import TABLES, Column, columns
from ageingwell.sources import check
from ageingwell.sources.check import broken_rules, pandera_faults
from ageingwell.sources.doubtful import doubtful_rows, rules_of, texts_of

# Around each other, around a birthday of 115, and where days stand for none.
DAYS = [
    *(date(2024, 6, 1) + timedelta(days=step) for step in (-366, -1, 0, 1, 366)),
    *(date(1908, 6, 1), date(1940, 3, 1), date(1940, 3, 2), date(2030, 1, 1), date(1, 1, 1), date(9999, 12, 31)),
]
TEXTS = ["", " ", "x", pseudonym(1), pseudonym(1)[:-1], pseudonym(1) + "\n", "E01028854", "M82041", "0403010B0AAAGAG"]
CODES = ["161898004", "161898005", "42104411000001107", "42104411000001109", "٣١٨٩٨٠٠٤", "S72.0", "s72", "S72.0 W19"]


def values(table: str, column: Column) -> Sequence[Any]:
    """What may stand in a column once it is read: what the contract allows, what it does not, and nothing."""
    if column.kind == "date":
        return [None, *DAYS]
    if column.kind in ("number", "whole"):
        limits = [edge + step for edge in _edges(table, column.name) for step in (-1, 0, 1)] or [0, 1]
        return [None, *(limits if column.kind == "whole" else [*limits, 0.5, float("inf"), float("nan")])]
    good = GOOD[table][column.name]
    return [None, None, None, "unknown", *column.labels, *TEXTS, *CODES, *([] if good is None else [good, good])]


def _edges(table: str, column: str) -> list[int]:
    checks = TABLES[table].to_schema().columns[column].checks
    return [int(edge) for one in checks for edge in (one.statistics or {}).values()]


def drawn(table: str, draw: random.Random, n: int, share: float = 0.15) -> pl.DataFrame:
    """Rows of a table whose every cell is drawn; most are what a good row holds, so that single rules break too."""
    good = pl.DataFrame([GOOD[table]])
    made = {}
    for column in columns(table):
        usual = _usual(good, column)
        pool = values(table, column)
        made[column.name] = pl.Series(
            [draw.choice(pool) if draw.random() < share else usual for _ in range(n)], dtype=column.dtype, strict=False
        )
    return pl.DataFrame(made)


def _usual(good: pl.DataFrame, column: Column) -> Any:
    said = good[column.name].item()
    if said is None:
        return column.missing
    read = {"date": date.fromisoformat, "number": float, "whole": int, "label": str.lower}
    return read.get(column.kind, str)(said)


def in_order(faults: pl.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(faults.rows())


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_the_rows_in_doubt_are_those_that_pandera_refuses_and_their_faults_are_the_same(table: str) -> None:
    rows = pl.concat([drawn(table, random.Random(seed), 200) for seed in range(4)])
    faults = pandera_faults(table, rows)
    some = {"person_id": pl.Series([*rows["person_id"].drop_nulls(), "other"])} if "person_id" in rows else {}

    for distinct in ({}, some):
        assert doubtful_rows(table, rows, distinct).to_list() == sorted(set(faults["row"]))
        assert in_order(broken_rules(table, rows, distinct)) == in_order(faults)

    assert {name for column in columns(table) for name in rules_that_can_break(table, column)} <= set(faults["rule"])


def rules_that_can_break(table: str, column: Column) -> set[str]:
    named = {check.name for check in TABLES[table].to_schema().columns[column.name].checks}
    return {*(named & RULES.keys()), *(set() if column.nullable else {"missing"})}


@pytest.mark.parametrize("table", TABLES)
def test_of_good_rows_none_is_in_doubt_and_pandera_is_not_asked(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = drawn(table, random.Random(1), 300, share=0.05)
    good = rows.filter(~pl.int_range(rows.height).is_in(pandera_faults(table, rows)["row"].implode()))
    assert good.height > 20

    monkeypatch.setattr(check, "pandera_faults", None)

    assert broken_rules(table, good).is_empty()


@pytest.mark.parametrize("texts", [["a", "b", None, "a"], [], [None], [str(n) for n in range(5_000)]])
def test_the_texts_of_a_column_are_all_that_are_in_it(texts: list[str | None]) -> None:
    assert set(texts_of(pl.Series(texts, dtype=pl.String))) == {text for text in texts if text is not None}


class OfTheWhole(pa.DataFrameModel):
    person_id: str

    class Config:
        unique: ClassVar = ["person_id"]


class OfNoExpression(pa.DataFrameModel):
    person_id: str

    @pa.check("person_id", name="wrong_shape")
    def _is_right(cls, data: pa.PolarsData) -> bool:
        return True


class OfOneCellInPython(pa.DataFrameModel):
    person_id: str

    @pa.check("person_id", name="wrong_shape", element_wise=True)
    def _is_right(cls, value: str) -> bool:
        return value == "p"


@pytest.mark.parametrize("contract", [OfTheWhole, OfNoExpression, OfOneCellInPython])
def test_a_contract_that_says_what_no_expression_can_say_is_not_taken_for_kept(
    contract: type[pa.DataFrameModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.TABLES, "of_a_test", contract)

    with pytest.raises(TypeError, match=contract.__name__):
        rules_of("of_a_test")
