"""The tables of a file: the file itself, or those in a zip file."""

from functools import partial
from pathlib import Path

from ageingwell.errors import SourceError
from ageingwell.reading.archives import zip_parts
from ageingwell.reading.forms import READABLE, form_of
from ageingwell.reading.options import AS_IT_IS, ReaderOptions
from ageingwell.reading.streams import Part, opened


def parts_of(path: Path, options: ReaderOptions = AS_IT_IS) -> tuple[Part, ...]:
    """The tables of a file that is not Parquet: the file itself, or those in a zip file."""
    form = form_of(path)
    if form is None:
        raise SourceError(f"{path.name}: no file that can be read", f"send it as {READABLE}")
    if form == "zip":
        return zip_parts(path, member=options.member, limits=options.limits)
    return (Part(path.name, form, partial(opened, path, options.limits)),)
