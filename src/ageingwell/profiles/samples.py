"""Sample extracts of one made-up place, in the layouts in which real agencies send theirs."""

from pathlib import Path
from typing import Final

from ageingwell.config.files import shipped
from ageingwell.disk import DISK
from ageingwell.errors import PublishError
from ageingwell.profiles.profile import shipped_profiles
from ageingwell.room import staged_folder, sweep

# Other extracts of the same register, of which a place has one; and people of other places.
NOT_OF_THE_PLACE: Final = ("emis_report", "systmone", "cprd_aurum", "fhir_r4")


def write_samples(folder: Path) -> tuple[Path, ...]:
    """Write the extracts of one made-up place into a new folder, by source; give the files written.

    Nobody in them is real. Raises `PublishError` if the folder is there already.
    """
    sweep(folder)
    if folder.exists() or folder.is_symlink():
        raise PublishError(f"{folder} is there already", "name a new folder")
    files = {}
    for name, profile in shipped_profiles().items():
        if profile.ids == "own" or name in NOT_OF_THE_PLACE or not profile.sql:
            continue
        for path in sorted((shipped("configs") / "sources" / name / "sample").iterdir()):
            files[f"{name}/{path.name}"] = path
    with staged_folder(folder) as staging:
        for name, path in files.items():
            DISK.make_folders((staging / name).parent)
            DISK.copy(path, staging / name)
    return tuple(folder / name for name in files)
