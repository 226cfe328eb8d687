-- Medicines are told from dm+d alone. The vocabulary's standard is RxNorm, whose numbers have the same shape.
WITH known AS (
    SELECT whole_text(concept_id) AS concept, max(vocabulary_id) AS vocabulary, max(concept_code) AS code
    FROM concepts WHERE whole_text(concept_id) <> '0' GROUP BY 1
),
dmd AS (SELECT DISTINCT code FROM known WHERE vocabulary = 'dm+d')
SELECT
    drugs._file,
    drugs._row,
    whole_text(person_id) AS nhs_number,
    CASE WHEN source.vocabulary = 'dm+d' THEN source.code ELSE dmd.code END AS dmd_code,
    day(drug_exposure_start_date) AS issued_on,
    -- The model does not hold when a record was entered.
    day(drug_exposure_start_date) AS recorded_on,
    CASE WHEN source.vocabulary = 'dm+d' OR dmd.code IS NOT NULL THEN NULL
         WHEN source.vocabulary IS NOT NULL THEN 'its medicine is coded otherwise than in dm+d, such as in RxNorm'
         ELSE 'no dm+d code: ask for source concepts of dm+d, and for the CONCEPT file of the vocabulary with dm+d'
    END AS _left_out
FROM drugs
LEFT JOIN known AS source ON source.concept = whole_text(drug_source_concept_id)
LEFT JOIN dmd ON dmd.code = whole_text(drug_source_value) AND source.vocabulary IS NULL
