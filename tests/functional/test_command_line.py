"""The command line: every fault ends with its exit code and one clear sentence, and leaves the last list current."""

import dataclasses
import json
import math
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner, Result
from helpers.counties import AUDIT, BESIDE_NIGHTS, NIGHT, add_rows, change, copy_of, hashes_of, listed, settings_file
from helpers.sealed import seal_again
from helpers.shared import Shared

from ageingwell.bundle import load_bundle
from ageingwell.cli import cli
from ageingwell.config.load import load_config
from ageingwell.errors import BundleError
from ageingwell.jobs import asking
from ageingwell.night import score as night
from ageingwell.publish import current, publishing_lock
from ageingwell.views.words import capital

NEXT = str(NIGHT + timedelta(days=7))


@pytest.fixture
def published(first_night: Path, tmp_path: Path) -> Path:
    """A county and its first published night, to change."""
    return copy_of(first_night, tmp_path / "here")


def run(*words: object) -> Result:
    ran = CliRunner().invoke(cli, [str(word) for word in words])
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return ran


def score(at: Path, settings: Path, *more: object, as_of: str = NEXT) -> Result:
    return run("score", "--data", at / "county", "--as-of", as_of, "--out", at / "out", "--config", settings, *more)


@dataclass(frozen=True)
class Told:
    """A folder with a night that `score` published, and what the command said of it: in words, and as JSON."""

    at: Path
    exit_code: int
    stdout: str
    stderr: str
    as_json: str


@pytest.fixture
def rough(first_night: Path, settings: Path, shared: Shared) -> Told:
    """The night after the first: the fire service is late, a row of the register is spoilt, and the last list was lost.

    It is worked out once for all tests that look at it, and told in both ways.
    """
    worked_out, done = night.score, []

    def once(*data: Path, **others: object) -> night.OutreachRun:
        done.extend([] if done else [worked_out(*data, **others)])
        return done[0]

    def make(folder: Path) -> None:
        at = copy_of(first_night, folder / "here")
        for table in ("fire_visits", "fire_incidents"):
            (at / "county" / f"{table}.parquet").unlink()
        spoilt = pl.when(pl.int_range(pl.len()) == 3).then(pl.lit("M")).otherwise("sex")
        change(at / "county", "gp_patients", lambda rows: rows.with_columns(sex=spoilt))
        (at / "out" / str(NIGHT) / "list.parquet").unlink()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(night, "score", once)
            ran, as_json = (score(at, settings, *more) for more in ((), ("--json",)))
        (folder / "said.json").write_text(json.dumps([ran.exit_code, ran.stdout, ran.stderr, as_json.stdout]))

    folder = shared.folder("a-rough-night", make)
    return Told(folder / "here", *json.loads((folder / "said.json").read_text()))


EXPLAINED: dict[tuple[str, str], asking.ExplainedPerson] = {}


