WITH people AS (
    SELECT rowidentifier, max_by(nhsnumber, (_extracted_on, _file, _row)) AS nhs_number,
        bool_or(lower(coalesce(testpatient, '0')) NOT IN ('0', 'false')) AS is_test
    FROM patients GROUP BY 1
),
entries AS (
    SELECT *, CASE WHEN idmultilexdmd NOT IN ('-1', '0') THEN whole_text(idmultilexdmd) END AS dmd_code,
        coalesce(datemedicationstart, dateevent) AS started,
        (_extracted_on, _file, _row) = max((_extracted_on, _file, _row)) OVER (PARTITION BY rowidentifier) AS is_newest
    FROM medicines
)
SELECT
    entries._file,
    entries._row,
    nhs_number,
    dmd_code,
    day(started) AS issued_on,
    -- An issue may be dated ahead of its entry; it is then known from the day it is dated.
    CASE WHEN as_day(started) > as_day(dateeventrecorded) THEN day(started)
         ELSE coalesce(day(dateeventrecorded), entries._extracted_on) END AS recorded_on,
    CASE
        WHEN NOT is_newest THEN 'an earlier version of the issue'
        WHEN lower(coalesce(removeddata, '0')) NOT IN ('0', 'false') THEN 'removed'
        WHEN lower(coalesce(ishospitalmedication, '0')) NOT IN ('0', 'false')
            OR lower(coalesce(isothermedication, '0')) NOT IN ('0', 'false') THEN 'not issued by the practice'
        WHEN people.rowidentifier IS NULL THEN 'its patient is not in the extract: ask for SRPatient in full'
        WHEN is_test THEN 'a test patient'
        WHEN nhs_number IS NULL THEN 'no NHS number'
        WHEN dmd_code IS NULL THEN 'no dm+d code'
    END AS _left_out
FROM entries LEFT JOIN people ON people.rowidentifier = entries.idpatient
