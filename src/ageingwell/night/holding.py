"""The output folder held for one run, and the mark on the current list where a fault keeps people on it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from ageingwell.errors import AgeingWellError, LockedError, WithdrawalError
from ageingwell.publish import publishing_lock, put_aside
from ageingwell.publish.mark import mark_of, set_mark
from ageingwell.publish.nights import published_nights


@contextmanager
def held(out: Path, *, holder: str) -> Iterator[Path]:
    """Hold the output folder as `publishing_lock` does, and give a private folder in it, which is gone at the end.

    What keeps a run from holding the folder keeps people on the current list, so it marks the list. Where another run
    holds it, `LockedError` marks nothing: its exit code asks for another try soon.
    """
    with ExitStack() as stack:
        with marked_if_it_fails(out):
            stack.enter_context(publishing_lock(out, holder=holder))
            scratch = stack.enter_context(put_aside(out))
        yield scratch


@contextmanager
def marked_if_it_fails(out: Path) -> Iterator[None]:
    """Whatever keeps people from being taken off, foreseen or not, marks the list; then it goes on as it was.

    A folder without nights is not ours to write to, and has no list. Raises `WithdrawalError` for a fault that nobody
    foresaw: a traceback would tell nobody to put the list away.
    """
    try:
        yield
    except LockedError:
        raise
    except Exception as fault:
        why = fault.found if isinstance(fault, AgeingWellError) else f"an unforeseen fault, {type(fault).__name__}"
        told = (
            f"Do not use the current list, nor any copy of it: taking people off it did not finish ({why}). What to "
            "do: put copies away, and run `ageingwell withdraw` or `ageingwell score` once that is corrected."
        )
        # On a full disk there is no room for a mark either: then the exit code alone says it.
        with suppress(Exception):
            if _may_hold_a_list(out):
                set_mark(out, told)
        if isinstance(fault, AgeingWellError):
            raise marked_too(fault, out) from None
        if isinstance(fault, OSError):
            raise
        raise WithdrawalError(told) from fault


def _may_hold_a_list(out: Path) -> bool:
    """Whether a list may stand in a folder: where nobody can look, it may. What a link leads to is not written to."""
    try:
        return not out.is_symlink() and bool(published_nights(out))
    except (AgeingWellError, OSError):
        return True


def marked_too(fault: AgeingWellError, out: Path) -> AgeingWellError:
    """The fault that stopped a night, with a word of the current list where that is marked *do not use*."""
    said = "; the current list is marked `do not use`"
    # Where a folder cannot even be looked into, what stopped the run is told and not that.
    with suppress(AgeingWellError, OSError):
        if mark_of(out) is not None and not fault.found.endswith(said):
            return type(fault)(f"{fault.found}{said}", fault.remedy)
    return fault
