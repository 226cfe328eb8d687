"""A row has its risk whoever stands beside it, whatever frame it comes in and whatever type carries its values."""

from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.model.estimator import RiskModel

pa = pytest.importorskip("pyarrow")
# That an array has no names, that a median stands in, and that levels are unseen: each is told, and right here.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

NAMES = ["age", "band", "tenure", "is_carer"]
DRAW = np.random.default_rng(8)
N = 500
PEOPLE = pd.DataFrame(
    {
        "age": np.where(DRAW.random(N) < 0.1, np.nan, DRAW.integers(260, 400, N) / 4),
        "band": pd.Categorical(np.where(DRAW.random(N) < 0.1, np.nan, DRAW.integers(0, 4, N))),
        "tenure": DRAW.choice(["owned", "rented", "1", "1.0"], N),
        "is_carer": DRAW.random(N) < 0.3,
    }
)
ODDS = (PEOPLE["age"].fillna(80) - 85) / 6 + PEOPLE["band"].astype(float).fillna(0) + (PEOPLE["tenure"] == "1.0")
MODEL = RiskModel(warn_on_few_events=False, max_trees=30, n_folds=3).fit(
    PEOPLE, DRAW.random(N) < 1 / (1 + np.exp(2 - ODDS))
)
PERSON = st.tuples(
    st.none() | st.integers(200, 480).map(lambda quarters: quarters / 4),
    st.none() | st.integers(0, 5),
    st.none() | st.sampled_from(["owned", "rented", "1", "1.0", "Owned ", "01"]),
    st.none() | st.booleans(),
)


WHOLE = pa.int64()


def columns(people):
    return {name: [person[place] for person in people] for place, name in enumerate(NAMES)}


def each(values, make):
    return [None if value is None else make(value) for value in values]


def objects(people, make=lambda band: band):
    told = columns(people)
    return pd.DataFrame({**told, "band": each(told["band"], make)}, dtype=object)


def pandas(people, *, band, **types):
    told = columns(people)
    return pd.DataFrame(
        {
            "age": pd.Series(told["age"], dtype=types.get("age", "float64")),
            "band": pd.Series(each(told["band"], band), dtype=object).astype("category"),
            "tenure": pd.Series(told["tenure"], dtype=types.get("tenure", "str")),
            "is_carer": pd.Series(told["is_carer"], dtype=types.get("is_carer", object)),
        }
    )


def polars(people, *, band=str, **types):
    told = columns(people)
    return pl.DataFrame(
        {
            "age": pl.Series(told["age"], dtype=pl.Float64).cast(types.get("age", pl.Float64)),
            "band": pl.Series(each(told["band"], band), dtype=types.get("band", pl.String)),
            "tenure": pl.Series(told["tenure"], dtype=pl.String).cast(types.get("tenure", pl.String)),
            "is_carer": pl.Series(told["is_carer"], dtype=pl.Boolean).cast(types.get("is_carer", pl.Boolean)),
        }
    )


def arrow(people, *, band=WHOLE):
    told = columns(people)
    return pa.table(
        {
            "age": pa.array(each(told["age"], lambda age: Decimal(str(age))), pa.decimal128(8, 3)),
            "band": pa.array(told["band"], pa.int64()).cast(band).dictionary_encode(),
            "tenure": pa.array(told["tenure"], pa.string()).dictionary_encode(),
            "is_carer": pa.array(told["is_carer"], pa.bool_()),
        }
    )


TENURES = pl.Enum(["Owned ", "01", "1.0", "rented", "owned", "1"])
CARRIERS = {
    "objects": objects,
    "objects, decimals": lambda people: objects(people, float),
    "objects, exact decimals": lambda people: objects(people, Decimal),
    "objects, text": lambda people: objects(people, str),
    "array": lambda people: objects(people).to_numpy(),
    "lists": lambda people: [list(person) for person in people],
    "categories of whole numbers": lambda people: pandas(people, band=int),
    "categories of decimals": lambda people: pandas(people, band=float, is_carer="float64"),
    "categories of text": lambda people: pandas(people, band=str, is_carer="boolean", tenure="category"),
    "decimals as text": lambda people: pandas(people, band=lambda band: f"{band}.0", age="Float64", tenure="string"),
    "pyarrow in pandas": lambda people: arrow(people).to_pandas(types_mapper=pd.ArrowDtype),
    "narrow numbers": lambda people: pandas(people, band=np.int8, age="float32", is_carer="Int8"),
    "polars": polars,
    "polars, decimals as text": lambda people: polars(people, band=lambda band: f"{band}.00", age=pl.Float32),
    "polars, categories": lambda people: polars(
        people, band=str, tenure=TENURES, is_carer=pl.Float32, age=pl.Decimal(8, 3)
    ),
    "pyarrow": arrow,
    "pyarrow, decimals": lambda people: arrow(people, band=pa.float64()),
    "record batch": lambda people: arrow(people).combine_chunks().to_batches()[0],
    "in another order": lambda people: polars(people).select("tenure", "is_carer", "age", "band", extra=pl.lit("x")),
}


@pytest.mark.sweep(of=3)
@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=25, deadline=None)
@given(people=st.lists(PERSON, min_size=1, max_size=6))
def test_a_row_has_its_risk_whoever_stands_beside_it_and_whatever_carries_it(carrier, people):
    carried = CARRIERS[carrier](people)

    together = MODEL.decision_function(carried)

    alone = [MODEL.decision_function(polars([person]))[0] for person in people]
    np.testing.assert_array_equal(together, alone)
    explained = MODEL.explain(carried)
    np.testing.assert_array_equal(explained.contributions, MODEL.explain(polars(people)).contributions)
