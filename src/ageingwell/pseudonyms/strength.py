"""Which keys are too weak: short, text, mostly nought, repeating or counting.

No test can prove a key random. These find the mistakes people make (a passphrase, a test value, a key of noughts),
and each refuses a random 32-byte key less than once in 10 million.
"""

import string
from itertools import pairwise
from typing import Final

from ageingwell.errors import KeyFileError

SHORTEST_BYTES: Final = 32
MAKE_ONE: Final = "make a key with `ageingwell key new FILE`"

# 32 random bytes hold 30 different ones on average.
_FEWEST_DIFFERENT: Final = 20
# 32 random bytes are 39 % printable, and more than 85 % once in 50 million; text in any encoding is more.
_MOST_PRINTABLE_SHARE: Final = 0.85
# Every other byte of UTF-16 text is nought; in random bytes one in 256 is.
_MOST_NOUGHTS_SHARE: Final = 0.25


def refuse_weak(secret: bytes, *, name: str) -> None:
    """Raise `KeyFileError` if a key is weak."""
    if found := weakness(secret):
        raise KeyFileError(f"{name} {found}", MAKE_ONE)


def weakness(secret: bytes) -> str | None:
    """Say what is wrong with a key, or nothing."""
    if len(secret) < SHORTEST_BYTES:
        return f"is {len(secret)} bytes long, and at least {SHORTEST_BYTES} are needed"
    if secret.count(0) > _MOST_NOUGHTS_SHARE * len(secret):
        return "is mostly zero bytes"
    printable = set(string.printable.encode())
    if sum(byte in printable for byte in secret) > _MOST_PRINTABLE_SHARE * len(secret):
        return "is text, such as a passphrase"
    # Steps between neighbours show counting and repetition: 00 01 02 … has 32 different bytes and one step.
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if min(len(set(secret)), len(steps)) < _FEWEST_DIFFERENT:
        return "repeats itself or counts, so it is not random"
    return None
