-- Type 1 opt-outs are entries of the record: dissent 827241000000103 (CTV3 XaZ89), withdrawn 827261000000102 (XaZ8A).
-- An opt-out holds from now on whatever its day, and ends only with a withdrawal on a known later day.
WITH people AS (
    SELECT rowidentifier, max_by(nhsnumber, (_extracted_on, _file, _row)) AS nhs_number,
        bool_or(lower(coalesce(testpatient, '0')) NOT IN ('0', 'false')) AS is_test
    FROM patients GROUP BY 1
),
entries AS (
    SELECT *, as_day(dateevent) AS chosen_on, CASE
            WHEN whole_text(snomedcode) = '827241000000103' OR ctv3code = 'XaZ89' THEN 'dissent'
            WHEN whole_text(snomedcode) = '827261000000102' OR ctv3code = 'XaZ8A' THEN 'withdrawn' END AS choice,
        (_extracted_on, _file, _row) = max((_extracted_on, _file, _row)) OVER (PARTITION BY rowidentifier) AS is_newest
    FROM codes
),
standing AS (
    SELECT * FROM entries
    WHERE choice IS NOT NULL AND is_newest AND lower(coalesce(removeddata, '0')) IN ('0', 'false')
)
SELECT
    standing._file,
    standing._row,
    nhs_number,
    'type_1' AS kind,
    day_text((
        SELECT min(later.chosen_on) FROM standing AS later
        WHERE later.idpatient = standing.idpatient AND later.choice = 'withdrawn'
            AND later.chosen_on > standing.chosen_on AND later.chosen_on <= as_day(later._extracted_on)
    )) AS to_on,
    standing._extracted_on AS checked_on,
    CASE WHEN is_test THEN 'a test patient'
         WHEN people.rowidentifier IS NULL THEN 'its patient is not in the extract: ask for SRPatient in full'
         WHEN nhs_number IS NULL THEN 'no NHS number: the person is on no register either' END AS _left_out
FROM standing LEFT JOIN people ON people.rowidentifier = standing.idpatient
WHERE choice = 'dissent'
