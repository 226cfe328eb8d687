"""What one run leaves in its output folder, and what it says when it cannot."""

import errno
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.nights import FailingDisk, Recorder, files_of, leftovers, night, nights_in, run, write

from ageingwell.disk import Disk
from ageingwell.errors import LockedError, PublishError
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.nights import current, latest_before, revisions
from ageingwell.publish.staging import Published, publish_folder, staged


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "outreach"


def test_the_first_night_is_current_with_all_its_files(out: Path):
    published = run(out, "2026-11-22", night("A"))

    assert published == Published(folder=out / "2026-11-22", changed=True, is_current=True)
    assert current(out) == out / "2026-11-22"
    assert files_of(current(out)) == night("A")
    assert str((out / "current").readlink()) == "2026-11-22"
    assert leftovers(out) == []


def test_an_output_folder_that_is_not_there_has_no_nights(out: Path):
    assert current(out) is None
    assert revisions(out, "2026-11-22") == ()
    assert latest_before(out, "2026-11-22") is None


def test_the_next_night_takes_over_and_the_last_one_stays(out: Path):
    run(out, "2026-11-22", night("A"))
    run(out, "2026-11-23", night("B"))

    assert files_of(current(out)) == night("B")
    assert nights_in(out) == {"2026-11-22": night("A"), "2026-11-23": night("B")}


def test_the_same_night_again_with_the_same_bytes_adds_nothing(out: Path):
    run(out, "2026-11-22", night("A"))
    again = night("A") | {"run.json": b"another hour"}

    published = run(out, "2026-11-22", again)

    assert published == Published(folder=out / "2026-11-22", changed=False, is_current=True)
    assert nights_in(out) == {"2026-11-22": night("A")}
    assert leftovers(out) == []


def test_a_night_that_is_current_already_is_not_pointed_to_again(out: Path):
    run(out, "2026-11-22", night("A"))
    disk = Recorder()
    run(out, "2026-11-22", night("A"), disk=disk)
    assert not {operation for _, operation, _ in disk.moments} & {"rename", "make_link", "replace"}


@pytest.mark.parametrize(
    "other",
    [
        night("A") | {"list.parquet": b"PAR1 A B"},
        night("A") | {"list.parquet": b""},
        night("A") | {"annex.html": b""},
        night("A") | {"agencies/run.json": b"only the run's own run.json may differ"},
        {path: content for path, content in night("A").items() if path != "manifest.json"},
    ],
    ids=["same length", "shorter", "one more", "one more deep down", "one less"],
)
def test_the_same_night_with_any_other_byte_is_a_revision(out: Path, other: dict[str, bytes]):
    run(out, "2026-11-22", night("A"))

    published = run(out, "2026-11-22", other)

    assert published == Published(folder=out / "2026-11-22.r2", changed=True, is_current=True)
    assert nights_in(out) == {"2026-11-22": night("A"), "2026-11-22.r2": other}
    assert current(out) == out / "2026-11-22.r2"


def test_a_re_run_is_compared_with_the_last_revision_only(out: Path):
    for word in "ABA":  # a withdrawal taken back must become current again, not be found in the first revision
        run(out, "2026-11-22", night(word))

    assert [files_of(folder) for folder in revisions(out, "2026-11-22")] == [night("A"), night("B"), night("A")]
    assert current(out) == out / "2026-11-22.r3"


def test_revisions_count_as_numbers_and_skip_every_name_that_is_taken(out: Path):
    run(out, "2026-11-22", night("A"))
    (out / "2026-11-22.r10").mkdir()
    (out / "2026-11-22.r9").mkdir()
    (out / "2026-11-22.r11").write_text("a file, no night")

    published = run(out, "2026-11-22", night("B"))

    assert published.folder.name == "2026-11-22.r12"
    assert [folder.name for folder in revisions(out, "2026-11-22")] == [
        "2026-11-22",
        "2026-11-22.r9",
        "2026-11-22.r10",
        "2026-11-22.r12",
    ]


def test_an_older_night_run_again_does_not_take_over(out: Path):
    run(out, "2026-11-22", night("A"))
    run(out, "2026-11-23", night("B"))

    published = run(out, "2026-11-22", night("C"))

    assert published == Published(folder=out / "2026-11-22.r2", changed=True, is_current=False)
    assert current(out) == out / "2026-11-23"


def test_a_night_published_but_not_yet_current_becomes_so_when_run_again(out: Path):
    run(out, "2026-11-22", night("A"))
    run(out, "2026-11-23", night("B"))
    (out / "current").unlink()
    (out / "current").symlink_to("./2026-11-22/")  # as a person might set it, or a run killed at its last step leave it

    assert current(out) == out / "2026-11-22"
    assert run(out, "2026-11-23", night("B")) == Published(folder=out / "2026-11-23", changed=False, is_current=True)
    assert current(out) == out / "2026-11-23"


