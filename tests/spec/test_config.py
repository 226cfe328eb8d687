"""Settings: every mistake of every file at once, with file, line, key and what is allowed."""

import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from ageingwell.config.files import codes_of, read_codelists, shipped
from ageingwell.config.load import load_config
from ageingwell.errors import ConfigError

CONFIGS = shipped("configs")


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as stopped:
        load_config(folder / "score.toml")
    assert stopped.value.exit_code == 3
    first, *rest = stopped.value.found.splitlines()
    count = "1 mistake" if len(rest) == 1 else f"{len(rest)} mistakes"
    assert first == f"{count} in the settings:"
    return [line.strip() for line in rest]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A copy of the shipped settings to spoil."""
    for name in ("score.toml", "agencies.toml", "permissions.toml", "train.toml", "outreach.toml"):
        shutil.copy(CONFIGS / name, tmp_path / name)
    return tmp_path


def spoil(path: Path, old: str, new: str) -> int:
    """Replace a text and give the number of its line."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_shipped_settings_are_read() -> None:
    config = load_config()

    assert config.score.purpose == "direct_care"
    assert config.tables["care_events"].recorded_on == "started_on + 30d"
    assert len(config.digest) == 64
    assert load_config().digest == config.digest


def test_a_copy_beside_nothing_else_falls_back_on_what_is_shipped(tmp_path: Path) -> None:
    shutil.copy(CONFIGS / "score.toml", tmp_path / "mine.toml")
    spoil(tmp_path / "mine.toml", "seed = 1", "seed = 7")

    config = load_config(tmp_path / "mine.toml")

    assert config.score.seed == 7
    assert config.ledger == load_config().ledger
    assert config.digest != load_config().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "local"', 'name = "spark"\nspark = { master = "yarn", shared_folder = "/srv/shared" }'),
        ("processes = 1", "processes = 2"),
        ("threads = 2", "threads = 1"),
        ("seed = 1", "seed = 1\nmemory_gib = 8.0\nshards = 7"),
    ],
)
def test_where_and_how_a_night_is_worked_is_no_part_of_the_hash_of_its_settings(
    old: str, new: str, settings: Path
) -> None:
    before = load_config(settings / "score.toml").digest
    spoil(settings / "score.toml", old, new)
    assert load_config(settings / "score.toml").digest == before


def test_a_typing_mistake_is_named_with_its_line_and_the_likely_key(settings: Path) -> None:
    line = spoil(settings / "score.toml", "minimum_age", "minimun_age")

    told = mistakes(settings)

    assert f"score.toml, line {line}: `minimun_age`: there is no such key; did you mean `minimum_age`?" in told


def test_the_mistakes_of_several_files_are_told_at_once(settings: Path) -> None:
    first = spoil(settings / "agencies.toml", "lag_days = 14", "lag_days = -1")
    second = spoil(settings / "agencies.toml", 'recorded_on = "started_on + 30d"', 'recorded_on = "30 days later"')
    third = spoil(settings / "permissions.toml", "expires_on = 2099-12-31", 'expires_on = "soon"')
    spoil(settings / "train.toml", "trees", "threes")

    told = mistakes(settings)

    assert any(m.startswith(f"agencies.toml, line {first}: `gp_patients.lag_days`: write 0 or more") for m in told)
    assert f'agencies.toml, line {second}: `care_events.recorded_on`: write it as "started_on + 30d"' in told
    assert any(m.startswith("permissions.toml, line ") and "`permitted.0.expires_on`" in m for m in told)
    assert third > 0
    assert any("`threes`: there is no such key; did you mean `trees`?" in m for m in told)


def test_a_missing_section_and_a_wrong_label_are_told(settings: Path) -> None:
    spoil(settings / "agencies.toml", "[contacts]\nrequired = false", "")
    spoil(settings / "permissions.toml", '"direct_care"', '"marketing"')

    told = mistakes(settings)

    assert "agencies.toml: `contacts`: this key is missing" in told
    assert any("'direct_care', 'risk_stratification' or 'evaluation'" in m for m in told)


@pytest.mark.parametrize("broken", ["purpose = direct_care", "seed = 1\nseed = 2", "[a", "\udcff"])
def test_a_file_that_is_not_toml_is_named(broken: str, settings: Path) -> None:
    (settings / "score.toml").write_bytes(broken.encode("utf-8", "surrogateescape"))

    [told] = mistakes(settings)

    assert told.startswith(("score.toml: not valid TOML", "score.toml: is not text in UTF-8"))


@pytest.mark.parametrize(
    ("key", "old"),
    [
        ("agencies", '"agencies.toml"'),
        ("permissions", '"permissions.toml"'),
        ("training", '"train.toml"'),
        ("places", '"places.csv.gz"'),
    ],
)
def test_a_file_that_is_not_there_is_named(key: str, old: str, settings: Path) -> None:
    spoil(settings / "score.toml", f"{key} = {old}", f'{key} = "no-such-file"')

    assert [m for m in mistakes(settings) if m.startswith("no-such-file: there is no such")]


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such settings file"):
        load_config(tmp_path / "nowhere.toml")


def test_a_folder_in_place_of_a_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_config().score.seed = 2  # type: ignore[misc]


# --- Code lists ---


def lists(folder: Path, content: str | bytes) -> dict[str, tuple[str, ...]]:
    (folder / "fall.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_codelists(folder)


def test_a_code_list_is_read_by_its_name(tmp_path: Path) -> None:
    told = "code,term\n161898004,Falls\n 217082002 ,Accidental fall\n,\n"

    assert lists(tmp_path, told) == {"fall": ("161898004", "217082002")}
    assert lists(tmp_path, "\ufeff" + told) == {"fall": ("161898004", "217082002")}


@pytest.mark.parametrize("content", ["161898004,Falls\n", "", "Code,Term\n1,x\n", b"code,term\n1,caf\xe9\n"])
def test_a_code_list_of_another_shape_is_named(content: str | bytes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fall\.csv"):
        lists(tmp_path, content)


def test_a_missing_folder_of_code_lists_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no-lists: there is no such folder"):
        read_codelists(tmp_path / "no-lists")


def test_a_list_that_is_missing_or_empty_is_a_mistake_and_not_a_condition_nobody_has(tmp_path: Path) -> None:
    for codelists in ({}, lists(tmp_path, "code,term\n")):
        with pytest.raises(ConfigError, match="there is no list `fall`, or it is empty"):
            codes_of(codelists, "fall")
