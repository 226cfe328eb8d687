WITH known AS (
    SELECT whole_text(concept_id) AS concept, max(vocabulary_id) AS vocabulary, max(concept_code) AS code
    FROM concepts WHERE whole_text(concept_id) <> '0' GROUP BY 1
),
entries AS (
    SELECT _file, _row, person_id, condition_start_date AS happened, condition_source_value AS source_code,
        condition_source_concept_id AS source_concept, condition_concept_id AS standard_concept,
        NULL AS value, NULL AS unit
    FROM conditions
    UNION ALL
    SELECT _file, _row, person_id, observation_date, observation_source_value, observation_source_concept_id,
        observation_concept_id, value_as_number, unit_source_value
    FROM observations
    UNION ALL
    SELECT _file, _row, person_id, measurement_date, measurement_source_value, measurement_source_concept_id,
        measurement_concept_id, value_as_number, unit_source_value
    FROM measurements
    UNION ALL
    SELECT _file, _row, person_id, procedure_date, procedure_source_value, procedure_source_concept_id,
        procedure_concept_id, NULL, NULL
    FROM procedures
),
coded AS (
    SELECT entries.*, source.vocabulary IS NULL AND standard.vocabulary IS NULL AS is_unknown,
        -- As sent, if it is SNOMED CT; else the standard code that the vocabulary maps it to, if that is.
        CASE WHEN source.vocabulary = 'SNOMED' THEN source.code
             WHEN source.vocabulary IS NULL AND regexp_matches(whole_text(source_code), '^[1-9][0-9]{5,17}$')
             THEN whole_text(source_code)
             WHEN standard.vocabulary = 'SNOMED' THEN standard.code END AS concept_code
    FROM entries
    LEFT JOIN known AS source ON source.concept = whole_text(source_concept)
    LEFT JOIN known AS standard ON standard.concept = whole_text(standard_concept)
)
SELECT
    _file,
    _row,
    whole_text(person_id) AS nhs_number,
    'snomed' AS code_system,
    concept_code AS code,
    day(happened) AS happened_on,
    -- The model does not hold when a record was entered.
    day(happened) AS recorded_on,
    value,
    unit AS value_unit,
    CASE WHEN concept_code IS NULL AND is_unknown
         THEN 'no SNOMED CT code: put the CONCEPT file of the vocabulary beside the extract'
         WHEN concept_code IS NULL THEN 'neither its source code nor its standard code is of SNOMED CT' END AS _left_out
FROM coded
