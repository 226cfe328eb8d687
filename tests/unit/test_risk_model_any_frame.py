"""Any frame a partner has: levels by value, batches in which nobody has a value, and what is refused with a remedy."""

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from ageingwell.errors import FrameError
from ageingwell.model import estimator, saving
from ageingwell.model.estimator import RiskModel

pa = pytest.importorskip("pyarrow")

N = 400
DRAW = np.random.default_rng(5)
AGE, BAND = DRAW.integers(65, 96, N).astype(float), DRAW.integers(0, 4, N)
TENURE, IS_CARER = DRAW.choice(["owned", "rented", "other"], N), DRAW.random(N) < 0.3
HAPPENED = DRAW.random(N) < 1 / (1 + np.exp(-(AGE - 85) / 6 - (BAND - 1.5) - (TENURE == "rented")))


def fit(table) -> RiskModel:
    return RiskModel(warn_on_few_events=False, max_trees=20, n_folds=3).fit(table, HAPPENED[: len(table)])


def table(**changed) -> pd.DataFrame:
    told = {"age": AGE, "band": pd.Categorical(BAND), "tenure": TENURE, "is_carer": IS_CARER}
    return pd.DataFrame({**told, **changed})


@pytest.fixture(scope="module")
def fitted() -> RiskModel:
    return fit(table())


def risks(model: RiskModel, frame) -> np.ndarray:
    return model.predict_proba(frame)[:, 1]


# Levels by value

TEXT = [str(band) for band in BAND]
BANDS = {
    "category of decimals": pd.Categorical(BAND.astype(float)),
    "category of narrow decimals": pd.Categorical(BAND.astype(np.float32)),
    "category of narrow whole numbers": pd.Categorical(BAND.astype(np.int8)),
    "category of Int64": pd.Series(BAND, dtype="Int64").astype("category"),
    "category of text": pd.Categorical(TEXT),
    "category of decimals as text": pd.Categorical([f"{band}.0" for band in BAND]),
    "category of exact decimals": pd.Categorical([Decimal(int(band)).quantize(Decimal("1.00")) for band in BAND]),
    "text": TEXT,
    "decimals as text": [f"{band:.2f}" for band in BAND],
    "leading zeros": [f"0{band}" for band in BAND],
    "objects": pd.Series(BAND.tolist(), dtype=object),
    "objects of several kinds": pd.Series(
        [(int(b), float(b), str(b), Decimal(int(b)))[i % 4] for i, b in enumerate(BAND)], dtype=object
    ),
    "dictionary of pyarrow": pd.Series(pa.array(BAND).dictionary_encode().to_pandas()),
}


@pytest.mark.parametrize("carrier", BANDS)
def test_a_level_of_one_value_is_one_level_however_it_is_carried(fitted, carrier):
    np.testing.assert_array_equal(risks(fitted, table(band=BANDS[carrier])), risks(fitted, table()))


@pytest.mark.parametrize("carrier", ["category of decimals", "category of exact decimals", "objects of several kinds"])
def test_a_model_is_the_same_whatever_carries_its_levels(fitted, carrier):
    again = fit(table(band=BANDS[carrier]))

    assert again.fitted_.columns[1].levels == ("0", "1", "2", "3")
    np.testing.assert_array_equal(risks(again, table()), risks(fitted, table()))


def test_a_gap_that_made_decimals_of_whole_numbers_changes_nobody_else(fitted):
    joined = table(band=pd.Series([np.nan, *BAND[1:]]).astype("category"))

    np.testing.assert_array_equal(risks(fitted, joined)[1:], risks(fitted, table())[1:])


def test_truths_are_levels_by_value_too():
    as_truths = table(band=pd.Categorical(BAND > 1))
    model = fit(as_truths)
    same = {
        "with a gap": pd.Series([None, *(BAND > 1)[1:].tolist()], dtype=object).astype("category"),
        "0 and 1": pd.Categorical([np.nan, *(BAND > 1)[1:].astype(float)]),
        "text": [None, *(str(truth) for truth in BAND[1:] > 1)],
    }

    for band in same.values():
        np.testing.assert_array_equal(risks(model, table(band=band))[1:], risks(model, as_truths)[1:])


