"""A view as CSV, for practices and other systems: opens in Excel as it is, and holds no formula."""

from collections.abc import Sequence

import polars as pl

from ageingwell.decisions.tables import LIST_CODE, LIST_KEYS, LIST_UNTIL
from ageingwell.report.cells import flat, harmless
from ageingwell.report.choices import ASKED
from ageingwell.report.codes import keys_text, list_code
from ageingwell.views.columns import AgencyView


def agency_csv(view: AgencyView, *, notices: Sequence[str] = ()) -> bytes:
    r"""Write a view as CSV: UTF-8 with its mark, every field quoted, the columns to fill in empty, `notices` last.

    The columns after those of the view say in each row which list it is (recipient, night, eight letters), the
    fingerprints of the keys it was made with, and the last day on which it may be used: the agency that matches it, and
    `record`, find them there.

    >>> from datetime import date
    >>> from ageingwell.views.columns import PLACE
    >>> view = AgencyView("fire", date(2026, 11, 22), (PLACE,), pl.DataFrame({"place": ["=1+1"]}))
    >>> agency_csv(view, notices=["Late."]).decode("utf-8-sig").splitlines()[1].split(",")[:2]
    ['"\'=1+1"', '"fire 2026-11-22 slsnbqbb"']
    """
    empty = [pl.lit("").alias(question.name) for question in ASKED]
    said = pl.lit(harmless(" ".join(notices) or "none")).alias("notices")
    which = [pl.lit(list_code(view)).alias(LIST_CODE), pl.lit(keys_text(view)).alias(LIST_KEYS)]
    if view.use_until is not None:
        which.append(pl.lit(view.use_until.isoformat()).alias(LIST_UNTIL))
    rows = flat(view.frame).with_columns(*which, *empty, said)
    return rows.write_csv(quote_style="always", line_terminator="\r\n", include_bom=True).encode()
