"""Slips of the keyboard in settings: every single-letter edit of every key is told with the key that was meant."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.evidence import counted
from pydantic import ValidationError

from ageingwell.config.costs import CostsSettings
from ageingwell.config.files import Settings, mistakes, read_toml, shipped
from ageingwell.config.load import Agencies, load_config
from ageingwell.config.may_lower import MayLower
from ageingwell.config.outreach import Interventions, OutreachSettings
from ageingwell.config.plain import mistake_in
from ageingwell.config.score import Ledger, ScoreSettings, TrainSettings
from ageingwell.config.services import ServicesSettings
from ageingwell.errors import ConfigError

FILES: dict[str, type[Settings]] = {
    "score.toml": ScoreSettings,
    "agencies.toml": Agencies,
    "permissions.toml": Ledger,
    "outreach.toml": OutreachSettings,
    "interventions.toml": Interventions,
    "may_lower.toml": MayLower,
    "services.toml": ServicesSettings,
    "costs.toml": CostsSettings,
    "train.toml": TrainSettings,
}


def edits(key: str) -> Iterator[str]:
    """At every place one edit of a letter: lost, doubled, changed, swapped with the next, in turn."""
    for at in range(len(key)):
        swapped = key[:at] + key[at : at + 2][::-1] + key[at + 2 :]
        changed = key[:at] + ("x" if key[at] != "x" else "y") + key[at + 1 :]
        yield (key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:], changed, swapped)[at % 4]


def test_every_single_letter_edit_of_every_key_is_refused_with_the_key_that_was_meant(tmp_path: Path) -> None:
    n = accepted = right = 0
    for name, model in FILES.items():
        file = tmp_path / name
        file.touch()
        for trail, keys in _fields(model):
            for key in keys:
                for edit in dict.fromkeys(edits(key)):
                    if edit in keys or not edit or edit == key:
                        continue
                    said: dict[str, Any] = {edit: 1}
                    for part in reversed(trail):
                        said = {part: said}
                    told = _told(model, file, said, edit)
                    n += 1
                    accepted += told is None
                    right += told is not None and f"did you mean `{key}`?" in told

    counted("S5.edits", n, accepted)
    counted("S5.suggestions", n, 0 if right >= 0.95 * n else n - right, note="at least 95 in 100 name the key meant")
    assert n > 1_000
    assert accepted == 0
    assert right >= 0.95 * n


def _told(model: type[Settings], file: Path, said: dict[str, Any], edit: str) -> str | None:
    try:
        model.model_validate(said)
    except ValidationError as fault:
        return next((line for line in mistakes(model, file, fault) if f"{edit}`: there is no such key" in line), None)
    return None


def _fields(model: type[Settings], trail: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    yield trail, list(model.model_fields)
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from _fields(field.annotation, (*trail, name))


# Values that Pydantic or TOML would quietly take for another, and where.
VALUES = {
    "a number without an end": ("score.toml", "memory_gib = inf", "write a number that has an end"),
    "no number": ("score.toml", "max_refused_share = nan", "write a number that has an end"),
    "a number beyond all": ("score.toml", "memory_gib = 1e308", "write a number up to"),
    "10^21": ("score.toml", "seed = 1000000000000000000000", "write a number up to"),
    "5,000 digits": ("score.toml", f"seed = {'1' * 5000}", "not valid TOML"),
    "true for a number": ("score.toml", "minimum_age = true", "write a number, not true or false"),
    "true for a share": ("score.toml", "max_lost_share = true", "write a number, not true or false"),
    "text for a number": ("score.toml", 'max_lost_share = "0.5"', "write a number, without quotes"),
    "a number for yes": ("score.toml", "annex_charts = 1", "write true or false"),
    "text for yes": ("score.toml", 'annex_charts = "no"', "write true or false, without quotes"),
    "a NUL in a name": ("score.toml", 'outreach = "a\\u0000b"', "holds a character that cannot be seen"),
    "no code lists": ("score.toml", 'codelists = ""', "write at least 1 characters"),
    "a folder for a file": ("score.toml", 'agencies = "."', "cannot be read"),
    "nested text": ("score.toml", f"seed = {'[' * 3000}{']' * 3000}", "not valid TOML"),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_value_that_would_be_taken_for_another_is_named(case: str, tmp_path: Path) -> None:
    file, line, told = VALUES[case]
    text = (shipped("configs") / file).read_text(encoding="utf-8")
    key = line.split(" = ")[0]
    others = "\n".join(one for one in text.splitlines() if not one.startswith(f"{key} ="))
    (tmp_path / file).write_text(f"{line}\n{others}\n", encoding="utf-8")

    with pytest.raises(ConfigError) as fault:
        load_config(tmp_path / file)

    assert told in fault.value.found


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8-sig", None), ("utf-16", "save it again as UTF-8"), ("utf-32", "as UTF-8")]
)
def test_a_byte_order_mark_is_no_mistake_and_another_encoding_is_named(
    name: str, encoding: str, told: str | None, tmp_path: Path
) -> None:
    text = (shipped("configs") / name).read_text(encoding="utf-8")
    (tmp_path / name).write_bytes(text.encode(encoding))

    if told is None:
        assert read_toml(tmp_path / name)
        return
    with pytest.raises(ConfigError, match=f"{name}.*{told}"):
        read_toml(tmp_path / name)


def test_true_is_no_number_in_any_key() -> None:
    """Every key of every file that takes numbers and no yes or no, whatever section it stands in."""
    n = 0
    for model in FILES.values():
        for _, fields in _every_model(model):
            for name, field in fields.items():
                told = mistake_in(True, field.annotation)
                is_number = any(word in str(field.annotation) for word in ("int", "float")) and "bool" not in str(
                    field.annotation
                )
                is_section = "ageingwell" in str(field.annotation)
                if is_number and not is_section:
                    n += 1
                    assert told == "write a number, not true or false", name
    assert n > 60


def _every_model(model: type[Settings]) -> Iterator[tuple[type[Settings], dict[str, Any]]]:
    yield model, dict(model.model_fields)
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from _every_model(field.annotation)


@pytest.mark.parametrize("file", ["services.toml", "interventions.toml"])
def test_a_misspelt_need_is_told_with_the_need_that_was_meant(file: str, tmp_path: Path) -> None:
    for name in ("score.toml", file):
        shutil.copy(shipped("configs") / name, tmp_path / name)
    text = (tmp_path / file).read_text(encoding="utf-8")
    (tmp_path / file).write_text(text.replace("[needs.cold_home]", "[needs.cold_hom]"), encoding="utf-8")

    with pytest.raises(ConfigError, match="no rule finds such a need; did you mean `cold_home`"):
        load_config(tmp_path / "score.toml")


def test_a_misspelt_need_that_is_kept_out_of_the_lot_is_told_and_nobody_is_drawn_by_mistake(tmp_path: Path) -> None:
    for name in ("score.toml", "outreach.toml"):
        shutil.copy(shipped("configs") / name, tmp_path / name)
    outreach = tmp_path / "outreach.toml"
    text = outreach.read_text(encoding="utf-8")
    changed = text.replace("lot_never_needs = []", 'lot_never_needs = ["cold_home", "isolaton"]')
    assert changed != text
    outreach.write_text(changed, encoding="utf-8")

    with pytest.raises(ConfigError, match=r"outreach\.toml: `lot_never_needs`: no rule finds the need `isolaton`"):
        load_config(tmp_path / "score.toml")


def test_limits_are_raised_for_all_tables_or_for_one(tmp_path: Path) -> None:
    for name in ("score.toml", "agencies.toml"):
        shutil.copy(shipped("configs") / name, tmp_path / name)
    agencies = tmp_path / "agencies.toml"
    text = agencies.read_text(encoding="utf-8")
    agencies.write_text(text + "\n[limits]\ncolumns = 5000\n[homes.reader.limits]\ncolumns = 9000\n", encoding="utf-8")

    tables = load_config(tmp_path / "score.toml").tables

    assert {name: table.reader.limits.columns for name, table in tables.items() if table.reader.limits} == {
        name: 9000 if name == "homes" else 5000 for name in tables
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("costs.toml", '[outcomes.emergency_admission]\nper = "event"\n', "none of: emergency_admissions"),
        ("costs.toml", '[completed.isolation]\nper = "hour"\n', "`completed.isolation.per` has to be `person`"),
    ],
)
def test_a_mistake_of_the_file_as_a_whole_names_no_empty_key(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValidationError) as found:
        FILES[name].model_validate(read_toml(path))

    (line,) = mistakes(FILES[name], path, found.value)
    assert line.startswith(f"{name}: `")
    assert "``" not in line
    assert said in line
