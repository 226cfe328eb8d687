"""`status` is good after a good night, and says in one sentence what is wrong after every other one."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.counties import NIGHT, copy_of
from helpers.evidence import counted

from ageingwell.audit.uses import Asked, begin, logged
from ageingwell.audit.writing import head_file
from ageingwell.cli import cli
from ageingwell.config.load import Config, load_config
from ageingwell.context import Surroundings
from ageingwell.errors import ChangeError, SourceError
from ageingwell.jobs.standing import Standing, status
from ageingwell.kept.sealed import digest_of_night, seal_night
from ageingwell.night.score import score
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.mark import set_mark
from ageingwell.synthetic.county import CountyPlan, synthesise

PUBLISHED = datetime(2026, 11, 22, 19, tzinfo=UTC)
NEXT_MORNING = PUBLISHED + timedelta(hours=13)


def world(at: datetime = NEXT_MORNING) -> Surroundings:
    return Surroundings(now=lambda: at, user="svc-outreach")


@pytest.fixture(scope="module")
def good(settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night of a small county, published on the evening of its day, with everything sent and in time."""
    folder = tmp_path_factory.mktemp("good")
    synthesise(CountyPlan(people=60, seed=3), folder / "county")
    done = score(
        folder / "county", as_of=NIGHT, out=folder / "out", config=load_config(settings), surroundings=world(PUBLISHED)
    )
    # Whatever the made-up agencies did not send in time is not what is tried here.
    manifest = done.folder / "manifest.json"
    told = json.loads(manifest.read_text()) | {"late": [], "missing": [], "is_degraded": False}
    manifest.write_text(json.dumps(told))
    _tell_manifest(folder / "out")
    return folder


def _tell_manifest(out: Path) -> None:
    from hashlib import sha256

    sha = sha256((out / str(NIGHT) / "manifest.json").read_bytes()).hexdigest()
    with logged(out / "audit.jsonl", Asked("score"), world=world(PUBLISHED)) as use:
        use.tell(folder=str(NIGHT), manifest_sha256=sha)


@pytest.fixture
def out(good: Path, tmp_path: Path) -> Path:
    copy_of(good / "out", tmp_path / "out")
    (tmp_path / "out").chmod(0o700)
    return tmp_path / "out"


def night(out: Path) -> Path:
    return out / str(NIGHT)


def changed_manifest(out: Path, **told: object) -> None:
    """Another manifest, which the log knows: it was published so."""
    path = night(out) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | told))
    _tell_manifest(out)


def stopped(out: Path, command: str, fault: Exception) -> None:
    with pytest.raises(type(fault)), logged(out / "audit.jsonl", Asked(command), world=world(PUBLISHED)):
        raise fault


def cut_log(out: Path) -> None:
    lines = (out / "audit.jsonl").read_bytes().splitlines(keepends=True)
    (out / "audit.jsonl").write_bytes(b"".join(lines[:-1]))
    head_file(out / "audit.jsonl").unlink()


def half_a_line(out: Path) -> None:
    with (out / "audit.jsonl").open("ab") as file:
        file.write(b'{"n": 5, "at"')


def later_night(out: Path, name: str, *, is_current: bool, **told: object) -> None:
    shutil.copytree(night(out), out / name)
    manifest = out / name / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | told))
    if is_current:
        (out / "current").unlink()
        (out / "current").symlink_to(name)


def another_key(out: Path) -> None:
    changed_manifest(out, key_fingerprint="tslbhgfbpgfp")
    later_night(out, "2026-11-23", is_current=True, key_fingerprint="bcdfghjklmnp")


def no_pointer(out: Path) -> None:
    (out / "current").unlink()


def pointer_to(out: Path, where: str) -> None:
    no_pointer(out)
    (out / "current").symlink_to(where)


def emptied(out: Path) -> None:
    shutil.rmtree(night(out))
    for path in out.iterdir():
        path.unlink()


# What happened, what the clock says, and which fault has to be found.
def sealed_again_under_a_later_night(out: Path) -> None:
    """The current night knows the one before it, which somebody changed and then sealed again."""
    before = night(out).with_name("2026-11-15")
    shutil.copytree(night(out), before)
    told = {"folder": before.name, "sums_sha256": digest_of_night(before)}
    changed_manifest(out, last_night=told)
    seal_night(night(out))
    (before / "needs.parquet").write_bytes((before / "list.parquet").read_bytes())
    seal_night(before)


