"""Features from hospital records; without them all of these are unknown, for GP codes tell them only in part."""

import polars as pl

from ageingwell.features.feature import EVERY_CARE_AGENCY, Dated, Feature, Seen, Value, any_of, n_days


def _kind(kind: str) -> Value:
    return lambda _: pl.col("kind") == kind


def _count(name: str, kind: str, days: int, words: str, span: str, direction: str = "up") -> Feature:
    return Feature(
        name=name,
        theme="health",
        source="hospital_events",
        value=n_days(_kind(kind), day="started_on", days=days),
        direction="up" if direction == "up" else "either",
        present=f"{{value}} {words}s in the past {span}",
        one=f"1 {words} in the past {span}",
        absent=f"no {words} in the past {span}",
        lookback_days=days,
        readers=EVERY_CARE_AGENCY,
    )


def _emergency(seen: Seen) -> pl.Expr:
    return (pl.col("kind") == "emergency_admission") & seen.within("started_on", 365)


def _left_hospital(seen: Seen) -> pl.Expr:
    return seen.within("ended_on", None) & (pl.col("kind") != "ae_attendance")


def _bed_days(seen: Seen) -> pl.Expr:
    """Nights in hospital after an emergency, counting up to the cut-off; a stay still open counts to the cut-off."""
    end = pl.min_horizontal(pl.col("ended_on").fill_null(seen.as_of.day), pl.lit(seen.as_of.day))
    return pl.when(_emergency(seen)).then((end - pl.col("started_on")).dt.total_days()).sum()


def _after_fall(name: str, kind: str, days: int, words: str, span: str) -> Feature:
    return Feature(
        name=name,
        theme="health",
        source="hospital_events",
        value=any_of(
            lambda _: (pl.col("kind") == kind) & (pl.col("icd10_fall") | pl.col("icd10_fracture")),
            day="started_on",
            days=days,
        ),
        direction="up",
        present=f"{words} after a fall or broken bone in the past {span}",
        absent=f"no {words.removeprefix('an ')} after a fall or broken bone in the past {span}",
        lookback_days=days,
        shown_as="yes_no",
        readers=EVERY_CARE_AGENCY,
    )


FEATURES: tuple[Feature, ...] = (
    _count("n_emergency_admissions_365d", "emergency_admission", 365, "emergency hospital stay", "year"),
    _count("n_emergency_admissions_90d", "emergency_admission", 90, "emergency hospital stay", "three months"),
    _count("n_emergency_admissions_1095d", "emergency_admission", 1095, "emergency hospital stay", "three years"),
    Feature(
        name="n_emergency_bed_days_365d",
        theme="health",
        source="hospital_events",
        value=Dated(_bed_days, _emergency, "started_on"),
        direction="up",
        present="{value} nights in hospital after an emergency in the past year",
        one="1 night in hospital after an emergency in the past year",
        absent="no night in hospital after an emergency in the past year",
        lookback_days=365,
        readers=EVERY_CARE_AGENCY,
    ),
    _count("n_planned_admissions_365d", "planned_admission", 365, "planned hospital stay", "year", "either"),
    _count("n_ae_attendances_365d", "ae_attendance", 365, "emergency-department visit", "year"),
    Feature(
        name="days_since_discharge",
        theme="health",
        source="hospital_events",
        value=Dated(
            lambda seen: seen.days_since(pl.when(_left_hospital(seen)).then("ended_on").max()),
            _left_hospital,
            "ended_on",
        ),
        direction="down",
        present="left hospital {value} days ago",
        present_from=0,
        without_rows=None,
        shown_as="days",
        readers=EVERY_CARE_AGENCY,
    ),
    _after_fall("has_fall_admission_365d", "emergency_admission", 365, "an emergency hospital stay", "year"),
    _after_fall("has_fall_admission_1095d", "emergency_admission", 1095, "an emergency hospital stay", "three years"),
    _after_fall("has_fall_attendance_365d", "ae_attendance", 365, "an emergency-department visit", "year"),
    _after_fall("has_fall_attendance_1095d", "ae_attendance", 1095, "an emergency-department visit", "three years"),
)