def test_the_previous_night_is_the_last_revision_of_the_latest_earlier_date(out: Path):
    for name, word in (("2026-11-20", "A"), ("2026-11-21", "B"), ("2026-11-21", "C"), ("2026-11-23", "D")):
        run(out, name, night(word))
    (out / "2026-11-22.bak").mkdir()
    (out / ".staging-2026-11-22").mkdir()

    assert latest_before(out, "2026-11-23") == out / "2026-11-21.r2"
    assert latest_before(out, "2026-11-21") == out / "2026-11-20"
    assert latest_before(out, "2026-11-20") is None


def test_what_dead_runs_left_is_swept_by_the_next_run(out: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    write_leftover = out / ".staging-2026-11-19" / "agencies"
    write_leftover.mkdir(parents=True)
    (write_leftover / "fire.csv").touch()
    (out / ".staging-2026-11-20").symlink_to(tmp_path / "elsewhere")
    (out / ".staging-pointer").symlink_to("2026-11-19")

    run(out, "2026-11-22", night("A"))

    assert leftovers(out) == []
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_a_night_that_fails_leaves_no_staged_folder(out: Path):
    def write_and_fail() -> None:
        with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
            write(folder, night("A"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()

    assert leftovers(out) == []
    assert current(out) is None


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_are_for_their_owner_alone_under_any_umask(out: Path, umask: int):
    before = os.umask(umask)
    try:
        with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
            (folder / "agencies").mkdir()
            (folder / "agencies" / "fire.csv").write_text("x")
            (folder / "list.parquet").write_text("x")
            (folder / "list.parquet").chmod(0o666)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            publish_folder(folder, out, name="2026-11-22")
    finally:
        os.umask(before)

    modes = {path.relative_to(out.parent): stat.S_IMODE(path.lstat().st_mode) for path in [out, *out.rglob("*")]}
    assert {str(path): oct(mode) for path, mode in modes.items() if path.name != "current"} == {
        "outreach": "0o700",
        "outreach/.lock": "0o600",
        "outreach/2026-11-22": "0o700",
        "outreach/2026-11-22/agencies": "0o700",
        "outreach/2026-11-22/agencies/fire.csv": "0o600",
        "outreach/2026-11-22/list.parquet": "0o600",
    }


def test_an_umask_that_shuts_out_even_the_owner_does_no_harm(out: Path):
    before = os.umask(0o377)
    try:
        with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
            modes = [stat.S_IMODE(path.stat().st_mode) for path in (out, out / ".lock", folder)]
    finally:
        os.umask(before)
    assert modes == [0o700, 0o600, 0o700]


def test_every_file_and_folder_is_on_the_disk_before_the_pointer_moves(out: Path):
    disk = Recorder()
    run(out, "2026-11-22", night("A"), disk=disk)

    done = [(operation, paths[0].name) for moment, operation, paths in disk.moments if moment == "after"]
    steps = ("sync_file", "sync_folder", "rename", "make_link", "replace")
    assert [step for step in done if step[0] in steps] == [
        ("sync_folder", out.parent.name),
        ("sync_file", "fire.csv"),
        ("sync_folder", "agencies"),
        ("sync_file", "list.parquet"),
        ("sync_file", "manifest.json"),
        ("sync_file", "run.json"),
        ("sync_folder", ".staging-2026-11-22"),
        ("rename", ".staging-2026-11-22"),
        ("sync_folder", "outreach"),
        ("make_link", ".staging-pointer"),
        ("replace", ".staging-pointer"),
        ("sync_folder", "outreach"),
    ]


# A share without symbolic links


class NoLinks(Disk):
    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        if operation == "make_link":
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_where_there_are_no_links_the_pointer_is_a_text_file_and_stays_one(out: Path):
    run(out, "2026-11-22", night("A"), disk=NoLinks())
    assert (out / "current.txt").read_text() == "2026-11-22"

    run(out, "2026-11-23", night("B"))  # links work again, as when the folder was copied to another disk

    assert files_of(current(out)) == night("B")
    assert not (out / "current").is_symlink()


def test_a_link_is_never_left_behind_beside_a_newer_text(out: Path):
    run(out, "2026-11-22", night("A"))

    with pytest.raises(PublishError, match="EPERM"):
        run(out, "2026-11-23", night("B"), disk=NoLinks())

    assert files_of(current(out)) == night("A")
    assert not (out / "current.txt").exists()


# A pointer that leads nowhere


def test_a_lost_current_night_stops_the_run_and_is_not_taken_for_a_first_one(out: Path):
    run(out, "2026-11-22", night("A"))
    shutil.rmtree(out / "2026-11-22")

    with pytest.raises(PublishError, match="`current` in the output folder leads to no published night"):
        current(out)
    with pytest.raises(PublishError, match="put that night's folder back"), publishing_lock(out, holder="process 1"):
        pytest.fail("found out only after the night's work")


@pytest.mark.parametrize("target", ["../2026-11-22", ".staging-2026-11-22", "/tmp", "2026-11-22/agencies", "current"])  # noqa: S108
def test_a_pointer_leads_to_a_night_beside_it_and_nowhere_else(out: Path, target: str):
    run(out, "2026-11-22", night("A"))
    (out / "current").unlink()
    (out / "current").symlink_to(target)

    with pytest.raises(PublishError, match="leads to no published night"):
        current(out)


def test_a_folder_in_the_pointers_place_is_named(out: Path):
    (out / "current").mkdir(parents=True)

    with pytest.raises(PublishError, match="`current` in the output folder is not a link"):
        run(out, "2026-11-22", night("A"))


# Mistakes of the caller


@pytest.mark.parametrize(
    "name", ["2026-1-5", "20261122", "2026-13-01", "2026-11-22.r2", "../2026-11-22", "", "current"]
)
def test_a_night_is_named_by_its_date(out: Path, name: str):
    with pytest.raises(ValueError):  # noqa: PT011
        run(out, name, night("A"))
    assert nights_in(out) == {}


def test_publishing_too_asks_for_a_date(out: Path, tmp_path: Path):
    with publishing_lock(out, holder="process 1"), pytest.raises(ValueError, match="a date written as"):
        publish_folder(tmp_path, out, name="20261122")


def test_a_link_in_a_staged_folder_is_not_published(out: Path):
    with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
        (folder / "list.parquet").symlink_to("/etc/hostname")
        with pytest.raises(PublishError, match="a link or a device"):
            publish_folder(folder, out, name="2026-11-22")
    assert nights_in(out) == {}


# A folder that cannot be written


def test_a_parent_that_is_not_there_is_said_so(tmp_path: Path):
    with pytest.raises(PublishError, match="the folder that is to hold the output folder is not there"):
        run(tmp_path / "no" / "outreach", "2026-11-22", night("A"))


def test_a_file_in_the_output_folders_place_is_said_so(out: Path):
    out.write_text("x")
    with pytest.raises(PublishError, match="belongs to something that is no folder"):
        run(out, "2026-11-22", night("A"))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, r"No space left on device \(ENOSPC\). What to do: free space on the output folder's disk"),
        (errno.EROFS, r"Read-only file system \(EROFS\). What to do: let this account write"),
        (errno.EIO, r"Input/output error \(EIO\). What to do: check the output folder and its disk"),
    ],
)
def test_an_error_says_the_kind_of_place_the_reason_and_what_to_do(out: Path, number: int, words: str):
    count = len((recorder := Recorder(), run(out, "2026-11-22", night("A"), disk=recorder))[0].moments)
    for at in range(0, count, 17):
        with pytest.raises(PublishError, match=words) as error:
            run(out, "2026-11-23", night("B"), disk=FailingDisk(at, number))
        assert "fire.csv" not in str(error.value)
        assert error.value.__cause__ is None
        assert error.value.__suppress_context__


