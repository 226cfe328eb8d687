-- TPP sends each entry twice, once in CTV3 and once in SNOMED CT. The former counts where there is none of the latter.
WITH told AS (
    SELECT *, max(snomedct_code) OVER () IS NOT NULL AS has_snomed FROM entries
)
SELECT
    _file,
    _row,
    patient_id AS nhs_number,
    CASE WHEN snomedct_code IS NOT NULL THEN 'snomed' ELSE 'ctv3' END AS code_system,
    coalesce(whole_text(snomedct_code), ctv3_code) AS code,
    day(date) AS happened_on,
    -- The tables do not hold when an entry was made.
    day(date) AS recorded_on,
    numeric_value AS value,
    CASE WHEN snomedct_code IS NULL AND ctv3_code IS NULL THEN 'no code'
         WHEN snomedct_code IS NULL AND has_snomed
         THEN 'in CTV3: the same entry stands there in SNOMED CT' END AS _left_out
FROM told
