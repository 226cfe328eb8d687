"""How one file is to be read, where the file itself does not tell."""

from dataclasses import dataclass

from ageingwell.config.limits import USUAL, Limits
from ageingwell.config.score import ReaderSettings


@dataclass(frozen=True)
class ReaderOptions:
    """What the settings or a profile declare of a file.

    `encoding` are tried in order after UTF-8; a byte order mark is always heeded. `separator` None means the one of
    comma, semicolon, tab and bar that the header line has most of. `skip_lines` are title lines above the header (rows
    in a workbook). `sheet` None means the first sheet of a workbook that is not empty. `names` are the headings of a
    file without header. `member` is the name, or a pattern such as `*certificates.csv`, of the files of a zip file.
    `limits` say how large the file may be.
    """

    encoding: tuple[str, ...] = ()
    separator: str | None = None
    skip_lines: int = 0
    sheet: str | None = None
    has_header: bool = True
    names: tuple[str, ...] = ()
    member: str | None = None
    limits: Limits = USUAL


AS_IT_IS = ReaderOptions()


def reader_options(settings: ReaderSettings) -> ReaderOptions:
    """The options that stand under `[<table>.reader]` in the settings.

    >>> reader_options(ReaderSettings(encoding="windows-1252", skip_lines=2)).encoding
    ('windows-1252',)
    """
    encoding = (settings.encoding,) if isinstance(settings.encoding, str) else settings.encoding
    return ReaderOptions(
        encoding=encoding,
        separator=settings.separator,
        skip_lines=settings.skip_lines,
        sheet=settings.sheet,
        has_header=settings.has_header,
        names=settings.names,
        limits=USUAL if settings.limits is None else settings.limits,
    )
