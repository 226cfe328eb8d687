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
drugs AS (
    SELECT codeid, max(dmdproductcodeid) AS dmd_code FROM drug_codes GROUP BY 1
),
entries AS (
    SELECT *, upper(effectivedateprecision) AS told,
        (_extracted_on, try_cast(processingid AS BIGINT), _file, _row) AS sent_at
    FROM issues
),
versions AS (
    SELECT *, sent_at = max(sent_at) OVER (PARTITION BY without_braces(issuerecordguid)) AS is_newest FROM entries
)
SELECT
    versions._file,
    versions._row,
    people.nhs_number,
    drugs.dmd_code,
    CASE WHEN told = 'YM' THEN month_of(effectivedate) ELSE day(effectivedate) END AS issued_on,
    -- An issue may be dated ahead of its entry; it is then known from the day it is dated.
    CASE WHEN as_day(entereddate) >= as_day(effectivedate) THEN day(entereddate)
         WHEN entereddate IS NULL THEN versions._extracted_on
         ELSE day(effectivedate) END AS recorded_on,
    CASE
        WHEN NOT is_newest THEN 'an earlier version of the issue'
        WHEN lower(coalesce(deleted, 'false')) NOT IN ('false', '0') THEN 'deleted'
        WHEN people.guid IS NULL THEN 'its patient is not in the extract: ask for Admin_Patient in full'
        WHEN is_dummy THEN 'a dummy patient'
        WHEN is_confidential OR lower(coalesce(isconfidential, 'false')) NOT IN ('false', '0')
            THEN 'marked confidential'
        WHEN people.nhs_number IS NULL THEN 'no NHS number'
        WHEN drugs.codeid IS NULL THEN 'its code is not in the table of drugs: ask for Coding_DrugCode in full'
        WHEN drugs.dmd_code IS NULL THEN 'its drug has no dm+d code (an appliance, or a drug of the practice''s own)'
        WHEN told = 'Y' THEN 'only the year of issue is known'
    END AS _left_out
FROM versions
LEFT JOIN people ON people.guid = without_braces(versions.patientguid)
LEFT JOIN drugs ON drugs.codeid = versions.codeid
