-- Diagnoses are SNOMED CT concepts, which hospital events have no place for: they stay out, and so no fall is told from
-- an attendance. Where a hospital writes ICD-10 instead, the code is taken.
WITH told AS (
    SELECT *, day(arrival_date) AS arrived_on, day(departure_date) AS departed_on,
        upper(replace(diagnosis_code_1, '.', '')) AS code
    FROM attendances
)
SELECT
    _file,
    _row,
    nhs_number,
    'ae_attendance' AS kind,
    CASE WHEN regexp_matches(code, '^[A-Z][0-9][0-9A-Z][0-9A-Z]{0,3}$') THEN code END AS icd10,
    arrived_on AS started_on,
    departed_on AS ended_on,
    -- Not in the layout. Records reach the board three to six weeks later: six, so that none is known too early.
    coalesce(day_text(coalesce(as_day(departed_on), as_day(arrived_on)) + 42), arrived_on) AS recorded_on,
    CASE WHEN nhs_number IS NULL THEN 'no NHS number'
         WHEN whole_text(der_dupe_flag) = '1' THEN 'marked as sent twice'
         WHEN whole_text(attendance_category) = '2' THEN 'a planned follow-up'
         WHEN whole_text(attendance_category) = '4' THEN 'brought in dead' END AS _left_out
FROM told