def test_levels_that_were_text_in_training_stay_text():
    # "1" and "1.0" are two levels, of which each has a risk of its own.
    text = np.where(BAND < 2, "1", "1.0")
    model = fit(table(band=text))

    assert model.fitted_.columns[1].levels == ("1", "1.0")
    apart = risks(model, table(band=["1"] * N)) != risks(model, table(band=["1.0"] * N))
    assert apart.all()
    # A number is the level that is written as one would write it.
    as_numbers = risks(model, table(band=pd.Categorical([1] * N)))
    np.testing.assert_array_equal(as_numbers, risks(model, table(band=["1"] * N)))


def test_numbers_and_text_in_one_column_are_levels_side_by_side():
    mixed = pd.Series([int(band) if band < 2 else f"band {band}" for band in BAND], dtype=object)
    model = fit(table(band=mixed))

    assert model.fitted_.columns[1].levels == ("0", "1", "band 2", "band 3")
    as_text = [str(value) for value in mixed]
    np.testing.assert_array_equal(risks(model, table(band=as_text)), risks(model, table(band=mixed)))
    alone = [risks(model, table(band=mixed).iloc[[row]])[0] for row in range(8)]
    np.testing.assert_array_equal(alone, risks(model, table(band=mixed).iloc[:8]))


def test_a_number_among_the_objects_of_a_category_of_text_is_refused_alone_and_in_company(fitted):
    for rows in (1, 5):
        with pytest.raises(FrameError, match="of another type than in training: tenure"):
            fitted.predict(table(tenure=pd.Series([7, *TENURE[1:]], dtype=object)).iloc[:rows])


@pytest.mark.parametrize(
    "column",
    [BAND, BAND.astype(float), BAND > 1, pd.Series(BAND, dtype="Int64")],
    ids=["whole numbers", "decimals", "truths", "Int64"],
)
def test_a_category_given_as_a_column_of_numbers_is_refused(fitted, column):
    with pytest.raises(FrameError, match="of another type than in training: band"):
        fitted.predict(table(band=column))


@pytest.mark.parametrize(
    "column",
    [AGE.astype(str), pd.Categorical(AGE), pd.Series([*AGE[1:], "80"], dtype=object)],
    ids=["text", "category", "objects"],
)
def test_a_number_given_as_a_category_is_refused(fitted, column):
    with pytest.raises(FrameError, match="of another type than in training: age"):
        fitted.predict(table(age=column))


def test_where_most_levels_are_unseen_one_warning_names_the_columns_and_no_value(fitted):
    strange = table(tenure=[f"{tenure.title()} " for tenure in TENURE], band=pd.Categorical(BAND + 10))

    with pytest.warns(estimator.UnseenLevelsWarning) as told:
        fitted.predict_proba(strange)

    assert len(told) == 1
    said = str(told[0].message)
    assert "band (400 of 400), tenure (400 of 400)" in said
    assert "What to do" in said
    assert not any(word in said for word in ("Owned", "Rented", "Other", "13"))


@pytest.mark.parametrize(
    ("n_strange", "n_missing", "warns"), [(20, 0, False), (21, 0, True), (10, 20, False), (11, 20, True)]
)
def test_a_warning_takes_more_than_half_of_the_values_that_are_there(fitted, recwarn, n_strange, n_missing, warns):
    known = 40 - n_strange - n_missing
    tenure = ["Owned"] * n_strange + [None] * n_missing + ["owned"] * known

    fitted.predict(table().iloc[:40].assign(tenure=tenure))

    assert [str(said.message).split(":")[1].split(";")[0] for said in recwarn] == (
        [f" tenure ({n_strange} of {40 - n_missing})"] if warns else []
    )


