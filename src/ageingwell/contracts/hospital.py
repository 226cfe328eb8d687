"""What hospitals promise, where the group receives it."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts.fields import ICD10_CODE, day, holds, label, not_before, pseudonym, text
from ageingwell.events import EventKey


class HospitalEvents(pa.DataFrameModel):
    """Hospital stays and emergency-department attendances, one row each. An optional source.

    Owner: the integrated care board. Delivery lag: three to six weeks after discharge. Coverage: English hospitals.
    Known defects: a stay is often sent again once it ends; the diagnosis of an attendance is usually missing. The main
    diagnosis is an injury or an illness, and the external cause (a fall) stands in a later position: without
    `other_icd10` many falls are not found, and that none was found is then no answer.
    """

    person_id: str = pseudonym("pseudonym of the person's NHS number")
    kind: str = label("what it was", "emergency_admission", "planned_admission", "ae_attendance")
    icd10: str = text("main diagnosis or external cause, ICD-10", shape=f"^{ICD10_CODE}$")
    other_icd10: str = text(
        "other diagnoses and external causes, ICD-10, parted by blanks or semicolons",
        shape=f"^{ICD10_CODE}([ ;]+{ICD10_CODE})*$",
    )
    started_on: pl.Date = day("the first day")
    ended_on: pl.Date = day("the day of discharge", required=False, nullable=True)
    recorded_on: pl.Date = day("the day the record reached the board")

    @pa.check("ended_on", name="end_before_start")
    def _ends_after_start(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("ended_on", "started_on"))

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "started_on"))


# What makes rows one event.
EVENT_KEYS: Mapping[str, EventKey] = {
    "hospital_events": EventKey(
        ("person_id", "kind", "started_on"),
        "Rows of one person, kind and first day are one stay or attendance. Each diagnosis that one of them tells, "
        "in whatever position, counts, and the end that was sent last is the end.",
        several=("icd10",),
        words=("other_icd10",),
        together=(("ended_on",),),
    ),
}
