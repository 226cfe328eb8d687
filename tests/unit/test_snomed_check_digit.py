"""The vectorised check digit against a scalar one written from the published tables."""

import polars as pl
import pytest
from helpers.verhoeff import check_digit, passes
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.contracts.codes import is_snomed

BODIES = st.text("0123456789", min_size=5, max_size=17).filter(lambda digits: digits[0] != "0")


def checked(*codes: str | None) -> list[bool | None]:
    frame = pl.DataFrame({"code": codes}, schema={"code": pl.String})
    return frame.select(is_snomed(pl.col("code")))["code"].to_list()


def test_the_published_example_holds() -> None:
    assert check_digit("236") == "3"
    assert passes("22298006")


@pytest.mark.parametrize("code", ["100005", "22298006", "161898004", "526631000000108", "10692761000119107"])
def test_real_identifiers_pass(code: str) -> None:
    assert passes(code)
    assert checked(code) == [True]


@pytest.mark.parametrize(
    "code",
    [
        *("", " ", "22298006 ", " 22298006", "022298006", "+22298006", "-22298006", "22298006.0", "2229800６"),
        *("Eu00.", "XaBVJ", "EMISNQRE1", "22298006\n", "00000000", "9" * 19, "9" * 40),
    ],
)
def test_a_text_of_another_shape_is_refused(code: str) -> None:
    assert checked(code) == [False]


def test_five_and_nineteen_digits_are_refused_even_with_a_right_check_digit() -> None:
    short, long = "1234" + check_digit("1234"), "1" * 18 + check_digit("1" * 18)
    assert passes(short)
    assert passes(long)
    assert checked(short, long) == [False, False]


def test_a_missing_code_stays_missing() -> None:
    assert checked(None, "22298006", None) == [None, True, None]


def test_an_empty_and_an_all_missing_column_are_no_trouble() -> None:
    assert checked() == []
    assert checked(None, None) == [None, None]


@settings(max_examples=60, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=40))
def test_exactly_one_last_digit_is_right(bodies: list[str]) -> None:
    codes = [body + last for body in bodies for last in "0123456789"]
    found = checked(*codes)
    assert found == [passes(code) for code in codes]
    assert sum(map(bool, found)) == len(bodies)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("0123456789 aX.-", max_size=20), min_size=1, max_size=40))
def test_any_text_is_judged_as_the_scalar_judges_it(codes: list[str]) -> None:
    def expected(code: str) -> bool:
        return code.isdigit() and code[0] != "0" and 6 <= len(code) <= 18 and passes(code)

    assert checked(*codes) == [expected(code) for code in codes]


@settings(max_examples=60, deadline=None)
@given(BODIES, st.data())
def test_one_wrong_digit_and_two_swapped_neighbours_are_always_found(body: str, data: st.DataObject) -> None:
    code = body + check_digit(body)
    at = data.draw(st.integers(0, len(code) - 1))
    wrong = data.draw(st.sampled_from("123456789").filter(lambda digit: digit != code[at]))
    slips = [code[:at] + wrong + code[at + 1 :]]
    for left in range(len(code) - 1):
        if code[left] != code[left + 1]:
            slips.append(code[:left] + code[left + 1] + code[left] + code[left + 2 :])
    assert checked(code) == [True]
    assert not any(checked(*slips))


def test_streaming_gives_the_same_answer() -> None:
    codes = [str(number) for number in range(10_000_000, 10_050_000)]
    lazy = pl.LazyFrame({"code": codes}).select(is_snomed(pl.col("code")))
    assert lazy.collect(engine="streaming")["code"].to_list() == [passes(code) for code in codes]
