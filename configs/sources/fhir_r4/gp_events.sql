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
entries AS (
    SELECT *,
        regexp_extract(json_extract_string(document, '$.subject.reference'), '([^/:]+)(/_history/.*)?$', 1) AS subject,
        CASE WHEN regexp_matches(json_extract_string(document, '$.subject.identifier.system'), '/Id/nhs-number', 'i')
             THEN json_extract_string(document, '$.subject.identifier.value') END AS told_number,
        json_extract_string(list_filter(json_extract(document, '$.code.coding[*]'),
            lambda each: json_extract_string(each, '$.system') = 'http://snomed.info/sct')[1], '$.code') AS concept,
        left(coalesce(
            json_extract_string(document, '$.onsetDateTime'), json_extract_string(document, '$.onsetPeriod.start'),
            json_extract_string(document, '$.effectiveDateTime'),
            json_extract_string(document, '$.effectivePeriod.start'),
            json_extract_string(document, '$.performedDateTime'),
            json_extract_string(document, '$.performedPeriod.start')
        ), 10) AS happened,
        left(coalesce(
            json_extract_string(document, '$.recordedDate'), json_extract_string(document, '$.issued')
        ), 10) AS entered,
        coalesce(json_extract_string(document, '$.verificationStatus.coding[0].code'),
            json_extract_string(document, '$.status'), '') AS standing,
        row_number() OVER (
            PARTITION BY resourcetype, coalesce(json_extract_string(document, '$.id'), _file || ' ' || _row)
            ORDER BY coalesce(json_extract_string(document, '$.meta.lastUpdated'), '') DESC, _file, _row
        ) AS nth
    FROM resources WHERE resourcetype IN ('Condition', 'Observation', 'Procedure')
),
days AS (
    -- Of a part of a day, the first day on which it may have happened and the last on which it may have been entered.
    SELECT *,
        CASE length(happened) WHEN 4 THEN happened || '-01-01' WHEN 7 THEN happened || '-01' ELSE happened
        END AS happened_on,
        CASE length(entered) WHEN 4 THEN entered || '-12-31'
            WHEN 7 THEN coalesce(day_text(last_day(as_day(entered || '-01'))), entered) ELSE entered END AS entered_on
    FROM entries
)
SELECT
    _file,
    _row,
    CASE WHEN has_numbers THEN 'nhs_number' ELSE 'own' END AS _ids,
    CASE WHEN has_numbers THEN coalesce(told_number, number) ELSE subject END AS nhs_number,
    'snomed' AS code_system,
    concept AS code,
    happened_on,
    coalesce(entered_on, happened_on) AS recorded_on,
    json_extract_string(document, '$.valueQuantity.value') AS value,
    json_extract_string(document, '$.valueQuantity.unit') AS value_unit,
    CASE WHEN nth > 1 THEN 'sent twice, or an earlier version'
         WHEN standing IN ('entered-in-error', 'refuted', 'cancelled', 'not-done', 'preparation')
         THEN 'withdrawn, refuted or not done'
         WHEN concept IS NULL THEN 'no SNOMED CT code'
         WHEN has_numbers AND coalesce(told_number, number) IS NULL THEN 'of nobody whose NHS number is told'
         WHEN NOT has_numbers AND subject IS NULL THEN 'of nobody'
         WHEN coalesce(entered_on, happened_on) IS NULL THEN 'no day' END AS _left_out
FROM days CROSS JOIN mode LEFT JOIN numbers ON numbers.id = subject
