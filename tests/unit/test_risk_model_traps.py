import warnings
from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from helpers.risk import drawn_people
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.model.columns import columns_of, to_matrix
from ageingwell.model.estimator import RiskModel
from ageingwell.model.traps import (
    IdentifierWarning,
    LeakWarning,
    RepeatedRowsWarning,
    TimeWarning,
    Trap,
    TrapWarning,
    traps_in,
)

N = 3_000
DRAW = np.random.default_rng(3)
AGE, VISITS, SEX = DRAW.integers(65, 95, N), DRAW.poisson(3, N), DRAW.choice(["f", "m"], N)
HAD = DRAW.random(N) < 0.1
PERSON = np.repeat(np.arange(N // 3), 3)
NUMBERS = DRAW.normal(size=(N // 3, 6))[PERSON]


def found(columns: dict[str, object], had=HAD, *, groups: bool = False, time: bool = False) -> tuple[Trap, ...]:
    """What is found in a frame of some columns beside the age."""
    frame = pl.DataFrame({"age": AGE, "visits": VISITS, "sex": SEX, **columns})
    known = columns_of(frame)
    return traps_in(to_matrix(frame, known), had.astype(float), known, has_groups=groups, has_time=time)


def where_had(share: float, others: float, values=None) -> np.ndarray:
    """Values that a share of the rows with the outcome and another share of the others have; the rest are missing."""
    has = DRAW.random(N) < np.where(HAD, share, others)
    return np.where(has, DRAW.normal(size=N) if values is None else values, np.nan)


def nhs_numbers(n: int) -> list[int]:
    """Made-up NHS numbers of the test range, 999 000 0000 and up, whose last digit is right."""
    made = []
    for number in range(n * 2):
        digits = [9, 9, 9, *(int(digit) for digit in f"{number:06d}")]
        check = (11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1))) % 11) % 11
        if check < 10:
            made.append(int("".join(map(str, [*digits, check]))))
    return made[:n]


LEAKS = {
    "the outcome itself": HAD * 1.0,
    "nearly the outcome": HAD + 0.3 * DRAW.normal(size=N),
    "in its levels": np.where(HAD, DRAW.choice(["a", "b"], N), DRAW.choice(["c", "d"], N)),
    "in one level": np.where(HAD & (DRAW.random(N) < 0.4), "mortuary", DRAW.choice(["home", "ward"], N)),
    "recorded for them alone": where_had(0.6, 0.0),
    "recorded for all of them and a few others": where_had(1.0, 0.2),
    "recorded for most of them and few others": where_had(0.95, 0.05),
    "missing for them alone": np.where(HAD, np.nan, AGE),
    "days that they alone have": np.where(HAD & (DRAW.random(N) < 0.6), DRAW.integers(1, 300, N), 0),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_feature_that_tells_the_outcome_by_itself_is_a_leak(leak: str):
    # given in a group and with time, which is no help against a leak
    (trap,) = found({"cause": LEAKS[leak]}, groups=True, time=True)

    assert trap.kind is LeakWarning
    assert trap.found.startswith("cause ")
    assert "leave it out unless it was known" in trap.remedy


IDENTIFIERS = {
    "the order of rows": np.arange(N),
    "shuffled": DRAW.permutation(N),
    "of a larger table": DRAW.choice(10 * N, N, replace=False),
    "text": [f"P{number:06d}" for number in DRAW.permutation(N)],
    "NHS numbers": nhs_numbers(N),
}


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_a_column_that_names_its_rows_is_an_identifier(identifier: str):
    (trap,) = found({"who": IDENTIFIERS[identifier]}, groups=True)

    assert trap.kind is IdentifierWarning
    assert trap.found.startswith("who ")


REPEATED = {
    "named": {"person_id": PERSON},
    "named in text": {"patientId": [f"P{number:05d}" for number in PERSON]},
    "NHS numbers": {"x": np.array(nhs_numbers(N // 3))[PERSON]},
    "the same facts": dict(zip("abcdef", NUMBERS.T)),
    "half of the facts": dict(zip("abcdef", np.where(np.arange(6) < 3, NUMBERS, DRAW.normal(size=(N, 6))).T)),
    "nearly the same facts": dict(zip("abcdef", (NUMBERS + 0.05 * DRAW.normal(size=(N, 6))).T)),
}


@pytest.mark.parametrize("repeated", REPEATED)
def test_people_with_several_rows_are_found_and_not_where_groups_are_given(repeated: str):
    kinds = {trap.kind for trap in found(REPEATED[repeated])}
    with_groups = {trap.kind for trap in found(REPEATED[repeated], groups=True)}

    assert kinds == {RepeatedRowsWarning}
    assert RepeatedRowsWarning not in with_groups


def test_years_of_one_person_are_found_though_age_and_counts_move():
    facts = pl.DataFrame(
        {
            "age": AGE[PERSON] + np.arange(N) % 3,
            "sex": SEX[PERSON],
            "deprivation": DRAW.integers(1, 11, N)[PERSON],
            "bmi": DRAW.normal(27, 4, N).round(1)[PERSON],
            "conditions": DRAW.poisson(2, N)[PERSON] + DRAW.poisson(0.2, N),
            "visits": VISITS,
        }
    )
    columns = columns_of(facts)

    (trap,) = traps_in(to_matrix(facts, columns), HAD.astype(float), columns, has_groups=False, has_time=False)

    assert trap.kind is RepeatedRowsWarning
    assert "groups=" in trap.remedy


WHEN = {
    "year": DRAW.integers(2018, 2026, N),
    "seen": DRAW.integers(2018, 2026, N),
    "day": DRAW.integers(0, 700, N),
    "wave": DRAW.integers(1, 6, N),
    "taken": 20_200_100 + DRAW.integers(1, 29, N),
    "entered": [f"20{year}-0{month}-11" for year, month in zip(DRAW.integers(18, 26, N), DRAW.integers(1, 9, N))],
}


@pytest.mark.parametrize("name", WHEN)
def test_a_date_without_time_is_told_and_not_where_time_is_given(name: str):
    (trap,) = found({name: WHEN[name]})

    assert trap.kind is TimeWarning
    assert trap.found.startswith(f"{name} looks like a date")
    assert found({name: WHEN[name]}, time=True) == ()


AREA = DRAW.integers(0, N // 40, N)
WEIGHT, HEIGHT, HEALTH = DRAW.integers(45, 110, N), DRAW.integers(145, 195, N), DRAW.normal(size=N)
ORDINARY = {
    "a year of birth": {"birth_year": DRAW.integers(1930, 2000, N)},
    "months and weekdays": {"month": DRAW.integers(1, 13, N), "day": DRAW.integers(1, 8, N)},
    "an area": {"area_id": AREA, "score": DRAW.normal(size=N)[AREA], "density": DRAW.lognormal(size=N)[AREA]},
    "practices": {"practice": [f"P{number}" for number in DRAW.integers(0, 1_000, N)]},
    "facts made of facts": {"bmi": WEIGHT / (HEIGHT / 100) ** 2, "weight": WEIGHT, "height": HEIGHT},
    "20 questions of one matter": {f"q{n}": np.rint(HEALTH + 0.6 * DRAW.normal(size=N)).clip(-2, 2) for n in range(20)},
    "numbers that go together": {f"n{n}": HEALTH + 0.05 * DRAW.normal(size=N) for n in range(5)},
    "telling gaps": {"test": where_had(0.7, 0.3)},
    "a feature of AUROC 0.9": {"score": HAD * 1.8 + DRAW.normal(size=N)},
    "yes or no": {f"has_{n}": DRAW.random(N) < 0.3 for n in range(12)},
}


@pytest.mark.parametrize("ordinary", ORDINARY)
def test_ordinary_data_are_left_alone(ordinary: str):
    assert found(ORDINARY[ordinary]) == ()


KINDS: tuple[Callable[[np.random.Generator, int], object], ...] = (
    lambda draw, n: draw.normal(size=n),
    lambda draw, n: draw.normal(size=n).round(1),
    lambda draw, n: draw.integers(0, draw.choice([2, 5, 20, 100]), n),
    lambda draw, n: draw.poisson(1, n),
    lambda draw, n: [f"level {level}" for level in draw.integers(0, draw.choice([2, 5, 30]), n)],
    lambda draw, n: np.where(draw.random(n) < 0.5, np.nan, draw.lognormal(size=n)),
    lambda draw, n: draw.random(n) < 0.1,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([60, 200, 1_500]),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12),
    share=st.sampled_from([0.03, 0.1, 0.5]),
)
def test_noise_of_any_kind_is_left_alone(seed, n, kinds, share):
    draw = np.random.default_rng(seed)
    frame = pl.DataFrame({f"x{place}": kind(draw, n) for place, kind in enumerate(kinds)})
    columns = columns_of(frame)

    outcome = (draw.random(n) < share).astype(float)

    assert traps_in(to_matrix(frame, columns), outcome, columns, has_groups=False, has_time=False) == ()


def test_the_fit_warns_in_a_class_of_its_own_and_can_be_told_not_to():
    people, happened = drawn_people(200)
    people = people.with_columns(outcome_code=pl.Series(happened * 1.0))
    model = RiskModel(max_trees=5, warn_on_few_events=False)

    with pytest.warns(LeakWarning, match=r"^outcome_code tells the outcome by itself: .* What to do: leave it out"):
        model.fit(people, happened)
    with warnings.catch_warnings(action="error"):
        RiskModel(max_trees=5, warn_on_few_events=False, warn_on_traps=False).fit(people, happened)
    assert all(issubclass(kind, TrapWarning) for kind in (LeakWarning, IdentifierWarning, TimeWarning))


def test_what_is_told_does_not_depend_on_the_order_of_rows():
    columns = {**REPEATED["half of the facts"], "cause": LEAKS["in one level"], "year": WHEN["year"]}
    frame = pl.DataFrame({"age": AGE, **columns})
    known, order = columns_of(frame), DRAW.permutation(N)
    codes, had = to_matrix(frame, known), HAD.astype(float)

    one = traps_in(codes, had, known, has_groups=False, has_time=False)
    other = traps_in(np.asfortranarray(codes[order]), had[order], known, has_groups=False, has_time=False)

    assert one == other
    assert len(one) == 3
