"""What stops an agency's key from being turned into a look-up of everybody: a reason, caps, and a believable register.

Whoever holds the key of the pseudonyms, a list and a list of all NHS numbers could find anybody. None of this hinders
an agency that looks up the people on the list it was sent, in its own register.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from ageingwell.agency.lists import AgencyList
from ageingwell.config.answering import ReidentifySettings
from ageingwell.errors import ReidentifyError
from ageingwell.pseudonyms.keys import LETTERS, Key
from ageingwell.pseudonyms.registers import Register

REASONS: Final[Mapping[str, str]] = {
    "visit_agreed": "the group agreed a visit",
    "first_contact": "the agency that leads makes first contact",
    "no_answer": "a person could not be reached, and their details are checked",
    "correct_record": "a person or agency says that a record is wrong",
    "subject_access": "a person asks what is held about them",
    "safeguarding": "someone may not be safe",
}
_LONGEST_CASE: Final = 60
# Numbers of the NHS are given out all over the country and over many years. Of fewer people chance decides.
_FEWEST_OF_A_RANGE: Final = 1_000
_NEIGHBOURS: Final = 2  # numbers without their check digit that lie so near are next to each other
_MOST_NEIGHBOURS: Final = 0.5


def stop_unless_reason(reason: str, case: str) -> None:
    """Raise `ReidentifyError` unless the reason is one of `REASONS` and there is a case number."""
    if reason not in REASONS:
        raise ReidentifyError(
            "the reason is missing or is not one of those that are kept",
            f"give one of --reason {', '.join(REASONS)}",
        )
    if not any(letter.isalnum() for letter in case) or len(case) > _LONGEST_CASE or not case.isprintable():
        raise ReidentifyError(
            f"the case number is missing, or is longer than {_LONGEST_CASE} letters",
            "give --case, the number of the case, visit or meeting in your own records; it is kept as a digest alone",
        )


def case_digest(case: str, *, key: Key) -> str:
    """What the log keeps of a case number: whoever has the number and the key can find it there, nobody can read it."""
    plain = "".join(case.casefold().split())
    return key.digest(b"case:" + plain.encode()).hex().translate(LETTERS)[:32]


def stop_if_expired(found: AgencyList, *, today: date, expire_after_days: int, is_made_up: bool) -> None:
    """Raise `ReidentifyError` where the list is not to be used any more."""
    last = found.last_day(expire_after_days)
    if last is not None and today > last and not is_made_up:
        raise ReidentifyError(
            f"{found.name}: this list was not to be used after {last}",
            "use the newest list; people may have opted out, died or moved since",
        )


def stop_if_too_many(found: AgencyList, settings: ReidentifySettings) -> None:
    """Raise `ReidentifyError` where one run would look up more people than may be."""
    if (n_rows := n_rows_of(found)) > settings.most_people_per_run:
        raise ReidentifyError(
            f"{found.name}: {n_rows:,} people or homes would be looked up, and at most "
            f"{settings.most_people_per_run:,} may be in one run",
            "look up the people who are to be visited; your agency can set most_people_per_run in the section "
            "[reidentify] of its settings",
        )


def n_rows_of(found: AgencyList) -> int:
    """How many people and homes a list asks for."""
    return len(found.listed.rows) + len(found.homes.rows if found.homes else ())


def stop_if_too_often(
    lines: Sequence[bytes],
    found: AgencyList,
    *,
    code: str,
    register_sha256: str,
    on: date,
    settings: ReidentifySettings,
) -> None:
    """Raise `ReidentifyError` where this list was looked up too often on a day, or with too many registers.

    `lines` are those of the log. Of each use the first line counts, also of one that failed.
    """
    today = [line for line in map(_read, lines) if _is_use(line, code=code, on=on)]
    n_asked, n_rows = sum(int(line.get("counts", {}).get("rows", 0)) for line in today), n_rows_of(found)
    if n_asked + n_rows > settings.most_times_listed_per_day * n_rows:
        raise ReidentifyError(
            f"{found.name}: people on this list were looked up {len(today):,} times today, and "
            f"{settings.most_times_listed_per_day:g} times may be",
            "use the list with names that was made, or go on tomorrow",
        )
    registers = {line.get("register_sha256") for line in today} | {register_sha256}
    if len(registers) > settings.most_registers_per_day:
        raise ReidentifyError(
            f"{found.name}: this list was looked up in {len(registers) - 1} registers today already, and in no more "
            "may it be",
            "use your own register, whole; go on tomorrow if it is another one",
        )


def _read(line: bytes) -> dict[str, Any]:
    told = json.loads(line)
    return told if isinstance(told, dict) else {}


def _is_use(line: Mapping[str, Any], *, code: str, on: date) -> bool:
    is_first = line.get("did") == "reidentify" and line.get("stage") == "begun"
    return is_first and line.get("list") == code and str(line.get("at", ""))[:10] == on.isoformat()


def stop_unless_register(known: Register, *, name: str, settings: ReidentifySettings) -> None:
    """Raise `ReidentifyError` where a register is far too large, or is a range of numbers and no people.

    >>> numbers = [f"99900{n:04d}0" for n in range(1000)]
    >>> rows = pl.DataFrame({"_person": numbers, "_home": None})
    >>> register = Register(rows, {}, frozenset({"person"}), False, 1000, 0, 0, 0, 0)
    >>> stop_unless_register(register, name="register.csv", settings=ReidentifySettings())
    Traceback (most recent call last):
    ageingwell.errors.ReidentifyError: register.csv: most of its NHS numbers follow one another, as in no register...
    """
    n_people = known.rows["_person"].n_unique()
    for most, n, what in (
        (settings.largest_register, known.n_rows, "rows"),
        (settings.most_people_in_register, n_people, "people"),
    ):
        if n > most:
            raise ReidentifyError(
                f"{name}: the register has {n:,} {what}, and at most {most:,} are believed to be your agency's own",
                "give the register of the people your agency serves; your agency can set largest_register and "
                "most_people_in_register in the section [reidentify] of its settings",
            )
    if not known.own_ids and _is_a_range(known.rows["_person"]):
        raise ReidentifyError(
            f"{name}: most of its NHS numbers follow one another, as in no register of people",
            "give the register of the people your agency serves",
        )


def _is_a_range(numbers: pl.Series) -> bool:
    """Whether most of the numbers have a neighbour: without the check digit, which makes every eleventh invalid."""
    people = numbers.drop_nulls().str.head(9).cast(pl.Int64, strict=False).drop_nulls().unique().sort()
    if people.len() < _FEWEST_OF_A_RANGE:
        return False
    near = (people.diff().drop_nulls() <= _NEIGHBOURS).mean()
    return isinstance(near, float) and near > _MOST_NEIGHBOURS
