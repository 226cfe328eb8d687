"""Seal a bundle again: after its card was filled in, to sign it, or because an earlier version made it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ageingwell.bundle import CARD, FACTS, SEALED_SINCE, read_bundle
from ageingwell.checksums import SUMS
from ageingwell.disk import DISK, Disk
from ageingwell.errors import BundleError
from ageingwell.learning.storing import write_files
from ageingwell.model.saving import AGAIN, as_found, checked, damage_told
from ageingwell.model.signing import signer_of
from ageingwell.shown import Screen, Shown


@dataclass(frozen=True, repr=False)
class Sealed(Shown):
    """A sealed bundle's folder, the SHA-256 of its `SHA256SUMS`, the public key that signed, and what to know of it."""

    folder: Path
    sums_sha256: str
    signer: str | None
    told: tuple[str, ...] = ()

    def _screen(self) -> Screen:
        facts = {"folder": self.folder, "SHA-256 of its sums": self.sums_sha256, "signed by": self.signer or "nobody"}
        return Screen("Sealed bundle", facts, hint=" ".join(self.told))


def seal(bundle: str | Path, *, sign: str | Path | None = None, disk: Disk = DISK) -> Sealed:
    """Write a bundle's sums again, and sign them with the private key in the file `sign` if there is one.

    The card may have been edited since it was sealed, and nothing else: raises `BundleError` where any other file was
    changed. Of a bundle that an earlier version made without sums only the hashes in `bundle.json` can be checked.
    """
    folder = Path(bundle)
    files = as_found(folder)
    told = _told_of(files, folder)
    read_bundle(files, folder)
    signer, public = (None, None) if sign is None else signer_of(Path(sign))
    write_files(files, folder, sign=signer, disk=disk)
    sums = as_found(folder)[SUMS]
    return Sealed(folder, hashlib.sha256(sums).hexdigest(), public, told)


def _told_of(files: dict[str, bytes], folder: Path) -> tuple[str, ...]:
    """Check what can be checked, and say what cannot."""
    if SUMS in files:
        checked(files, folder, but={CARD})
        return ()
    if _format_of(files, folder) >= SEALED_SINCE:
        raise BundleError(f"{folder.name}: {SUMS} is missing, so nobody can say whether it was changed", AGAIN)
    return (
        "An earlier version made this bundle without sums: from now on a change shows, but nobody "
        "can say whether it was changed before.",
    )


def _format_of(files: Mapping[str, bytes], folder: Path) -> int:
    with damage_told(folder):
        if FACTS not in files:
            raise BundleError("there is no model bundle here", "name a bundle folder")
        return int(json.loads(files[FACTS])["format"])
