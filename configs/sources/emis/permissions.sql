-- Type 1 opt-outs are entries of the record: dissent 827241000000103 (Read 9Nu0., XaZ89), withdrawn 827261000000102
-- (9Nu1., XaZ8A). An entry marked confidential counts too, and so does one whose patient is out of the sharing. An
-- opt-out holds from now on whatever its day, and ends only with a withdrawal on a known later day.
-- People marked spine-sensitive or confidential are restricted: nobody may be sent to their door because of a list.
WITH people AS (
    SELECT without_braces(patientguid) AS guid,
        max_by(nhsnumber, (_extracted_on, try_cast(processingid AS BIGINT), _row)) AS nhs_number,
        bool_or(
            lower(coalesce(dummytype, 'false')) NOT IN ('false', '0') OR lower(patienttypedescription) = 'dummy'
        ) AS is_dummy,
        max(_extracted_on) AS seen_on
    FROM patients GROUP BY 1
),
choices AS (
    SELECT codeid, CASE
        WHEN bool_or(snomedctconceptid = '827241000000103' OR readtermid IN ('9Nu0.', '9Nu0', 'XaZ89')) THEN 'dissent'
        WHEN bool_or(snomedctconceptid = '827261000000102' OR readtermid IN ('9Nu1.', '9Nu1', 'XaZ8A')) THEN 'withdrawn'
        END AS choice
    FROM clinical_codes GROUP BY 1
),
entries AS (
    SELECT observations.*, choice, without_braces(patientguid) AS guid,
        CASE WHEN upper(coalesce(effectivedateprecision, 'YMD')) LIKE 'YMD%'
             THEN as_day(effectivedate) END AS chosen_on,
        (_extracted_on, try_cast(processingid AS BIGINT), _file, _row)
            = max((_extracted_on, try_cast(processingid AS BIGINT), _file, _row))
            OVER (PARTITION BY without_braces(observationguid)) AS is_newest
    FROM observations JOIN choices USING (codeid)
),
standing AS (
    SELECT * FROM entries WHERE choice IS NOT NULL AND is_newest AND lower(coalesce(deleted, 'false')) IN ('false', '0')
),
asked AS (
    SELECT _file, _row, guid, 'type_1' AS kind, _extracted_on AS checked_on, (
        SELECT min(later.chosen_on) FROM standing AS later
        WHERE later.guid = standing.guid AND later.choice = 'withdrawn' AND later.chosen_on > standing.chosen_on
            AND later.chosen_on <= as_day(later._extracted_on)
    ) AS ended
    FROM standing WHERE choice = 'dissent'
    UNION ALL
    SELECT _file, _row, without_braces(patientguid), 'restriction', _extracted_on, NULL
    FROM patients WHERE lower(coalesce(isconfidential, 'false')) NOT IN ('false', '0')
        OR lower(coalesce(spinesensitive, 'false')) NOT IN ('false', '0')
)
SELECT
    asked._file,
    asked._row,
    people.nhs_number,
    kind,
    day_text(ended) AS to_on,
    checked_on,
    CASE WHEN is_dummy THEN 'a dummy patient'
         WHEN people.guid IS NULL THEN 'its patient is not in the extract: ask for Admin_Patient in full'
         WHEN people.nhs_number IS NULL THEN 'no NHS number: the person is on no register either' END AS _left_out
FROM asked LEFT JOIN people USING (guid)
