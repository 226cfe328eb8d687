-- dm+d codes are SNOMED CT identifiers: UK Core sends them under either system. RxNorm and others are left out.
WITH mode AS (
    SELECT bool_or(regexp_matches(document, 'fhir\.nhs\.(uk|net)/Id/nhs-number', 'i')) AS has_numbers FROM resources
),
numbers AS (
    SELECT json_extract_string(document, '$.id') AS id,
        max(json_extract_string(list_filter(json_extract(document, '$.identifier[*]'), lambda each:
            regexp_matches(json_extract_string(each, '$.system'), 'fhir\.nhs\.(uk|net)/Id/nhs-number', 'i')
            AND coalesce(json_extract_string(each, '$.use'), '') <> 'old')[1], '$.value')) AS number
    FROM resources WHERE resourcetype = 'Patient' GROUP BY 1
),
products AS (
    SELECT json_extract_string(document, '$.id') AS id, max(json_extract(document, '$.code.coding')::VARCHAR) AS codings
    FROM resources WHERE resourcetype = 'Medication' GROUP BY 1
),
requests AS (
    SELECT *,
        regexp_extract(json_extract_string(document, '$.subject.reference'), '([^/:]+)(/_history/.*)?$', 1) AS subject,
        CASE WHEN regexp_matches(json_extract_string(document, '$.subject.identifier.system'), '/Id/nhs-number', 'i')
             THEN json_extract_string(document, '$.subject.identifier.value') END AS told_number,
        regexp_replace(json_extract_string(document, '$.medicationReference.reference'), '^.*[/:#]', '') AS product,
        left(json_extract_string(document, '$.authoredOn'), 10) AS issued,
        row_number() OVER (
            PARTITION BY coalesce(json_extract_string(document, '$.id'), _file || ' ' || _row)
            ORDER BY coalesce(json_extract_string(document, '$.meta.lastUpdated'), '') DESC, _file, _row
        ) AS nth
    FROM resources WHERE resourcetype = 'MedicationRequest'
),
coded AS (
    SELECT requests.*, json_extract(coalesce(
            json_extract(document, '$.medicationCodeableConcept.coding')::VARCHAR,
            json_extract(list_filter(json_extract(document, '$.contained[*]'),
                lambda each: json_extract_string(each, '$.id') = product)[1], '$.code.coding')::VARCHAR,
            codings
        ), '$[*]') AS told_codings
    FROM requests LEFT JOIN products ON products.id = product
),
chosen AS (
    SELECT *, json_extract_string(coalesce(
            list_filter(told_codings,
                lambda each: regexp_matches(json_extract_string(each, '$.system'), '^https?://dmd\.nhs\.uk'))[1],
            list_filter(told_codings, lambda each: json_extract_string(each, '$.system') = 'http://snomed.info/sct')[1]
        ), '$.code') AS dmd_code,
        CASE length(issued) WHEN 4 THEN issued || '-01-01' WHEN 7 THEN issued || '-01' ELSE issued END AS issued_on
    FROM coded
)
SELECT
    _file,
    _row,
    CASE WHEN has_numbers THEN 'nhs_number' ELSE 'own' END AS _ids,
    CASE WHEN has_numbers THEN coalesce(told_number, number) ELSE subject END AS nhs_number,
    dmd_code,
    issued_on,
    issued_on AS recorded_on,
    CASE WHEN nth > 1 THEN 'sent twice, or an earlier version'
         WHEN json_extract_string(document, '$.status') IN ('entered-in-error', 'cancelled', 'draft')
         THEN 'withdrawn, cancelled or a draft'
         WHEN json_extract_string(document, '$.intent') IN ('proposal', 'plan', 'option')
         THEN 'a plan or proposal, not an issue'
         WHEN json_extract_string(document, '$.doNotPerform') = 'true' THEN 'a medicine not to be given'
         WHEN dmd_code IS NULL THEN 'its medicine has no dm+d code, such as one coded in RxNorm: ask for dm+d codes'
         WHEN has_numbers AND coalesce(told_number, number) IS NULL THEN 'of nobody whose NHS number is told'
         WHEN NOT has_numbers AND subject IS NULL THEN 'of nobody'
         WHEN issued_on IS NULL THEN 'no day of issue' END AS _left_out
FROM chosen CROSS JOIN mode LEFT JOIN numbers ON numbers.id = subject
