-- Diagnoses of attendances are SNOMED CT concepts, which hospital events have no place for: they stay out.
WITH told AS (
    SELECT _file, _row, patient_id, apcs_ident AS ident, whole_text(admission_method) AS kind,
        admission_date AS started, discharge_date AS ended, primary_diagnosis AS main,
        concat_ws(',', primary_diagnosis, secondary_diagnosis, all_diagnoses) AS every, 1 AS place
    FROM stays
    UNION ALL
    SELECT _file, _row, patient_id, id, 'ae_attendance', arrival_date, NULL, NULL, NULL, 2 FROM attendances
    UNION ALL
    SELECT _file, _row, patient_id, ec_ident, 'ae_attendance', arrival_date, NULL, NULL, NULL, 3
    FROM attendances_in_short
),
coded AS (
    -- X fills a category of three signs up to four; what follows it, and a last D or A (dagger, asterisk), is no code.
    SELECT *, list_sort(list_distinct(list_transform(
        list_filter(string_split_regex(upper(replace(every, '.', '')), '[|, ]+'), lambda each: length(each) > 1),
        lambda each: regexp_replace(regexp_replace(each, '^([A-Z][0-9][0-9A-Z])X.*$', '\1'),
            '^([A-Z][0-9][0-9A-Z].{1,2})[DA]$', '\1')
    ))) AS codes,
        regexp_replace(regexp_replace(upper(replace(main, '.', '')), '^([A-Z][0-9][0-9A-Z])X.*$', '\1'),
            '^([A-Z][0-9][0-9A-Z].{1,2})[DA]$', '\1') AS main_code,
        row_number() OVER (
            PARTITION BY patient_id, coalesce(ident, _file || ' ' || _row), place = 1 ORDER BY place, _file, _row
        ) AS nth
    FROM told
)
SELECT
    _file,
    _row,
    patient_id AS nhs_number,
    kind,
    main_code AS icd10,
    nullif(array_to_string(list_filter(codes, lambda each: each <> coalesce(main_code, '')), ' '), '') AS other_icd10,
    day(started) AS started_on,
    day(ended) AS ended_on,
    -- Not in the tables. Records reach the board three to six weeks later: six, so that none is known too early.
    coalesce(day_text(coalesce(as_day(ended), as_day(started)) + 42), day(started)) AS recorded_on,
    CASE WHEN nth > 1 THEN 'sent twice' WHEN kind IS NULL THEN 'no method of admission' END AS _left_out
FROM coded
