"""What lies in an agency's folder: every file, also inside zip archives and folders, and of which source each is."""

import os
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from ageingwell.config.score import SourceSettings
from ageingwell.disk import DISK
from ageingwell.errors import ConfigError, SourceError
from ageingwell.profiles.profile import Profile
from ageingwell.profiles.recognise import Recognised, recognise, recognised_as
from ageingwell.reading.forms import is_readable

# What our own commands leave beside tables, and what systems leave everywhere.
NO_RECORDS = frozenset({"synthetic.json", "pseudonymised.json", "Thumbs.db", "desktop.ini"})
# A certificate register of a county is some hundred megabytes; an archive that grows beyond this is a mistake or worse.
MOST_UNPACKED_BYTES = 50 * 2**30
MOST_GROWTH = 400


@dataclass(frozen=True)
class RawFile:
    """A file of the folder; `name` is its place in the folder, and inside an archive."""

    path: Path
    name: str


@dataclass(frozen=True)
class Assigned:
    """The files that a source profile knows, and those that none does."""

    recognised: tuple[Recognised, ...]
    unknown: tuple[RawFile, ...]

    def by_profile(self) -> dict[str, list[Recognised]]:
        """The recognised files by the name of their profile."""
        found: dict[str, list[Recognised]] = {}
        for one in self.recognised:
            found.setdefault(one.profile.name, []).append(one)
        return dict(sorted(found.items()))


def raw_files(folder: Path, *, workspace: Path, leave: Iterable[Path] = ()) -> list[RawFile]:
    """List every file under a folder in a fixed order; archives are unpacked into `workspace`.

    Hidden files, and the files and folders in `leave`, are left alone. Raises `SourceError` for an archive that is
    damaged, locked or grows out of all measure.
    """
    left = {Path(os.path.realpath(path)) for path in leave}
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")) or path.name in NO_RECORDS or Path(os.path.realpath(path)) in left:
            continue
        if path.is_dir():
            inside = raw_files(path, workspace=workspace, leave=left)
            found += [RawFile(one.path, f"{path.name}/{one.name}") for one in inside]
        elif path.suffix.lower() == ".zip":
            found += _unpacked(path, workspace)
        else:
            found.append(RawFile(path, path.name))
    return found


def stop_on_ways_out(folder: Path) -> None:
    """Stop where a link leads out of an agency's folder, or something in it is no file: neither was sent to us.

    Raises `SourceError`.
    """
    root = Path(os.path.realpath(folder))
    for path in sorted(folder.rglob("*")):
        if not Path(os.path.realpath(path)).is_relative_to(root):
            raise SourceError(f"{path.name}: a link that leads out of the folder", "put the file itself there")
        if not path.is_file() and not path.is_dir():
            raise SourceError(f"{path.name}: a link to nothing, or no file on a disk", "take it out of the folder")


def _unpacked(path: Path, workspace: Path) -> list[RawFile]:
    place = workspace / f"zip-{sum(1 for _ in workspace.iterdir()):05d}"
    DISK.make_folders(place)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and _is_record(one.filename)]
            _stop_on_growth(path, members)
            return [_member(archive, one, number, path, place) for number, one in enumerate(members)]
    # NotImplementedError: a compression that Python does not know.
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, zlib.error):
        fault = "not a whole zip archive"
    except RuntimeError:
        # The library says so, in English alone, of a member that needs a password.
        fault = "locked with a password"
    raise SourceError(f"{path.name}: {fault}", "unpack it, and put the files into the folder instead")


def _is_record(name: str) -> bool:
    parts = PurePosixPath(name).parts
    hidden = [part for part in parts if part.startswith((".", "__MACOSX")) and part not in (".", "..")]
    return not hidden and parts[-1] not in NO_RECORDS


def _stop_on_growth(path: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    size, packed = sum(one.file_size for one in members), path.stat().st_size
    if size > MOST_UNPACKED_BYTES or size > max(packed, 2**20) * MOST_GROWTH:
        raise SourceError(
            f"{path.name}: unpacked it would take {size / 2**30:.1f} GiB", "unpack it yourself if that is right"
        )


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, number: int, path: Path, place: Path) -> RawFile:
    # The member's own path never becomes a path here: `../` in it would lead out of the workspace.
    target = place / f"{number:05d}" / PurePosixPath(member.filename).name
    DISK.make_folder(target.parent)
    with archive.open(member) as source:
        DISK.write_from(target, source)
    return RawFile(target, f"{path.name}/{member.filename}")


def assigned(
    files: Iterable[RawFile],
    profiles: Mapping[str, Profile],
    settings: Mapping[str, SourceSettings] | None = None,
    *,
    faults: list[str] | None = None,
) -> Assigned:
    """Give each file to the source profile that knows it; the settings decide where they name files of a source.

    Raises `ConfigError` for settings of a source that nobody knows, `SourceError` for a file that the settings give to
    a source it is not of, or that two sources claim; a fault of one file goes to `faults` where there is such a list,
    and the file counts as unknown.
    """
    named = settings or {}
    if strange := sorted(set(named) - set(profiles)):
        raise ConfigError(
            f"agencies.toml: [sources.{strange[0]}]: there is no such source profile",
            f"the profiles are {', '.join(profiles)}; your own are in the folder `sources` next to the settings",
        )
    recognised, unknown = [], []
    for file in files:
        try:
            found = _one(file, profiles, named)
        except SourceError as fault:
            if faults is None:
                raise
            faults.append(str(fault))
            found = None
        if found is None:
            unknown.append(file)
        else:
            recognised.append(found)
    return Assigned(tuple(recognised), tuple(unknown))


def _one(file: RawFile, profiles: Mapping[str, Profile], settings: Mapping[str, SourceSettings]) -> Recognised | None:
    told = [
        name
        for name, source in settings.items()
        if any(fnmatch(file.name, pattern) or fnmatch(Path(file.name).name, pattern) for pattern in source.files)
    ]
    if len(told) > 1:
        raise ConfigError(
            f"agencies.toml: {file.name} is a file of two sources: {', '.join(told)}", "leave it with one of them"
        )
    if told:
        return recognised_as(file.path, profiles[told[0]], name=file.name)
    if not is_readable(file.path):
        return None
    return recognise(file.path, profiles.values(), name=file.name)