def test_a_network_share_that_cannot_sync_a_folder_is_no_fault(out: Path, monkeypatch: pytest.MonkeyPatch):
    real = os.fsync

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    run(out, "2026-11-22", night("A"))
    assert files_of(current(out)) == night("A")


@pytest.mark.parametrize("is_kind", [stat.S_ISDIR, stat.S_ISREG], ids=["folder", "file"])
def test_what_fails_to_sync_for_another_reason_is_a_fault(
    out: Path, monkeypatch: pytest.MonkeyPatch, is_kind: Callable[[int], bool]
):
    run(out, "2026-11-22", night("A"))

    def fsync(descriptor: int) -> None:
        if is_kind(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(PublishError, match="EIO"):
        run(out, "2026-11-23", night("B"))
    assert files_of(current(out)) == night("A")


POLARS_NIGHT = """
import resource, sys
from pathlib import Path
import polars as pl
from ageingwell.errors import PublishError
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.staging import staged, write_bytes
out, rows = Path(sys.argv[1]), pl.DataFrame({"x": range(50_000)})
writers = (
    lambda path: rows.write_parquet(path, compression="uncompressed"),
    lambda path: rows.lazy().sink_parquet(path, compression="uncompressed"),
    lambda path: rows.write_csv(path),
    lambda path: write_bytes(path, b"x" * 50_000),
    lambda path: path.write_bytes(b"x" * 50_000),
)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
for writer in writers:
    try:
        with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-23") as folder:
            writer(folder / "list.parquet")
    except PublishError as error:
        print(error)
"""


def test_a_full_disk_is_one_error_whichever_writer_meets_it(out: Path):
    run(out, "2026-11-22", night("A"))

    child = subprocess.run(
        [sys.executable, "-c", POLARS_NIGHT, str(out)],
        env=os.environ | {"POLARS_MAX_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    expected = (
        "a file of the staged folder cannot be written: File too large (EFBIG). What to do: free space on the output "
        "folder's disk and run again; until then the last complete night stays current."
    )
    assert child.stdout.splitlines() == [expected] * 5, child.stderr
    assert leftovers(out) == []
    assert files_of(current(out)) == night("A")


REAL_DISK = """
set -e
mount -t tmpfs -o size=256k none "$1"
"$2" - "$1/outreach" <<'PYTHON'
import subprocess, sys
from pathlib import Path
from ageingwell.errors import PublishError
from helpers.nights import files_of, leftovers, night, run
from ageingwell.publish.nights import current
out = Path(sys.argv[1])
run(out, "2026-11-22", night("A"))
for name, prepare in (("full", None), ("read-only", ["mount", "-o", "remount,ro", str(out.parent)])):
    if prepare:
        subprocess.run(prepare, check=True)
    try:
        run(out, "2026-11-23", night("B") | {"scores.parquet": b"x" * 400_000})
    except PublishError as error:
        print(name, error.found)
    assert files_of(current(out)) == night("A") and not leftovers(out)
PYTHON
"""


def test_a_disk_that_is_really_full_or_read_only_keeps_last_night(tmp_path: Path):
    private = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    if not shutil.which("unshare") or subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no private mounts here")

    child = subprocess.run(
        [*private, "sh", "-c", REAL_DISK, "sh", str(tmp_path), sys.executable],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert child.stdout.splitlines() == [
        "full a file of the staged folder cannot be written: No space left on device (ENOSPC)",
        "read-only the output folder cannot be made ready: Read-only file system (EROFS)",
    ], child.stderr


# The lock


def test_a_second_run_is_told_who_holds_the_folder(out: Path):
    with (
        publishing_lock(out, holder="process 4711, started 2026-11-22 18:00"),
        pytest.raises(LockedError, match=r"another run .* \(process 4711, started 2026-11-22 18:00\)") as error,
        publishing_lock(out, holder="process 4712"),
    ):
        pass
    assert error.value.exit_code == 75


def test_a_holder_whose_words_cannot_be_read_has_not_said_who_it_is(out: Path):
    class Unreadable(Disk):
        def watch(self, moment: str, operation: str, *paths: Path) -> None:
            if operation == "read":
                raise PermissionError

    with (
        publishing_lock(out, holder="process 1"),
        pytest.raises(LockedError, match="it has not said who it is yet"),
        publishing_lock(out, holder="process 2", disk=Unreadable()),
    ):
        pass


def test_a_run_that_was_turned_away_does_not_rub_out_the_holders_words(out: Path):
    with publishing_lock(out, holder="process 1"):
        for _ in range(2):
            with pytest.raises(LockedError, match="process 1"), publishing_lock(out, holder="process 2"):
                pass
    with (
        publishing_lock(out, holder="process 3, with more to say"),
        pytest.raises(LockedError, match="process 3, with"),
    ):
        run(out, "2026-11-22", night("A"))


def test_the_same_night_is_not_staged_twice_at_once(out: Path):
    with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
        write(folder, night("A"))
        with pytest.raises(PublishError, match="EEXIST"), staged(out, name="2026-11-22"):
            pass
        assert files_of(folder) == night("A")


def test_the_lock_is_free_after_a_run_and_after_a_run_that_failed(out: Path):
    with pytest.raises(ZeroDivisionError), publishing_lock(out, holder="process 1"):
        raise ZeroDivisionError
    with publishing_lock(out, holder="process 2"):
        assert (out / ".lock").read_text() == "process 2"
    assert (out / ".lock").read_text() == ""
    with publishing_lock(out, holder="process 3"):
        pass


def test_a_second_run_touches_nothing_of_the_first(out: Path):
    with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-22") as folder:
        write(folder, night("A"))
        with pytest.raises(LockedError):
            run(out, "2026-11-22", night("B"))
        publish_folder(folder, out, name="2026-11-22")
    assert files_of(current(out)) == night("A")


def test_a_withdrawal_is_published_under_the_lock_of_the_night_that_is_being_made(out: Path):
    run(out, "2026-11-22", night("A"))
    with publishing_lock(out, holder="process 1"), staged(out, name="2026-11-23") as tonight:
        write(tonight, night("B"))
        with staged(out, name="2026-11-22") as withdrawn:
            write(withdrawn, night("A without one"))
            publish_folder(withdrawn, out, name="2026-11-22")
        assert files_of(current(out)) == night("A without one")
        publish_folder(tonight, out, name="2026-11-23")
    assert files_of(current(out)) == night("B")
    assert latest_before(out, "2026-11-23") == out / "2026-11-22.r2"
