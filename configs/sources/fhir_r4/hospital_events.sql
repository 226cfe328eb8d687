-- Of a stay it is told whether it was an emergency by the admission method of UK Core (2x: emergency, 1x: planned, as
-- in the NHS Data Dictionary), by its priority, by its source, or by an attendance at an emergency room on the same day
-- or the day before.
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
encounters AS (
    SELECT *,
        regexp_extract(json_extract_string(document, '$.subject.reference'), '([^/:]+)(/_history/.*)?$', 1) AS subject,
        CASE WHEN regexp_matches(json_extract_string(document, '$.subject.identifier.system'), '/Id/nhs-number', 'i')
             THEN json_extract_string(document, '$.subject.identifier.value') END AS told_number,
        upper(json_extract_string(document, '$.class.code')) AS class,
        left(json_extract_string(document, '$.period.start'), 10) AS started,
        left(json_extract_string(document, '$.period.end'), 10) AS ended,
        json_extract_string(list_filter(
            list_concat(
                json_extract(document, '$.hospitalization.extension[*]'), json_extract(document, '$.extension[*]')
            ),
            lambda each: json_extract_string(each, '$.url') LIKE '%AdmissionMethod%'
        )[1], '$.valueCodeableConcept.coding[0].code') AS method,
        json_extract_string(document, '$.priority.coding[0].code') AS priority,
        json_extract_string(document, '$.hospitalization.admitSource.coding[0].code') AS source,
        json_extract_string(list_filter(json_extract(document, '$.reasonCode[*].coding[*]'),
            lambda each: lower(json_extract_string(each, '$.system')) LIKE '%icd-10%'
            AND regexp_matches(json_extract_string(each, '$.code'), '^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,3})?$')
        )[1], '$.code') AS icd10,
        row_number() OVER (
            PARTITION BY coalesce(json_extract_string(document, '$.id'), _file || ' ' || _row)
            ORDER BY coalesce(json_extract_string(document, '$.meta.lastUpdated'), '') DESC, _file, _row
        ) AS nth
    FROM resources WHERE resourcetype = 'Encounter'
),
emergencies AS (
    SELECT coalesce(told_number, subject) AS who, try_cast(started AS DATE) AS on_day FROM encounters
    WHERE class = 'EMER' AND try_cast(started AS DATE) IS NOT NULL AND coalesce(told_number, subject) IS NOT NULL
),
named AS (SELECT *, coalesce(told_number, subject) AS who, try_cast(started AS DATE) AS on_day FROM encounters),
kinds AS (
    SELECT *, CASE
        WHEN class = 'EMER' THEN 'ae_attendance'
        WHEN class NOT IN ('IMP', 'ACUTE', 'NONAC') THEN NULL
        WHEN method LIKE '2%' OR priority = 'EM' OR source = 'emd' THEN 'emergency_admission'
        WHEN method LIKE '1%' OR priority = 'EL' THEN 'planned_admission'
        WHEN coalesce((who, on_day) IN (SELECT (who, on_day) FROM emergencies), false)
            OR coalesce((who, on_day - 1) IN (SELECT (who, on_day) FROM emergencies), false)
        THEN 'emergency_admission' END AS kind
    FROM named
)
SELECT
    _file,
    _row,
    CASE WHEN has_numbers THEN 'nhs_number' ELSE 'own' END AS _ids,
    CASE WHEN has_numbers THEN coalesce(told_number, number) ELSE subject END AS nhs_number,
    kind,
    icd10,
    started AS started_on,
    ended AS ended_on,
    -- Not in the resource. Records reach the board three to six weeks after discharge: six, lest one be known early.
    coalesce(day_text(coalesce(try_cast(ended AS DATE), try_cast(started AS DATE)) + 42), started) AS recorded_on,
    CASE WHEN nth > 1 THEN 'sent twice, or an earlier version'
         WHEN json_extract_string(document, '$.status') IN ('planned', 'cancelled', 'entered-in-error')
         THEN 'planned, cancelled or withdrawn'
         WHEN class IN ('IMP', 'ACUTE', 'NONAC') AND kind IS NULL
         THEN 'a stay of which it is not told whether it was an emergency: ask for the method of admission'
         WHEN kind IS NULL THEN 'neither a stay in hospital nor an attendance at an emergency room'
         WHEN has_numbers AND coalesce(told_number, number) IS NULL THEN 'of nobody whose NHS number is told'
         WHEN NOT has_numbers AND subject IS NULL THEN 'of nobody' END AS _left_out
FROM kinds CROSS JOIN mode LEFT JOIN numbers ON numbers.id = subject
