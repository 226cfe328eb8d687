"""NHS numbers and UPRNs: which are real, and their one canonical spelling.

Everything here is a Polars expression over a whole column; nothing looks at one value at a time, so nothing can put
a value into an error.
"""

import polars as pl

# ISB 0149: ten digits shown 3 3 4. Only spaces or only hyphens, and only there: `9434 765 919` is damage, not style.
# [0-9], never \d: in Unicode \d also matches full-width and Arabic digits.
# A database or spreadsheet that holds the number as a double writes exactly `.0` behind it: a double holds every whole
# number of up to 15 digits, so no digit is lost. Any other point, and an exponent, may have lost some.
_NHS_SHAPE = r"^(?:[0-9]{10}(?:\.0)?|[0-9]{3} [0-9]{3} [0-9]{4}|[0-9]{3}-[0-9]{3}-[0-9]{4})$"
# The EPC register's new service writes `UPRN-` before it (communitiesuk/epb-data-warehouse, its test fixture).
_UPRN_SHAPE = r"^(?:UPRN-[0-9]{1,12}|[0-9]{1,12}(?:\.0)?)$"
_DECIMAL = r"\.0$"
# Blanks that stand on a line: web pages and Word put the last three around numbers.
_BLANKS = " \t\u00a0\u2007\u202f"

# How databases, spreadsheets, R and Python write that there is no value; and what clerks type.
MEANS_EMPTY = (
    *("null", "(null)", "<null>", "\\n", "na", "n/a", "#n/a", "<na>", "nan", "nat", "none", "nil", "-", "--", "."),
    *("unknown", "not known", "unk", "n/k", "nk", "not recorded", "not applicable", "missing"),
)

# NHS Data Dictionary: the range set aside for tests, never issued to anyone.
RESERVED_PREFIX = "999"


def is_nhs_number(column: pl.Expr) -> pl.Expr:
    """Tell which values are NHS numbers: ten digits, modulus 11 check digit, not all alike. Null stays null.

    Takes text or whole numbers; `.0` behind ten digits is left aside. The check digit catches every single wrong digit
    and every swap of two; it cannot catch somebody else's number. `9999999999` passes the check digit and is still
    nobody's number.

    >>> pl.DataFrame({"n": ["999 000 0018", "9990000019", "9.99E+09", None]}).select(is_nhs_number(pl.col("n")))
    shape: (4, 1)
    ┌───────┐
    │ n     │
    │ ---   │
    │ bool  │
    ╞═══════╡
    │ true  │
    │ false │
    │ false │
    │ null  │
    └───────┘
    """
    text = _text(column)
    number = _ten_digits(text)
    passes = _passes_modulus_11(number) & _has_two_unlike_digits(number)
    return pl.when(text.is_not_null()).then(text.str.contains(_NHS_SHAPE) & passes.fill_null(False))


def canonical_nhs_number(column: pl.Expr) -> pl.Expr:
    """Spell NHS numbers as ten digits; whatever is not one becomes null.

    >>> pl.DataFrame({"n": ["999-000-0018", " 9990000018", "999000018", ""]}).select(canonical_nhs_number(pl.col("n")))
    shape: (4, 1)
    ┌────────────┐
    │ n          │
    │ ---        │
    │ str        │
    ╞════════════╡
    │ 9990000018 │
    │ 9990000018 │
    │ null       │
    │ null       │
    └────────────┘
    """
    return pl.when(is_nhs_number(column)).then(_bare_number(_text(column)))


def canonical_uprn(column: pl.Expr) -> pl.Expr:
    """Spell UPRNs (1 to 12 digits) without leading zeros; whatever is not one, and nought, becomes null.

    `.0` behind the digits and `UPRN-` before them are left aside.

    >>> homes = pl.DataFrame({"u": ["000100012345", "100012345.0", "UPRN-100012345", "1e5"]})
    >>> homes.select(canonical_uprn(pl.col("u")))
    shape: (4, 1)
    ┌───────────┐
    │ u         │
    │ ---       │
    │ str       │
    ╞═══════════╡
    │ 100012345 │
    │ 100012345 │
    │ 100012345 │
    │ null      │
    └───────────┘
    """
    text = _text(column)
    digits = text.str.strip_prefix("UPRN-").str.replace(_DECIMAL, "").str.strip_chars_start("0")
    return pl.when(text.str.contains(_UPRN_SHAPE) & (digits != "")).then(digits)


def is_read_without_decimal(column: pl.Expr) -> pl.Expr:
    """Tell which values end with exactly `.0`, which a double writes behind a whole number.

    >>> pl.DataFrame({"n": ["7.0", "7", "7.5", None]}).select(is_read_without_decimal(pl.col("n")))["n"].to_list()
    [True, False, False, None]
    """
    return _text(column).str.contains(r"^[0-9]+\.0$")


def is_blank(column: pl.Expr) -> pl.Expr:
    """Tell which values are missing: null, empty, or nothing but spaces.

    >>> pl.DataFrame({"n": ["  ", None, "x"]}).select(is_blank(pl.col("n")))["n"].to_list()
    [True, True, False]
    """
    return _text(column).fill_null("") == ""


def is_missing(column: pl.Expr) -> pl.Expr:
    """Tell where an identifier was not sent: blank, or a word that means empty. Not for labels: `none` may be one.

    >>> pl.DataFrame({"n": ["NULL", " n/a ", "", "9990000018"]}).select(is_missing(pl.col("n")))["n"].to_list()
    [True, True, True, False]
    """
    return _text(column).fill_null("").str.to_lowercase().is_in(["", *MEANS_EMPTY])


def _text(column: pl.Expr) -> pl.Expr:
    return column.cast(pl.String).str.strip_chars(_BLANKS)


def _ten_digits(text: pl.Expr) -> pl.Expr:
    return _bare_number(text).cast(pl.Int64, strict=False)


def _bare_number(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[ -]", "").str.replace(_DECIMAL, "")


def _passes_modulus_11(number: pl.Expr) -> pl.Expr:
    # Weights 10 down to 1, the check digit's own being 1: the sum is a multiple of 11 exactly when the digit is right.
    weighted = [(number // 10**place % 10) * (place + 1) for place in range(10)]
    return pl.sum_horizontal(weighted) % 11 == 0


def _has_two_unlike_digits(number: pl.Expr) -> pl.Expr:
    return number % 1_111_111_111 != 0
