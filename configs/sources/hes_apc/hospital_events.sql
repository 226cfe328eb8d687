-- A stay is what one hospital sends of one person from one day of admission, whatever the number of its episodes.
-- Days before 1901 stand for none (1800-01-01, 1801-01-01, 1582-10-15), and so does a diagnosis of one sign.
WITH episodes AS (
    SELECT *,
        concat_ws('|', coalesce(newnhsno, _file || ' ' || _row), day(admidate), procode) AS stay,
        day(admidate) AS admitted_on,
        (coalesce(try_cast(epiorder AS INTEGER), 99), coalesce(day(epistart), ''), _file, _row) AS place,
        CASE WHEN as_day(disdate) >= DATE '1901-01-01' OR as_day(disdate) IS NULL
             THEN day(disdate) END AS discharged_on,
        CASE WHEN as_day(epiend) >= DATE '1901-01-01' THEN day(epiend) END AS episode_ended_on,
        [diag_01, diag_02, diag_03, diag_04, diag_05, diag_06, diag_07, diag_08, diag_09, diag_10, diag_11, diag_12,
         diag_13, diag_14, diag_15, diag_16, diag_17, diag_18, diag_19, diag_20, cause] AS written
    FROM admissions
),
diagnoses AS (
    SELECT stay, place, unnest(written) AS as_written, generate_subscripts(written, 1) AS position
    FROM episodes
),
coded AS (
    -- X fills a category of three signs up to four; what follows it, and a last D or A (dagger, asterisk), is no code.
    SELECT *, regexp_replace(
        regexp_replace(replace(upper(trim(as_written, '. ')), '.', ''), '^([A-Z][0-9][0-9A-Z])X.*$', '\1'),
        '^([A-Z][0-9][0-9A-Z].{1,2})[DA]$', '\1'
    ) AS code
    FROM diagnoses WHERE length(trim(as_written)) > 1
),
codes AS (
    SELECT stay,
        coalesce(min_by(code, place) FILTER (position = 1 AND code <> 'R69'),
                 min_by(code, place) FILTER (position = 1), min_by(code, (place, position))) AS main,
        list_sort(list_distinct(list(code))) AS every
    FROM coded GROUP BY stay
),
stays AS (
    SELECT stay,
        min_by(_file, place) AS _file,
        min_by(_row, place) AS _row,
        min_by(newnhsno, place) AS nhs_number,
        min_by(admitted_on, place) AS admitted_on,
        min_by(whole_text(admimeth), place) AS kind,
        -- Where no day of discharge is told, the last episode ends the stay if it says how the patient left.
        coalesce(max(discharged_on), max(episode_ended_on) FILTER (whole_text(dismeth) IN ('1', '2', '3', '4')))
            AS ended_on,
        coalesce(max(discharged_on), max(episode_ended_on), max(day(epistart)), max(admitted_on)) AS last_day
    FROM episodes GROUP BY stay
)
SELECT
    _file,
    _row,
    nhs_number,
    kind,
    main AS icd10,
    nullif(array_to_string(list_filter(every, lambda code: code <> main), ' '), '') AS other_icd10,
    admitted_on AS started_on,
    ended_on,
    -- Not in the layout. Records reach the board three to six weeks after discharge: six, lest one is known too early.
    coalesce(day_text(as_day(last_day) + 42), last_day) AS recorded_on,
    CASE WHEN nhs_number IS NULL THEN 'no NHS number'
         WHEN as_day(admitted_on) < DATE '1901-01-01' THEN 'no day of admission' END AS _left_out
FROM stays LEFT JOIN codes USING (stay)
