"""What the audit log says of a night that was published: its manifest, and each recipient's list, by their SHA-256."""

import hashlib
from pathlib import Path
from typing import Any

from ageingwell.audit.uses import files_digest
from ageingwell.register import LEAD_AGENCIES


def published_as(folder: Path) -> dict[str, Any]:
    """The name of a night's folder, the SHA-256 of its manifest, and one for each recipient's files together."""
    manifest = folder / "manifest.json"
    return {
        "folder": folder.name,
        "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else None,
        "lists": {
            who: files_digest(found)
            for who in (*LEAD_AGENCIES, "group", "safeguarding")
            if (found := _files_of(who, folder))
        },
    }


def _files_of(recipient: str, folder: Path) -> dict[str, bytes]:
    """Every file a recipient is given of a night; of GP practices the part of each one too."""
    is_agency = recipient in LEAD_AGENCIES
    patterns = [f"agencies/{recipient}.*", f"agencies/{recipient}/*.*"] if is_agency else [f"{recipient}.*"]
    found = {path for pattern in patterns for path in folder.glob(pattern) if path.is_file()}
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(found)}
