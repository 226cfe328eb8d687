"""What the software is made of: each package with a licence that is allowed, in a list that scanners read."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.evidence import counted

from tools.supply.__main__ import main
from tools.supply.licences import agrees, faults, read_licences
from tools.supply.lock import Package, read_lock

ROOT = Path(__file__).parents[2]
LICENCES, ALLOWED = read_licences()


def package(name: str = "polars") -> Package:
    return Package(name, "1.0", "", ("0" * 64,), ("ageingwell",))


def test_every_package_of_the_lock_file_has_an_allowed_licence_that_it_says_itself() -> None:
    names = {one.name for one in read_lock()}
    wrong = faults(read_lock(), LICENCES, ALLOWED)
    counted("S8.licences", len(names), len(wrong))

    assert wrong == []
    assert set(LICENCES) == names, "a package that is no longer locked"


def test_a_licence_that_is_missing_not_allowed_or_said_otherwise_is_told() -> None:
    assert faults([package("nobody-knows")], {}, ALLOWED) == [
        "nobody-knows: no licence is listed in tools/supply/licences.toml"
    ]
    assert faults([package()], {"polars": "AGPL-3.0-only"}, ALLOWED) == [
        "polars: AGPL-3.0-only is not on the allowed list"
    ]
    assert "says MIT License" in faults([package()], {"polars": "Zlib"}, ALLOWED)[0]
    assert agrees("MIT OR Apache-2.0", ["MIT License", "Apache Software License"])


def test_the_lock_file_is_read_whole() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    packages = read_lock()

    assert len(packages) == len(re.findall(r"^[a-z0-9._-]+(\[.*\])?==", text, flags=re.MULTILINE))
    assert sum(len(one.sha256) for one in packages) == text.count("--hash=sha256:")
    assert all(one.needed_by for one in packages)
    numpys = [(one.version, one.when) for one in packages if one.name == "numpy"]
    assert len({when for _, when in numpys}) == len(numpys)


def test_the_list_for_scanners_has_what_cyclonedx_asks_for(tmp_path: Path) -> None:
    """The fields that version 1.6 of the specification requires, and references that lead somewhere."""
    assert main(["--sbom", str(tmp_path / "one.json")]) == main(["--sbom", str(tmp_path / "two.json")]) == 0

    told = json.loads((tmp_path / "one.json").read_text())
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert (told["bomFormat"], told["specVersion"], told["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(
        r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", told["serialNumber"]
    )
    components = [told["metadata"]["component"], *told["components"]]
    references = [one["bom-ref"] for one in components]
    assert len(set(references)) == len(references) == len(read_lock()) + 1
    for one in components:
        assert one["type"] in ("application", "library")
        assert one["name"]
        assert one["version"]
        for licence in one["licenses"]:
            assert (set(licence) == {"expression"} and len(one["licenses"]) == 1) or set(licence["license"]) in (
                {"id"},
                {"name"},
            )
        assert all(re.fullmatch("[0-9a-f]{64}", found["content"]) for found in one.get("hashes", ()))
    assert [one["ref"] for one in told["dependencies"]] == references
    assert {to for one in told["dependencies"] for to in one["dependsOn"]} <= set(references)
    assert len(told["dependencies"][0]["dependsOn"]) > 10


def test_no_known_holes_are_told_where_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)

    assert main(["--vulnerabilities"]) == 0
    assert "not run" in capsys.readouterr().out


@pytest.mark.slow
def test_a_wheel_built_twice_is_the_same_file(tmp_path: Path) -> None:
    """Built from two copies of the project in two places, of other times."""
    wheels = []
    for name in ("one", "two elsewhere"):
        project = tmp_path / name / "project"
        project.parent.mkdir()
        copy_of_project(project)
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / name)]
        ran = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        wheels += list((tmp_path / name).glob("*.whl"))

    same = wheels[0].read_bytes() == wheels[1].read_bytes()
    counted("S8.wheel", 1, int(not same))
    assert same


def copy_of_project(to: Path) -> None:
    from shutil import copyfile, copytree, ignore_patterns

    to.mkdir()
    for part in ("src", "configs", "models"):
        copytree(ROOT / part, to / part, ignore=ignore_patterns("__pycache__"), copy_function=copyfile)
    for part in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        copyfile(ROOT / part, to / part)
