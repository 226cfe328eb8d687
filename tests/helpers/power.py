"""A model of a power cut: what a disk may hold when some operations were never asked to be on it.

A file's bytes that were not synced may be there to any length; a change to a folder's names that was not synced may be
there or not, each for itself and in any combination. That is harsher than any file system in use.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from ageingwell.disk import Disk

Entry = Union["File", "Link", "Folder"]


@dataclass(eq=False)
class File:
    content: bytes
    synced_at: float = float("inf")
    kept: int = 0


@dataclass(frozen=True)
class Link:
    target: str


@dataclass(eq=False)
class Folder:
    """Its names as they were at the start, and each change since: when, name, what it leads to now (None: nothing)."""

    names: dict[str, Entry] = field(default_factory=dict)
    changes: list[tuple[int, dict[str, Entry | None]]] = field(default_factory=list)
    synced_at: list[int] = field(default_factory=list)

    def change(self, when: int, names: dict[str, Entry | None]) -> None:
        self.changes.append((when, names))

    def now(self) -> dict[str, Entry]:
        names: dict[str, Entry | None] = dict(self.names)
        for _, change in self.changes:
            names |= change
        return {name: entry for name, entry in names.items() if entry is not None}


class PowerDisk(Disk):
    """A real disk that keeps the record from which power cuts are drawn, of all that lies in `place`.

    `ignored` is a sync that counts for nothing: ("sync_file" or "sync_folder", levels below `place`).
    """

    def __init__(self, place: Path, *, ignored: tuple[str, int] | None = None) -> None:
        self.place, self.ignored, self.count = place, ignored, 0
        self.root = _loaded(place)

    def watch(self, moment: str, operation: str, *paths: Path) -> None:
        path = paths[0]
        # The lock file lives apart from every night, and what a run puts aside elsewhere from the output.
        if moment != "after" or path.name == ".lock" or not path.is_relative_to(self.place):
            return
        self.count += 1
        match operation:
            case "make_folder" | "make_scratch":
                self._set(path, Folder())
            case "append":
                was = self._folder(path.parent).now().get(path.name)
                is_there = isinstance(was, File) and was.synced_at < self.count
                # Of what was added any part may be lost; what was synced before is there.
                self._set(path, File(path.read_bytes(), kept=len(was.content) if is_there else 0))
            case "cut":  # it returns when the file is on the disk
                self._set(path, File(path.read_bytes(), synced_at=self.count))
            case "open_log" if path.name not in self._folder(path.parent).now():
                self._set(path, File(b""))
            case "write" | "write_new" | "write_from" | "write_frame" | "sink_frame" | "new_file" | "handed_over":
                self._set(path, File(path.read_bytes()))
            case "swap":
                one, other = self._folder(path.parent), self._folder(paths[1].parent)
                assert one is other, "only names of one folder are swapped"
                now = one.now()
                one.change(self.count, {path.name: now[paths[1].name], paths[1].name: now[path.name]})
            case "make_link":
                self._set(path, Link(str(path.readlink())))
            case "remove_file" | "remove_folder":
                self._set(path, None)
            case "rename" | "replace":
                parent, to = self._folder(path.parent), self._folder(paths[1].parent)
                entry = parent.now()[path.name]
                if parent is to:
                    parent.change(self.count, {path.name: None, paths[1].name: entry})
                else:
                    # Two folders: the new name may be there before the old one is gone.
                    to.change(self.count, {paths[1].name: entry})
                    parent.change(self.count, {path.name: None})
            case "sync_file" | "sync_open" if not self._is_ignored(operation, path):
                entry = self._folder(path.parent).now()[path.name]
                assert isinstance(entry, File)
                entry.synced_at = self.count
            case "sync_folder" if not self._is_ignored(operation, path):
                self._folder(path).synced_at.append(self.count)

    def _is_ignored(self, operation: str, path: Path) -> bool:
        return self.ignored == (operation, len(path.relative_to(self.place).parts))

    def _set(self, path: Path, entry: Entry | None) -> None:
        self._folder(path.parent).change(self.count, {path.name: entry})

    def _folder(self, path: Path) -> Folder:
        folder = self.root
        for name in path.relative_to(self.place).parts:
            entry = folder.now()[name]
            assert isinstance(entry, Folder)
            folder = entry
        return folder


Content = Union[bytes, str, "State"]
State = tuple[tuple[str, Content], ...]


def states_after_a_cut(disk: PowerDisk, *, each: int, rng: random.Random) -> Iterator[tuple[int, State]]:
    """Draw `each` states for a cut after every operation: (how many operations were done, names and contents)."""
    for done in range(disk.count + 1):
        for _ in range(each):
            # From "hardly anything unsynced arrived" to "nearly all did".
            yield done, _state(disk.root, done=done, arrives=rng.choice((0.1, 0.5, 0.9)), rng=rng)


def materialise(state: State, folder: Path) -> None:
    """Write a drawn state to a real, empty folder."""
    for name, content in state:
        path = folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            path.mkdir()
            materialise(content, path)


def _state(folder: Folder, *, done: int, arrives: float, rng: random.Random) -> State:
    last_sync = max((when for when in folder.synced_at if when <= done), default=0)
    names: dict[str, Entry | None] = dict(folder.names)
    for when, change in folder.changes:
        if when <= last_sync or (when <= done and rng.random() < arrives):
            names |= change
    return tuple(
        (name, _content(entry, done=done, arrives=arrives, rng=rng))
        for name, entry in sorted(names.items())
        if entry is not None and not name.startswith(".staging-") and not name.endswith((".partial", ".before"))
    )


def _content(entry: Entry, *, done: int, arrives: float, rng: random.Random) -> Content:
    match entry:
        case File(content, synced_at, kept):
            whole = synced_at <= done or rng.random() < arrives
            return content if whole else content[: kept + rng.choice((0, (len(content) - kept) // 2))]
        case Link(target):
            return target
        case Folder():
            return _state(entry, done=done, arrives=arrives, rng=rng)


def _loaded(path: Path) -> Folder:
    folder = Folder()
    for child in path.iterdir() if path.exists() else ():
        if child.name == ".lock":
            continue
        if child.is_symlink():
            folder.names[child.name] = Link(str(child.readlink()))
        else:
            folder.names[child.name] = _loaded(child) if child.is_dir() else File(child.read_bytes(), synced_at=0)
    return folder