def test_levels_and_columns_of_no_kind_are_saved_and_a_model_of_before_still_loads(fitted, tmp_path):
    model = fit(table(height=None))
    again = RiskModel.load(model.save(tmp_path / "new"))
    facts = json.loads((tmp_path / "new" / "model.json").read_bytes())
    for key in ("levels_of_numbers", "wholly_missing"):
        del facts["model"][key]
    # Such a model has no sums, and a hash of its own.
    (tmp_path / "new" / "SHA256SUMS").unlink()
    facts["format"] = 1
    facts["sha256"] = saving._digest(facts)
    (tmp_path / "new" / "model.json").write_text(json.dumps(facts), encoding="utf-8")

    before = RiskModel.load(tmp_path / "new")

    assert again.fitted_.columns == model.fitted_.columns
    joined = table(height=None, band=BANDS["category of decimals"])
    for loaded in (again, before):
        np.testing.assert_array_equal(risks(loaded, joined), risks(model, table(height=None)))


# Nobody has a value

NO_VALUE = {
    "None": pd.Series([None, None], dtype=object),
    "NaN": np.array([np.nan, np.nan]),
    "NaN among objects": pd.Series([np.nan, np.nan], dtype=object),
    "NA": pd.Series([pd.NA, pd.NA], dtype=object),
    "Int64": pd.Series([None, None], dtype="Int64"),
    "boolean": pd.Series([None, None], dtype="boolean"),
    "string": pd.Series([None, None], dtype="string"),
    "str": pd.Series([None, None], dtype="str"),
    "category": pd.Categorical([None, None]),
    "category of numbers": pd.Categorical([np.nan, np.nan], categories=[0.0, 1.0]),
    "time stamps": pd.Series([pd.NaT, pd.NaT], dtype="datetime64[ns]"),
    "time differences": pd.Series([pd.NaT, pd.NaT], dtype="timedelta64[ns]"),
    "null of pyarrow": pd.Series([None, None], dtype=pd.ArrowDtype(pa.null())),
    "date of pyarrow": pd.Series([None, None], dtype=pd.ArrowDtype(pa.date32())),
}
OF_POLARS = [pl.Null, pl.Float64, pl.Int8, pl.Boolean, pl.String, pl.Categorical, pl.Enum(["a"]), pl.Date, pl.Binary,
             pl.Decimal(10, 2), pl.List(pl.Int64), pl.Duration, pl.Object]  # fmt: skip


@pytest.mark.filterwarnings("ignore::ageingwell.model.estimator.NewGapsWarning")
@pytest.mark.parametrize("name", ["age", "band", "tenure", "is_carer"])
@pytest.mark.parametrize("nothing", [*NO_VALUE, *OF_POLARS], ids=str)
def test_somebody_of_whom_a_column_is_not_known_has_the_same_risk_among_others_of_whom_none_is(fitted, name, nothing):
    two = table().iloc[[3, 4]].reset_index(drop=True)
    if isinstance(nothing, str):
        without = two.assign(**{name: NO_VALUE[nothing]})
    else:
        without = pl.DataFrame({other: two[other].astype(object).tolist() for other in two.columns}, strict=False)
        empty = pl.Series(name, [None, None], dtype=nothing)
        without = without.with_columns(empty, **({} if name == "band" else {"band": without["band"].cast(pl.String)}))
    one_has_it = two.astype({"band": object} if name == "band" else {})
    one_has_it[name] = one_has_it[name].astype(object).where([False, True], None)
    if name == "band":
        one_has_it["band"] = one_has_it["band"].astype("category")

    alone, beside = risks(fitted, without), risks(fitted, one_has_it)

    assert alone[0] == beside[0]


@pytest.mark.parametrize(
    "nobody",
    [
        table().iloc[:0],
        pd.DataFrame({name: [] for name in table().columns}),
        pl.DataFrame({name: [] for name in table().columns}),
        pl.DataFrame(schema={"age": pl.Float64, "band": pl.Enum(["0"]), "tenure": pl.Int8, "is_carer": pl.Boolean}),
        pa.table({name: pa.array([], pa.null()) for name in table().columns}),
        np.empty((0, 4)),
        np.empty((0, 4), dtype=object),
    ],
    ids=["pandas", "pandas without types", "polars", "polars with types", "pyarrow", "array", "objects"],
)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_an_empty_frame_gives_an_empty_answer(fitted, nobody):
    assert fitted.predict_proba(nobody).shape == (0, 2)
    assert fitted.decision_function(nobody).shape == (0,)
    assert fitted.predict(nobody).tolist() == []
    assert fitted.predict(nobody).dtype == fitted.classes_.dtype
    explained = fitted.explain(nobody)
    assert (explained.base.shape, explained.contributions.shape) == ((0,), (0, 4))
    assert explained.to_polars().columns == ["row", "feature", "contribution"]


