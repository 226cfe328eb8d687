"""What came of a list at the agency, in words: counts and rows, never a value."""

from collections.abc import Sequence

from ageingwell.agency.adding import Added
from ageingwell.agency.matching import Reidentified

_SHOWN_ROWS = 40


def reidentified_text(done: Reidentified) -> str:
    """Say how many rows are on the register, which are not, and which rows of the register could not be used.

    >>> from pathlib import Path
    >>> told = Reidentified(Path("named.xlsx"), Path("log"), "tslbhgfbpgfp", "fire", None, 6, 3, 1, 0, 0,
    ...                     (("List", 4), ("List", 7)), 8, 1, 0, 2, 0)
    >>> print(reidentified_text(told))
    4 of the 6 people on the list are on your register: 3 by their NHS number, 1 by the home alone
    Not on your register: rows 4 and 7 of the sheet List
    Your register has 8 rows; 1 is without a number, 2 contradict each other, and none of these was used
    The list with names: named.xlsx
    Keep it inside your agency. To send it back without names: ageingwell add
    This use is logged in log
    """
    lines = [
        f"{done.n_matched:,} of the {_many(done.n_listed, 'person', 'people')} on the list are on your register"
        + (f": {done.n_people:,} by their NHS number, {done.n_homes_only:,} by the home alone" * bool(done.n_matched))
    ]
    if done.n_homes:
        lines.append(f"{done.n_homes_matched:,} of the {_many(done.n_homes, 'home', 'homes')} are on your register")
    sheets = dict.fromkeys(sheet for sheet, _ in done.unmatched)
    for sheet in sheets:
        rows = [row for where, row in done.unmatched if where == sheet]
        lines.append(f"Not on your register: {_rows(rows)}{f' of the sheet {sheet}' if sheet else ''}")
    if (done.n_listed or done.n_homes) and not done.n_matched and not done.n_homes_matched:
        lines.append(
            f"Nobody was found. Check that this is your register, and that the list was made with this key "
            f"(fingerprint {done.key_fingerprint})"
        )
    lines += _register(done)
    lines += [
        f"The list with names: {done.file}",
        "Keep it inside your agency. To send it back without names: ageingwell add",
        f"This use is logged in {done.log}",
    ]
    return "\n".join(lines)


def added_text(done: Added) -> str:
    """Say how many people were put forward, and which rows to look at.

    >>> from pathlib import Path
    >>> print(added_text(Added(Path("back.xlsx"), Path("log"), "gp", None, 2, (4,), ())))
    2 people are put forward by their key
    Add someone, row 4: this is not an NHS number; the row is in the file without it. Correct it and run again
    No name, address, telephone or NHS number from your register is in the file to send back: back.xlsx
    This use is logged in log
    """
    lines = [f"{_many(done.n_added, 'person is', 'people are')} put forward by their key"]
    if done.not_a_number:
        lines.append(
            f"Add someone, {_rows(done.not_a_number)}: this is not an NHS number; the row is in the file without "
            "it. Correct it and run again"
        )
    if done.listed_already:
        lines.append(f"Add someone, {_rows(done.listed_already)}: on the list already; fill in their row there")
    return "\n".join(
        [
            *lines,
            f"No name, address, telephone or NHS number from your register is in the file to send back: {done.file}",
            f"This use is logged in {done.log}",
        ]
    )


def _register(done: Reidentified) -> list[str]:
    spoilt = {
        "without a number": done.n_blank,
        "with a number that cannot be read": done.n_invalid,
        "without a name, address or telephone": done.n_unnamed,
    }
    told = [f"{n:,} {'is' if n == 1 else 'are'} {words}" for words, n in spoilt.items() if n]
    told += [f"{done.n_ambiguous:,} contradict each other"] if done.n_ambiguous else []
    rows = f"Your register has {_many(done.n_register, 'row', 'rows')}"
    return [f"{rows}; {', '.join(told)}, and none of these was used"] if told else [rows]


def _rows(numbers: Sequence[int]) -> str:
    shown = [str(number) for number in numbers[:_SHOWN_ROWS]]
    more = len(numbers) - len(shown)
    if more:
        return f"rows {', '.join(shown)} and {more:,} more"
    return f"row {shown[0]}" if len(shown) == 1 else f"rows {', '.join(shown[:-1])} and {shown[-1]}"


def _many(n: int, one: str, more: str) -> str:
    return f"{n:,} {one if n == 1 else more}"
