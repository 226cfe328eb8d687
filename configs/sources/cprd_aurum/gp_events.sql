WITH dictionary AS (
    SELECT medcodeid, max(snomedctconceptid) AS concept, max(coalesce(cleansedreadcode, originalreadcode)) AS read_code
    FROM medical_dictionary GROUP BY 1
)
SELECT
    observations._file,
    observations._row,
    patid AS nhs_number,
    CASE WHEN concept IS NOT NULL THEN 'snomed'
         WHEN regexp_matches(read_code, '^[A-Za-z0-9.]{5}(00|1[0-9A-Z])?$') THEN 'read2'
         WHEN read_code IS NOT NULL THEN 'local' END AS code_system,
    coalesce(concept, read_code) AS code,
    day(obsdate) AS happened_on,
    coalesce(day(nullif(enterdate, 'NA')), day(obsdate)) AS recorded_on,
    CASE WHEN dictionary.medcodeid IS NULL
         THEN 'its medcodeid is in no dictionary: put CPRD''s medical dictionary of the same build beside the extract'
         WHEN coalesce(concept, read_code) IS NULL THEN 'its medcodeid stands for no SNOMED CT concept and no Read code'
    END AS _left_out
FROM observations LEFT JOIN dictionary USING (medcodeid)