SCENARIOS: list[tuple[str, Callable[[Path], object], datetime, str]] = [
    ("no run since the day before yesterday", lambda out: None, PUBLISHED + timedelta(hours=27), "not_happened"),
    ("no run for five weeks", lambda out: None, PUBLISHED + timedelta(days=36), "expired"),
    ("no folder", lambda out: shutil.rmtree(out), NEXT_MORNING, "no_folder"),
    ("an empty folder", emptied, NEXT_MORNING, "no_night"),
    ("the pointer is lost", no_pointer, NEXT_MORNING, "pointer"),
    ("the pointer leads nowhere", lambda out: pointer_to(out, "2026-11-21"), NEXT_MORNING, "pointer"),
    ("the pointer leads out", lambda out: pointer_to(out, "/etc"), NEXT_MORNING, "pointer"),
    (
        "a folder in the pointer's place",
        lambda out: (no_pointer(out), (out / "current").mkdir()),
        NEXT_MORNING,
        "pointer",
    ),
    (
        "a later night is not current",
        lambda out: later_night(out, "2026-11-23", is_current=False),
        NEXT_MORNING,
        "not_current",
    ),
    (
        "a revision is not current",
        lambda out: later_night(out, f"{NIGHT}.r2", is_current=False),
        NEXT_MORNING,
        "not_current",
    ),
    ("a night of next month", lambda out: later_night(out, "2026-12-20", is_current=True), NEXT_MORNING, "ahead"),
    ("an old night sealed again", sealed_again_under_a_later_night, NEXT_MORNING, "chain"),
    ("marked do not use", lambda out: set_mark(out, "Do not use the list. Why."), NEXT_MORNING, "do_not_use"),
    ("an empty mark", lambda out: (out / "DO_NOT_USE.txt").touch(), NEXT_MORNING, "do_not_use"),
    (
        "a table did not come",
        lambda out: changed_manifest(out, missing=["homes"], is_degraded=True),
        NEXT_MORNING,
        "degraded",
    ),
    ("a table came late", lambda out: changed_manifest(out, late=["homes"]), NEXT_MORNING, "late"),
    (
        "opt-outs of summer",
        lambda out: changed_manifest(out, inputs={"permissions": {"newest_on": "2026-08-01"}}),
        NEXT_MORNING,
        "opt_outs",
    ),
    ("no pages", lambda out: (night(out) / "WITHDRAWN.txt").write_text("no pages"), NEXT_MORNING, "no_pages"),
    ("the report is lost", lambda out: (night(out) / "report.html").unlink(), NEXT_MORNING, "lost_files"),
    ("a frame is lost", lambda out: (night(out) / "needs.parquet").unlink(), NEXT_MORNING, "lost_files"),
    ("the list is no Parquet", lambda out: (night(out) / "list.parquet").write_bytes(b"PAR1"), NEXT_MORNING, "list"),
    ("the manifest is no JSON", lambda out: (night(out) / "manifest.json").write_text("{"), NEXT_MORNING, "manifest"),
    ("the manifest is a list", lambda out: (night(out) / "manifest.json").write_text("[]"), NEXT_MORNING, "manifest"),
    (
        "the manifest is nested without end",
        lambda out: (night(out) / "manifest.json").write_text("[" * 100_000),
        NEXT_MORNING,
        "manifest",
    ),
    (
        "the manifest was edited",
        lambda out: (night(out) / "manifest.json").write_text(
            (night(out) / "manifest.json").read_text().replace('"made_up": true', '"made_up": false')
        ),
        NEXT_MORNING,
        "manifest_changed",
    ),
    ("another version's night", lambda out: changed_manifest(out, format=4), NEXT_MORNING, "format"),
    ("run.json is lost", lambda out: (night(out) / "run.json").unlink(), NEXT_MORNING, "lost_files"),
    ("run.json says nothing", lambda out: (night(out) / "run.json").write_text("{}"), NEXT_MORNING, "not_logged"),
    ("the log was cut", cut_log, NEXT_MORNING, "audit_log"),
    (
        "the log was removed",
        lambda out: [path.unlink() for path in out.glob("audit.jsonl*")],
        NEXT_MORNING,
        "audit_log",
    ),
    (
        "the log was edited",
        lambda out: (out / "audit.jsonl").write_bytes(
            (out / "audit.jsonl").read_bytes().replace(b"svc-outreach", b"svc-otureach", 1)
        ),
        NEXT_MORNING,
        "audit_log",
    ),
    ("a run died in the log", half_a_line, NEXT_MORNING, "audit_unfinished"),
    (
        "a run waits to be accepted",
        lambda out: stopped(out, "score", ChangeError("fewer people")),
        NEXT_MORNING,
        "waits",
    ),
    ("a run stopped", lambda out: stopped(out, "score", SourceError("no table")), NEXT_MORNING, "stopped"),
    ("a run died", lambda out: begin(out / "audit.jsonl", Asked("score"), world=world()), NEXT_MORNING, "died"),
    ("a withdrawal stopped", lambda out: stopped(out, "withdraw", SourceError("no table")), NEXT_MORNING, "withdrawal"),
    (
        "a withdrawal died",
        lambda out: begin(out / "audit.jsonl", Asked("withdraw"), world=world()),
        NEXT_MORNING,
        "withdrawal",
    ),
    ("a dead run's staging", lambda out: (out / ".staging-2026-11-23").mkdir(), NEXT_MORNING, "left_over"),
    (
        "another key",
        lambda out: later_night(out, "2026-11-23", is_current=True, list_key="bcdfghjklmnp"),
        NEXT_MORNING,
        "key_changed",
    ),
    ("another key of pseudonyms", another_key, NEXT_MORNING, "key_changed"),
    ("a list of a few days", lambda out: changed_manifest(out, expires_on="2026-11-22"), NEXT_MORNING, "expired"),
    (
        "a ledger that is none",
        lambda out: (out / "decisions.sqlite").write_bytes(b"no ledger" * 99),
        NEXT_MORNING,
        "ledger",
    ),
    ("a clock behind", lambda out: None, PUBLISHED - timedelta(hours=3), "clock"),
]


