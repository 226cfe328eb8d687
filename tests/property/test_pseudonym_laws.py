"""Laws of identifiers and pseudonyms, on drawn values."""

import hmac
import re

import nhs_number
import polars as pl
import pytest
from helpers.laws import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from ageingwell.errors import KeyFileError
from ageingwell.pseudonyms.digests import pseudonym
from ageingwell.pseudonyms.identifiers import canonical_nhs_number, canonical_uprn, is_nhs_number
from ageingwell.pseudonyms.keys import Key

LETTERS = str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst")


def with_check_digit(nine: int) -> str:
    digit = nhs_number.calculate_checksum(str(nine))
    return f"{nine}{digit}"


reserved = (
    st.integers(999_000_000, 999_999_998)
    .map(with_check_digit)
    .filter(lambda number: len(number) == 10 and number != "9999999999")
)
uprns = st.integers(1, 999_999_999_999).map(str)
keys = st.binary(min_size=32, max_size=100)


def one(value: str, expression: pl.Expr) -> object:
    return pl.DataFrame({"x": [value]}).select(expression.alias("y")).item()


def key_of(secret: bytes) -> Key | None:
    try:
        return Key(secret)
    except KeyFileError:
        return None


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(9_990_000_000, 9_999_999_999).map(str))
def test_a_number_of_the_reserved_range_is_valid_when_the_reference_says_so(number):
    expected = nhs_number.is_valid(number) and number != "9999999999"

    assert one(number, is_nhs_number(pl.col("x"))) is bool(expected)


@pytest.mark.slow
@settings(deadline=None)
@given(st.text(max_size=14))
def test_no_text_but_ten_digits_is_an_nhs_number(text):
    canonical = one(text, canonical_nhs_number(pl.col("x")))

    assert canonical is None or (re.fullmatch(r"[0-9]{10}", str(canonical)) and nhs_number.is_valid(str(canonical)))


@pytest.mark.slow
@settings(deadline=None)
@given(reserved, st.integers(0, 9), st.integers(1, 9))
def test_every_single_wrong_digit_is_caught(number, place, step):
    wrong = number[:place] + str((int(number[place]) + step) % 10) + number[place + 1 :]

    assert one(wrong, is_nhs_number(pl.col("x"))) is False


@pytest.mark.slow
@settings(deadline=None)
@given(reserved, st.sampled_from(["{0}{1}{2}", "{0} {1} {2}", "{0}-{1}-{2}", " {0}{1}{2}", "{0} {1} {2} "]))
def test_every_spelling_of_a_number_has_one_pseudonym(number, spelling):
    key = Key.made_up(1)
    spelt = spelling.format(number[:3], number[3:6], number[6:])

    assert one(spelt, pseudonym(pl.col("x"), domain="person", key=key)) == one(
        number, pseudonym(pl.col("x"), domain="person", key=key)
    )


@settings(deadline=None)
@given(uprns, st.integers(0, 11))
def test_leading_noughts_do_not_make_another_home(uprn, noughts):
    padded = uprn.zfill(min(12, len(uprn) + noughts))

    assert one(padded, canonical_uprn(pl.col("x"))) == uprn


@settings(max_examples=examples(25), deadline=None)
@given(reserved, uprns, keys)
def test_pseudonyms_equal_the_standard_librarys_hmac_and_hold_no_digit_or_vowel(number, uprn, secret):
    key = key_of(secret)
    if key is None:
        return
    person = one(number, pseudonym(pl.col("x"), domain="person", key=key))
    home = one(uprn, pseudonym(pl.col("x"), domain="home", key=key))

    for made, message in ((person, f"person:{number}"), (home, f"home:{uprn}")):
        assert made == hmac.new(secret, message.encode(), "sha256").hexdigest()[:32].translate(LETTERS)
        assert re.fullmatch(r"[bcdfghjklmnpqrst]{32}", str(made))


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(reserved, min_size=1, max_size=40, unique=True), st.integers(0, 5), st.integers(6, 11))
def test_two_keys_and_two_domains_share_no_pseudonym(numbers, one_seed, other_seed):
    frame = pl.DataFrame({"x": numbers})
    made = [
        set(frame.select(pseudonym(pl.col("x"), domain=domain, key=Key.made_up(seed))).to_series())
        for seed in (one_seed, other_seed)
        for domain in ("person", "home")
    ]

    assert len(set.union(*made)) == 4 * len(numbers)


@pytest.mark.slow
@settings(max_examples=examples(20), deadline=None)
@given(st.lists(st.none() | st.sampled_from(["9990000018", "", "x", "999 000 0026"]), max_size=30))
def test_a_column_gives_what_its_values_give_alone(values):
    key = Key.made_up(2)
    expression = pseudonym(pl.col("x"), domain="person", key=key)
    together = pl.DataFrame({"x": values}, schema={"x": pl.String}).lazy().select(expression).collect().to_series()

    alone = [pl.DataFrame({"x": [value]}, schema={"x": pl.String}).select(expression).item() for value in values]

    assert together.to_list() == alone
