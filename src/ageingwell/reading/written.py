"""Days, numbers and answers as people write them, read without guessing.

What can be read in two ways is not read: 03/04/2026 only by a form that the settings declare, `18,50` not at all.
"""

from collections.abc import Sequence

import polars as pl

# The day is taken as it was written, whatever the time of day behind it and the zone of that.
TIME = r"[ T]([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?( ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?"
DAY = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}({TIME})?$"
NUMBER = r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
# Groups: bracket, sign before or behind the pound sign, digits with commas or blanks between thousands, bracket.
_AMOUNT = (
    r"^(\()? ?([+-]?) ?£? ?([+-]?) ?"
    r"((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+) ?(\))?$"
)
# Blanks of web pages, of Word and of spreadsheets.
_BLANKS = r"[ \t\u00a0\u2007\u202f]+"
# A year of fewer digits is one of another century, or a slip.
_FIRST_YEAR = 1000

# How answers are written, after folding. What stands behind a `no -` may take it back, so that is no answer.
ANSWERS = {
    **dict.fromkeys(("y", "1", "1_0", "true", "t"), "yes"),
    **dict.fromkeys(("n", "0", "0_0", "false", "f"), "no"),
}
YES_AND_MORE = r"(?i)^yes *[-–—:] *[^\s–—-]"


def days_of(text: pl.Series, formats: Sequence[str]) -> pl.Series:
    """The days of a column of texts: year-month-day with or without a time, and the forms the settings declare.

    A text that two forms read as different days is not read.

    >>> days_of(pl.Series(["2026-03-01 09:30", "01/03/2026", "12/31/2026"]), ["%d/%m/%Y"]).to_list()
    [datetime.date(2026, 3, 1), datetime.date(2026, 3, 1), None]
    """
    plain = _year_month_day(text)
    if not formats:
        return plain
    distinct = text.unique().drop_nulls()
    forms = [_by_form(distinct, form).alias(f"form {n}") for n, form in enumerate(formats)]
    readings = pl.DataFrame([_year_month_day(distinct).alias("plain"), *forms])
    agreed = pl.when(pl.min_horizontal(pl.all()) == pl.max_horizontal(pl.all())).then(pl.min_horizontal(pl.all()))
    days = readings.select(day=agreed)["day"]
    return plain if distinct.is_empty() else text.replace_strict(distinct, days, default=None, return_dtype=pl.Date)


def _year_month_day(text: pl.Series) -> pl.Series:
    # MySQL's day of nought is no day of any calendar, and stands for none.
    days = text.str.slice(0, 10).replace("0000-00-00", "0001-01-01").str.to_date("%Y-%m-%d", strict=False)
    return days.set(~text.str.contains(DAY), None)


def _by_form(text: pl.Series, form: str) -> pl.Series:
    if any(part in form for part in ("%H", "%I", "%T", "%R")):
        days = text.str.to_datetime(form, strict=False, time_unit="us").dt.date()
    else:
        days = text.str.replace(TIME + "$", "").str.to_date(form, strict=False)
    return days.set((days.dt.year() < _FIRST_YEAR).fill_null(value=False), None)


def numbers_of(text: pl.Series) -> pl.Series:
    """The numbers of a column of texts; a pound sign, commas or blanks between thousands and brackets are seen through.

    >>> numbers_of(pl.Series(["18.5", "£1,050.00", "1 050", "-£20.00", "(20.00)", "18,50", "3 people"])).to_list()
    [18.5, 1050.0, 1050.0, -20.0, -20.0, None, None]
    """
    is_plain = text.str.contains(NUMBER)
    number = text.set(~is_plain, None).cast(pl.Float64, strict=False)
    others = (~is_plain).fill_null(value=False)
    if not others.any():
        return number
    where = others.arg_true()
    return number.scatter(where, _amounts(text.gather(where)))


def _amounts(text: pl.Series) -> pl.Series:
    tidy = text.str.replace_all(_BLANKS, " ").str.replace_all("−", "-", literal=True)
    found = tidy.str.extract_groups(_AMOUNT).struct.unnest()
    opened, before, behind, digits, closed = (found[name] for name in found.columns)
    number = digits.str.replace_all(r"[, ]", "").cast(pl.Float64, strict=False)
    signs = before.fill_null("") + behind.fill_null("")
    is_in_brackets = opened.is_not_null() & closed.is_not_null()
    # One bracket alone, two signs, or a sign within brackets: what was meant cannot be told.
    is_odd = (opened.is_null() != closed.is_null()) | (signs.str.len_chars() > 1) | (is_in_brackets & (signs != ""))
    signed = number.zip_with(~(is_in_brackets | (signs == "-")), -number)
    return signed.set(is_odd, None)