def of(out: Path, at: datetime = NEXT_MORNING, config: Config | Path | None = None) -> Standing:
    return status(out, config=config, surroundings=world(at))


def test_after_a_good_night_everything_is_good(out):
    found = of(out)
    assert found.faults == ()
    assert (found.facts["night"], found.facts["expires_on"]) == ("2026-11-22", "2026-12-27")
    assert found.facts["n_listed"] > 0


def test_whatever_did_not_happen_is_found_and_said_in_one_sentence(good, tmp_path):
    missed = []
    for number, (what, happens, at, kind) in enumerate(SCENARIOS):
        place = tmp_path / str(number) / "out"
        copy_of(good / "out", place)
        place.chmod(0o700)
        happens(place)
        found = of(place, at)
        kinds = [fault.kind for fault in found.faults]
        if kind not in kinds or any(
            not fault.found or not fault.remedy or "\n" in str(fault) for fault in found.faults
        ):
            missed.append((what, kinds, [str(fault) for fault in found.faults]))
    assert not missed
    counted("R10.scenarios", len(SCENARIOS), len(missed), note="scenarios in which a night is not to be relied on")


def test_a_mistake_in_the_settings_is_told_and_the_rest_is_looked_at(out, settings, tmp_path):
    copy = tmp_path / "settings"
    shutil.copytree(settings.parent, copy)
    with (copy / settings.name).open("a") as file:
        file.write("\n[nothing]\nof = 1\n")
    found = of(out, PUBLISHED + timedelta(days=2), config=copy / settings.name)
    assert [fault.kind for fault in found.faults] == ["settings", "not_happened"]


def test_a_run_that_is_going_on_is_not_left_over(out):
    begin(out / "audit.jsonl", Asked("score"), world=world())
    with publishing_lock(out, holder="process 1"):
        (out / ".staging-2026-11-23").mkdir()
        found = of(out)
    assert found.is_good
    assert found.facts["is_running"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
def test_a_folder_that_others_can_look_into_is_told(out):
    out.chmod(0o755)
    assert [fault.kind for fault in of(out).faults] == ["open"]


def test_nothing_is_written(out):
    before = sorted((path.name, path.stat().st_mtime_ns) for path in out.rglob("*"))
    of(out)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in out.rglob("*")) == before


def test_the_command_ends_with_17_and_every_fault_or_with_0(out):
    def run(*more: str):
        return CliRunner().invoke(cli, ["status", "--out", str(out), *more])

    # The command has the real clock: whatever day it is, that of the made-up night is past or to come.
    told = run()
    plain = run("--json")
    assert (told.exit_code, plain.exit_code) == (17, 17)
    assert "What to do:" in told.output
    assert not json.loads(plain.output)["is_good"]
    nothing = CliRunner().invoke(cli, ["status", "--out", str(out / "not there"), "--json"])
    assert (nothing.exit_code, json.loads(nothing.output)["faults"][0]["kind"]) == (17, "no_folder")


def an_empty_file(path: Path) -> None:
    path.touch()


def made_a_folder(path: Path) -> None:
    path.mkdir()


def a_link_that_leads_nowhere(path: Path) -> None:
    path.symlink_to("nowhere")


KINDS = (an_empty_file, made_a_folder, a_link_that_leads_nowhere)


@pytest.mark.parametrize("n_kinds", [1, pytest.param(len(KINDS), marks=pytest.mark.full)])
def test_any_file_of_a_night_may_be_of_any_kind_without_a_traceback(n_kinds, good, tmp_path):
    """Each file of the folder emptied, made a folder, or made a link that leads nowhere: in turn, or each in each."""
    spoilt = 0
    names = sorted(str(path.relative_to(good / "out")) for path in (good / "out").rglob("*") if path.is_file())
    names = [name for name in names if not name.startswith(f"current{os.sep}") and f"agencies{os.sep}" not in name]
    copy_of(good / "out", tmp_path / "out")
    for number, name in enumerate(names):
        path = tmp_path / "out" / name
        content = path.read_bytes()
        for turn in range(n_kinds):
            path.unlink()
            KINDS[(number + turn) % len(KINDS)](path)
            of(tmp_path / "out")
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            path.write_bytes(content)
            spoilt += 1
    assert spoilt > 33 * n_kinds
