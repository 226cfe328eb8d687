"""Exact SHAP values of boosted trees, by looking them up: cheaper than LightGBM's own prediction.

`compile_booster` turns a booster's trees into tables, once; `tables.explain` gives every row's contributions and its
calibrated log-odds in one pass. Numba is imported when a table is first made or used, not with the package.
"""

from ageingwell.lookup.compiling import compile_booster
from ageingwell.lookup.fallback import DoesNotFit
from ageingwell.lookup.files import digest_of, load_tables, save_tables
from ageingwell.lookup.margin import CurveMargin, Explained, Knots
from ageingwell.lookup.tables import LookupTables

__all__ = [
    "CurveMargin",
    "DoesNotFit",
    "Explained",
    "Knots",
    "LookupTables",
    "compile_booster",
    "digest_of",
    "load_tables",
    "save_tables",
]