@pytest.fixture
def explained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one person of the first night the same is worked out once, however it is asked for and told."""
    worked_out = asking.explain

    def explain(person: str, *data: Path, as_of: object, **others: object) -> asking.ExplainedPerson:
        if (person, str(as_of)) not in EXPLAINED:
            EXPLAINED[person, str(as_of)] = worked_out(person, *data, as_of=as_of, **others)
        return EXPLAINED[person, str(as_of)]

    monkeypatch.setattr(asking, "explain", explain)


def sentence(ran: Result) -> str:
    """What standard error ends with, after the stages told to a job scheduler; nothing else is there."""
    assert "Traceback" not in ran.output
    told = [line for line in ran.stderr.splitlines() if line and not line.startswith('{"event": "stage"')]
    return "\n".join(told)


# What may be wrong with the data


def missing(at: Path) -> None:
    (at / "county" / "gp_events.parquet").unlink()


def empty_file(at: Path) -> None:
    (at / "county" / "gp_events.parquet").write_bytes(b"")


def half_written(at: Path) -> None:
    path = at / "county" / "gp_events.parquet"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def no_rows(at: Path) -> None:
    change(at / "county", "gp_events", lambda rows: rows.clear())


def wrong_encoding(at: Path) -> None:
    path = at / "county" / "gp_patients.parquet"
    text = pl.read_parquet(path).with_columns(communication_need=pl.lit("déficient")).write_csv()
    path.unlink()
    path.with_suffix(".csv").write_bytes(text.encode("cp1252"))


def missing_column(at: Path) -> None:
    change(at / "county", "gp_events", lambda rows: rows.drop("code"))


def renamed_column(at: Path) -> None:
    change(at / "county", "gp_patients", lambda rows: rows.rename({"birth_month": "dob"}))


def swapped_columns(at: Path) -> None:
    change(at / "county", "gp_events", lambda rows: rows.rename({"code": "code_system", "code_system": "code"}))


def versions_that_contradict(at: Path) -> None:
    other = pl.lit("needs a lip speaker")
    change(at / "county", "gp_patients", lambda rows: pl.concat([rows, rows.with_columns(communication_need=other)]))


def impossible_dates(at: Path) -> None:
    change(at / "county", "gp_patients", lambda rows: rows.with_columns(birth_month=pl.lit("2026-02-30")))


def unknown_labels(at: Path) -> None:
    change(at / "county", "gp_patients", lambda rows: rows.with_columns(sex=pl.lit("M")))


def invalid_codes(at: Path) -> None:
    change(at / "county", "gp_events", lambda rows: rows.with_columns(code=pl.lit("161898005")))


def no_permissions(at: Path) -> None:
    (at / "county" / "permissions.parquet").unlink()


def refused_permission(at: Path) -> None:
    add_rows(at / "county", "permissions", {"kind": "objection", "checked_on": NIGHT})


def empty_permissions(at: Path) -> None:
    change(at / "county", "permissions", lambda rows: rows.clear())


def stale_permissions(at: Path) -> None:
    change(at / "county", "permissions", lambda rows: rows.with_columns(checked_on=NIGHT - timedelta(days=90)))


def two_candidates(at: Path) -> None:
    (at / "county" / "homes.csv").write_text("household_id\n")


def no_folder(at: Path) -> None:
    shutil.rmtree(at / "county")


def broken_mark(at: Path) -> None:
    (at / "county" / "synthetic.json").write_text("{")


FAULTS: dict[Callable[[Path], None], tuple[int, str]] = {
    missing: (4, "gp_events: the table is required and was not found"),
    empty_file: (4, "gp_events.parquet"),
    half_written: (4, "gp_events.parquet"),
    no_rows: (4, "gp_events"),
    wrong_encoding: (4, "gp_patients.csv"),
    missing_column: (4, "gp_events.parquet: column `code` of gp_events missing"),
    renamed_column: (4, "gp_patients.parquet: column `birth_month` of gp_patients missing"),
    swapped_columns: (5, "gp_events: "),
    versions_that_contradict: (5, "tied_version"),
    impossible_dates: (5, "gp_patients.parquet, row 1; most often birth_month"),
    unknown_labels: (5, "gp_patients.parquet, row 1; most often sex"),
    invalid_codes: (5, "most often code"),
    no_permissions: (4, "permissions: the table is required"),
    refused_permission: (5, "permissions: 1 of "),
    empty_permissions: (6, "permissions: the table has no rows"),
    stale_permissions: (6, "permissions: not checked in the 35 days before the list"),
    two_candidates: (4, "homes: more than one candidate"),
    no_folder: (4, "county: there is no such data folder"),
    broken_mark: (4, "synthetic.json: cannot be read"),
}


@pytest.mark.sweep(of=5)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_bad_data_end_with_their_code_and_a_sentence_and_leave_the_list_current(published, settings, fault):
    before = hashes_of(published / "out" / str(NIGHT))
    fault(published)
    code, words = FAULTS[fault]

    ran = score(published, settings)

    assert ran.exit_code == code
    assert words in sentence(ran)
    assert len(sentence(ran).splitlines()) == 1
    assert "What to do: " in sentence(ran)
    assert current(published / "out") == published / "out" / str(NIGHT)
    assert hashes_of(published / "out" / str(NIGHT)) == before
    assert ran.stdout == ""


def test_a_few_bad_rows_are_refused_and_the_run_goes_on(rough):
    assert rough.exit_code == 0
    refused = pl.read_parquet(rough.at / "out" / NEXT / "refused" / "gp_patients.parquet")
    assert refused.rows() == [("gp_patients.parquet", 4, "sex", ["unknown_label"])]


def test_a_late_agency_degrades_the_run_and_is_told(rough):
    assert rough.exit_code == 0
    assert "fire_visits" in rough.stderr
    assert json.loads((rough.at / "out" / NEXT / "manifest.json").read_text())["is_degraded"] is True


# Permissions, keys, bundles, settings


def test_a_lapsed_line_of_the_ledger_is_named(published, bundle, tmp_path):
    spoilt = settings_file(tmp_path / "set", bundle=bundle, permissions={"purposes": ["evaluation"]})

    ran = score(published, spoilt)

    assert ran.exit_code == 6
    assert "gp_patients for direct_care, to group: not listed" in sentence(ran)


def test_real_records_need_a_key_a_ledger_and_a_bundle_of_their_own(published, settings, tmp_path):
    (published / "county" / "synthetic.json").unlink()
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)

    assert score(published, settings).exit_code == 7
    assert score(published, settings, "--list-key-file", key).exit_code == 8
    insisted = score(published, settings, "--list-key-file", key, "--allow-made-up-bundle")
    assert insisted.exit_code == 6
    assert "listed for made-up data only" in sentence(insisted)


@pytest.mark.parametrize(
    ("content", "mode"), [(None, 0), (b"short", 0o600), (bytes(32), 0o600), (b"a passphrase of many words", 0o600),
                          (bytes(range(32)) + b"xyz", 0o644)]
)  # fmt: skip
def test_a_bad_key_is_refused(published, settings, content, mode, tmp_path):
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)
        key.chmod(mode)

    ran = score(published, settings, "--list-key-file", key)

    assert ran.exit_code == 7
    assert content is None or content.decode("latin-1") not in ran.output
    assert current(published / "out").name == str(NIGHT)


def test_a_typo_in_the_settings_is_named_with_file_line_key_and_suggestion(published, settings, tmp_path):
    typo = tmp_path / "score.toml"
    typo.write_text(settings.read_text().replace("minimum_age", "minimun_age"))
    line = next(n for n, text in enumerate(typo.read_text().splitlines(), start=1) if text.startswith("minimun_age"))

    ran = score(published, typo)

    assert ran.exit_code == 3
    assert f"score.toml, line {line}: `minimun_age`: there is no such key; did you mean `minimum_age`?" in sentence(ran)


def test_every_mistake_of_every_settings_file_is_told_at_once(published, bundle, tmp_path):
    wrong = settings_file(
        tmp_path / "set", bundle=bundle, changes={"threads": 0}, outreach={"capacity.fire": -1, "bands": [20, 10]}
    )

    ran = score(published, wrong)

    assert ran.exit_code == 3
    assert all(word in sentence(ran) for word in ("threads", "capacity.fire", "bands"))


@pytest.mark.parametrize("settings_text", ["purpose = ", "\xff\xfe", None])
def test_settings_that_cannot_be_read(published, settings_text, tmp_path):
    path = tmp_path / "score.toml"
    if settings_text is not None:
        path.write_bytes(settings_text.encode("latin-1"))

    assert score(published, path).exit_code == 3


def one_byte_changed(bundle: Path) -> None:
    path = bundle / "model.txt"
    text = path.read_bytes()
    path.write_bytes(text.replace(b"leaf_value=0", b"leaf_value=1", 1) if b"leaf_value=0" in text else text[:-1])


def other_features(bundle: Path) -> None:
    _in_facts(bundle, lambda facts: facts["features"].update(age="0" * 64))


def other_version(bundle: Path) -> None:
    _in_facts(bundle, lambda facts: facts["versions"].update(lightgbm="3.2.1"))


def other_format(bundle: Path) -> None:
    _in_facts(bundle, lambda facts: facts.update(format=99))


def no_json(bundle: Path) -> None:
    (bundle / "bundle.json").write_text("{")
    seal_again(bundle)


def no_trees(bundle: Path) -> None:
    (bundle / "model.txt").unlink()


def _in_facts(bundle: Path, how: Callable[[dict], None]) -> None:
    facts = json.loads((bundle / "bundle.json").read_text())
    how(facts)
    (bundle / "bundle.json").write_text(json.dumps(facts))
    seal_again(bundle)


DAMAGES = (one_byte_changed, other_features, other_version, other_format, no_json, no_trees)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bundle_that_does_not_match_is_refused(bundle, settings, damage, tmp_path):
    damaged = copy_of(bundle, tmp_path / "bundle")
    damage(damaged)

    with pytest.raises(BundleError, match=r"^bundle: ") as stopped:
        load_bundle(damaged, codelists=load_config(settings).codelists)

    assert stopped.value.exit_code == 8


def test_a_bundle_that_does_not_match_stops_the_night(published, bundle, tmp_path):
    damaged = copy_of(bundle, tmp_path / "bundle")
    one_byte_changed(damaged)

    ran = score(published, settings_file(tmp_path / "set", bundle=damaged))

    assert ran.exit_code == 8
    assert sentence(ran).startswith("Error: bundle: ")
    assert current(published / "out").name == str(NIGHT)


# The output folder


def test_a_second_run_at_the_same_time_says_who_holds_the_lock(published, settings):
    holding = (
        "import sys, pathlib; from ageingwell.publish import publishing_lock\n"
        "with publishing_lock(pathlib.Path(sys.argv[1]), holder='process 4711'):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", holding, published / "out"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        ran = score(published, settings)
        other.stdin.close()

    assert ran.exit_code == 75
    assert "process 4711" in sentence(ran)
    # Whoever takes people off the list takes the same lock.
    assert run("withdraw", "--data", published / "county", "--as-of", NEXT, "--out", published / "out").exit_code == 0


def test_two_runs_in_one_process_do_not_share_the_lock_either(published, settings):
    codes = []
    with publishing_lock(published / "out", holder="this one"):
        thread = threading.Thread(target=lambda: codes.append(score(published, settings).exit_code))
        thread.start()
        thread.join()

    assert codes == [75]


def test_a_file_in_place_of_the_output_folder(published, settings):
    shutil.rmtree(published / "out")
    (published / "out").write_text("not a folder")

    ran = score(published, settings)

    assert ran.exit_code == 2
    assert "'--out'" in ran.stderr


def test_an_output_folder_in_a_folder_that_is_not_there(published, settings):
    ran = run("score", "--data", published / "county", "--as-of", NEXT, "--out", published / "no" / "out",
              "--config", settings)  # fmt: skip

    assert ran.exit_code == 9
    assert len(sentence(ran).splitlines()) == 1


def test_a_published_night_that_lost_a_file(rough):
    # No fault of an earlier night stops a new one; that nobody can be compared with it is told.
    assert rough.exit_code == 0
    assert "the last list cannot be read, so everyone counts as new".casefold() in rough.stderr.casefold()
    assert (rough.at / "out" / "current" / "list.parquet").is_file()


@contextmanager
def files_up_to(largest: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes; Python ignores the signal and sees an error."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of a file through RLIMIT_FSIZE")
@pytest.mark.parametrize("largest", [2_000, 40_000])
def test_a_disk_that_is_full_leaves_the_last_night(published, settings, largest):
    with files_up_to(largest):
        ran = score(published, settings)

    assert ran.exit_code == 9, ran.stderr
    assert "free space on the output folder's disk" in sentence(ran)
    assert current(published / "out").name == str(NIGHT)
    assert sorted(path.name for path in (published / "out").iterdir()) == sorted(
        [".lock", str(NIGHT), *BESIDE_NIGHTS, *AUDIT, "current"]
    )


# What works


def test_score_begins_with_the_count_and_ends_with_what_a_person_opens(rough):
    first, *_, opens = rough.stdout.partition("Open next:")
    assert re.match(rf"\d+ people on the list of {NEXT}\n", first)
    opened = [line.split("  ")[-1].strip() for line in opens.strip().splitlines()]
    named = ("report.html", "group.xlsx", "agencies", "commissioning.html", "annex.html")
    assert opened == [str(rough.at / "out" / NEXT / name) for name in named]
    assert [path for path in opened if not Path(path).exists()] == []
    assert "These are made-up people." in rough.stderr


def test_stages_are_told_on_a_pipe_only_when_asked_for_by_an_option_or_the_environment(
    rough, published, settings, monkeypatch
):
    missing(published)
    asked = score(published, settings, "--log", "json")
    monkeypatch.setenv("AGEINGWELL_LOG", "json")
    by_environment = score(published, settings)

    assert "stage" not in rough.stderr
    for loud in (asked, by_environment):
        lines = [json.loads(line) for line in loud.stderr.splitlines() if line.startswith('{"event": "stage"')]
        assert [line["stage"] for line in lines][:2] == ["withdraw", "read"]


def test_json_can_be_parsed(rough, published, settings, explained_once, tmp_path):
    data = ["--data", published / "county", "--config", settings]
    person = listed(published / "out" / str(NIGHT))[0]["person_id"]

    scored = json.loads(rough.as_json)
    checked = json.loads(run("check", *data, "--json").stdout)
    told = json.loads(run("explain", person, *data, "--as-of", NIGHT, "--json").stdout)
    made = json.loads(run("synth", "--people", 60, "--out", tmp_path / "made", "--json").stdout)

    assert scored["n_listed"] == len(listed(rough.at / "out" / NEXT))
    assert {table["table"] for table in checked["tables"]} == {
        path.stem for path in (published / "county").glob("*.parquet")
    }
    assert told["base"] + sum(reason["contribution"] for reason in told["reasons"]) == pytest.approx(
        log_odds(told["risk"])
    )
    assert made["n_people_65plus"] == 60


def log_odds(risk: float) -> float:
    return math.log(risk / (1 - risk))


def test_the_explanation_adds_up_and_says_what_the_list_says(published, settings, explained_once):
    night = published / "out" / str(NIGHT)
    row = listed(night)[0]

    ran = run("explain", row["person_id"], "--data", published / "county", "--as-of", NIGHT, "--config", settings)

    assert ran.exit_code == 0
    told = pl.read_parquet(night / "reasons.parquet").filter(pl.col("person_id") == row["person_id"])
    on_page = told.filter(pl.col("adds_in_100").is_not_null())
    lines = [line.split(maxsplit=1) for line in ran.stdout.splitlines() if line.startswith("  ") and ": " in line]
    assert sorted(whole_number(number) for number, _ in lines) == sorted(on_page["adds_in_100"])
    for text, adds in on_page.select("text", "adds_in_100").iter_rows():
        assert any(whole_number(number) == adds and f": {capital(text)} (" in words for number, words in lines)
    compared = pl.read_parquet(night / "compared.parquet").filter(pl.col("person_id") == row["person_id"])
    start, end = (math.floor(100 * risk + 0.5) for risk in (compared["peers_risk"][0], row["risk"]))
    others = [line for line in ran.stdout.splitlines() if line.startswith(("All other facts about ", "Most people in"))]
    rest = sum(whole_number(line.rpartition(": ")[2]) for line in others)
    assert start + sum(on_page["adds_in_100"]) + rest == end
    assert line_of(ran, "The sum: ").startswith(f"{start} ")
    assert line_of(ran, "The sum: ").endswith(f"= {end}")
    assert f"about {end} " in ran.stdout
    assert f"Among {compared['who'][0]}" in ran.stdout


def whole_number(text):
    return int(text.replace("−", "-"))


def line_of(ran, begin):
    return next(line.removeprefix(begin) for line in ran.stdout.splitlines() if line.startswith(begin))


def test_the_explanation_as_a_page(published, settings, explained_once, tmp_path):
    person = listed(published / "out" / str(NIGHT))[0]["person_id"]
    words = ["explain", person, "--data", published / "county", "--as-of", NIGHT, "--config", settings, "--page"]

    assert run(*words, tmp_path / "page.html").exit_code == 0
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert run(*words, tmp_path / "nowhere" / "page.html").exit_code == 9


def test_an_unknown_person_is_not_echoed(published, settings):
    ran = run("explain", "9990000018", "--data", published / "county", "--as-of", NIGHT, "--config", settings)

    assert ran.exit_code == 11
    assert "9990000018" not in ran.output
    assert "nobody of that pseudonym" in sentence(ran)


def test_check_tells_what_would_be_refused_and_writes_it(published, settings, tmp_path):
    unknown_labels(published)

    ran = run("check", "--data", published / "county", "--config", settings, "--refused-to", tmp_path / "refused")

    assert ran.exit_code == 5
    assert "problem: gp_patients: 100% of the rows break the contract; a night would stop" in ran.stdout
    refused = pl.read_parquet(tmp_path / "refused" / "gp_patients.parquet")
    assert refused.columns == ["file", "row_number", "column", "rules"]


def test_check_finds_nothing_wrong_with_the_made_up_county(published, settings):
    ran = run("check", "--data", published / "county", "--config", settings)

    assert ran.exit_code == 0
    assert "problem" not in ran.stdout


def test_places_that_cannot_be_written_are_told(published, settings, bundle, county, tmp_path):
    unknown_labels(published)
    (tmp_path / "file").write_text("in the way")
    data = ["--data", published / "county", "--config", settings]

    refused = run("check", *data, "--refused-to", tmp_path / "file" / "refused")
    trained = run("train", "--data", bundle.parent / "county", "--out", tmp_path / "file" / "model",
                  "--config", bundle.parent / "config" / "score.toml")  # fmt: skip
    made = run("synth", "--people", 60, "--out", tmp_path / "file" / "made")

    assert [ran.exit_code for ran in (refused, trained, made)] == [9, 9, 9]
    assert [len(sentence(ran).splitlines()) for ran in (refused, trained, made)] == [1, 1, 1]


def test_too_few_events_to_train_on(published, settings, tmp_path):
    ran = run("train", "--data", published / "county", "--out", tmp_path / "model", "--config", settings)

    assert ran.exit_code == 10
    assert "are needed" in sentence(ran)
    assert not (tmp_path / "model").exists()


# The first word


@pytest.mark.parametrize(
    "words", [["--help"], ["score", "--help"], ["score"], ["scored"], ["explain", "x", "--as-of", "22/11/2026"],
              ["synth", "--people", "none"]]
)  # fmt: skip
def test_help_and_mistyped_commands_import_nothing_heavy(words):
    asked = (
        "import sys; from ageingwell.cli import cli\n"
        "try: cli(sys.argv[1:])\n"
        "except SystemExit as end: code = end.code\n"
        "heavy = {'lightgbm', 'polars', 'pandera', 'numpy', 'scipy', 'sklearn'} & sys.modules.keys()\n"
        "print('imported:', sorted(heavy), 'code:', code)"
    )

    ran = subprocess.run([sys.executable, "-c", asked, *words], capture_output=True, text=True, check=False)

    assert ran.stdout.splitlines()[-1] == f"imported: [] code: {0 if '--help' in words else 2}"
    assert "Traceback" not in ran.stderr


def test_python_dash_m_ageingwell_is_the_same_command():
    ran = subprocess.run([sys.executable, "-m", "ageingwell", "--help"], capture_output=True, text=True, check=False)

    assert ran.returncode == 0
    assert {name for name in cli.commands if name in ran.stdout} == set(cli.commands)
    assert ran.stdout.startswith("Usage: python -m ageingwell ")


def test_every_option_has_its_help():
    for name, command in cli.commands.items():
        told = run(name, "--help").stdout
        options = [option for option in command.params if isinstance(option, click.Option)]
        assert all(option.opts[0] in told for option in options), name
        assert command.help, name


def test_results_are_frozen():
    from ageingwell.night.score import OutreachRun

    with pytest.raises(dataclasses.FrozenInstanceError):
        OutreachRun(Path(), True, True, None, {}).changed = False  # type: ignore[misc]


def test_a_command_that_somebody_stops_ends_as_a_shell_expects(published, settings, monkeypatch):
    from ageingwell.night import working

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    before = hashes_of(current(published / "out"))
    monkeypatch.setattr(working, "outreach_list", stopped)

    ran = score(published, settings)

    assert ran.exit_code == 130
    assert sentence(ran) == "Stopped. What was complete before stays as it was."
    assert hashes_of(current(published / "out")) == before
