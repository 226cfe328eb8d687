"""How a file is to be read where it does not tell by itself."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReaderOptions:
    """How a file is read."""

    encoding: tuple[str, ...] = ()
    separator: str | None = None
    skip_lines: int = 0
    sheet: str | None = None
    has_header: bool = True
    names: tuple[str, ...] = ()
