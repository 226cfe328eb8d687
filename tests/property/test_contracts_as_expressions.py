"""One pass over a table of our own says that it keeps its contract exactly when Pandera says so."""

from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar

import pandera.polars as pa
import polars as pl
import pytest
from helpers.tables import pseudonym

from ageingwell.contracts import impact_made, kept, made, services
from ageingwell.contracts.expressions import keeps_all, rules_of
from ageingwell.contracts.made import validated

OURS = [
    model
    for file in (made, kept, services, impact_made)
    for model in vars(file).values()
    if isinstance(model, type) and issubclass(model, pa.DataFrameModel) and model.__module__ == file.__name__
]
TEXTS = [pseudonym(1), pseudonym(1) + "\n", "x", "", " ", "2026-W05", "2026-W5"]
NUMBERS = [-1, 0, 1, 2, 10, 11, 115, 130, 131, 10_000]
POOL: dict[type[pl.DataType], list[Any]] = {
    pl.String: TEXTS,
    pl.Int64: NUMBERS,
    pl.Float64: [*NUMBERS, -0.1, 0.5, 1.1, float("nan"), float("inf"), float("-inf")],
    pl.Date: [date(1, 1, 1), date(2026, 11, 22), date(9999, 12, 31)],
    pl.Boolean: [True, False],
    pl.List: [[], ["gp"], [None]],
}


def of_column(model: type[pa.DataFrameModel], name: str) -> list[Any]:
    """What may stand in a column: what its contract allows, what it does not, and nothing."""
    told = model.to_schema().columns[name]
    labels = [label for check in told.checks for label in check.statistics.get("allowed_values", ())]
    return [*labels, *POOL[told.dtype.type.base_type()], None]


def good_row(model: type[pa.DataFrameModel]) -> pl.DataFrame:
    """The first value of each column that Pandera finds nothing wrong with."""
    schema = pl.Schema({name: told.dtype.type for name, told in model.to_schema().columns.items()})
    row = pl.DataFrame({name: [None] for name in schema}, schema=schema)
    for name, dtype in schema.items():
        column = model.to_schema().columns[name]
        alone = pa.DataFrameSchema({name: column})
        values = (pl.DataFrame({name: [value]}, schema={name: dtype}) for value in of_column(model, name))
        row = row.with_columns(next(frame[name] for frame in values if says_pandera(alone, frame)))
    return row


def says_pandera(schema: pa.DataFrameSchema | type[pa.DataFrameModel], frame: pl.DataFrame) -> bool:
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors:
        return False
    return True


def variants(model: type[pa.DataFrameModel], good: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """A good row, none, one twice, one with a column more, less or of another type, and with each value in a column."""
    yield "as it is", good
    yield "no row", good.clear()
    yield "the same row twice", pl.concat([good, good])
    yield "a column more", good.with_columns(more=pl.lit(1))
    yield "columns in another order", good.select(reversed(good.columns))
    for name, dtype in good.schema.items():
        yield f"without {name}", good.drop(name)
        yield f"{name} of another type", good.with_columns(pl.lit(b"x").alias(name))
        for value in of_column(model, name):
            yield f"{name}: {value!r}", good.with_columns(pl.Series(name, [value], dtype=dtype, strict=False))


@pytest.mark.slow
@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_table_in_doubt_is_one_that_pandera_refuses(model: type[pa.DataFrameModel]) -> None:
    tried = dict(variants(model, good_row(model)))

    assert {name: keeps_all(model, frame) for name, frame in tried.items()} == {
        name: says_pandera(model, frame) for name, frame in tried.items()
    }


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_a_table_that_keeps_its_contract_is_not_put_to_pandera(
    model: type[pa.DataFrameModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = good_row(model)
    monkeypatch.setattr(model, "validate", None)

    assert validated(model, good).equals(good)


class OfTheWhole(pa.DataFrameModel):
    place: str

    class Config:
        unique: ClassVar = ["place"]


class Reshaped(pa.DataFrameModel):
    place: str

    class Config:
        coerce = True


class Closed(pa.DataFrameModel):
    place: str

    class Config:
        strict = True


class InOrder(pa.DataFrameModel):
    place: str

    class Config:
        ordered = True


class OfNoExpression(pa.DataFrameModel):
    place: str = pa.Field(str_endswith="x")


@pytest.mark.parametrize("model", [OfTheWhole, Reshaped, Closed, InOrder, OfNoExpression])
def test_a_contract_that_no_expression_can_tell_is_an_error_not_a_guess(model: type[pa.DataFrameModel]) -> None:
    with pytest.raises(TypeError, match=model.__name__):
        rules_of(model)