def test_no_rows_to_fit_on_stop():
    with pytest.raises(FrameError, match="0 sample"):
        fit(table().iloc[:0])


@pytest.mark.parametrize("empty", [None, np.nan, pd.Series([None] * N, dtype="string"), pd.Categorical([None] * N)])
def test_a_column_wholly_missing_in_training_takes_either_kind_later_and_adds_nothing(empty):
    model = fit(table(extra=empty))

    for later in (np.arange(N), ["a", "b"] * (N // 2), pd.Categorical(["a"] * N), True, None):
        explained = model.explain(table(extra=later))
        assert not explained.contributions[:, -1].any()
        np.testing.assert_array_equal(risks(model, table(extra=later)), risks(model, table(extra=empty)))


# Frames of other libraries


def arrow(**changed):
    bands = pa.array(BAND).dictionary_encode()
    tenures = pa.array(TENURE.tolist()).dictionary_encode()
    told = {"age": AGE, "band": bands, "tenure": tenures, "is_carer": IS_CARER}
    return pa.table({**told, **changed})


def test_a_pyarrow_table_keeps_its_names_and_its_categories(fitted):
    for given in (arrow(), arrow().to_batches()[0]):
        again = (
            fit(given)
            if isinstance(given, pa.Table)
            else RiskModel(warn_on_few_events=False, max_trees=20, n_folds=3).fit(given, HAPPENED)
        )
        assert again.feature_names_in_.tolist() == ["age", "band", "tenure", "is_carer"]
        np.testing.assert_array_equal(risks(again, given), risks(fitted, table()))
        np.testing.assert_array_equal(risks(fitted, given), risks(fitted, table()))
    turned = arrow().select(["tenure", "is_carer", "band", "age"])
    np.testing.assert_array_equal(risks(fitted, turned), risks(fitted, table()))
    in_chunks = pa.concat_tables([arrow().slice(0, 7), arrow().slice(7)])
    np.testing.assert_array_equal(risks(fitted, in_chunks), risks(fitted, table()))


@pytest.mark.parametrize(
    "values",
    [pa.array(["a"] * N), pa.array(["a"] * N, pa.large_string()), pa.array(["a"] * N, pa.string_view())],
    ids=["string", "large", "view"],
)
def test_text_of_pyarrow_is_a_category(values):
    assert fit(arrow(band=values)).fitted_.columns[1].levels == ("a",)


EXACT = [Decimal(str(age)) for age in AGE]


@pytest.mark.parametrize(
    "given",
    [
        table(age=pd.Series(EXACT, dtype=object)),
        table(age=pd.Series(EXACT, dtype=pd.ArrowDtype(pa.decimal128(10, 2)))),
        pl.DataFrame({"age": pl.Series(EXACT, dtype=pl.Decimal(10, 2)), "band": TEXT, "tenure": TENURE,
                      "is_carer": IS_CARER}),
        arrow(age=pa.array(EXACT, pa.decimal128(10, 2))),
        arrow(age=pa.array(EXACT, pa.decimal256(10, 2))),
        table(age=pd.Series([None if age < 0 else np.float32(age) for age in AGE], dtype=object)),
        table(age=pd.arrays.SparseArray(AGE)),
    ],
    ids=["objects", "pandas", "polars", "pyarrow", "pyarrow, wide", "narrow objects", "sparse column"],
)  # fmt: skip
def test_exact_decimals_and_other_carriers_of_numbers_are_numbers(fitted, given):
    np.testing.assert_array_equal(risks(fitted, given), risks(fitted, table()))
    assert not fit(given).fitted_.columns[0].is_category


DAY = dt.date(2026, 11, 22)
STAMP = dt.datetime(2026, 11, 22, 8, 30)
DAYS = "give days since a day you choose"
LENGTH = "give its length as a number"
ONE_VALUE = "give one value a row and column"
REFUSED = {
    "dates of objects": (pd.Series([DAY] * N, dtype=object), DAYS),
    "time stamps of objects": (pd.Series([STAMP] * N, dtype=object), DAYS),
    "time stamps of pandas": (pd.Series([STAMP] * N), DAYS),
    "with a time zone": (pd.Series([STAMP] * N).dt.tz_localize("UTC"), DAYS),
    "dates among gaps": (pd.Series([DAY, *([None] * (N - 1))], dtype=object), DAYS),
    "dates of pyarrow": (pd.Series([DAY] * N, dtype=pd.ArrowDtype(pa.date32())), DAYS),
    "periods": (pd.Series(pd.period_range("2020-01", periods=N, freq="D")), DAYS),
    "times of day": (pd.Series([dt.time(8, 30)] * N, dtype=object), "give hours since midnight"),
    "differences": (pd.Series([dt.timedelta(days=2)] * N), LENGTH),
    "differences of objects": (pd.Series([dt.timedelta(days=2)] * N, dtype=object), LENGTH),
    "differences of numpy": (pd.Series([np.timedelta64(2, "D")] * N, dtype=object), LENGTH),
    "lists": (pd.Series([[1, 2]] * N, dtype=object), ONE_VALUE),
    "arrays": (pd.Series([np.array([1, 2])] * N, dtype=object), ONE_VALUE),
    "dictionaries": (pd.Series([{"a": 1}] * N, dtype=object), ONE_VALUE),
    "tuples": (pd.Series([(1, 2)] * N, dtype=object), ONE_VALUE),
    "bytes": (pd.Series([b"owned"] * N, dtype=object), "decode it to text"),
    "complex": (pd.Series([1 + 2j] * N), "real and the imaginary part"),
    "complex objects": (pd.Series([1 + 2j] * N, dtype=object), "real and the imaginary part"),
    "intervals": (pd.Series(pd.interval_range(0, N)), "give numbers, true or false"),
    "anything": (pd.Series([object()] * N, dtype=object), "give numbers, true or false"),
}
REFUSED_BY_POLARS = {
    "Date": (pl.Series([DAY] * N), DAYS),
    "Datetime": (pl.Series([STAMP] * N), DAYS),
    "Time": (pl.Series([dt.time(8, 30)] * N), "give hours since midnight"),
    "Duration": (pl.Series([dt.timedelta(days=2)] * N), LENGTH),
    "List": (pl.Series([[1, 2]] * N), ONE_VALUE),
    "Array": (pl.Series([[1, 2]] * N, dtype=pl.Array(pl.Int64, 2)), ONE_VALUE),
    "Struct": (pl.Series([{"a": 1}] * N), ONE_VALUE),
    "Binary": (pl.Series([b"owned"] * N), "decode it to text"),
    "Object": (pl.Series([object()] * N, dtype=pl.Object), "give numbers, true or false"),
}


@pytest.mark.parametrize("what", REFUSED)
@pytest.mark.parametrize("is_fit", [True, False], ids=["fit", "predict"])
def test_what_is_neither_number_nor_category_is_refused_with_a_remedy_that_fits(fitted, what, is_fit):
    column, remedy = REFUSED[what]

    with pytest.raises(FrameError, match=f"column age is of type .*{remedy}"):
        (fit if is_fit else fitted.predict)(table(age=column))


@pytest.mark.parametrize("what", REFUSED_BY_POLARS)
@pytest.mark.parametrize("is_arrow", [False, True], ids=["polars", "pyarrow"])
def test_what_polars_and_pyarrow_have_beside_numbers_and_text_is_refused_too(what, is_arrow):
    column, remedy = REFUSED_BY_POLARS[what]
    frame = pl.DataFrame({"age": AGE}).with_columns(column.alias("other"))
    if is_arrow and what == "Object":
        return

    with pytest.raises(FrameError, match=f"column other is of type .*{remedy}"):
        fit(frame.to_arrow() if is_arrow else frame)


@pytest.mark.parametrize("kind", ["datetime64[D]", "timedelta64[D]", "S3", "complex"])
def test_arrays_of_other_types_are_refused_and_no_type_error_escapes(kind):
    with pytest.raises(FrameError):
        fit(np.ones((N, 2), dtype=int).astype(kind))


STRUCTURED = np.zeros(N, dtype=[("age", float), ("falls", int)])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (sparse.csr_matrix(np.ones((N, 2))), "a sparse matrix was given.*toarray"),
        (sparse.coo_array(np.ones((N, 2))), "a sparse matrix was given.*toarray"),
        (STRUCTURED, "a structured array was given.*polars.DataFrame"),
        (pd.Series(AGE), "a single column .*to_frame"),
        (pl.Series(AGE), "a single column .*to_frame"),
        (pa.array(AGE), "a single column .*to_frame"),
        (pa.chunked_array([AGE]), "a single column .*to_frame"),
        ({"age": AGE.tolist()}, "a dictionary was given.*frame"),
        (pl.LazyFrame({"age": AGE}), "a lazy frame was given.*collect"),
        (np.ones((N, 2)).view(np.matrix), "matrix cannot be read.*frame or an array"),
    ],
    ids=[
        "sparse",
        "sparse array",
        "structured",
        "pandas",
        "polars",
        "pyarrow",
        "chunks",
        "dictionary",
        "lazy",
        "matrix",
    ],
)
def test_what_is_no_table_is_refused_with_a_remedy(given, said):
    model = RiskModel(warn_on_few_events=False)

    with pytest.raises(FrameError, match=said):
        model.fit(given, HAPPENED)


