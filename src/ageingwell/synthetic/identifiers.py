"""NHS numbers and UPRNs nobody has, and the pseudonyms made from them with a key everybody can compute."""

from functools import cache

import numpy as np
import polars as pl

from ageingwell.pseudonyms.digests import keyed_letters
from ageingwell.pseudonyms.keys import Key

Array = np.ndarray
# UPRNs of real properties have other first digits; the 999 block is not given out.
FIRST_UPRN = 999_000_000_000
_SPREAD = 999_999_937  # a prime, so that neighbours do not get neighbouring numbers
_STRIDE = 618_033_989


@cache
def reserved_nhs_numbers(seed: int) -> Array:
    """All valid NHS numbers of the reserved range 999 000 0000 to 999 999 9999, in an order of the seed.

    >>> len(reserved_nhs_numbers(1))
    909090
    """
    middle = np.arange(1_000_000, dtype=np.int64)
    digits = np.stack([np.full_like(middle, 9)] * 3 + [middle // 10**place % 10 for place in range(5, -1, -1)])
    check = 11 - (digits * np.arange(10, 1, -1)[:, None]).sum(axis=0) % 11
    check = np.where(check == 11, 0, check)
    numbers = (999_000_000 + middle) * 10 + check
    # 999 999 9999 passes the check and is nobody's number: all its digits are alike.
    valid = numbers[(check < 10) & (numbers != 9_999_999_999)]
    return np.random.default_rng([seed, 999]).permutation(valid)


def nhs_numbers(count: Array, *, seed: int) -> pl.Series:
    """The identifier text of the people counted so: an NHS number, or beyond the reserved range `made-up-<count>`."""
    numbers = reserved_nhs_numbers(seed)
    texts = pl.Series(numbers[np.minimum(count, len(numbers) - 1)]).cast(pl.String)
    beyond = pl.Series(count).cast(pl.String).str.replace("^", "made-up-")
    return texts.zip_with(pl.Series(count < len(numbers)), beyond)


def uprns(count: Array, *, seed: int = 0) -> pl.Series:
    """The UPRN of the homes counted so, spread over the 999 block."""
    return pl.Series(FIRST_UPRN + (count * _STRIDE) % _SPREAD).cast(pl.String)


def person_ids(count: Array, *, seed: int) -> pl.Series:
    """The pseudonyms of the people counted so, with the made-up key of the seed."""
    return _pseudonyms(nhs_numbers(count, seed=seed), domain="person", seed=seed)


def home_ids(count: Array, *, seed: int) -> pl.Series:
    """The pseudonyms of the homes counted so, with the made-up key of the seed."""
    return _pseudonyms(uprns(count), domain="home", seed=seed)


def _pseudonyms(texts: pl.Series, *, domain: str, seed: int) -> pl.Series:
    column = keyed_letters(pl.col("text"), label=domain, key=Key.made_up(seed))
    return pl.DataFrame({"text": texts}).select(column).to_series()
