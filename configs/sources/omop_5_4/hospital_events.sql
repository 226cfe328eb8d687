-- 262: emergency room and then the ward; 9203 and 8870: emergency room; 9201 and 8717: the ward. Of the ward alone it
-- is not told whether it was an emergency, unless an emergency room came first or the source's own words say so.
WITH told AS (
    SELECT *, whole_text(visit_concept_id) AS kind_of_visit, whole_text(person_id) AS person,
        day(visit_start_date) AS started, lower(trim(visit_source_value)) AS words
    FROM visits
),
emergencies AS (
    SELECT person, as_day(started) AS on_day FROM told
    WHERE kind_of_visit IN ('9203', '8870') AND as_day(started) IS NOT NULL
),
ward AS (
    SELECT *,
        coalesce(whole_text(admitted_from_concept_id) IN ('8870', '9203', '262'), false)
        OR coalesce((person, as_day(started)) IN (SELECT (person, on_day) FROM emergencies), false)
        OR coalesce((person, as_day(started) - 1) IN (SELECT (person, on_day) FROM emergencies), false)
        AS is_by_emergency_room
    FROM told
),
-- Diagnoses of hospitals are sent in ICD-10 by some; their order is not told.
coded AS (
    SELECT whole_text(visit_occurrence_id) AS visit, replace(upper(trim(condition_source_value)), '.', '') AS code
    FROM conditions
    WHERE regexp_matches(upper(trim(condition_source_value)), '^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,3})?$')
),
codes AS (SELECT visit, array_to_string(list_sort(list(DISTINCT code)), ' ') AS every_code FROM coded GROUP BY 1),
kinds AS (
    SELECT *, CASE
        WHEN kind_of_visit = '262' THEN 'emergency_admission'
        WHEN kind_of_visit IN ('9203', '8870') THEN 'ae_attendance'
        WHEN kind_of_visit NOT IN ('9201', '8717') THEN NULL
        -- The two signs are admission methods as the NHS Data Dictionary has them.
        WHEN is_by_emergency_room OR regexp_matches(words, '^(2[0-9a-d]$|emergency|non.?elective)')
        THEN 'emergency_admission'
        WHEN regexp_matches(words, '^(1[123]$|elective|planned)') THEN 'planned_admission' END AS kind
    FROM ward
)
SELECT
    _file,
    _row,
    person AS nhs_number,
    kind,
    every_code AS other_icd10,
    started AS started_on,
    day(visit_end_date) AS ended_on,
    -- Not in the model. Records reach the board three to six weeks after discharge: six, lest one is known too early.
    coalesce(day_text(coalesce(as_day(visit_end_date), as_day(visit_start_date)) + 42), started) AS recorded_on,
    CASE WHEN kind IS NOT NULL THEN NULL
         WHEN kind_of_visit IN ('9201', '8717')
         THEN 'a stay of which it is not told whether it was an emergency: ask for the method of admission'
         ELSE 'neither a stay in hospital nor an attendance at an emergency room' END AS _left_out
FROM kinds LEFT JOIN codes ON codes.visit = whole_text(visit_occurrence_id)
