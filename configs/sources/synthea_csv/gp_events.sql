WITH entries AS (
    SELECT _file, _row, patient, start AS happened, code, system, NULL AS value, NULL AS units FROM conditions
    UNION ALL
    SELECT _file, _row, patient, coalesce(start, date), code, system, NULL, NULL FROM procedures
    UNION ALL
    SELECT _file, _row, patient, date, code, NULL, try_cast(value AS DOUBLE)::VARCHAR, units FROM observations
)
SELECT
    _file,
    _row,
    patient AS nhs_number,
    'snomed' AS code_system,
    code,
    left(day(happened), 10) AS happened_on,
    -- There is no day of entry: a made-up record is entered as it happens.
    left(day(happened), 10) AS recorded_on,
    -- A value may be a word; numbers alone are measured values.
    value,
    units AS value_unit,
    -- Vital signs, tests and answers to questions are coded in LOINC.
    CASE WHEN NOT coalesce(regexp_matches(code, '^[0-9]{6,18}$'), false)
         OR regexp_matches(lower(system), 'loinc|rxnorm')
         THEN 'coded in LOINC or otherwise, not in SNOMED CT' END AS _left_out
FROM entries
