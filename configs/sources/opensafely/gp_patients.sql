-- Each registration is a version of the row, known from its first day. The EMIS schema has the present one alone, among
-- the patients.
WITH sent AS (
    SELECT _file, _row, patient_id, day(start_date) AS started, day(end_date) AS ended, practice_pseudo_id AS practice,
        1 AS place
    FROM registrations
    UNION ALL
    SELECT _file, _row, patient_id, day(registration_start_date), day(registration_end_date), practice_pseudo_id, 2
    FROM patients
    WHERE registration_start_date IS NOT NULL
        OR patient_id NOT IN (SELECT patient_id FROM registrations WHERE patient_id IS NOT NULL)
),
told AS (
    SELECT *,
        -- Of two from one day the one without an end, or with the later one.
        row_number() OVER (
            PARTITION BY patient_id, started ORDER BY place, ended IS NOT NULL, ended DESC, practice, _file, _row
        ) AS nth,
        max(length(practice)) OVER () > 5 AS is_long,
        dense_rank() OVER (ORDER BY practice) AS number_of_practice
    FROM sent
),
people AS (
    SELECT patient_id, min(date_of_birth) AS born, min(sex) AS sex, min(day(date_of_death)) AS died
    FROM patients GROUP BY 1
),
deaths AS (
    -- Somebody wrote of a death, be its day told or not: a text that is no day holds the person.
    SELECT patient_id, coalesce(min(day(date)), 'a death without a day') AS died FROM registered_deaths GROUP BY 1
),
groups AS (SELECT patient_id, min(upper(left(code, 1))) AS ethnic_group FROM ethnicity GROUP BY 1)
SELECT
    told._file,
    told._row,
    told.patient_id AS nhs_number,
    month_of(born) AS birth_month,
    sex,
    ethnic_group,
    -- Practices carry numbers of OpenSAFELY's own; Z stands at the head of no practice's ODS code.
    'Z' || lpad(CASE WHEN is_long THEN number_of_practice::VARCHAR ELSE practice END, 5, '0') AS practice_code,
    started AS registered_on,
    ended AS left_on,
    coalesce(deaths.died, people.died) AS died_on,
    -- ONS: deaths are registered within five days unless a coroner inquires; two weeks are what CPRD's are given.
    day_text(as_day(coalesce(deaths.died, people.died)) + 14) AS died_recorded_on,
    started AS recorded_on,
    CASE WHEN people.patient_id IS NULL THEN 'of nobody who is among the patients'
         WHEN started IS NULL AND place = 2 THEN 'no registration with a practice'
         WHEN nth > 1 THEN 'another registration from the same day' END AS _left_out
FROM told
LEFT JOIN people ON people.patient_id = told.patient_id
LEFT JOIN deaths ON deaths.patient_id = told.patient_id
LEFT JOIN groups ON groups.patient_id = told.patient_id
