"""The secret key of the pseudonyms: where it may come from, and which keys are too weak to use.

All protection lies in this key: there are fewer than 300 million NHS numbers in use, so whoever has the key can
pseudonymise them all and look anyone up, and without a key a laptop reverses a plain hash in seconds.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Any, Final, NoReturn, final

from ageingwell.pseudonyms.keyfiles import decoded, open_private, read_few, write_new
from ageingwell.pseudonyms.strength import SHORTEST_BYTES, made_up_secret, refuse_weak, weakness

# The digits 0 to f of a digest. No digits: a spreadsheet can't turn it into a number, and no chance NHS number hides
# in it. No vowels: no words.
ALPHABET: Final = "bcdfghjklmnpqrst"
LETTERS: Final = str.maketrans("0123456789abcdef", ALPHABET)

_FINGERPRINT_LETTERS: Final = 12
_BLOCK_BYTES: Final = 64


@final
class Key:
    """A secret key of at least 32 random bytes, which shows only its fingerprint.

    Read it from a file (`Key.read`) or an open file descriptor (`Key.read_fd`). It cannot be printed, pickled or
    copied, so a query plan that uses it cannot be written down either. Raises `KeyFileError` for a weak key.

    >>> Key.made_up(1)
    Key(fingerprint='tslbhgfbpgfp', made up)
    """

    __slots__ = ("_fingerprint", "_inner", "_is_made_up", "_outer")

    def __init__(self, secret: bytes) -> None:
        refuse_weak(secret, name="the key")
        self._prepare(secret, is_made_up=False)

    @classmethod
    def read(cls, path: str | Path) -> "Key":
        """Read a key from a file that only its owner can read (mode 0600 or 0400), not through a symbolic link.

        The file holds the bytes themselves, or one line of hexadecimal or base64 text, which is decoded.
        """
        name = f"key file {path}"
        descriptor = open_private(Path(path), name=name)
        try:
            return cls._from_file(read_few(descriptor, name=name), name=name)
        finally:
            os.close(descriptor)

    @classmethod
    def read_fd(cls, descriptor: int) -> "Key":
        """Read a key from an open file descriptor (a pipe from a secret store, say), up to its end."""
        name = f"key on file descriptor {descriptor}"
        return cls._from_file(read_few(descriptor, name=name), name=name)

    @classmethod
    def generate(cls, path: str | Path) -> "Key":
        """Make a new random key in a new file of mode 0600, as 64 hexadecimal digits. An existing file is refused."""
        secret = os.urandom(SHORTEST_BYTES)
        while weakness(secret):
            secret = os.urandom(SHORTEST_BYTES)
        write_new(Path(path), secret.hex().encode() + b"\n")
        return cls(secret)

    @classmethod
    def made_up(cls, seed: int) -> "Key":
        """Give a key that everybody can compute, for made-up people only; it protects nobody.

        The same seed gives the same key everywhere, so the made-up county is the same everywhere.
        """
        key = object.__new__(cls)
        key._prepare(made_up_secret(seed), is_made_up=True)
        return key

    def for_recipient(self, recipient: str) -> "Key":
        """Give the key of one recipient's lists, derived from the key of all lists, which never leaves the group.

        Whoever has a recipient's key can tell nothing of another recipient's, nor of the key it was derived from.

        >>> lists = Key.made_up(0)
        >>> lists.for_recipient("fire") == lists.for_recipient("fire"), lists.for_recipient("fire") == lists
        (True, False)
        """
        key = object.__new__(Key)
        key._prepare(self._secret_of(recipient), is_made_up=self._is_made_up)
        return key

    def write_for_recipient(self, path: str | Path, recipient: str) -> "Key":
        """Write the key of one recipient's lists to a new file of mode 0600, as 64 hexadecimal digits."""
        secret = self._secret_of(recipient)
        refuse_weak(secret, name=f"the key of {recipient}")
        write_new(Path(path), secret.hex().encode() + b"\n")
        return self.for_recipient(recipient)

    def _secret_of(self, recipient: str) -> bytes:
        # The expanding step of HKDF (RFC 5869), whose key is random already: one block, numbered 1.
        return self.digest(b"ageingwell: the list key of one recipient:" + recipient.encode() + b"\x01")

    @property
    def fingerprint(self) -> str:
        """Twelve letters that tell keys apart and tell nothing about the key."""
        return self._fingerprint

    @property
    def is_made_up(self) -> bool:
        """Whether everybody can compute this key."""
        return self._is_made_up

    def digest(self, message: bytes) -> bytes:
        """Give HMAC-SHA256 of a message, 32 bytes."""
        inner, outer = self.started(message)
        outer.update(inner.digest())
        return bytes(outer.digest())

    def started(self, beginning: bytes = b"") -> tuple[Any, Any]:
        """Give the two hash states of HMAC with the beginning of a message taken in, to be copied for each ending."""
        inner = self._inner.copy()
        inner.update(beginning)
        return inner, self._outer.copy()

    def __repr__(self) -> str:
        return f"Key(fingerprint='{self._fingerprint}'{', made up' if self._is_made_up else ''})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self.digest(b"equal"), other.digest(b"equal"))

    def __hash__(self) -> int:
        return hash(self._fingerprint)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Key is never pickled, copied or sent: read it again where it is needed")

    @classmethod
    def _from_file(cls, content: bytes, *, name: str) -> "Key":
        secret = decoded(content, name=name)
        refuse_weak(secret, name=name)
        key = object.__new__(cls)
        key._prepare(secret, is_made_up=False)
        return key

    def _prepare(self, secret: bytes, *, is_made_up: bool) -> None:
        # RFC 2104, with the two padded blocks hashed once and for all: three times as fast as `hmac` on short
        # messages, and the key's bytes need not be kept.
        block = (secret if len(secret) <= _BLOCK_BYTES else hashlib.sha256(secret).digest()).ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._is_made_up = is_made_up
        self._fingerprint = self.digest(b"fingerprint:").hex().translate(LETTERS)[:_FINGERPRINT_LETTERS]
