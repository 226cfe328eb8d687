"""The key of a list's rows: made-up records may do with the public one, real records never."""

from pathlib import Path

from ageingwell.errors import AgeingWellError, KeyFileError, SourceError
from ageingwell.pseudonyms import Key
from ageingwell.sources.read import is_made_up

GivenKey = Key | str | Path | None


def list_key_or_fault(list_key: GivenKey, data: Path) -> Key | AgeingWellError:
    """The key of the rows, or why there is none: that stops the night, and must not stop the withdrawals."""
    try:
        return list_key_of(list_key, data)
    except AgeingWellError as fault:
        return fault
    except OSError as fault:
        return SourceError(f"{data.name}: cannot be read ({fault.strerror})", "let this account read the data folder")


def list_key_of(list_key: GivenKey, data: Path) -> Key:
    """The key of the rows; made-up data may use the public one, real data never."""
    if list_key is not None:
        return list_key if isinstance(list_key, Key) else Key.read(Path(list_key))
    if not data.is_dir():
        raise SourceError(f"{data.name}: there is no such data folder", "give the folder that holds the tables")
    if not is_made_up(data):
        raise KeyFileError(
            "these records are not marked as made up and no list key was given",
            "give --list-key-file, a file of at least 32 random bytes that only you can read",
        )
    return Key.made_up(0)


def stop_on_one_key_for_two(list_key: Key, key_fingerprint: str | None) -> None:
    """Stop where the key of the rows is the one that the tables' pseudonyms were made with.

    Every recipient has to be able to find their own people by the list key, and nobody but the agencies may know the
    other. `key_fingerprint` is the tables' own; records that do not tell theirs stop nothing. Raises `KeyFileError`.
    """
    if key_fingerprint == list_key.fingerprint:
        raise KeyFileError(
            "the list key is the key that the tables were pseudonymised with",
            "make a key for the lists alone: ageingwell key new list.key",
        )
