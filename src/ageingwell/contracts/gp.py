"""What GP practices promise: people, coded entries, prescriptions."""

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from ageingwell.contracts import known_labels
from ageingwell.contracts.codes import is_snomed
from ageingwell.contracts.fields import (
    BNF_CODE,
    ENDING_DAY,
    LSOA21,
    NO_BLANK,
    PRACTICE_CODE,
    amount,
    birth_month,
    day,
    holds,
    household_match,
    label,
    not_before,
    open_label,
    pseudonym,
    text,
)
from ageingwell.events import EventKey

OLDEST = 115
# A slip of the year in the day of recording is not told from one in the day of death within a year.
DAYS_DEATH_MAY_LIE_AHEAD = 365
# No measure of a GP record comes near it, and no NHS number stays below.
MOST_MEASURED = 10_000_000
# Units as GP systems write them (UCUM and the units of NHS pathology), in small letters or capitals.
_UNITS = (
    r"%|1|/min|/day|kg|g|mg|ug|mcg|ng|pg|kg/m2|kg/m\^2|kg/m²|m|cm|mm|l|ml|fl|l/min|ml/min|ml/min/1\.73 ?m(2|\^2)"
    r"|ml/min/\{1\.73_m2\}|mmol/l|mmol/mol|umol/l|μmol/l|nmol/l|pmol/l|mg/mmol|mg/l|mg/dl|g/l|g/dl|ug/l|ng/l|ng/ml"
    r"|u/l|iu/l|mu/l|miu/l|x?10[*^](9|12)/l|mm\[hg\]|mm ?hg|kpa|bpm|beats/min|breaths/min|mm/hr?|ratio|score|points?"
    r"|units?|units?/week|units?/day|u/week|cigarettes/day|years?|months?|weeks?|days?|hours?|mins?|secs?|s|cel|°c|degc"
)
UNIT = rf"(?i)^({_UNITS})$"
DMD_CODE = r"^[0-9]{6,18}$"


class GpPatients(pa.DataFrameModel):
    """The people registered with a practice, one row a person and version; the latest known version counts.

    Owner: GP practices. Delivery lag: a day to a month. Coverage: everyone registered, about 98 in 100 residents.
    Known defects: people who moved away or died stay for weeks; several versions that differ may carry the same day
    (all of them are refused, for none can be trusted above the other; one version sent twice counts once); an end that
    has not come may be written as 9999-12-31 (it is no end).
    """

    person_id: str = pseudonym("pseudonym of the person's NHS number")
    # An objection of the home holds for everybody there: whose home cannot be read is held.
    household_id: str = pseudonym("pseudonym of the home's UPRN", required=False, nullable=True, unreadable="held")
    household_match: str = household_match()
    moved_in_on: pl.Date = day("the day the person moved into this home", required=False, nullable=True)
    birth_month: pl.Date = birth_month("the first day of the month of birth")
    sex: str = label("sex as the practice holds it", "female", "male", "indeterminate", "unknown")
    ethnic_group: str = label(
        "high-level ethnic group", "asian", "black", "mixed", "other", "white", "unknown", required=False
    )
    lsoa21: str = text("Lower layer Super Output Area (2021) of the home", shape=LSOA21)
    practice_code: str = text("ODS code of the practice", shape=PRACTICE_CODE, required=True, nullable=False)
    registered_on: pl.Date = day("the day the person registered with the practice")
    # Where one of the next four cannot be read, somebody wrote of an end: nobody is counted as alive and here for it.
    left_on: pl.Date = day(
        "the day the person left the practice",
        required=False,
        nullable=True,
        placeholder=ENDING_DAY,
        unreadable="held",
    )
    left_recorded_on: pl.Date = day(
        "the day the leaving was recorded", required=False, nullable=True, unreadable="held"
    )
    died_on: pl.Date = day(
        "the day the person died", required=False, nullable=True, placeholder=ENDING_DAY, unreadable="held"
    )
    died_recorded_on: pl.Date = day("the day the death was recorded", required=False, nullable=True, unreadable="held")
    communication_need: str = open_label(
        "what the person needs to understand and be understood", known=known_labels.COMMUNICATION_NEEDS
    )
    recorded_on: pl.Date = day("the day the practice's system knew this version")

    @pa.check("birth_month", name="not_the_first")
    def _first_of_month(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, pl.col("birth_month").dt.day() == 1)

    @pa.check("birth_month", name="impossible_age")
    def _age_is_possible(cls, data: pa.PolarsData) -> pl.LazyFrame:
        born, recorded = pl.col("birth_month"), pl.col("recorded_on")
        return holds(data, (born <= recorded) & (recorded < born.dt.offset_by(f"{OLDEST + 1}y")))

    @pa.check("registered_on", name="end_before_start")
    def _registered_after_birth(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("registered_on", "birth_month"))

    @pa.check("moved_in_on", name="end_before_start")
    def _moved_in_after_birth(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("moved_in_on", "birth_month"))

    @pa.check("left_on", name="end_before_start")
    def _left_after_registering(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("left_on", "registered_on"))

    @pa.check("died_on", name="end_before_start")
    def _died_after_birth(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("died_on", "birth_month"))

    @pa.check("died_on", name="recorded_before_it_happened")
    def _death_is_not_foretold(cls, data: pa.PolarsData) -> pl.LazyFrame:
        # A leaving can be announced years ahead; a death cannot, whichever of the two recording days is looked at.
        recorded = pl.max_horizontal("recorded_on", "died_recorded_on")
        return holds(data, pl.col("died_on") <= recorded.dt.offset_by(f"{DAYS_DEATH_MAY_LIE_AHEAD}d"))

    @pa.check("left_recorded_on", name="recorded_before_it_happened")
    def _leaving_recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("left_recorded_on", "left_on"))

    @pa.check("died_recorded_on", name="recorded_before_it_happened")
    def _death_recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("died_recorded_on", "died_on"))

    @pa.check("died_recorded_on", name="recorded_without_its_day")
    def _a_death_has_a_day(cls, data: pa.PolarsData) -> pl.LazyFrame:
        # A death of unknown day holds the person; read as no death it would put them on a list.
        return holds(data, pl.col("died_on").is_not_null() | pl.col("died_recorded_on").is_null())

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        moved_in = not_before("recorded_on", "moved_in_on").fill_null(value=True)
        return holds(data, not_before("recorded_on", "registered_on") & moved_in)


