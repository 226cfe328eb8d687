"""Which keys are too weak: short, text, mostly nought, repeating or counting, another kind of file, or published.

No test can prove a key random. These find the mistakes people make (a passphrase, a test value, a key of noughts),
and each refuses a random 32-byte key less than once in 10 million.
"""

import hashlib
import re
import string
from functools import cache
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
# Five equal bytes in a row stand in 32 random ones once in 150 million, six that come twice once in 10^12.
_SAME_IN_A_ROW: Final = re.compile(rb"(.)\1{4}", re.DOTALL)
_COMES_TWICE: Final = 6
# How files of other kinds begin: a picture, a document or an archive that was named by mistake.
_OTHER_FILES: Final = (
    b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"PK\x03\x04", b"PK\x05\x06", b"%PDF", b"\x1f\x8b", b"BZh", b"7z\xbc\xaf",
    b"\xfd7zXZ", b"Rar!", b"\x7fELF", b"SQLi", b"PAR1", b"\xd0\xcf\x11\xe0", b"RIFF", b"OggS",
)  # fmt: skip
# The keys of made-up people that anybody can compute, by their seeds.
_PUBLISHED_SEEDS: Final = 1_000


def made_up_secret(seed: int) -> bytes:
    """The bytes of the key of made-up people; everybody can compute them."""
    return hashlib.sha256(f"ageingwell: a public key, for made-up people only: {seed}".encode()).digest()


@cache
def _published() -> frozenset[bytes]:
    return frozenset(map(made_up_secret, range(_PUBLISHED_SEEDS)))


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
    if secret.startswith(_OTHER_FILES) and len(secret) != SHORTEST_BYTES:
        return "is a file of another kind, such as a picture or an archive"
    if secret in _published():
        return "is one of the published keys for made-up people, which protect nobody"
    pieces = [secret[at : at + _COMES_TWICE] for at in range(len(secret) - _COMES_TWICE + 1)]
    if _SAME_IN_A_ROW.search(secret) or len(set(pieces)) < len(pieces):
        return "repeats itself or counts, so it is not random"
    # Steps between neighbours show counting and repetition: 00 01 02 … has 32 different bytes and one step.
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    if min(len(set(secret)), len(steps)) < _FEWEST_DIFFERENT:
        return "repeats itself or counts, so it is not random"
    return None
