"""Days of an agency's files: a year of two digits is read where the profile says so, and never as a year of old."""

from pathlib import Path

import pytest

from ageingwell.profiles.database import sandbox


@pytest.mark.parametrize(
    ("written", "formats", "day"),
    [
        ("01-Jan-26", ("%d-%b-%Y", "%d-%b-%y"), "2026-01-01"),
        ("01-Jan-2026", ("%d-%b-%Y", "%d-%b-%y"), "2026-01-01"),
        ("31/12/24", ("%d/%m/%Y", "%d/%m/%y"), "2024-12-31"),
        ("31/12/24", ("%d/%m/%Y",), "31/12/24"),
    ],
)
def test_a_year_of_two_digits_is_read_only_where_the_profile_says_so(
    tmp_path: Path, written: str, formats: tuple[str, ...], day: str
) -> None:
    with sandbox(tmp_path, date_formats=formats) as connection:
        assert connection.execute("SELECT day(?)", [written]).fetchone() == (day,)
