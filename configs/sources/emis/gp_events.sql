-- An entry that is sent again replaces its earlier version. What is marked confidential stays at the practice.
WITH people AS (
    SELECT without_braces(patientguid) AS guid,
        max_by(nhsnumber, (_extracted_on, try_cast(processingid AS BIGINT), _row)) AS nhs_number,
        bool_or(
            lower(coalesce(dummytype, 'false')) NOT IN ('false', '0') OR lower(patienttypedescription) = 'dummy'
        ) AS is_dummy,
        bool_or(
            lower(coalesce(isconfidential, 'false')) NOT IN ('false', '0')
            OR lower(coalesce(spinesensitive, 'false')) NOT IN ('false', '0')
        ) AS is_confidential
    FROM patients GROUP BY 1
),
codes AS (
    SELECT codeid, max(snomedctconceptid) AS concept, max(readtermid) AS read_code FROM clinical_codes GROUP BY 1
),
entries AS (
    SELECT *, upper(effectivedateprecision) AS told,
        (_extracted_on, try_cast(processingid AS BIGINT), _file, _row) AS sent_at
    FROM observations
),
versions AS (
    SELECT *, sent_at = max(sent_at) OVER (PARTITION BY without_braces(observationguid)) AS is_newest FROM entries
)
SELECT
    versions._file,
    versions._row,
    people.nhs_number,
    CASE WHEN concept IS NOT NULL THEN 'snomed'
         WHEN regexp_matches(read_code, '^[A-Za-z0-9.]{5}(00|1[0-9A-Z])?$') THEN 'read2'
         WHEN read_code IS NOT NULL THEN 'local' END AS code_system,
    coalesce(concept, read_code) AS code,
    -- Of a day told by its year alone nothing is known but that it was entered by then: it stays unknown.
    CASE WHEN told IS NULL OR told LIKE 'YMD%' THEN day(effectivedate)
         WHEN told = 'YM' THEN month_of(effectivedate) END AS happened_on,
    coalesce(day(entereddate), versions._extracted_on) AS recorded_on,
    value,
    numericunit AS value_unit,
    CASE
        WHEN NOT is_newest THEN 'an earlier version of the entry'
        WHEN lower(coalesce(deleted, 'false')) NOT IN ('false', '0') THEN 'deleted'
        WHEN people.guid IS NULL THEN 'its patient is not in the extract: ask for Admin_Patient in full'
        WHEN is_dummy THEN 'a dummy patient'
        WHEN is_confidential OR lower(coalesce(isconfidential, 'false')) NOT IN ('false', '0')
            THEN 'marked confidential'
        WHEN people.nhs_number IS NULL THEN 'no NHS number'
        WHEN codes.codeid IS NULL THEN 'its code is not in the table of codes: ask for Coding_ClinicalCode in full'
        WHEN coalesce(concept, read_code) IS NULL THEN 'its code stands for no SNOMED CT concept and no Read code'
    END AS _left_out
FROM versions
LEFT JOIN people ON people.guid = without_braces(versions.patientguid)
LEFT JOIN codes ON codes.codeid = versions.codeid
