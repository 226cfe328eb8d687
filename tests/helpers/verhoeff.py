"""Verhoeff's check digit, one identifier at a time, from the tables he published."""

MULTIPLICATION = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
PERMUTATION = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def remainder(code: str) -> int:
    product = 0
    for place, digit in enumerate(reversed(code)):
        product = int(MULTIPLICATION[product][int(PERMUTATION[place % 8][int(digit)])])
    return product


def passes(code: str) -> bool:
    return remainder(code) == 0


def check_digit(body: str) -> str:
    return next(digit for digit in "0123456789" if passes(body + digit))
