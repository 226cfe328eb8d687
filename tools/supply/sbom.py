"""The list of what the software is made of, in the form that scanners read: CycloneDX 1.6.

Written by hand, because the form is small: https://cyclonedx.org/docs/1.6/json/. The same lock file gives the same
bytes.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tools.supply.licences import parts_of
from tools.supply.lock import OURS, Package

SPEC: Final = "1.6"


def sbom(packages: Sequence[Package], licences: Mapping[str, str], *, version: str) -> dict[str, Any]:
    """The list as plain data."""
    ours = {"type": "application", "bom-ref": f"{OURS}@{version}", "name": OURS, "version": version}
    content = json.dumps([vars(package) for package in packages], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "serialNumber": f"urn:uuid:{uuid.UUID(hashlib.sha256(content.encode()).hexdigest()[:32], version=4)}",
        "version": 1,
        "metadata": {"component": ours | {"licenses": [{"license": {"id": "MIT"}}]}},
        "components": [_component(package, licences.get(package.name)) for package in packages],
        "dependencies": _dependencies(packages, ours["bom-ref"]),
    }


def as_json(told: Mapping[str, Any]) -> str:
    """The list as it is written."""
    return json.dumps(told, indent=1) + "\n"


def _reference(package: Package) -> str:
    return f"pkg:pypi/{package.name}@{package.version}"


def _component(package: Package, licence: str | None) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _reference(package),
        "name": package.name,
        "version": package.version,
        "purl": _reference(package),
        # One for each file that may be installed: a wheel for each system, and the source.
        "hashes": [{"alg": "SHA-256", "content": content} for content in package.sha256],
    }
    if licence is not None:
        simple = len(parts_of(licence)) == 1 and " WITH " not in licence and licence != "matplotlib"
        named = {"name": licence} if licence == "matplotlib" else {"id": licence}
        component["licenses"] = [{"license": named} if simple or licence == "matplotlib" else {"expression": licence}]
    if package.when:
        component["properties"] = [{"name": "ageingwell:installed_when", "value": package.when}]
    return component


def _dependencies(packages: Sequence[Package], ours: str) -> list[dict[str, Any]]:
    asked: dict[str, set[str]] = {OURS: set(), **{package.name: set() for package in packages}}
    for package in packages:
        for who in package.needed_by:
            asked.setdefault(who, set()).add(_reference(package))
    ours_first = {"ref": ours, "dependsOn": sorted(asked[OURS])}
    return [ours_first, *({"ref": _reference(one), "dependsOn": sorted(asked[one.name])} for one in packages)]
