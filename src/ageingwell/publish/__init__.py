"""The one room that writes a run's files: a staged folder, fsync, one pointer.

::

    outreach/
      .lock                    who writes now, in words; the lock itself lives in the operating system
      .staging-2026-11-23/     a night being written; whatever a dead run left is removed by the next run
      2026-11-22/              a published night, complete from the moment it has this name
      2026-11-22.r2/           its second revision: a withdrawal, or a re-run that came out differently
      current -> 2026-11-22.r2

A night is written beside the published ones, put on disk file by file, renamed to its date, and only then does one
pointer move to it. Whatever stops a run (full disk, kill, power cut), `current` is one complete night, old or new.

* A re-run whose files are the same byte for byte (`run.json` apart) adds nothing. One that differs becomes a revision.
* The pointer never moves back: publishing an older night than the current one adds its folder and says so.
* A run killed between the rename and the pointer leaves a published night that is not current; its re-run, or the next
  night, moves the pointer.
* Readers ask `current` once and open every file in the folder it names, so that they see one night. They need no lock.
* `current` is a symbolic link. On Windows, where no link to a folder can be replaced in one step, and on a network
  share without links, it is the file `current.txt` with the folder's name in it. A folder keeps the kind it began with.
"""

from ageingwell.disk import DISK, Disk
from ageingwell.publish.lock import publishing_lock
from ageingwell.publish.nights import DAYS_AHEAD, current, latest_before, revisions
from ageingwell.publish.staging import Published, publish_folder, put_aside, staged, write_bytes

__all__ = [
    "DAYS_AHEAD",
    "DISK",
    "Disk",
    "Published",
    "current",
    "latest_before",
    "publish_folder",
    "publishing_lock",
    "put_aside",
    "revisions",
    "staged",
    "write_bytes",
]
