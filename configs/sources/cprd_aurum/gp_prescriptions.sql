WITH dictionary AS (
    SELECT prodcodeid, max(dmdid) AS dmd_code FROM product_dictionary GROUP BY 1
)
SELECT
    issues._file,
    issues._row,
    patid AS nhs_number,
    dmd_code,
    day(issuedate) AS issued_on,
    -- An issue may be dated ahead of its entry; it is then known from the day it is dated.
    CASE WHEN as_day(enterdate) >= as_day(issuedate) THEN day(enterdate) ELSE day(issuedate) END AS recorded_on,
    CASE WHEN dictionary.prodcodeid IS NULL
         THEN 'its prodcodeid is in no dictionary: put CPRD''s product dictionary of the same build beside the extract'
         WHEN dmd_code IS NULL THEN 'its product has no dm+d code' END AS _left_out
FROM issues LEFT JOIN dictionary USING (prodcodeid)
