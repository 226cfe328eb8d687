-- Extracts send what changed: of the rows of one patient in one extract the last counts, and a patient whose newest row
-- is deleted is out of the practice's sharing. Of a person's records at two practices the one that is not deactivated,
-- then the newest registration, is theirs.
WITH practices AS (
    SELECT without_braces(organisationguid) AS guid, max_by(odscode, (_extracted_on, _file, _row)) AS ods_code
    FROM organisations GROUP BY 1
),
sent AS (
    SELECT *, without_braces(patientguid) AS guid, (try_cast(processingid AS BIGINT), _file, _row) AS sent_at
    FROM patients
),
told AS (
    SELECT *,
        sent_at = max(sent_at) OVER (PARTITION BY guid, _extracted_on) AS is_last_of_extract,
        lower(coalesce(max_by(deleted, (_extracted_on, sent_at)) OVER (PARTITION BY guid), 'false'))
            NOT IN ('false', '0') AS is_deleted,
        lower(coalesce(dummytype, 'false')) NOT IN ('false', '0')
            OR lower(patienttypedescription) = 'dummy' AS is_dummy,
        -- The other types of the specification are people seen without being registered, or registered elsewhere.
        lower(coalesce(patienttypedescription, 'regular')) <> 'regular' AS is_visitor
    FROM sent
),
kept AS (
    SELECT *, CASE
        WHEN is_deleted THEN 'deleted: the patient is out of the practice''s sharing'
        WHEN is_dummy THEN 'a dummy patient'
        WHEN NOT is_last_of_extract THEN 'an earlier row of the same extract'
        WHEN is_visitor THEN 'not a regular registration'
        WHEN nhsnumber IS NULL THEN 'no NHS number' END AS reason
    FROM told
),
ranked AS (
    SELECT *,
        row_number() OVER (
            PARTITION BY replace(nhsnumber, ' ', ''), _extracted_on, reason
            ORDER BY dateofdeactivation IS NOT NULL, day(dateofregistration) DESC, sent_at DESC
        ) AS nth,
        max(day(dateofdeath)) OVER (PARTITION BY replace(nhsnumber, ' ', ''), _extracted_on) AS died_on
    FROM kept
)
SELECT
    ranked._file,
    ranked._row,
    nhsnumber AS nhs_number,
    day(dateofbirth) AS birth_date,
    sex,
    postcode,
    practices.ods_code AS practice_code,
    day(dateofregistration) AS registered_on,
    day(dateofdeactivation) AS left_on,
    CASE WHEN nhsnumber IS NULL THEN day(dateofdeath) ELSE died_on END AS died_on,
    -- A row is the record as it was on the day of the extract; since when it had been so is not told.
    ranked._extracted_on AS recorded_on,
    coalesce(reason, CASE WHEN nth > 1 THEN 'the same person''s record at another practice' END) AS _left_out
FROM ranked LEFT JOIN practices ON practices.guid = without_braces(ranked.organisationguid)