class GpEvents(pa.DataFrameModel):
    """Coded entries of the GP record, one row an entry.

    Owner: GP practices. Delivery lag: days, for hospital letters weeks. Coverage: what was coded; coding is sparse,
    so a code that is absent is not evidence that the condition is. Known defects: Read v2, CTV3 and local codes stay
    in old entries, and some systems send SNOMED CT description ids; both are counted as not recognised, not refused.
    """

    person_id: str = pseudonym("pseudonym of the person's NHS number")
    code_system: str = label("the terminology of the code", "snomed", "read2", "ctv3", "local")
    code: str = text(
        "the code; a SNOMED CT identifier passes its check digit", shape=NO_BLANK, required=True, nullable=False
    )
    happened_on: pl.Date = day("the day it happened", required=False, nullable=True)
    recorded_on: pl.Date = day("the day it was entered")
    value: float = amount("a measured value", low=-MOST_MEASURED, high=MOST_MEASURED)
    value_unit: str = text("the unit of the value", shape=UNIT)

    @pa.check("code", name="bad_check_digit")
    def _snomed_check_digit(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, (pl.col("code_system") != "snomed") | is_snomed(pl.col("code")))

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "happened_on"))


class GpPrescriptions(pa.DataFrameModel):
    """Prescription issues, one row an issue.

    Owner: GP practices. Delivery lag: days. Coverage: issues by the practice; hospital and over-the-counter medicines
    are absent. Known defects: some systems send a dm+d code, some a BNF code. The groups of a medicine are told by its
    BNF code, sent or looked up in the mapping that the settings name as `dmd_to_bnf`; a list of dm+d codes tells that
    it is in a group. Of whoever has a medicine that neither tells, no group is known to be absent.
    """

    person_id: str = pseudonym("pseudonym of the person's NHS number")
    bnf_code: str = text("BNF code of the medicine", shape=BNF_CODE)
    dmd_code: str = text("dm+d code of the medicine: a virtual or actual product (VMP, AMP)", shape=DMD_CODE)
    issued_on: pl.Date = day("the day of issue")
    recorded_on: pl.Date = day("the day it was entered")

    @pa.check("dmd_code", name="bad_check_digit")
    def _dmd_check_digit(cls, data: pa.PolarsData) -> pl.LazyFrame:
        # A dm+d code is a SNOMED CT identifier. Numbers of other systems (RxNorm, product numbers of a supplier) have
        # its shape; nine in ten of them fail here.
        return holds(data, ~pl.col("dmd_code").str.contains(DMD_CODE) | is_snomed(pl.col("dmd_code")))

    @pa.check("issued_on", name="one_of_two_needed")
    def _one_code(cls, data: pa.PolarsData) -> pl.LazyFrame:
        # A row with both codes says the same thing twice, which is no fault; with neither it says nothing.
        return holds(data, pl.col("bnf_code").is_not_null() | pl.col("dmd_code").is_not_null())

    @pa.check("recorded_on", name="recorded_before_it_happened")
    def _recorded_after(cls, data: pa.PolarsData) -> pl.LazyFrame:
        return holds(data, not_before("recorded_on", "issued_on"))


# What makes rows one event. The register is no event: of each person the newest version counts.
EVENT_KEYS: Mapping[str, EventKey] = {
    "gp_events": EventKey(
        ("person_id", "code_system", "code", "happened_on", "value", "value_unit"),
        "Rows that agree in all but `recorded_on` are one entry; where the day it happened is missing, "
        "`recorded_on` must agree too.",
    ),
    "gp_prescriptions": EventKey(
        ("person_id", "bnf_code", "dmd_code", "issued_on"),
        "Rows that agree in all but `recorded_on` are one issue.",
    ),
}
