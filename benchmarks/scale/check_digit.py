"""The check digit of a SNOMED CT identifier, one code at a time: pandas and DuckDB ask it of each distinct code."""

import re

_SHAPE = re.compile(r"[1-9][0-9]{5,17}")
_ONE_PLACE = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_SWAPS = [tuple(range(10))]
while len(_SWAPS) < 8:
    _SWAPS.append(tuple(_SWAPS[-1][digit] for digit in _ONE_PLACE))


def _times(left: int, right: int) -> int:
    turn = left + right if left < 5 else left - right
    return turn % 5 + 5 * ((left >= 5) != (right >= 5))


def is_right(code: str) -> bool:
    """Whether a text is 6 to 18 digits that end in their check digit (Verhoeff's).

    >>> is_right("22298006"), is_right("22298007")
    (True, False)
    """
    if not _SHAPE.fullmatch(code):
        return False
    product = 0
    for place, digit in enumerate(reversed(code)):
        product = _times(product, _SWAPS[place % 8][int(digit)])
    return product == 0
