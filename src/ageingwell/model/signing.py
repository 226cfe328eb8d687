"""A signature over a bundle's sums (Ed25519), and whose signatures a site accepts.

Sums find damage and a change by anyone who cannot write the sums too. A signature finds a change by anyone without the
signer's private key, which never lies on the machine that scores.
"""

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ageingwell.checksums import SIGNATURE, SUMS
from ageingwell.config.score import ModelSettings
from ageingwell.errors import BundleError, KeyFileError
from ageingwell.given import library
from ageingwell.model.saving import damage_told
from ageingwell.pseudonyms.keyfiles import open_private, read_few

Sign = Callable[[bytes], bytes]

# What is signed begins with these words, so that a signature over a bundle is one over nothing else.
_BEGINNING: Final = b"ageingwell model bundle, SHA256SUMS:\n"
_FORM = re.compile(r"ed25519 ([0-9a-f]{64})\n([0-9a-f]{128})\n")
_MAKE_ONE: Final = "make one: openssl genpkey -algorithm ed25519 -out signer.pem; chmod 600 signer.pem"


def signer_of(path: Path) -> tuple[Sign, str]:
    """What signs with the private key in a file, and the public key, for `signers` in [model] of score.toml.

    The file is a PEM as `openssl genpkey -algorithm ed25519` makes it. Raises `KeyFileError` for any other, or one that
    others can read, and `MissingExtraError` without the library `cryptography` (extra `signing`).
    """
    serialization = _cryptography("serialization")
    ed25519 = _cryptography("asymmetric.ed25519")
    descriptor = open_private(path, name=path.name)
    try:
        content = read_few(descriptor, name=path.name)
    finally:
        os.close(descriptor)
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except Exception:
        key = None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise KeyFileError(f"{path.name} holds no private Ed25519 key as PEM", _MAKE_ONE)
    public = key.public_key().public_bytes_raw().hex()

    def sign(sums: bytes) -> bytes:
        return _text(public, key.sign(_BEGINNING + sums).hex())

    return sign, public


def stop_on_unsigned(files: Mapping[str, bytes], trust: ModelSettings | None, folder: Path) -> None:
    """Refuse a bundle whose signature is damaged or, where the settings name signers, not of one of them.

    Raises `BundleError`, and `MissingExtraError` where signers are named and `cryptography` is not installed.
    """
    public, signature = _read(files[SIGNATURE], folder) if SIGNATURE in files else (None, "")
    if trust is None or not trust.signers:
        return
    if public not in trust.signers:
        why = "has no signature" if public is None else "is signed by someone who is not among `signers`"
        raise BundleError(f"{folder.name}: {why}", "have it signed by a signer named in [model] of score.toml")
    ed25519 = _cryptography("asymmetric.ed25519")
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), _BEGINNING + files[SUMS])
    except Exception:
        raise BundleError(
            f"{folder.name}: the signature is not one of these files", "copy the bundle again from its maker"
        ) from None


def _cryptography(module: str) -> Any:
    library("cryptography", extra="signing", wanted_for="a signature")
    return import_module(f"cryptography.hazmat.primitives.{module}")


def trained_on(facts: Mapping[str, Any]) -> date:
    """The latest day that a bundle was measured, or moved to a place, from: what tells a newer one from an older.

    >>> trained_on({"training": {"cut_offs": {"fit": ["2023-08-24"], "test": ["2025-08-24"]}}})
    datetime.date(2025, 8, 24)
    """
    days = [day for days in facts["training"]["cut_offs"].values() for day in days]
    if "recalibration" in facts:
        days.append(facts["recalibration"]["cut_off"])
    return max(map(date.fromisoformat, days))


def stop_on_older(facts: Mapping[str, Any], trust: ModelSettings | None, folder: Path) -> None:
    """Refuse a bundle that was trained on records of an earlier day than the settings ask for."""
    if trust is None or trust.trained_on_or_after is None:
        return
    with damage_told(folder):
        day = trained_on(facts)
    if day < trust.trained_on_or_after:
        raise BundleError(
            f"{folder.name}: was trained on records up to {day}, and the settings ask for {trust.trained_on_or_after}",
            "put the newer bundle back, or change `trained_on_or_after` in [model] of score.toml",
        )


def _text(public: str, signature: str) -> bytes:
    """The signature with a sum of its own, so that damage shows where nobody asks for a signature."""
    told = f"ed25519 {public}\n{signature}\n"
    return f"{told}{hashlib.sha256(told.encode()).hexdigest()}\n".encode()


def _read(content: bytes, folder: Path) -> tuple[str, str]:
    told = content.decode("ascii", errors="replace")
    match = _FORM.match(told)
    if match is None or _text(match[1], match[2]) != content:
        raise BundleError(f"{folder.name}: {SIGNATURE} was changed", "copy the bundle again from its maker")
    return match[1], match[2]