@pytest.mark.parametrize("shape", [(N,), (N, 2, 1)])
def test_an_array_that_is_not_of_rows_and_columns_is_refused_as_scikit_learn_does(shape):
    with pytest.raises(ValueError, match=r"Expected 2D array|dim 3"):
        RiskModel().fit(np.ones(shape), HAPPENED)


def test_one_name_for_two_columns_is_refused_of_pyarrow_too():
    twice = pa.Table.from_arrays([pa.array(AGE), pa.array(AGE)], names=["age", "age"])

    with pytest.raises(FrameError, match="duplicate column names: age"):
        RiskModel().fit(twice, HAPPENED)


def test_columns_without_names_of_text_are_found_by_position_and_keep_their_types(fitted):
    bare = table().set_axis(range(4), axis=1)

    model = fit(bare)

    assert not hasattr(model, "feature_names_in_")
    assert model.fitted_.columns[1].levels == ("0", "1", "2", "3")
    np.testing.assert_array_equal(risks(model, bare), risks(fitted, table()))
    with pytest.raises(ValueError, match="X has 3 features, but RiskModel is expecting 4"):
        model.predict(bare.iloc[:, :3])
    with pytest.raises(FrameError, match="some column names are text and some are not"):
        fit(table().rename(columns={"age": 0}))


def test_what_stands_behind_a_mask_is_missing():
    rows = np.ma.masked_array(np.column_stack([AGE, BAND]), mask=np.arange(2 * N).reshape(N, 2) % 5 == 0)

    model = fit(rows)

    np.testing.assert_array_equal(risks(model, rows), risks(model, rows.filled(np.nan)))
    assert model.fitted_.missing_in_training == {"x0", "x1"}


def test_numbers_in_lists_of_rows_stay_numbers_beside_text():
    rows = [[age, tenure] for age, tenure in zip(AGE.tolist(), TENURE.tolist())]

    model = fit(rows)

    assert [column.is_category for column in model.fitted_.columns] == [False, True]


def test_a_whole_number_beyond_all_floats_is_refused_as_infinite(fitted):
    with pytest.raises(FrameError, match="infinite values in: age"):
        fitted.predict(table(age=pd.Series([10**400] * N, dtype=object)))


def test_whole_numbers_that_no_float_tells_apart_are_levels_of_their_own():
    number = 2**53
    model = fit(table(band=pd.Categorical(np.where(BAND < 2, number, number + 1))))

    assert model.fitted_.columns[1].levels == (str(number), str(number + 1))
