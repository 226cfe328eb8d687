-- An entry that is sent again replaces its earlier version. Where SystmOne has no SNOMED CT code it writes -1 or 0.
WITH people AS (
    SELECT rowidentifier, max_by(nhsnumber, (_extracted_on, _file, _row)) AS nhs_number,
        bool_or(lower(coalesce(testpatient, '0')) NOT IN ('0', 'false')) AS is_test
    FROM patients GROUP BY 1
),
entries AS (
    SELECT *, CASE WHEN snomedcode NOT IN ('-1', '0') THEN whole_text(snomedcode) END AS concept,
        (_extracted_on, _file, _row) = max((_extracted_on, _file, _row)) OVER (PARTITION BY rowidentifier) AS is_newest
    FROM codes
)
SELECT
    entries._file,
    entries._row,
    nhs_number,
    CASE WHEN concept IS NOT NULL THEN 'snomed' WHEN ctv3code IS NOT NULL THEN 'ctv3' END AS code_system,
    coalesce(concept, ctv3code) AS code,
    day(dateevent) AS happened_on,
    -- An event may be dated ahead of its entry; it is then known from the day it is dated.
    CASE WHEN as_day(dateevent) > as_day(dateeventrecorded) THEN day(dateevent)
         ELSE coalesce(day(dateeventrecorded), entries._extracted_on) END AS recorded_on,
    CASE WHEN lower(coalesce(isnumeric, '1')) IN ('1', 'true') THEN numericvalue END AS value,
    numericunit AS value_unit,
    CASE
        WHEN NOT is_newest THEN 'an earlier version of the entry'
        WHEN lower(coalesce(removeddata, '0')) NOT IN ('0', 'false') THEN 'removed'
        WHEN people.rowidentifier IS NULL THEN 'its patient is not in the extract: ask for SRPatient in full'
        WHEN is_test THEN 'a test patient'
        WHEN nhs_number IS NULL THEN 'no NHS number'
        WHEN coalesce(concept, ctv3code) IS NULL THEN 'no code'
    END AS _left_out
FROM entries LEFT JOIN people ON people.rowidentifier = entries.idpatient
