"""Whether a code can be a SNOMED CT identifier, and of what: its shape, its check digit and its partition.

The check digit catches slips of the keyboard. The two digits before it, the partition, say what is identified: a
concept, one of its descriptions, or a relationship. Some systems send the id of the description, which passes the check
digit and stands on no list.

The check digit is Verhoeff's: each digit, from the right, is swapped for another by its place, and all are multiplied
like the turns and flips of a pentagon; a right identifier gives 0. Three digits at a time are looked up, so a column
of millions needs a handful of passes and no Python. A short identifier counts as filled with zeros on its left, whose
product is known from its length.
"""

import polars as pl

_SHORTEST, _LONGEST = 6, 18
_SHAPE = rf"^[1-9][0-9]{{{_SHORTEST - 1},{_LONGEST - 1}}}$"

# What a digit is swapped for, by its place from the right; the rows repeat after eight.
_ONE_PLACE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_SWAPS = [tuple(range(10))]
while len(_SWAPS) < 8:
    _SWAPS.append(tuple(_SWAPS[-1][digit] for digit in _ONE_PLACE))


def _times(left: int, right: int) -> int:
    """One move of the pentagon after another: five turns, 0 to 4, and the same five flipped, 5 to 9."""
    turn = left + right if left < 5 else left - right
    return turn % 5 + 5 * ((left >= 5) != (right >= 5))


def _product(digits: str, *, place: int, so_far: int = 0) -> int:
    """Multiply on by some digits, from their right, the last of them standing `place` places from the end."""
    for at, digit in enumerate(reversed(digits), start=place):
        so_far = _times(so_far, _SWAPS[at % 8][int(digit)])
    return so_far


# From a product so far and three digits, written as one number, to the next product; one table a place.
# Columns, not dictionaries: Polars would turn each into columns anew for every chunk, which took longer than the check.
_KEYS = pl.Series(range(10_000))
_NEXT = {
    place: pl.Series([_product(f"{n % 1000:03}", place=place, so_far=n // 1000) for n in range(10_000)])
    for place in range(0, _LONGEST, 3)
}
# The product of an identifier whose digits are right and whose left is filled with zeros, by its length.
_FILLED = {length: _product("0" * (_LONGEST - length), place=length) for length in range(_SHORTEST, _LONGEST + 1)}


def is_snomed(column: pl.Expr) -> pl.Expr:
    """Whether a text is 6 to 18 digits, does not start with 0, and ends in its check digit; missing stays missing.

    >>> codes = pl.DataFrame({"code": ["22298006", "22298007", "161898004", "Eu00.", None]})
    >>> codes.select(is_snomed(pl.col("code")))["code"].to_list()
    [True, False, True, False, None]
    """
    number = column.cast(pl.Int64, strict=False)
    product = pl.lit(0, dtype=pl.Int64)
    for place, following in _NEXT.items():
        key = product * 1000 + number // 10**place % 1000
        product = key.replace_strict(_KEYS, following, default=None, return_dtype=pl.Int64)
    filled = column.str.len_bytes().replace_strict(_FILLED, default=None, return_dtype=pl.Int64)
    checks = (product == filled).fill_null(value=False)
    return pl.when(column.is_not_null()).then(column.str.contains(_SHAPE) & checks)


# SNOMED CT release file specification, partition identifiers; the second is of the extensions, such as the UK's dm+d.
CONCEPT, DESCRIPTION, RELATIONSHIP = ("00", "10"), ("01", "11"), ("02", "12")


def partition(column: pl.Expr) -> pl.Expr:
    """The partition of a SNOMED CT identifier: the two digits before its check digit.

    >>> codes = pl.DataFrame({"code": ["22298006", "37436014", "39732311000001104", None]})
    >>> codes.select(partition(pl.col("code")))["code"].to_list()
    ['00', '01', '10', None]
    """
    return column.str.slice(-3, 2)


def is_concept(column: pl.Expr) -> pl.Expr:
    """Whether a text is a SNOMED CT identifier of a concept: not of a description or a relationship.

    >>> codes = pl.DataFrame({"code": ["22298006", "37436014", "22298007", None]})
    >>> codes.select(is_concept(pl.col("code")))["code"].to_list()
    [True, False, False, None]
    """
    return is_snomed(column) & partition(column).is_in(CONCEPT)
